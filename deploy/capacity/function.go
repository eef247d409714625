package capacity

import (
	"slices"

	"github.com/shopspring/decimal"
)

// Function is what a consumer needs.
type Function struct {
	Name            string          `json:"name"`
	FanOut          bool            `json:"fanOut"`
	Taken           decimal.Decimal `json:"takenPerSecond"` // changes that it does something for; it gets all that are in the stream
	Batch           decimal.Decimal `json:"recordsPerBatch"`
	Seconds         decimal.Decimal `json:"secondsPerBatch"`
	Parallelization int64           `json:"parallelizationFactor"`
	MemoryMB        int64           `json:"memoryMB"`
	RaisedFactor    bool            `json:"raisedParallelization"` // above the template's default
	RaisedMemory    bool            `json:"raisedMemory"`
	Concurrency     int64           `json:"concurrency"` // the most instances: shards × parallelization factor
	Busy            decimal.Decimal `json:"busy"`        // instances at work, on average
	Invocations     decimal.Decimal `json:"invocationsPerSecond"`
	GBSeconds       decimal.Decimal `json:"gbSecondsPerSecond"`
	WriteUnits      decimal.Decimal `json:"writeUnitsPerSecond"`
	ReadUnits       decimal.Decimal `json:"readUnitsPerSecond"`
	Notices         decimal.Decimal `json:"noticesPerSecond"`
	BulkBytes       decimal.Decimal `json:"bulkBytesPerSecond"`
	Units           Measured        `json:"unitsMeasured"`
	Time            Measured        `json:"timeMeasured"`
	Cost

	profile profile
}

const (
	maxParallelization = 10 // https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-create.html
	// wholeProcessorMB is with how much memory a function has one processor: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
	wholeProcessorMB = 1769
	// payloadBytes is Lambda's limit for an event: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
	payloadBytes = 6_000_000
	// eventBytes is what Lambda puts around a record, beside making it base64.
	eventBytes = 400
	// actionBytes is at most what goes to OpenSearch with a document: its index, id and version, and what it has of its change.
	actionBytes = 256
	// totalBytes is at most the document of a player's total.
	totalBytes = 256
)

var micro = decimal.New(1, -6)

func newFunction(l Load, s Stream, p profile) Function {
	f := Function{Name: p.Name, FanOut: slices.Contains(s.FanOut, p.Name), Units: p.Units, Time: p.Time, profile: p}
	changes := decimal.NewFromInt(l.Changes)
	f.Taken = changes
	if p.TakesTotals {
		f.Taken = f.Taken.Add(s.Totals)
	}
	f.settle(l, s)
	f.write(l, s, changes)
	f.charge(l, s)
	return f
}

// settle raises the parallelization of the template until the function keeps up, and where ten don't do, the memory.
func (f *Function) settle(l Load, s Stream) {
	p := f.profile
	for _, f.MemoryMB = range []int64{p.MemoryMB, 2 * p.MemoryMB, 4 * p.MemoryMB, wholeProcessorMB} {
		for f.Parallelization = p.Parallelization; f.Parallelization <= maxParallelization; f.Parallelization++ {
			f.Concurrency = s.Shards * f.Parallelization
			f.run(l, s)
			if f.Busy.LessThanOrEqual(decimal.NewFromInt(f.Concurrency)) {
				f.RaisedFactor, f.RaisedMemory = f.Parallelization > p.Parallelization, f.MemoryMB > p.MemoryMB
				return
			}
		}
	}
	// Even so it falls behind, and the limits say so.
	f.Parallelization, f.RaisedFactor, f.RaisedMemory = maxParallelization, true, true
}

func (f *Function) run(l Load, s Stream) {
	if s.Records.IsZero() {
		return
	}
	p := f.profile
	f.Batch = f.batch(l, s)
	own := f.Batch.Mul(f.Taken).Div(s.Records)
	step := p.at(f.perGroup(l, s))

	cpu := own.Mul(step.CPUMicros).Add(f.Batch.Sub(own).Mul(measured().Figures["decodeMicros"].Value))
	if f.MemoryMB < wholeProcessorMB {
		cpu = cpu.Mul(decimal.NewFromInt(wholeProcessorMB)).Div(decimal.NewFromInt(f.MemoryMB))
	}
	wait := own.Mul(step.WaitMicros)
	if step.Calls.IsPositive() {
		rounds := decimal.Max(own.Mul(step.Calls).Div(decimal.NewFromInt(p.AtOnce)), decimal.NewFromInt(1))
		wait = wait.Add(rounds.Mul(measured().Figures["callMicros"].Value))
	}
	f.Seconds = cpu.Add(wait).Mul(micro)
	f.Invocations = s.Records.Div(f.Batch)
	f.Busy = f.Invocations.Mul(f.Seconds)
	f.GBSeconds = f.Busy.Mul(decimal.NewFromInt(f.MemoryMB)).Div(decimal.NewFromInt(1024))
}

// batch is how many records a batch has: what comes while Lambda waits, at most what fits.
func (f *Function) batch(l Load, s Stream) decimal.Decimal {
	// Lambda reads a shard about once a second, and with enhanced fan-out gets records after some 70 ms:
	// https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html, https://docs.aws.amazon.com/streams/latest/dev/enhanced-consumers.html
	gather := decimal.New(1, 0)
	if f.FanOut {
		gather = decimal.New(70, -3)
	}
	window := decimal.NewFromInt(f.profile.WindowSeconds)
	if l.Window != nil {
		window = decimal.NewFromFloat(l.Window.Seconds())
	}
	come := s.Records.Div(decimal.NewFromInt(s.Shards * f.Parallelization)).Mul(decimal.Max(gather, window))
	record := s.Bytes.Div(s.Records).Mul(decimal.NewFromInt(4)).Div(decimal.NewFromInt(3)).Add(decimal.NewFromInt(eventBytes))
	fit := decimal.NewFromInt(payloadBytes).Div(record).Floor()
	return decimal.Max(decimal.Min(come, fit, decimal.NewFromInt(f.profile.Batch)), decimal.NewFromInt(1))
}

// perGroup is how many changes of one player there are in a batch that has any.
func (f *Function) perGroup(l Load, s Stream) decimal.Decimal {
	if s.Records.IsZero() {
		return decimal.Zero
	}
	changes := f.Batch.Mul(decimal.NewFromInt(l.Changes)).Div(s.Records)
	return changes.Div(decimal.NewFromInt(l.Players))
}

func (f *Function) write(l Load, s Stream, changes decimal.Decimal) {
	p, step := f.profile, f.profile.at(f.perGroup(l, s))
	f.WriteUnits, f.ReadUnits = changes.Mul(step.WriteUnits), changes.Mul(step.ReadUnits)
	if p.MarkBytes > 0 {
		f.WriteUnits = f.WriteUnits.Mul(decimal.NewFromInt((l.Item + p.MarkBytes).units()))
	}
	if l.OnlyInserts {
		f.ReadUnits = f.ReadUnits.Add(changes.Mul(p.InsertReadUnits))
	}
	if p.Notices {
		f.Notices = changes.Mul(decimal.NewFromInt(l.Badges)).Div(decimal.NewFromInt(1000))
		f.WriteUnits = f.WriteUnits.Add(f.Notices.Mul(decimal.NewFromInt(2)))
	}
	if p.Documents {
		f.BulkBytes = changes.Mul(l.Item.decimal()).Add(f.Taken.Mul(decimal.NewFromInt(actionBytes)))
		if p.TakesTotals {
			f.BulkBytes = f.BulkBytes.Add(s.Totals.Mul(decimal.NewFromInt(totalBytes)))
		}
	}
}
