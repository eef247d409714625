// Package notify publishes notices to an SNS topic, so that whatever a text holds is delivered.
package notify

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"sluice/shared/consumer"
)

const (
	maxNoticesPerBatch = 10 // https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html
	topicConcurrency   = 8
)

// Topic publishes notices to an SNS topic. It is safe for concurrent use.
type Topic struct {
	SNS *sns.Client
	ARN string
}

// Publish publishes the notices and returns one error for each, in the same order:
// nil once SNS has confirmed it, a rejection if SNS can never take it, and any other
// error if it should be published again.
//
// A notice is published again, with the same id, if an answer was lost. A FIFO topic
// (its name ends in .fifo) drops what repeats a message of the last five minutes.
//
// A standard topic's notices go in batches side by side. A FIFO topic keeps the
// order of a user's notices, so there they go one batch after another, and once a
// notice has to be published again, those of its user in later batches wait for it,
// which is a Retry too. But within a batch SNS may take a notice and not the one
// before it, and nothing waits for one that is rejected.
func (t *Topic) Publish(ctx context.Context, notices []Notice) []error {
	p := &publication{topic: t, notices: notices, errs: make([]error, len(notices))}
	if err := t.check(); err != nil {
		for i := range notices {
			p.errs[i] = err
		}
		return p.errs
	}
	concurrency := topicConcurrency
	if t.fifo() {
		concurrency, p.failed = 1, map[string]error{}
	}
	consumer.SideBySide(concurrency, p.pack(), func(batch []int) { p.send(ctx, batch) })
	return p.errs
}

// Destination names the topic, for consumer.At.
func (t *Topic) Destination() string { return "topic " + t.ARN }

func (t *Topic) fifo() bool { return strings.HasSuffix(t.ARN, ".fifo") }

// check finds the faults of the topic that SNS would call invalid parameters, so
// that no notice is blamed, and rejected, for them.
func (t *Topic) check() error {
	topic, err := arn.Parse(t.ARN)
	switch region := t.SNS.Options().Region; {
	case err != nil || topic.Service != "sns" || topic.Resource == "" || strings.Contains(topic.Resource, ":"):
		return fmt.Errorf("sns:Publish to %q: %w: give the function the output of the template that has the topic", t.ARN, ErrNoTopicARN)
	case topic.Region != region:
		return fmt.Errorf("sns:Publish to %s from %s: %w: give the function a topic of its own region", t.ARN, region, ErrOtherRegion)
	}
	return nil
}

// publication is one call of Publish.
type publication struct {
	topic   *Topic
	notices []Notice
	errs    []error

	// failed has, for a FIFO topic, whose notices wait, and for what error; by user.
	failed map[string]error
}

// pack groups the indexes of the notices, in order, into batches that SNS takes.
func (p *publication) pack() [][]int {
	var batches [][]int
	var batch []int
	total := 0
	for i := range p.notices {
		if err := p.notices[i].Check(); err != nil {
			p.errs[i] = consumer.Reject(err)
			continue
		}
		size := p.notices[i].size()
		if len(batch) == maxNoticesPerBatch || total+size > MaxNoticeBytes {
			batches, batch, total = append(batches, batch), nil, 0
		}
		batch, total = append(batch, i), total+size
	}
	if len(batch) > 0 {
		batches = append(batches, batch)
	}
	return batches
}

// send publishes one batch. If SNS refuses a batch for good, halving it finds the
// notices that it refuses it for.
func (p *publication) send(ctx context.Context, batch []int) {
	if batch = p.ready(batch); len(batch) == 0 {
		return
	}
	err := p.publish(ctx, batch)
	if err != nil && consumer.Refused(err) && len(batch) > 1 {
		half := len(batch) / 2
		p.send(ctx, batch[:half])
		p.send(ctx, batch[half:])
		return
	}
	for _, i := range batch {
		if err != nil {
			p.errs[i] = p.topic.judge(err, consumer.Refused(err))
		}
		if p.failed != nil && consumer.OutcomeOf(p.errs[i]) == consumer.Retry {
			p.failed[p.notices[i].User] = p.errs[i]
		}
	}
}

// ready returns the notices of a batch that don't have to wait for another one.
func (p *publication) ready(batch []int) []int {
	if len(p.failed) == 0 {
		return batch
	}
	var ready []int
	for _, i := range batch {
		if err := p.failed[p.notices[i].User]; err != nil {
			p.errs[i] = fmt.Errorf("waits for an earlier notice of its user: %w", err)
		} else {
			ready = append(ready, i)
		}
	}
	return ready
}

// publish makes one call. It returns the error of the whole; what became of each
// notice otherwise is in errs.
func (p *publication) publish(ctx context.Context, batch []int) error {
	entries := make([]types.PublishBatchRequestEntry, len(batch))
	for n, i := range batch {
		entries[n] = p.entry(n, &p.notices[i])
	}
	out, err := p.topic.SNS.PublishBatch(ctx, &sns.PublishBatchInput{TopicArn: &p.topic.ARN, PublishBatchRequestEntries: entries})
	if err != nil {
		return err
	}
	for _, i := range batch {
		p.errs[i] = fmt.Errorf("sns:Publish to %s: %w", p.topic.ARN, ErrNotConfirmed)
	}
	for _, confirmed := range out.Successful {
		if n, ok := position(confirmed.Id, batch); ok {
			p.errs[batch[n]] = nil
		}
	}
	for _, failed := range out.Failed {
		if n, ok := position(failed.Id, batch); ok {
			p.errs[batch[n]] = p.topic.judgeEntry(failed)
		}
	}
	return nil
}

// entry is the nth of a batch.
func (p *publication) entry(n int, notice *Notice) types.PublishBatchRequestEntry {
	entry := types.PublishBatchRequestEntry{
		Id:                aws.String(strconv.Itoa(n)),
		Message:           aws.String(string(notice.Body)),
		MessageAttributes: map[string]types.MessageAttributeValue{},
	}
	for name, value := range notice.attributes() {
		entry.MessageAttributes[name] = types.MessageAttributeValue{DataType: aws.String(attributeType), StringValue: &value}
	}
	if p.topic.fifo() {
		entry.MessageGroupId, entry.MessageDeduplicationId = aws.String(messageGroup(notice.User)), &notice.ID
	}
	return entry
}

// position reads which entry of the batch an answer speaks of.
func position(id *string, batch []int) (int, bool) {
	n, err := strconv.Atoi(aws.ToString(id))
	return n, err == nil && n >= 0 && n < len(batch)
}

// messageGroup is that of a user's notices: the user, unless SNS wouldn't
// take that, which allows up to 128 visible characters of ASCII:
// https://docs.aws.amazon.com/sns/latest/api/API_PublishBatchRequestEntry.html
func messageGroup(user string) string {
	odd := strings.ContainsFunc(user, func(r rune) bool { return r <= ' ' || r > '~' })
	if user != "" && len(user) <= 128 && !odd {
		return user
	}
	sum := sha256.Sum256([]byte(user))
	return hex.EncodeToString(sum[:])
}
