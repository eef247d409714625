package redrive

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/proof"
	"sluice/shared/consumertest/wire"
)

// fill puts dead letters into the queue, the n-th with the error that errorOf returns.
func (w *world) fill(n int, errorOf func(i int) string) {
	w.t.Helper()
	var entries []sqstypes.SendMessageBatchRequestEntry
	for i := range n {
		body, err := json.Marshal(consumer.DeadLetter{
			Consumer: "game", Reason: consumer.Invalid, Error: errorOf(i), Data: base64.StdEncoding.EncodeToString(insert(fmt.Sprint("bad ", i))),
			Position: consumer.Position{StreamARN: w.stream, ShardID: "shardId-000000000000", SequenceNumber: consumertest.SequenceNumber(i + 1), Arrival: consumertest.Arrival},
		})
		if err != nil {
			w.t.Fatal(err)
		}
		entries = append(entries, sqstypes.SendMessageBatchRequestEntry{Id: aws.String(fmt.Sprint(i)), MessageBody: aws.String(string(body))})
		if len(entries) < maxMessages && i < n-1 {
			continue
		}
		if _, err := w.SQS.SendMessageBatch(w.t.Context(), &sqs.SendMessageBatchInput{QueueUrl: &w.URL, Entries: entries}); err != nil {
			w.t.Fatal(err)
		}
		entries = nil
	}
}

// A queue of thousands behind a wire that loses answers: each walk sees all of it, and says how much if it doesn't.
func TestALargeQueue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := proof.Size(2000, 400)
	w.fill(n, func(i int) string { return fmt.Sprintf("error %d", i%3) })
	direct := w.SQS
	w.SQS = sqs.New(direct.Options(), func(o *sqs.Options) {
		o.HTTPClient = &http.Client{Transport: &wire.Transport{Decide: func(c wire.Call) wire.Fault {
			if c.N%40 == 0 && c.Operation == "ReceiveMessage" {
				return wire.LostAnswer
			}
			return wire.None
		}}}
	})

	groups, seen := Groups{}, map[string]bool{}
	result, err := w.Letters(t.Context(), func(l Letter) { groups.Add(l); seen[l.Sequence()] = true })
	if err != nil || result.Seen != n || result.Unseen != 0 || len(seen) != n {
		t.Errorf("seen %d (%d different), unseen %d, %v; want all of %d", result.Seen, len(seen), result.Unseen, err, n)
	}
	if g := groups.Sorted(); len(g) != 1 || g[0].Letters != n || len(g[0].Errors) != 3 || g[0].Errors[0].Letters < n/3 || g[0].OtherErrors != 0 {
		t.Errorf("groups %+v", g)
	}
	w.wantWaiting(n)

	// None is as asked for, and all were looked at.
	w.Reason = "nosuch"
	if got := w.run(); got.Seen != n || got.Left != n || got.Unseen != 0 || got.Sent != 0 {
		t.Errorf("another reason: %+v", got)
	}
	w.Reason = ""
	w.wantWaiting(n)

	// Broken off: what was seen is told, and all is back at once. What a lost answer hides is back a little later, so none is lost here.
	w.SQS = direct
	ctx, cancel := context.WithCancel(t.Context())
	w.Looked = func(seen, about int) {
		if seen >= n/4 {
			cancel()
		}
		if about != n {
			t.Errorf("about %d, want %d", about, n)
		}
	}
	result, err = w.Letters(ctx, func(Letter) {})
	if !errors.Is(err, context.Canceled) || result.Seen < n/4 || result.Seen+result.Unseen != n {
		t.Errorf("broken off: %+v, %v", result, err)
	}
	w.Looked = nil
	w.wantWaiting(n)

	// All are refused again: the run ends early, with words.
	got, err := w.Run(t.Context())
	if !errors.Is(err, ErrManyRefused) || got.Counts.Rejected < maxFailures || got.Counts.Rejected > maxGroup {
		t.Errorf("all refused: %+v, %v", got, err)
	}
}

// What somebody else has in hand is said to be unseen, never to be none.
func TestHiddenDeadLettersAreUnseen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(12, func(int) string { return "e" })
	other, err := w.SQS.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &w.URL, MaxNumberOfMessages: 5, VisibilityTimeout: 600})
	if err != nil {
		t.Fatal(err)
	}
	w.Sequence = "nosuch"
	if got := w.run(); got.Seen != 12-len(other.Messages) || got.Unseen != len(other.Messages) {
		t.Errorf("with %d in other hands: %+v", len(other.Messages), got)
	}
}

// What would be seen again soon is hidden for longer, the oldest first.
func TestAWalkKeepsWhatItHolds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(3, func(int) string { return "e" })
	r := w.newRun()
	for len(r.held) < 3 {
		if _, err := r.receive(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	soon := time.Now().Add(time.Second)
	for _, id := range r.order[:2] {
		r.held[id] = message{r.held[id].receipt, soon}
	}
	order := []string{r.order[2], r.order[0], r.order[1]}
	if err := r.extend(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i, id := range r.order {
		if id != order[i] || r.held[id].until.Before(soon.Add(r.visibility/2)) {
			t.Errorf("message %d of %d: hidden until %v", i, len(r.order), r.held[id].until)
		}
	}
	if err := r.release(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.wantWaiting(3)
}

// A queue that gives no answer ends a walk within its time, and says so.
func TestAQueueThatStandsStill(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.SQS = sqs.New(w.SQS.Options(), func(o *sqs.Options) {
		o.HTTPClient = &http.Client{Transport: &wire.Transport{Decide: func(wire.Call) wire.Fault { return wire.Silence }}}
	})
	w.timeout = 100 * time.Millisecond
	r := w.newRun()
	r.about = 1 // counted before it stood still
	if _, err := r.receive(t.Context()); err == nil || !strings.Contains(err.Error(), "no answer within 100ms") || !strings.Contains(err.Error(), w.URL) {
		t.Errorf("error %v", err)
	}
}
