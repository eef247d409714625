package bridge

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"log/slog"
	"math/rand/v2"
	"time"

	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	smithytime "github.com/aws/smithy-go/time"

	"sluice/deploy/local/attempt"
)

const (
	// pollInterval is the wait after a round in which no shard had a change.
	pollInterval = 25 * time.Millisecond
	// discoverInterval is how often the stream is asked for new shards; it is also asked whenever one ends.
	discoverInterval = time.Second
)

// carrier carries the changes of one table, one round after the other, so that they stay in order.
type carrier struct {
	bridge *Bridge
	table  Table
	log    *slog.Logger
	clock  *clock
	// The items of the changes timed in the newest millisecond, as far as they are cut to that.
	millisecond int64
	within      map[string]bool

	ids       *rand.Rand
	precision switcher
	shuffler  shuffler
	source    source
	lost      bool // the table had no stream when it was last looked at
	outbox    outbox
	counts    *counts
}

func newCarrier(b *Bridge, t Table, clock *clock) *carrier {
	name := fnv.New64a()
	name.Write([]byte(t.Name))
	// A generator for each purpose, so that switching one misbehaviour on does not change what another does.
	generator := func(purpose uint64) *rand.Rand {
		return rand.New(rand.NewPCG(b.config.Seed, name.Sum64()+purpose))
	}
	log := b.config.Log.With("table", t.Name, "stream", t.StreamName)
	counts := &counts{table: TableStats{Stream: t.StreamName, Last: map[string]string{}}}
	return &carrier{
		bridge: b, table: t, log: log, clock: clock, counts: counts,
		ids:       generator(0),
		precision: switcher{current: t.Precision, moving: b.config.Misbehave.SwitchPrecision, rng: generator(1), clock: clock},
		shuffler: shuffler{
			Misbehaviour: b.config.Misbehave, rng: generator(2),
			count: counts.count,
		},
		source: source{streams: b.config.Streams},
		outbox: outbox{kinesis: b.config.Kinesis, stream: t.StreamName, log: log, count: counts.count},
	}
}

// run carries changes until ctx ends or a server refuses for good. It may be called again.
func (c *carrier) run(ctx context.Context) error {
	if c.source.arn == "" {
		var err error
		if c.source.arn, err = c.findStream(ctx); err != nil {
			return err
		}
	}
	var discovered time.Time
	for {
		if time.Since(discovered) >= discoverInterval {
			if there, err := c.follow(ctx); err != nil {
				return err
			} else if !there {
				if err := smithytime.SleepWithContext(ctx, discoverInterval); err != nil {
					return err
				}
				continue
			}
			if err := attempt.Until(ctx, c.log, "list the shards of table "+c.table.Name, c.source.discover); isGone(err) {
				continue
			} else if err != nil {
				return err
			}
			discovered = time.Now()
		}
		changes, ended, err := c.round(ctx)
		if isGone(err) {
			discovered = time.Time{} // follow says what happened to the table
			continue
		}
		if err != nil {
			return err
		}
		switch {
		case ended:
			discovered = time.Time{}
		case changes == 0:
			if err := smithytime.SleepWithContext(ctx, pollInterval); err != nil {
				return err
			}
		}
	}
}

// round reads once from each readable shard and writes what is due. ended reports that a shard came to its end.
func (c *carrier) round(ctx context.Context) (changes int, ended bool, err error) {
	read := 0
	for _, shard := range c.source.shards {
		if !c.source.readable(shard) {
			continue
		}
		var records []streamtypes.Record
		err := attempt.Until(ctx, c.log, "read the changes of table "+c.table.Name, func(ctx context.Context) (err error) {
			records, err = c.source.read(ctx, shard)
			return err
		})
		if err != nil {
			return 0, false, err
		}
		c.counts.answered()
		// From here to the outbox nothing waits: what was read is pending, even if ctx ends meanwhile.
		out, err := c.encode(records)
		if err != nil {
			return 0, false, err
		}
		c.outbox.pending = append(c.outbox.pending, c.shuffler.pass(time.Now(), out)...)
		read++
		changes += len(records)
		ended = ended || shard.ended
		if err := c.outbox.flush(ctx); err != nil {
			return 0, false, err
		}
	}
	// The last shard of a stream stays open. Seen open and empty, it has no change that was not read, nor has another.
	if read > 0 && changes == 0 && !ended {
		c.counts.count(func(t *TableStats) { t.Quiet++ })
	}
	return changes, ended, nil
}

func (c *carrier) encode(changes []streamtypes.Record) ([]outgoing, error) {
	out := make([]outgoing, 0, len(changes))
	for i := range changes {
		key, err := partitionKey(c.table.Name, changes[i].Dynamodb.Keys)
		if err != nil {
			return nil, fmt.Errorf("table %s: %w", c.table.Name, err)
		}
		precision := c.precision.next()
		data, err := appendRecord(nil, envelope{
			region: c.bridge.config.Region, table: c.table.Name, eventID: c.eventID(),
			micros: c.time(key, precision), precision: precision,
		}, &changes[i])
		if err != nil {
			return nil, fmt.Errorf("table %s: item %s: %w", c.table.Name, key, err)
		}
		record := outgoing{key: key, data: data}
		if record.size() > maxRecordBytes {
			c.counts.count(func(t *TableStats) { t.Read++; t.Oversize++ })
			c.log.Warn("a change is skipped because its record is larger than Kinesis takes; only an audit of the destination finds it",
				"bytes", record.size(), "limit", maxRecordBytes, "partitionKey", key, "eventName", changes[i].EventName)
		} else {
			c.counts.count(func(t *TableStats) { t.Read++; t.Pending++ })
			out = append(out, record)
		}
	}
	return out, nil
}

// time returns a change's creation time. Cut to milliseconds, those of one item differ too, or nobody could tell which came first.
func (c *carrier) time(item string, precision Precision) int64 {
	at := c.clock.next()
	if precision == Microsecond {
		return at
	}
	if at/1000 == c.millisecond && c.within[item] {
		c.clock.skipMillisecond()
		at = c.clock.next()
	}
	if at/1000 != c.millisecond {
		c.millisecond, c.within = at/1000, map[string]bool{}
	}
	c.within[item] = true
	return at
}

func (c *carrier) eventID() string {
	var id [16]byte
	binary.BigEndian.PutUint64(id[:8], c.ids.Uint64())
	binary.BigEndian.PutUint64(id[8:], c.ids.Uint64())
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}
