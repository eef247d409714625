package search

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"
)

const (
	// PurgeAfter is how old an instance is when it purges first, at least.
	PurgeAfter = time.Hour
	// purgeEvery is how long it waits then.
	purgeEvery = 24 * time.Hour
	// PurgeMargin is how long a tombstone outlives the horizon, so that clocks may differ.
	PurgeMargin = 25 * time.Hour
)

// firstPurge returns when an instance that began at a time purges first. Many instances begin within a second, so it is random in
// the hour after PurgeAfter. The start is the seed, so that a replayed schedule purges at the same time.
func firstPurge(begun time.Time) time.Time {
	spread := rand.New(rand.NewPCG(uint64(begun.UnixNano()), 0)).Int64N(int64(PurgeAfter))
	return begun.Add(PurgeAfter + time.Duration(spread))
}

// purge removes, once a day, tombstones that no change is old enough to need. If it fails, the next instance tries. Only
// space depends on it.
func (s *Search) purge(ctx context.Context) {
	if !s.purgeIsDue() {
		return
	}
	for _, r := range s.routes {
		purged, err := s.client.Purge(ctx, r, s.now().Add(-s.horizon-PurgeMargin))
		s.counts.Add("Purged", purged)
		if err != nil {
			s.counts.Add("FailedPurges", 1)
			slog.WarnContext(ctx, "tombstones stay a day longer than they need to", "index", r.Index, "error", err)
		}
	}
}

func (s *Search) purgeIsDue() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now().Before(s.nextPurge) {
		return false
	}
	s.nextPurge = s.now().Add(purgeEvery)
	return true
}
