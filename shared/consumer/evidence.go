package consumer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// Prober is a Consumer, or an Applier, that can find out whether one of its
// destinations works. Without it, a change that fails alone in its batch can't be
// told from one that waits for a destination that is down, unless other instances
// succeed there (see Notes).
type Prober interface {
	// Probe asks the destination with this name (At; "" if the consumer names none)
	// for the same kind of call, with the same right, that the consumer's writes
	// need, and changes nothing there. It returns nil if the destination would
	// take a write now; ErrNoProbe if it can't tell; any other error, throttling
	// and time-outs included, means that the destination is down.
	//
	// It is called between batches, only while a change keeps failing, and rarely.
	Probe(ctx context.Context, destination string) error
}

// ErrNoProbe is returned by Probe for a destination that it can't ask.
var ErrNoProbe = errors.New("no probe of this destination")

// Notes are what instances of one function write for each other about the
// destinations that work. *Bucket keeps them.
type Notes interface {
	// Note stores that each batch which had something for the destination got
	// something done there, from since to at.
	Note(ctx context.Context, destination string, since, at time.Time) error
	// Noted returns what an instance noted last; zero times if none has.
	Noted(ctx context.Context, destination string) (since, at time.Time, err error)
}

var _ Notes = (*Bucket)(nil)

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

// proberOf returns the consumer's Prober; nil if it has none.
func proberOf(c Consumer) Prober {
	if e, ok := c.(each); ok {
		p, _ := e.Applier.(Prober)
		return p
	}
	p, _ := c.(Prober)
	return p
}

// doubtful returns, for each destination at which records of the batch have been failing
// for askAfter, the longest of these failures.
func (b *batch) doubtful(now time.Time) map[string]failure {
	h := b.handler
	longest := map[string]failure{}
	for i := range b.records {
		for name, f := range h.memory.failing[b.position(i)] {
			if now.Sub(f.first) < askAfter(h.Settings) {
				continue
			}
			if l, ok := longest[name]; !ok || f.first.Before(l.first) {
				longest[name] = f
			}
		}
	}
	return longest
}

// readNotes reads what other instances noted of the destinations at which a change
// has been failing for long. A Prober needs no notes.
func (b *batch) readNotes(ctx context.Context) {
	h := b.handler
	if b.redriven || h.Notes == nil || proberOf(h.Consumer) != nil {
		return
	}
	now := h.Now()
	for name := range b.doubtful(now) {
		d := h.memory.destination(name)
		if now.Sub(d.asked) < askEvery(h.Settings) {
			continue
		}
		d.asked = now
		since, at, err := h.Notes.Noted(ctx, name)
		if err != nil {
			h.Log.Warn("no evidence from other instances whether a destination works: changes that fail there wait",
				"destination", name, "error", err.Error())
			continue
		}
		d.noted = span{since, at}
	}
}

// release returns a record to hand to the consumer once more although it is
// finished, -1 for none. A consumer without a Prober that no other instance can
// vouch for has no other way to find out whether its destination works: all
// that could succeed behind the failing change has succeeded.
func (b *batch) release() int {
	h := b.handler
	if b.redriven || proberOf(h.Consumer) != nil {
		return -1
	}
	now := h.Now()
	needed := false
	for name, f := range b.doubtful(now) {
		d := h.memory.destination(name)
		needed = needed || now.Sub(f.first) >= releaseAfter(h.Settings) && now.Sub(d.works.at) >= askEvery(h.Settings) && !d.noted.at.After(f.first)
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
		for name, f := range at {
			if _, down := b.failed[name]; down && now.Sub(f.first) < askAfter(b.handler.Settings) {
				b.handler.memory.destination(name).works = span{}
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

// probe asks the Prober about the destinations at which a change has been failing for
// long and nothing succeeded in this batch.
func (b *batch) probe(ctx context.Context, now time.Time) {
	h := b.handler
	prober := proberOf(h.Consumer)
	if prober == nil {
		return
	}
	doubtful := b.doubtful(now)
	for _, name := range slices.Sorted(maps.Keys(doubtful)) {
		d := h.memory.destination(name)
		if d.lastSucceeded.Equal(now) || now.Sub(d.asked) < askEvery(h.Settings) {
			continue
		}
		d.asked = now
		err := askWithin(ctx, prober, name)
		switch {
		case err == nil:
			d.proved(now, h.Settings.StuckAfter)
		case !errors.Is(err, ErrNoProbe):
			d.works = span{}
			h.Log.Warn("the probe of a destination failed, so that changes wait for it", "destination", name, "error", err.Error())
		}
	}
}

// askWithin leaves half of the time for the dead letters and the answer.
func askWithin(ctx context.Context, p Prober, name string) error {
	ctx, cancel := HalfOf(ctx)
	defer cancel()
	return p.Probe(ctx, name)
}

// writeNotes notes for the other instances where something got done. Those of a
// Prober don't need to know.
func (b *batch) writeNotes(ctx context.Context, now time.Time) {
	h := b.handler
	if h.Notes == nil || b.redriven || proberOf(h.Consumer) != nil {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(h.memory.destinations)) {
		d := h.memory.destinations[name]
		if !d.lastSucceeded.Equal(now) || now.Sub(d.wrote) < noteEvery(h.Settings) {
			continue
		}
		d.wrote = now
		if err := h.Notes.Note(ctx, name, d.run.since, d.run.at); err != nil {
			h.Log.Warn("other instances don't learn that a destination works: a change that fails alone may wait long for evidence",
				"destination", name, "error", err.Error())
		}
	}
}

// evidencePrefix is the start of the names of the objects in which notes stand.
const evidencePrefix = "evidence/"

// Bucket keeps a consumer's Notes as small objects in its dead-letter bucket.
type Bucket struct {
	S3       *s3.Client
	Name     string
	Consumer string
}

// note is such an object.
type note struct {
	Destination string    `json:"destination"`
	Since       time.Time `json:"since"`
	At          time.Time `json:"at"`
}

// key names the object of a destination, whose name may be any text.
func (b *Bucket) key(destination string) *string {
	sum := sha256.Sum256([]byte(destination))
	return aws.String(evidencePrefix + b.Consumer + "/" + hex.EncodeToString(sum[:16]) + ".json")
}

// Note implements Notes. The last one to write is the one that is read.
func (b *Bucket) Note(ctx context.Context, destination string, since, at time.Time) error {
	body, err := json.Marshal(note{destination, since.UTC(), at.UTC()})
	if err != nil {
		return fmt.Errorf("write a note: %w", err)
	}
	key := b.key(destination)
	_, err = b.S3.PutObject(ctx, &s3.PutObjectInput{Bucket: &b.Name, Key: key, Body: bytes.NewReader(body), ContentType: aws.String("application/json")})
	if err != nil {
		return fmt.Errorf("s3:PutObject of s3://%s/%s: %w", b.Name, *key, err)
	}
	return nil
}

// maxNoteBytes is more than a note has.
const maxNoteBytes = 64 << 10

// Noted implements Notes.
func (b *Bucket) Noted(ctx context.Context, destination string) (since, at time.Time, err error) {
	key := b.key(destination)
	out, err := b.S3.GetObject(ctx, &s3.GetObjectInput{Bucket: &b.Name, Key: key})
	if _, none := errors.AsType[*types.NoSuchKey](err); none {
		return since, at, nil
	}
	if err != nil {
		return since, at, fmt.Errorf("s3:GetObject of s3://%s/%s (S3 answers AccessDenied for an object that doesn't exist if the role lacks s3:ListBucket): %w", b.Name, *key, err)
	}
	defer out.Body.Close()
	text, err := io.ReadAll(io.LimitReader(out.Body, maxNoteBytes))
	if err != nil {
		return since, at, fmt.Errorf("read s3://%s/%s: %w", b.Name, *key, err)
	}
	var n note
	if err := json.Unmarshal(text, &n); err != nil {
		return since, at, fmt.Errorf("s3://%s/%s is no note about a destination: %w", b.Name, *key, err)
	}
	return n.Since, n.At, nil
}
