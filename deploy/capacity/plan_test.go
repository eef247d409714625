package capacity

import (
	"slices"
	"testing"
	"time"

	"github.com/shopspring/decimal"
)

// load is one of badges alone, which has no changes of its own in the stream, by one player each.
func load(changes int64, item Size, change ...func(*Load)) Load {
	l := Load{Changes: changes, Item: item, OnlyInserts: true, Players: 1_000_000, Consumers: []string{"badges"}}
	for _, c := range change {
		c(&l)
	}
	return l
}

func updates(l *Load)                            { l.OnlyInserts = false }
func window(d time.Duration) func(*Load)         { return func(l *Load) { l.Window = &d } }
func consumers(names ...string) func(*Load)      { return func(l *Load) { l.Consumers = names } }
func number(text string) decimal.Decimal         { return decimal.RequireFromString(text) }
func same(got decimal.Decimal, want string) bool { return got.Equal(number(want)) }
func function(t *testing.T, p Plan, name string) Function {
	t.Helper()
	for _, f := range p.Functions {
		if f.Name == name {
			return f
		}
	}
	t.Fatalf("the plan has no %s", name)
	return Function{}
}

func TestShards(t *testing.T) {
	const atLeast, records, bytes = "there is at least one", "1,000 records/s each", "1 MB/s each"
	for name, test := range map[string]struct {
		load   Load
		shards int64
		by     string
	}{
		"nothing":                    {load(0, KB), 1, atLeast},
		"one":                        {load(1, 1), 1, atLeast},
		"999":                        {load(999, 100), 1, atLeast},
		"1,000":                      {load(1000, 100), 1, atLeast},
		"1,001":                      {load(1001, 100), 2, records},
		"1,000 of a whole MB":        {load(1000, 400), 1, atLeast},
		"1,000 of more":              {load(1000, 401), 2, bytes},
		"both images count":          {load(1000, 200, updates), 1, atLeast},
		"both images, one byte more": {load(1000, 201, updates), 2, bytes},
		"records as many as bytes":   {load(1001, 400), 2, records},
		"the totals are changes too": {load(1000, 100, consumers("leaderboard")), 6, bytes},
		"a million":                  {load(1_000_000, 100), 1000, records},
	} {
		t.Run(name, func(t *testing.T) {
			s := Make(test.load).Stream
			if s.Shards != test.shards || s.By != test.by {
				t.Errorf("%d shards by %q, want %d by %q", s.Shards, s.By, test.shards, test.by)
			}
		})
	}
}

func TestFanOut(t *testing.T) {
	for _, test := range []struct {
		consumers int64
		bytes     string
		want      int64
	}{
		{0, "1000000", 0},
		{1, "1000000", 0},
		{2, "1000000", 0},
		{3, "1000000", 1},
		{4, "1000000", 2},
		{4, "500000", 0},
		{4, "500000.1", 1},
		{5, "0", 0},
		{6, "0", 1}, // by reads
		{1, "2000001", 1},
	} {
		if got := fanOut(test.consumers, number(test.bytes)); got != test.want {
			t.Errorf("%d consumers of %s bytes/s: %d need fan-out, want %d", test.consumers, test.bytes, got, test.want)
		}
	}
	// Those named first get it.
	p := Make(load(10_000, KB, updates, consumers("search", "badges", "replication")))
	if want := []string{"search"}; !slices.Equal(p.Stream.FanOut, want) || !function(t, p, "search").FanOut || function(t, p, "badges").FanOut {
		t.Errorf("fan-out for %v, want %v", p.Stream.FanOut, want)
	}
}

// More shards do as well, as long as no more than five consumers share them.
func TestInsteadOfFanOut(t *testing.T) {
	p := Make(load(1000, 400, consumers("replication", "search", "badges"))) // 1 MB/s in one shard
	i := p.Stream.Instead
	// A second shard for 730 hours; the fan-out of one consumer, and its 2,628 GB.
	if i.Shards != 2 || !same(i.USD, "25.55") || !same(i.FanOutUSD, "45.114") {
		t.Errorf("%d shards for %v, fan-out for %v; want 2 for 25.55, 45.114", i.Shards, i.USD, i.FanOutUSD)
	}
	if i := Make(load(1000, 400)).Stream.Instead; i.Shards != 0 || !i.USD.IsZero() || !i.FanOutUSD.IsZero() {
		t.Errorf("%+v where no fan-out is needed", i)
	}
}

// Units are counted in whole KB: the source's capture units by the item, a copy's write units by the item and its mark.
func TestUnitsAtKBs(t *testing.T) {
	for _, test := range []struct {
		item          Size
		capture, copy int64
	}{
		{1, 1, 1},
		{KB - 44, 1, 1},
		{KB - 43, 1, 2},
		{KB, 1, 2},
		{KB + 1, 2, 2},
		{2 * KB, 2, 3},
		{MaxItem, 400, 401},
	} {
		p := Make(load(1000, test.item, updates, consumers("replication")))
		if got := p.Functions[0].WriteUnits; !got.Equal(decimal.NewFromInt(1000 * test.copy)) {
			t.Errorf("%v: %v write units a second, want %d", test.item, got, 1000*test.copy)
		}
		for _, line := range p.Stream.Lines {
			if want := decimal.NewFromInt(2628 * test.capture); line.Price == "captureUnits" && !line.Amount.Equal(want) {
				t.Errorf("%v: %v million capture units a month, want %v", test.item, line.Amount, want)
			}
		}
		if !p.Functions[0].ReadUnits.IsZero() {
			t.Errorf("%v: %v read units for updates, want 0", test.item, p.Functions[0].ReadUnits)
		}
	}
	if p := Make(load(1000, KB, consumers("replication"))); !same(p.Functions[0].ReadUnits, "1000") {
		t.Errorf("%v read units for inserts, want 1000", p.Functions[0].ReadUnits)
	}
}

// What a change costs goes down only where that was measured.
func TestSteps(t *testing.T) {
	p := profileOf("leaderboard")
	for perGroup, want := range map[string]string{"0": "9.53", "0.001": "9.53", "9.999": "9.53", "10": "1.43", "99": "1.43", "100": "0.45", "5000": "0.45"} {
		if got := p.at(number(perGroup)).WriteUnits; !same(got, want) {
			t.Errorf("%s changes a group: %v units, want %s", perGroup, got, want)
		}
	}
	// A longer window merges more, once there are few players.
	few := func(l *Load) { l.Players = 1; l.Consumers = []string{"leaderboard"} }
	if got := Make(load(10, 100, few, window(0))).Functions[0].WriteUnits; !same(got, "95.3") {
		t.Errorf("without a window %v units a second, want 95.3", got)
	}
	if got := Make(load(10, 100, few, window(10*time.Second))).Functions[0].WriteUnits; !same(got, "14.3") {
		t.Errorf("in a window of 10 s %v units a second, want 14.3", got)
	}
}

func TestBatches(t *testing.T) {
	for name, test := range map[string]struct {
		load        Load
		batch       string
		invocations string
	}{
		"nothing comes":                   {load(0, KB), "0", "0"},
		"less than one a second":          {load(1, KB), "1", "1"},
		"what comes in a second":          {load(50, 100, window(0)), "25", "2"}, // in each of two batches side by side
		"what comes in the window":        {load(50, 100, window(3*time.Second)), "75", "0.6666666666666667"},
		"as many as the template has":     {load(1000, 100, window(300*time.Second)), "100", "10"},
		"as many as fit in Lambda's 6 MB": {load(10, 400*KB, window(300*time.Second)), "10", "1"},
	} {
		t.Run(name, func(t *testing.T) {
			f := Make(test.load).Functions[0]
			if !same(f.Batch, test.batch) || !same(f.Invocations, test.invocations) {
				t.Errorf("batches of %v, %v a second; want %s, %s", f.Batch, f.Invocations, test.batch, test.invocations)
			}
		})
	}
}

// The factor is raised before the memory, and no plan asks for what AWS doesn't have.
func TestKeepsUp(t *testing.T) {
	p := Make(load(1_000_000, 100))
	f := p.Functions[0]
	if !f.RaisedFactor || f.RaisedMemory || f.Parallelization > maxParallelization || f.Concurrency != p.Stream.Shards*f.Parallelization {
		t.Errorf("factor %d, memory %d, concurrency %d of %d shards", f.Parallelization, f.MemoryMB, f.Concurrency, p.Stream.Shards)
	}
	if f.Busy.GreaterThan(decimal.NewFromInt(f.Concurrency)) {
		t.Errorf("%v of %d instances are busy", f.Busy, f.Concurrency)
	}
}

func TestCost(t *testing.T) {
	l := load(1000, 100, func(l *Load) { l.Badges = 10 })
	p := Make(l)
	// 730 hours at $0.015 and $0.020; 2,628 million records at $0.014 and $0.10.
	if want := "325.142"; !same(p.Stream.USD, want) {
		t.Errorf("the stream costs %v, want %s", p.Stream.USD, want)
	}
	sum := p.Stream.USD
	for _, f := range p.Functions {
		lines := decimal.Zero
		for _, line := range f.Lines {
			lines = lines.Add(line.USD)
			if line.Price == "notices" && !same(line.USD, "13.14") { // 10 a second
				t.Errorf("notices cost %v, want 13.14", line.USD)
			}
			if line.Price == "writeUnits" && !same(line.USD, "3629.925") { // 2.19 a change, and 2 of each badge
				t.Errorf("write units cost %v, want 3629.925", line.USD)
			}
		}
		if !lines.Equal(f.USD) {
			t.Errorf("the lines of %s are %v, in all %v", f.Name, lines, f.USD)
		}
		sum = sum.Add(f.USD)
	}
	if !sum.Equal(p.USD) {
		t.Errorf("parts cost %v, all %v", sum, p.USD)
	}
	if want := p.USD.Div(decimal.NewFromInt(2628)); !p.Million.Equal(want) {
		t.Errorf("a million changes cost %v, want %v", p.Million, want)
	}
	if none := Make(load(0, KB)); !same(none.USD, "25.55") || !none.Million.IsZero() {
		t.Errorf("without changes %v a month, %v a million; want 25.55 for the shard, 0", none.USD, none.Million)
	}
}

func TestLimits(t *testing.T) {
	p := Make(load(5000, KB, consumers(Consumers()...)))
	if first := p.Limits[0]; first.Name != "leaderboard: one part of the index" || !same(first.Used, "1070") || !same(first.Share, "1.07") {
		t.Errorf("first comes %s with %v of %d", first.Name, first.Used, first.Allowed)
	}
	if !slices.IsSortedFunc(p.Limits, func(a, b Limit) int { return b.Share.Cmp(a.Share) }) {
		t.Error("the limits aren't sorted")
	}
	for changes, want := range map[int64]int64{0: 1, 5000: 1, 40_000: 1, 40_001: 2, 1_000_000: 25} {
		if got := Make(load(changes, KB, updates, consumers("search"))).Ranges; got != want {
			t.Errorf("%d changes a second: %d ranges, want %d", changes, got, want)
		}
	}
}
