package capacity

import (
	"github.com/shopspring/decimal"
)

// Plan is what a load needs and costs.
type Plan struct {
	Load      Load            `json:"load"`
	Prices    Prices          `json:"prices"`
	Stream    Stream          `json:"stream"`
	Functions []Function      `json:"consumers"`
	USD       decimal.Decimal `json:"usdPerMonth"`
	Million   decimal.Decimal `json:"usdPerMillionChanges"` // 0 without changes
	Limits    []Limit         `json:"limits"`               // the nearest first
	Ranges    int64           `json:"keyRanges"`            // source tables, each with its stream, that the default quotas ask for
}

// Stream is what the stream itself needs.
type Stream struct {
	Totals      decimal.Decimal `json:"changesOfTotalsPerSecond"` // the table of totals is a source too: of ranks, and of an index
	Records     decimal.Decimal `json:"recordsPerSecond"`         // of both tables
	RecordBytes Size            `json:"recordBytes"`              // of a change of the source table
	Bytes       decimal.Decimal `json:"bytesPerSecond"`
	Shards      int64           `json:"shards"`
	By          string          `json:"by"`          // the limit that asks for so many shards
	SharedReads decimal.Decimal `json:"sharedReads"` // bytes a second of a shard that all consumers ask for
	FanOut      []string        `json:"fanOut"`      // the consumers that need enhanced fan-out
	Instead     Instead         `json:"insteadOfFanOut"`
	Cost
}

// Instead is to give all consumers enough to read by more shards, which is cheaper for few consumers. More than five can't share.
type Instead struct {
	Shards    int64           `json:"shards"` // in all
	USD       decimal.Decimal `json:"usdPerMonth"`
	FanOutUSD decimal.Decimal `json:"fanOutUSDPerMonth"` // what fan-out costs
}

// A shard's limits: https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html. MB is taken as the smaller
// million bytes, since AWS's pages differ.
const (
	ShardRecords   = 1000
	ShardBytes     = 1_000_000
	ShardReadBytes = 2_000_000
	ShardReads     = 5 // a second; Lambda reads each shard about once a second for each consumer
)

// Make works out the plan of a load that Validate finds right.
func Make(l Load) Plan {
	p := Plan{Load: l, Prices: *prices()}
	p.Stream = newStream(l)
	p.Stream.charge(l)
	p.USD = p.Stream.USD
	for _, name := range l.Consumers {
		f := newFunction(l, p.Stream, profileOf(name))
		p.USD = p.USD.Add(f.USD)
		p.Functions = append(p.Functions, f)
	}
	p.Stream.instead(p)
	p.Million = perMillion(p.USD, l)
	p.Limits, p.Ranges = limits(p)
	return p
}

func newStream(l Load) Stream {
	record := measured().Record
	s := Stream{RecordBytes: record.Envelope + l.Item}
	if !l.OnlyInserts {
		s.RecordBytes += l.Item // the image before
	}
	changes := decimal.NewFromInt(l.Changes)
	for _, name := range l.Consumers {
		// As with one change a player and batch: batches are known only once shards are, and too many shards do no harm.
		s.Totals = s.Totals.Add(changes.Mul(profileOf(name).Steps[0].Totals))
	}
	s.Records = changes.Add(s.Totals)
	s.Bytes = changes.Mul(s.RecordBytes.decimal()).Add(s.Totals.Mul(record.Total.decimal()))
	byRecords, byBytes := ceilDiv(s.Records, ShardRecords), ceilDiv(s.Bytes, ShardBytes)
	switch s.Shards = max(byRecords, byBytes, 1); {
	case byRecords <= 1 && byBytes <= 1:
		s.By = "there is at least one"
	case byRecords >= byBytes:
		s.By = "1,000 records/s each"
	default:
		s.By = "1 MB/s each"
	}
	shard := s.Bytes.Div(decimal.NewFromInt(s.Shards))
	s.SharedReads = shard.Mul(decimal.NewFromInt(int64(len(l.Consumers))))
	s.FanOut = l.Consumers[:fanOut(int64(len(l.Consumers)), shard)]
	return s
}

func (s *Stream) instead(p Plan) {
	if len(s.FanOut) == 0 {
		return
	}
	for _, f := range p.Functions {
		for _, line := range f.Lines {
			if line.Price == "fanOutHour" || line.Price == "fanOutGB" {
				s.Instead.FanOutUSD = s.Instead.FanOutUSD.Add(line.USD)
			}
		}
	}
	if consumers := int64(len(p.Functions)); consumers <= ShardReads {
		s.Instead.Shards = ceilDiv(s.Bytes.Mul(decimal.NewFromInt(consumers)), ShardReadBytes)
		hours := decimal.NewFromInt(s.Instead.Shards - s.Shards).Mul(monthHours)
		s.Instead.USD = hours.Mul(prices().Of["shardHour"].USD.Add(prices().Of["retentionShardHour"].USD))
	}
}

// fanOut is how many of the consumers need enhanced fan-out, so that the others have enough of what they share.
func fanOut(consumers int64, shardBytes decimal.Decimal) int64 {
	for shared := consumers; shared > 0; shared-- {
		if shared <= ShardReads && shardBytes.Mul(decimal.NewFromInt(shared)).LessThanOrEqual(decimal.NewFromInt(ShardReadBytes)) {
			return consumers - shared
		}
	}
	return consumers
}

// ceilDiv is n/by rounded up, exactly: a quotient of 16 digits could hide that there is a rest.
func ceilDiv(n decimal.Decimal, by int64) int64 {
	quotient, rest := n.QuoRem(decimal.NewFromInt(by), 0)
	if rest.IsPositive() {
		return quotient.IntPart() + 1
	}
	return quotient.IntPart()
}
