package ops

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"sluice/consumers/replication"
	"sluice/consumers/replication/internal/oneway"
	"sluice/consumers/replication/internal/store"
	"sluice/shared/consumer"
	"sluice/shared/operate"
)

// backfill copies a route's whole source.
type backfill struct {
	*pair

	capacity float64 // how many write units a second the copy may take; 0: any number

	limit  *rate.Limiter // nil: none
	result operate.Tally
}

var _ operate.Backfill = (*backfill)(nil)

func (b *backfill) Steps(ctx context.Context) ([]operate.Step, error) {
	if err := b.open(ctx); err != nil {
		return nil, err
	}
	t := b.Title()
	return []operate.Step{{Into: t.Destination, From: t.Source, Write: b.source.Count, About: true, Held: b.held.Count}}, nil
}

// Run implements operate.Backfill. It resumes only with the same number of segments.
func (b *backfill) Run(ctx context.Context, progress func(items int)) (operate.Backfilled, error) {
	err := b.run(ctx, progress)
	return b.result.Backfilled(), err
}

func (b *backfill) run(ctx context.Context, progress func(items int)) error {
	if err := b.open(ctx); err != nil {
		return err
	}
	if b.capacity > 0 {
		b.limit = rate.NewLimiter(rate.Limit(b.capacity), max(int(b.capacity), store.MaxItemBytes>>10))
	}
	cursors := make([]operate.Cursor, b.segments)
	for segment := range cursors {
		var err error
		if cursors[segment], err = b.cursor(ctx, segment); err != nil {
			return err
		}
	}
	if err := b.source.Resume(ctx, cursors, b.page, b.saveCursor, progress); err != nil {
		return err
	}
	for segment := range cursors { // the next one begins again
		if _, err := b.copy.Client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &b.copy.Tombstones, Key: b.cursorKey(segment)}); err != nil {
			return fmt.Errorf("delete how far the backfill came: %w", err)
		}
	}
	return nil
}

// page copies a page's items.
func (b *backfill) page(ctx context.Context, page operate.Page) error {
	m := versionMark(page.Version, b.home)
	pending := make(chan *oneway.Pending, len(page.Items))
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(replication.Concurrency)
	for _, item := range page.Items {
		key := b.source.Key(item)
		wanted, taken := b.route.Copied(item)
		if !taken {
			_ = b.result.Add(consumer.Skip)
			continue
		}
		group.Go(func() error {
			if b.limit != nil {
				units := min(store.Size(wanted)>>10+1, b.limit.Burst())
				if err := b.limit.WaitN(groupCtx, units); err != nil {
					return err
				}
			}
			u, err := b.copy.Begin(groupCtx, key, wanted, m, false)
			if u != nil {
				pending <- u
				return nil
			}
			return b.result.Add(err)
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	close(pending)
	var puts []*oneway.Pending
	for u := range pending {
		puts = append(puts, u)
	}
	for _, err := range b.copy.Finish(ctx, puts) {
		if err := b.result.Add(err); err != nil {
			return err
		}
	}
	return nil
}

// How far a segment came is stored beside the tombstones, under a key that none of them has.
const (
	cursorName = 2
	attrNext   = "Next"
	attrDone   = "Done"
)

func (b *backfill) cursorKey(segment int) store.Item {
	name := fmt.Sprintf("%cbackfill of %s into %s: %d of %d", cursorName, b.route.Source, b.route.Table, segment, b.segments)
	return store.Item{store.TombstoneKey: &types.AttributeValueMemberB{Value: []byte(name)}}
}

// cursor returns how far a segment came.
func (b *backfill) cursor(ctx context.Context, segment int) (operate.Cursor, error) {
	tombstones := operate.Source{Client: b.copy.Client, Table: b.copy.Tombstones}
	row, _, err := tombstones.Get(ctx, b.cursorKey(segment))
	if err != nil || row == nil {
		return operate.Cursor{}, err
	}
	if flag, ok := row[attrDone].(*types.AttributeValueMemberBOOL); ok && flag.Value {
		return operate.Cursor{Done: true}, nil
	}
	at, ok := row[attrNext].(*types.AttributeValueMemberM)
	if !ok {
		return operate.Cursor{}, errors.New("how far the backfill came can't be read")
	}
	return operate.Cursor{After: at.Value}, nil
}

// saveCursor stores how far a segment came. The row lives as long as a tombstone: marks of a backfill that stopped longer ago would be
// too old.
func (b *backfill) saveCursor(ctx context.Context, segment int, c operate.Cursor) error {
	row := b.cursorKey(segment)
	row[attrDone] = &types.AttributeValueMemberBOOL{Value: c.Done}
	if !c.Done {
		row[attrNext] = &types.AttributeValueMemberM{Value: c.After}
	}
	row[store.TombstoneExpiry] = &types.AttributeValueMemberN{Value: strconv.FormatInt(b.now().Add(b.copy.Horizon).Unix(), 10)}
	if _, err := b.copy.Client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &b.copy.Tombstones, Item: row}); err != nil {
		return fmt.Errorf("store how far the backfill came: %w", err)
	}
	return nil
}
