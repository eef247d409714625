package redrive

import (
	"context"
	"encoding/json"
	"errors"
)

// ErrOldFunction is returned for a function whose answer doesn't say that it knows what it was sent.
var ErrOldFunction = errors.New("the function doesn't know dead letters that are sent again, so it may take them for done: " +
	"deploy it anew, built with this version of Sluice, and run the same again")

// failedError is returned by send if not all of the records are known to be done.
type failedError struct{ err error }

func (e *failedError) Error() string { return e.err.Error() }

func (e *failedError) Unwrap() error { return e.err }

// sendAll sends records at once, and if any of them has to come again each alone, in order: an answer names only the lowest. done is
// called for each record once it is sent, with a failure if it has to come again.
func (r *run) sendAll(ctx context.Context, records []record, done func(rec record, failure error) error) error {
	size := 0
	for _, rec := range records {
		size += len(rec.event)
	}
	if len(records) > 1 && size <= maxPayloadBytes {
		err := r.send(ctx, records)
		if err == nil {
			for _, rec := range records {
				if err := done(rec, nil); err != nil {
					return err
				}
			}
			r.tell()
			return r.refusedInARow()
		}
		if _, failed := errors.AsType[*failedError](err); !failed {
			return err
		}
	}
	for _, rec := range records {
		failure := r.send(ctx, []record{rec})
		if _, failed := errors.AsType[*failedError](failure); failed {
			r.failures++
		} else if failure != nil {
			return failure
		}
		if err := done(rec, failure); err != nil {
			return err
		}
		r.tell()
		if r.failures >= maxFailures && !r.KeepGoing {
			return ErrManyFailed
		}
		if err := r.refusedInARow(); err != nil {
			return err
		}
	}
	return nil
}

// refusedInARow returns ErrManyRefused if going on seems to be of no use.
func (r *run) refusedInARow() error {
	if r.refusals >= maxFailures && !r.KeepGoing {
		return ErrManyRefused
	}
	return nil
}

// send sends records to the function. Without an error none has to come again: each is done, or was kept anew.
func (r *run) send(ctx context.Context, records []record) error {
	events := make([]json.RawMessage, len(records))
	for i, rec := range records {
		events[i] = rec.event
	}
	event, err := Payload(events)
	if err != nil {
		return err
	}
	reply, err := r.Function.Invoke(ctx, event)
	if err != nil {
		return err
	}
	told := ReadLog(reply.Log)
	failure := reply.Failure
	if failure == nil {
		failure = failed(reply.Answer, told)
	}
	alone := len(records) == 1
	if failure == nil || alone {
		r.count(records, told)
	}
	for _, rec := range records {
		// A rejected one stands in the queue anew, and which one it is of several nobody tells.
		if done := failure == nil && told.Known && told.Counts.Rejected == 0; failure == nil || alone {
			r.sent[rec.place] = done
		}
	}
	if errors.Is(failure, ErrOldFunction) {
		return failure // for all of them alike
	}
	if failure != nil {
		return &failedError{failure}
	}
	r.failures = 0
	switch {
	case !told.Known: // nobody tells
	case told.Counts.Taken > 0 && told.Counts.Rejected == told.Counts.Taken:
		r.refusals += told.Counts.Rejected
	default:
		r.refusals = 0
	}
	return nil
}

// failed returns why records have to come again, or nil if none has.
func failed(answer []byte, told Told) error {
	again, redriven, err := Again(answer)
	if err != nil {
		return err
	}
	if !redriven {
		return ErrOldFunction
	}
	if len(again) == 0 {
		return nil
	}
	if told.Again != "" {
		return errors.New(told.Again)
	}
	return errors.New("the function says that it has to come again; its log says why")
}

// count adds what became of records.
func (r *run) count(records []record, told Told) {
	for _, rec := range records {
		if _, before := r.sent[rec.place]; !before {
			r.result.Sent++
		}
	}
	r.result.Counts.Add(told.Counts)
	if !told.Known {
		r.result.Untold += len(records)
	}
	if told.Rejected != "" {
		r.result.LastRejected = told.Rejected
	}
}
