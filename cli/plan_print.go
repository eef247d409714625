package cli

import (
	"fmt"
	"strings"

	"github.com/shopspring/decimal"

	"sluice/deploy/capacity"
	"sluice/shared/printable"
)

// planText is the plan for people.
func planText(p capacity.Plan) string {
	var out strings.Builder
	l := p.Load
	kind := "updates"
	if l.OnlyInserts {
		kind = "inserts"
	}
	fmt.Fprintf(&out, "%s changes/s of items of %v, %s, by %s players.\n", whole(l.Changes), l.Item, kind, whole(l.Players))
	fmt.Fprintf(&out, "Prices of %s, %s, on demand; written from memory, so check them before you rely on them: --json names the pages.\n\n", p.Prices.Date, p.Prices.Region)
	planStream(&out, p)
	planFunctions(&out, p.Functions)
	planCost(&out, p)
	planLimits(&out, p)
	planSources(&out, p)
	return out.String()
}

func planStream(out *strings.Builder, p capacity.Plan) {
	s, mb := p.Stream, decimal.NewFromInt(1_000_000)
	fmt.Fprintf(out, "Stream: %s records/s", grouped(s.Records, 0))
	if s.Totals.IsPositive() {
		fmt.Fprintf(out, ", of them %s of the leaderboard's own table of totals,", grouped(s.Totals, 0))
	}
	fmt.Fprintf(out, " and %s MB/s. A change's record is taken to have %s B.\n", grouped(s.Bytes.Div(mb), 2), whole(int64(s.RecordBytes)))
	fmt.Fprintf(out, "Shards: %s (%s).\n", whole(s.Shards), s.By)
	needs := "none needed"
	if len(s.FanOut) > 0 {
		needs = "needed by " + strings.Join(s.FanOut, ", ")
	}
	fmt.Fprintf(out, "Enhanced fan-out: %s. Without it %d consumers ask a shard for %s of 2 MB/s and %d of 5 reads/s.\n",
		needs, len(p.Functions), grouped(s.SharedReads.Div(mb), 2), len(p.Functions))
	if i := s.Instead; i.Shards > 0 {
		fmt.Fprintf(out, "It costs $%s a month. Instead, %s shards would do for all to share, for $%s a month more than %s; fan-out delivers sooner.\n",
			grouped(i.FanOutUSD, 2), whole(i.Shards), grouped(i.USD, 2), whole(s.Shards))
	}
	out.WriteString("\n")
}

func planFunctions(out *strings.Builder, functions []capacity.Function) {
	batches, writes := planTable(1, 2, 3, 4, 5, 6, 7, 8), planTable(1, 2, 3, 4, 5)
	batches.Row("CONSUMER", "BATCH (records)", "TAKES (s)", "FACTOR", "MEMORY (MB)", "CONCURRENCY", "AT WORK", "INVOCATIONS/s", "GB-s/s")
	writes.Row("CONSUMER", "CHANGES/s", "WRITE UNITS/s", "READ UNITS/s", "NOTICES/s", "BULK (MB/s)")
	raised := false
	for _, f := range functions {
		factor, memory := whole(f.Parallelization), whole(f.MemoryMB)
		if f.RaisedFactor {
			factor += "*"
		}
		if f.RaisedMemory {
			memory += "*"
		}
		raised = raised || f.RaisedFactor || f.RaisedMemory
		batches.Row(f.Name, grouped(f.Batch, 1), grouped(f.Seconds, 2), factor, memory, whole(f.Concurrency), grouped(f.Busy, 1), grouped(f.Invocations, 1), grouped(f.GBSeconds, 2))
		writes.Row(f.Name, grouped(f.Taken, 0), grouped(f.WriteUnits, 0), grouped(f.ReadUnits, 0), grouped(f.Notices, 1), grouped(f.BulkBytes.Div(decimal.NewFromInt(1_000_000)), 2))
	}
	_ = batches.Flush(out) // it is in memory
	out.WriteString("CONCURRENCY is shards × FACTOR (ParallelizationFactor); AT WORK, how many of these instances are busy on average;\nthe rest is what there is for peaks and for catching up.\n")
	if raised {
		out.WriteString("* above the template's default, which would fall behind.\n")
	}
	out.WriteString("\n")
	_ = writes.Flush(out)
	out.WriteString("\n")
}

func planCost(out *strings.Builder, p capacity.Plan) {
	w := planTable(2, 3, 4)
	w.Row("COST", "", "AMOUNT A MONTH (as in PRICE)", "USD A MONTH", "USD A MILLION CHANGES", "PRICE")
	add := func(name string, c capacity.Cost) {
		for _, line := range c.Lines {
			price := p.Prices.Of[line.Price]
			w.Row(name, line.What, grouped(line.Amount, 0), grouped(line.USD, 2), "", "$"+price.USD.String()+" per "+price.Per)
		}
		w.Row(name, "in all", "", grouped(c.USD, 2), millionth(c.Million), "")
	}
	add("stream", p.Stream.Cost)
	for _, f := range p.Functions {
		add(f.Name, f.Cost)
	}
	w.Row("all", "", "", grouped(p.USD, 2), millionth(p.Million), "")
	_ = w.Flush(out)
	out.WriteString("A month has 730 hours. Not in it: what the source table and OpenSearch's domain cost, storage, logs, metrics, alarms, keys, SNS deliveries,\n" +
		"dead letters, and the units of ranks: two for each view of ranks and change of a total's first digits.\n\n")
}

// millionth is what a million changes cost; without changes there is no such figure.
func millionth(usd decimal.Decimal) string {
	if usd.IsZero() {
		return "-"
	}
	return grouped(usd, 4)
}

func planLimits(out *strings.Builder, p capacity.Plan) {
	w := planTable(1, 2, 4)
	w.Row("LIMIT, NEAREST FIRST", "USED", "ALLOWED", "", "SHARE (%)", "TO PASS IT")
	for _, l := range p.Limits {
		w.Row(l.Name, grouped(l.Used, 1), whole(l.Allowed), l.Unit, grouped(l.Share.Shift(2), 1), l.Pass)
	}
	_ = w.Flush(out)
	out.WriteString("A busier player than the others comes nearer: a partition of DynamoDB takes 1,000 write units/s, however many the table takes.\n\n")
	if p.Ranges < 2 {
		return
	}
	fmt.Fprintf(out, "At the default quotas this is for %s source tables by key range. A table has one stream, so each range has its own table, stream\n"+
		"and consumers; with an account for each, none shares its quotas, and the templates' names of tables don't meet.\n"+
		"Exact as before, if a range is one of players: each player's totals and badges, each copy and document, for all changes of it are\n"+
		"in one stream. Over all ranges: the top N is the best of each range's top N; a rank is one more than the players above in every\n"+
		"range; a search asks every range's index; sums over all add up. No verb of sluice does that. Each part is exact; together they are\n"+
		"as old as the slowest.\n"+
		"Not exact: a player who moves to another range while changes flow. That is a remove in one stream and inserts in another, in no\n"+
		"order. Stop the player's writes, wait until both streams are drained, move, and compare with \"sluice verify\".\n\n", whole(p.Ranges))
}

func planSources(out *strings.Builder, p capacity.Plan) {
	w := planTable()
	w.Row("FIGURES", "", "FROM", "DATE", "")
	for _, f := range p.Functions {
		w.Row(f.Name, "units", f.Units.Command, f.Units.Date, f.Units.Note)
		w.Row(f.Name, "time", f.Time.Command, f.Time.Date, f.Time.Note)
	}
	_ = w.Flush(out)
	out.WriteString("A call to DynamoDB is taken to last 10 ms; that, and times on AWS's arm64, were not measured.\n")
}

// planTable returns a table whose columns with these numbers are aligned to the right.
func planTable(right ...int) *printable.Table {
	return &printable.Table{MaxWidth: printable.Whole, RightColumns: right}
}

func whole(n int64) string { return grouped(decimal.NewFromInt(n), 0) }

// grouped writes a number that isn't negative with so many places, its thousands apart.
func grouped(n decimal.Decimal, places int32) string {
	digits, rest, _ := strings.Cut(n.StringFixed(places), ".")
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	if rest != "" {
		digits += "." + rest
	}
	return digits
}
