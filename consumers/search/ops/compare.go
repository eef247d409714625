package ops

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"sluice/consumers/search/internal/document"
	"sluice/shared/change"
	"sluice/shared/declaration"
	"sluice/shared/operate"
)

// Foreign is a document that searches find, but that Sluice has not written. No repair touches it.
const Foreign = "foreign"

// Comparison compares the route's index with its table, reading the table in so many segments. What differs is named by the ids
// of documents. Unsearched values and documents whose items nobody can find are notes.
func (p *Operator) Comparison(segments int) operate.Comparison {
	return &comparison{Operator: p, segments: segments}
}

// comparison is one comparison.
type comparison struct {
	*Operator
	segments int
	exists   bool // the index

	mu         sync.Mutex // guards what follows while segments are read
	found      operate.Look
	scanned    map[[16]byte]bool // hashes of the ids of all items that the route takes
	unknown    int               // documents without an item by whose id no item can be found
	unsearched map[string]int    // documents, by the field that has a value too long for its mapping
}

var (
	_ operate.Comparison = (*comparison)(nil)
	_ operate.Repairer   = (*comparison)(nil)
)

// sighting is what a look saw of a document that differs: its item's key, and what shows later whether a side was written.
type sighting struct {
	key     operate.Item // nil of a Foreign document
	item    uint64       // a hash of the item
	version int64        // the document's; 0: there is none
}

func (s sighting) same(other sighting) bool {
	return s.item == other.item && s.version == other.version
}

// hashed keeps a set of ids small. Two ids with the same 128 bits don't occur.
func hashed(id string) [16]byte {
	hash := sha256.Sum256([]byte(id))
	return [16]byte(hash[:16])
}

// Look implements operate.Comparison. The first look reads the table and looks its documents up, then reads all that searches find
// and looks for documents whose item it hasn't seen. A suspect is read in the table, then in the index.
func (l *comparison) Look(ctx context.Context, suspects []operate.Difference) (operate.Look, error) {
	if len(suspects) == 0 {
		err := l.whole(ctx)
		return l.found, operate.NotYet(err) // an index that was just created can't be searched yet
	}
	differences, err := l.again(ctx, suspects)
	look := l.found // with what can't be used now
	look.Differences = differences
	return look, err
}

// whole looks at both sides whole.
func (l *comparison) whole(ctx context.Context) error {
	l.found, l.scanned, l.unknown, l.unsearched = operate.Look{}, map[[16]byte]bool{}, 0, map[string]int{}
	if err := l.source.Open(ctx); err != nil {
		return err
	}
	if err := l.openIndex(ctx); err != nil {
		return err
	}
	if err := l.source.Scan(ctx, l.segments, l.page); err != nil {
		return err
	}
	if err := l.searchAll(ctx); err != nil {
		return err
	}
	if l.unknown > 0 {
		l.found.Notes = append(l.found.Notes, fmt.Sprintf("%s of index %s can't be looked up: their ids are hashes, and the route doesn't keep the keys.",
			operate.Count(l.unknown, "document"), l.Route.Index))
	}
	for _, field := range slices.Sorted(maps.Keys(l.unsearched)) {
		l.found.Notes = append(l.found.Notes, fmt.Sprintf("%s of index %s have a value in field %s that is too long for its mapping: no search of that field finds the value.",
			operate.Count(l.unsearched[field], "document"), l.Route.Index, field))
	}
	return nil
}

// openIndex finds out whether the index exists, and lets searches find all that it has. The function creates the index with its
// first change.
func (l *comparison) openIndex(ctx context.Context) error {
	_, err := l.findIndexes(ctx)
	_, none := errors.AsType[*noIndexError](err)
	if l.exists = !none; none {
		return nil
	}
	if err != nil {
		return err
	}
	return l.client.refresh(ctx, l.Route.Index)
}

// page looks up the documents of a page of items.
func (l *comparison) page(ctx context.Context, page operate.Page) error {
	var items []*change.Change
	var hashes []uint64
	var ids []string
	for _, item := range page.Items {
		c, err := l.change(item, page.Version)
		if err != nil {
			l.unusable(l.source.KeyText(item), err)
			continue
		}
		if l.Route.Effect(c) == declaration.Put {
			items, hashes, ids = append(items, c), append(hashes, change.ItemHash(item)), append(ids, document.ID(c.Keys))
		}
	}
	held, shown, err := l.lookUp(ctx, ids)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.found.Items += len(items)
	for i, c := range items {
		l.scanned[hashed(ids[i])] = true
		if d := differs(l.Route, c, held[i], shown[ids[i]]); d.What != "" {
			d.Key, d.Ref = ids[i], sighting{c.Keys.AttributeValues(), hashes[i], held[i].version()}
			l.found.Differences = append(l.found.Differences, d)
		}
	}
	return nil
}

// unusable records an item that can't be read as a change.
func (l *comparison) unusable(key string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.found.AddUnusable(l.Route.Source, key, err)
}

// lookUp returns the documents with these ids, and which of them searches find. Without an index there are none.
func (l *comparison) lookUp(ctx context.Context, ids []string) ([]*heldDocument, map[string]bool, error) {
	if !l.exists {
		return make([]*heldDocument, len(ids)), nil, nil
	}
	held, err := l.client.documents(ctx, l.Route.WriteAlias(), ids)
	if err != nil {
		return nil, nil, err
	}
	shown, err := l.client.shown(ctx, l.Route.Index, ids)
	return held, shown, err
}

// searchAll reads all that searches find, and looks for documents whose item wasn't scanned.
func (l *comparison) searchAll(ctx context.Context) error {
	if !l.exists {
		return nil
	}
	if err := l.client.refresh(ctx, l.Route.Index); err != nil {
		return err
	}
	return l.client.scroll(ctx, l.Route.Index, map[string]any{"sort": []string{"_doc"}, "version": true}, func(hits []hit) error {
		l.found.Held += len(hits)
		for _, h := range hits {
			if err := l.hit(h); err != nil {
				return err
			}
		}
		return nil
	})
}

// hit looks at one document that searches find.
func (l *comparison) hit(h hit) error {
	for _, field := range h.Ignored {
		l.unsearched[field]++
	}
	d := heldDocument{ID: h.ID, Version: h.Version}
	if err := decodeExactly(h.Source, &d.Source); err != nil {
		return fmt.Errorf("read document %s of index %s: %w", h.ID, l.Route.Index, err)
	}
	if !d.visible() {
		return fmt.Errorf("alias %s shows removed items such as %s: its filter is gone; sluice reindex %s rebuilds the index", l.Route.Index, h.ID, l.Route.Name)
	}
	if l.scanned[hashed(h.ID)] {
		return nil
	}
	key, err := l.keyOf(h.ID, d.Source)
	if _, hash := errors.AsType[*document.HashedIDError](err); hash {
		l.unknown++
		return nil
	}
	found := operate.Difference{Key: h.ID, What: operate.Extra, Ref: sighting{key, change.ItemHash(nil), h.Version}}
	if err != nil {
		found.What, found.Values, found.Ref = Foreign, []operate.Value{{Path: "_id", Destination: err.Error()}}, sighting{}
	}
	l.found.Differences = append(l.found.Differences, found)
	return nil
}

// again looks at suspects once more.
func (l *comparison) again(ctx context.Context, suspects []operate.Difference) (differences []operate.Difference, err error) {
	if err := l.openIndex(ctx); err != nil { // it may have been created meanwhile
		return nil, err
	}
	for _, before := range suspects {
		was := before.Ref.(sighting)
		if was.key == nil {
			differences = append(differences, before)
			continue
		}
		now, _, err := l.compareOne(ctx, before.Key, was.key)
		if unreadable, is := errors.AsType[*unreadableError](err); is {
			l.unusable(unreadable.key, unreadable.err)
			continue
		}
		if err != nil {
			return nil, err
		}
		if now.What != "" {
			is := now.Ref.(sighting)
			now.Moving, now.Written = is.version != was.version, before.Written || !is.same(was)
			differences = append(differences, now)
		}
	}
	return differences, nil
}

// unreadableError is returned for an item that can't be read as a change.
type unreadableError struct {
	key string
	err error
}

func (e *unreadableError) Error() string {
	return fmt.Sprintf("item %s can't be read: %v", e.key, e.err)
}

func (e *unreadableError) Unwrap() error { return e.err }

// compareOne reads an item, then its document, and returns what differs. The change is what the document should be made of: nil if
// it should be a tombstone.
func (l *comparison) compareOne(ctx context.Context, id string, key operate.Item) (d operate.Difference, wanted *change.Change, err error) {
	item, version, err := l.source.Get(ctx, key)
	if err != nil {
		return d, nil, err
	}
	if item != nil {
		if wanted, err = l.change(item, version); err != nil {
			return d, nil, &unreadableError{l.source.KeyText(item), err}
		}
		if l.Route.Effect(wanted) != declaration.Put {
			wanted = nil
		}
	}
	ids := []string{id}
	held, shown, err := l.lookUp(ctx, ids)
	if err == nil && held[0].visible() != shown[id] {
		// It may have been written or removed since the last refresh.
		if err = l.client.refresh(ctx, l.Route.Index); err == nil {
			shown, err = l.client.shown(ctx, l.Route.Index, ids)
		}
	}
	if err != nil {
		return d, nil, err
	}
	d = differs(l.Route, wanted, held[0], shown[id])
	d.Key, d.Ref = id, sighting{key, change.ItemHash(item), held[0].version()}
	return d, wanted, nil
}
