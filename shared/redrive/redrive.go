package redrive

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// DefaultVisibility is how long a dead letter stays hidden at least in the queue after a run that was killed; see [HiddenFor].
const DefaultVisibility = 2 * time.Minute

const (
	// maxFailures is how many dead letters in a row may fail, or be refused again, before a run ends.
	maxFailures = 5
	// maxGroup is how many records are sent in one payload.
	maxGroup = 10
)

// Function is the consumer's. It is given consumer.RedriveContext as its client context with each payload, or it would
// take what it refused before for done.
type Function interface {
	// Invoke returns an error only if the function can't be invoked, or ctx ends.
	Invoke(ctx context.Context, payload []byte) (Reply, error)
}

// Redrive sends dead letters again.
type Redrive struct {
	Consumer string // whose letters they are; others are left
	SQS      *sqs.Client
	URL      string
	S3       *s3.Client
	Kinesis  *kinesis.Client
	Function Function
	// Sequence chooses the letter at this place, Reason those of this one; empty: all.
	Sequence, Reason string
	// KeepGoing goes on however many dead letters fail, or are refused again, in a row.
	KeepGoing  bool
	Visibility time.Duration // see DefaultVisibility
	// Failed is called for each dead letter that stays, with the reason; Progress after each group that was sent; Looked after each
	// look into the queue, with how many messages were seen of about how many.
	Failed   func(l *Letter, err error)
	Progress func(Result)
	Looked   func(seen, about int)

	timeout time.Duration // of a call of the queue; callTimeout unless a test is in a hurry
}

// Result is what a run did.
type Result struct {
	Sent    int // records, each counted once
	Removed int // messages
	Failed  int // messages that stay
	Left    int // messages that weren't chosen, or that this run kept anew
	Twins   int // messages that were removed since another one that stays has the same record
	Seen    int // messages that were looked at
	// Unseen is about how many messages are in the queue that weren't looked at: they are hidden, in the hands of somebody else.
	Unseen int
	Counts Counts
	// Untold is how many of the records sent the function's log didn't tell of.
	Untold int
	// LastRejected is why a record was refused again.
	LastRejected string
}

var (
	// ErrManyFailed is returned when so many dead letters failed in a row that the cause isn't in them.
	ErrManyFailed = fmt.Errorf("%d dead letters failed one after the other, so the destination seems to be down: they are all in the queue still. "+
		"Run the same again when it is up, or with --keep-going if the dead letters are to blame", maxFailures)
	// ErrManyRefused is returned when so many changes were refused again in a row that sending the rest seems to be of no use.
	ErrManyRefused = fmt.Errorf("%d changes or more were refused again one after the other, so what made them fail isn't set right: they are in the queue anew, whole. "+
		"Set it right and run the same again, choose others with --reason, or send all with --keep-going", maxFailures)
)

// run is one run's state.
type run struct {
	*Redrive
	held       map[string]message // messages that are hidden for us, by their ids
	order      []string           // their ids, those that were hidden first come first
	about      int                // messages in the queue when the run began
	calls      int                // made side by side to receive
	visibility time.Duration      // for how long messages are hidden
	removed    map[string]bool    // messages that were removed, by their ids
	sent       map[place]bool     // records that were sent, and whether they are done: neither kept anew nor to come again
	stay       map[place]bool     // records that were sent, aren't done, and of which we hold a message
	result     Result
	failures   int // in a row
	refusals   int // in a row
}

func (r *Redrive) newRun() *run {
	return &run{Redrive: r, held: map[string]message{}, visibility: r.Visibility, calls: 1, removed: map[string]bool{}, sent: map[place]bool{}, stay: map[place]bool{}}
}

// Run sends the chosen dead letters until the queue holds no other. The result tells what was done also if there is an error.
func (r *Redrive) Run(ctx context.Context) (Result, error) {
	s := r.newRun()
	err := s.walk(ctx, func(letters []Letter) error { return s.resend(ctx, letters) })
	return s.result, err
}

// Letters gives every dead letter of the queue, without taking it out. It returns how many it has seen, and about how many it has
// not, also if there is an error.
func (r *Redrive) Letters(ctx context.Context, give func(Letter)) (Result, error) {
	s := r.newRun()
	err := s.walk(ctx, func(letters []Letter) error {
		for _, l := range letters {
			give(l)
		}
		return nil
	})
	return s.result, err
}

// walk takes all messages of the queue in hand, some at a time, and shows those that stay again in the end.
func (r *run) walk(ctx context.Context, take func([]Letter) error) error {
	for {
		letters, err := r.receive(ctx)
		if err == nil && len(letters) > 0 {
			err = take(letters)
		}
		if err != nil {
			r.result.Unseen = max(0, r.about-r.result.Seen)
			return errors.Join(err, r.release(ctx))
		}
		if len(letters) == 0 {
			return r.release(ctx)
		}
	}
}

// chosen says whether a letter is to be sent.
func (r *Redrive) chosen(l *Letter) bool {
	return (r.Reason == "" || r.Reason == l.Reason()) && (r.Sequence == "" || r.Sequence == l.Sequence())
}

// group are letters whose records are sent in one payload.
type group struct {
	records []record
	letters map[place][]*Letter // several may have the same record
	bytes   int
}

// resend sends letters that have just been received.
func (r *run) resend(ctx context.Context, letters []Letter) error {
	g := group{letters: map[place][]*Letter{}}
	for i := range letters {
		l := &letters[i]
		switch {
		case !r.chosen(l):
			r.result.Left++
		case l.Range != nil:
			if err := r.resendRange(ctx, l); err != nil {
				return err
			}
		case l.Own == nil:
			r.fail(l, errors.New("it is neither a dead letter of a consumer nor an on-failure document of Lambda"))
		case l.Own.Consumer != r.Consumer:
			r.fail(l, fmt.Errorf("it is of consumer %s, not of %s: this queue has the dead letters of both", l.Own.Consumer, r.Consumer))
		default:
			if err := r.add(ctx, &g, l); err != nil {
				return err
			}
		}
	}
	return r.sendGroup(ctx, &g)
}

// add puts a letter into the group, which it sends first if it is full.
func (r *run) add(ctx context.Context, g *group, l *Letter) error {
	whole, err := r.whole(ctx, l.Own)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var rec record
	if err == nil {
		rec, err = recordOf(&whole)
	}
	if err != nil {
		r.fail(l, err)
		return nil
	}
	if done, sent := r.sent[rec.place]; sent {
		switch {
		case done:
			return r.remove(ctx, l) // the same letter, kept twice
		case r.stay[rec.place]: // a function whose call got no answer sends a letter once more
			if err := r.delete(ctx, l); err != nil {
				return fmt.Errorf("remove the second message of a dead letter, of which the first stays: %w", err)
			}
			r.result.Twins++
			return nil
		}
		r.result.Left++ // kept anew by this run
		r.stay[rec.place] = true
		return nil
	}
	if g.bytes+len(rec.event) > maxPayloadBytes || len(g.records) == maxGroup {
		if err := r.sendGroup(ctx, g); err != nil {
			return err
		}
	}
	if g.letters[rec.place] == nil {
		g.records, g.bytes = append(g.records, rec), g.bytes+len(rec.event)
	}
	g.letters[rec.place] = append(g.letters[rec.place], l)
	return nil
}

// sendGroup sends a group, and removes or keeps its letters.
func (r *run) sendGroup(ctx context.Context, g *group) error {
	records, letters := g.records, g.letters
	*g = group{letters: map[place][]*Letter{}}
	return r.sendAll(ctx, records, func(rec record, failure error) error {
		if failure == nil {
			return r.remove(ctx, letters[rec.place]...)
		}
		r.stay[rec.place] = true
		for _, l := range letters[rec.place] {
			r.fail(l, failure)
		}
		return nil
	})
}

// fail notes a letter that stays.
func (r *run) fail(l *Letter, err error) {
	r.result.Failed++
	if r.Failed != nil {
		r.Failed(l, err)
	}
}

func (r *run) tell() {
	if r.Progress != nil {
		r.Progress(r.result)
	}
}
