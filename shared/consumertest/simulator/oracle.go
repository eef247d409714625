package simulator

import (
	"encoding/base64"
	"fmt"
	"maps"
	"slices"

	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
)

// Kind is what went wrong.
type Kind uint8

// The kinds of problems.
const (
	// Unexpected: no single change explains it.
	Unexpected Kind = iota
	// Lost: the destination is as if a change had never been; or a change was
	// answered for, but is neither done nor kept as a dead letter.
	Lost
	// Doubled: the destination is as if a change had happened twice, or changes
	// although nothing is new.
	Doubled
	// Resurrected: Lost, of a remove: what should be gone is there.
	Resurrected
	// Diverged: two regions hold different items.
	Diverged
	// Endless: what the consumers write keeps them writing.
	Endless
)

func (k Kind) String() string {
	return [...]string{"unexpected", "lost", "doubled", "resurrected", "diverged", "endless"}[k]
}

// Problem is one thing that a schedule left wrong.
type Problem struct {
	Kind Kind
	Text string // in words
}

func (p Problem) String() string { return p.Kind.String() + ": " + p.Text }

// unknown are the reasons of dead letters that leave open whether the change was
// applied: somebody tried, and never learned what came of it.
var unknown = []consumer.Reason{consumer.TooOld, consumer.Stuck, consumer.GivenUp}

// account checks that every record that was delivered is done with, and that no dead letter holds anything else.
func (r *run) account() {
	var delivered []record
	for _, batches := range r.batches {
		delivered = slices.Concat(delivered, slices.Concat(batches...))
	}
	r.accountFor(delivered, "")
	known := map[string]bool{}
	for _, record := range delivered {
		known[encode(record.data)] = true
	}
	for _, letter := range r.letters {
		if !known[letter.Data] {
			r.problem(Unexpected, "a dead letter holds what was never delivered: %.100q", letter.Data)
		}
	}
}

// accountFor checks that each record is applied or known to need nothing, or kept whole as a dead letter. Poison must be a dead letter.
// where says in which region the records are.
func (r *run) accountFor(delivered []record, where string) {
	kept := r.kept()
	checked := map[string]bool{}
	for _, record := range delivered {
		if checked[string(record.data)] {
			continue
		}
		checked[string(record.data)] = true
		letters := kept[encode(record.data)]
		rejects := record.change != nil && r.suite.Rejects != nil && r.suite.Rejects(*record.change)
		switch {
		case rejects && len(letters) == 0:
			r.problem(Lost, "the consumer should have rejected %s%s", record, where)
		case record.change != nil && !rejects && len(letters) > 0 && !isUnknown(letters):
			r.problem(Lost, "%s%s was rejected as %s: %s", record, where, letters[0].Reason, letters[0].Error)
		case record.change == nil && len(letters) == 0:
			r.problem(Lost, "%s is in no dead letter", record)
		case record.change == nil && letters[0].Reason != consumer.Undecodable:
			r.problem(Unexpected, "%s is a dead letter as %q", record, letters[0].Reason)
		case record.change != nil && len(letters) == 0 && !r.done(*record.change):
			r.problem(Lost, "%s%s was answered for, but the consumer said %v, and there is no dead letter", record, where, r.outcomes[identity(*record.change)])
		}
	}
}

// isUnknown tells whether the dead letters of a change leave open whether it was applied.
func isUnknown(letters []consumer.DeadLetter) bool {
	return slices.ContainsFunc(letters, func(l consumer.DeadLetter) bool { return slices.Contains(unknown, l.Reason) })
}

// kept returns the dead letters by the data of their record.
func (r *run) kept() map[string][]consumer.DeadLetter {
	kept := map[string][]consumer.DeadLetter{}
	for _, letter := range r.letters {
		kept[letter.Data] = append(kept[letter.Data], letter)
	}
	return kept
}

func encode(data []byte) string { return base64.StdEncoding.EncodeToString(data) }

// identity is how the witness knows a change.
func identity(c consumertest.Change) string {
	parsed, err := change.Parse(c.Record())
	if err != nil {
		panic(fmt.Sprintf("simulator: the workload makes a change that is none: %v", err))
	}
	return parsed.ID().String()
}

// done tells whether the consumer said of a change, to somebody who heard it,
// that it is applied or needs nothing.
func (r *run) done(c consumertest.Change) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.ContainsFunc(r.outcomes[identity(c)], func(o consumer.Outcome) bool {
		return o != consumer.Retry && o != consumer.Rejected
	})
}

// maxMaybes is how many changes of unknown outcome the oracle can weigh up.
const maxMaybes = 10

// compare compares the destination with what it should hold. Changes in dead
// letters are not in it, unless the letter's reason leaves open whether they
// were applied: then either is right.
func (r *run) compare(got map[string]string) {
	kept := r.kept()
	var sure, maybe []consumertest.Change
	for _, c := range r.changes {
		letters := kept[encode(c.Record())]
		switch {
		case len(letters) == 0 || r.done(c):
			sure = append(sure, c)
		case isUnknown(letters):
			maybe = append(maybe, c)
		}
	}
	if len(maybe) > maxMaybes {
		maybe = maybe[:maxMaybes]
	}
	for choice := range 1 << len(maybe) {
		changes := slices.Clone(sure)
		for i, c := range maybe {
			if choice&(1<<i) != 0 {
				changes = append(changes, c)
			}
		}
		if maps.Equal(r.suite.Want(changes), got) {
			return
		}
	}
	want := r.suite.Want(sure)
	for _, name := range unionKeys(want, got) {
		if want[name] != got[name] {
			kind, because := r.explain(sure, name, got[name])
			r.problem(kind, "%s holds %s, but should hold %s%s", name, orNothing(got, name), orNothing(want, name), because)
		}
	}
}

// maxExplained is among how many changes the one that explains a difference is
// looked for.
const maxExplained = 2000

// explain says what became of which change if a single one explains why an item
// of the destination is as it is.
func (r *run) explain(changes []consumertest.Change, name, got string) (kind Kind, because string) {
	if len(changes) > maxExplained {
		return Unexpected, ""
	}
	for i, c := range changes {
		without := slices.Delete(slices.Clone(changes), i, i+1)
		if r.suite.Want(without)[name] != got {
			continue
		}
		kind = Lost
		if c.New == nil && r.suite.Want(changes)[name] == "" {
			kind = Resurrected
		}
		return kind, fmt.Sprintf(", as if there had been no [%s]", c)
	}
	for i, c := range changes {
		if twice := slices.Insert(slices.Clone(changes), i, c); r.suite.Want(twice)[name] == got {
			return Doubled, fmt.Sprintf(", as if there had been two [%s]", c)
		}
	}
	return Unexpected, ""
}

func unionKeys[V any](a, b map[string]V) []string {
	union := map[string]V{}
	maps.Copy(union, a)
	maps.Copy(union, b)
	return sortedKeys(union)
}

func orNothing(items map[string]string, name string) string {
	if text, ok := items[name]; ok {
		return text
	}
	return "nothing"
}
