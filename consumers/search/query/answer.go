package query

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"sluice/consumers/search/internal/index"
)

// Answer is what a search finds.
type Answer struct {
	Total     Total     `json:"total"`
	Hits      []Hit     `json:"hits"`
	Facets    []Facet   `json:"facets,omitempty"` // in the request's order
	Next      string    `json:"next,omitempty"`   // the After of the next page; "": this is the last one
	Freshness Freshness `json:"freshness"`
	Notes     []string  `json:"notes,omitempty"` // what the search could not look for
	Took      int64     `json:"tookMs"`          // milliseconds in all
}

// Total is how many documents match.
type Total struct {
	Count int64 `json:"count"`
	Exact bool  `json:"exact"` // false: there are more than Count
}

// Hit is a document that matches.
type Hit struct {
	ID string `json:"id"`
	// Source has the item's fields as they were written.
	Source json.RawMessage `json:"source"`
	// Attributes are those of the item that can't be fields, by their own names; only if the
	// request asks for whole items.
	Attributes map[string]json.RawMessage `json:"attributes,omitempty"`
	Score      float64                    `json:"score,omitempty"`      // 0 if the request sorts
	Highlights map[string][]string        `json:"highlights,omitempty"` // HTML by field, with MarkStart and MarkEnd
	Time       time.Time                  `json:"time"`                 // when the item changed
	Indexed    time.Time                  `json:"indexed"`              // when the document was written
}

// Facet counts the values of a field.
type Facet struct {
	Field  string       `json:"field"`
	Values []FacetValue `json:"values"` // the most frequent first
	Others int64        `json:"others"` // how often further values occur
	// Short is how much too low a count may be, which it can be only if the index has
	// several shards.
	Short int64 `json:"short,omitempty"`
}

// FacetValue is a value and in how many hits it occurs.
type FacetValue struct {
	Value string `json:"value"`
	Count int64  `json:"count"`
}

// Freshness says how far the index has come.
type Freshness struct {
	// Newest is the time of the newest change that was indexed, removals included;
	// zero if there is none.
	Newest time.Time `json:"newest,omitzero"`
	// Age is how many milliseconds ago that was: it grows if changes don't arrive, and
	// if there are none.
	Age int64 `json:"ageMs"`
}

// answered is what OpenSearch answers to a search.
type answered struct {
	Status   int
	Error    *index.Cause
	TimedOut bool                                    `json:"timed_out"`
	Shards   struct{ Total, Successful, Failed int } `json:"_shards"`
	Hits     struct {
		Total struct {
			Value    int64
			Relation string
		}
		Hits []found
	}
	Aggregations map[string]struct {
		Short   int64 `json:"doc_count_error_upper_bound"`
		Others  int64 `json:"sum_other_doc_count"`
		Buckets []struct {
			Key   any
			Text  string `json:"key_as_string"` // of a boolean
			Count int64  `json:"doc_count"`
		}
	}
}

type found struct {
	ID        string          `json:"_id"`
	Source    json.RawMessage `json:"_source"`
	Score     float64         `json:"_score"` // null is 0
	Highlight map[string][]string
	Sort      []any
}

// check returns why this is no answer for the whole index.
func (a *answered) check(r *Request) error {
	switch {
	case a.Error.Among("index_not_found_exception"):
		return &EmptyIndexError{r.Index}
	case a.Error.Among("too_many_clauses", "too_many_nested_clauses"):
		return fault("query", "it has more words than OpenSearch looks for in all fields at once; use fewer, or name fields")
	case a.Error.Among("timeout_exception", "task_cancelled_exception"):
		return ErrSlow
	case a.Status == http.StatusBadRequest && r.After != "":
		// A forged token, or one from before a field's type changed.
		return fault("after", "this token doesn't fit; ask for the first page without one")
	case a.Error != nil:
		return fmt.Errorf("search of index %s: %d %s: %s", r.Index, a.Status, a.Error.Type, a.Error.Reason)
	case a.TimedOut:
		return ErrSlow
	case a.Shards.Failed > 0 || a.Shards.Successful < a.Shards.Total:
		return ErrPartial
	}
	return nil
}

// answer makes what people get of OpenSearch's answers.
func (r *Request) answer(f fields, a, newest *answered, now time.Time) (*Answer, error) {
	answer := &Answer{Total: Total{a.Hits.Total.Value, a.Hits.Total.Relation == "eq"}, Hits: []Hit{}}
	page := a.Hits.Hits
	if len(page) > r.size() {
		page = page[:r.size()]
		var err error
		if answer.Next, err = r.token(page[len(page)-1].Sort); err != nil {
			return nil, err
		}
	}
	for _, h := range page {
		hit, err := r.hit(f, h)
		if err != nil {
			return nil, err
		}
		answer.Hits = append(answer.Hits, hit)
	}
	for _, name := range r.Facets {
		counted := a.Aggregations[name]
		facet := Facet{Field: name, Values: []FacetValue{}, Others: counted.Others, Short: counted.Short}
		for _, b := range counted.Buckets {
			value := b.Text
			if value == "" {
				value = fmt.Sprint(b.Key)
			}
			facet.Values = append(facet.Values, FacetValue{value, b.Count})
		}
		answer.Facets = append(answer.Facets, facet)
	}
	for _, h := range newest.Hits.Hits {
		var source struct {
			Own own `json:"_sluice"`
		}
		if err := json.Unmarshal(h.Source, &source); err != nil {
			return nil, fmt.Errorf("read the newest change of index %s: %w", r.Index, err)
		}
		answer.Freshness = Freshness{source.Own.Time, max(0, now.Sub(source.Own.Time).Milliseconds())}
	}
	return answer, nil
}

// own is what a document says of itself.
type own struct{ Time, Indexed time.Time }

// readAnswers reads OpenSearch's answers, in the order of the searches.
func readAnswers(body []byte, searches int) ([]answered, error) {
	var all struct{ Responses []answered }
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber() // of sort values
	if err := decoder.Decode(&all); err != nil {
		return nil, fmt.Errorf("read OpenSearch's answer: %w", err)
	}
	if len(all.Responses) != searches {
		return nil, fmt.Errorf("OpenSearch answers %d of %d searches", len(all.Responses), searches)
	}
	return all.Responses, nil
}

// String writes the total for people.
func (t Total) String() string {
	if t.Exact {
		return fmt.Sprint(t.Count)
	}
	return fmt.Sprintf("more than %d", t.Count)
}
