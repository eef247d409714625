package verify

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/shopspring/decimal"
	"golang.org/x/sync/errgroup"

	"sluice/shared/aggregate"
	"sluice/shared/change"
	"sluice/shared/operate"
	"sluice/shared/view"
)

// look is what one reading of all tables found.
type look struct {
	*Comparison

	only    map[cell]standing // what is looked at; nil: everything
	skipped []string          // views that aren't compared, with the reason

	mu             sync.Mutex
	source, stored map[cell]decimal.Decimal
	taken          map[cell]string // of items: sum is ""
	bad            map[cell]bool   // stored values that are no sums
	closed         map[string]int  // items, by view
	unusable       int
	named          []operate.Unusable
}

// look reads all tables that it needs.
func (c *Comparison) look(ctx context.Context, only map[cell]standing) (*look, error) {
	l := &look{
		Comparison: c, only: only, source: map[cell]decimal.Decimal{}, stored: map[cell]decimal.Decimal{},
		taken: map[cell]string{}, bad: map[cell]bool{}, closed: map[string]int{},
	}
	needed := map[string]bool{}
	for c := range only {
		needed[c.view] = true
	}
	sources, tables := map[string][]*view.View{}, map[string][]*view.View{}
	for _, v := range c.Views {
		if err := v.Rebuildable(); err != nil {
			l.skipped = append(l.skipped, err.Error())
		} else if only == nil || needed[v.Name] {
			sources[v.Source], tables[v.Table] = append(sources[v.Source], v), append(tables[v.Table], v)
		}
	}
	group, groupCtx := errgroup.WithContext(ctx)
	for table, views := range sources {
		group.Go(func() error { return l.scan(groupCtx, table, views, l.addSource) })
	}
	for table, views := range tables {
		group.Go(func() error { return l.scan(groupCtx, table, views, l.addStored) })
	}
	err := group.Wait()
	for c := range l.bad { // named, so not compared
		delete(l.source, c)
		delete(l.stored, c)
	}
	return l, err
}

// scan adds every item of a table. Add is called for several at once.
func (l *look) scan(ctx context.Context, table string, views []*view.View, add func(s *operate.Source, views []*view.View, i operate.Item)) error {
	source, err := operate.OpenSource(ctx, l.Client, table)
	if err != nil {
		return err
	}
	return source.Scan(ctx, l.Segments, func(_ context.Context, page operate.Page) error {
		for _, i := range page.Items {
			add(source, views, i)
		}
		return nil
	})
}

// addSource adds what an item of a source counts for, as a rebuild does.
func (l *look) addSource(s *operate.Source, views []*view.View, i operate.Item) {
	c, err := change.FromItem(s.Table, s.Keys, i, l.closes)
	if err != nil {
		l.cannotUse(s, i, err.Error())
		return
	}
	var faults []string
	for _, v := range views {
		counted, err := v.Standing(c, l.Horizon)
		if err != nil {
			faults = append(faults, fmt.Sprintf("view %s: %v", v.Name, err))
			continue
		}
		if counted.Target.Key != nil {
			l.add(l.source, v.Name, keyText(counted.Target.Key), counted.Sums)
		}
	}
	l.cannotUse(s, i, faults...)
}

// addStored adds the sums in an item of a view.
func (l *look) addStored(s *operate.Source, views []*view.View, i operate.Item) {
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
	l.cannotUse(s, i, faults...)
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
func (l *look) cannotUse(s *operate.Source, i operate.Item, faults ...string) {
	if len(faults) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	one := operate.Unusable{Table: s.Table, Key: s.KeyText(i), Reason: strings.Join(faults, "; ")}
	named := slices.IndexFunc(l.named, func(o operate.Unusable) bool { return o.Table == one.Table && o.Key == one.Key })
	if named >= 0 { // as an item of a view and of another view's source
		before := &l.named[named].Reason
		*before = min(*before, one.Reason) + "; " + max(*before, one.Reason)
		return
	}
	if l.unusable++; len(l.named) < operate.MaxFaults {
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

// summary says how much was compared.
func (l *look) summary() operate.Look {
	items, stored := map[cell]bool{}, map[cell]bool{}
	for c := range l.cells() {
		items[cell{c.view, c.key, ""}] = true
	}
	for c := range l.stored {
		stored[cell{c.view, c.key, ""}] = true
	}
	views := len(l.Views) - len(l.skipped)
	o := operate.Look{
		Items: len(items), Held: len(stored), Unusable: l.named, UnusableCount: l.unusable, NotCompared: l.skipped,
		Equal: fmt.Sprintf("%s of %s compared with their sources. Every total is the sum of what its source holds.", operate.Count(len(items), "item"), operate.Count(views, "view")),
	}
	for _, name := range slices.Sorted(maps.Keys(l.closed)) {
		o.Notes = append(o.Notes, fmt.Sprintf("View %s: %s of closed boxes are not compared.", name, operate.Count(l.closed[name], "item")))
	}
	return o
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

// keyText names an item of a view by its key.
func keyText(key operate.Item) string { return operate.KeyText(slices.Sorted(maps.Keys(key)), key) }
