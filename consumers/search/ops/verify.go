package ops

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

	"sluice/consumers/search/internal/document"
	"sluice/consumers/search/internal/index"
	"sluice/shared/change"
	"sluice/shared/consumer"
)

// What can be wrong with a document.
const (
	Missing   = "missing"   // the table has the item, searches don't find it
	Extra     = "extra"     // searches find it, the table hasn't the item, or the route doesn't take it
	Different = "different" // it isn't what the item makes of it
	Foreign   = "foreign"   // searches find it, but Sluice hasn't written it
)

// Verification is what a comparison of a table with its index found.
type Verification struct {
	Route       string       `json:"route"`
	Items       int          `json:"items"` // of the table that the route takes
	Held        int          `json:"held"`  // documents that searches find
	Differences []Difference `json:"differences"`
	// Unknown are documents without an item by whose id no item can be found: their
	// ids are hashes, and the route doesn't keep the keys. Some may be extra.
	Unknown int `json:"unknown"`
	// Unread says of each item that can't be read why; such items aren't compared.
	Unread []string `json:"unread,omitempty"`
	// Unsearched counts, by field, documents with a value that is too long for the field's
	// mapping: no search of the field finds that value.
	Unsearched map[string]int `json:"unsearched,omitempty"`
}

// Difference is a document that isn't as it should be.
type Difference struct {
	ID   string `json:"id"`
	What string `json:"what"`
	// Values are the attributes that differ, if the document is there and ought to be.
	Values []ValueDifference `json:"values,omitempty"`
	// Repair is what became of its repair; empty if none was wanted.
	Repair string `json:"repair,omitempty"`
	// Refused reports that the document is refused for good, so no repair helps.
	Refused bool `json:"refused,omitempty"`

	key map[string]types.AttributeValue // nil of a Foreign document
}

// ErrHung is returned when a server doesn't answer a call in time.
var ErrHung = index.ErrHung

// VerifyOptions say how to compare.
type VerifyOptions struct {
	// Segments is how many parts of the table are read side by side.
	Segments int
	// Patience is how long after the first look what differed is looked at again.
	// Changes on their way must have arrived by then.
	Patience time.Duration
	// Waiting, if set, is called before each wait for Patience, with how many documents differ.
	Waiting func(differ int, wait time.Duration)
	// CallTimeout bounds each call to a server; one that takes longer ends the comparison
	// with an error that is [ErrHung]. 0: only the context bounds it.
	CallTimeout time.Duration
}

// Verify compares the index with its table while both are written: it reads the table
// in parallel segments and looks the documents up, then looks through what searches
// find for documents whose item it hasn't seen, and looks again at what differs. Of what
// it reports it has seen a difference twice.
//
// After an error the result says what had been compared until then.
func (p *Operator) Verify(ctx context.Context, o VerifyOptions) (Verification, error) {
	ctx = index.WithCallTimeout(ctx, o.CallTimeout)
	l := &comparison{
		Operator: p, result: Verification{Route: p.Route.Name, Differences: []Difference{}, Unsearched: map[string]int{}},
		seen: map[[16]byte]bool{}, suspects: map[string]map[string]types.AttributeValue{},
	}
	err := l.run(ctx, o)
	slices.SortFunc(l.result.Differences, func(a, b Difference) int { return cmp.Compare(a.ID, b.ID) })
	return l.result, err
}

func (l *comparison) run(ctx context.Context, o VerifyOptions) error {
	var err error
	if l.source, err = l.Operator.source(ctx); err != nil {
		return err
	}
	if l.there, err = l.Operator.there(ctx, false); err != nil {
		return err
	}
	if l.there {
		if err := l.client.refresh(ctx, l.Route.Index); err != nil {
			return err
		}
	}
	group, groupCtx := errgroup.WithContext(ctx)
	for n := range o.Segments {
		group.Go(func() error { return l.segment(groupCtx, n, o.Segments) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if err := l.found(ctx); err != nil {
		return err
	}
	if len(l.suspects) == 0 {
		return nil
	}
	if o.Waiting != nil {
		o.Waiting(len(l.suspects), o.Patience)
	}
	if err := l.sleep(ctx, o.Patience); err != nil {
		return err
	}
	return l.lookAgain(ctx)
}

// lookAgain looks at each suspect a second time.
func (l *comparison) lookAgain(ctx context.Context) error {
	var err error
	if l.there, err = l.Operator.there(ctx, false); err != nil { // it may have been made meanwhile
		return err
	}
	if l.there {
		if err := l.client.refresh(ctx, l.Route.Index); err != nil {
			return err
		}
	}
	for id, key := range l.suspects {
		d, _, err := l.secondLook(ctx, id, key)
		if err != nil {
			return err
		}
		if d.What != "" {
			d.key = key
			l.result.Differences = append(l.result.Differences, d)
		}
	}
	return nil
}

// Refused counts the differences that can't be repaired, since the documents are refused for good.
func (v Verification) Refused() int {
	n := 0
	for _, d := range v.Differences {
		if d.Refused {
			n++
		}
	}
	return n
}

// Repair writes what differed at Verify by the consumer's own rules: what the table holds now counts as
// a change made ReadMargin ago, so any change on its way wins. It makes the index if there is none. It
// leaves Foreign documents alone, and Extra ones unless extra is true. It notes with each difference what
// became of it.
func (p *Operator) Repair(ctx context.Context, differences []Difference, extra bool) error {
	l := &comparison{Operator: p}
	var err error
	if l.source, err = p.source(ctx); err != nil {
		return err
	}
	if l.there, err = p.there(ctx, true); err != nil {
		return err
	}
	if err := p.client.refresh(ctx, p.Route.Index); err != nil {
		return err
	}
	for i := range differences {
		d := &differences[i]
		if d.key == nil {
			d.Repair = "left alone: its id is none of this table's"
			continue
		}
		now, item, err := l.secondLook(ctx, d.ID, d.key)
		switch {
		case err != nil:
			return err
		case now.What == "":
			d.Repair = "is the same by now"
		case now.What == Extra && !extra:
			d.Repair = "left alone: --remove-extra deletes it"
		default:
			if d.Repair, d.Refused, err = p.repair(ctx, d.ID, item); err != nil {
				return err
			}
		}
	}
	return nil
}

// comparison is one run's first look.
type comparison struct {
	*Operator
	source *source
	there  bool // whether the index is

	mu       sync.Mutex // guards what follows while segments are read
	result   Verification
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
		items, faults, next, err := l.source.page(ctx, n, segments, from)
		if err != nil {
			return err
		}
		if err := l.page(ctx, items, faults); err != nil {
			return err
		}
		if from = next; from == nil {
			return nil
		}
	}
}

// page looks the documents of a page of items up; faults are of items that can't be read.
func (l *comparison) page(ctx context.Context, items []*change.Change, faults []error) error {
	items = slices.DeleteFunc(items, func(c *change.Change) bool { return l.Route.Effect(c) != document.Put })
	ids := make([]string, len(items))
	for i, c := range items {
		ids[i] = document.ID(c.Keys)
	}
	documents, err := l.documents(ctx, ids)
	if err != nil {
		return err
	}
	shown, err := l.shown(ctx, ids)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.result.Items += len(items)
	for _, fault := range faults {
		l.result.Unread = append(l.result.Unread, fault.Error())
	}
	for i, c := range items {
		l.seen[hashed(ids[i])] = true
		if d := differs(l.Route, c, documents[i], shown[ids[i]]); d.What != "" {
			l.suspects[ids[i]] = c.Keys.AttributeValues()
		}
	}
	return nil
}

// there tells whether the route's index is there, which the function makes with its first
// change. make has it made otherwise.
func (p *Operator) there(ctx context.Context, make bool) (bool, error) {
	_, err := p.findIndexes(ctx)
	if _, none := errors.AsType[*noIndexError](err); !none {
		return err == nil, err
	}
	if !make {
		return false, nil
	}
	return true, p.client.CreateFirst(ctx, p.Route)
}

// documents is documentsOf, also if there is no index yet.
func (l *comparison) documents(ctx context.Context, ids []string) ([]*indexedDocument, error) {
	if !l.there {
		return make([]*indexedDocument, len(ids)), nil
	}
	return l.documentsOf(ctx, ids)
}

// indexedDocument is one that is in an index.
type indexedDocument struct {
	ID     string `json:"_id"`
	Source map[string]any
}

// visible tells whether searches find it.
func (d *indexedDocument) visible() bool {
	if d == nil {
		return false
	}
	own, _ := d.Source[document.Field].(map[string]any)
	return own["deleted"] != true
}

// documentsOf reads documents as they are now, without waiting for a refresh; nil
// for one that isn't there.
func (p *Operator) documentsOf(ctx context.Context, ids []string) ([]*indexedDocument, error) {
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
			Error  *index.Cause
		}
	}
	what := "look documents up in index " + p.Route.WriteAlias()
	text, err := p.client.Do(ctx, what, func() opensearchapi.Request {
		return opensearchapi.MgetRequest{Index: p.Route.WriteAlias(), Body: bytes.NewReader(body)}
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
	documents := make([]*indexedDocument, len(ids))
	for i, d := range answer.Docs {
		if d.ID != ids[i] || d.Error != nil {
			return nil, fmt.Errorf("%s: %s is answered as %s, %v", what, ids[i], d.ID, d.Error)
		}
		if d.Found {
			documents[i] = &indexedDocument{d.ID, d.Source}
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

// shownPage is how many documents are looked for through the alias at one go.
const shownPage = 1000

// shown returns which documents searches find, through the alias that people search, as
// of its last refresh.
func (l *comparison) shown(ctx context.Context, ids []string) (map[string]bool, error) {
	shown := map[string]bool{}
	if !l.there {
		return shown, nil
	}
	what := "look for documents through index " + l.Route.Index
	partial := false
	for some := range slices.Chunk(ids, shownPage) {
		body, err := json.Marshal(map[string]any{"query": map[string]any{"ids": map[string]any{"values": some}}, "_source": false, "size": len(some), "sort": []string{"_doc"}})
		if err != nil {
			return nil, err
		}
		var answer struct {
			Hits   struct{ Hits []hit }
			Shards shards `json:"_shards"`
		}
		if err := l.client.DoJSON(ctx, what, func() opensearchapi.Request {
			return opensearchapi.SearchRequest{Index: []string{l.Route.Index}, Body: bytes.NewReader(body), AllowPartialSearchResults: &partial}
		}, &answer); err != nil {
			return nil, err
		}
		if err := answer.Shards.check(what); err != nil {
			return nil, err
		}
		for _, h := range answer.Hits.Hits {
			shown[h.ID] = true
		}
	}
	return shown, nil
}

// differs returns what is wrong with the document of an item; item is nil if there is
// none that the route takes. shown says whether searches find the document.
func differs(r *document.Route, item *change.Change, d *indexedDocument, shown bool) Difference {
	switch {
	case item == nil && shown:
		return Difference{What: Extra}
	case item == nil:
		return Difference{}
	case !d.visible() || !shown:
		d := Difference{What: Missing}
		for _, refused := range r.Refusals(item) {
			d.Values = append(d.Values, ValueDifference{Attribute: refused.Attribute, Table: shownValue(refused.Value.AppendJSON(nil)), Refused: refused.Err.Error()})
			d.Refused = true
		}
		return d
	}
	values, err := differences(r, item, d.Source)
	if err != nil {
		return Difference{What: Different, Values: []ValueDifference{{Attribute: document.ItemField, Index: err.Error()}}}
	}
	if len(values) > 0 {
		refused := slices.ContainsFunc(values, func(v ValueDifference) bool { return v.Refused != "" })
		return Difference{What: Different, Values: values, Refused: refused}
	}
	return Difference{}
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
		l.result.Held += len(hits)
		for _, h := range hits {
			if err := l.hit(h); err != nil {
				return err
			}
		}
		return nil
	})
}

// hit notes one document that searches find.
func (l *comparison) hit(h hit) error {
	for _, field := range h.Ignored {
		l.result.Unsearched[field]++
	}
	var d indexedDocument
	if err := exactly(h.Source, &d.Source); err != nil {
		return fmt.Errorf("read document %s of index %s: %w", h.ID, l.Route.Index, err)
	}
	if !d.visible() {
		return fmt.Errorf("alias %s shows removed items such as %s: its filter is gone; sluice reindex %s makes it anew", l.Route.Index, h.ID, l.Route.Name)
	}
	if l.seen[hashed(h.ID)] {
		return nil
	}
	key, err := l.source.keyOf(h.ID, d.Source)
	if _, hash := errors.AsType[*document.HashedIDError](err); hash {
		l.result.Unknown++
		return nil
	}
	if err != nil {
		l.result.Differences = append(l.result.Differences, Difference{ID: h.ID, What: Foreign, Values: []ValueDifference{{Attribute: "_id", Index: err.Error()}}})
		return nil
	}
	l.suspects[h.ID] = key
	return nil
}

// secondLook reads an item, then its document, and returns what is wrong. item is nil if
// there is none that the route takes.
func (l *comparison) secondLook(ctx context.Context, id string, key map[string]types.AttributeValue) (d Difference, item *change.Change, err error) {
	sent := l.now()
	callCtx, cancel := index.CallContext(ctx)
	defer cancel()
	out, err := l.table.GetItem(callCtx, &dynamodb.GetItemInput{TableName: &l.Route.Source, Key: key, ConsistentRead: aws.Bool(true)})
	if err != nil {
		return d, nil, index.CallError(callCtx, fmt.Errorf("read an item of %s: %w", l.Route.Source, err))
	}
	if out.Item != nil {
		if item, err = l.source.read(out.Item, sent); err != nil {
			l.result.Unread = append(l.result.Unread, err.Error())
			return d, nil, nil
		}
		if l.Route.Effect(item) != document.Put {
			item = nil
		}
	}
	documents, err := l.documents(ctx, []string{id})
	if err != nil {
		return d, nil, err
	}
	shown, err := l.shown(ctx, []string{id})
	if err == nil && documents[0].visible() != shown[id] {
		// It may have been written or removed since the last refresh.
		if err = l.client.refresh(ctx, l.Route.Index); err == nil {
			shown, err = l.shown(ctx, []string{id})
		}
	}
	if err != nil {
		return d, nil, err
	}
	d = differs(l.Route, item, documents[0], shown[id])
	d.ID = id
	return d, item, nil
}

// repair writes what an item makes of its document, or that there is none.
func (p *Operator) repair(ctx context.Context, id string, item *change.Change) (became string, refused bool, err error) {
	removed := change.Change{Version: p.now().Add(-ReadMargin).UnixMicro()}
	o := &index.Operation{Route: p.Route, ID: id, Version: document.ScannedVersion(&removed)}
	if item != nil {
		if err := p.Route.Refuse(item); err != nil {
			return err.Error(), true, nil
		}
		operations, _ := p.documents([]*change.Change{item})
		o = operations[0]
	} else {
		o.Document = document.AppendTombstone(nil, &removed, p.now())
	}
	p.client.DualWrite(ctx, []*index.Operation{o})
	switch consumer.OutcomeOf(o.Err) {
	case consumer.Applied, consumer.Duplicate:
		return "repaired", false, nil
	case consumer.Stale:
		return "left alone: the index is newer", false, nil
	case consumer.Rejected:
		return o.Err.Error(), true, nil
	}
	return "", false, o.Err
}
