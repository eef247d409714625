package consumer

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"time"
)

// placed is what became of a change, and what at each of the destinations that
// were named with At. It is whatever error or outcome it wraps.
type placed struct {
	error
	ends []end
}

func (p *placed) Unwrap() error { return p.error }

// end is what became of a change at one destination.
type end struct {
	destination string // "" if the consumer doesn't name any
	outcome     Outcome
	err         error
}

// At says at which of a consumer's destinations err became of a change; err is
// whatever ApplyBatch may return, nil included. Outcome and text stay. An error
// that names its destination already keeps it, so that a call can name the one it
// failed at, and its caller the one that all of it was for.
//
// A consumer with one destination needs no At. One with several names the destination
// of every write, whether the write failed there or not, and joins what became of a change's parts with
// Combine. Then a change that fails is Stuck only if others get on at each of the
// destinations where it fails; one that is down is waited for.
//
// The finer the names the better: what fails together, such as a table or an index
// that may be missing or forbidden, not merely its region.
func At(destination string, err error) error {
	if _, ok := errors.AsType[*placed](err); ok {
		return err
	}
	outcome := OutcomeOf(err)
	e := end{destination, outcome, err}
	if err == nil {
		err = Applied
	}
	return &placed{err, []end{e}}
}

// endsOf tells what became of a change at its destinations.
func endsOf(err error) []end {
	if p, ok := errors.AsType[*placed](err); ok {
		return p.ends
	}
	return []end{{outcome: OutcomeOf(err), err: err}}
}

// combinedEnds returns result, and with it what the parts tell of destinations, if
// they do.
func combinedEnds(result error, parts []error) error {
	var ends []end
	named := false
	for _, part := range parts {
		for _, e := range endsOf(part) {
			ends = append(ends, e)
			named = named || e.destination != ""
		}
	}
	if !named {
		return result
	}
	if result == nil {
		result = Applied
	}
	return &placed{result, ends}
}

// judgeDestinations notes which destinations got something done in the batch, and
// which should have and didn't. errs are what became of the changes that the
// consumer was given.
func (b *batch) judgeDestinations(errs []error, now time.Time) {
	h := b.handler
	succeeded := map[string]bool{}
	b.failed = map[string][]error{}
	for _, err := range errs {
		for _, e := range endsOf(err) {
			switch e.outcome {
			case Applied, Duplicate, Stale: // at least what came before is there, so the destination answers
				succeeded[e.destination] = true
			case Retry:
				b.failed[e.destination] = append(b.failed[e.destination], e.err)
			}
		}
	}
	for name := range succeeded {
		delete(b.failed, name)
		d := h.memory.destination(name)
		d.proved(now, h.Settings.StuckAfter)
		d.lastSucceeded, d.downSince = now, time.Time{}
		if d.run.since.IsZero() {
			d.run.since = now
		}
		d.run.at = now
	}
	for name := range b.failed {
		d := h.memory.destination(name)
		d.run = span{}
		if d.downSince.IsZero() {
			d.downSince = now
		}
	}
}

// reportDown says which destinations are down. One that is known to work isn't.
func (b *batch) reportDown(now time.Time) {
	h := b.handler
	doubtful := b.doubtful(now)
	for _, name := range slices.Sorted(maps.Keys(b.failed)) {
		d := h.memory.destination(name)
		attributes := []any{"destination", cmp.Or(name, h.Name), "since", d.downSince,
			"count", len(b.failed[name]), "error", b.failed[name][0].Error()}
		if f, ok := doubtful[name]; ok && (d.works.at.Equal(now) || d.isProved(f, now, h.Settings)) {
			h.Log.Warn("changes keep failing at a destination that works: soon they are stuck", attributes...)
			continue
		}
		b.counts.destinationsDown++
		h.Log.Warn("destination is down: its changes wait", attributes...)
	}
}
