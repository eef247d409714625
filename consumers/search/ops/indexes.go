package ops

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/opensearch-project/opensearch-go/v2/opensearchapi"
)

// indexNames are the names of a route's indexes.
type indexNames struct {
	current  string   // the index that the aliases lead to
	next     string   // the index that a reindex builds; "": none
	numbered []string // all that have names of the route
	last     int      // the greatest of their numbers
}

// left are the indexes that no alias leads to.
func (i indexNames) left() []string {
	return slices.DeleteFunc(slices.Clone(i.numbered), func(index string) bool { return index == i.current || index == i.next })
}

// findIndexes looks up the route's indexes.
func (p *Operator) findIndexes(ctx context.Context) (indexNames, error) {
	var there indexNames
	r := p.Route
	// First, so that of two runs that find no index being made both make the same one.
	var all []struct{ Index string }
	if err := p.client.DoJSON(ctx, "look for indexes of "+r.Index, nil, func(io.Reader) opensearchapi.Request {
		return opensearchapi.CatIndicesRequest{Index: []string{r.Index + "-*"}, Format: "json", H: []string{"index"}}
	}, &all); err != nil {
		return there, err
	}
	for _, i := range all {
		if n, ok := r.IndexNumber(i.Index); ok {
			there.numbered = append(there.numbered, i.Index)
			there.last = max(there.last, n)
		}
	}
	var rows []struct{ Alias, Index string }
	if err := p.client.DoJSON(ctx, "look for index "+r.Index, nil, func(io.Reader) opensearchapi.Request {
		return opensearchapi.CatAliasesRequest{Name: []string{r.Index, r.WriteAlias(), r.NextAlias()}, Format: "json"}
	}, &rows); err != nil {
		return there, err
	}
	behind := map[string][]string{}
	for _, row := range rows {
		behind[row.Alias] = append(behind[row.Alias], row.Index)
	}
	current, next := behind[r.WriteAlias()], behind[r.NextAlias()]
	switch {
	case len(current) == 0:
		return there, &noIndexError{r.Index}
	case len(current) > 1 || len(next) > 1 || !slices.Equal(current, behind[r.Index]):
		return there, fmt.Errorf("alias %s leads to %v, %s to %v, %s to %v; the first two must lead to one index, the third to one or none", r.Index, behind[r.Index], r.WriteAlias(), current, r.NextAlias(), next)
	}
	there.current = current[0]
	if n, ok := r.IndexNumber(there.current); ok {
		there.last = max(there.last, n)
	}
	if len(next) > 0 {
		there.next = next[0]
	}
	return there, nil
}

// noIndexError is returned for a route without an index.
type noIndexError struct{ index string }

func (e *noIndexError) Error() string {
	return fmt.Sprintf("index %s doesn't exist yet; the function creates it with its first change, or run: sluice backfill search", e.index)
}
