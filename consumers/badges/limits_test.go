package badges

import (
	"strings"
	"testing"
	"time"

	"sluice/consumers/badges/internal/notify"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
)

// limitedRules have awards, states and notices that are made of what items hold.
const limitedRules = testedRules + `  - {name: first-time-in-this-very-game, title: {en: New}, text: {en: "{of}, {of}!"}, first: {each: Game}}
  - {name: corrected-games, quiet: true, revoke: true, title: {en: New}, text: {en: x}, first: {each: Sport}}
  - {name: sum, title: {en: Sum}, text: {en: x}, where: {Points: {exists: true}}, total: {of: Points, reaches: 10, repeat: 3}}
  - {name: quiet, quiet: true, title: {en: Hush}, text: {en: "{name}"}, item: {table: Toys, player: userId, each: SK}}
  - {name: everything, title: {en: All}, text: {en: x}, all: [first, hello]}
`

// pet is an insert of a pet; table Toys has them too.
func (w *world) pet(table, player, sk, name string) consumertest.Change {
	w.n++
	keys := consumertest.Item{"PK": consumertest.S("USER"), "SK": consumertest.S(sk)}
	image := consumertest.Item{"PK": keys["PK"], "SK": keys["SK"], "entityType": consumertest.S("PET"), "userId": consumertest.S(player), "name": consumertest.S(name)}
	return consumertest.Change{Table: table, Time: consumertest.Arrival.Add(-time.Minute + time.Duration(w.n)*time.Microsecond), Keys: keys, New: image}
}

// with is a play with a further attribute.
func (w *world) with(player, attribute string, value consumertest.Value) consumertest.Change {
	c := w.play(player, "2025-12-01")
	c.New[attribute] = value
	return c
}

// TestLimits shows that whatever an item holds, at each limit of DynamoDB and SNS and past it, its change is applied
// or a dead letter that says why; never does it come again while the servers are well. The
// changes beside it are applied, also those of the same player.
func TestLimits(t *testing.T) {
	// Bytes, by the documentation: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
	const partitionKey, sortKey, item = 2048, 1024, 400 << 10
	long := func(n int) string { return strings.Repeat("x", n) }
	// The name stands twice in a message, the rest of which takes less than this.
	const rest = 600
	w := newWorld(t)
	w.rules = limitedRules
	for _, test := range []struct {
		name    string
		makes   func(player string, longer int) consumertest.Change
		refused string // what the dead letter says of one past the limit
		atToo   bool   // the one at the limit is refused for another limit
	}{
		{"player of an item", func(_ string, n int) consumertest.Change { return w.pet("Pets", long(partitionKey+n), "PET#1", "Rex") }, "hello", false},
		{"player of a play", func(_ string, n int) consumertest.Change { return w.play(long(partitionKey+n), "2025-12-01") }, "2048", false},
		{"award key of an item", func(p string, n int) consumertest.Change {
			return w.pet("Pets", p, "PET#"+long(sortKey+n-len("hello##PET#")), "Rex")
		}, "hello##PET#", false},
		{"award key of an item that nobody is told of", func(p string, n int) consumertest.Change {
			return w.pet("Toys", p, "TOY#"+long(sortKey+n-len("quiet##TOY#")), "Rex")
		}, "quiet##TOY#", false},
		{"award key of a value", func(p string, n int) consumertest.Change {
			return w.with(p, "Game", consumertest.S(long(sortKey+n-len("first-time-in-this-very-game##"))))
		}, "first-time-in-this-very-game##", false},
		{"award key of a value that may be taken back", func(p string, n int) consumertest.Change {
			return w.with(p, "Sport", consumertest.S(long(sortKey+n-len("corrected-games##"))))
		}, "corrected-games##", false},
		{"key of a state", func(p string, n int) consumertest.Change {
			return w.with(p, "Game", consumertest.S(long(sortKey-len("each#Game#")+30*n)))
		}, "", true},
		{"message", func(p string, n int) consumertest.Change {
			return w.pet("Pets", p, "PET#2", long((notify.MaxNoticeBytes-rest)/2+n*rest))
		}, notify.ErrTooLarge.Error(), false},
		{"item of an award", func(p string, n int) consumertest.Change {
			return w.pet("Pets", p, "PET#3", long((item-rest)/2+n*rest))
		}, notify.ErrTooLarge.Error(), true},
		{"number that a sum can't hold", func(p string, n int) consumertest.Change {
			return w.with(p, "Points", consumertest.N([]string{"1e37", "1e-9"}[n]))
		}, "38", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			player := strings.ReplaceAll(test.name, " ", "-")
			b := w.function(nil)
			at, past := test.makes(player, 0), test.makes(player, 1)
			batch := w.parse(at, w.play("healthy-"+player, "2025-12-01"), past, w.play(player, "2025-12-01"), w.pet("Pets", player, "PET#4", "Rex"))
			for _, delivery := range []string{"first", "second"} {
				errs := b.ApplyBatch(t.Context(), batch)
				for i, err := range errs {
					rejected := i == 2 || i == 0 && test.atToo
					switch got := consumer.OutcomeOf(err); {
					case rejected && (got != consumer.Rejected || !strings.Contains(err.Error(), test.refused)):
						t.Errorf("%s delivery, change %d: %.400v, want a rejection that says %s", delivery, i, err, test.refused)
					case !rejected && got != consumer.Applied && got != consumer.Duplicate:
						t.Errorf("%s delivery, change %d: %.400v, want it applied", delivery, i, err)
					}
				}
			}
			for _, name := range []string{player, "healthy-" + player} {
				if all, err := b.giver.Store.List(t.Context(), name); err != nil || len(all) == 0 {
					t.Errorf("%s has %d awards, %v", name, len(all), err)
				}
			}
		})
	}
}
