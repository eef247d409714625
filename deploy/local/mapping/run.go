package mapping

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	kinesistypes "github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	smithytime "github.com/aws/smithy-go/time"
	"golang.org/x/sync/errgroup"

	"sluice/deploy/local/attempt"
	"sluice/deploy/local/template"
)

// Run reads the stream and invokes the function until ctx ends, then kills the function and returns nil; an invocation under
// way is repeated by the next Run. While a server does not answer it tries again, and says so in the log; it returns an error if
// trying again can't help, or if the function never starts.
func (m *Mapping) Run(ctx context.Context) error {
	if !m.settings.Enabled {
		m.log.Warn("the mapping is disabled in its template, and reads nothing", "mapping", m.settings.Name)
		<-ctx.Done()
		return nil
	}
	err := m.run(ctx)
	m.rewind()
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("mapping %s: %w", m.config.Name, err)
}

func (m *Mapping) run(ctx context.Context) error {
	err := attempt.Until(ctx, m.log, "find the on-failure destination", func(ctx context.Context) (err error) {
		m.destination, err = m.findDestination(ctx)
		return err
	})
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		for {
			if err := attempt.Until(ctx, m.log, "list the shards of "+m.stream, m.discover); err != nil {
				return err
			}
			for _, s := range m.ready() {
				s.running = true
				group.Go(func() error { return m.runShard(ctx, s) })
			}
			if err := smithytime.SleepWithContext(ctx, discoverInterval); err != nil {
				return err
			}
		}
	})
	return group.Wait()
}

// discover adds the shards that have appeared. Those of the first look start at StartingPosition, later ones at their first
// record, for they hold only what came after.
func (m *Mapping) discover(ctx context.Context) error {
	var listed []kinesistypes.Shard
	in := &kinesis.ListShardsInput{StreamARN: &m.stream}
	for {
		out, err := m.config.Kinesis.ListShards(ctx, in)
		if err != nil {
			var missing *kinesistypes.ResourceNotFoundException
			if errors.As(err, &missing) {
				return fmt.Errorf("stream %s does not exist; create it before it is read: %w", m.stream, err)
			}
			return fmt.Errorf("list the shards of stream %s: %w", m.stream, err)
		}
		listed = append(listed, out.Shards...)
		if out.NextToken == nil {
			break
		}
		in = &kinesis.ListShardsInput{NextToken: out.NextToken}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	start := m.settings.StartingPosition
	if len(m.shards) > 0 {
		start = template.TrimHorizon
	}
	for _, l := range listed {
		if m.find(*l.ShardId) == nil {
			parents := []string{aws.ToString(l.ParentShardId), aws.ToString(l.AdjacentParentShardId)}
			m.shards = append(m.shards, newShard(*l.ShardId, parents, start))
		}
	}
	slices.SortFunc(m.shards, func(a, b *shard) int { return strings.Compare(a.id, b.id) })
	return nil
}

// find returns the shard of the id, or nil. The caller holds the lock.
func (m *Mapping) find(id string) *shard {
	i := slices.IndexFunc(m.shards, func(s *shard) bool { return s.id == id })
	if i < 0 {
		return nil
	}
	return m.shards[i]
}

// ready returns the shards that are to be started: neither running nor ended, and every parent that is known has ended.
func (m *Mapping) ready() []*shard {
	m.mu.Lock()
	defer m.mu.Unlock()
	var ready []*shard
	for _, s := range m.shards {
		waits := slices.ContainsFunc(s.parents, func(id string) bool {
			parent := m.find(id)
			return parent != nil && !parent.ended.Load()
		})
		if !s.running && !s.ended.Load() && !waits {
			ready = append(ready, s)
		}
	}
	return ready
}

// rewind takes every shard back to its checkpoint, from which the next Run reads on.
func (m *Mapping) rewind() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.shards {
		finished, unfinished := s.progress.rewind()
		m.done.Add(-finished)
		m.read.Add(-finished - unfinished)
		s.running = false
		s.behind.Store(unread)
	}
}
