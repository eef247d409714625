package mapping

import (
	"context"
	"crypto/md5"
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	kinesistypes "github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	smithytime "github.com/aws/smithy-go/time"
	"golang.org/x/sync/errgroup"

	"sluice/deploy/local/attempt"
	"sluice/deploy/local/template"
)

const (
	// recordOverhead is what a record costs beside its event.
	recordOverhead = 512
	// unread is a shard's lag before its first read.
	unread = -1
)

func (r *record) weight() int64 { return int64(cap(r.event)) + recordOverhead }

// shard is one shard of the stream, from one Run to the next.
type shard struct {
	id      string
	parents []string
	first   string // its first sequence number: that of a shard with the same id in another stream is another
	start   template.StartingPosition

	progress progress
	room     *room        // held by records until they are done
	behind   atomic.Int64 // milliseconds, or unread
	ended    atomic.Bool
	running  bool         // only Run's discovery uses it
	answered atomic.Int64 // when the shard was last read, in milliseconds since 1970, or unread
}

func newShard(id string, parents []string, start template.StartingPosition) *shard {
	s := &shard{id: id, parents: parents, start: start}
	s.behind.Store(unread)
	s.answered.Store(unread)
	return s
}

// runShard reads and delivers a shard from its checkpoint on, until it has ended and all is done, or ctx ends.
func (m *Mapping) runShard(ctx context.Context, s *shard) error {
	s.answered.Store(m.now().UnixMilli()) // it has as long for the first answer as for any other
	s.room = m.config.Memory.newRoom()
	defer s.room.close()
	group, ctx := errgroup.WithContext(ctx)
	lanes := make([]*lane, m.settings.ParallelizationFactor)
	for i := range lanes {
		var err error
		if lanes[i], err = newLane(m, s); err != nil {
			return err
		}
	}
	for _, l := range lanes {
		group.Go(func() error { return l.run(ctx) })
	}
	group.Go(func() error {
		if err := m.poll(ctx, s, lanes); err != nil {
			return err
		}
		for _, l := range lanes {
			l.close()
		}
		return nil
	})
	if err := group.Wait(); err != nil {
		return err
	}
	s.ended.Store(true)
	m.log.Info("shard has ended and is done", "shard", s.id)
	return nil
}

func (m *Mapping) poll(ctx context.Context, s *shard, lanes []*lane) error {
	source := newSource(s.id, m.settings.Stream, m.config.Function.ARN)
	last := s.progress.at()
	var iterator *string
	limit := int32(firstRead)
	for {
		var out *kinesis.GetRecordsOutput
		err := attempt.Until(ctx, m.log, "read shard "+s.id, func(ctx context.Context) (err error) {
			if iterator == nil {
				if iterator, err = m.iterator(ctx, s, last); err != nil {
					return err
				}
			}
			out, err = m.config.Kinesis.GetRecords(ctx, &kinesis.GetRecordsInput{ShardIterator: iterator, Limit: &limit})
			if _, expired := errors.AsType[*kinesistypes.ExpiredIteratorException](err); expired {
				iterator = nil
				return attempt.Passing{Err: err}
			}
			return err
		})
		_, gone := errors.AsType[*kinesistypes.ResourceNotFoundException](err)
		if gone && m.streamExists(ctx) {
			// Kinesis keeps a closed shard for as long as its records; ministack drops it at once.
			m.log.Error("the shard is gone, and with it whatever had not been read of it", "shard", s.id, "after", last, "error", err)
			return nil
		}
		if gone {
			return fmt.Errorf("read shard %s: stream %s does not exist; %w: %w", s.id, m.settings.Stream, errGone, err)
		}
		if err != nil {
			return fmt.Errorf("read shard %s of stream %s: %w", s.id, m.settings.Stream, err)
		}
		s.answered.Store(m.now().UnixMilli())
		behind := aws.ToInt64(out.MillisBehindLatest)
		if len(out.Records) == int(limit) {
			behind = max(behind, 1) // there may be more, which have come within a millisecond
		}
		if len(out.Records) > 0 {
			s.answered.Store(unread) // it isn't asked while it waits for room
			if err := m.dispatch(ctx, s, source, lanes, out.Records); err != nil {
				return err
			}
			last = *out.Records[len(out.Records)-1].SequenceNumber
			limit = s.room.readSize(len(out.Records), sizeOf(out.Records))
			s.answered.Store(m.now().UnixMilli())
		}
		s.behind.Store(behind)
		if iterator = out.NextShardIterator; iterator == nil {
			return nil
		}
		if behind == 0 {
			if err := smithytime.SleepWithContext(ctx, m.config.PollInterval); err != nil {
				return err
			}
		}
	}
}

func (m *Mapping) iterator(ctx context.Context, s *shard, last string) (*string, error) {
	in := &kinesis.GetShardIteratorInput{StreamARN: &m.settings.Stream, ShardId: &s.id, ShardIteratorType: kinesistypes.ShardIteratorType(s.start)}
	switch {
	case last != "":
		in.ShardIteratorType, in.StartingSequenceNumber = kinesistypes.ShardIteratorTypeAfterSequenceNumber, &last
	case s.start == template.AtTimestamp:
		in.Timestamp = &m.settings.StartingPositionTimestamp
	}
	out, err := m.config.Kinesis.GetShardIterator(ctx, in)
	if err != nil {
		return nil, err
	}
	return out.ShardIterator, nil
}

func (m *Mapping) streamExists(ctx context.Context) bool {
	_, err := m.config.Kinesis.DescribeStreamSummary(ctx, &kinesis.DescribeStreamSummaryInput{StreamARN: &m.settings.Stream})
	return err == nil
}

func sizeOf(records []kinesistypes.Record) (bytes int) {
	for i := range records {
		bytes += len(records[i].Data)
	}
	return bytes
}

func (m *Mapping) dispatch(ctx context.Context, s *shard, source source, lanes []*lane, records []kinesistypes.Record) error {
	for len(records) > 0 {
		parts := make([][]record, len(lanes))
		weight := int64(0)
		n := 0
		for most := s.room.part() / 4; n < len(records) && (n == 0 || weight < most); n++ {
			raw := &records[n]
			m.count(func(s *Stats) { s.Read++ })
			r := source.encode(raw)
			r.place = s.progress.add(r.sequence, r.arrival)
			i := laneOf(r.key, len(lanes))
			parts[i] = append(parts[i], r)
			weight += r.weight()
		}
		records = records[n:]
		if err := s.room.acquire(ctx, weight); err != nil {
			return err
		}
		for i, part := range parts {
			if len(part) > 0 {
				lanes[i].push(part)
			}
		}
	}
	return nil
}

func laneOf(key string, lanes int) int {
	sum := md5.Sum([]byte(key))
	// The first bytes choose the shard, so within one they are not spread evenly.
	return int(binary.BigEndian.Uint64(sum[8:]) % uint64(lanes))
}
