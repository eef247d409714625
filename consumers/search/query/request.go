package query

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"

	"sluice/consumers/search/internal/document"
)

// The limits of a request.
const (
	DefaultSize = 10
	MaxSize     = 100
	MaxFilters  = 16
	MaxSort     = 4
	MaxFacets   = 5
	// MaxValue is how many bytes a filter has at most, and a token.
	MaxValue = 8192
	// MaxFacetValues is how many values a facet counts, the most frequent ones.
	MaxFacetValues = 10
	// MaxCounted is up to how many hits the total is exact.
	MaxCounted = 10_000
)

// Request is a search.
type Request struct {
	Index     string   // one that a route fills
	Text      string   // in the query language; "": everything
	Filters   []Filter // all must hold
	Sort      []Sort   // best match first if there is none; hits without a value come last
	Size      int      // hits a page, from 1 to MaxSize; 0: DefaultSize
	After     string   // the Next of the answer before this page
	Facets    []string // fields whose values are counted over all hits
	Highlight bool     // whether to mark what matched
	Whole     bool     // whether hits have every attribute of their items; without it, those that the index maps
}

// Filter wants a field to have a value: of a keyword the very same one, of a number an
// equal one, of a date one within what is named.
type Filter struct{ Field, Value string }

// Sort orders by a field.
type Sort struct {
	Field string
	Desc  bool
}

// ParseSort reads fields with commas between them, each with - before it for the
// greatest first: "-weight,name".
func ParseSort(text string) []Sort {
	var sorts []Sort
	for name := range strings.SplitSeq(text, ",") {
		if name = strings.TrimSpace(name); name != "" {
			field, desc := strings.CutPrefix(name, "-")
			sorts = append(sorts, Sort{field, desc})
		}
	}
	return sorts
}

// ParseFilter reads "field=value".
func ParseFilter(text string) (Filter, error) {
	field, value, ok := strings.Cut(text, "=")
	if !ok || field == "" {
		return Filter{}, fault("filter", "%q isn't of the form field=value", text)
	}
	return Filter{field, value}, nil
}

// validate checks what needs no mapping.
func (r *Request) validate() error {
	if r.Size < 0 || r.Size > MaxSize {
		return fault("size", "it must be from 1 to %d (got %d)", MaxSize, r.Size)
	}
	for _, part := range []struct {
		name      string
		got, most int
	}{
		{"filter", len(r.Filters), MaxFilters}, {"sort", len(r.Sort), MaxSort}, {"facet", len(r.Facets), MaxFacets},
	} {
		if part.got > part.most {
			return fault(part.name, "there are %d; %d are the most", part.got, part.most)
		}
	}
	for _, f := range r.Filters {
		if len(f.Value) > MaxValue {
			return fault("filter", "the value of %s has %d bytes; %d are the most", f.Field, len(f.Value), MaxValue)
		}
	}
	if len(r.After) > MaxValue {
		return fault("after", "it has %d bytes; %d are the most", len(r.After), MaxValue)
	}
	for i, s := range r.Sort {
		if slices.ContainsFunc(r.Sort[:i], func(earlier Sort) bool { return earlier.Field == s.Field }) {
			return fault("sort", "field %s stands twice", s.Field)
		}
	}
	return nil
}

// body makes the request to OpenSearch. The query is what the text asks for in the
// language or, if whole, values that are the very text.
func (r *Request) body(f fields, timeout string, whole bool) (object, error) {
	query := shown([]object{wholeText(r.Text, nil, f)})
	if !whole {
		var err error
		if query, err = build(r.Text, f); err != nil {
			return nil, err
		}
	}
	filters, err := r.filters(f)
	if err != nil {
		return nil, err
	}
	query["bool"].(object)["filter"] = filters
	sorts, err := r.sorts(f)
	if err != nil {
		return nil, err
	}
	facets, err := r.facets(f)
	if err != nil {
		return nil, err
	}
	after, err := r.after(f)
	if err != nil {
		return nil, err
	}
	// A hit more than the page has tells whether there is another page.
	body := object{"query": query, "sort": sorts, "aggs": facets, "size": r.size() + 1, "timeout": timeout, "track_total_hits": MaxCounted}
	if after != nil {
		body["search_after"] = after
	}
	if r.Highlight {
		body["highlight"] = highlight(f)
	}
	return body, nil
}

// notes says which of the values that are asked for no field of the index holds for
// searches, since they are too long.
func (r *Request) notes(f fields) []string {
	var notes []string
	note := func(one field, value string) {
		if one.class != keyword || one.longest == 0 || len(utf16.Encode([]rune(value))) <= one.longest {
			return
		}
		text := fmt.Sprintf("values of more than %d characters in field %s are in documents, but aren't searched", one.longest, one.name)
		if !slices.Contains(notes, text) {
			notes = append(notes, text)
		}
	}
	clauses, _ := parse(r.Text) // a fault was told before
	for _, t := range slices.Concat(clauses...) {
		names := []string{t.field}
		if t.field == "" {
			names = f.searched()
		}
		for _, name := range names {
			if t.kind <= prefix {
				note(f[name], t.value)
			}
		}
	}
	for _, filter := range r.Filters {
		note(f.whole(f[filter.Field]), filter.Value)
	}
	return notes
}

func (r *Request) size() int { return cmp.Or(r.Size, DefaultSize) }

func (r *Request) filters(f fields) ([]object, error) {
	filters := []object{}
	for _, filter := range r.Filters {
		one, err := f.sortable(filter.Field)
		if err != nil {
			return nil, fault("filter", "%v", err)
		}
		if one.class == keyword {
			filters = append(filters, object{"term": object{one.name: filter.Value}})
			continue
		}
		q, err := term{kind: word, value: filter.Value}.in(one, f, true)
		if wrong, ok := errors.AsType[*Error](err); ok {
			return nil, &Error{Part: "filter", Reason: wrong.Reason}
		}
		filters = append(filters, q)
	}
	return filters, nil
}

// sorts adds the document's id, so that no two hits are equal.
func (r *Request) sorts(f fields) ([]object, error) {
	sorts := []object{}
	for _, s := range r.Sort {
		one, err := f.sortable(s.Field)
		if err != nil {
			return nil, fault("sort", "%v", err)
		}
		how := object{"order": "asc"}
		if s.Desc {
			how["order"] = "desc"
		}
		if s.Desc && one.kind == "date_nanos" {
			how["missing"] = 0 // by default a time that the type can't hold, and OpenSearch fails
		}
		sorts = append(sorts, object{one.name: how})
	}
	if len(sorts) == 0 {
		sorts = append(sorts, object{"_score": object{"order": "desc"}})
	}
	return append(sorts, object{"_id": object{"order": "asc"}}), nil
}

func (r *Request) facets(f fields) (object, error) {
	facets := object{}
	for _, name := range r.Facets {
		one, err := f.sortable(name)
		if err != nil {
			return nil, fault("facet", "%v", err)
		}
		if one.class != keyword && one.class != boolean {
			return nil, fault("facet", "field %s is of type %s; only values of keywords and booleans are counted", name, one.kind)
		}
		// Equal counts in the values' order.
		order := []object{{"_count": "desc"}, {"_key": "asc"}}
		facets[name] = object{"terms": object{"field": one.name, "size": MaxFacetValues, "order": order}}
	}
	return facets, nil
}

// The marks around what matched. The rest of a highlight is escaped for HTML.
const (
	MarkStart = "<mark>"
	MarkEnd   = "</mark>"
)

func highlight(f fields) object {
	marked := object{}
	for _, name := range f.searched() {
		marked[name] = object{}
	}
	return object{"encoder": "html", "pre_tags": []string{MarkStart}, "post_tags": []string{MarkEnd}, "fields": marked}
}

// newest asks for the newest change, removals included.
func newest() object {
	time := document.Field + ".time"
	return object{"size": 1, "_source": []string{time}, "sort": []object{{time: "desc"}}, "track_total_hits": false}
}
