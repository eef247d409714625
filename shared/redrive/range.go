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
			err := r.sendAll(ctx, group, func(rec record, failure error) error {
				if first == nil && failure != nil {
					first = fmt.Errorf("record %s: %w", rec.sequence, failure)
				}
				return nil
			})
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
