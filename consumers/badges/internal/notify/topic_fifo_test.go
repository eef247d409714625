package notify

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/consumers/badges/internal/topictest"
	"sluice/shared/consumer"
	"sluice/shared/consumertest/wire"
)

// byUser returns the ids that came of each user, in order.
func byUser(t *testing.T, s *subscribed) map[string][]string {
	t.Helper()
	ids := map[string][]string{}
	for _, m := range s.subscriber.Received(t) {
		user := *m.MessageAttributes["userId"].StringValue
		ids[user] = append(ids[user], *m.MessageAttributes["id"].StringValue)
	}
	return ids
}

func idsByUser(notices []Notice) map[string][]string {
	ids := map[string][]string{}
	for _, n := range notices {
		ids[n.User] = append(ids[n.User], n.ID)
	}
	return ids
}

// Fails for a Topic that sends the batches of a FIFO topic side by side, that doesn't
// say what repeats what, or that has all users wait for one another.
func TestFIFO(t *testing.T) {
	s := subscribe(t, "awards.fifo")
	all := notices(35)
	running := false // without a lock: calls side by side are a race too
	s.subscriber.Line.During = func() func() {
		if running {
			t.Error("two calls at once")
		}
		running = true
		return func() { running = false }
	}
	outcomes(t, s.Publish(t.Context(), all), nil)
	for _, batch := range s.subscriber.Line.Batches() {
		for _, e := range batch {
			if e.Group != e.Attributes["userId"] || e.DedupID != e.Attributes["id"] {
				t.Errorf("notice %s of %s goes as %s of the group %s", e.Attributes["id"], e.Attributes["userId"], e.DedupID, e.Group)
			}
		}
	}
	s.subscriber.Line.During = nil
	outcomes(t, s.Publish(t.Context(), all[:12]), nil) // repeats, which the server drops
	if diff := cmp.Diff(idsByUser(all), byUser(t, s)); diff != "" {
		t.Errorf("notices of each user (-want +got):\n%s", diff)
	}
}

// Fails for a Topic that, after an answer was lost, makes a new message of a notice.
func TestFIFOLostAnswer(t *testing.T) {
	s := subscribe(t, "awards.fifo")
	all := notices(3)
	s.subscriber.Line.Cut = func([]topictest.Entry) wire.Fault { return wire.LostAnswer }
	outcomes(t, s.Publish(t.Context(), all), map[int]consumer.Outcome{0: consumer.Retry, 1: consumer.Retry, 2: consumer.Retry})
	s.subscriber.Line.Cut = nil
	outcomes(t, s.Publish(t.Context(), all), nil)
	if diff := cmp.Diff(once(all), s.subscriber.ReceivedIDs(t)); diff != "" {
		t.Errorf("times that each came (-want +got):\n%s", diff)
	}
}

// A notice that fails, alone or with its batch, is published before the later ones of
// its user. Those of others don't wait, and nobody waits for one that is rejected.
func TestFIFOKeepsOrderAcrossFailures(t *testing.T) {
	var all []Notice
	for i := range 40 {
		n := notice(i)
		n.User = []string{"early", "late", "rejected"}[min(i/10, 2)] // late's own are the second batch
		if i%10 == 9 {
			n.User = "early" // one in each batch
		}
		all = append(all, n)
	}
	failing := func(i int, code string, senderFault bool) func(*topictest.Line) {
		return func(l *topictest.Line) {
			l.Fail = func(e topictest.Entry) *topictest.EntryFault {
				if e.Attributes["id"] != all[i].ID {
					return nil
				}
				return &topictest.EntryFault{Code: code, SenderFault: senderFault}
			}
		}
	}
	for name, test := range map[string]struct {
		inject func(*topictest.Line)
		want   map[int]consumer.Outcome
	}{
		"an entry":          {failing(9, "InternalError", false), map[int]consumer.Outcome{9: consumer.Retry, 19: consumer.Retry, 29: consumer.Retry, 39: consumer.Retry}},
		"an entry for good": {failing(9, "InvalidParameter", true), map[int]consumer.Outcome{9: consumer.Rejected}},
		"a batch": {
			func(l *topictest.Line) {
				l.Cut = func(batch []topictest.Entry) wire.Fault {
					if batch[0].Group == "late" {
						return wire.Throttle
					}
					return wire.None
				}
			},
			map[int]consumer.Outcome{
				10: consumer.Retry, 11: consumer.Retry, 12: consumer.Retry, 13: consumer.Retry, 14: consumer.Retry, 15: consumer.Retry,
				16: consumer.Retry, 17: consumer.Retry, 18: consumer.Retry, 19: consumer.Retry, 29: consumer.Retry, 39: consumer.Retry,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := subscribe(t, "awards.fifo")
			test.inject(s.subscriber.Line)
			errs := s.Publish(t.Context(), all)
			outcomes(t, errs, test.want)
			s.subscriber.Line.Cut, s.subscriber.Line.Fail = nil, nil
			var again, taken []Notice
			for i, err := range errs {
				switch consumer.OutcomeOf(err) {
				case consumer.Retry:
					again = append(again, all[i])
					taken = append(taken, all[i])
				case consumer.Applied:
					taken = append(taken, all[i])
				}
			}
			outcomes(t, s.Publish(t.Context(), again), nil)
			if diff := cmp.Diff(idsByUser(taken), byUser(t, s)); diff != "" {
				t.Errorf("notices of each user (-want +got):\n%s", diff)
			}
		})
	}
}

// Fails for a Topic that takes a user for a group that SNS refuses, or two for one.
func TestGroups(t *testing.T) {
	valid := regexp.MustCompile("^[!-~]{1,128}$")
	var groups []string
	for _, user := range []string{"ann", "", "a b", "zoë", "a\nb", strings.Repeat("x", 128), strings.Repeat("x", 129), "é" + strings.Repeat("x", 200)} {
		g := messageGroup(user)
		if !valid.MatchString(g) || g != messageGroup(user) {
			t.Errorf("the group of %q is %q", user, g)
		}
		if valid.MatchString(user) && g != user {
			t.Errorf("the group of %q is %q, want the user", user, g)
		}
		groups = append(groups, g)
	}
	slices.Sort(groups)
	if n := len(groups); len(slices.Compact(groups)) != n {
		t.Errorf("two users share a group: %q", groups)
	}
	s := subscribe(t, "awards.fifo")
	outcomes(t, s.Publish(t.Context(), []Notice{{ID: "1", User: "zoë", Body: []byte("{}")}, {ID: "2", Body: []byte("{}")}}), nil)
	if diff := cmp.Diff(map[string]int{"1": 1, "2": 1}, s.subscriber.ReceivedIDs(t)); diff != "" {
		t.Errorf("times that each came (-want +got):\n%s", diff)
	}
	for _, e := range s.subscriber.Line.Batches()[0] {
		if e.Group != messageGroup(e.Attributes["userId"]) {
			t.Error(fmt.Sprint("group ", e.Group))
		}
	}
}
