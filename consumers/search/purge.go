package search

import (
	"context"
	"log/slog"
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
