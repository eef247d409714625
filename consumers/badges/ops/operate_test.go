package ops

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"sluice/consumers/badges"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/gametest"
	"sluice/shared/consumertest/operatetest"
	"sluice/shared/operate"
)

// badPlays are plays that the rules can't use, or use in part, by kind.
var badPlays = map[string]map[string]types.AttributeValue{
	"no date":      {"Timestamp": text("soon")},
	"empty text":   {"Game": text("")},
	"binary":       {"Game": &types.AttributeValueMemberB{Value: []byte{0, 0xff}}},
	"null":         {"Score": &types.AttributeValueMemberNULL{Value: true}},
	"another type": {"Score": text("many")},
	"38 digits":    {"Score": &types.AttributeValueMemberN{Value: strings.Repeat("9", 38) + "E+87"}},
	"empty list":   {"Score": &types.AttributeValueMemberL{Value: []types.AttributeValue{}}},
	"too large":    {"Game": text(strings.Repeat("x", 400<<10-200))},
}

// operated is an auditWorld as package operatetest sees it: item n is the only play of a player.
type operated struct {
	*auditWorld
	function  *badges.Badges
	delivered map[int]consumertest.Item // the images that the function has taken, by n
}

func playerOf(n int) string { return fmt.Sprint("player-", n) }

func (w *operated) key(n int) consumertest.Item {
	return consumertest.Item{"UserId": consumertest.S(playerOf(n)), "Timestamp": consumertest.S("2024-01-01 10:00:00")}
}

// write writes a play, whose score and game tell the version.
func (w *operated) write(n, version int) {
	image := w.key(n)
	image["Score"], image["Game"] = consumertest.N(fmt.Sprint(9+version)), consumertest.S(fmt.Sprint("game-", version))
	w.put(gametest.ScoreTable, image.AttributeValues())
}

func (w *operated) remove(table string, key map[string]types.AttributeValue) {
	if _, err := w.client.DeleteItem(w.t.Context(), &dynamodb.DeleteItemInput{TableName: &table, Key: key}); err != nil {
		w.t.Fatal(err)
	}
}

// deliver has the function take the change from what it took last to what the table holds.
func (w *operated) deliver(n int, made time.Time) {
	w.t.Helper()
	c := consumertest.Change{Table: gametest.ScoreTable, Time: made, Keys: w.key(n), Old: w.delivered[n]}
	out, err := w.client.GetItem(w.t.Context(), &dynamodb.GetItemInput{TableName: &c.Table, Key: c.Keys.AttributeValues(), ConsistentRead: aws.Bool(true)})
	if err != nil {
		w.t.Fatal(err)
	}
	if len(out.Item) > 0 {
		c.New = consumertest.Item{}
		for name, value := range out.Item {
			if number, is := value.(*types.AttributeValueMemberN); is {
				c.New[name] = consumertest.N(number.Value)
			} else {
				c.New[name] = consumertest.S(change.TextOf(value))
			}
		}
	}
	w.delivered[n] = c.New
	parsed, err := change.Parse(c.Record())
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.function.ApplyBatch(w.t.Context(), []*change.Change{parsed})[0]; consumer.OutcomeOf(err) != consumer.Applied {
		w.t.Fatalf("item %d: %v", n, err)
	}
}

// held returns the awards that stand, with + if a notice is pending, and the sums of the states.
func (w *operated) held() map[string]string {
	w.t.Helper()
	all := map[string]string{}
	s, err := w.auditor().snapshot(w.t.Context(), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	for player, achievements := range s.achievements {
		for _, a := range achievements {
			if a.RevokedAt == "" && !strings.HasPrefix(player, "bad ") {
				all[player+" "+a.Award.Key()] = map[bool]string{true: "pending"}[a.Pending != ""]
			}
		}
	}
	for player, state := range s.states {
		for of, tallies := range state {
			all[player+" "+of] = fmt.Sprint(tallies)
		}
	}
	return all
}

func (w *operated) setAward(n int, key, update string, values map[string]types.AttributeValue) {
	w.change(w.settings.AchievementTable, award(playerOf(n), key), update, values)
}

func newOperated(t *testing.T) *operatetest.World {
	w := &operated{auditWorld: newAuditWorld(t), delivered: map[int]consumertest.Item{}}
	w.function = badges.NewOf(w.client, w.topic.SNS, w.settings, w.book)
	bad := map[string]func(){}
	for kind, attributes := range badPlays {
		bad[kind] = func() {
			item := map[string]types.AttributeValue{"UserId": text("bad " + kind), "Timestamp": text("2024-01-01 10:00:00"), "Score": &types.AttributeValueMemberN{Value: "10"}}
			for name, value := range attributes {
				item[name] = value
			}
			w.put(gametest.ScoreTable, item)
		}
	}
	return &operatetest.World{
		Write:   w.write,
		Remove:  func(n int) { w.remove(gametest.ScoreTable, w.key(n).AttributeValues()) },
		Deliver: w.deliver,
		Damages: []operatetest.Damage{
			{What: operate.Missing, Do: func(n int) { w.remove(w.settings.AchievementTable, award(playerOf(n), "first")) }},
			{What: operate.Extra, Do: func(n int) {
				high := award(playerOf(n), "high#forty")
				high["Badge"], high["Level"] = text("high"), text("forty")
				w.put(w.settings.AchievementTable, high)
			}},
			{What: Revoked, Do: func(n int) {
				w.setAward(n, "first", "SET RevokedAt = :t", map[string]types.AttributeValue{":t": text("2024-01-05")})
			}},
			{What: Untold, Do: func(n int) {
				w.setAward(n, "first", "SET Pending = :m, EventType = :e REMOVE ToldAt", map[string]types.AttributeValue{":m": text(`{"id":"again"}`), ":e": text("BADGE_EARNED")})
			}},
			{What: Miscounted, Unrepaired: true, Do: func(n int) {
				w.change(w.settings.StateTable, map[string]types.AttributeValue{"Player": text(playerOf(n)), "Of": text("total")},
					"ADD "+w.book.Rule("high").Tally()+" :n", map[string]types.AttributeValue{":n": &types.AttributeValueMemberN{Value: "5"}})
			}},
		},
		Bad:        bad,
		Held:       w.held,
		Cumulative: true,
		Compare: func(client *http.Client) operate.Comparison {
			once := func() aws.Retryer { return aws.NopRetryer{} }
			tables, topics := w.client.Options(), w.topic.SNS.Options()
			tables.HTTPClient, tables.Retryer, topics.HTTPClient, topics.Retryer = client, once(), client, once()
			return NewAuditor(dynamodb.New(tables), sns.New(topics), w.settings, w.book, 2).Comparison(false)
		},
	}
}

// The comparison of badges and its repair, whatever happens to them. A backfill isn't a matter of single items: see TestBackfill.
func TestOperateBadges(t *testing.T) {
	operatetest.Run(t, operatetest.Suite{New: newOperated})
}
