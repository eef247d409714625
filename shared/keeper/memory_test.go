package keeper

import (
	"runtime"
	"strings"
	"testing"
	"unsafe"
	"weak"

	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/wire"
)

// A batch has a game that is counted, one that is rejected and one whose write fails. Once the next batch is decoded,
// nothing holds the text of the first one. Fails if the keeper, or what it keeps of a table, remembers a name or an
// item of a batch.
func TestNoBatchIsKept(t *testing.T) {
	w := newWorld(t)
	k := w.keeper(func(c wire.Call) wire.Fault {
		if strings.Contains(string(c.Body), "unlucky") {
			return wire.ServerError
		}
		return wire.None
	})
	var decoder change.Decoder
	deliver := func(n string) weak.Pointer[byte] {
		t.Helper()
		var records [][]byte
		for _, game := range []struct{ player, points string }{{"new-" + n, "5"}, {"bad-" + n, "9E+125"}, {"unlucky-" + n, "5"}} {
			key := consumertest.Item{"Game": consumertest.S(game.player)}
			image := consumertest.Item{"Game": key["Game"], "Player": consumertest.S(game.player), "Points": consumertest.N(game.points)}
			if strings.HasPrefix(game.player, "bad") {
				image["Player"] = consumertest.S(strings.Repeat("x", 3000))
			}
			records = append(records, consumertest.Change{Table: "games", Time: at(1), Keys: key, New: image}.Record())
		}
		decoded, err := decoder.Decode(consumertest.Payload(1, records...))
		if err != nil {
			t.Fatal(err)
		}
		var batch []*change.Change
		for _, r := range decoded {
			batch = append(batch, r.Change)
		}
		name, err := batch[0].New.String("Player")
		if err != nil {
			t.Fatal(err)
		}
		buffer := weak.Make(unsafe.StringData(name))
		for i, err := range k.ApplyBatch(t.Context(), batch) {
			if want := []consumer.Outcome{consumer.Applied, consumer.Rejected, consumer.Retry}[i]; consumer.OutcomeOf(err) != want {
				t.Errorf("change %d: %.300v, want %v", i, err, want)
			}
		}
		return buffer
	}
	first := deliver("1")
	deliver("2")
	consumertest.WantFreed(t, first, "the text of the batch before")
	runtime.KeepAlive(k)
}
