package badges

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/shared/consumer"
	"sluice/shared/consumertest/wire"
)

// byUser returns the ids that came of each user, in order.
func byUser(t *testing.T, s *subscribed) map[string][]string {
	t.Helper()
	ids := map[string][]string{}
	for _, m := range s.received(t) {
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
	s := newTopic(t, "awards.fifo")
	all := notices(35)
	running := false // without a lock: calls side by side are a race too
	s.line.during = func() func() {
		if running {
			t.Error("two calls at once")
		}
		running = true
		return func() { running = false }
	}
	outcomes(t, s.Publish(t.Context(), all), nil)
	for _, batch := range s.line.seen() {
		for _, e := range batch {
			if e.group != e.attributes["userId"] || e.once != e.attributes["id"] {
				t.Errorf("notice %s of %s goes as %s of the group %s", e.attributes["id"], e.attributes["userId"], e.once, e.group)
			}
		}
	}
	s.line.during = nil
	outcomes(t, s.Publish(t.Context(), all[:12]), nil) // repeats, which the server drops
	if diff := cmp.Diff(idsByUser(all), byUser(t, s)); diff != "" {
		t.Errorf("notices of each user (-want +got):\n%s", diff)
	}
}

// Fails for a Topic that, after an answer was lost, makes a new message of a notice.
func TestFIFOLostAnswer(t *testing.T) {
	s := newTopic(t, "awards.fifo")
	all := notices(3)
	s.line.cut = func([]entry) wire.Fault { return wire.LostAnswer }
	outcomes(t, s.Publish(t.Context(), all), map[int]consumer.Outcome{0: consumer.Retry, 1: consumer.Retry, 2: consumer.Retry})
	s.line.cut = nil
	outcomes(t, s.Publish(t.Context(), all), nil)
	if diff := cmp.Diff(once(all), s.receivedIDs(t)); diff != "" {
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
	failing := func(i int, code string, senderFault bool) func(*line) {
		return func(l *line) {
			l.fail = func(e entry) *entryFault {
				if e.attributes["id"] != all[i].ID {
					return nil
				}
				return &entryFault{Code: code, SenderFault: senderFault}
			}
		}
	}
	for name, test := range map[string]struct {
		inject func(*line)
		want   map[int]consumer.Outcome
	}{
		"an entry":          {failing(9, "InternalError", false), map[int]consumer.Outcome{9: consumer.Retry, 19: consumer.Retry, 29: consumer.Retry, 39: consumer.Retry}},
		"an entry for good": {failing(9, "InvalidParameter", true), map[int]consumer.Outcome{9: consumer.Rejected}},
		"a batch": {
			func(l *line) {
				l.cut = func(batch []entry) wire.Fault {
					if batch[0].group == "late" {
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
			s := newTopic(t, "awards.fifo")
			test.inject(s.line)
			errs := s.Publish(t.Context(), all)
			outcomes(t, errs, test.want)
			s.line.cut, s.line.fail = nil, nil
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
	s := newTopic(t, "awards.fifo")
	outcomes(t, s.Publish(t.Context(), []Notice{{ID: "1", User: "zoë", Body: []byte("{}")}, {ID: "2", Body: []byte("{}")}}), nil)
	if diff := cmp.Diff(map[string]int{"1": 1, "2": 1}, s.receivedIDs(t)); diff != "" {
		t.Errorf("times that each came (-want +got):\n%s", diff)
	}
	for _, e := range s.line.seen()[0] {
		if e.group != messageGroup(e.attributes["userId"]) {
			t.Error(fmt.Sprint("group ", e.group))
		}
	}
}
