package cli

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"sluice/deploy/capacity"
	"sluice/shared/consumertest/golden"
)

// What people read, whole: of a usual load, of none, and of one that needs several streams.
func TestPlan(t *testing.T) {
	for name, args := range map[string]string{
		"usual":   "--changes 5000 --item 1KB",
		"none":    "--changes 0 --item 100B --consumers search,badges",
		"million": "--changes 1000000 --item 1KB --only-inserts --players 10000000 --batch-window 5s",
	} {
		t.Run(name, func(t *testing.T) {
			out, code := run(t, t.TempDir(), append([]string{"plan"}, strings.Fields(args)...)...)
			if code != 0 {
				t.Fatalf("exit %d, want 0", code)
			}
			golden.Compare(t, filepath.Join("testdata", "plan", name+".golden"), out)
		})
	}
}

func TestPlanJSON(t *testing.T) {
	out, code := run(t, t.TempDir(), "plan", "--changes", "5000", "--item", "1KB", "--json")
	var got struct {
		Load      struct{ ItemBytes int64 }
		Stream    struct{ Shards int64 }
		Consumers []struct{ Cost []capacity.Line }
		USD       decimal.Decimal `json:"usdPerMonth"`
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != 0 {
		t.Fatalf("exit %d, %v", code, err)
	}
	want := capacity.Make(capacity.Load{Changes: 5000, Item: capacity.KB, Players: 100_000, Badges: 10, Consumers: capacity.Consumers()})
	if got.Load.ItemBytes != 1024 || got.Stream.Shards != want.Stream.Shards || !got.USD.Equal(want.USD) || len(got.Consumers) != 4 || len(got.Consumers[0].Cost) == 0 {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestPlanRefuses(t *testing.T) {
	for args, want := range map[string]string{
		"--item 1KB":                                 "--changes",
		"--changes 5000 --item 1024":                 `"1024" has no unit`,
		"--changes 5000 --item 401KB":                "--item: 410624 B is not from 1 B to 400KB",
		"--changes 1000001 --item 1KB":               "--changes: 1000001 is not from 0 to 1000000",
		"--changes 1 --item 1KB --consumers audit":   `no figures of "audit"`,
		"--changes 1 --item 1KB --batch-window 1.5s": "--batch-window: 1.5s",
	} {
		out, code := run(t, t.TempDir(), append([]string{"plan"}, strings.Fields(args)...)...)
		if code == 0 {
			t.Errorf("plan %s is accepted", args)
		}
		wantTexts(t, out, want)
	}
}

func TestGrouped(t *testing.T) {
	for _, test := range []struct {
		number string
		places int32
		want   string
	}{
		{"0", 0, "0"}, {"999", 0, "999"}, {"1000", 0, "1,000"}, {"999.995", 2, "1,000.00"}, {"1234567.891", 1, "1,234,567.9"}, {"0.00004", 2, "0.00"},
	} {
		if got := grouped(decimal.RequireFromString(test.number), test.places); got != test.want {
			t.Errorf("%s with %d places is %s, want %s", test.number, test.places, got, test.want)
		}
	}
}
