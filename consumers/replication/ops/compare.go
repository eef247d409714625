package ops

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"sluice/consumers/replication"
	"sluice/consumers/replication/internal/store"
	"sluice/consumers/replication/mark"
	"sluice/shared/change"
	"sluice/shared/operate"
)

var _ operate.Repairer = (*pair)(nil)

// scannedMark is the mark of an item that was read by a request sent at a moment. Any change within the margin before it is newer, too,
// and brings the item as it is.
func scannedMark(sent time.Time, home string) mark.Mark {
	return versionMark(sent.Add(-operate.ReadMargin), home)
}

// versionMark is the mark of an item of a page's Version.
func versionMark(version time.Time, home string) mark.Mark {
	µs := version.UnixMicro()
	return mark.New(µs, µs, 0, home)
}

// seen is an item that differed, and what tells whether it was written between two looks: its hashes in both tables.
type seen struct {
	key            store.Item
	source, copied uint64
}

func seenOf(key, source, copied store.Item) seen {
	return seen{key, change.ItemHash(source), change.ItemHash(copied)}
}

// Look implements operate.Comparison: it reads each table in parallel segments, and looks the items up in the other one. A suspect it
// reads in both tables, the copy last.
func (p *pair) Look(ctx context.Context, suspects []operate.Difference) (operate.Look, error) {
	var differences []operate.Difference
	var err error
	if len(suspects) == 0 {
		differences, err = p.scan(ctx)
	} else {
		differences, err = p.again(ctx, suspects)
	}
	return operate.Look{Items: p.items, Held: p.holds, Differences: differences}, err
}

// scan is the first look at both tables.
func (p *pair) scan(ctx context.Context) ([]operate.Difference, error) {
	p.items, p.holds = 0, 0
	if err := p.open(ctx); err != nil {
		return nil, err
	}
	var mu sync.Mutex
	var differences []operate.Difference
	// comparing compares the items of one table's page with those of the other table.
	comparing := func(other *operate.Source) func(context.Context, operate.Page) error {
		return func(ctx context.Context, page operate.Page) error {
			found, err := p.lookUp(ctx, other, page.Items)
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			for _, item := range page.Items {
				key, text := p.source.Key(item), p.source.KeyText(item)
				source, copied := item, found[text]
				if other == p.source {
					p.holds++
					if source, copied = copied, source; source != nil {
						continue // the other scan's matter
					}
				}
				before := seenOf(key, source, copied)
				what, taken := p.differs(source, copied)
				if taken {
					p.items++
				}
				if what != "" {
					differences = append(differences, operate.Difference{Key: text, What: what, Ref: before})
				}
			}
			return nil
		}
	}
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() error { return p.source.Scan(groupCtx, p.segments, comparing(p.held)) })
	group.Go(func() error { return p.held.Scan(groupCtx, p.segments, comparing(p.source)) })
	return differences, group.Wait()
}

// lookUp reads the items with the same keys in a table, by their keys.
func (p *pair) lookUp(ctx context.Context, table *operate.Source, items []store.Item) (map[string]store.Item, error) {
	all, err := table.GetAll(ctx, items)
	found := map[string]store.Item{}
	for _, item := range all {
		found[p.source.KeyText(item)] = item
	}
	return found, err
}

// again looks at suspects once more, several side by side.
func (p *pair) again(ctx context.Context, suspects []operate.Difference) ([]operate.Difference, error) {
	now := make([]operate.Difference, len(suspects))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(replication.Concurrency)
	for i, before := range suspects {
		group.Go(func() (err error) {
			was := before.Ref.(seen)
			if now[i], err = p.compare(ctx, was.key); err != nil {
				return err
			}
			is := now[i].Ref.(seen)
			sourceMoved, copyMoved := is.source != was.source, is.copied != was.copied
			now[i].Moving = copyMoved && (sourceMoved || !p.shared()) // changes of a shared table go both ways
			now[i].Written = before.Written || sourceMoved || copyMoved
			return nil
		})
	}
	err := group.Wait()
	var differences []operate.Difference
	for _, d := range now {
		if d.What != "" {
			differences = append(differences, d)
		}
	}
	return differences, err
}

// differs tells what is wrong with the copy of a source's item, and whether the route takes that. Either is nil if there is none. Both
// items are changed.
func (p *pair) differs(source, copied store.Item) (what string, taken bool) {
	var wanted store.Item
	if source != nil {
		wanted, taken = p.route.Copied(source)
	}
	delete(copied, mark.Attribute)
	switch {
	case !taken && copied == nil, taken && copied != nil && change.EqualItems(wanted, copied):
		return "", taken
	case source == nil && !p.route.RemoveExpired:
		return "", taken // it may have expired, which such a copy keeps
	case !taken:
		return operate.Extra, taken
	case copied == nil:
		return operate.Missing, taken
	}
	return operate.Different, taken
}

// shownValues is how many values of an item are named.
const shownValues = 10

// compare reads an item in both tables, the copy last, and says what is wrong.
func (p *pair) compare(ctx context.Context, key store.Item) (operate.Difference, error) {
	d := operate.Difference{Key: p.source.KeyText(key)}
	source, _, err := p.source.Get(ctx, key)
	if err != nil {
		return d, err
	}
	copied, _, err := p.held.Get(ctx, key)
	if err != nil {
		return d, err
	}
	d.Ref = seenOf(key, source, copied)
	if d.What, _ = p.differs(source, copied); d.What == operate.Different {
		for _, v := range change.Differences(source, copied, shownValues) {
			d.Values = append(d.Values, operate.Value{Path: v.Path, Source: v.A, Destination: v.B})
		}
	}
	return d, nil
}

func (p *pair) Steps(r operate.Report, remove bool) []operate.Step {
	if !p.shared() {
		return []operate.Step{r.Step(remove)}
	}
	s := r.Step(false)
	if extra := r.Count(operate.Extra); extra > 0 {
		s.Write += extra
		s.Notes = []string{fmt.Sprintf("%d of them are not in %s: they are written there, or deleted here if they were deleted there later", extra, r.Source)}
	}
	return []operate.Step{s}
}

// Repair implements operate.Repairer. What the source holds now counts as a change made operate.ReadMargin ago. Items of a shared table
// are brought home, or deleted if they were deleted there later.
func (p *pair) Repair(ctx context.Context, differences []operate.Difference, remove bool) error {
	for i := range differences {
		d := &differences[i]
		if d.What == operate.Extra && !remove && !p.shared() {
			d.Repair = "left alone: --remove-extra deletes it"
			continue
		}
		before := d.Ref.(seen)
		now, err := p.compare(ctx, before.key)
		if err != nil {
			return err
		}
		if is := now.Ref.(seen); d.Written || is.source != before.source || is.copied != before.copied {
			d.Repair = "left alone: it was written while it was compared"
			continue
		}
		if err := p.repair(ctx, d, before.key); err != nil {
			return err
		}
	}
	return nil
}

// repair makes one item what it should be, by the consumer's own rules.
func (p *pair) repair(ctx context.Context, d *operate.Difference, key store.Item) error {
	bring := p.bring
	if p.shared() {
		bring = p.repairShared
	}
	return d.Repaired(bring(ctx, key), "copy")
}

// bring brings one item into the copy as the source holds it now.
func (p *pair) bring(ctx context.Context, key store.Item) error {
	source, version, err := p.source.Get(ctx, key)
	if err != nil {
		return err
	}
	m := versionMark(version, p.home)
	if source != nil {
		if wanted, taken := p.route.Copied(source); taken {
			return p.copy.Put(ctx, key, wanted, m, false)
		}
	}
	return p.copy.Remove(ctx, key, m)
}
