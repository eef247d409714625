// Package boards reads views as boards: the items with the highest numbers, of all time or of a day, week or month, and where an item
// stands among all. It writes nothing. No function links it.
//
// # Not guaranteed
//
//   - That an answer holds a change that was made a moment ago: the indexes that it reads are
//     eventually consistent.
package boards

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/shopspring/decimal"

	"sluice/shared/view"
)

// Board reads one view. It is safe for concurrent use.
type Board struct {
	*view.Board
	// MaxCounted is how many items with nearly the same number Rank reads at most
	// to tell their order. Where there are more, ranks are bounded, not exact. 0: DefaultMaxCounted.
	MaxCounted int

	client *dynamodb.Client
	views  []*view.View

	finding sync.Mutex // guards found
	found   order
}

// New returns the board that [Choose] chooses of the views that the consumer keeps.
func New(client *dynamodb.Client, views []*view.View, name string) (*Board, error) {
	chosen, err := Choose(views, name)
	if err != nil {
		return nil, err
	}
	return &Board{Board: chosen, client: client, views: views}, nil
}

// Choose returns the view with a name as a board; with an empty name, the first one that is a board. The error says which ones are.
func Choose(views []*view.View, name string) (*view.Board, error) {
	var names []string
	for _, v := range views {
		b, err := v.Board()
		if err == nil && (name == v.Name || name == "") {
			return b, nil
		}
		if err == nil {
			names = append(names, v.Name)
		} else if name == v.Name {
			return nil, fmt.Errorf("view %s is no board: %w", name, err)
		}
	}
	if len(names) == 0 {
		return nil, ErrNoBoard
	}
	return nil, fmt.Errorf("no view %s is declared; the boards are: %s", name, strings.Join(names, ", "))
}

// Entry is one item of a board.
type Entry struct {
	Name   string          `json:"name"`
	Number decimal.Decimal `json:"number"`
	// Since is when the newest change of the number was made, to the
	// microsecond; zero if the view doesn't keep it or the item is from before the view did.
	Since time.Time `json:"since,omitzero"`
	// Problem says what else of the item can't be read; the rest is right.
	Problem string `json:"problem,omitempty"`
}

// Compare orders entries as a board does: the higher number first, of equal ones
// that which has stood longest, and of those the first name.
func (e Entry) Compare(o Entry) int {
	return cmp.Or(o.Number.Cmp(e.Number), e.Since.Compare(o.Since), cmp.Compare(e.Name, o.Name))
}

// BoxAt returns the day, week or month that holds a moment; "" if the board is of all time.
func (b *Board) BoxAt(at time.Time) string {
	if b.Box == nil {
		return ""
	}
	return b.Box.At(at)
}

// Top returns the n entries with the highest numbers of a box, in the order of
// [Entry.Compare]; the box of a board of all time is "". An index that holds keys only
// doesn't tell since when a number has stood; there equal ones are by name. Top asks all shards
// of the index side by side for their n best and merges them. The index is
// eventually consistent: a number that changed a moment ago may still be the old
// one.
func (b *Board) Top(ctx context.Context, box string, n int) ([]Entry, error) {
	if n <= 0 {
		return nil, nil
	}
	best, _, err := b.read(ctx, stretch{box: box, n: n})
	if err != nil {
		return nil, fmt.Errorf("read the top %d of %s: %w", n, b.Table, err)
	}
	return best[:min(n, len(best))], nil
}

// All reads a board of all time whole, from the table itself, strongly consistent. It returns its entries in the order of
// [Entry.Compare].
func (b *Board) All(ctx context.Context) ([]Entry, error) {
	in, err := b.order(ctx)
	if err != nil {
		return nil, err
	}
	var entries []Entry
	projection, names := b.attributes(in.number)
	pages := dynamodb.NewScanPaginator(b.client, &dynamodb.ScanInput{
		TableName: &b.Table, ConsistentRead: aws.Bool(true), ProjectionExpression: &projection, ExpressionAttributeNames: names,
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", b.Table, err)
		}
		for _, item := range page.Items {
			e, ours, err := b.entry(item, in.number)
			if err != nil {
				return nil, err
			}
			if ours {
				entries = append(entries, e)
			}
		}
	}
	slices.SortFunc(entries, Entry.Compare)
	return entries, nil
}

// attributes returns the projection that entry needs.
func (b *Board) attributes(number string) (projection string, names map[string]string) {
	names = map[string]string{}
	for i, attribute := range append(b.KeyNames(), number, b.Since) {
		if attribute != "" {
			names[fmt.Sprintf("#a%d", i)] = attribute
		}
	}
	return strings.Join(slices.Sorted(maps.Keys(names)), ", "), names
}

// entry reads an item of the board's table. It isn't ours if it can't be one of the view.
func (b *Board) entry(item map[string]types.AttributeValue, number string) (e Entry, ours bool, err error) {
	name, ours := b.Name(item)
	if !ours {
		return Entry{}, false, nil
	}
	value, err := Number(item, number)
	if err != nil {
		return Entry{}, true, &ItemError{Table: b.Table, Item: fmt.Sprintf("item %q", name), Err: err}
	}
	e = Entry{Name: name, Number: value}
	if _, kept := item[b.Since]; !kept {
		return e, true, nil // an older item, or an index with keys only
	}
	since, err := Number(item, b.Since)
	switch {
	case err != nil:
		e.Problem = err.Error()
	case !since.IsInteger() || since.IsNegative() || since.GreaterThan(maxSince):
		e.Problem = fmt.Sprintf("attribute %s is no time in microseconds", b.Since)
	default:
		e.Since = time.UnixMicro(since.IntPart()).UTC()
	}
	return e, true, nil
}

// maxSince is the last time that JSON can hold, the end of the year 9999, in microseconds.
var maxSince = decimal.NewFromInt(time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC).UnixMicro())

// Number returns a number that an item has.
func Number(item map[string]types.AttributeValue, name string) (decimal.Decimal, error) {
	n, ok := item[name].(*types.AttributeValueMemberN)
	if _, has := item[name]; !has {
		return decimal.Zero, fmt.Errorf("attribute %s is missing", name)
	}
	if !ok {
		return decimal.Zero, fmt.Errorf("attribute %s is no number", name)
	}
	return decimal.NewFromString(n.Value)
}
