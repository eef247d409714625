package consumer

import (
	"errors"
	"fmt"
)

// Outcome says what became of one change. It is an error so that Apply can
// return it: the outcomes that leave nothing to do are returned as they are
// (return consumer.Stale), or wrapped with %w to say more.
type Outcome uint8

// The outcomes. Every change that a batch carries ends in exactly one of them.
const (
	// Applied: the destination holds the change's effect.
	Applied Outcome = iota
	// Duplicate: the change had been applied before.
	Duplicate
	// Stale: the destination holds something newer.
	Stale
	// Skip: the consumer has no interest in the change.
	Skip
	// Retry: not applied, or not known to be; it comes again. Any error that
	// isn't an Outcome or a Rejection means Retry.
	Retry
	// Rejected: can never be applied; kept whole as a dead letter. Return
	// Reject(err) for it, which carries the reason.
	Rejected

	outcomes = int(Rejected) + 1
)

var outcomeNames = [outcomes]string{"applied", "duplicate", "stale", "skipped", "retried", "rejected"}

func (o Outcome) String() string {
	if int(o) < outcomes {
		return outcomeNames[o]
	}
	return fmt.Sprintf("Outcome(%d)", uint8(o))
}

// Error makes an Outcome returnable from Apply.
func (o Outcome) Error() string { return o.String() }

// OutcomeOf classifies what Apply returned. It is the only place that decides:
// nil is Applied, an Outcome anywhere in the chain is itself, a Rejection is
// Rejected, and everything else (throttled, timed out, unknown) is Retry.
func OutcomeOf(err error) Outcome {
	if err == nil {
		return Applied
	}
	if _, ok := errors.AsType[*Rejection](err); ok {
		return Rejected
	}
	if o, ok := errors.AsType[Outcome](err); ok {
		return o
	}
	return Retry
}

// Reason tells in one word why a change became a dead letter.
type Reason string

// The reasons.
const (
	// Undecodable: the record's data is not a change.
	Undecodable Reason = "undecodable"
	// Invalid: the consumer or its destination refused the change.
	Invalid Reason = "invalid"
	// TooOld: older than the horizon, so that nobody can tell whether it was
	// applied before.
	TooOld Reason = "too old"
	// Stuck: it kept failing while other changes succeeded at the same destination.
	Stuck Reason = "stuck"
	// GivenUp: it kept failing until the mapping was about to discard it.
	GivenUp Reason = "given up"
)

// Rejection is the error of a change that can never be applied.
type Rejection struct {
	Reason Reason
	Err    error
}

func (r *Rejection) Error() string { return fmt.Sprintf("%s: %v", r.Reason, r.Err) }

func (r *Rejection) Unwrap() error { return r.Err }

// Reject says that a change can never be applied, for example because it
// violates the consumer's schema. It becomes a dead letter at once.
func Reject(err error) error { return &Rejection{Reason: Invalid, Err: err} }

// RejectFor is Reject with a reason other than Invalid.
func RejectFor(reason Reason, err error) error { return &Rejection{Reason: reason, Err: err} }

// In says where an error arose, such as at which of several destinations. The
// outcome stays, and so does a rejection's reason; nil stays nil.
func In(where string, err error) error {
	if err == nil {
		return nil
	}
	if rejection, ok := errors.AsType[*Rejection](err); ok {
		return RejectFor(rejection.Reason, fmt.Errorf("%s: %w", where, rejection.Err))
	}
	return fmt.Errorf("%s: %w", where, err)
}

// Combine is what becomes of a change whose parts had these outcomes, the worst
// of them: as long as a part has to come again, the change does, and the parts
// that are done are duplicates then. Only when all are done is a rejected part's
// change a dead letter, one for all, with the reason of each that refused it. A
// change without parts is skipped.
// What the parts tell of their destinations (At) stays.
func Combine(parts []error) error { return combinedEnds(combine(parts), parts) }

// CombineAll is Combine for each change of a batch.
func CombineAll(outcomes [][]error) []error {
	errs := make([]error, len(outcomes))
	for i, parts := range outcomes {
		errs[i] = Combine(parts)
	}
	return errs
}

func combine(parts []error) error {
	byOutcome := map[Outcome][]error{}
	for _, err := range parts {
		outcome := OutcomeOf(err)
		byOutcome[outcome] = append(byOutcome[outcome], err)
	}
	if again := byOutcome[Retry]; again != nil {
		return errors.Join(again...)
	}
	if rejected := byOutcome[Rejected]; rejected != nil {
		var reasons []error
		for _, err := range rejected {
			rejection, _ := errors.AsType[*Rejection](err)
			reasons = append(reasons, rejection.Err)
		}
		first, _ := errors.AsType[*Rejection](rejected[0])
		return RejectFor(first.Reason, errors.Join(reasons...))
	}
	if byOutcome[Applied] != nil {
		return nil
	}
	for _, o := range []Outcome{Duplicate, Stale} {
		if byOutcome[o] != nil {
			return o
		}
	}
	return Skip
}
