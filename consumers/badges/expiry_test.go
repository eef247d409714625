package badges

import (
	"fmt"
	"strings"
	"testing"

	"sluice/shared/consumer"
	"sluice/shared/consumertest"
)

// TestExpiredPlays shows that a play that expires has been played: no count falls and no badge
// is taken back. With SUBTRACT_EXPIRED_PLAYS it counts no more, as one that somebody removes.
func TestExpiredPlays(t *testing.T) {
	for _, subtract := range []bool{false, true} {
		t.Run(fmt.Sprint("subtract ", subtract), func(t *testing.T) {
			w := newWorld(t)
			w.rules = strings.Replace(testedRules, "earliest: 2000-01-01", "earliest: 2000-01-01, subtractExpired: \"${SUBTRACT_EXPIRED_PLAYS}\"", 1)
			w.subtractExpired = fmt.Sprint(subtract)
			b := w.function(nil)
			plays := []consumertest.Change{w.play("reed", "2025-12-01"), w.play("reed", "2025-12-01"), w.play("reed", "2025-12-01")}
			w.apply(b, consumer.Applied, plays...)
			expired, want := w.removal(plays[0]), consumer.Skip
			if expired.TTL = true; subtract {
				want = consumer.Applied
			}
			w.apply(b, want, expired)
			if subtract {
				w.wants("reed", "first+", "(three)+")
				return
			}
			w.wants("reed", "first+", "three+")
			w.apply(b, consumer.Applied, w.removal(plays[1]))
			w.wants("reed", "first+", "(three)+")
		})
	}
}
