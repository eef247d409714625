package ops

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/shopspring/decimal"

	"sluice/consumers/badges"
	"sluice/consumers/badges/internal/topictest"
	"sluice/consumers/badges/rule"
	"sluice/deploy/local/servers/servertest"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest/gametest"
	"sluice/shared/operate"
)

func TestMain(m *testing.M) { servertest.Main(m) }

// auditWorld has the consumer's tables and a topic with a queue.
type auditWorld struct {
	t        *testing.T
	client   *dynamodb.Client
	topic    *topictest.Topic
	settings badges.Settings
	book     *rule.Book
	plays    []map[string]types.AttributeValue
	orders   []map[string]types.AttributeValue
}

const worldRules = `
plays: {table: "${SCORE_TABLE}", player: UserId, at: Timestamp, zone: UTC, earliest: 2000-01-01}
badges:
  - {name: first, title: {en: First, de: Erster}, text: {en: The first, de: Das erste}, first: {}}
  - {name: games, title: {en: Games}, text: {en: "{of}"}, first: {each: Game}}
  - {name: regular, title: {en: Regular}, text: {en: "{level}"}, count: {plays: {bronze: 3, silver: 5}}}
  - {name: streak, title: {en: Streak}, text: {en: x}, streak: {days: {three: 3, week: 7}, grace: 1}}
  - {name: busy, title: {en: Busy}, text: {en: x}, window: {days: 2, plays: 3}}
  - {name: high, revoke: true, title: {en: High}, text: {en: x}, total: {of: Score, reaches: {ten: 10, forty: 40}}}
  - {name: both, hidden: true, title: {en: Both}, text: {en: x}, all: [streak, regular#silver]}
  - {name: welcome, eventType: NEW_PET, title: {en: Hi}, text: {en: "Welcome {name}"}, item: {table: "${PET_TABLE}", player: userId, each: SK, where: {entityType: PET}}}
`

func newAuditWorld(t *testing.T) *auditWorld {
	t.Helper()
	w := &auditWorld{t: t, client: dynamodb.NewFromConfig(servertest.DynamoDB(t)), topic: topictest.New(t, servertest.Ministack(t), "badges"), settings: badges.DefaultSettings()}
	w.settings.LedgerTable, w.settings.TopicARN = "Ledger", w.topic.ARN
	servertest.CreateTable(t, w.client, gametest.ScoreTable, "UserId", "Timestamp")
	servertest.CreateTable(t, w.client, gametest.PetTable, "PK", "SK")
	servertest.CreateTable(t, w.client, w.settings.AchievementTable, "Player", "Award")
	servertest.CreateTable(t, w.client, w.settings.StateTable, "Player", "Of")
	servertest.CreateTable(t, w.client, w.settings.LedgerTable, "Group", "Entry")
	var err error
	if w.book, err = w.settings.Rules(gametest.With(badges.RulesFile, "rules.yaml", worldRules)); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *auditWorld) put(table string, item map[string]types.AttributeValue) {
	w.t.Helper()
	if _, err := w.client.PutItem(w.t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: item}); err != nil {
		w.t.Fatal(err)
	}
}

// play writes a play and returns it.
func (w *auditWorld) play(user, at, game string, score int) {
	w.t.Helper()
	item := map[string]types.AttributeValue{"UserId": text(user), "Timestamp": text(at), "Score": &types.AttributeValueMemberN{Value: fmt.Sprint(score)}}
	if game != "" {
		item["Game"] = text(game)
	}
	w.put(gametest.ScoreTable, item)
	w.plays = append(w.plays, item)
}

// people play: ann earns all there is but a week, bob a little, and rex is welcomed.
func (w *auditWorld) people() {
	w.t.Helper()
	for day := 1; day <= 4; day++ {
		w.play("ann", fmt.Sprintf("2024-01-%02d 10:00:00", day), "go", 3)
	}
	w.play("ann", "2024-01-04 11:00:00", "chess", 0)
	w.play("ann", "2024-01-04 12:00:00", "", 0)
	w.play("bob", "2024-01-01 10:00:00", "", 9)
	w.put(gametest.PetTable, map[string]types.AttributeValue{"PK": text("USER#ann"), "SK": text("PET#rex"), "entityType": text("PET"), "userId": text("ann"), "name": text("Rex")})
}

// deliver gives the consumer all plays that it hasn't had.
func (w *auditWorld) deliver() {
	w.t.Helper()
	b := badges.NewOf(w.client, w.topic.SNS, w.settings, w.book)
	var batch []*change.Change
	plays := w.plays
	w.plays = nil
	for _, item := range plays {
		c, err := change.FromItem(gametest.ScoreTable, []string{"UserId", "Timestamp"}, item, time.Now())
		if err != nil {
			w.t.Fatal(err)
		}
		batch = append(batch, c)
	}
	for i, err := range b.ApplyBatch(w.t.Context(), batch) {
		if consumer.OutcomeOf(err) != consumer.Applied {
			w.t.Fatalf("play %d: %v", i, err)
		}
	}
}

func (w *auditWorld) auditor() *Auditor {
	return NewAuditor(w.client, w.topic.SNS, w.settings, w.book, 2)
}

// repair says how a test repairs.
type repair struct{ notify, remove bool }

// verify compares, and repairs if wanted. It returns the differences as texts, with their repairs.
func (w *auditWorld) verify(r *repair) (operate.Report, *Comparison, []string) {
	w.t.Helper()
	c := w.auditor().Comparison(r != nil && r.notify)
	report, err := operate.Compare(w.t.Context(), c, operate.Judging{Sleep: func(context.Context, time.Duration) error { return nil }})
	if err == nil && r != nil {
		err = c.Repair(w.t.Context(), report.Differences, r.remove)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	var texts []string
	for _, d := range report.Differences {
		text := d.Key + ": " + d.What
		for _, v := range d.Values {
			text += fmt.Sprintf(": the plays come to %s, the state says %s: %s", v.Source, v.Destination, d.Command)
		}
		texts = append(texts, strings.TrimSuffix(text+" → "+d.Repair, " → "))
	}
	return report, c, texts
}

func (w *auditWorld) change(table string, key map[string]types.AttributeValue, update string, values map[string]types.AttributeValue) {
	w.t.Helper()
	if _, err := w.client.UpdateItem(w.t.Context(), &dynamodb.UpdateItemInput{TableName: &table, Key: key, UpdateExpression: &update, ExpressionAttributeValues: values}); err != nil {
		w.t.Fatal(err)
	}
}

func award(player, key string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{"Player": text(player), "Award": text(key)}
}

// What is wrong is found, each kind of it; a repair sets it right, tells what was
// pending and nothing else, and leaves alone what the plays earn no more and no rule takes
// back.
func TestVerify(t *testing.T) {
	w := newAuditWorld(t)
	w.people()
	w.deliver()
	w.put(gametest.PetTable, map[string]types.AttributeValue{"PK": text("USER#bob"), "SK": text("PET#cat"), "entityType": text("PET")}) // whose?
	w.put(gametest.ScoreTable, map[string]types.AttributeValue{"UserId": text("bob"), "Timestamp": text("soon"), "Score": text("many")})
	report, _, found := w.verify(nil)
	if want := []string{"ann: welcome##PET#rex: missing"}; !slices.Equal(found, want) || report.UnusableCount != 2 {
		t.Fatalf("after all changes but a pet's: %q, %d unusable; want %q, 2", found, report.UnusableCount, want)
	}
	if unusable := fmt.Sprint(report.Unusable); !strings.Contains(unusable, `SK="PET#cat"`) || !strings.Contains(unusable, `"soon" is no timestamp`) {
		t.Errorf("unusable are %s; want each with its key and the reason", unusable)
	}
	w.topic.Received(t)

	achievements := w.settings.AchievementTable
	for _, key := range []string{"regular#silver", "both", "high#ten"} {
		if _, err := w.client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &achievements, Key: award("ann", key)}); err != nil {
			t.Fatal(err)
		}
	}
	w.change(achievements, award("ann", "first"), "SET RevokedAt = :t", map[string]types.AttributeValue{":t": text("2024-01-05")})
	w.change(achievements, award("bob", "first"), "SET Pending = :m, EventType = :e REMOVE ToldAt", map[string]types.AttributeValue{":m": text(`{"id":"again"}`), ":e": text("BADGE_EARNED")})
	high := award("ann", "high#forty")
	high["Badge"], high["Level"] = text("high"), text("forty")
	w.put(achievements, high)
	busy := award("bob", "busy")
	busy["Badge"] = text("busy")
	w.put(achievements, busy)
	w.change(w.settings.StateTable, map[string]types.AttributeValue{"Player": text("bob"), "Of": text("day#2024-01-01")},
		"ADD "+w.book.Rule("streak").Tally()+" :n", map[string]types.AttributeValue{":n": &types.AttributeValueMemberN{Value: "2"}})

	report, c, found := w.verify(nil)
	miscounted := "bob: day#2024-01-01 of streak, busy: miscounted: the plays come to 1, the state says 3: sluice rebuild badges-day"
	want := []string{
		"ann: both: missing", "ann: first: wrongly revoked", "ann: high#forty: extra", "ann: high#ten: missing", "ann: regular#silver: missing", "ann: welcome##PET#rex: missing",
		miscounted, "bob: first, its notice: untold",
	}
	if !slices.Equal(found, want) {
		t.Errorf("found %q\nwant  %q", found, want)
	}
	if fmt.Sprint(c.Kept) != "[busy of bob]" || report.Items != 8 || c.Players != 2 || report.Held != 8 {
		t.Errorf("kept %v, %d plays, %d players, %d badges", c.Kept, report.Items, c.Players, report.Held)
	}
	if steps := c.Steps(report, false); steps[0].Write != 5 || steps[0].Remove != 0 || steps[1].Write != 1 || c.Steps(report, true)[0].Remove != 1 {
		t.Errorf("planned: %+v", steps)
	}
	if told := w.topic.ReceivedIDs(t); len(told) > 0 {
		t.Errorf("a comparison told %v", told)
	}

	_, _, found = w.verify(&repair{remove: true})
	want = []string{
		"ann: both: missing → awarded", "ann: first: wrongly revoked → restored", "ann: high#forty: extra → taken back", "ann: high#ten: missing → awarded",
		"ann: regular#silver: missing → awarded", "ann: welcome##PET#rex: missing → awarded", miscounted, "bob: first, its notice: untold → told",
	}
	if !slices.Equal(found, want) {
		t.Errorf("repaired %q\nwant     %q", found, want)
	}
	if told := w.topic.Received(t); len(told) != 1 || *told[0].Body != `{"id":"again"}` {
		t.Errorf("the repair told %d notices, want the one that was pending", len(told))
	}
	if _, _, found = w.verify(&repair{remove: true, notify: true}); len(found) != 1 {
		t.Errorf("after the repair: %q, want the miscounted day only", found)
	}
	stored, err := w.auditor().giver.Store.List(t.Context(), "ann")
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range stored {
		if a.Award.Key() == "regular#silver" && (a.EarnedAt != "2024-01-04T11:00:00Z" || a.Pending != "" || a.ToldAt != "") {
			t.Errorf("%+v: want it as of the fifth play, and nobody told", a)
		}
	}
}

// backfill plans and runs a backfill, whose rebuilds have a clock that waiting moves. It returns what it says, too.
func (w *auditWorld) backfill(notify bool) (rebuilt []string, done operate.Backfilled, says string) {
	w.t.Helper()
	b := w.auditor().Backfill(BackfillOptions{
		Notify: notify, Clocks: time.Second, Ledger: w.settings.LedgerTable, Horizon: w.settings.Horizon,
		Say: func(format string, a ...any) { says += fmt.Sprintf(format, a...) },
	})
	steps, err := b.Steps(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	now := time.Now()
	for i, tool := range b.rebuilds {
		if !strings.Contains(steps[i].Into, tool.View.Name) {
			w.t.Errorf("step %d writes into %s, want %s", i, steps[i].Into, tool.View.Name)
		}
		rebuilt = append(rebuilt, tool.View.Name)
		tool.Now, tool.Sleep = func() time.Time { return now }, func(_ context.Context, d time.Duration) error { now = now.Add(d); return nil }
	}
	var given atomic.Int64 // players are looked at side by side
	done, err = b.Run(w.t.Context(), func(items int) { given.Add(int64(items)) })
	if err != nil || int(given.Load()) > done.Written {
		w.t.Errorf("%v; %d awards in progress, %d at the end", err, given.Load(), done.Written)
	}
	return rebuilt, done, says
}

// Plays from before the consumer: the states are rebuilt, and what they earn is awarded,
// with the times of the plays; nobody is told unless asked for. Another run has nothing
// left to do.
func TestBackfill(t *testing.T) {
	for _, notify := range []bool{false, true} {
		t.Run(fmt.Sprintf("notify %v", notify), func(t *testing.T) {
			w := newAuditWorld(t)
			w.people()
			rebuilt, done, says := w.backfill(notify)
			if want := []string{"badges-day", "badges-each-Game", "badges-total"}; !slices.Equal(rebuilt, want) || !strings.Contains(says, "view badges-total keeps") {
				t.Fatalf("rebuilt: %v, want %v; it says %s", rebuilt, want, says)
			}
			told := 0
			if notify {
				told = 11
			}
			if want := fmt.Sprintf("[2 players with a state: 11 awards, %d notified.]", told); done.Written != 11 || done.Rejected != 0 || fmt.Sprint(done.Notes) != want {
				t.Errorf("%+v, want %s", done, want)
			}
			if ids := w.topic.ReceivedIDs(t); len(ids) != told {
				t.Errorf("%d were told, want %d", len(ids), told)
			}
			if _, _, found := w.verify(nil); len(found) > 0 {
				t.Errorf("afterwards %q", found)
			}
			if rebuilt, done, _ = w.backfill(notify); done.Written != 0 || len(rebuilt) > 0 {
				t.Errorf("once more: %+v, rebuilt %v", done, rebuilt)
			}
			stored, err := w.auditor().giver.Store.List(t.Context(), "ann")
			if err != nil {
				t.Fatal(err)
			}
			var when []string
			for _, a := range stored {
				if a.Award.Badge != "welcome" && a.Award.Badge != "both" {
					when = append(when, a.Award.Key()+" "+a.EarnedAt)
				}
			}
			want := []string{
				"busy 2024-01-04", "first 2024-01-01T10:00:00Z", "games##chess 2024-01-04T11:00:00Z", "games##go 2024-01-01T10:00:00Z",
				"high#ten 2024-01-04T10:00:00Z", "regular#bronze 2024-01-03T10:00:00Z", "regular#silver 2024-01-04T11:00:00Z", "streak#three 2024-01-03",
			}
			if !slices.Equal(when, want) {
				t.Errorf("earned %q\nwant   %q", when, want)
			}
		})
	}
}

// Of players who play meanwhile, nothing is taken for wrong that is in flight, and nothing is
// repaired: they are named as moving. What is wrong is found once they have stopped.
func TestVerifyWhileTheyPlay(t *testing.T) {
	w := newAuditWorld(t)
	w.people()
	w.put(gametest.PetTable, map[string]types.AttributeValue{"PK": text("USER#ann"), "SK": text("PET#rex"), "entityType": text("CAT")})
	w.deliver()
	n, until, waits := 0, 4, 0
	judging := operate.Judging{
		Waiting: func(int, time.Duration) { waits++ },
		Sleep: func(context.Context, time.Duration) error {
			w.deliver()
			if n++; n < until {
				w.play("bob", fmt.Sprintf("2024-03-01 10:00:%02d", n), "go", 1)
			}
			return nil
		},
	}
	w.play("bob", "2024-03-01 10:00:00", "go", 1)
	r, err := operate.Compare(t.Context(), w.auditor().Comparison(false), judging)
	if waits != n {
		t.Errorf("%d waits are announced, want %d", waits, n)
	}
	if err != nil || len(r.Differences)+len(r.Unjudged) > 0 || n != 1 {
		t.Errorf("%d looks further, %v, found %v, moving %v", n, err, r.Differences, r.Unjudged)
	}
	w.change(w.settings.StateTable, map[string]types.AttributeValue{"Player": text("bob"), "Of": text("total")},
		"ADD "+w.book.Rule("regular").Tally()+" :n", map[string]types.AttributeValue{":n": &types.AttributeValueMemberN{Value: "-30"}})
	n, until = 1, 100
	w.play("bob", "2024-03-01 11:00:00", "go", 1)
	total := func(d operate.Difference) bool { return d.Key == "bob: total of first, regular" }
	if r, err = operate.Compare(t.Context(), w.auditor().Comparison(false), judging); err != nil || len(r.Differences) > 0 || !slices.ContainsFunc(r.Unjudged, total) {
		t.Errorf("while bob plays: %v, found %v, moving %v", err, r.Differences, r.Unjudged)
	}
	until = n + 1
	r, err = operate.Compare(t.Context(), w.auditor().Comparison(false), judging)
	if err != nil || len(r.Unjudged) > 0 || !slices.ContainsFunc(r.Differences, total) {
		t.Errorf("%v, found %v, moving %v", err, r.Differences, r.Unjudged)
	}
}

// Plays that the consumer hasn't taken yet, for however long, are no reason for a repair to store
// their badges: when they arrive, each badge is awarded and told.
func TestRepairLeavesWhatIsInFlight(t *testing.T) {
	w := newAuditWorld(t)
	for day := 1; day <= 4; day++ {
		w.play("ann", fmt.Sprintf("2024-01-%02d 10:00:00", day), "go", 3)
	}
	_, _, found := w.verify(&repair{remove: true})
	if len(found) == 0 {
		t.Error("nothing differs")
	}
	for _, text := range found {
		if strings.Contains(text, "awarded") {
			t.Errorf("%s", text)
		}
	}
	w.deliver()
	if told := w.topic.ReceivedIDs(t); len(told) != 5 {
		t.Errorf("%d badges told, want 5", len(told))
	}
	if _, _, found := w.verify(nil); len(found) > 0 {
		t.Errorf("afterwards %q", found)
	}
}

// A state whose plays come to a sum that DynamoDB can't hold is named, and nobody is sent to rebuild it.
func TestSumsBeyondDynamoDB(t *testing.T) {
	settings := badges.DefaultSettings()
	book, err := settings.Rules(gametest.With(badges.RulesFile, "rules.yaml", worldRules))
	if err != nil {
		t.Fatal(err)
	}
	for sum, held := range map[string]bool{"1E126": false, "7": true, strings.Repeat("1", 39): false} {
		s := &snapshot{auditor: NewAuditor(nil, nil, settings, book, 1), played: rule.States{"ann": {"total": {book.Rule("high").Tally(): decimal.RequireFromString(sum)}}}}
		var r result
		s.compareState("ann", &r)
		if len(r.differences) != 1 || (r.differences[0].Refused == "") != held || r.differences[0].Command != "sluice rebuild badges-total" {
			t.Errorf("%s: %+v", sum, r.differences)
		}
	}
}
