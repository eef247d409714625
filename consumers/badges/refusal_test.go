package badges

import (
	"strings"
	"testing"

	"sluice/consumers/badges/internal/topictest"
	"sluice/shared/consumer"
)

// A notice that no subscriber can get is never marked as told: its change is a dead letter,
// and those of the player's other badges are told.
func TestRefusedNotice(t *testing.T) {
	w := newWorld(t)
	w.topic.Line.Refuse = func(entries []topictest.Entry) string {
		for _, e := range entries {
			if strings.Contains(e.Message, "Rex") {
				return "InvalidParameter"
			}
		}
		return ""
	}
	b := w.function(nil)
	batch := w.parse(w.play("ann", "2025-12-01"), w.pet("Pets", "ann", "PET#1", "Rex"), w.pet("Pets", "ann", "PET#2", "Tom"))
	for range 2 {
		for i, err := range b.ApplyBatch(t.Context(), batch) {
			if rejected := consumer.OutcomeOf(err) == consumer.Rejected; rejected != (i == 1) || consumer.OutcomeOf(err) == consumer.Retry {
				t.Errorf("change %d: %v", i, err)
			}
		}
		w.wants("ann", "first+", "hello##PET#1", "hello##PET#2+")
	}
}
