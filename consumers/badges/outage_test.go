package badges

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"sluice/consumers/badges/internal/topictest"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/proof"
	"sluice/shared/consumertest/wire"
)

// keptLetters keeps dead letters in memory.
type keptLetters []consumer.DeadLetter

func (l *keptLetters) Keep(_ context.Context, letters []consumer.DeadLetter) []error {
	*l = append(*l, letters...)
	return make([]error, len(letters))
}

// TestOneDestinationDown takes each table, each action on the awards and the topic away for
// longer than it takes to be stuck, while all else works. What needs the destination waits,
// and the metrics say that it is down. Afterwards each award is stored and told.
func TestOneDestinationDown(t *testing.T) {
	on := func(operation, table string) func(wire.Call) bool {
		return func(c wire.Call) bool {
			var body struct{ TableName string }
			return json.Unmarshal(c.Body, &body) == nil && body.TableName == table && (operation == "" || c.Operation == operation)
		}
	}
	for name, hit := range map[string]func(wire.Call) bool{
		"awards":            on("", DefaultAchievementTable),
		"storing of awards": on("PutItem", DefaultAchievementTable),
		"marks":             on("UpdateItem", DefaultAchievementTable),
		"reading of awards": on("Query", DefaultAchievementTable),
		"states":            on("", DefaultStateTable),
		"reading of states": on("Query", DefaultStateTable),
		"topic":             nil,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			down := false
			b := w.function(func(c wire.Call) wire.Fault {
				if down && hit != nil && hit(c) {
					return wire.ServerError
				}
				return wire.None
			})
			w.topic.Line.Refuse = func([]topictest.Entry) string {
				if down && hit == nil {
					return "InternalError"
				}
				return ""
			}
			now := consumertest.Arrival
			b.Now = func() time.Time { return now }
			var letters keptLetters
			var logs, metrics bytes.Buffer
			h := consumer.NewHandler("badges", b, &letters, consumer.Settings{}, slog.New(slog.NewTextHandler(&logs, nil)), &metrics)
			h.Now = b.Now
			var records [][]byte
			deliver := func() (done bool) {
				t.Helper()
				metrics.Reset()
				answer, err := h.Invoke(t.Context(), consumertest.Payload(1, records...))
				if err != nil {
					t.Fatal(err)
				}
				return !bytes.Contains(answer, []byte("itemIdentifier"))
			}
			down = true
			every := proof.Size(1, 4) // minutes
			for minute := 0; minute < 12; minute += every {
				now = now.Add(time.Duration(every) * time.Minute)
				// A new player's plays of three days, a player's next play, and a pet.
				player := fmt.Sprint("player-", minute)
				for day := 1; day <= 3; day++ {
					records = append(records, w.play(player, fmt.Sprintf("2025-12-%02d", day)).Record(), w.play("steady", fmt.Sprintf("2025-11-%02d", day)).Record())
				}
				records = append(records, w.pet("Pets", player, "PET#1", "Rex").Record())
				if deliver() {
					t.Fatalf("minute %d: done", minute)
				}
				if strings.Contains(metrics.String(), `"DestinationsDown":0`) {
					t.Errorf("minute %d: no destination is down: %s", minute, metrics.String())
				}
			}
			if len(letters) > 0 {
				t.Fatalf("%d dead letters, first %s: %s", len(letters), letters[0].Reason, letters[0].Error)
			}
			down = false
			if !deliver() || len(letters) > 0 {
				t.Errorf("afterwards: not done, or %d dead letters; the log:\n%.2000s", len(letters), logs.String())
			}
			for minute := 0; minute < 12; minute += every {
				w.wants(fmt.Sprint("player-", minute), "first+", "hello##PET#1+", "streak+", "three+")
			}
			w.wants("steady", "first+", "streak+", "three+")
		})
	}
}
