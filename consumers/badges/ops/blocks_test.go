package ops

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/consumers/badges"
	"sluice/deploy/local/servers/servertest"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest/gametest"
)

// blockRules count plays and orders of the same people, who have other attributes in the two tables.
const blockRules = `
plays:
  - {name: plays, table: "${SCORE_TABLE}", player: UserId, at: Timestamp, zone: UTC, earliest: 2000-01-01}
  - {name: orders, table: Orders, player: Customer, at: PlacedAt, zone: UTC, earliest: 2000-01-01}
  - {name: unused, table: Nowhere, player: Customer, at: PlacedAt, zone: UTC, earliest: 2000-01-01}
badges:
  - {name: regular, from: plays, title: {en: Regular}, text: {en: x}, count: {plays: {bronze: 3, silver: 5}}}
  - {name: streak, from: plays, title: {en: Streak}, text: {en: x}, streak: {days: 3}}
  - {name: buyer, from: orders, title: {en: Buyer}, text: {en: x}, count: {plays: {bronze: 2, silver: 4}}}
  - {name: loyal, from: orders, title: {en: Loyal}, text: {en: x}, streak: {days: 2}}
  - {name: spender, from: orders, revoke: true, title: {en: Spender}, text: {en: x}, total: {of: Score, reaches: 100}}
  - {name: both, title: {en: Both}, text: {en: x}, all: [regular#bronze, buyer#bronze]}
`

// newBlockWorld is an auditWorld with plays and orders, of which ann has five and three, and bob has orders only.
func newBlockWorld(t *testing.T) *auditWorld {
	t.Helper()
	w := newAuditWorld(t)
	servertest.CreateTable(t, w.client, "Orders", "Customer", "PlacedAt")
	var err error
	if w.book, err = w.settings.Rules(gametest.With(badges.RulesFile, "rules.yaml", blockRules)); err != nil {
		t.Fatal(err)
	}
	for day := 1; day <= 5; day++ {
		w.play("ann", fmt.Sprintf("2024-01-%02d 10:00:00", day), "go", 3)
	}
	for day := 1; day <= 3; day++ {
		w.order("ann", fmt.Sprintf("2024-03-%02d 10:00:00", day), 40)
	}
	w.order("bob", "2024-03-01 10:00:00", 5)
	return w
}

func (w *auditWorld) order(customer, at string, score int) {
	w.t.Helper()
	item := map[string]types.AttributeValue{"Customer": text(customer), "PlacedAt": text(at), "Score": &types.AttributeValueMemberN{Value: fmt.Sprint(score)}}
	w.put("Orders", item)
	w.orders = append(w.orders, item)
}

// deliverBoth delivers plays and orders in one batch.
func (w *auditWorld) deliverBoth() {
	w.t.Helper()
	w.deliver()
	var batch []*change.Change
	for _, item := range w.orders {
		c, err := change.FromItem("Orders", []string{"Customer", "PlacedAt"}, item, time.Now())
		if err != nil {
			w.t.Fatal(err)
		}
		batch = append(batch, c)
	}
	w.orders = nil
	for i, err := range badges.NewOf(w.client, w.topic.SNS, w.settings, w.book).ApplyBatch(w.t.Context(), batch) {
		if consumer.OutcomeOf(err) != consumer.Applied {
			w.t.Fatalf("order %d: %v", i, err)
		}
	}
}

func state(player, of string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{"Player": text(player), "Of": text(of)}
}

// What is wrong in either block's states and awards is found in that block, and repaired from it.
func TestVerifyBlocks(t *testing.T) {
	w := newBlockWorld(t)
	w.deliverBoth()
	report, c, found := w.verify(nil)
	if len(found) > 0 || report.Items != 9 || c.Players != 2 || report.Source != "tables "+gametest.ScoreTable+", Orders, Nowhere" {
		t.Fatalf("found %q of %d plays, %d players, in %s", found, report.Items, c.Players, report.Source)
	}
	for _, key := range []string{"regular#bronze", "buyer#bronze", "spender", "both"} {
		w.deleteItem(w.settings.AchievementTable, award("ann", key))
	}
	five := map[string]types.AttributeValue{":n": &types.AttributeValueMemberN{Value: "5"}}
	w.change(w.settings.StateTable, state("bob", "from#orders#total"), "ADD "+w.book.Rule("buyer").Tally()+" :n", five)
	w.change(w.settings.StateTable, state("ann", "day#2024-01-01"), "ADD "+w.book.Rule("streak").Tally()+" :n", five)
	w.change(w.settings.StateTable, state("bob", "from#gone#total"), "ADD T1 :n", five) // of a block that was taken out
	_, _, found = w.verify(&repair{})
	want := []string{
		"ann: both: missing → awarded", "ann: buyer#bronze: missing → awarded",
		"ann: day#2024-01-01 of streak: miscounted: the plays come to 1, the state says 6: sluice rebuild badges-day",
		"ann: regular#bronze: missing → awarded", "ann: spender: missing → awarded",
		"bob: from#orders#total of buyer: miscounted: the plays come to 1, the state says 6: sluice rebuild badges-orders-total",
	}
	if !slices.Equal(found, want) {
		t.Errorf("found %q\nwant  %q", found, want)
	}
	w.wantEarned("ann", "both", "buyer#bronze 2024-03-02T10:00:00Z", "loyal 2024-03-02", "regular#bronze 2024-01-03T10:00:00Z", "regular#silver 2024-01-05T10:00:00Z", "spender", "streak 2024-01-03")
}

// wantEarned compares a player's awards and when they were earned, of those whose time is known to a repair.
func (w *auditWorld) wantEarned(player string, want ...string) {
	w.t.Helper()
	stored, err := w.auditor().giver.Store.List(w.t.Context(), player)
	if err != nil {
		w.t.Fatal(err)
	}
	var when []string
	for _, a := range stored {
		text := a.Award.Key()
		if r := w.book.Rule(a.Award.Badge); r.Plays != nil && !r.Revoke {
			text += " " + a.EarnedAt
		}
		when = append(when, text)
	}
	if !slices.Equal(when, want) {
		w.t.Errorf("%s has earned %q\nwant %q", player, when, want)
	}
}

func (w *auditWorld) deleteItem(table string, key map[string]types.AttributeValue) {
	w.t.Helper()
	if _, err := w.client.DeleteItem(w.t.Context(), &dynamodb.DeleteItemInput{TableName: &table, Key: key}); err != nil {
		w.t.Fatal(err)
	}
}

// A backfill makes the states of both blocks, and awards what they earn, also together; another one has nothing left to do.
func TestBackfillBlocks(t *testing.T) {
	w := newBlockWorld(t)
	rebuilt, done, _ := w.backfill(false)
	if want := []string{"badges-day", "badges-orders-day", "badges-orders-total", "badges-total"}; !slices.Equal(rebuilt, want) || done.Written != 7 {
		t.Errorf("rebuilt %v, %d awards; want %v, 7", rebuilt, done.Written, want)
	}
	if _, _, found := w.verify(nil); len(found) > 0 {
		t.Errorf("afterwards %q", found)
	}
	w.wantEarned("ann", "both", "buyer#bronze 2024-03-02T10:00:00Z", "loyal 2024-03-02", "regular#bronze 2024-01-03T10:00:00Z", "regular#silver 2024-01-05T10:00:00Z", "spender", "streak 2024-01-03")
	if rebuilt, done, _ = w.backfill(false); len(rebuilt) > 0 || done.Written != 0 {
		t.Errorf("once more: rebuilt %v, %d awards", rebuilt, done.Written)
	}
}

// Orders expire and stay counted, plays don't: only the orders' states are believed, and only theirs can't be made anew. A play's count that
// differs is found all the same.
func TestVerifyExpiredPlaysOfABlock(t *testing.T) {
	w := newBlockWorld(t)
	w.deliverBoth()
	if _, err := w.client.UpdateTimeToLive(t.Context(), &dynamodb.UpdateTimeToLiveInput{
		TableName: aws.String("Orders"), TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("ExpiresAt"), Enabled: aws.Bool(true)},
	}); err != nil {
		t.Fatal(err)
	}
	for day := 1; day <= 3; day++ {
		w.deleteItem("Orders", map[string]types.AttributeValue{"Customer": text("ann"), "PlacedAt": text(fmt.Sprintf("2024-03-%02d 10:00:00", day))})
	}
	w.deleteItem(gametest.ScoreTable, map[string]types.AttributeValue{"UserId": text("ann"), "Timestamp": text("2024-01-05 10:00:00")})
	w.deleteItem(w.settings.AchievementTable, award("ann", "buyer#bronze"))
	_, c, found := w.verify(&repair{remove: true})
	want := []string{
		"ann: buyer#bronze: missing → awarded",
		"ann: day#2024-01-05 of streak: miscounted: the plays come to 0, the state says 1: sluice rebuild badges-day",
		"ann: total of regular: miscounted: the plays come to 4, the state says 5: sluice rebuild badges-total",
	}
	if !slices.Equal(found, want) || fmt.Sprint(c.Kept) != "[regular#silver of ann]" {
		t.Errorf("found %q, kept %v\nwant  %q", found, c.Kept, want)
	}
	for name, want := range map[string]string{"badges-total": "<nil>", "badges-orders-total": "plays of Orders expire and stay counted", "badges-unused-total": "there is no view"} {
		if _, err := w.auditor().Rebuildable(t.Context(), name); !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("a rebuild of %s: %v; want %s", name, err, want)
		}
	}
}

// What a player's page shows, and why a badge is missing, is of the block that the rule counts.
func TestProfileOfBlocks(t *testing.T) {
	w := newBlockWorld(t)
	w.deliverBoth()
	reader := NewReader(w.client, w.settings, w.book)
	p, known, err := reader.Profile(t.Context(), "bob", "en")
	if err != nil || !known {
		t.Fatal(known, err)
	}
	var next []string
	for _, n := range p.Next {
		next = append(next, fmt.Sprintf("%s %s: %s of %s", n.Badge, n.Level, n.Have, n.Need))
	}
	slices.Sort(next)
	if want := []string{"both : 0 of 2", "buyer bronze: 1 of 2", "loyal : 1 of 2", "regular bronze: 0 of 3", "spender : 5 of 100", "streak : 0 of 3"}; !slices.Equal(next, want) {
		t.Errorf("on the way %q, want %q", next, want)
	}
	for badge, want := range map[string]string{
		"loyal":  "2 days in a row; from orders [2024-03-01 2024-03-02 2024-03-03]",
		"streak": "3 days in a row; from plays [2024-01-01 2024-01-02 2024-01-03 2024-01-04 2024-01-05]",
	} {
		if e, err := reader.Explain(t.Context(), "ann", badge, "en"); err != nil || fmt.Sprint(e.Rule, " ", e.Days) != want {
			t.Errorf("%s: %s %v, %v; want %s", badge, e.Rule, e.Days, err, want)
		}
	}
}

const sellerRules = `
plays:
  - {name: bought, table: Orders, player: Customer, at: PlacedAt, zone: UTC, earliest: 2000-01-01}
  - {name: sold, table: Orders, player: Seller, at: PlacedAt, zone: UTC, earliest: 2000-01-01}
badges:
  - {name: buyer, from: bought, title: {en: t}, text: {en: x}, count: {plays: 2}}
  - {name: seller, from: sold, title: {en: t}, text: {en: x}, count: {plays: 2}}
  - {name: trader, title: {en: t}, text: {en: x}, all: [buyer, seller]}
`

// Each order counts once for who bought and once for who sold, though both blocks have one table.
func TestBlocksOfOneTable(t *testing.T) {
	w := newBlockWorld(t)
	w.book, w.plays, w.orders = bookOf(t, sellerRules), nil, nil
	for n, people := range [][2]string{{"dora", "emil"}, {"dora", "emil"}, {"emil", "dora"}, {"fred", "dora"}, {"fred", "fred"}} {
		w.order(people[0], fmt.Sprintf("2024-03-01 10:00:%02d", n), 1)
		item := w.orders[n]
		item["Seller"] = text(people[1])
		w.put("Orders", item)
	}
	w.deliverBoth()
	for _, order := range []string{"ann 2024-03-01", "ann 2024-03-02", "ann 2024-03-03", "bob 2024-03-01"} { // sold by nobody
		customer, day, _ := strings.Cut(order, " ")
		w.deleteItem("Orders", map[string]types.AttributeValue{"Customer": text(customer), "PlacedAt": text(day + " 10:00:00")})
	}
	for player, want := range map[string]string{"dora": "[buyer seller trader]", "emil": "[seller]", "fred": "[buyer]"} {
		if got := fmt.Sprint(w.standing(player)); got != want {
			t.Errorf("%s has %s, want %s", player, got, want)
		}
	}
	if _, _, found := w.verify(nil); len(found) > 0 {
		t.Errorf("found %q", found)
	}
	w.deleteItem(w.settings.AchievementTable, award("emil", "seller"))
	w.deleteItem(w.settings.AchievementTable, award("fred", "buyer"))
	w.change(w.settings.StateTable, state("fred", "from#sold#total"), "ADD "+w.book.Rule("seller").Tally()+" :n", map[string]types.AttributeValue{":n": &types.AttributeValueMemberN{Value: "1"}})
	_, _, found := w.verify(&repair{})
	want := []string{
		"emil: seller: missing → awarded", "fred: buyer: missing → awarded",
		"fred: from#sold#total of seller: miscounted: the plays come to 1, the state says 2: sluice rebuild badges-sold-total",
	}
	if !slices.Equal(found, want) {
		t.Errorf("found %q\nwant  %q", found, want)
	}
}
