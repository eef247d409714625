package ops

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"

	"sluice/consumers/search/internal/document"
	"sluice/shared/operate"
)

// checkpoint is how far a table was read into an index. It is stored in the index's mapping.
type checkpoint struct {
	Definition string    `json:"definition"` // a hash of what documents are made by
	Announced  time.Time `json:"announced"`
	// Known is when all nodes of OpenSearch knew the new index. Earlier versions didn't note it.
	Known    time.Time `json:"known,omitzero"`
	Segments []cursor  `json:"segments"`
}

// cursor is how far a segment of the table was read.
type cursor struct {
	Done  bool            `json:"done,omitempty"`
	After json.RawMessage `json:"after,omitempty"` // the last item's key, as DynamoDB writes it in JSON
}

// newCheckpoint is the checkpoint of a run that begins.
func newCheckpoint(r *document.Route, segments int) (checkpoint, error) {
	fingerprint, err := r.Fingerprint()
	return checkpoint{Definition: fingerprint, Segments: make([]cursor, segments)}, err
}

// fits returns an error if a run can't resume from the checkpoint.
func (c checkpoint) fits(mine checkpoint, r *document.Route, index string) error {
	switch {
	case c.Definition != mine.Definition:
		return fmt.Errorf("index %s was begun with another definition or another route; resume it with the program that began it, or abort it: sluice reindex %s --abort", index, r.Name)
	case len(c.Segments) != len(mine.Segments):
		return fmt.Errorf("index %s was begun in %d segments; resume it with --segments %d, or abort it: sluice reindex %s --abort", index, len(c.Segments), len(c.Segments), r.Name)
	}
	return nil
}

// begun reports whether any of the table was read. Then all changes go to both indexes.
func (c checkpoint) begun() bool {
	return slices.ContainsFunc(c.Segments, func(s cursor) bool { return s.Done || s.After != nil })
}

// cursors returns where the segments resume.
func (c checkpoint) cursors() ([]operate.Cursor, error) {
	cursors := make([]operate.Cursor, len(c.Segments))
	for i, s := range c.Segments {
		cursors[i].Done = s.Done
		if s.After == nil {
			continue
		}
		var err error
		if cursors[i].After, err = attributevalue.UnmarshalMapJSON(s.After); err != nil {
			return nil, fmt.Errorf("read how far segment %d was read: %w", i, err)
		}
	}
	return cursors, nil
}

// cursorAt is the stored form of a cursor.
func cursorAt(at operate.Cursor) (c cursor, err error) {
	c.Done = at.Done
	if !at.Done {
		c.After, err = attributevalue.MarshalMapJSON(at.After)
	}
	return c, err
}

// saveEvery is how often a checkpoint is saved at most, since all of OpenSearch's nodes must take note of it.
const saveEvery = 2 * time.Second

// The keys under _meta that have checkpoints.
const (
	reindexKey  = "sluice"
	backfillKey = "sluiceBackfill"
)

// journal stores a checkpoint in an index's mapping. After load it is safe for concurrent use.
type journal struct {
	*Operator
	index, key string

	mu         sync.Mutex // guards what follows
	checkpoint checkpoint
	saved      time.Time
}

// advance records how far a segment was read.
func (j *journal) advance(ctx context.Context, segment int, at operate.Cursor) error {
	c, err := cursorAt(at)
	if err != nil {
		return fmt.Errorf("store how far segment %d was read: %w", segment, err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.checkpoint.Segments[segment] = c
	if !c.Done && j.now().Sub(j.saved) < saveEvery {
		return nil
	}
	j.saved = j.now()
	return j.save(ctx)
}

// save stores the checkpoint, and returns when all nodes of OpenSearch know it.
func (j *journal) save(ctx context.Context) error {
	return j.client.putMeta(ctx, j.index, map[string]any{j.key: j.checkpoint})
}

// load reads the checkpoint of an earlier run; the zero one if there is none.
func (j *journal) load(ctx context.Context) error {
	mappings, err := j.client.mappings(ctx, j.index)
	if err != nil {
		return err
	}
	text, err := json.Marshal(document.Object(document.Object(mappings, "_meta"), j.key))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &j.checkpoint); err != nil {
		return fmt.Errorf("read how far index %s is: %w", j.index, err)
	}
	return nil
}
