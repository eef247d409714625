package keeper

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"sluice/shared/aggregate"
)

// rebuilds is what an instance of the function knows of the views' rebuilds.
type rebuilds struct {
	client *dynamodb.Client
	ledger string
	now    func() time.Time

	turn   chan struct{} // held by whoever reads; no mutex, since reading waits for an answer
	read   time.Time     // when it was last asked for
	byView map[string]*aggregate.Rebuilds
}

func newRebuilds(client *dynamodb.Client, ledger string, now func() time.Time) *rebuilds {
	return &rebuilds{client: client, ledger: ledger, now: now, turn: make(chan struct{}, 1)}
}

// known returns what was read not longer ago than aggregate.Freshness, by the
// clock on the wall: a function may be frozen between batches.
func (r *rebuilds) known(ctx context.Context) (map[string]*aggregate.Rebuilds, error) {
	return r.readIf(ctx, func(age time.Duration) bool { return age < 0 || age > aggregate.Freshness })
}

// newer returns what is known now.
func (r *rebuilds) newer(ctx context.Context) (map[string]*aggregate.Rebuilds, error) {
	return r.readIf(ctx, func(time.Duration) bool { return true })
}

func (r *rebuilds) readIf(ctx context.Context, tooOld func(age time.Duration) bool) (map[string]*aggregate.Rebuilds, error) {
	select {
	case r.turn <- struct{}{}:
		defer func() { <-r.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	now := r.now().Round(0)
	if r.byView != nil && !tooOld(now.Sub(r.read)) {
		return r.byView, nil
	}
	byView, err := aggregate.ReadRebuilds(ctx, r.client, r.ledger)
	if err != nil {
		return nil, aggregate.At(r.ledger, err)
	}
	r.byView, r.read = byView, now
	return byView, nil
}
