package operate

import (
	"errors"
	"sync"

	"sluice/shared/consumer"
)

// Tally counts what becomes of the items of a backfill. It is safe for concurrent use.
type Tally struct {
	mu     sync.Mutex
	result Backfilled
}

// Add counts an item by its outcome, such as consumer.Stale. It returns the error of an item that has to be written again.
func (t *Tally) Add(outcome error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch consumer.OutcomeOf(outcome) {
	case consumer.Applied:
		t.result.Written++
	case consumer.Duplicate, consumer.Stale:
		t.result.Newer++
	case consumer.Skip:
		t.result.LeftOut++
	case consumer.Rejected:
		t.result.Rejected++
		if len(t.result.Faults) < MaxFaults {
			t.result.Faults = append(t.result.Faults, outcome.Error())
		}
	default:
		return outcome
	}
	return nil
}

// Backfilled returns the counts.
func (t *Tally) Backfilled() Backfilled {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.result
}

// Err returns what was rejected; nil if nothing was.
func (b Backfilled) Err() error {
	var faults []error
	for _, fault := range b.Faults {
		faults = append(faults, errors.New(fault))
	}
	if more := b.Rejected - len(b.Faults); more > 0 {
		faults = append(faults, errors.New(Count(more, "more item")+" rejected"))
	}
	return errors.Join(faults...)
}
