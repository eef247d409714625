package simulator

import (
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"sluice/shared/consumertest"
	"sluice/shared/consumertest/wire"
)

// The faults that only the simulator injects, beside those of package wire.
const (
	// late: the client times out; the server does what it was asked later, as
	// the schedule decides.
	late = wire.Conflict + 1 + iota
	// stall: the call hangs until the invocation's deadline has passed; the
	// server does what it was asked later, or never.
	stall
)

func faultText(f wire.Fault) string {
	switch f {
	case wire.None:
		return "goes through"
	case late:
		return "the client times out, but the call is still on its way"
	case stall:
		return "hangs until the time of the invocation is over"
	}
	return f.String()
}

// faults are what a schedule draws from; most calls go through.
var faults = []wire.Fault{
	wire.None, wire.None, wire.None, wire.None, wire.None, wire.None, wire.None, wire.None,
	wire.LostAnswer, wire.LostAnswer, wire.LostRequest, late, wire.Throttle, wire.ServerError, wire.Conflict,
	wire.CrashAfter, wire.CrashAfter, wire.Crash, stall,
}

// decision is which of the calls that wait goes next, and what happens to it.
type decision struct {
	pick  int
	fault wire.Fault
}

// schedule is everything that is decided about one run. It is drawn whole before
// the run starts, so that the run itself depends on nothing else.
type schedule struct {
	writes    []write
	edits     []edit
	poison    []poison
	cuts      [lanes][]int // sizes of the first batches
	decisions []decision   // of the first calls; the others go through
	takeTurns bool         // the others go in turns, rather than the first poller's first
	onlyLive  bool         // calls whose callers don't wait any more arrive at the end
}

// lanes is how many pollers there are.
const lanes = 2

func laneName(lane int) string { return string(rune('A' + lane)) }

// edit changes the order in which the stream delivers: it takes a run of
// records and moves, repeats, turns round or deals them out.
type edit struct {
	kind     editKind
	from, to int // lanes
	start    int // where the run starts, modulo what is there
	count    int
	at       int // where it goes, in sixteenths of what is there
}

type editKind uint8

const (
	move    editKind = iota // elsewhere
	repeat                  // elsewhere
	reverse                 // where it stands
	deal                    // every second record goes elsewhere
)

// poison is a record that is no change.
type poison struct {
	lane, at int
	form     int
}

// poisonForms are records that no decoder may take for a change; %d tells them apart.
var poisonForms = []string{
	`poison %d`,
	`{"poison":%d}`,
	`{"poison":%d,"eventName":"INSERT","tableName":"T","dynamodb":{"ApproximateCreationDateTime":`,
	"\xff%d",
}

// sizes are how many records a batch or an edit may have. Drawn from a range,
// large ones would be rare.
var sizes = []int{1, 2, 3, 5, 10, 20, 30, 40, 50, 60, 80, maxBatch}

// maxBatch is how many records a batch holds at most.
const maxBatch = 100

func (w Workload) schedules() *rapid.Generator[schedule] {
	return rapid.Custom(func(t *rapid.T) schedule {
		s := schedule{writes: rapid.SliceOfN(rapid.Custom(w.drawWrite), 1, 12).Draw(t, "writes")}
		s.edits = rapid.SliceOfN(rapid.Custom(drawEdit), 0, 8).Draw(t, "edits")
		s.poison = rapid.SliceOfN(rapid.Custom(drawPoison), 0, 2).Draw(t, "poison")
		for lane := range s.cuts {
			s.cuts[lane] = rapid.SliceOfN(rapid.SampledFrom(sizes), 0, 8).Draw(t, "cuts")
		}
		s.decisions = rapid.SliceOfN(rapid.Custom(drawDecision), 0, 40).Draw(t, "decisions")
		s.takeTurns = rapid.Bool().Draw(t, "take turns")
		return s
	})
}

func drawEdit(t *rapid.T) edit {
	return edit{
		kind:  rapid.SampledFrom([]editKind{move, move, repeat, repeat, reverse, deal}).Draw(t, "kind"),
		from:  rapid.IntRange(0, lanes-1).Draw(t, "from"),
		to:    rapid.IntRange(0, lanes-1).Draw(t, "to"),
		start: rapid.OneOf(rapid.IntRange(0, 5), rapid.Map(rapid.SampledFrom(sizes), func(n int) int { return 2 * n })).Draw(t, "start"),
		count: rapid.SampledFrom(sizes).Draw(t, "count"),
		at:    rapid.SampledFrom([]int{16, 16, 0, 3, 6, 9, 12}).Draw(t, "at"),
	}
}

func drawPoison(t *rapid.T) poison {
	return poison{
		lane: rapid.IntRange(0, lanes-1).Draw(t, "lane"),
		at:   rapid.IntRange(0, 400).Draw(t, "at"),
		form: rapid.IntRange(0, len(poisonForms)-1).Draw(t, "form"),
	}
}

func drawDecision(t *rapid.T) decision {
	pick := 0
	for bit := range 2 { // IntRange would prefer the first
		if rapid.Bool().Draw(t, "pick") {
			pick |= 1 << bit
		}
	}
	return decision{pick: pick, fault: rapid.SampledFrom(faults).Draw(t, "fault")}
}

// record is what the stream delivers: a change, or poison.
type record struct {
	change *consumertest.Change // nil for poison
	data   []byte
}

func (r record) String() string {
	if r.change == nil {
		return fmt.Sprintf("poison %q", r.data)
	}
	return r.change.String()
}

// deliveries returns the batches of each poller.
func (s schedule) deliveries(changes []consumertest.Change) [lanes][][]record {
	streams := [lanes][]record{records(changes)}
	for _, e := range s.edits {
		e.apply(&streams)
	}
	for i, p := range s.poison {
		stream := &streams[p.lane]
		*stream = slices.Insert(*stream, p.at%(len(*stream)+1), record{data: fmt.Appendf(nil, poisonForms[p.form], i)})
	}
	var batches [lanes][][]record
	for lane, stream := range streams {
		for n := 0; len(stream) > 0; n++ {
			size := maxBatch
			if n < len(s.cuts[lane]) {
				size = s.cuts[lane][n]
			}
			size = min(size, len(stream))
			batches[lane] = append(batches[lane], stream[:size])
			stream = stream[size:]
		}
	}
	return batches
}

func (e edit) apply(streams *[lanes][]record) {
	from := &streams[e.from]
	if len(*from) == 0 {
		return
	}
	start := e.start % len(*from)
	end := min(start+e.count, len(*from))
	run := slices.Clone((*from)[start:end])
	switch e.kind {
	case reverse:
		slices.Reverse((*from)[start:end])
		return
	case move:
		*from = slices.Delete(*from, start, end)
	case deal:
		rest := slices.Clone((*from)[:start])
		run = nil
		for i, record := range (*from)[start:end] {
			if i%2 == 0 {
				rest = append(rest, record)
			} else {
				run = append(run, record)
			}
		}
		*from = append(rest, (*from)[end:]...)
	}
	to := &streams[e.to]
	*to = slices.Insert(*to, (len(*to)*e.at+15)/16, run...)
}
