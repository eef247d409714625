package ops

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/consumers/search/internal/document"
)

// checkpoint is how far a table has been read into an index, as the index's mapping has it.
type checkpoint struct {
	Definition string    `json:"definition"` // a hash of what documents are made by
	Announced  time.Time `json:"announced"`
	// Known is when all nodes of OpenSearch knew the new index. Earlier versions didn't note it.
	Known    time.Time `json:"known,omitzero"`
	Segments []cursor  `json:"segments"`
}

// cursor is how far a segment of the table has been read.
type cursor struct {
	Done  bool           `json:"done,omitempty"`
	After map[string]key `json:"after,omitempty"`
}

// key is the value of a key attribute.
type key struct {
	S, N *string `json:",omitempty"`
	B    []byte  `json:",omitempty"`
}

// newCheckpoint is that of a reindex that begins.
func newCheckpoint(r *document.Route, segments int) (checkpoint, error) {
	fingerprint, err := r.Fingerprint()
	return checkpoint{Definition: fingerprint, Segments: make([]cursor, segments)}, err
}

// fits returns an error if a reindex can't go on with an index that has the state.
func (s checkpoint) fits(mine checkpoint, r *document.Route, index string) error {
	switch {
	case s.Definition != mine.Definition:
		return fmt.Errorf("index %s was begun with another definition or another route; go on with the program that began it, or give it up: sluice reindex %s --abort", index, r.Name)
	case len(s.Segments) != len(mine.Segments):
		return fmt.Errorf("index %s was begun in %d segments; go on with --segments %d, or give it up: sluice reindex %s --abort", index, len(s.Segments), len(s.Segments), r.Name)
	}
	return nil
}

// begun tells whether any of the table has been read: then all changes go to both indexes.
func (s checkpoint) begun() bool {
	return slices.ContainsFunc(s.Segments, func(c cursor) bool { return c.Done || c.After != nil })
}

// position is where a segment goes on.
func (c cursor) position() (after map[string]types.AttributeValue, done bool, err error) {
	for name, k := range c.After {
		if after == nil {
			after = map[string]types.AttributeValue{}
		}
		switch {
		case k.S != nil:
			after[name] = &types.AttributeValueMemberS{Value: *k.S}
		case k.N != nil:
			after[name] = &types.AttributeValueMemberN{Value: *k.N}
		case k.B != nil:
			after[name] = &types.AttributeValueMemberB{Value: k.B}
		default:
			return nil, false, fmt.Errorf("how far the table was read can't be read: key %s has no value", name)
		}
	}
	return after, c.Done, nil
}

// cursorAt is the inverse of position; nil: the segment is done.
func cursorAt(after map[string]types.AttributeValue) (cursor, error) {
	if after == nil {
		return cursor{Done: true}, nil
	}
	c := cursor{After: map[string]key{}}
	for name, v := range after {
		switch v := v.(type) {
		case *types.AttributeValueMemberS:
			c.After[name] = key{S: &v.Value}
		case *types.AttributeValueMemberN:
			c.After[name] = key{N: &v.Value}
		case *types.AttributeValueMemberB:
			c.After[name] = key{B: v.Value}
		default:
			return c, fmt.Errorf("%T is no value of a key", v)
		}
	}
	return c, nil
}

// saveEvery is how often the state is saved at most, since each time all of
// OpenSearch's nodes must note it.
const saveEvery = 2 * time.Second

// The keys under _meta, where states stand.
const (
	reindexKey  = "sluice"
	backfillKey = "sluiceBackfill"
)

// journal keeps how far a table has been read into an index in the index's mapping.
// It is safe for concurrent use once it is begun.
type journal struct {
	*Operator
	index, key string

	mu         sync.Mutex // guards what follows
	checkpoint checkpoint
	saved      time.Time
}

// advance notes how far a segment has been read.
func (j *journal) advance(ctx context.Context, segment int, after map[string]types.AttributeValue) error {
	c, err := cursorAt(after)
	if err != nil {
		return err
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

// save saves the state, and returns when all nodes of OpenSearch know it.
func (j *journal) save(ctx context.Context) error {
	return j.client.putMeta(ctx, j.index, map[string]any{j.key: j.checkpoint})
}

// load reads the state of a run that was begun; without one it is zero.
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
