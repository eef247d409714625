package oneway

import (
	"context"
	"slices"
	"sync"

	"sluice/consumers/replication/internal/store"
	"sluice/consumers/replication/mark"
	"sluice/shared/consumer"
)

// Pending is a put that has still to look for a tombstone: see Begin.
type Pending struct {
	key     store.Item
	mark    mark.Mark
	before  mark.Mark // of what the table held
	refused bool
}

// Finish ends puts of different items and returns what became of each, in their
// order, as Put does. It looks for up to 100 tombstones with a request.
func (c Copy) Finish(ctx context.Context, puts []*Pending) []error {
	errs := make([]error, len(puts))
	var work sync.WaitGroup
	at := 0
	for some := range slices.Chunk(puts, store.MaxLookUps) {
		of := errs[at:][:len(some)]
		at += len(some)
		work.Go(func() { c.finishSome(ctx, some, of) })
	}
	work.Wait()
	return errs
}

// finishSome ends as many puts as one request can look up tombstones for.
func (c Copy) finishSome(ctx context.Context, puts []*Pending, errs []error) {
	var tombstones map[int]store.Item
	var err error
	if len(puts) > 1 { // one isn't worth a batch
		keys := make([]store.Item, len(puts))
		for n, p := range puts {
			keys[n] = p.key
		}
		tombstones, err = c.LookUpTombstones(ctx, keys)
	}
	for n, p := range puts {
		if errs[n] = err; err == nil {
			tombstone, looked := tombstones[n]
			errs[n] = c.finishOne(ctx, p, tombstone, looked)
		}
	}
}

// finishOne ends one put. A tombstone that wasn't looked for yet is read now, for which
// the client waits if it is throttled.
func (c Copy) finishOne(ctx context.Context, p *Pending, tombstone store.Item, looked bool) error {
	var err error
	if !looked {
		if tombstone, err = c.Tombstone(ctx, p.key); err != nil {
			return err
		}
	}
	buried, err := c.TombstoneMark(tombstone)
	if err != nil {
		return err
	}
	gone, err := c.takeBackFrom(ctx, p.key, p.mark, buried)
	switch {
	case err != nil:
		return err
	case p.before == p.mark && !gone:
		return consumer.Duplicate
	case p.refused || gone:
		return consumer.Stale
	}
	return nil
}
