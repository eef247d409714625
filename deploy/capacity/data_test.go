package capacity

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"sluice/deploy/local/template"
	"sluice/shared/aggregate"
	"sluice/shared/consumertest"
)

// The settings are the defaults of the consumers' own templates.
func TestSettings(t *testing.T) {
	for _, p := range measured().Consumers {
		read, err := template.Read("../../consumers/" + p.Name + "/template.yaml")
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]int64{"BatchSize": p.Batch, "BatchingWindowSeconds": p.WindowSeconds, "ParallelizationFactor": p.Parallelization, "MemorySize": p.MemoryMB}
		if p.Name == "leaderboard" {
			want["BoardShards"] = boardShards
		}
		for _, parameter := range read.Parameters {
			if n, ok := want[parameter.Name]; ok {
				delete(want, parameter.Name)
				if *parameter.Default != strconv.FormatInt(n, 10) {
					t.Errorf("%s of %s is %s, here %d", parameter.Name, p.Name, *parameter.Default, n)
				}
			}
		}
		if len(want) > 0 {
			t.Errorf("the template of %s has no %v", p.Name, want)
		}
	}
}

// The figures are those that the documents tell.
func TestFiguresAreTheDocuments(t *testing.T) {
	for file, texts := range map[string][]string{
		"docs/figures.md":                 {"6.3 µs at 1 KB", "a copied change costs us some 160 µs", "insert, modify, remove; ten changes of an item in a batch | 1; 1; 2; 0.1", "1; 0; 0; 0.1 and 1.01;"},
		"consumers/leaderboard/README.md": {"400 to 485 µs", "70 to 99 µs", "31 to 32 µs", "| 1 | units a change | 3.18 | 3.00 | 4.00 | 9.53 |"},
		"consumers/search/README.md":      {"12,600 to 13,000 pets", "14 to 15 µs"},
		"consumers/badges/README.md":      {"| 10 | 2.19 | 0.20 | 2.3 |"},
	} {
		readme := text(t, file)
		for _, want := range texts {
			if !strings.Contains(readme, want) {
				t.Errorf("%s has no %q any more: measure, and correct figures.yaml", file, want)
			}
		}
	}
	readme := text(t, "consumers/leaderboard/README.md")
	for _, step := range profileOf("leaderboard").Steps {
		for _, want := range []string{step.WriteUnits.String(), step.Calls.String(), step.Totals.String()} {
			if !strings.Contains(readme, "| "+want+" |") {
				t.Errorf("the leaderboard's README has no figure %s", want)
			}
		}
	}
	targets := text(t, "Makefile")
	for _, p := range measured().Consumers {
		for _, m := range []Measured{p.Units, p.Time} {
			if name, isBench := strings.CutPrefix(m.Command, "make bench BENCH="); isBench && !strings.Contains(targets, "\nbench-"+name+":") {
				t.Errorf("%s: %q isn't in the Makefile", p.Name, m.Command)
			}
		}
	}
}

// Every price says what it is for and where to check it; every line of a bill has one.
func TestPrices(t *testing.T) {
	if _, err := time.Parse(time.DateOnly, prices().Date); err != nil || prices().Region != "us-east-1" {
		t.Errorf("prices of %q, %q", prices().Date, prices().Region)
	}
	used := map[string]bool{}
	p := Make(load(20_000, KB, consumers(Consumers()...), func(l *Load) { l.Badges = 1 }))
	costs := []Cost{p.Stream.Cost}
	for _, f := range p.Functions {
		costs = append(costs, f.Cost)
	}
	for _, c := range costs {
		for _, line := range c.Lines {
			used[line.Price] = true
		}
	}
	page := regexp.MustCompile(`^https://aws\.amazon\.com/[a-z0-9/-]*pricing/`)
	for name, price := range prices().Of {
		if !price.USD.IsPositive() || price.Per == "" || !page.MatchString(price.Page) {
			t.Errorf("%s: %+v", name, price)
		}
		if !used[name] {
			t.Errorf("nothing has the price %s", name)
		}
		delete(used, name)
	}
	for name := range used {
		t.Errorf("there is no price %s", name)
	}
}

// Records are as large as the stream has them, or smaller.
func TestRecordSizes(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	play := consumertest.Item{"UserId": consumertest.S("a-player-of-some-name"), "Timestamp": consumertest.S("2026-01-01T00:00:00.000000Z"), "Score": consumertest.N("9")}
	item := Size(len("UserIda-player-of-some-nameTimestamp2026-01-01T00:00:00.000000ZScore") + 2)
	record := consumertest.Change{Table: "UserScoreEvents", Time: at, Keys: consumertest.Item{"UserId": play["UserId"], "Timestamp": play["Timestamp"]}, Old: play, New: play}.Record()
	if most := measured().Record.Envelope + 2*item; Size(len(record)) > most {
		t.Errorf("a play's record has %d B, more than %d", len(record), most)
	}
	var ids []string // each in base64 twice, as all binary values in the stream
	for range aggregate.Capacity {
		id := consumertest.B(make([]byte, 12))["B"]
		ids = append(ids, id.(string))
	}
	total := consumertest.Item{
		"UserId": play["UserId"], "Score": consumertest.N("123456789"), "ShardNo": consumertest.N("9"), "ReachedAt": consumertest.S("2026-01-01T00:00:00.000000Z"),
		"Ids": consumertest.Value{"BS": ids},
	}
	record = consumertest.Change{Table: "Leaderboard", Time: at, Keys: consumertest.Item{"UserId": play["UserId"]}, Old: total, New: total}.Record()
	if Size(len(record)) > measured().Record.Total {
		t.Errorf("a total's record has %d B, more than %d", len(record), measured().Record.Total)
	}
}

func text(t *testing.T, file string) string {
	t.Helper()
	read, err := os.ReadFile("../../" + file)
	if err != nil {
		t.Fatal(err)
	}
	return string(read)
}
