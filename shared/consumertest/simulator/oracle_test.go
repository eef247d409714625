package simulator

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/shared/consumer"
	"sluice/shared/consumertest"
)

// What the oracle says of a destination, given what the consumer said of each
// change and which dead letters it left. Fails if a change of unknown outcome is
// taken for applied, or for not applied, or if kinds are mixed up.
func TestOracle(t *testing.T) {
	key := consumertest.Item{"Id": consumertest.S("a")}
	image := func(n string) consumertest.Item {
		if n == "" {
			return nil
		}
		return consumertest.Item{"Id": key["Id"], "N": consumertest.N(n)}
	}
	history := func(states ...string) []consumertest.Change {
		var changes []consumertest.Change
		for i, after := range states[1:] {
			changes = append(changes, consumertest.Change{Table: "T", Time: historyStart.Add(time.Duration(i) * time.Second), Keys: key, Old: image(states[i]), New: image(after)})
		}
		return changes
	}
	// A copy of the item, and how many writes it has seen.
	latest := func(changes []consumertest.Change) map[string]string {
		items := map[string]string{}
		for id, item := range Items(changes) {
			items[id] = item["N"].Text()
		}
		return items
	}
	counted := func(changes []consumertest.Change) map[string]string {
		return map[string]string{"writes": fmt.Sprint(len(changes))}
	}
	holds := func(text string) map[string]string {
		items := map[string]string{}
		if id, value, found := strings.Cut(text, " "); found {
			items[id] = value
		}
		return items
	}
	const applied, retried, rejected = consumer.Applied, consumer.Retry, consumer.Rejected
	for _, test := range []struct {
		name    string
		changes []consumertest.Change
		want    func([]consumertest.Change) map[string]string
		heard   []consumer.Outcome      // of each change
		letters map[int]consumer.Reason // by change
		rejects bool
		got     string
		kinds   []Kind
	}{
		{name: "right", changes: history("", "1", "2"), want: latest, got: "a 2"},
		{name: "older over newer", changes: history("", "1", "2"), want: latest, got: "a 1", kinds: []Kind{Lost}},
		{name: "nothing there", changes: history("", "1"), want: latest, kinds: []Kind{Lost}},
		{name: "there after its remove", changes: history("", "1", ""), want: latest, got: "a 1", kinds: []Kind{Resurrected}},
		{name: "counted twice", changes: history("", "1", "2"), want: counted, got: "writes 3", kinds: []Kind{Doubled}},
		{name: "not counted", changes: history("", "1", "2"), want: counted, got: "writes 1", kinds: []Kind{Lost}},
		{name: "neither", changes: history("", "1", "2"), want: counted, got: "writes 7", kinds: []Kind{Unexpected}},
		{name: "a stranger", changes: history("", "1", ""), want: latest, got: "b 1", kinds: []Kind{Unexpected}},

		{name: "nobody heard that it is done", changes: history("", "1"), want: latest, heard: []consumer.Outcome{retried}, got: "a 1", kinds: []Kind{Lost}},
		{name: "heard in the end", changes: history("", "1"), want: latest, heard: []consumer.Outcome{applied}, got: "a 1"},

		{name: "stuck, but applied", changes: history("", "1", "2"), want: counted, heard: []consumer.Outcome{applied, retried},
			letters: map[int]consumer.Reason{1: consumer.Stuck}, got: "writes 2"},
		{name: "stuck, and not applied", changes: history("", "1", "2"), want: counted, heard: []consumer.Outcome{applied, retried},
			letters: map[int]consumer.Reason{1: consumer.Stuck}, got: "writes 1"},
		{name: "too old, and not applied", changes: history("", "1", "2"), want: counted, heard: []consumer.Outcome{rejected, applied},
			letters: map[int]consumer.Reason{0: consumer.TooOld}, got: "writes 1"},
		{name: "given up, two of them, one applied", changes: history("", "1", "2"), want: counted, heard: []consumer.Outcome{retried, retried},
			letters: map[int]consumer.Reason{0: consumer.GivenUp, 1: consumer.GivenUp}, got: "writes 1"},
		{name: "stuck, and twice", changes: history("", "1", "2"), want: counted, heard: []consumer.Outcome{applied, retried},
			letters: map[int]consumer.Reason{1: consumer.Stuck}, got: "writes 3", kinds: []Kind{Unexpected}},
		{name: "stuck, and another one lost", changes: history("", "1", "2"), want: counted, heard: []consumer.Outcome{applied, retried},
			letters: map[int]consumer.Reason{1: consumer.Stuck}, got: "writes 0", kinds: []Kind{Lost}},
		{name: "stuck once, and then heard that it is done", changes: history("", "1", "2"), want: counted, heard: []consumer.Outcome{applied, applied},
			letters: map[int]consumer.Reason{1: consumer.Stuck}, got: "writes 1", kinds: []Kind{Lost}},

		{name: "rejected, as it has to be", changes: history("", "1"), want: counted, heard: []consumer.Outcome{rejected},
			letters: map[int]consumer.Reason{0: consumer.Invalid}, rejects: true, got: "writes 0"},
		{name: "rejected, but applied", changes: history("", "1"), want: counted, heard: []consumer.Outcome{rejected},
			letters: map[int]consumer.Reason{0: consumer.Invalid}, rejects: true, got: "writes 1", kinds: []Kind{Unexpected}},
		{name: "rejected without a reason to", changes: history("", "1"), want: counted, heard: []consumer.Outcome{rejected},
			letters: map[int]consumer.Reason{0: consumer.Invalid}, got: "writes 0", kinds: []Kind{Lost}},
		{name: "taken for no change", changes: history("", "1"), want: counted, heard: []consumer.Outcome{rejected},
			letters: map[int]consumer.Reason{0: consumer.Undecodable}, got: "writes 0", kinds: []Kind{Lost}},
		{name: "should have been rejected", changes: history("", "1"), want: counted, heard: []consumer.Outcome{consumer.Applied},
			rejects: true, got: "writes 1", kinds: []Kind{Lost}},
	} {
		t.Run(test.name, func(t *testing.T) {
			suite := &Suite{Want: test.want, Rejects: func(consumertest.Change) bool { return test.rejects }}
			r := &run{suite: suite, changes: test.changes, outcomes: map[string][]consumer.Outcome{}}
			r.batches[0] = [][]record{records(test.changes)}
			for i, c := range test.changes {
				heard := applied
				if test.heard != nil {
					heard = test.heard[i]
				}
				r.outcomes[identity(c)] = append(r.outcomes[identity(c)], heard)
				if reason, ok := test.letters[i]; ok {
					r.letters = append(r.letters, consumer.DeadLetter{Reason: reason, Data: base64.StdEncoding.EncodeToString(c.Record())})
				}
			}
			r.account()
			r.compare(holds(test.got))
			var kinds []Kind
			for _, p := range r.problems {
				if len(kinds) == 0 || kinds[len(kinds)-1] != p.Kind {
					kinds = append(kinds, p.Kind)
				}
			}
			if diff := cmp.Diff(test.kinds, kinds); diff != "" {
				t.Errorf("kinds of problems (-want +got):\n%s%v", diff, r.problems)
			}
		})
	}
}
