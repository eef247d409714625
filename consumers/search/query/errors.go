package query

import (
	"errors"
	"fmt"
	"strings"

	"sluice/consumers/search/internal/document"
	"sluice/consumers/search/internal/index"
)

// ErrSlow is returned when OpenSearch doesn't answer in time.
var ErrSlow = errors.New("OpenSearch didn't answer in time; ask for less, or again later")

// ErrPartial is returned when OpenSearch answers for a part of the index only.
var ErrPartial = errors.New("OpenSearch answered for a part of the index only; ask again")

// Error is a fault of a request, for the person who wrote it.
type Error struct {
	Part   string // the part of the request: query, filter, sort, facet, size, after
	Column int    // where in the query's text, in characters from 1; 0 in other parts
	Reason string
}

func (e *Error) Error() string {
	if e.Column > 0 {
		return fmt.Sprintf("%s, column %d: %s", e.Part, e.Column, e.Reason)
	}
	return e.Part + ": " + e.Reason
}

func faultAt(column int, format string, args ...any) error {
	return &Error{Part: "query", Column: column, Reason: fmt.Sprintf(format, args...)}
}

func fault(part, format string, args ...any) error {
	return &Error{Part: part, Reason: fmt.Sprintf(format, args...)}
}

// UnknownIndexError is returned for an index that no route fills.
type UnknownIndexError struct {
	Index string
	Known []string
}

func (e *UnknownIndexError) Error() string {
	return fmt.Sprintf("there is no index %q; there are: %s", e.Index, strings.Join(e.Known, ", "))
}

// EmptyIndexError is returned for an index of a route that isn't there yet.
type EmptyIndexError struct{ Index string }

func (e *EmptyIndexError) Error() string {
	return fmt.Sprintf("index %s isn't there yet: the consumer makes it when the first item of its table changes", e.Index)
}

// ForbiddenError is returned when OpenSearch doesn't let the index be searched.
type ForbiddenError struct {
	Index   string
	Refused *index.StatusError
}

func (e *ForbiddenError) Error() string {
	return fmt.Sprintf("OpenSearch at %s doesn't let you search index %s: with IAM you need es:ESHttpGet on the domain's %s/_mapping and es:ESHttpPost on its _msearch, with a user the right to read %s and %s%s: %d %s",
		e.Refused.Endpoint, e.Index, e.Index, e.Index, e.Index, document.AllSuffix, e.Refused.Status, e.Refused.Body)
}

// Unwrap returns OpenSearch's answer.
func (e *ForbiddenError) Unwrap() error { return e.Refused }
