package rule

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/shared/change"
	"sluice/shared/timestamp/timestamptest"
)

// dayOfPlay returns the items of days for which a play counts.
func dayOfPlay(t *testing.T, book *Book, play map[string]types.AttributeValue) ([]string, error) {
	t.Helper()
	c, err := change.FromItem("Plays", []string{"UserId", "Timestamp"}, play, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	states := States{}
	err = book.Fold(c, states)
	return slices.Sorted(maps.Keys(states["ann"])), err
}

// A play's day is that of shared/timestamp in each zone that skips or repeats a midnight. Fails if the rules read zones
// or times in a way of their own.
func TestDaysOfPlays(t *testing.T) {
	book, err := Parse("rules.yaml", []byte(`
plays: {table: Plays, player: UserId, at: Timestamp, zone: {attribute: Zone, otherwise: Asia/Tokyo}, earliest: 1999-12-01}
badges: [{name: daily, title: {en: t}, text: {en: t}, streak: {days: 2}}]
`), nil, "State")
	if err != nil {
		t.Fatal(err)
	}
	text := func(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
	for _, c := range timestamptest.Midnights(t) {
		got, err := dayOfPlay(t, book, map[string]types.AttributeValue{"UserId": text("ann"), "Timestamp": text(c.Text), "Zone": text(c.Zone.String())})
		if want := "day#" + c.Day(); err != nil || !slices.Equal(got, []string{want}) {
			t.Errorf("a play at %s in %v counts for %v, %v; want %s", c.Text, c.Zone, got, err, want)
		}
	}
	// A zone that is empty, NULL or not there is the one that the file states.
	for _, zone := range []types.AttributeValue{nil, text(""), &types.AttributeValueMemberNULL{Value: true}} {
		play := map[string]types.AttributeValue{"UserId": text("ann"), "Timestamp": text("2024-01-15T20:00:00Z")}
		if zone != nil {
			play["Zone"] = zone
		}
		if got, err := dayOfPlay(t, book, play); err != nil || !slices.Equal(got, []string{"day#2024-01-16"}) {
			t.Errorf("a play with the zone %#v counts for %v, %v", zone, got, err)
		}
	}
	for _, zone := range []types.AttributeValue{text("localtime"), text("right/UTC"), text("Local"), text(" "), &types.AttributeValueMemberN{Value: "1"}} {
		play := map[string]types.AttributeValue{"UserId": text("ann"), "Timestamp": text("2024-01-15T20:00:00Z"), "Zone": zone}
		if got, err := dayOfPlay(t, book, play); err == nil {
			t.Errorf("a play with the zone %#v counts for %v", zone, got)
		}
	}
}
