package search

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/opensearch-project/opensearch-go/v2/opensearchapi"
	"golang.org/x/sync/errgroup"

	"sluice/shared/change"
	"sluice/shared/consumer"
)

// What can be wrong with a document.
const (
	Missing   = "missing"   // the table has the item, searches don't find it
	Extra     = "extra"     // searches find it, the table hasn't the item, or the route doesn't take it
	Different = "different" // it isn't what the item makes of it
)

// Verification is what a comparison of a table with its index found.
type Verification struct {
	Route       string       `json:"route"`
	Items       int          `json:"items"` // of the table that the route takes
	Differences []Difference `json:"differences"`
	// Unknown are documents without an item by whose id no item can be found: their
	// ids are hashes, and the route doesn't keep the keys. Some may be extra.
	Unknown int `json:"unknown"`
}

// Difference is a document that isn't as it should be.
type Difference struct {
	ID   string `json:"id"`
	What string `json:"what"`
	// Repair is what became of its repair; empty if none was wanted.
	Repair string `json:"repair,omitempty"`
}

// VerifyOptions say how to compare.
type VerifyOptions struct {
	// Segments is how many parts of the table are read side by side.
	Segments int
	// Patience is how long after the first look what differed is looked at again.
	// Changes on their way must have arrived by then.
	Patience time.Duration
	// Repair writes what still differs by the consumer's own rules: what the table holds
	// now counts as a change made ReadMargin ago, so any change on its way wins.
	Repair bool
}

// Verify compares the index with its table while both are written: it reads the table
// in parallel segments and looks the documents up, then looks through what searches
// find for documents whose item it hasn't seen, and looks again at what differs. Of what
// it reports it has seen a difference twice.
func (p *Pair) Verify(ctx context.Context, o VerifyOptions) (Verification, error) {
	v := Verification{Route: p.Route.Name, Differences: []Difference{}}
	source, err := p.source(ctx)
	if err != nil {
		return v, err
	}
	there, err := p.there(ctx, o.Repair)
	if err != nil {
		return v, err
	}
	l := &comparison{Pair: p, source: source, there: there, seen: map[[16]byte]bool{}, suspects: map[string]map[string]types.AttributeValue{}}
	group, groupCtx := errgroup.WithContext(ctx)
	for n := range o.Segments {
		group.Go(func() error { return l.segment(groupCtx, n, o.Segments) })
	}
	if err := group.Wait(); err != nil {
		return v, err
	}
	if err := l.found(ctx); err != nil {
		return v, err
	}
	v.Items, v.Unknown = l.items, l.unknown
	if len(l.suspects) == 0 {
		return v, nil
	}
	if err := p.sleep(ctx, o.Patience); err != nil {
		return v, err
	}
	if l.there, err = p.there(ctx, o.Repair); err != nil { // it may have been made meanwhile
		return v, err
	}
	for id, key := range l.suspects {
		d := Difference{ID: id}
		var item *change.Change
		if item, d.What, err = l.secondLook(ctx, id, key); err != nil {
			return v, err
		}
		if d.What == "" {
			continue
		}
		if o.Repair {
			if d.Repair, err = p.repair(ctx, id, item); err != nil {
				return v, err
			}
		}
		v.Differences = append(v.Differences, d)
	}
	slices.SortFunc(v.Differences, func(a, b Difference) int { return cmp.Compare(a.ID, b.ID) })
	return v, nil
}

// comparison is one run's first look.
type comparison struct {
	*Pair
	source *source
	there  bool // whether the index is

	mu       sync.Mutex
	items    int
	unknown  int
	seen     map[[16]byte]bool                          // hashes of the ids of all items that the route takes
	suspects map[string]map[string]types.AttributeValue // keys, by document
}

// hashed keeps a set of ids small; two with one hash don't occur.
func hashed(id string) [16]byte {
	hash := sha256.Sum256([]byte(id))
	return [16]byte(hash[:16])
}

// segment compares one part of the table, page by page.
func (l *comparison) segment(ctx context.Context, n, segments int) error {
	var from map[string]types.AttributeValue
	for {
		items, next, err := l.source.page(ctx, n, segments, from)
		if err != nil {
			return err
		}
		if err := l.page(ctx, items); err != nil {
			return err
		}
		if from = next; from == nil {
			return nil
		}
	}
}

// page looks the documents of a page of items up.
func (l *comparison) page(ctx context.Context, items []*change.Change) error {
	items = slices.DeleteFunc(items, func(c *change.Change) bool { return l.Route.effect(c) != put })
	ids := make([]string, len(items))
	for i, c := range items {
		ids[i] = documentID(c.Keys)
	}
	documents, err := l.documents(ctx, ids)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.items += len(items)
	for i, c := range items {
		l.seen[hashed(ids[i])] = true
		if l.Route.differs(c, documents[i]) != "" {
			l.suspects[ids[i]] = c.Keys.AttributeValues()
		}
	}
	return nil
}

// there tells whether the route's index is there, which the function makes with its first
// change. make has it made otherwise.
func (p *Pair) there(ctx context.Context, make bool) (bool, error) {
	_, err := p.look(ctx)
	if _, none := errors.AsType[*noIndexError](err); !none {
		return err == nil, err
	}
	if !make {
		return false, nil
	}
	return true, p.client.make(ctx, p.Route)
}

// documents is documentsOf, also if there is no index yet.
func (l *comparison) documents(ctx context.Context, ids []string) ([]*document, error) {
	if !l.there {
		return make([]*document, len(ids)), nil
	}
	return l.documentsOf(ctx, ids)
}

// document is one that is in an index.
type document struct {
	ID     string `json:"_id"`
	Source map[string]any
}

// visible tells whether searches find it.
func (d *document) visible() bool {
	if d == nil {
		return false
	}
	own, _ := d.Source[Field].(map[string]any)
	return own["deleted"] != true
}

// documentsOf reads documents as they are now, without waiting for a refresh; nil
// for one that isn't there.
func (p *Pair) documentsOf(ctx context.Context, ids []string) ([]*document, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	body, err := json.Marshal(map[string]any{"ids": ids})
	if err != nil {
		return nil, err
	}
	var answer struct {
		Docs []struct {
			ID     string         `json:"_id"`
			Source map[string]any `json:"_source"`
			Found  bool
			Error  *Cause
		}
	}
	what := "look documents up in index " + p.Route.all()
	text, err := p.client.do(ctx, what, func() opensearchapi.Request {
		return opensearchapi.MgetRequest{Index: p.Route.all(), Body: bytes.NewReader(body)}
	})
	if err != nil {
		return nil, err
	}
	if err := exactly(text, &answer); err != nil {
		return nil, fmt.Errorf("read the answer to %s: %w", what, err)
	}
	if len(answer.Docs) != len(ids) {
		return nil, fmt.Errorf("%s: %d are asked for, %d answered", what, len(ids), len(answer.Docs))
	}
	documents := make([]*document, len(ids))
	for i, d := range answer.Docs {
		if d.ID != ids[i] || d.Error != nil {
			return nil, fmt.Errorf("%s: %s is answered as %s, %v", what, ids[i], d.ID, d.Error)
		}
		if d.Found {
			documents[i] = &document{d.ID, d.Source}
		}
	}
	return documents, nil
}

// exactly decodes JSON with numbers as they are written.
func exactly(text []byte, out any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	return decoder.Decode(out)
}

// differs tells what is wrong with the document of an item; item is nil if there is
// none that the route takes.
func (r *Route) differs(item *change.Change, d *document) string {
	switch {
	case item == nil && d.visible():
		return Extra
	case item == nil:
		return ""
	case !d.visible():
		return Missing
	case !sameDocument(r.fieldsOf(item), d.Source):
		return Different
	}
	return ""
}

// found looks through all that searches find for documents whose item wasn't seen.
func (l *comparison) found(ctx context.Context) error {
	if !l.there {
		return nil
	}
	if err := l.client.refresh(ctx, l.Route.Index); err != nil {
		return err
	}
	return l.client.scroll(ctx, l.Route.Index, map[string]any{"sort": []string{"_doc"}}, func(hits []hit) error {
		for _, h := range hits {
			var d document
			if err := exactly(h.Source, &d.Source); err != nil {
				return fmt.Errorf("read document %s of index %s: %w", h.ID, l.Route.Index, err)
			}
			if !d.visible() {
				return fmt.Errorf("alias %s shows removed items such as %s: its filter is gone; sluice reindex %s makes it anew", l.Route.Index, h.ID, l.Route.Name)
			}
			if l.seen[hashed(h.ID)] {
				continue
			}
			key, err := l.source.keyOf(h.ID, d.Source)
			if _, hash := errors.AsType[*hashedError](err); hash {
				l.unknown++
				continue
			}
			if err != nil {
				return fmt.Errorf("document %s of index %s: %w", h.ID, l.Route.Index, err)
			}
			l.suspects[h.ID] = key
		}
		return nil
	})
}

// secondLook reads an item, then its document, and tells what is wrong. item is nil if
// there is none that the route takes.
func (l *comparison) secondLook(ctx context.Context, id string, key map[string]types.AttributeValue) (item *change.Change, what string, err error) {
	sent := l.now()
	out, err := l.table.GetItem(ctx, &dynamodb.GetItemInput{TableName: &l.Route.Source, Key: key, ConsistentRead: aws.Bool(true)})
	if err != nil {
		return nil, "", fmt.Errorf("read an item of %s: %w", l.Route.Source, err)
	}
	if out.Item != nil {
		if item, err = l.source.read(out.Item, sent); err != nil {
			return nil, "", err
		}
		if l.Route.effect(item) != put {
			item = nil
		}
	}
	documents, err := l.documents(ctx, []string{id})
	if err != nil {
		return nil, "", err
	}
	return item, l.Route.differs(item, documents[0]), nil
}

// repair writes what an item makes of its document, or that there is none.
func (p *Pair) repair(ctx context.Context, id string, item *change.Change) (string, error) {
	removed := change.Change{Version: p.now().Add(-ReadMargin).UnixMicro()}
	o := &operation{to: p.Route, id: id, version: scannedVersion(&removed)}
	if item != nil {
		operations, faults := p.documents([]*change.Change{item})
		if len(faults) > 0 {
			return faults[0].Error(), nil
		}
		o = operations[0]
	} else {
		o.document = appendTombstone(nil, &removed, p.now())
	}
	p.client.writeLive(ctx, []*operation{o})
	switch consumer.OutcomeOf(o.err) {
	case consumer.Applied, consumer.Duplicate:
		return "repaired", nil
	case consumer.Stale:
		return "left alone: the index is newer", nil
	case consumer.Rejected:
		return o.err.Error(), nil
	}
	return "", o.err
}
