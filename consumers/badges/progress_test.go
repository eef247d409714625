package badges

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/wire"
)

// TestEveryDeliveryMoves delivers plays of several players, and their pets, while the calls of
// one step give no answer for any but the next two players: that step doesn't fit its time.
// Each delivery must move the checkpoint, and each badge is stored and told. Fails if one
// step may take all of the time: what an earlier delivery has done costs as much again, so
// no badge would ever be stored or told.
func TestEveryDeliveryMoves(t *testing.T) {
	const players, each, timeout = 4, 2, 4 * time.Second
	name := func(n int) string { return fmt.Sprintf("player-%02d", n) }
	for step, isOf := range map[string]func(wire.Call) bool{
		"states": func(c wire.Call) bool { return bytes.Contains(c.Body, []byte(`"TableName":"`+DefaultStateTable+`"`)) },
		"awards": func(c wire.Call) bool {
			return c.Operation != "UpdateItem" && bytes.Contains(c.Body, []byte(`"TableName":"`+DefaultAchievementTable+`"`))
		},
		"marks": func(c wire.Call) bool {
			return c.Operation == "UpdateItem" && bytes.Contains(c.Body, []byte(`"TableName":"`+DefaultAchievementTable+`"`))
		},
	} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			fast := each // so many players get answers
			b := w.function(func(c wire.Call) wire.Fault {
				for n := fast; n < players; n++ {
					if isOf(c) && strings.Contains(string(c.Body), name(n)) {
						return wire.Silence
					}
				}
				return wire.None
			})
			var changes []consumertest.Change
			for n := range players {
				changes = append(changes, w.pet("Pets", name(n), "PET#1", "Rex"), w.play(name(n), "2025-12-01"))
			}
			batch := w.parse(changes...)
			for ; len(batch) > 0; fast += each {
				ctx, cancel := context.WithTimeout(t.Context(), timeout)
				errs := b.ApplyBatch(ctx, batch)
				cancel()
				done := 0
				for done < len(errs) && consumer.OutcomeOf(errs[done]) != consumer.Retry {
					done++
				}
				if done == 0 {
					t.Fatalf("%d of %d changes are left, and the checkpoint doesn't move: %v", len(batch), len(changes), errs[0])
				}
				batch = batch[done:]
			}
			for n := range players {
				w.wants(name(n), "first+", "hello##PET#1+")
			}
		})
	}
}

// TestFirstChangeFirst fails if a player whose pet comes first in the batch waits for all whose
// plays come later.
func TestFirstChangeFirst(t *testing.T) {
	w := newWorld(t)
	b := w.function(nil)
	batch := w.parse(w.pet("Pets", "owner", "PET#1", "Rex"), w.play("a", "2025-12-01"), w.play("b", "2025-12-01"), w.play("owner", "2025-12-01"), w.play("a", "2025-12-02"))
	errs, touched := b.update(t.Context(), batch)
	var names []string
	for _, p := range b.players(batch, touched, make([][]error, len(errs))) {
		names = append(names, p.awards.Name)
	}
	if got := fmt.Sprint(names); got != "[owner a b]" {
		t.Errorf("the players' order is %s", got)
	}
}
