package redrive

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"golang.org/x/sync/errgroup"
)

const (
	// visibilityEach is how much longer messages are hidden for each one that the queue has: a walk through all takes longer.
	visibilityEach = 20 * time.Millisecond
	// maxVisibility stays below the 12 hours that SQS allows.
	maxVisibility = 11 * time.Hour
	// quietEach is how much longer a walk waits for what it hasn't seen, for each message that it holds.
	quietEach = time.Millisecond
	// callsFor is for how many waiting messages one more call is made side by side.
	callsFor = 50
)

// HiddenFor returns how long a run on a queue of n messages hides them, and so how long they stay hidden if it is killed.
func HiddenFor(n int) time.Duration { return hiddenFor(DefaultVisibility, n) }

func hiddenFor(least time.Duration, n int) time.Duration {
	return min(least+time.Duration(n)*visibilityEach, maxVisibility).Round(time.Second)
}

// message is one that is hidden for us.
type message struct {
	receipt string
	until   time.Time // when it is seen again
}

// receive takes messages out of sight and returns those that this run hasn't met. None means that there are no others, or that
// the result has some as Unseen: somebody else has them.
func (r *run) receive(ctx context.Context) ([]Letter, error) {
	quiet := time.Now()
	for {
		if err := ctx.Err(); err != nil {
			return nil, err // a call that is cut would hide messages from the next run
		}
		if r.about == 0 {
			visible, hidden, err := Waiting(ctx, r.SQS, r.URL)
			if err != nil {
				return nil, err
			}
			r.about, r.calls = visible+hidden, min(1+visible/callsFor, maxCalls)
			r.visibility = hiddenFor(r.Visibility, r.about)
		}
		if err := r.extend(ctx); err != nil {
			return nil, err
		}
		letters, err := r.poll(ctx)
		if err != nil || len(letters) > 0 {
			r.result.Seen += len(letters)
			if r.Looked != nil {
				r.Looked(r.result.Seen, max(r.about, r.result.Seen))
			}
			return letters, err
		}
		visible, hidden, err := Waiting(ctx, r.SQS, r.URL)
		if err != nil {
			return nil, err
		}
		r.result.Unseen = max(0, visible+hidden-len(r.held))
		if visible == 0 && hidden <= len(r.held) {
			r.result.Unseen = 0
			return nil, nil
		}
		if time.Since(quiet) > 2*receiveVisibility+time.Duration(len(r.held))*quietEach {
			return nil, nil
		}
	}
}

// poll receives, with several calls side by side if much waits. It hides messages for a moment first, and for longer once they are here.
func (r *run) poll(ctx context.Context) ([]Letter, error) {
	var mu sync.Mutex
	var letters []Letter
	group, polling := errgroup.WithContext(ctx)
	for range r.calls {
		group.Go(func() error {
			var out *sqs.ReceiveMessageOutput
			err := r.call(polling, "receive from", func(ctx context.Context) (err error) {
				out, err = r.SQS.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
					QueueUrl: &r.URL, MaxNumberOfMessages: maxMessages, WaitTimeSeconds: pollSeconds,
					VisibilityTimeout:           int32(receiveVisibility / time.Second),
					MessageSystemAttributeNames: []sqstypes.MessageSystemAttributeName{sqstypes.MessageSystemAttributeNameSentTimestamp},
				})
				return err
			})
			if err != nil {
				return err
			}
			now := time.Now()
			var receipts []string
			mu.Lock()
			for _, m := range out.Messages {
				l := newLetter(m, now)
				receipts = append(receipts, l.receipt)
				_, met := r.held[l.id]
				r.hold(l.id, l.receipt, now) // the newest receipt is the one that is good
				if !met && !r.removed[l.id] {
					letters = append(letters, l)
				}
			}
			mu.Unlock()
			return r.hide(polling, r.visibility, receipts)
		})
	}
	return letters, group.Wait()
}

// hold notes a message that is hidden from now on.
func (r *run) hold(id, receipt string, now time.Time) {
	if _, met := r.held[id]; !met {
		r.order = append(r.order, id)
	}
	r.held[id] = message{receipt, now.Add(r.visibility)}
}

// extend hides for longer what would be seen again soon, since the walk isn't over. The oldest messages come first.
func (r *run) extend(ctx context.Context) error {
	now := time.Now()
	var receipts, ids []string
	for len(r.order) > 0 {
		id := r.order[0]
		m, held := r.held[id]
		if held && m.until.Sub(now) > r.visibility/2 {
			break
		}
		r.order = r.order[1:]
		if held {
			ids, receipts = append(ids, id), append(receipts, m.receipt)
		}
	}
	for i, id := range ids {
		r.held[id] = message{receipts[i], now.Add(r.visibility)}
	}
	r.order = append(r.order, ids...)
	return r.hide(ctx, r.visibility, receipts)
}

// hide sets for how long messages stay hidden from now on, ten with one call, and several calls side by side.
func (r *run) hide(ctx context.Context, visibility time.Duration, receipts []string) error {
	group, hiding := errgroup.WithContext(ctx)
	group.SetLimit(maxCalls)
	for batch := range slices.Chunk(receipts, maxMessages) {
		entries := make([]sqstypes.ChangeMessageVisibilityBatchRequestEntry, len(batch))
		for i, receipt := range batch {
			entries[i] = sqstypes.ChangeMessageVisibilityBatchRequestEntry{
				Id: aws.String(strconv.Itoa(i)), ReceiptHandle: &receipt, VisibilityTimeout: int32(visibility / time.Second),
			}
		}
		group.Go(func() error {
			return r.call(hiding, "hide or show dead letters in", func(ctx context.Context) error {
				// What it refuses for single messages doesn't matter: they are sent twice at worst, or seen a little later.
				_, err := r.SQS.ChangeMessageVisibilityBatch(ctx, &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &r.URL, Entries: entries})
				return err
			})
		})
	}
	return group.Wait()
}

// keepHidden lets nobody else receive a dead letter while it takes long. Should it fail, the dead letter is sent twice.
func (r *run) keepHidden(ctx context.Context, l *Letter) {
	if time.Since(l.received) < r.visibility/2 {
		return
	}
	if r.hide(ctx, r.visibility, []string{r.held[l.id].receipt}) == nil {
		l.received = time.Now()
	}
}

// release shows what stays in the queue again, also when ctx has ended. Its time follows how many there are. Should it fail, they
// are seen after r.visibility, which the error says.
func (r *run) release(ctx context.Context) error {
	if len(r.held) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tidyTimeout+time.Duration(len(r.held))*tidyEach)
	defer cancel()
	var receipts []string
	for _, m := range r.held {
		receipts = append(receipts, m.receipt)
	}
	if err := r.hide(ctx, 0, receipts); err != nil {
		return fmt.Errorf("up to %d dead letters stay hidden for %v, then they are in the queue again: %w", len(receipts), r.visibility, err)
	}
	return nil
}
