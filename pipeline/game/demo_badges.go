package game

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	smithytime "github.com/aws/smithy-go/time"

	"sluice/cli/verb"
	"sluice/consumers/badges"
	badgesops "sluice/consumers/badges/ops"
	"sluice/deploy/local/stack"
	"sluice/shared/declaration"
	"sluice/shared/operate"
	"sluice/shared/printable"
	"sluice/shared/redrive"
)

// subscriber receives what players are told of their badges, in a queue of its own, as a
// game that shows them would.
type subscriber struct {
	auditor *badgesops.Auditor
	sqs     *sqs.Client
	queue   string // URL

	mu    sync.Mutex
	told  map[string]int // how often each notice came, by id
	fresh []string       // that have yet to be shown
}

// subscribe makes a queue and subscribes it to the topic, before anything is told.
func subscribe(ctx context.Context, info stack.Info, pipeline declaration.Pipeline) (*subscriber, error) {
	auditor, settings, err := badgesops.Open(verb.LocalPart(info, "badges"), pipeline, 1)
	if err != nil {
		return nil, err
	}
	s := &subscriber{auditor: auditor, sqs: sqs.NewFromConfig(info.AWS()), told: map[string]int{}}
	made, err := s.sqs.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("demo-badges")})
	if err != nil {
		return nil, fmt.Errorf("make a queue for the notices of badges: %w", err)
	}
	s.queue = *made.QueueUrl
	described, err := s.sqs.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &s.queue, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn}})
	if err != nil {
		return nil, fmt.Errorf("look up queue %s: %w", s.queue, err)
	}
	_, err = sns.NewFromConfig(info.AWS()).Subscribe(ctx, &sns.SubscribeInput{
		TopicArn: &settings.TopicARN, Protocol: aws.String("sqs"), Endpoint: aws.String(described.Attributes[string(types.QueueAttributeNameQueueArn)]),
		Attributes: map[string]string{"RawMessageDelivery": "true"},
	})
	if err != nil {
		return nil, fmt.Errorf("subscribe to %s: %w", settings.TopicARN, err)
	}
	return s, nil
}

// receive takes what has come, and notes it.
func (s *subscriber) receive(ctx context.Context) error {
	for {
		const most = 10 // of one call
		out, err := s.sqs.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &s.queue, MaxNumberOfMessages: most, VisibilityTimeout: 2})
		if err != nil {
			return fmt.Errorf("receive from %s: %w", s.queue, err)
		}
		if err := s.note(ctx, out.Messages); err != nil || len(out.Messages) < most {
			return err
		}
	}
}

// receiveAll receives until the queue is empty. What is told stands in it before its
// award is marked as told.
func (s *subscriber) receiveAll(ctx context.Context) error {
	for {
		if err := s.receive(ctx); err != nil {
			return err
		}
		visible, hidden, err := redrive.Waiting(ctx, s.sqs, s.queue)
		if err != nil || visible+hidden == 0 {
			return err
		}
		if err := smithytime.SleepWithContext(ctx, findEvery); err != nil { // some were received, and not deleted, when the game ended
			return err
		}
	}
}

func (s *subscriber) note(ctx context.Context, messages []types.Message) error {
	for _, m := range messages {
		var notice badges.Message
		if err := json.Unmarshal([]byte(aws.ToString(m.Body)), &notice); err != nil || notice.ID == "" {
			return fmt.Errorf("the topic tells %q: %w", aws.ToString(m.Body), errors.Join(err, errors.New("no notice of a badge")))
		}
		if _, err := s.sqs.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &s.queue, ReceiptHandle: m.ReceiptHandle}); err != nil {
			return fmt.Errorf("delete from %s: %w", s.queue, err)
		}
		s.mu.Lock()
		if s.told[notice.ID]++; s.told[notice.ID] == 1 {
			s.fresh = append(s.fresh, printable.Name(notice.UserID)+": "+printable.Text(notice.Name()))
		}
		s.mu.Unlock()
	}
	return nil
}

// shownAtOnce is how many badges the ticker shows in a second.
const shownAtOnce = 4

// show shows the badges that came since it was called last.
func (s *subscriber) show() {
	s.mu.Lock()
	fresh := s.fresh
	s.fresh = nil
	s.mu.Unlock()
	for i, line := range fresh {
		if i == shownAtOnce {
			verb.Say("      ★ … and %d more\n", len(fresh)-i)
			return
		}
		verb.SayLine("      ★ " + line)
	}
}

// compareBadges makes all badges anew from the plays and compares them with those that
// are stored, and these with what was told.
func compareBadges(ctx context.Context, s *subscriber) error {
	comparison := s.auditor.Comparison(false)
	report, err := operate.Compare(ctx, comparison, operate.Judging{})
	if err != nil {
		return err
	}
	if different := slices.Concat(report.Differences, report.Unjudged); len(different) > 0 {
		return fmt.Errorf("badges: %s, the first: %s: %s", operate.Count(len(different), "thing isn't as the plays say", "things aren't as the plays say"), different[0].Key, different[0].What)
	}
	if n := len(comparison.Kept); n > 0 {
		return fmt.Errorf("%s that no play earns, the first: %s", operate.Count(n, "badge stands", "badges stand"), comparison.Kept[0])
	}
	notices, err := s.auditor.Notices(ctx)
	if err != nil {
		return err
	}
	repeats := 0
	for id, award := range notices {
		if s.told[id] == 0 {
			return fmt.Errorf("%s is stored as told, but the topic's subscriber wasn't told", award)
		}
		repeats += s.told[id] - 1
	}
	for id := range s.told {
		if notices[id] == "" {
			return fmt.Errorf("the topic's subscriber was told %s, which is of no stored badge", id)
		}
	}
	verb.Say("%s of %s: each that the plays earn, each told, %s repeated.\n", operate.Count(report.Held, "badge"), operate.Count(comparison.Players, "player"), operate.Count(repeats, "notice"))
	return nil
}
