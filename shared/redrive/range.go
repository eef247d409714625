package redrive

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// rangeGroup is how many records of a range are sent in one payload.
const rangeGroup = 25

// resendRange sends the records of an on-failure document, in order. Its document stays until none has to come again.
func (r *run) resendRange(ctx context.Context, l *Letter) error {
	var first, sending error // why the first record stays; why the function can't be invoked
	left, whole, err := r.fetch(ctx, l.Range, func(records []record) error {
		for group := range slices.Chunk(records, rangeGroup) {
			r.keepHidden(ctx, l)
			failure, err := r.sendInOrder(ctx, group)
			if first == nil {
				first = failure
			}
			if err != nil {
				if !errors.Is(err, ErrManyFailed) && !errors.Is(err, ErrManyRefused) {
					sending = err
				}
				return err
			}
		}
		return nil
	})
	switch {
	case errors.Is(err, ErrManyFailed), errors.Is(err, ErrManyRefused):
		if first == nil {
			first = err
		}
		r.fail(l, first)
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	case sending != nil:
		return sending
	case err != nil:
		r.fail(l, err)
	case first != nil:
		r.fail(l, first)
	case !whole:
		r.fail(l, &ExpiredError{Range: *l.Range, Left: left})
	default:
		return r.remove(ctx, l)
	}
	return nil
}

// sendInOrder sends records of a range at once, and if any of them has to come again each alone, in order. It returns why the first of
// those that stay does.
func (r *run) sendInOrder(ctx context.Context, records []record) (first, err error) {
	size := 0
	for _, rec := range records {
		size += len(rec.event)
	}
	if len(records) > 1 && size <= maxPayloadBytes {
		err := r.send(ctx, records)
		if err == nil {
			r.tell()
			return nil, r.refusedInARow()
		}
		if _, failed := errors.AsType[*failedError](err); !failed {
			return nil, err
		}
	}
	for _, rec := range records {
		err := r.send(ctx, []record{rec})
		_, failed := errors.AsType[*failedError](err)
		if err != nil && !failed {
			return first, err
		}
		r.tell()
		if failed {
			if first == nil {
				first = fmt.Errorf("record %s: %w", rec.sequence, err)
			}
			if r.failures++; r.failures >= maxFailures && !r.KeepGoing {
				return first, ErrManyFailed
			}
			continue
		}
		if err := r.refusedInARow(); err != nil {
			return first, err
		}
	}
	return first, nil
}
