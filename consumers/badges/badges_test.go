package badges

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"sluice/consumers/badges/internal/notify"
	"sluice/consumers/badges/internal/topictest"
	"sluice/deploy/local/servers/servertest"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/gametest"
	"sluice/shared/consumertest/proof"
	"sluice/shared/consumertest/wire"
)

// world is the consumer's tables, in a database of their own, and its topic.
type world struct {
	t               *testing.T
	topic           *topictest.Topic
	config          aws.Config
	settings        Settings
	rules           string
	subtractExpired string // the setting
	n               int    // of the last play
}

const testedRules = `
plays: {table: Plays, player: Player, at: At, zone: UTC, earliest: 2000-01-01}
badges:
  - {name: first, title: {en: First, de: Erste}, text: {en: You play., de: Du spielst.}, first: {}}
  - {name: three, revoke: true, title: {en: Three}, text: {en: You have three.}, count: {plays: 3}}
  - {name: streak, title: {en: Streak}, text: {en: Days!}, streak: {days: 3}}
  - {name: hello, eventType: NEW_PET, title: {en: Hello}, text: {en: "Welcome {name} to PetTracker!"}, item: {table: Pets, player: userId, each: SK, where: {entityType: PET}}}
`

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, topic: topictest.New(t, servertest.Ministack(t), "badges"), config: servertest.DynamoDB(t), settings: DefaultSettings(), rules: testedRules, subtractExpired: "false"}
	w.settings.LedgerTable, w.settings.TopicARN = simulatedLedger, w.topic.ARN
	if err := makeTables(t.Context(), w.config, ""); err != nil {
		t.Fatal(err)
	}
	return w
}

// function starts an instance of the consumer whose calls to the tables decide lets through.
func (w *world) function(decide func(wire.Call) wire.Fault) *Badges {
	w.t.Helper()
	book, err := w.settings.Rules(gametest.Declarations("SCORE_TABLE", "Plays", "PET_TABLE", "Pets", "SUBTRACT_EXPIRED_PLAYS", w.subtractExpired).With(RulesFile, "test.yaml", []byte(w.rules)))
	if err != nil {
		w.t.Fatal(err)
	}
	client := dynamodb.NewFromConfig(w.config, func(o *dynamodb.Options) {
		o.HTTPClient = &http.Client{Transport: &wire.Transport{Decide: decide}}
		o.Retryer = aws.NopRetryer{}
	})
	b := NewOf(client, w.topic.SNS, w.settings, book)
	b.Now = func() time.Time { return consumertest.Arrival }
	return b
}

// play is an insert of a play by somebody at a time.
func (w *world) play(player, at string) consumertest.Change {
	w.n++
	image := consumertest.Item{"Id": consumertest.N(fmt.Sprint(w.n)), "Player": consumertest.S(player), "Score": consumertest.N("1")}
	if at != "" {
		image["At"] = consumertest.S(at)
	}
	return consumertest.Change{Table: "Plays", Time: consumertest.Arrival.Add(-time.Minute + time.Duration(w.n)*time.Microsecond), Keys: consumertest.Item{"Id": image["Id"]}, New: image}
}

// removal is the removal of a play.
func (w *world) removal(of consumertest.Change) consumertest.Change {
	w.n++
	return consumertest.Change{Table: of.Table, Time: consumertest.Arrival.Add(-time.Minute + time.Duration(w.n)*time.Microsecond), Keys: of.Keys, Old: of.New}
}

func (w *world) parse(changes ...consumertest.Change) []*change.Change {
	w.t.Helper()
	var batch []*change.Change
	for _, c := range changes {
		parsed, err := change.Parse(c.Record())
		if err != nil {
			w.t.Fatal(err)
		}
		batch = append(batch, parsed)
	}
	return batch
}

// apply delivers a batch, whose changes must all end so.
func (w *world) apply(b *Badges, want consumer.Outcome, changes ...consumertest.Change) []error {
	w.t.Helper()
	errs := b.ApplyBatch(w.t.Context(), w.parse(changes...))
	for i, err := range errs {
		if consumer.OutcomeOf(err) != want {
			w.t.Errorf("change %d: %v, want %v", i, err, want)
		}
	}
	return errs
}

// wants compares the awards of a player that stand, in the order of their keys; with +
// behind those that were told.
func (w *world) wants(player string, want ...string) {
	w.t.Helper()
	all, err := w.function(nil).giver.Store.List(w.t.Context(), player)
	if err != nil {
		w.t.Fatal(err)
	}
	var got []string
	for _, a := range all {
		text := a.Award.Key()
		if a.RevokedAt != "" {
			text = "(" + text + ")"
		}
		if a.ToldAt != "" && a.Pending == "" {
			text += "+"
		}
		got = append(got, text)
	}
	if !slices.Equal(got, want) {
		w.t.Errorf("%s has %v, want %v", player, got, want)
	}
}

// A play with a date that can't be true, or without one, is a dead letter that says so and
// costs nobody else anything; one dated in the future counts, but for a streak only once
// its day has come.
func TestDates(t *testing.T) {
	w := newWorld(t)
	b := w.function(nil)
	errs := b.ApplyBatch(t.Context(), w.parse(
		w.play("reed", "1970-01-01 00:00:00"), w.play("reed", "soon"), w.play("reed", ""), w.play("reed", "2026-01-02T00:00:00Z"),
	))
	for i, want := range []string{"before the earliest that is believed, 2000-01-01", `"soon" is no timestamp`, `"At"`} {
		if consumer.OutcomeOf(errs[i]) != consumer.Rejected || !strings.Contains(errs[i].Error(), want) {
			t.Errorf("play %d: %v, want a rejection with %q", i, errs[i], want)
		}
	}
	if consumer.OutcomeOf(errs[3]) != consumer.Applied {
		t.Error(errs[3])
	}
	w.wants("reed", "first+")
	tomorrow := consumertest.Arrival.Add(48 * time.Hour)
	for d := range 3 {
		w.apply(b, consumer.Applied, w.play("maggy", tomorrow.AddDate(0, 0, d).Format(time.RFC3339)))
	}
	w.wants("maggy", "first+", "three+")
	// A further play on the last of these days, once it has come.
	b.Now = func() time.Time { return tomorrow.AddDate(0, 0, 2) }
	w.apply(b, consumer.Applied, w.play("maggy", tomorrow.AddDate(0, 0, 2).Format(time.RFC3339)))
	w.wants("maggy", "first+", "streak+", "three+")
}

// While SNS is down the changes of players with a new badge come again, and nobody else's;
// then each is told, with the id that it had. So it is when only some are taken.
func TestTopicDown(t *testing.T) {
	w := newWorld(t)
	b := w.function(nil)
	w.apply(b, consumer.Applied, w.play("maggy", "2025-12-01"))
	w.topic.Line.Refuse = func([]topictest.Entry) string { return "Throttled" }
	first, other := w.play("reed", "2025-12-01"), w.play("maggy", "2025-12-01")
	for range 2 {
		errs := b.ApplyBatch(t.Context(), w.parse(first, other))
		if consumer.OutcomeOf(errs[0]) != consumer.Retry || !strings.Contains(errs[0].Error(), "badges of reed") || !strings.Contains(errs[0].Error(), w.topic.ARN) {
			t.Errorf("%v, want a retry that names player and topic", errs[0])
		}
		if outcome := consumer.OutcomeOf(errs[1]); outcome == consumer.Retry {
			t.Errorf("another player's change waits: %v", errs[1])
		}
	}
	w.wants("reed", "first")
	w.topic.Line.Refuse = nil
	w.apply(b, consumer.Duplicate, first)
	w.wants("reed", "first+")
	messages := w.topic.Received(t)
	if len(messages) != 2 {
		t.Fatalf("%d notices, want maggy's and reed's", len(messages))
	}
	var m Message
	if err := json.Unmarshal([]byte(*messages[1].Body), &m); err != nil {
		t.Fatal(err)
	}
	want := Message{ID: m.ID, EventType: "BADGE_EARNED", UserID: "reed", Badge: "first", Title: "First", Text: "You play.", EarnedAt: "2025-12-01T00:00:00Z"}
	if m.Texts["de"] != "Du spielst." || len(m.ID) != 32 {
		t.Errorf("%+v", m)
	}
	if m.Texts = nil; fmt.Sprint(m) != fmt.Sprint(want) {
		t.Errorf("got %+v, want %+v", m, want)
	}
}

// While an award can't be stored its changes come again, and then it is stored and told,
// though the play counts already.
func TestTableDown(t *testing.T) {
	w := newWorld(t)
	down := true
	b := w.function(func(c wire.Call) wire.Fault {
		if down && c.Operation == "PutItem" {
			return wire.ServerError
		}
		return wire.None
	})
	play := w.play("reed", "2025-12-01")
	errs := w.apply(b, consumer.Retry, play)
	if errs[0] == nil || !strings.Contains(errs[0].Error(), "store award first of reed in "+DefaultAchievementTable) {
		t.Errorf("%v, want it to name award, player and table", errs[0])
	}
	w.wants("reed")
	down = false
	w.apply(b, consumer.Duplicate, play)
	w.wants("reed", "first+")
}

// A play costs its writes alone once the player has all that a rule over several days can
// give, and the function knows it.
func TestWhatIsKnownIsNotRead(t *testing.T) {
	w := newWorld(t)
	reads := 0
	b := w.function(func(c wire.Call) wire.Fault {
		if c.Operation == "Query" && !strings.Contains(string(c.Body), "//rebuild") {
			reads++
		}
		return wire.None
	})
	// The first play of a day looks at the days near it and at what is stored. That of the second
	// day is the third of all and completes a rule that may take back: for that, twice the state
	// and what is stored are read. The third day completes the streak.
	for day, want := range []int{2, 6, 2, 1, 1} {
		for n, want := range []int{want, 0} {
			reads = 0
			w.apply(b, consumer.Applied, w.play("reed", fmt.Sprintf("2025-12-%02d", 1+day)))
			if reads != want {
				t.Errorf("day %d, play %d: %d reads, want %d", day, n, reads, want)
			}
		}
	}
	w.wants("reed", "first+", "streak+", "three+")
}

// The welcome of 003: with the pet's name, once, also if it goes and comes back; one
// without what its text names is a dead letter, and one too large for SNS too.
func TestWelcome(t *testing.T) {
	w := newWorld(t)
	b := w.function(nil)
	pet := func(sk, name string) consumertest.Change {
		keys := consumertest.Item{"PK": consumertest.S("USER#ann"), "SK": consumertest.S(sk)}
		image := consumertest.Item{"PK": keys["PK"], "SK": keys["SK"], "entityType": consumertest.S("PET"), "userId": consumertest.S("ann")}
		if name != "" {
			image["name"] = consumertest.S(name)
		}
		w.n++
		return consumertest.Change{Table: "Pets", Time: consumertest.Arrival.Add(time.Duration(w.n) * time.Microsecond), Keys: keys, New: image}
	}
	rex := pet("PET#rex", "Rex")
	w.apply(b, consumer.Applied, rex)
	w.apply(b, consumer.Duplicate, rex, pet("PET#rex", "Rex the second"))
	for _, test := range []struct{ name, says string }{{"", `"name"`}, {strings.Repeat("x", notify.MaxNoticeBytes/2), notify.ErrTooLarge.Error()}} {
		errs := w.apply(b, consumer.Rejected, pet("PET#"+test.says, test.name))
		if !strings.Contains(errs[0].Error(), test.says) {
			t.Errorf("%.300v, want it to say %s", errs[0], test.says)
		}
	}
	messages := w.topic.Received(t)
	if len(messages) != 1 || !strings.Contains(*messages[0].Body, `"text":"Welcome Rex to PetTracker!"`) || *messages[0].MessageAttributes["eventType"].StringValue != "NEW_PET" {
		t.Errorf("got %d messages, first %v", len(messages), messages)
	}
}

// A correction's last look misses nothing that another instance does meanwhile: it takes a
// badge back just as the play comes that earns it anew.
func TestSettledAmongOthers(t *testing.T) {
	w := newWorld(t)
	other := w.function(nil)
	plays := []consumertest.Change{w.play("reed", "2025-12-01"), w.play("reed", "2025-12-01"), w.play("reed", "2025-12-01")}
	w.apply(other, consumer.Applied, plays...)
	removal, again := w.removal(plays[0]), w.play("reed", "2025-12-01")
	meanwhile := false
	b := w.function(func(c wire.Call) wire.Fault {
		if c.Operation == "UpdateItem" && strings.Contains(string(c.Body), "RevokedAt") && !meanwhile {
			meanwhile = true
			w.apply(other, consumer.Applied, again)
		}
		return wire.None
	})
	w.apply(b, consumer.Applied, removal)
	if !meanwhile {
		t.Error("nothing was taken back")
	}
	w.wants("reed", "first+", "three+")
	w.apply(other, consumer.Applied, w.removal(plays[1]))
	w.wants("reed", "first+", "(three)+")
}

// A rule that is added while plays are in flight counts from then on; functions of both
// versions side by side award all that their rules know, and no badge goes.
func TestRulesChangeInFlight(t *testing.T) {
	w := newWorld(t)
	before := w.function(nil)
	w.rules += "  - {name: two, title: {en: Two}, text: {en: Two.}, where: {Score: {is: 1}}, count: {plays: 2}}\n"
	after := w.function(nil)
	w.apply(before, consumer.Applied, w.play("reed", "2025-12-01"))
	w.apply(after, consumer.Applied, w.play("reed", "2025-12-01"))
	w.wants("reed", "first+")
	w.apply(before, consumer.Applied, w.play("reed", "2025-12-01"))
	w.apply(after, consumer.Applied, w.play("reed", "2025-12-01"))
	w.wants("reed", "first+", "three+", "two+")
}

// Ten thousand badges in one batch, of as many players, are each stored and told once. So
// that the test doesn't take minutes, it is a thousand.
func TestManyBadgesInOneBatch(t *testing.T) {
	w := newWorld(t)
	players := proof.Size(1000, 100)
	var changes []consumertest.Change
	for n := range players {
		changes = append(changes, w.play(fmt.Sprintf("player-%d", n), "2025-12-01"))
	}
	ctx, cancel := context.WithCancel(t.Context())
	b := w.function(func(c wire.Call) wire.Fault {
		if c.N == players { // the time is up, for the first delivery
			cancel()
		}
		return wire.None
	})
	batch := w.parse(changes...)
	again := 0
	for _, err := range b.ApplyBatch(ctx, batch) {
		if consumer.OutcomeOf(err) == consumer.Retry {
			again++
		}
	}
	if again == 0 || !errors.Is(ctx.Err(), context.Canceled) {
		t.Errorf("%d changes come again after the time was up", again)
	}
	for _, err := range b.ApplyBatch(t.Context(), batch) {
		if outcome := consumer.OutcomeOf(err); outcome != consumer.Applied && outcome != consumer.Duplicate {
			t.Fatal(err)
		}
	}
	told := w.topic.ReceivedIDs(t)
	if len(told) != players {
		t.Errorf("%d badges told, want %d", len(told), players)
	}
}
