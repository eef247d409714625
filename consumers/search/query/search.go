package query

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/opensearch-project/opensearch-go/v2/opensearchapi"

	"sluice/consumers/search"
	"sluice/consumers/search/internal/document"
	"sluice/consumers/search/internal/index"
)

// DefaultTimeout is how long a search may take.
const DefaultTimeout = 5 * time.Second

// Searcher searches the indexes of routes. It is safe for concurrent use.
type Searcher struct {
	Timeout time.Duration // DefaultTimeout unless it is set before the first search

	client  *index.Client
	indexes []string
	now     func() time.Time
}

// New returns a Searcher of the indexes that routes fill. It makes no call. The error
// names every setting that is wrong.
func New(cfg aws.Config, s search.Settings, routes []*document.Route) (*Searcher, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.Copy()
	cfg.Retryer = func() aws.Retryer {
		return retry.NewStandard(func(o *retry.StandardOptions) {
			// Somebody waits for it: once more, soon.
			o.MaxAttempts, o.MaxBackoff = 2, 200*time.Millisecond
		})
	}
	client, err := index.NewClient(cfg, s.Connection)
	if err != nil {
		return nil, err
	}
	searcher := &Searcher{Timeout: DefaultTimeout, client: client, now: time.Now}
	for _, r := range routes {
		searcher.indexes = append(searcher.indexes, r.Index)
	}
	return searcher, nil
}

// Indexes returns the names that can be searched.
func (s *Searcher) Indexes() []string { return slices.Clone(s.indexes) }

// Search answers a request. A fault of it is an [*Error], an [*UnknownIndexError] or
// an [*EmptyIndexError]; who may not search gets a [*ForbiddenError], what isn't answered in time [ErrSlow], for a part of the
// index only [ErrPartial].
func (s *Searcher) Search(ctx context.Context, r Request) (*Answer, error) {
	begin := s.now()
	if !slices.Contains(s.indexes, r.Index) {
		return nil, &UnknownIndexError{r.Index, s.Indexes()}
	}
	if err := r.validate(); err != nil {
		return nil, err
	}
	// OpenSearch gives up before we do, and says so.
	ctx, stop := context.WithTimeout(ctx, s.Timeout+s.Timeout/4)
	defer stop()
	answer, err := s.search(ctx, &r)
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return nil, fmt.Errorf("%w (%w)", ErrSlow, err)
	}
	if refused, ok := errors.AsType[*index.StatusError](err); ok && (refused.Status == http.StatusForbidden || refused.Status == http.StatusUnauthorized) {
		return nil, &ForbiddenError{r.Index, refused}
	}
	if err != nil {
		return nil, err
	}
	answer.Took = s.now().Sub(begin).Milliseconds()
	return answer, nil
}

func (s *Searcher) search(ctx context.Context, r *Request) (*Answer, error) {
	f, err := s.fields(ctx, r.Index)
	if err != nil {
		return nil, err
	}
	timeout := fmt.Sprintf("%dms", s.Timeout.Milliseconds())
	body, err := r.body(f, timeout, false)
	wrong, inText := errors.AsType[*Error](err)
	if inText = inText && wrong.Column > 0; inText { // a pasted title may break the language's rules
		body, err = r.body(f, timeout, true)
	}
	if err != nil {
		return nil, err
	}
	answer, err := s.ask(ctx, r, f, body)
	if inText && (err != nil || answer.Total.Count == 0) { // nothing is called so: the fault is what helps
		return nil, wrong
	}
	return answer, err
}

const (
	// MaxAnswer is about how many bytes the hits of an answer have at most, unless one alone
	// has more: a page of larger ones is shorter than was asked for.
	MaxAnswer = 4 << 20
	// maxHit is how many bytes OpenSearch's answer with one hit has at most: an item of 400 KB,
	// each of whose bytes takes six in JSON, once more for its highlights, and the next one.
	maxHit = 16 << 20
	// maxMapping is how many bytes an index's mapping has at most.
	maxMapping = 16 << 20
)

// ask makes the request to OpenSearch, for fewer hits if they would be too many bytes.
func (s *Searcher) ask(ctx context.Context, r *Request, f fields, body object) (*Answer, error) {
	page := *r
	for page.Size = r.size(); ; page.Size /= 2 {
		most := int64(MaxAnswer)
		if page.Size == 1 {
			most = maxHit
		}
		body["size"] = page.Size + 1
		answer, err := s.askWithin(ctx, &page, f, body, most)
		if errors.Is(err, index.ErrTooLong) && page.Size > 1 {
			continue
		}
		return answer, err
	}
}

// askWithin makes the request to OpenSearch, whose answer has at most so many bytes.
func (s *Searcher) askWithin(ctx context.Context, r *Request, f fields, body object, most int64) (*Answer, error) {
	// The newest change is asked for first, of the same copy of the index: what the
	// hits are from is never older.
	lines, err := r.lines(newest(), body)
	if err != nil {
		return nil, err
	}
	one := 1
	text, err := s.client.DoLimited(ctx, "search of index "+r.Index, most, func() opensearchapi.Request {
		return opensearchapi.MsearchRequest{Body: bytes.NewReader(lines), MaxConcurrentSearches: &one}
	})
	if err != nil {
		return nil, err
	}
	answers, err := readAnswers(text, 2)
	if err != nil {
		return nil, err
	}
	newest, hits := &answers[0], &answers[1]
	if err := hits.check(r); err != nil {
		return nil, err
	}
	if err := newest.check(&Request{Index: r.Index + document.AllSuffix}); err != nil {
		return nil, err
	}
	answer, err := r.answer(f, hits, newest, s.now())
	if err == nil {
		answer.Notes = r.notes(f)
	}
	return answer, err
}

// fields asks for the fields that the index has now.
func (s *Searcher) fields(ctx context.Context, name string) (fields, error) {
	text, err := s.client.DoLimited(ctx, "look at index "+name, maxMapping, func() opensearchapi.Request {
		return opensearchapi.IndicesGetMappingRequest{Index: []string{name}}
	})
	if refused, ok := errors.AsType[*index.StatusError](err); ok && refused.Status == http.StatusNotFound {
		return nil, &EmptyIndexError{name}
	}
	if err != nil {
		return nil, err
	}
	f, err := readFields(text)
	if err != nil {
		return nil, fmt.Errorf("index %s: %w", name, err)
	}
	return f, nil
}

// lines makes the body of a request for the newest change and for the hits.
func (r *Request) lines(newest, hits object) ([]byte, error) {
	var body bytes.Buffer
	out := json.NewEncoder(&body)
	head := func(index string) object {
		return object{"index": index, "allow_partial_search_results": false, "preference": hex.EncodeToString(r.digest())}
	}
	for _, line := range []object{head(r.Index + document.AllSuffix), newest, head(r.Index), hits} {
		if err := out.Encode(line); err != nil {
			return nil, err
		}
	}
	return body.Bytes(), nil
}
