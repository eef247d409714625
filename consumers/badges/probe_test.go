package badges

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"sluice/consumers/badges/internal/topictest"
	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/wire"
)

// Fails if a destination that changes wait for can't be probed, or is said to work while it is down.
func TestProbe(t *testing.T) {
	w := newWorld(t)
	fault := wire.None
	b := w.function(func(wire.Call) wire.Fault { return fault })
	store := b.giver.Store
	for _, destination := range []string{
		store.Puts(), store.Updates(), store.Reads(), store.StateReads(), store.StateGets(), "table " + store.States,
	} {
		fault = wire.None
		if err := b.Probe(destination)(t.Context()); err != nil {
			t.Errorf("%s: %v", destination, err)
		}
		fault = wire.ServerError
		if err := b.Probe(destination)(t.Context()); err == nil {
			t.Errorf("%s is down, but: %v", destination, err)
		}
	}
	if b.Probe(b.giver.Topic.Destination()) != nil {
		t.Error("the topic has a probe, which either publishes something or shows too little")
	}
}

// One player's notice is alone in its lane, and SNS fails each time it gets it. Another instance tells other
// players. While the topic is down for both, everything waits. Once it is back, the one change becomes a dead
// letter. Fails if the topic is one that can be probed, or if its instances don't note for each
// other that it works: the change then waits until it is given up.
func TestLoneNoticeThatFails(t *testing.T) {
	w := newWorld(t)
	down := true
	w.topic.Line.Fail = func(e topictest.Entry) *topictest.EntryFault {
		if down || e.Attributes["userId"] == "poison" {
			return &topictest.EntryFault{Code: "InternalError"}
		}
		return nil
	}
	client := s3.NewFromConfig(servertest.Ministack(t), func(o *s3.Options) { o.UsePathStyle = true })
	notes := &consumer.Bucket{S3: client, Name: servertest.CreateBucket(t, client), Consumer: "badges"}
	now := consumertest.Arrival
	var letters keptLetters
	instance := func() func(first int, record []byte) (done bool) {
		b := w.function(nil)
		b.Now = func() time.Time { return now }
		h := consumer.NewHandler("badges", b, &letters, consumer.Settings{}, slog.New(slog.DiscardHandler), io.Discard)
		h.Now, h.Notes = b.Now, notes
		return func(first int, record []byte) bool {
			t.Helper()
			answer, err := h.Invoke(t.Context(), consumertest.Payload(first, record))
			if err != nil {
				t.Fatal(err)
			}
			return !bytes.Contains(answer, []byte("itemIdentifier"))
		}
	}
	lane, other := instance(), instance()
	poison := w.play("poison", "2025-12-01").Record()
	const beat = 30 * time.Second
	n := 0
	step := func() {
		n++
		lane(1, poison)
		if done := other(1+n, w.play(fmt.Sprint("player-", n), "2025-12-01").Record()); done == down {
			t.Fatalf("step %d: the other player's change is done: %v, the topic is down: %v", n, done, down)
		}
		now = now.Add(beat)
	}
	for range 20 {
		step()
	}
	if len(letters) > 0 {
		t.Fatalf("while the topic is down there is a dead letter: %s: %s", letters[0].Reason, letters[0].Error)
	}
	down = false
	back := now
	for len(letters) == 0 && now.Sub(back) <= consumer.DefaultStuckAfter {
		step()
	}
	if len(letters) != 1 || letters[0].Reason != consumer.Stuck || letters[0].Position.SequenceNumber != consumertest.SequenceNumber(1) {
		t.Errorf("after %v there are %d dead letters, want that of the poison: %+v", now.Sub(back), len(letters), letters)
	}
	w.wants("poison", "first")
	w.wants(fmt.Sprint("player-", n), "first+")
}
