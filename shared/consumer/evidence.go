package consumer

import (
	"context"
	"maps"
	"slices"
	"time"
)

// Prober is a Consumer, or an Applier, that can find out whether its destinations work.
// Without a probe of a destination, a change that fails alone in its batch can't be
// told from one that waits for a destination that is down, unless other instances
// succeed there (see Notes).
type Prober interface {
	// Probe returns a function that asks the destination with this name (At; "" if the
	// consumer names none) whether it would take a write now. Probe returns nil if
	// the consumer can't ask that destination; then Notes count there. Probe itself makes
	// no call: it is called with each batch.
	//
	// The function makes the same kind of call, with the same right, that the consumer's
	// writes need, and changes nothing. It returns nil if the destination would take a
	// write; any error, throttling and time-outs included, means that the destination is
	// down. It is called between batches, only while a change keeps failing, and rarely.
	Probe(destination string) func(context.Context) error
}

// destination is what is known of one.
type destination struct {
	name          string
	lastSucceeded time.Time // when anything last got done there
	downSince     time.Time // since when changes fail there and none succeeds; zero: they don't
	works         span      // from the first of several proofs to the last, none of which failed
	noted         span      // the same of another instance, as it was last read
	asked         time.Time // when a proof was last asked for
	run           span      // of own successes without a batch in which all failed
	wrote         time.Time // when run was last noted
}

// span is a time in which a destination worked.
type span struct{ since, at time.Time }

// proved remembers a proof that the destination works: a success, or a probe.
func (d *destination) proved(now time.Time, stuckAfter time.Duration) {
	if d.works.at.IsZero() || now.Sub(d.works.at) > 2*stuckAfter {
		d.works.since = now
	}
	d.works.at = now
}

// covers returns how long of the time from first on the destination is known to
// have worked.
func (s span) covers(first time.Time) time.Duration {
	if first.Before(s.since) {
		first = s.since
	}
	return s.at.Sub(first)
}

// Parts of Settings.StuckAfter. An instance looks for evidence from half of it on, so
// that there is enough when all of it is over, and then every eighth. One proof is not
// enough: a change may fail once more when an outage ends. So all proofs of a quarter
// have to be good, and the last one has to be fresh.
func askAfter(s Settings) time.Duration  { return s.StuckAfter / 2 }
func askEvery(s Settings) time.Duration  { return s.StuckAfter / 8 }
func proofTime(s Settings) time.Duration { return s.StuckAfter / 4 }
func noteEvery(s Settings) time.Duration { return s.StuckAfter / 2 }

// releaseAfter is later than askAfter: what others noted meanwhile is here then.
func releaseAfter(s Settings) time.Duration { return s.StuckAfter * 5 / 8 }

// isStuck reports whether a change that has been failing like this at a destination
// is to blame for it.
func (d *destination) isStuck(f failure, now time.Time, s Settings) bool {
	if now.Sub(f.since) >= s.StuckAfter {
		return true
	}
	if now.Sub(f.first) < s.StuckAfter {
		return false
	}
	return d.isProved(f, now, s)
}

// isProved reports whether the destination has been working while a change failed.
func (d *destination) isProved(f failure, now time.Time, s Settings) bool {
	own := d.works.covers(f.first) >= proofTime(s) && now.Sub(d.works.at) <= proofTime(s)
	// Others note what they did only every noteEvery.
	others := d.noted.covers(f.first) >= proofTime(s) && now.Sub(d.noted.at) <= s.StuckAfter
	return own || others
}

// probeOf returns the function that asks the destination with this name; nil if the
// consumer has none.
func (h *Handler) probeOf(name string) func(context.Context) error {
	var p Prober
	if e, ok := h.Consumer.(each); ok {
		p, _ = e.Applier.(Prober)
	} else {
		p, _ = h.Consumer.(Prober)
	}
	if p == nil {
		return nil
	}
	return p.Probe(name)
}

// doubtful returns, for each destination at which records of the batch have been failing
// for askAfter, the longest of these failures.
func (b *batch) doubtful(now time.Time) map[string]failure {
	h := b.handler
	longest := map[string]failure{}
	for i := range b.records {
		for _, f := range h.memory.failing[b.position(i)] {
			if now.Sub(f.first) < askAfter(h.Settings) {
				continue
			}
			if l, ok := longest[f.destination]; !ok || f.first.Before(l.first) {
				longest[f.destination] = f
			}
		}
	}
	return longest
}

// release returns a record to hand to the consumer once more although it is
// finished, -1 for none. For a destination without a probe that no other instance can
// vouch for, the consumer has no other way to find out whether it works: all
// that could succeed behind the failing change has succeeded.
func (b *batch) release() int {
	h := b.handler
	if b.redriven {
		return -1
	}
	now := h.Now()
	needed := false
	for name, f := range b.doubtful(now) {
		d := h.memory.destination(name)
		needed = needed || h.probeOf(name) == nil && now.Sub(f.first) >= releaseAfter(h.Settings) &&
			now.Sub(d.works.at) >= askEvery(h.Settings) && !d.noted.at.After(f.first)
	}
	var finished []int
	if needed {
		for i := range b.records {
			if h.memory.finished.has(b.position(i)) {
				finished = append(finished, i)
			}
		}
	}
	if len(finished) == 0 {
		return -1
	}
	h.memory.turn++
	return finished[h.memory.turn%len(finished)]
}

// disprove drops the evidence for each destination at which nothing succeeded in this batch and
// a change failed that hasn't been failing for long: that is what an outage looks like, also one in
// which a write passes now and then.
func (b *batch) disprove(failing map[int]failures, now time.Time) {
	for _, at := range failing {
		for _, f := range at {
			if _, down := b.failed[f.destination]; down && now.Sub(f.first) < askAfter(b.handler.Settings) {
				b.handler.memory.destination(f.destination).works = span{}
			}
		}
	}
}

// judgeReleased is what a released record proves if it fails: nothing works there.
func (b *batch) judgeReleased(released int) {
	if released < 0 {
		return
	}
	for _, e := range endsOf(b.errs[released]) {
		if e.outcome == Retry {
			b.handler.memory.destination(e.destination).works = span{}
		}
	}
}

// probe asks the destinations at which a change has been failing for long and nothing
// succeeded in this batch, those that can be asked.
func (b *batch) probe(ctx context.Context, now time.Time) {
	h := b.handler
	doubtful := b.doubtful(now)
	for _, name := range slices.Sorted(maps.Keys(doubtful)) {
		d, probe := h.memory.destination(name), h.probeOf(name)
		if probe == nil || d.lastSucceeded.Equal(now) || now.Sub(d.asked) < askEvery(h.Settings) {
			continue
		}
		d.asked = now
		probing, cancel := HalfOf(ctx) // the other half is for the dead letters and the answer
		err := probe(probing)
		cancel()
		if err != nil {
			d.works = span{}
			h.Log.Warn("the probe of a destination failed, so that changes wait for it", "destination", name, "error", err.Error())
			continue
		}
		d.proved(now, h.Settings.StuckAfter)
	}
}
