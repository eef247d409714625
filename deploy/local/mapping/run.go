package mapping

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	kinesistypes "github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	smithytime "github.com/aws/smithy-go/time"
	"golang.org/x/sync/errgroup"

	"sluice/deploy/local/attempt"
	"sluice/deploy/local/template"
)

// Run reads the stream and invokes the function until ctx ends, then kills the function and returns nil; the next Run repeats an
// invocation under way. It repeats and logs calls that fail, unless trying again can't help or the function never starts.
func (m *Mapping) Run(ctx context.Context) error {
	if !m.settings.Enabled {
		m.log.Warn("the mapping is disabled in its template, and reads nothing", "mapping", m.settings.Name)
		<-ctx.Done()
		return nil
	}
	err := m.run(ctx)
	m.rewind()
	for ctx.Err() == nil && m.goesOn(err) {
		if err := smithytime.SleepWithContext(ctx, discoverInterval); err != nil {
			return nil
		}
		err = m.run(ctx)
		m.rewind()
	}
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("mapping %s: %w", m.config.Function.Name, err)
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
			if err := attempt.Until(ctx, m.log, "list the shards of "+m.settings.Stream, m.discover); err != nil {
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

// discover adds new shards. Those of the first look start at StartingPosition, later ones hold only what came after and start there.
func (m *Mapping) discover(ctx context.Context) error {
	var listed []kinesistypes.Shard
	in := &kinesis.ListShardsInput{StreamARN: &m.settings.Stream}
	for {
		out, err := m.config.Kinesis.ListShards(ctx, in)
		if err != nil {
			if _, missing := errors.AsType[*kinesistypes.ResourceNotFoundException](err); missing {
				return fmt.Errorf("stream %s does not exist; %w: %w", m.settings.Stream, errGone, err)
			}
			return fmt.Errorf("list the shards of stream %s: %w", m.settings.Stream, err)
		}
		listed = append(listed, out.Shards...)
		if out.NextToken == nil {
			break
		}
		in = &kinesis.ListShardsInput{NextToken: out.NextToken}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.shards == nil && m.notice != "" {
		m.notice = madeAnew(m.now())
	}
	start := m.settings.StartingPosition
	if len(m.shards) > 0 || m.notice != "" {
		start = template.TrimHorizon
	}
	for _, l := range listed {
		first := ""
		if l.SequenceNumberRange != nil {
			first = aws.ToString(l.SequenceNumberRange.StartingSequenceNumber)
		}
		if known := m.find(*l.ShardId); known == nil {
			parents := []string{aws.ToString(l.ParentShardId), aws.ToString(l.AdjacentParentShardId)}
			s := newShard(*l.ShardId, parents, start)
			s.first = first
			m.shards = append(m.shards, s)
		} else if known.first != first {
			return errMadeAnew
		}
	}
	slices.SortFunc(m.shards, func(a, b *shard) int { return strings.Compare(a.id, b.id) })
	return nil
}

var (
	// errGone says that there is no such stream.
	errGone = errors.New("create it before it is read")
	// errMadeAnew says that the stream is not the one that was read before, although it has its name.
	errMadeAnew = errors.New("the stream was deleted and made anew")
)

// goesOn reports whether the error is that the stream is gone, or another one by now, which is read from its beginning.
func (m *Mapping) goesOn(err error) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case errors.Is(err, errGone) && (len(m.shards) > 0 || m.notice != ""):
		if m.shards != nil {
			m.log.Error("the stream was deleted; what was not read of it is lost", "stream", m.settings.Stream)
		}
		m.shards = nil
		m.notice = "its stream was deleted, so nothing is delivered to it; a new one of that name will be read from its beginning"
		return true
	case errors.Is(err, errMadeAnew):
	default:
		return false
	}
	m.shards = nil
	m.notice = madeAnew(m.now())
	m.log.Error("the stream was deleted and made anew; what was not read of the old one is lost", "stream", m.settings.Stream)
	return true
}

func madeAnew(at time.Time) string {
	return fmt.Sprintf("at %s its stream became another one, which is read from its beginning. What was not read of the old one is lost to it: "+
		"\"sluice verify CONSUMER\" shows what differs", at.Format(time.TimeOnly))
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
		m.counts.Done -= finished
		m.counts.Read -= finished + unfinished
		s.running = false
		s.answered.Store(unread)
		s.behind.Store(unread)
	}
}
