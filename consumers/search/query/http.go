package query

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// maxAtOnce is how many searches the API makes side by side; further ones are told to
// come again.
const maxAtOnce = 32

// Handler serves searches over HTTP as GET /search. Its answers are JSON: an [Answer],
// or error and, for a fault in the query's text, column. README.md of consumers/search
// has the parameters. It doesn't ask who asks. It is safe for concurrent use.
type Handler struct {
	// Whole gives hits every attribute of their items, mapped or not.
	Whole bool

	searcher *Searcher
	log      *slog.Logger
	places   chan struct{}
}

var _ http.Handler = (*Handler)(nil)

// NewHandler returns a Handler that tells the log, and only that, why OpenSearch
// doesn't answer.
func NewHandler(s *Searcher, log *slog.Logger) *Handler {
	return &Handler{searcher: s, log: log, places: make(chan struct{}, maxAtOnce)}
}

// ServeHTTP answers a search.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		WriteJSON(w, r, h.log, http.StatusMethodNotAllowed, failure{Error: "ask with GET"})
		return
	}
	answer, err := h.search(r)
	if err == nil {
		WriteJSON(w, r, h.log, http.StatusOK, answer)
		return
	}
	if errors.Is(err, errBusy) {
		w.Header().Set("Retry-After", "1")
	}
	status, failed := h.failure(r.Context(), err)
	WriteJSON(w, r, h.log, status, failed)
}

var errBusy = errors.New("too many searches at once; ask again in a moment")

// search answers a request. Its place is free again before the answer is written, which
// takes as long as who asked likes.
func (h *Handler) search(r *http.Request) (*Answer, error) {
	given, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, fault("request", "its parameters aren't escaped as in URLs")
	}
	request, err := parseRequest(given)
	if err != nil {
		return nil, err
	}
	request.Whole = h.Whole
	select {
	case h.places <- struct{}{}:
		defer func() { <-h.places }()
	default:
		return nil, errBusy
	}
	return h.searcher.Search(r.Context(), request)
}

// parameters are the names of all parameters; those that may stand several times are
// true.
var parameters = map[string]bool{
	"index": false, "q": false, "sort": false, "size": false, "after": false, "highlight": false,
	"filter": true, "facet": true,
}

func parseRequest(given url.Values) (Request, error) {
	for name, values := range given {
		several, known := parameters[name]
		if !known {
			return Request{}, fault("request", "there is no parameter %q; there are: %s", name, strings.Join(slices.Sorted(maps.Keys(parameters)), ", "))
		}
		if !several && len(values) > 1 {
			return Request{}, fault("request", "parameter %s stands %d times", name, len(values))
		}
	}
	r := Request{
		Index: given.Get("index"), Text: given.Get("q"), Sort: ParseSort(given.Get("sort")), After: given.Get("after"),
		Facets: given["facet"],
	}
	for _, text := range given["filter"] {
		filter, err := ParseFilter(text)
		if err != nil {
			return r, err
		}
		r.Filters = append(r.Filters, filter)
	}
	if text := given.Get("size"); text != "" {
		size, err := strconv.Atoi(text)
		if err != nil || size < 1 {
			return r, fault("size", "it must be from 1 to %d (got %q)", MaxSize, text)
		}
		r.Size = size
	}
	if text := given.Get("highlight"); text != "" {
		highlight, err := strconv.ParseBool(text)
		if err != nil {
			return r, fault("highlight", "it must be true or false (got %q)", text)
		}
		r.Highlight = highlight
	}
	return r, nil
}

// failure is what people get who don't get an answer.
type failure struct {
	Error  string `json:"error"`
	Column int    `json:"column,omitempty"` // in the query's text, in characters from 1
}

// failure tells what went wrong, without anything of where OpenSearch is or what it says.
func (h *Handler) failure(ctx context.Context, err error) (int, failure) {
	if wrong, ok := errors.AsType[*Error](err); ok {
		return http.StatusBadRequest, failure{wrong.Error(), wrong.Column}
	}
	if unknown, ok := errors.AsType[*UnknownIndexError](err); ok {
		return http.StatusNotFound, failure{Error: unknown.Error()}
	}
	if empty, ok := errors.AsType[*EmptyIndexError](err); ok {
		return http.StatusNotFound, failure{Error: empty.Error()}
	}
	if errors.Is(err, errBusy) {
		return http.StatusServiceUnavailable, failure{Error: err.Error()}
	}
	h.log.WarnContext(ctx, "a search isn't answered", "error", err)
	if errors.Is(err, ErrSlow) {
		return http.StatusGatewayTimeout, failure{Error: "the search took too long; ask for less, or again later"}
	}
	return http.StatusBadGateway, failure{Error: "the search can't be made at the moment; ask again later"}
}
