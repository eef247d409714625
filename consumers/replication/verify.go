package replication

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"sluice/consumers/replication/internal/store"
	"sluice/consumers/replication/mark"
	"sluice/shared/change"
	"sluice/shared/consumer"
)

// What can be wrong with an item of a copy.
const (
	Missing   = "missing"   // the copy hasn't got it
	Extra     = "extra"     // the copy has it, the source hasn't, or it doesn't leave
	Different = "different" // they have it in different versions
)

// Verification is what a comparison of a source with its copy found.
type Verification struct {
	Items       int          `json:"items"` // of the source that the route takes
	Held        int          `json:"held"`  // items of the copy
	Differences []Difference `json:"differences"`
	// InFlight items differed at each look, and the copy changed between the looks: their changes were on their way.
	InFlight int `json:"inFlight"`
}

// Difference is an item that the copy doesn't hold as it should.
type Difference struct {
	Key  string `json:"key"`
	What string `json:"what"`
	// Attributes are those of an item that is Different, with both values.
	Attributes []AttributeDifference `json:"attributes,omitempty"`
	// Written: the item was written between the looks, so a repair leaves it alone.
	Written bool `json:"written,omitempty"`
	// Repair is what became of its repair; empty if none was wanted.
	Repair string `json:"repair,omitempty"`

	key  store.Item
	seen hashes
}

// AttributeDifference is a value that a source and its copy hold differently, shortened for people.
type AttributeDifference struct {
	Path   string `json:"path"` // like address.lines[2]
	Source string `json:"source"`
	Copy   string `json:"copy"`
}

// shownDifferences is how many values of an item are named.
const shownDifferences = 10

func differentAttributes(source, copied store.Item) []AttributeDifference {
	var found []AttributeDifference
	for _, d := range change.Differences(source, copied, shownDifferences) {
		found = append(found, AttributeDifference{Path: d.Path, Source: d.A, Copy: d.B})
	}
	return found
}

// VerifyOptions say how to compare.
type VerifyOptions struct {
	// Segments is how many parts of each table are read side by side.
	Segments int
	// Patience is how long after the first look what differed is looked at again.
	// Changes on their way must have arrived by then.
	Patience time.Duration
	// Waiting, if set, is called before each wait for Patience, with how many items differ.
	Waiting func(differ int, wait time.Duration)
}

// looks is how often an item is looked at that is written while it is compared.
const looks = 3

// Verify compares the copy with its source while both are written: it reads each
// table in parallel segments, looks the items up in the other, strongly
// consistent, and looks again at those that differ. A difference that it reports
// was there at each look, and the copy stood still meanwhile.
func (p *Pair) Verify(ctx context.Context, o VerifyOptions) (Verification, error) {
	keys, err := keysOf(ctx, p.source, p.Route.Source)
	if err != nil {
		return Verification{}, err
	}
	l := &look{Pair: p, keys: keys, suspects: map[string]*suspect{}}
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() error { return scan(groupCtx, p.source, p.Route.Source, o.Segments, l.sourcePage) })
	group.Go(func() error { return scan(groupCtx, p.copy.Client, p.Route.Table, o.Segments, l.copyPage) })
	if err := group.Wait(); err != nil {
		return Verification{}, err
	}
	v := Verification{Items: l.items, Held: l.held, Differences: []Difference{}}
	for last := looks - 1; len(l.suspects) > 0 && last > 0; last-- {
		if o.Waiting != nil {
			o.Waiting(len(l.suspects), o.Patience)
		}
		if err := p.sleep(ctx, o.Patience); err != nil {
			return v, err
		}
		for name, s := range l.suspects {
			if err := p.lookAgain(ctx, s, last == 1, &v); err != nil {
				return v, err
			}
			if s.done {
				delete(l.suspects, name)
			}
		}
	}
	slices.SortFunc(v.Differences, func(a, b Difference) int { return cmp.Compare(a.Key, b.Key) })
	return v, nil
}

// lookAgain looks at a suspect once more, and notes in v what it found.
func (p *Pair) lookAgain(ctx context.Context, s *suspect, last bool, v *Verification) error {
	now, d, err := p.compare(ctx, s.key)
	if err != nil {
		return err
	}
	sourceMoved, copyMoved := now.source != s.first.source, now.copied != s.first.copied
	moved := copyMoved
	if p.Shared() { // changes go both ways
		moved = copyMoved && sourceMoved
	}
	switch {
	case d.What == "":
		s.done = true
	case moved:
		v.InFlight++
		s.done = true
	case last || !sourceMoved && !copyMoved:
		d.Written = sourceMoved || copyMoved
		v.Differences = append(v.Differences, d)
		s.done = true
	}
	return nil
}

// Repair makes differences that Verify found the same, by the consumer's own rules: what the source
// holds now counts as a change made ReadMargin ago, so that any change which is on its way wins. It
// leaves alone what was written since, and Extra items of a copy unless extra is true. Those of a shared
// table are brought home, or deleted if they were deleted there later. It notes with each difference what
// became of it. After an error the rest is as it was.
func (p *Pair) Repair(ctx context.Context, differences []Difference, extra bool) error {
	for i := range differences {
		d := &differences[i]
		if d.What == Extra && !extra && !p.Shared() {
			d.Repair = "left alone: --remove-extra deletes it"
			continue
		}
		now, _, err := p.compare(ctx, d.key)
		if err != nil {
			return err
		}
		if d.Written || now != d.seen {
			d.Repair = "left alone: it was written while it was compared"
			continue
		}
		if d.Repair, err = p.repair(ctx, d.key); err != nil {
			return err
		}
	}
	return nil
}

// look is the first look at both tables.
type look struct {
	*Pair
	keys []string // names of the key attributes

	mu       sync.Mutex
	items    int
	held     int
	suspects map[string]*suspect // by change.ItemKey
}

// Shared reports whether the pair is a shared table in two regions.
func (p *Pair) Shared() bool { return p.mirror != nil }

// suspect is an item that differed at the first look.
type suspect struct {
	key   store.Item
	first hashes
	done  bool
}

// hashes are those of an item in both tables. They tell whether it was written between two looks.
type hashes struct{ source, copied uint64 }

// hashesOf returns the hashes of an item, which must be as it was read.
func hashesOf(source, copied store.Item) hashes {
	return hashes{change.ItemHash(source), change.ItemHash(copied)}
}

// sourcePage looks the source's items up in the copy.
func (l *look) sourcePage(ctx context.Context, page []store.Item) error {
	copies, err := l.lookUp(ctx, l.copy.Client, l.Route.Table, page)
	if err != nil {
		return err
	}
	taken := 0
	for _, item := range page {
		name, key, err := l.name(item)
		if err != nil {
			return err
		}
		first := hashesOf(item, copies[name])
		what, ok := l.Route.differs(item, copies[name])
		if ok {
			taken++
		}
		l.suspect(what, name, key, first)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.items += taken
	return nil
}

// copyPage looks the copy's items up in the source. Those that are in both are
// the other scan's matter.
func (l *look) copyPage(ctx context.Context, page []store.Item) error {
	items, err := l.lookUp(ctx, l.source, l.Route.Source, page)
	if err != nil {
		return err
	}
	for _, item := range page {
		name, key, err := l.name(item)
		if err != nil {
			return err
		}
		if items[name] != nil {
			continue
		}
		first := hashesOf(nil, item)
		what, _ := l.Route.differs(nil, item)
		l.suspect(what, name, key, first)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held += len(page)
	return nil
}

func (l *look) suspect(what, name string, key store.Item, first hashes) {
	if what == "" {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.suspects[name] = &suspect{key: key, first: first}
}

// name returns an item's name and its key.
func (l *look) name(item store.Item) (string, store.Item, error) {
	key := keyOf(item, l.keys)
	name, err := change.ItemKey("", key)
	return name, key, err
}

// maxBatchGet is how many items one call may ask for:
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
const maxBatchGet = 100

// lookUp reads the items with the same keys in a table, by name.
func (l *look) lookUp(ctx context.Context, client *dynamodb.Client, table string, page []store.Item) (map[string]store.Item, error) {
	found := map[string]store.Item{}
	for chunk := range slices.Chunk(page, maxBatchGet) {
		asked := types.KeysAndAttributes{ConsistentRead: aws.Bool(true)}
		for _, item := range chunk {
			asked.Keys = append(asked.Keys, keyOf(item, l.keys))
		}
		for ask := map[string]types.KeysAndAttributes{table: asked}; len(ask) > 0; {
			out, err := client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: ask})
			if err != nil {
				return nil, fmt.Errorf("look items up in %s: %w", table, err)
			}
			for _, item := range out.Responses[table] {
				name, _, err := l.name(item)
				if err != nil {
					return nil, err
				}
				found[name] = item
			}
			ask = out.UnprocessedKeys
		}
	}
	return found, nil
}

// differs tells what is wrong with the copy of a source's item, and whether the
// route takes that. Either is nil if there is none. Both items are changed.
func (r *Route) differs(source, copied store.Item) (what string, taken bool) {
	var wanted store.Item
	if source != nil {
		wanted, taken = r.wants(source)
	}
	delete(copied, mark.Attribute)
	switch {
	case !taken && copied == nil, taken && copied != nil && change.EqualItems(wanted, copied):
		return "", taken
	case source == nil && !r.removeExpired:
		return "", taken // it may have expired, which such a copy keeps
	case !taken:
		return Extra, taken
	case copied == nil:
		return Missing, taken
	}
	return Different, taken
}

// compare reads an item in both tables, the copy last, and returns its hashes and what is wrong.
func (p *Pair) compare(ctx context.Context, key store.Item) (hashes, Difference, error) {
	d := Difference{Key: keyText(key), key: key}
	source, err := get(ctx, p.source, p.Route.Source, key)
	if err != nil {
		return d.seen, d, err
	}
	copied, err := get(ctx, p.copy.Client, p.Route.Table, key)
	if err != nil {
		return d.seen, d, err
	}
	d.seen = hashesOf(source, copied)
	if d.What, _ = p.Route.differs(source, copied); d.What == Different {
		d.Attributes = differentAttributes(source, copied)
	}
	return d.seen, d, nil
}

// repair makes one item what it should be, by the consumer's own rules.
func (p *Pair) repair(ctx context.Context, key store.Item) (string, error) {
	bring := p.bring
	if p.mirror != nil {
		bring = p.mirror.repair
	}
	err := bring(ctx, key)
	switch consumer.OutcomeOf(err) {
	case consumer.Applied, consumer.Duplicate:
		return "repaired", nil
	case consumer.Stale:
		return "left alone: the copy is newer", nil
	case consumer.Rejected:
		return err.Error(), nil
	}
	return "", err
}

// bring brings one item into the copy as the source holds it now.
func (p *Pair) bring(ctx context.Context, key store.Item) error {
	m := scannedMark(p.now(), p.Home)
	source, err := get(ctx, p.source, p.Route.Source, key)
	if err != nil {
		return err
	}
	if source != nil {
		if wanted, taken := p.Route.wants(source); taken {
			return p.copy.Put(ctx, key, wanted, m, false)
		}
	}
	return p.copy.Remove(ctx, key, m)
}

// scan visits every page of a table, strongly consistent, in segments side by
// side. visit is called for several pages at once.
func scan(ctx context.Context, client *dynamodb.Client, table string, segments int, visit func(ctx context.Context, page []store.Item) error) error {
	group, ctx := errgroup.WithContext(ctx)
	for segment := range segments {
		group.Go(func() error {
			pages := dynamodb.NewScanPaginator(client, &dynamodb.ScanInput{
				TableName: &table, ConsistentRead: aws.Bool(true),
				Segment: aws.Int32(int32(segment)), TotalSegments: aws.Int32(int32(segments)),
			})
			for pages.HasMorePages() {
				page, err := pages.NextPage(ctx)
				if err != nil {
					return fmt.Errorf("read %s: %w", table, err)
				}
				if err := visit(ctx, page.Items); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}
