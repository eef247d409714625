package verify

import (
	"context"
	"errors"
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
	"golang.org/x/sync/errgroup"

	"sluice/shared/aggregate"
	"sluice/shared/change"
	"sluice/shared/view"
)

// item is an item of a table.
type item = map[string]types.AttributeValue

// look is what one reading of all tables found.
type look struct {
	*run
	only         map[cell]suspect // what is looked at; nil: everything
	began, ended time.Time
	skipped      map[string]string // views that aren't compared, with the reason

	mu             sync.Mutex
	source, stored map[cell]decimal.Decimal
	taken          map[cell]string // of items: sum is ""
	bad            map[cell]bool   // stored values that are no sums
	closed         map[string]int  // items, by view
	unusable       int
	named          []Item
}

// look reads all tables that it needs.
func (r *run) look(ctx context.Context, only map[cell]suspect) (*look, error) {
	l := &look{
		run: r, only: only, began: r.Now(), skipped: map[string]string{}, source: map[cell]decimal.Decimal{}, stored: map[cell]decimal.Decimal{},
		taken: map[cell]string{}, bad: map[cell]bool{}, closed: map[string]int{}, named: []Item{},
	}
	needed := map[string]bool{}
	for c := range only {
		needed[c.view] = true
	}
	sources, tables := map[string][]*view.View{}, map[string][]*view.View{}
	for _, v := range r.Views {
		if err := v.Rebuildable(); err != nil {
			l.skipped[v.Name] = err.Error()
		} else if only == nil || needed[v.Name] {
			sources[v.Source], tables[v.Table] = append(sources[v.Source], v), append(tables[v.Table], v)
		}
	}
	group, groupCtx := errgroup.WithContext(ctx)
	for table, views := range sources {
		group.Go(func() error {
			return l.scan(groupCtx, table, func(keys []string, i item) { l.addSource(table, keys, views, i) })
		})
	}
	for table, views := range tables {
		group.Go(func() error {
			return l.scan(groupCtx, table, func(keys []string, i item) { l.addStored(table, keys, views, i) })
		})
	}
	err := group.Wait()
	l.ended = r.Now()
	for c := range l.bad { // named, so not compared
		delete(l.source, c)
		delete(l.stored, c)
	}
	return l, err
}

// scan visits every item of a table, strongly consistent. visit is called for several at once.
func (l *look) scan(ctx context.Context, table string, visit func(keys []string, i item)) error {
	var out *dynamodb.DescribeTableOutput
	err := l.inTime(ctx, func(ctx context.Context) (err error) {
		out, err = l.Client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &table})
		return err
	})
	if err != nil {
		return fmt.Errorf("describe table %s: %w", table, err)
	}
	var keys []string
	for _, key := range out.Table.KeySchema {
		keys = append(keys, *key.AttributeName)
	}
	group, ctx := errgroup.WithContext(ctx)
	for segment := range l.Segments {
		group.Go(func() error {
			pages := dynamodb.NewScanPaginator(l.Client, &dynamodb.ScanInput{
				TableName: &table, ConsistentRead: aws.Bool(true), Segment: aws.Int32(int32(segment)), TotalSegments: aws.Int32(int32(l.Segments)),
			})
			for pages.HasMorePages() {
				var page *dynamodb.ScanOutput
				err := l.inTime(ctx, func(ctx context.Context) (err error) {
					page, err = pages.NextPage(ctx)
					return err
				})
				if err != nil {
					return fmt.Errorf("read %s, segment %d: %w", table, segment, err)
				}
				for _, i := range page.Items {
					visit(keys, i)
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// inTime makes a call, which may take no longer than Answer.
func (l *look) inTime(ctx context.Context, call func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, l.Answer, errNoAnswer)
	defer cancel()
	err := call(ctx)
	if err != nil && errors.Is(context.Cause(ctx), errNoAnswer) {
		return fmt.Errorf("%w within %v", errNoAnswer, l.Answer)
	}
	return err
}

var errNoAnswer = errors.New("the server gave no answer")

// addSource adds what an item of a source counts for, as a rebuild does.
func (l *look) addSource(table string, keys []string, views []*view.View, i item) {
	c, err := change.FromItem(table, keys, i, l.closes)
	if err != nil {
		l.cannotUse(table, keys, i, err.Error())
		return
	}
	var faults []string
	for _, v := range views {
		s, err := v.Standing(c, l.Horizon)
		if err != nil {
			faults = append(faults, fmt.Sprintf("view %s: %v", v.Name, err))
			continue
		}
		if s.Target.Key != nil {
			l.add(l.source, v.Name, keyText(s.Target.Key), s.Sums)
		}
	}
	l.cannotUse(table, keys, i, faults...)
}

// addStored adds the sums in an item of a view.
func (l *look) addStored(table string, keys []string, views []*view.View, i item) {
	var faults []string
	for _, v := range views {
		target, own, err := v.Own(i)
		if err != nil {
			faults = append(faults, err.Error())
			continue
		}
		if !own {
			continue
		}
		if !target.Closes.IsZero() && target.Closes.Before(l.closes) {
			l.mu.Lock()
			l.closed[v.Name]++
			l.mu.Unlock()
			continue
		}
		key := keyText(target.Key)
		sums := map[string]decimal.Decimal{}
		for _, name := range target.Sums {
			sum, err := numberOf(i[name])
			if err != nil {
				faults = append(faults, fmt.Sprintf("view %s: attribute %s: %v", v.Name, name, err))
				l.mu.Lock()
				l.bad[cell{v.Name, key, name}] = true
				l.mu.Unlock()
			}
			sums[name] = sum
		}
		l.add(l.stored, v.Name, key, sums)
		l.mu.Lock()
		l.taken[cell{v.Name, key, ""}] = aggregate.Taken(i)
		l.mu.Unlock()
	}
	l.cannotUse(table, keys, i, faults...)
}

func (l *look) add(to map[cell]decimal.Decimal, v, key string, sums map[string]decimal.Decimal) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for name, sum := range sums {
		c := cell{v, key, name}
		if _, looked := l.only[c]; looked || l.only == nil {
			to[c] = to[c].Add(sum)
		}
	}
}

// cannotUse notes an item that has faults: one item, however many views it is for.
func (l *look) cannotUse(table string, keys []string, i item, faults ...string) {
	if len(faults) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	key := item{}
	for _, name := range keys {
		key[name] = i[name]
	}
	one := Item{Table: table, Key: keyText(key), Reason: strings.Join(faults, "; ")}
	named := slices.IndexFunc(l.named, func(o Item) bool { return o.Table == one.Table && o.Key == one.Key })
	if named >= 0 { // as an item of a view and of another view's source
		before := &l.named[named].Reason
		*before = min(*before, one.Reason) + "; " + max(*before, one.Reason)
		return
	}
	if l.unusable++; len(l.named) < MaxNamed {
		l.named = append(l.named, one)
	}
}

// cells are all sums that either side has, and those that are looked at: a suspect that
// neither side has any more is equal.
func (l *look) cells() map[cell]bool {
	cells := map[cell]bool{}
	for _, all := range []map[cell]decimal.Decimal{l.source, l.stored} {
		for c := range all {
			cells[c] = true
		}
	}
	for c := range l.only {
		cells[c] = true
	}
	return cells
}

// views tells how much of each view was compared.
func (l *look) views() []View {
	items := map[string]map[string]bool{}
	for c := range l.cells() {
		if items[c.view] == nil {
			items[c.view] = map[string]bool{}
		}
		items[c.view][c.key] = true
	}
	views := []View{}
	for _, v := range l.Views {
		views = append(views, View{Name: v.Name, Items: len(items[v.Name]), Closed: l.closed[v.Name], NotCompared: l.skipped[v.Name]})
	}
	return views
}

// numberOf reads a sum; one that isn't there is 0.
func numberOf(v types.AttributeValue) (decimal.Decimal, error) {
	switch v := v.(type) {
	case nil:
		return decimal.Zero, nil
	case *types.AttributeValueMemberN:
		return decimal.NewFromString(v.Value)
	}
	return decimal.Zero, fmt.Errorf("is no number")
}

// keyText names an item by its key. A number has one form.
func keyText(key item) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(key)) {
		switch v := key[name].(type) {
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
