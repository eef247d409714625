package ops

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/opensearch-project/opensearch-go/v2/opensearchapi"

	"sluice/consumers/search/internal/document"
	"sluice/consumers/search/internal/index"
)

// admin makes the requests that only people's commands need.
type admin struct{ *index.Client }

// longestBulk returns the age of the oldest bulk request that OpenSearch is working on.
func (a admin) longestBulk(ctx context.Context) (longest time.Duration, err error) {
	var answer struct {
		Nodes map[string]struct {
			Tasks map[string]struct {
				Running time.Duration `json:"running_time_in_nanos"`
			}
		}
	}
	err = a.DoJSON(ctx, "look for requests that are under way", nil, func(io.Reader) opensearchapi.Request {
		return opensearchapi.TasksListRequest{Actions: []string{"indices:data/write/bulk*"}}
	}, &answer)
	for _, node := range answer.Nodes {
		for _, task := range node.Tasks {
			longest = max(longest, task.Running)
		}
	}
	return longest, err
}

// action is one part of a change of aliases.
type action map[string]map[string]any

// takeAway is the action that removes an alias from an index. It fails if the index doesn't have the alias.
func takeAway(alias, name string) action {
	return action{"remove": {"index": name, "alias": alias, "must_exist": true}}
}

// alter does all actions or none.
func (a admin) alter(ctx context.Context, what string, actions ...action) error {
	return a.DoJSON(ctx, what, map[string]any{"actions": actions}, func(body io.Reader) opensearchapi.Request {
		return opensearchapi.IndicesUpdateAliasesRequest{Body: body}
	}, nil)
}

// count returns how many documents of an index searches find.
func (a admin) count(ctx context.Context, name string) (int, error) {
	var answer struct{ Count int }
	err := a.DoJSON(ctx, "count the documents of index "+name, map[string]any{"query": document.ShownFilter()}, func(body io.Reader) opensearchapi.Request {
		return opensearchapi.CountRequest{Index: []string{name}, Body: body}
	}, &answer)
	return answer.Count, err
}

// searched reports whether an index has open searches.
func (a admin) searched(ctx context.Context, name string) (bool, error) {
	var answer struct {
		All struct {
			Total struct {
				Search struct {
					Contexts int `json:"open_contexts"`
					Queries  int `json:"query_current"`
					Fetches  int `json:"fetch_current"`
				}
			}
		} `json:"_all"`
	}
	err := a.DoJSON(ctx, "look for searches of index "+name, nil, func(io.Reader) opensearchapi.Request {
		return opensearchapi.IndicesStatsRequest{Index: []string{name}, Metric: []string{"search"}}
	}, &answer)
	s := answer.All.Total.Search
	return s.Contexts+s.Queries+s.Fetches > 0, err
}

// drop deletes an index, if it exists.
func (a admin) drop(ctx context.Context, name string) error {
	return orGone(a.DoJSON(ctx, "delete index "+name, nil, func(io.Reader) opensearchapi.Request {
		return opensearchapi.IndicesDeleteRequest{Index: []string{name}}
	}, nil))
}

// orGone returns the error of a deletion: none if what is to be deleted doesn't exist.
func orGone(err error) error {
	if index.IsNotFound(err) {
		return nil
	}
	return err
}

// putMeta writes the _meta of an index's mapping.
func (a admin) putMeta(ctx context.Context, name string, meta map[string]any) error {
	what := "note in index " + name + " how far it is"
	var answer struct{ Acknowledged bool }
	err := a.DoJSON(ctx, what, map[string]any{"_meta": meta}, func(body io.Reader) opensearchapi.Request {
		return opensearchapi.IndicesPutMappingRequest{Index: []string{name}, Body: body}
	}, &answer)
	if err == nil && !answer.Acknowledged {
		err = errors.New(what + ": not all nodes of OpenSearch have heard of it in time; try again when its cluster is well")
	}
	return err
}

// mappings reads the mappings of an index.
func (a admin) mappings(ctx context.Context, name string) (map[string]any, error) {
	var answer map[string]struct{ Mappings map[string]any }
	err := a.DoJSON(ctx, "read the mapping of index "+name, nil, func(io.Reader) opensearchapi.Request {
		return opensearchapi.IndicesGetMappingRequest{Index: []string{name}}
	}, &answer)
	if mappings := answer[name].Mappings; mappings != nil {
		return mappings, nil
	}
	return map[string]any{}, err
}

// refresh lets searches find all that an index has.
func (a admin) refresh(ctx context.Context, name string) error {
	what := "refresh of index " + name
	var answer struct {
		Shards shards `json:"_shards"`
	}
	if err := a.DoJSON(ctx, what, nil, func(io.Reader) opensearchapi.Request {
		return opensearchapi.IndicesRefreshRequest{Index: []string{name}}
	}, &answer); err != nil {
		return err
	}
	return answer.Shards.check(what)
}
