package ops

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"sluice/consumers/badges"
	"sluice/consumers/badges/internal/topictest"
	"sluice/deploy/local/servers/servertest"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/gametest"
	"sluice/shared/consumertest/stored"
)

// Awards and players' states that earlier versions stored. Fails if one changes its form without a reader for the old one: then
// somebody is told again, or never, or a play counts twice.
func TestStoredForms(t *testing.T) {
	stored.Each(t, writeStored, func(t *testing.T, folder string) {
		for name, rules := range map[string]string{"one block": worldRules, "another block was added": withAnotherBlock} {
			t.Run(name, func(t *testing.T) { checkStored(t, folder, rules) })
		}
	})
}

// withAnotherBlock are the rules of worldRules, which count from the block plays, and one that counts from another.
var withAnotherBlock = strings.NewReplacer(
	"plays: {table", "plays:\n  - {name: orders, table: Orders, player: Customer, at: PlacedAt, zone: UTC, earliest: 2000-01-01}\n  - {name: plays, table",
	"badges:\n", "badges:\n  - {name: buyer, from: orders, title: {en: t}, text: {en: x}, streak: {days: 1}}\n",
	", first: {", ", from: plays, first: {", ", count: {", ", from: plays, count: {", ", streak: {", ", from: plays, streak: {",
	", window: {", ", from: plays, window: {", ", total: {", ", from: plays, total: {",
).Replace(worldRules)

func checkStored(t *testing.T, folder, rules string) {
	w := newAuditWorld(t)
	w.book = bookOf(t, rules)
	servertest.CreateTable(t, w.client, "Orders", "Customer", "PlacedAt")
	var records [][]byte
	var tables stored.Tables
	stored.Read(t, folder, "records.json", &records)
	stored.Read(t, folder, "tables.json", &tables)
	tables.Fill(t, w.client)
	last := len(records) - 1 // the play of dora, who has yet to be told
	w.apply(records[:last], consumer.Duplicate)
	tables.Unchanged(t, w.client, "after all was delivered again")
	if told := w.topic.ReceivedIDs(t); len(told) > 0 {
		t.Errorf("after a redelivery these were told again: %v", told)
	}
	if _, _, found := w.verify(nil); !slices.Equal(found, []string{"dora: first, its notice: untold", "dora: games##go, its notice: untold"}) {
		t.Errorf("found %q, want dora's two untold awards", found)
	}
	pending := w.pending("dora")
	w.apply(records[last:], consumer.Duplicate)
	var told []string
	for _, m := range w.topic.Received(t) {
		told = append(told, *m.Body)
	}
	slices.Sort(told)
	if !slices.Equal(told, pending) || len(told) != 2 {
		t.Errorf("told %q, want dora's notices as they were stored: %q", told, pending)
	}

	next := []consumertest.Change{
		w.storedPlay("bob", "2024-01-02 10:00:00", 1, 100), w.storedPlay("bob", "2024-01-03 10:00:00", 1, 101), w.storedPlay("carl", "2024-01-05 10:00:00", 8, 102),
	}
	w.apply(recordsOf(next), consumer.Applied)
	got := map[string]int{}
	for _, m := range w.topic.Received(t) {
		var message badges.Message
		if err := json.Unmarshal([]byte(*m.Body), &message); err != nil {
			t.Fatal(err)
		}
		got[message.UserID+" "+message.Badge+" "+message.Level]++
	}
	want := map[string]int{"bob regular bronze": 1, "bob high ten": 1, "bob streak three": 1}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("told %v, want %v: carl's badge, which was taken back, is given again without a word", got, want)
	}
	if _, _, found := w.verify(nil); len(found) > 0 {
		t.Errorf("found %q, want nothing", found)
	}
}

// storedPlay writes a play and returns its change, n µs after a minute before the tests' present.
func (w *auditWorld) storedPlay(user, at string, score, n int) consumertest.Change {
	w.t.Helper()
	keys := consumertest.Item{"UserId": consumertest.S(user), "Timestamp": consumertest.S(at)}
	image := consumertest.Item{"UserId": keys["UserId"], "Timestamp": keys["Timestamp"], "Score": consumertest.N(fmt.Sprint(score)), "Game": consumertest.S("go")}
	w.put(gametest.ScoreTable, image.AttributeValues())
	return consumertest.Change{Table: gametest.ScoreTable, Time: consumertest.Arrival.Add(-time.Minute + time.Duration(n)*time.Microsecond), Keys: keys, New: image}
}

// pending are the notices that a player has yet to be told.
func (w *auditWorld) pending(player string) (notices []string) {
	w.t.Helper()
	all, err := w.auditor().giver.Store.List(w.t.Context(), player)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, a := range all {
		if a.Pending != "" {
			notices = append(notices, a.Pending)
		}
	}
	slices.Sort(notices)
	return notices
}

// apply delivers records one at a time to a new instance; all must end so.
func (w *auditWorld) apply(records [][]byte, want consumer.Outcome) {
	w.t.Helper()
	b := badges.NewOf(w.client, w.topic.SNS, w.settings, w.book)
	b.Now = func() time.Time { return consumertest.Arrival }
	for i, record := range records {
		c, err := change.Parse(record)
		if err != nil {
			w.t.Fatal(err)
		}
		if err := b.ApplyBatch(w.t.Context(), []*change.Change{c})[0]; consumer.OutcomeOf(err) != want {
			w.t.Errorf("record %d: %v, want %v", i, err, want)
		}
	}
}

func recordsOf(changes []consumertest.Change) (records [][]byte) {
	for _, c := range changes {
		records = append(records, c.Record())
	}
	return records
}

// writeStored writes the fixtures: ann has badges of every rule, bob has few, one of carl's was taken back, and dora has yet to be told.
func writeStored(t *testing.T, folder string) {
	w := newAuditWorld(t)
	var changes []consumertest.Change
	for day := range 5 {
		changes = append(changes, w.storedPlay("ann", fmt.Sprintf("2024-01-%02d 10:00:00", 1+day), 3, day))
	}
	changes = append(changes, w.storedPlay("bob", "2024-01-01 10:00:00", 9, 10), w.storedPlay("carl", "2024-01-01 10:00:00", 5, 20), w.storedPlay("carl", "2024-01-02 10:00:00", 7, 21))
	corrected := changes[len(changes)-1]
	w.deleteOf(corrected)
	corrected.Old, corrected.New, corrected.Time = corrected.New, nil, corrected.Time.Add(time.Microsecond)
	rex := consumertest.Item{"PK": consumertest.S("USER#ann"), "SK": consumertest.S("PET#rex"), "entityType": consumertest.S("PET"), "userId": consumertest.S("ann"), "name": consumertest.S("Rex")}
	w.put(gametest.PetTable, rex.AttributeValues())
	changes = append(changes, corrected, consumertest.Change{
		Table: gametest.PetTable, Time: consumertest.Arrival.Add(-time.Minute), Keys: consumertest.Item{"PK": rex["PK"], "SK": rex["SK"]}, New: rex,
	})
	w.apply(recordsOf(changes), consumer.Applied)
	w.topic.Line.Refuse = func([]topictest.Entry) string { return "Throttled" }
	dora := w.storedPlay("dora", "2024-01-01 10:00:00", 1, 40)
	w.apply(recordsOf([]consumertest.Change{dora}), consumer.Retry)
	s := w.settings
	stored.Write(t, folder, "records.json", recordsOf(append(changes, dora)))
	stored.Write(t, folder, "tables.json", stored.Scan(t, w.client, gametest.ScoreTable, gametest.PetTable, s.AchievementTable, s.StateTable, s.LedgerTable))
}

func (w *auditWorld) deleteOf(c consumertest.Change) {
	w.t.Helper()
	if _, err := w.client.DeleteItem(w.t.Context(), &dynamodb.DeleteItemInput{TableName: &c.Table, Key: c.Keys.AttributeValues()}); err != nil {
		w.t.Fatal(err)
	}
}
