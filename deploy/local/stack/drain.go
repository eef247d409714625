package stack

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"sluice/deploy/local/bridge"
	"sluice/deploy/local/mapping"
)

const drainInterval = 10 * time.Millisecond

// Drain waits until nothing is under way: every change that was made before the call has been carried, every consumer is done with
// it, and so it is with the changes that consumers made in turn. It compares positions and never goes by time. If ctx ends, as when
// applications keep writing, it returns ctx's error and where things stand. Not seen is a call that a killed function had sent and
// that a server has not carried out yet.
func (s *Stack) Drain(ctx context.Context) error {
	again := time.NewTicker(drainInterval)
	defer again.Stop()
	since := s.standing()
	for {
		select {
		case <-again.C:
		case <-ctx.Done():
			return fmt.Errorf("the pipeline has not drained:%s: %w", s.Info().describe(), context.Cause(ctx))
		}
		now := s.standing()
		switch {
		case !now.all(since, standing.stillAs):
			since = now
		case now.all(since, standing.lookedSince):
			return nil
		}
	}
}

func (i Info) describe() string {
	var text strings.Builder
	for _, region := range i.Regions() {
		p := i.In(region)
		fmt.Fprintf(&text, " %s: bridge %+v, mappings %+v;", region, *p.Bridge, p.Mappings)
	}
	return strings.TrimSuffix(text.String(), ";")
}

// standings are where all regions stand, the mappings of all before the bridges of all: consumers write into other regions too.
type standings map[string]standing

// standing is where a region's bridge and mappings stand. If two of all regions are idle and the same, no consumer did anything in
// between. If a reading of each table's stream began after the first and found its end, nothing that was made before is unread.
type standing struct {
	mappings map[string]mapping.Stats
	streams  map[string]string // that the mappings read, by consumer
	bridge   bridge.Stats
}

func (s *Stack) standing() standings {
	now := standings{}
	for _, r := range s.regions {
		mappings := map[string]mapping.Stats{}
		for name, m := range r.mappings {
			mappings[name] = m.Stats()
		}
		now[r.plan.region] = standing{mappings: mappings, streams: r.streams}
	}
	for _, r := range s.regions {
		region := now[r.plan.region]
		region.bridge = r.bridge.Stats()
		now[r.plan.region] = region
	}
	return now
}

func (s standings) all(before standings, so func(now, before standing) bool) bool {
	for region, now := range s {
		if !so(now, before[region]) {
			return false
		}
	}
	return true
}

// idle reports whether all that was read of the tables is in the stream, and every mapping is done with all that is there.
func (s standing) idle() bool {
	if s.bridge.Pending > 0 {
		return false
	}
	for name, m := range s.mappings {
		if !m.Idle() {
			return false
		}
		checkpoints := map[string]string{}
		for _, shard := range m.Shards {
			checkpoints[shard.ID] = shard.Checkpoint
		}
		for _, table := range s.bridge.Tables {
			if table.Stream != s.streams[name] {
				continue
			}
			for shard, last := range table.Last {
				if compareSequences(checkpoints[shard], last) < 0 {
					return false
				}
			}
		}
	}
	return true
}

// stillAs reports whether both are idle, and neither bridge nor mappings have read anything since before.
func (s standing) stillAs(before standing) bool {
	for name, m := range s.mappings {
		if m.Read != before.mappings[name].Read {
			return false
		}
	}
	return s.idle() && before.idle() && s.bridge.Read == before.bridge.Read
}

// lookedSince reports whether every table's stream has been read to its end by a reading that began after before.
func (s standing) lookedSince(before standing) bool {
	for name, table := range s.bridge.Tables {
		if table.Quiet < before.bridge.Tables[name].Quiet+2 {
			return false
		}
	}
	return true
}

// compareSequences compares sequence numbers of one shard; the empty one is before all.
func compareSequences(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}
