package replication

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"sluice/consumers/replication/internal/oneway"
	"sluice/consumers/replication/internal/store"
	"sluice/shared/consumer"
)

// BackfillOptions say how to copy a table that exists.
type BackfillOptions struct {
	// Segments is how many parts of the source are copied side by side. A backfill
	// that was broken off goes on where it was only with the same number.
	Segments int
	// Capacity is how many write units a second the copy may take; 0: any number.
	Capacity float64
	// Progress is told of every page, from several goroutines; nil: nobody is.
	Progress func(items int)
}

// Backfilled is what became of the source's items.
type Backfilled struct {
	Copied   int `json:"copied"`
	Newer    int `json:"newer"`    // the copy held something newer, or the item was gone
	LeftOut  int `json:"leftOut"`  // the route doesn't take them
	Rejected int `json:"rejected"` // see Faults
	// Faults are why items were rejected, the first hundred.
	Faults []error `json:"-"`
}

const maxFaults = 100

// Backfill copies the whole source while it is written and its changes flow. An
// item that was read counts as a change made ReadMargin before, so nothing newer
// is overwritten, and nothing that was removed since comes back. After an error,
// or when ctx ended, another Backfill goes on from where this one was; pages that
// were under way are copied again.
func (p *Pair) Backfill(ctx context.Context, o BackfillOptions) (Backfilled, error) {
	keys, err := keysOf(ctx, p.source, p.Route.Source)
	if err != nil {
		return Backfilled{}, err
	}
	b := &backfill{Pair: p, options: o, keys: keys}
	if o.Capacity > 0 {
		b.limit = rate.NewLimiter(rate.Limit(o.Capacity), max(int(o.Capacity), store.MaxItemBytes>>10))
	}
	group, groupCtx := errgroup.WithContext(ctx)
	for segment := range o.Segments {
		group.Go(func() error { return b.segment(groupCtx, segment) })
	}
	if err := group.Wait(); err != nil {
		return b.result, err
	}
	for segment := range o.Segments { // the next one begins anew
		if _, err := p.copy.Client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &p.copy.Tombstones, Key: b.cursorKey(segment)}); err != nil {
			return b.result, fmt.Errorf("forget how far the backfill came: %w", err)
		}
	}
	return b.result, nil
}

// backfill is one run.
type backfill struct {
	*Pair
	options BackfillOptions
	keys    []string
	limit   *rate.Limiter // nil: none

	mu     sync.Mutex
	result Backfilled
}

// segment copies one part of the source, page by page.
func (b *backfill) segment(ctx context.Context, segment int) error {
	next, done, err := b.cursor(ctx, segment)
	for err == nil && !done {
		sent := b.now()
		var page *dynamodb.ScanOutput
		page, err = b.source.Scan(ctx, &dynamodb.ScanInput{
			TableName: &b.Route.Source, ConsistentRead: aws.Bool(true), ExclusiveStartKey: next,
			Segment: aws.Int32(int32(segment)), TotalSegments: aws.Int32(int32(b.options.Segments)),
		})
		if err != nil {
			return fmt.Errorf("read %s: %w", b.Route.Source, err)
		}
		m := scannedMark(sent, b.Home)
		pending := make(chan *oneway.Pending, len(page.Items))
		group, pageCtx := errgroup.WithContext(ctx)
		group.SetLimit(Concurrency)
		for _, item := range page.Items {
			key := keyOf(item, b.keys)
			wanted, taken := b.Route.wants(item)
			if !taken {
				if err := b.count(consumer.Skip); err != nil {
					return err
				}
				continue
			}
			group.Go(func() error {
				if b.limit != nil {
					units := min(store.Size(wanted)>>10+1, b.limit.Burst())
					if err := b.limit.WaitN(pageCtx, units); err != nil {
						return err
					}
				}
				u, err := b.copy.Begin(pageCtx, key, wanted, m, false)
				if u != nil {
					pending <- u
					return nil
				}
				return b.count(err)
			})
		}
		if err := group.Wait(); err != nil {
			return err
		}
		if err := b.finishPuts(ctx, pending); err != nil {
			return err
		}
		next, done = page.LastEvaluatedKey, page.LastEvaluatedKey == nil
		err = b.saveCursor(ctx, segment, next, done)
		if b.options.Progress != nil {
			b.options.Progress(len(page.Items))
		}
	}
	return err
}

// finishPuts ends a page's puts.
func (b *backfill) finishPuts(ctx context.Context, pending chan *oneway.Pending) error {
	close(pending)
	var puts []*oneway.Pending
	for u := range pending {
		puts = append(puts, u)
	}
	for _, err := range b.copy.Finish(ctx, puts) {
		if err := b.count(err); err != nil {
			return err
		}
	}
	return nil
}

// count notes what became of an item, and returns the error of one that has to
// be tried again.
func (b *backfill) count(err error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch consumer.OutcomeOf(err) {
	case consumer.Applied:
		b.result.Copied++
	case consumer.Duplicate, consumer.Stale:
		b.result.Newer++
	case consumer.Skip:
		b.result.LeftOut++
	case consumer.Rejected:
		b.result.Rejected++
		if len(b.result.Faults) < maxFaults {
			b.result.Faults = append(b.result.Faults, err)
		}
	default:
		return err
	}
	return nil
}

// How far a segment came stands beside the tombstones, under a key that none of
// them has.
const (
	cursorName = 2
	attrNext   = "Next"
	attrDone   = "Done"
)

func (b *backfill) cursorKey(segment int) store.Item {
	name := fmt.Sprintf("%cbackfill of %s into %s: %d of %d", cursorName, b.Route.Source, b.Route.Table, segment, b.options.Segments)
	return store.Item{store.TombstoneKey: &types.AttributeValueMemberB{Value: []byte(name)}}
}

// cursor returns where a segment goes on, and whether it is done.
func (b *backfill) cursor(ctx context.Context, segment int) (next store.Item, done bool, err error) {
	row, err := get(ctx, b.copy.Client, b.copy.Tombstones, b.cursorKey(segment))
	if err != nil || row == nil {
		return nil, false, err
	}
	if flag, ok := row[attrDone].(*types.AttributeValueMemberBOOL); ok && flag.Value {
		return nil, true, nil
	}
	at, ok := row[attrNext].(*types.AttributeValueMemberM)
	if !ok {
		return nil, false, errors.New("how far the backfill came can't be read")
	}
	return at.Value, false, nil
}

// saveCursor remembers where a segment goes on. The row lives as long as a
// tombstone: marks of a backfill broken off longer ago would be too old.
func (b *backfill) saveCursor(ctx context.Context, segment int, next store.Item, done bool) error {
	row := b.cursorKey(segment)
	row[attrDone] = &types.AttributeValueMemberBOOL{Value: done}
	if !done {
		row[attrNext] = &types.AttributeValueMemberM{Value: next}
	}
	row[store.TombstoneExpiry] = &types.AttributeValueMemberN{Value: strconv.FormatInt(b.now().Add(b.copy.Horizon).Unix(), 10)}
	if _, err := b.copy.Client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &b.copy.Tombstones, Item: row}); err != nil {
		return fmt.Errorf("remember how far the backfill came: %w", err)
	}
	return nil
}
