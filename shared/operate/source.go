package operate

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	smithytime "github.com/aws/smithy-go/time"
	"github.com/shopspring/decimal"
	"golang.org/x/sync/errgroup"
)

// ReadMargin is how much older than the moment before it was read a scanned item counts. The clocks of this machine and of
// DynamoDB may differ by less than that, so a change that the scan didn't see is always newer.
const ReadMargin = 10 * time.Second

// MaxSegments is in how many parts DynamoDB scans a table at most.
const MaxSegments = 1_000_000

// Item is an item of a table.
type Item = map[string]types.AttributeValue

// Source is a table that is read whole. It is safe for concurrent use.
type Source struct {
	Client *dynamodb.Client
	Table  string
	Keys   []string                             // names of the key attributes, that of the partition first
	Types  map[string]types.ScalarAttributeType // of the key attributes, by name
	Count  int                                  // about how many items there are, as DynamoDB counted them in the last hours

	// Limit is how many items a page has at most; 0: as many as DynamoDB returns.
	Limit int32
	// Now is this machine's clock; nil: time.Now.
	Now func() time.Time
}

// Page is a part of a segment.
type Page struct {
	Segment int
	Items   []Item
	// Version is when the page's items count as written: ReadMargin before the page was asked for. A change that the page doesn't show
	// is newer.
	Version time.Time
	// Next is where the segment resumes; nil: it is done.
	Next Item
}

// OpenSource describes a table.
func OpenSource(ctx context.Context, client *dynamodb.Client, table string) (*Source, error) {
	s := &Source{Client: client, Table: table}
	return s, s.Open(ctx)
}

// Open describes the table, and sets Keys, Types and Count.
func (s *Source) Open(ctx context.Context) error {
	out, err := s.Client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &s.Table})
	if err != nil {
		return fmt.Errorf("describe table %s: %w", s.Table, err)
	}
	s.Keys, s.Types, s.Count = nil, map[string]types.ScalarAttributeType{}, int(aws.ToInt64(out.Table.ItemCount))
	for _, k := range out.Table.KeySchema {
		s.Keys = append(s.Keys, aws.ToString(k.AttributeName))
	}
	for _, a := range out.Table.AttributeDefinitions {
		if slices.Contains(s.Keys, aws.ToString(a.AttributeName)) {
			s.Types[*a.AttributeName] = a.AttributeType
		}
	}
	return nil
}

// version is the Version of what is read from now on.
func (s *Source) version() time.Time {
	now := time.Now
	if s.Now != nil {
		now = s.Now
	}
	return now().Add(-ReadMargin)
}

// Page reads the items of a segment behind a key, strongly consistent; a nil key is the segment's beginning.
func (s *Source) Page(ctx context.Context, segment, segments int, after Item) (Page, error) {
	in := &dynamodb.ScanInput{
		TableName: &s.Table, ConsistentRead: aws.Bool(true), ExclusiveStartKey: after,
		Segment: aws.Int32(int32(segment)), TotalSegments: aws.Int32(int32(segments)),
	}
	if s.Limit > 0 {
		in.Limit = &s.Limit
	}
	p := Page{Segment: segment, Version: s.version()}
	out, err := s.Client.Scan(ctx, in)
	if err != nil {
		return p, fmt.Errorf("read %s, segment %d: %w", s.Table, segment, err)
	}
	if p.Items = out.Items; len(out.LastEvaluatedKey) > 0 {
		p.Next = out.LastEvaluatedKey
	}
	return p, nil
}

// Cursor is how far a segment was read.
type Cursor struct {
	After Item // the last item's key; nil: nothing was read
	Done  bool
}

// Scan visits every page, in segments side by side. Visit is called for several pages at once, one of each segment.
func (s *Source) Scan(ctx context.Context, segments int, visit func(context.Context, Page) error) error {
	return s.Resume(ctx, make([]Cursor, max(1, segments)), visit, nil, nil)
}

// Resume visits every page behind the cursors, one cursor for each segment. After each visit it calls progress with how many items were
// visited, one call at a time, and save with how far the segment is now, which must be safe for concurrent use. Either may be nil. Pages
// whose visit ended before a save got done are visited again by the next Resume.
func (s *Source) Resume(ctx context.Context, cursors []Cursor, visit func(context.Context, Page) error,
	save func(ctx context.Context, segment int, c Cursor) error, progress func(items int),
) error {
	var mu sync.Mutex // for progress
	group, ctx := errgroup.WithContext(ctx)
	for segment, c := range cursors {
		group.Go(func() error {
			for !c.Done {
				page, err := s.Page(ctx, segment, len(cursors), c.After)
				if err != nil {
					return err
				}
				if err := visit(ctx, page); err != nil {
					return err
				}
				if progress != nil {
					mu.Lock()
					progress(len(page.Items))
					mu.Unlock()
				}
				c = Cursor{After: page.Next, Done: page.Next == nil}
				if save == nil {
					continue
				}
				if err := save(ctx, segment, c); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// Get reads one item, strongly consistent; nil if it isn't there. The time is the Version of what was read.
func (s *Source) Get(ctx context.Context, key Item) (Item, time.Time, error) {
	version := s.version()
	out, err := s.Client.GetItem(ctx, &dynamodb.GetItemInput{TableName: &s.Table, Key: key, ConsistentRead: aws.Bool(true)})
	if err != nil {
		return nil, version, fmt.Errorf("read an item of %s: %w", s.Table, err)
	}
	return out.Item, version, nil
}

// maxBatchGet is how many items one call may ask for:
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
const maxBatchGet = 100

// GetAll reads the items that have the same keys as these, strongly consistent. They come in any order.
func (s *Source) GetAll(ctx context.Context, items []Item) ([]Item, error) {
	var found []Item
	for chunk := range slices.Chunk(items, maxBatchGet) {
		asked := types.KeysAndAttributes{ConsistentRead: aws.Bool(true)}
		for _, item := range chunk {
			asked.Keys = append(asked.Keys, s.Key(item))
		}
		ask := map[string]types.KeysAndAttributes{s.Table: asked}
		for pause := 50 * time.Millisecond; len(ask) > 0; pause = min(2*pause, 5*time.Second) {
			out, err := s.Client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: ask})
			if err != nil {
				return nil, fmt.Errorf("look items up in %s: %w", s.Table, err)
			}
			if found, ask = append(found, out.Responses[s.Table]...), out.UnprocessedKeys; len(ask) > 0 {
				if err := smithytime.SleepWithContext(ctx, pause); err != nil {
					return nil, err
				}
			}
		}
	}
	return found, nil
}

// Key returns an item's key attributes.
func (s *Source) Key(item Item) Item {
	key := Item{}
	for _, name := range s.Keys {
		key[name] = item[name]
	}
	return key
}

// KeyText names an item by its key, for people.
func (s *Source) KeyText(item Item) string { return KeyText(s.Keys, item) }

// KeyText names an item by these attributes, for people. A number has one form, however it is written.
func KeyText(keys []string, item Item) string {
	var parts []string
	for _, name := range keys {
		switch v := item[name].(type) {
		case *types.AttributeValueMemberS:
			parts = append(parts, fmt.Sprintf("%s=%q", name, v.Value))
		case *types.AttributeValueMemberN:
			text := v.Value
			if n, err := decimal.NewFromString(text); err == nil {
				text = n.String()
			}
			parts = append(parts, name+"="+text)
		case *types.AttributeValueMemberB:
			parts = append(parts, fmt.Sprintf("%s=%x", name, v.Value))
		}
	}
	return strings.Join(parts, " ")
}
