package capacity

import (
	"slices"

	"github.com/shopspring/decimal"
)

// Limit is one of AWS's, and how near a load comes.
type Limit struct {
	Name    string          `json:"name"`
	Used    decimal.Decimal `json:"used"`
	Allowed int64           `json:"allowed"`
	Unit    string          `json:"unit"`
	Share   decimal.Decimal `json:"share"` // of what is allowed; above 1 it is passed
	Pass    string          `json:"pass"`  // how to get beyond
	Page    string          `json:"page"`
}

// AWS's default quotas in us-east-1. Most can be raised on request; a partition's and the factor can't.
const (
	shardQuota     = 20_000
	streamShards   = 10_000 // the most that UpdateShardCount makes
	tableUnits     = 40_000
	partitionUnits = 1000
	concurrency    = 1000
	publishes      = 30_000

	boardShards = 10 // over how many partitions of the index the totals are spread
	// indexUnits is what a changed total costs its index: the entry at the old total leaves, and one at the new comes.
	indexUnits = 2
)

const (
	kinesisPage   = "https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html"
	reshardPage   = "https://docs.aws.amazon.com/kinesis/latest/APIReference/API_UpdateShardCount.html"
	tablePage     = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html"
	partitionPage = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html"
	lambdaPage    = "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"
	factorPage    = "https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-create.html"
	snsPage       = "https://docs.aws.amazon.com/general/latest/gr/sns.html"
)

// limits are the limits, the nearest first, and into how many key ranges the source has to be split at the default quotas.
func limits(p Plan) ([]Limit, int64) {
	var found []Limit
	add := func(name string, used decimal.Decimal, allowed int64, unit, pass, page string) {
		if used.IsPositive() {
			found = append(found, Limit{name, used, allowed, unit, used.Div(decimal.NewFromInt(allowed)), pass, page})
		}
	}
	changes, shards := decimal.NewFromInt(p.Load.Changes), decimal.NewFromInt(p.Stream.Shards)
	source := changes.Mul(decimal.NewFromInt(p.Load.Item.units()))
	ranges := max(ceilDiv(shards, streamShards), ceilDiv(source, tableUnits), 1)

	add("shards of the account", shards, shardQuota, "shards", "have the quota raised; other regions begin with 1,000 or 6,000", kinesisPage)
	add("shards of one stream", shards, streamShards, "shards", "split the source by key range", reshardPage)
	add("writes of the source table", source, tableUnits, "units/s", "have the quota raised, or split the source by key range", tablePage)
	instances := int64(0)
	for _, f := range p.Functions {
		instances += f.Concurrency
		step := f.profile.at(f.perGroup(p.Load, p.Stream))
		if largest := f.profile.LargestTable; largest.Name != "" {
			used := f.WriteUnits.Mul(largest.Of).Div(largest.In)
			ranges = max(ranges, ceilDiv(used, tableUnits))
			merge := ""
			if f.profile.MarkBytes == 0 { // a copy is written for itself, whoever's it is
				merge = "; with few players a larger BatchSize and window merge more"
			}
			add(f.Name+": table of "+largest.Name, used, tableUnits, "units/s", "have the quota raised"+merge, tablePage)
			if player := f.WriteUnits.Div(decimal.NewFromInt(p.Load.Players)); merge != "" {
				add(f.Name+": one player's items", player, partitionUnits, "units/s", "a larger BatchSize and window: a batch writes once for all changes of a player", partitionPage)
			}
		}
		if step.Totals.IsPositive() {
			index := changes.Mul(step.Totals).Mul(decimal.NewFromInt(indexUnits)).Div(decimal.NewFromInt(boardShards))
			add(f.Name+": one part of the index", index, partitionUnits, "units/s", "raise shard: count of the view, and rebuild it", partitionPage)
		}
		needed := f.Busy.Div(shards).Ceil()
		add(f.Name+": parallelization", needed, maxParallelization, "a shard", "raise MemorySize, then the number of shards", factorPage)
		add(f.Name+": notices", f.Notices, publishes, "a second", "have the quota raised", snsPage)
	}
	add("Lambda concurrency of the account", decimal.NewFromInt(instances), concurrency, "instances", "have the quota raised, and reserve for each consumer", lambdaPage)
	slices.SortStableFunc(found, func(a, b Limit) int { return b.Share.Cmp(a.Share) })
	return found, ranges
}
