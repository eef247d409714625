package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/consumers/badges/internal/topictest"
	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumer"
	"sluice/shared/consumertest/wire"
)

// subscribed is a topic with a subscriber.
type subscribed struct {
	*Topic
	subscriber *topictest.Topic
}

func subscribe(t *testing.T, name string) *subscribed {
	t.Helper()
	topic := topictest.New(t, servertest.Ministack(t), name)
	return &subscribed{&Topic{SNS: topic.SNS, ARN: topic.ARN}, topic}
}

// notice is the nth, of one of three users.
func notice(n int) Notice {
	id := fmt.Sprintf("%032x", n)
	text := fmt.Sprintf("award %d, <&\"é", n)
	body, err := json.Marshal(map[string]string{"id": id, "text": text})
	if err != nil {
		panic(err)
	}
	return Notice{ID: id, Body: body, User: fmt.Sprintf("user-%d", n%3), Badge: "marathon", Level: "gold", EventType: "RUN"}
}

func notices(n int) []Notice {
	all := make([]Notice, n)
	for i := range all {
		all[i] = notice(i)
	}
	return all
}

// sized is a notice that SNS, by its documentation, counts as so many bytes.
func sized(n, size int) Notice {
	notice := notice(n)
	attributes := "idString" + notice.ID + "userIdString" + notice.User + "badgeString" + notice.Badge +
		"levelString" + notice.Level + "eventTypeString" + notice.EventType
	notice.Body = []byte(strings.Repeat("x", size-len(attributes)))
	return notice
}

// outcomes checks what became of the notices: each was applied, but those given.
func outcomes(t *testing.T, errs []error, want map[int]consumer.Outcome) {
	t.Helper()
	for i, err := range errs {
		if got := consumer.OutcomeOf(err); got != want[i] {
			t.Errorf("notice %d: %v (%v), want %v", i, got, err, want[i])
		}
	}
}

func once(notices []Notice) map[string]int {
	times := map[string]int{}
	for _, n := range notices {
		times[n.ID] = 1
	}
	return times
}

// Fails for a Topic that loses or spoils a body or an attribute, sends an empty one,
// or doesn't use batches of ten.
func TestPublish(t *testing.T) {
	s := subscribe(t, "awards")
	all := notices(23)
	all[5].Level, all[5].EventType = "", ""
	outcomes(t, s.Publish(t.Context(), all), nil)
	batches := topictest.IDs(t, s.subscriber.Line.Batches())
	slices.SortFunc(batches, slices.Compare) // they go side by side
	var want [][]string
	for batch := range slices.Chunk(all, 10) {
		var ids []string
		for _, n := range batch {
			ids = append(ids, n.ID)
		}
		want = append(want, ids)
	}
	if diff := cmp.Diff(want, batches); diff != "" {
		t.Errorf("batches (-want +got):\n%s", diff)
	}

	got := map[string]map[string]string{}
	for _, m := range s.subscriber.Received(t) {
		fields := map[string]string{"body": *m.Body}
		for name, attribute := range m.MessageAttributes {
			fields[name] = *attribute.DataType + " " + *attribute.StringValue
		}
		got[*m.MessageAttributes["id"].StringValue] = fields
	}
	expected := map[string]map[string]string{}
	for i, n := range all {
		expected[n.ID] = map[string]string{
			"body": string(n.Body), "id": "String " + n.ID, "userId": "String " + n.User, "badge": "String marathon",
			"level": "String gold", "eventType": "String RUN",
		}
		if i == 5 {
			delete(expected[n.ID], "level")
			delete(expected[n.ID], "eventType")
		}
	}
	if diff := cmp.Diff(expected, got); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
}

// Fails for a Topic that sends its batches one by one, or all at once.
func TestBatchesGoSideBySide(t *testing.T) {
	s := subscribe(t, "awards")
	var mu sync.Mutex
	running, most := 0, 0
	full := make(chan struct{})
	open := sync.OnceFunc(func() { close(full) })
	s.subscriber.Line.During = func() func() {
		mu.Lock()
		running++
		if most = max(most, running); running == topicConcurrency {
			open()
		}
		mu.Unlock()
		select {
		case <-full:
		case <-time.After(20 * time.Second): // the next call will never come
			open()
		}
		return func() {
			mu.Lock()
			running--
			mu.Unlock()
		}
	}
	all := notices(100)
	outcomes(t, s.Publish(t.Context(), all), nil)
	if most != topicConcurrency {
		t.Errorf("%d calls at once, want %d", most, topicConcurrency)
	}
	if diff := cmp.Diff(once(all), s.subscriber.ReceivedIDs(t)); diff != "" {
		t.Errorf("times that each came (-want +got):\n%s", diff)
	}
}

// Fails for a Topic that counts fewer bytes than SNS does, which refuses the batch,
// or more, or lets one large notice hold up others.
func TestSizes(t *testing.T) {
	s := subscribe(t, "awards")
	all := []Notice{
		notice(0), sized(1, MaxNoticeBytes+1), notice(2), sized(3, 100<<10), sized(4, 100<<10), sized(5, 100<<10), sized(6, MaxNoticeBytes),
	}
	errs := s.Publish(t.Context(), all)
	outcomes(t, errs, map[int]consumer.Outcome{1: consumer.Rejected})
	if !errors.Is(errs[1], ErrTooLarge) || !strings.Contains(errs[1].Error(), "262145 bytes") {
		t.Errorf("the notice that is too large: %v, want %v with its size", errs[1], ErrTooLarge)
	}
	var numbers []int
	for _, batch := range s.subscriber.Line.Batches() {
		total := 0
		for _, e := range batch {
			total += e.Size()
		}
		if total > MaxNoticeBytes {
			t.Errorf("a batch has %d bytes, SNS takes %d", total, MaxNoticeBytes)
		}
		numbers = append(numbers, len(batch))
	}
	slices.Sort(numbers)
	if want := []int{1, 1, 4}; !slices.Equal(numbers, want) {
		t.Errorf("batches of %v notices, want %v", numbers, want)
	}
	if diff := cmp.Diff(once(slices.Delete(all, 1, 2)), s.subscriber.ReceivedIDs(t)); diff != "" {
		t.Errorf("times that each came (-want +got):\n%s", diff)
	}
}

// Some entries of a batch fail; only those come again. Fails for a Topic that takes a
// batch for published because the call was, or blames a notice for SNS' own fault.
func TestSomeFail(t *testing.T) {
	s := subscribe(t, "awards")
	faults := map[string]*topictest.EntryFault{
		notice(3).ID: {Code: "InternalError"}, notice(4).ID: {Code: "InvalidParameter"}, notice(5).ID: {Code: "Throttled", SenderFault: true},
		notice(6).ID: {}, notice(7).ID: {Code: "InvalidParameter", SenderFault: true},
	}
	s.subscriber.Line.Fail = func(e topictest.Entry) *topictest.EntryFault { return faults[e.Attributes["id"]] }
	all := notices(12)
	errs := s.Publish(t.Context(), all)
	outcomes(t, errs, map[int]consumer.Outcome{
		3: consumer.Retry, 4: consumer.Retry, 5: consumer.Retry, 6: consumer.Retry, 7: consumer.Rejected,
	})
	if !errors.Is(errs[6], ErrNotConfirmed) {
		t.Errorf("the notice that the answer doesn't mention: %v, want %v", errs[6], ErrNotConfirmed)
	}
	if text := fmt.Sprint(errs[3]); !strings.Contains(text, s.ARN) || !strings.Contains(text, "InternalError: injected by the test") {
		t.Errorf("the error %q doesn't say all that SNS did", text)
	}
	s.subscriber.Line.Fail = nil
	var again []Notice
	for i, err := range errs {
		if consumer.OutcomeOf(err) == consumer.Retry {
			again = append(again, all[i])
		}
	}
	outcomes(t, s.Publish(t.Context(), again), nil)
	if diff := cmp.Diff(once(slices.Delete(all, 7, 8)), s.subscriber.ReceivedIDs(t)); diff != "" {
		t.Errorf("times that each came (-want +got):\n%s", diff)
	}
}

// One batch of two fails as a whole. Fails for a Topic that lets that stop the other,
// or takes what may have been published for what was.
func TestOneCallFails(t *testing.T) {
	for _, fault := range []wire.Fault{wire.Throttle, wire.ServerError, wire.LostRequest, wire.LostAnswer} {
		t.Run(fault.String(), func(t *testing.T) {
			s := subscribe(t, "awards")
			all := notices(20)
			s.subscriber.Line.Cut = func(batch []topictest.Entry) wire.Fault {
				if batch[0].Attributes["id"] == all[0].ID {
					return fault
				}
				return wire.None
			}
			want := map[int]consumer.Outcome{}
			times := once(all)
			for i := range 10 {
				want[i] = consumer.Retry
				if fault == wire.LostAnswer {
					times[all[i].ID] = 2 // a subscriber knows the repeat by its id
				}
			}
			outcomes(t, s.Publish(t.Context(), all), want)
			s.subscriber.Line.Cut = nil
			outcomes(t, s.Publish(t.Context(), all[:10]), nil)
			if diff := cmp.Diff(times, s.subscriber.ReceivedIDs(t)); diff != "" {
				t.Errorf("times that each came (-want +got):\n%s", diff)
			}
		})
	}
}

// Fails for a Topic that starts calls after its time is up.
func TestPublishAfterTheEnd(t *testing.T) {
	s := subscribe(t, "awards")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for i, err := range s.Publish(ctx, notices(11)) {
		if !errors.Is(err, context.Canceled) || consumer.OutcomeOf(err) != consumer.Retry {
			t.Errorf("notice %d: %v, want %v", i, err, context.Canceled)
		}
	}
	if calls := s.subscriber.Line.Batches(); len(calls) != 0 {
		t.Errorf("%d calls were made", len(calls))
	}
}
