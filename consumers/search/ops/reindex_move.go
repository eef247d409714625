package ops

import (
	"context"
	"fmt"
	"time"

	"sluice/consumers/search/internal/document"
	"sluice/consumers/search/internal/index"
)

// create creates the new index, which no search uses yet.
func (r *reindex) create(ctx context.Context, s checkpoint) error {
	body, err := r.Route.Body(map[string]any{r.Route.NextAlias(): map[string]any{}})
	if err != nil {
		return err
	}
	document.Object(document.Object(body, "mappings"), "_meta")[reindexKey] = s
	return r.client.Create(ctx, r.result.To, body)
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

// move moves the aliases to the new index.
func (r *reindex) move(ctx context.Context) error {
	r.show(func(p *ReindexProgress) { p.Phase = Moving })
	if err := r.client.refresh(ctx, r.result.To); err != nil {
		return err
	}
	from, to := r.result.From, r.result.To
	err := r.client.alter(ctx, "move of index "+r.Route.Index,
		takeAway(r.Route.Index, from), takeAway(r.Route.WriteAlias(), from), takeAway(r.Route.NextAlias(), to),
		action{"add": {"index": to, "alias": r.Route.Index, "filter": document.ShownFilter()}},
		action{"add": {"index": to, "alias": r.Route.WriteAlias()}},
	)
	if err != nil {
		return err
	}
	// What was written since the first refresh was perhaps seen in the old index already.
	return r.client.refresh(ctx, to)
}

const (
	// searchMargin is how long a search may take from resolving the alias to being counted at the index.
	searchMargin = 5 * time.Second
	// longestSearch is how long the deletion of the old index waits for searches.
	longestSearch = 5 * time.Minute
)

// end deletes the old index once the searches that found it have ended.
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
		if index.IsNotFound(err) {
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

// AbortReindex aborts a reindex: it deletes the new index and returns its name. The index that people search stays as it
// is.
func (p *Operator) AbortReindex(ctx context.Context) (string, error) {
	there, err := p.findIndexes(ctx)
	if err != nil {
		return "", err
	}
	if there.next == "" {
		return "", fmt.Errorf("no reindex of %s is under way", p.Route.Index)
	}
	// First, so that no run can move the aliases to it any more.
	err = p.client.alter(ctx, "giving up of index "+there.next, takeAway(p.Route.NextAlias(), there.next))
	if index.IsNotFound(err) {
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
