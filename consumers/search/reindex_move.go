package search

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/opensearch-project/opensearch-go/v2/opensearchapi"
)

// create makes the new index, where no search looks.
func (r *reindex) create(ctx context.Context, s state) error {
	body, err := r.Route.body(map[string]any{r.Route.next(): map[string]any{}})
	if err != nil {
		return err
	}
	object(object(body, "mappings"), "_meta")[reindexKey] = s
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	_, err = r.client.do(ctx, "make index "+r.result.To, func() opensearchapi.Request {
		return opensearchapi.IndicesCreateRequest{Index: r.result.To, Body: bytes.NewReader(text)}
	})
	return err
}

// longestBulk returns for how long the oldest bulk request that OpenSearch is working
// on has been under way.
func (c *client) longestBulk(ctx context.Context) (time.Duration, error) {
	var answer struct {
		Nodes map[string]struct {
			Tasks map[string]struct {
				Running time.Duration `json:"running_time_in_nanos"`
			}
		}
	}
	if err := c.read(ctx, "look for requests that are under way", func() opensearchapi.Request {
		return opensearchapi.TasksListRequest{Actions: []string{"indices:data/write/bulk*"}}
	}, &answer); err != nil {
		return 0, err
	}
	longest := time.Duration(0)
	for _, node := range answer.Nodes {
		for _, task := range node.Tasks {
			longest = max(longest, task.Running)
		}
	}
	return longest, nil
}

// action is one part of a change of aliases.
type action map[string]map[string]any

// takeAway is the action that takes an alias from an index that must have it.
func takeAway(alias, index string) action {
	return action{"remove": {"index": index, "alias": alias, "must_exist": true}}
}

// alter does all actions or none.
func (c *client) alter(ctx context.Context, what string, actions ...action) error {
	body, err := json.Marshal(map[string]any{"actions": actions})
	if err != nil {
		return err
	}
	_, err = c.do(ctx, what, func() opensearchapi.Request {
		return opensearchapi.IndicesUpdateAliasesRequest{Body: bytes.NewReader(body)}
	})
	return err
}

// missing tells whether what a request names isn't there: an index or an alias.
func missing(err error) bool {
	if errors.Is(err, errNoIndex) {
		return true
	}
	refused, ok := errors.AsType[*StatusError](err)
	return ok && refused.Status == http.StatusNotFound
}

// compareSizes asks whether the new index may have as few documents as it has.
func (r *reindex) compareSizes(ctx context.Context) error {
	if r.options.Fewer == nil {
		return nil
	}
	var sizes [2]int
	for i, index := range []string{r.result.From, r.result.To} {
		if err := r.client.refresh(ctx, index); err != nil {
			return err
		}
		var err error
		if sizes[i], err = r.client.count(ctx, index); err != nil {
			return err
		}
	}
	return r.options.Fewer(sizes[0], sizes[1])
}

// Documents returns how many documents searches of the route's index find; 0 if it isn't there yet.
func (p *Pair) Documents(ctx context.Context) (int, error) {
	n, err := p.client.count(ctx, p.Route.Index)
	if missing(err) {
		return 0, nil
	}
	return n, err
}

// count returns how many documents of an index are shown.
func (c *client) count(ctx context.Context, index string) (int, error) {
	body, err := json.Marshal(map[string]any{"query": shown()})
	if err != nil {
		return 0, err
	}
	var answer struct{ Count int }
	err = c.read(ctx, "count the documents of index "+index, func() opensearchapi.Request {
		return opensearchapi.CountRequest{Index: []string{index}, Body: bytes.NewReader(body)}
	}, &answer)
	return answer.Count, err
}

// move puts the new index in the old one's place.
func (r *reindex) move(ctx context.Context) error {
	r.show(func(p *ReindexProgress) { p.Phase = Moving })
	if err := r.client.refresh(ctx, r.result.To); err != nil {
		return err
	}
	from, to := r.result.From, r.result.To
	err := r.client.alter(ctx, "move of index "+r.Route.Index,
		takeAway(r.Route.Index, from), takeAway(r.Route.all(), from), takeAway(r.Route.next(), to),
		action{"add": {"index": to, "alias": r.Route.Index, "filter": shown()}},
		action{"add": {"index": to, "alias": r.Route.all()}},
	)
	if err != nil {
		return err
	}
	// What was written since the first refresh was perhaps seen in the old index already.
	return r.client.refresh(ctx, to)
}

const (
	// searchMargin is how long a search may take from finding the index behind the alias
	// to being counted there.
	searchMargin = 5 * time.Second
	// longestSearch is how long the old index waits for its searches.
	longestSearch = 5 * time.Minute
)

// end deletes the old index once the searches that found it are done.
func (r *reindex) end(ctx context.Context) error {
	r.result.Kept = true
	if r.options.KeepOld {
		return nil
	}
	moved := r.now()
	r.show(func(p *ReindexProgress) { p.Phase, p.Until = Ending, moved.Add(searchMargin) })
	for {
		if err := r.sleep(ctx, searchMargin); err != nil {
			return fmt.Errorf("index %s is in place; the old one, %s, is still there: delete it: %w", r.result.To, r.result.From, err)
		}
		busy, err := r.client.searched(ctx, r.result.From)
		if missing(err) {
			break // another run has deleted it
		}
		if err != nil {
			return err
		}
		if !busy {
			break
		}
		if r.now().Sub(moved) > longestSearch {
			return nil
		}
	}
	if err := r.client.drop(ctx, r.result.From); err != nil {
		return err
	}
	r.result.Kept = false
	return nil
}

// searched tells whether searches of an index are under way or may go on.
func (c *client) searched(ctx context.Context, index string) (bool, error) {
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
	err := c.read(ctx, "look for searches of index "+index, func() opensearchapi.Request {
		return opensearchapi.IndicesStatsRequest{Index: []string{index}, Metric: []string{"search"}}
	}, &answer)
	s := answer.All.Total.Search
	return s.Contexts+s.Queries+s.Fetches > 0, err
}

// drop deletes an index, if it is there.
func (c *client) drop(ctx context.Context, index string) error {
	_, err := c.do(ctx, "delete index "+index, func() opensearchapi.Request {
		return opensearchapi.IndicesDeleteRequest{Index: []string{index}}
	})
	if missing(err) {
		return nil
	}
	return err
}

// AbortReindex gives up a reindex: it deletes the new index and returns its name. The
// one that people search stays what it is.
func (p *Pair) AbortReindex(ctx context.Context) (string, error) {
	there, err := p.look(ctx)
	if err != nil {
		return "", err
	}
	if there.next == "" {
		return "", fmt.Errorf("no reindex of %s is under way", p.Route.Index)
	}
	// First, so that no run can move the aliases to it any more.
	err = p.client.alter(ctx, "giving up of index "+there.next, takeAway(p.Route.next(), there.next))
	if missing(err) {
		return "", fmt.Errorf("index %s was moved or given up meanwhile", there.next)
	}
	if err != nil {
		return "", err
	}
	if err := p.client.drop(ctx, there.next); err != nil {
		return "", fmt.Errorf("index %s is given up, but still there; delete it: %w", there.next, err)
	}
	return there.next, nil
}
