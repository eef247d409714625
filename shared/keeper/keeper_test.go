package keeper

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/deploy/local/servers/servertest"
	"sluice/shared/aggregate"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/wire"
	"sluice/shared/view"
)

func TestMain(m *testing.M) { servertest.Main(m) }

// world has a view of the games, each player's points, in a database of its own.
type world struct {
	t      *testing.T
	config aws.Config
	views  []*view.View
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, config: servertest.DynamoDB(t)}
	client := dynamodb.NewFromConfig(w.config)
	servertest.CreateTable(t, client, "points", "Player")
	servertest.CreateTable(t, client, "ledger", "Group", "Entry")
	var err error
	if w.views, err = view.Parse("views.yaml", []byte(`
views:
  - name: points
    from: {table: games}
    into: {table: points, key: {Player: "{Player}"}}
    sum: {Points: Points}
`), nil); err != nil {
		t.Fatal(err)
	}
	return w
}

// keeper returns an instance whose calls decide lets through.
func (w *world) keeper(decide func(wire.Call) wire.Fault) *Keeper {
	k := New(dynamodb.NewFromConfig(w.config, func(o *dynamodb.Options) {
		o.HTTPClient = &http.Client{Transport: &wire.Transport{Decide: decide}}
		o.Retryer = aws.NopRetryer{}
	}), w.views, "ledger", 384*time.Hour)
	k.Now = func() time.Time { return consumertest.Arrival }
	return k
}

// at is when the n-th game was played.
func at(n int) time.Time {
	return consumertest.Arrival.Add(-time.Minute + time.Duration(n)*time.Millisecond)
}

// game is the change that the n-th game makes, or that moves it between players.
func (w *world) game(n int, before, after, points string) *change.Change {
	w.t.Helper()
	image := func(player string) consumertest.Item {
		if player == "" {
			return nil
		}
		return consumertest.Item{"Game": consumertest.N(strconv.Itoa(n)), "Player": consumertest.S(player), "Points": consumertest.N(points)}
	}
	played := consumertest.Change{Table: "games", Time: at(n), Keys: consumertest.Item{"Game": consumertest.N(strconv.Itoa(n))}, Old: image(before), New: image(after)}
	c, err := change.Parse(played.Record())
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func (w *world) games(from, to int) (batch []*change.Change) {
	for n := from; n < to; n++ {
		batch = append(batch, w.game(n, "", "reed", "1"))
	}
	return batch
}

// points returns the points in an item that was touched.
func (w *world) points(t Touched) (player, points string) {
	w.t.Helper()
	item, err := t.Attributes(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	sum, ok := item["Points"].(*types.AttributeValueMemberN)
	key, hasKey := t.Key["Player"].(*types.AttributeValueMemberS)
	own, hasOwn := item["Player"].(*types.AttributeValueMemberS)
	if !ok || !hasKey || !hasOwn || t.View != w.views[0] || own.Value != key.Value {
		w.t.Fatalf("view %s, key %v: item %v", t.View.Name, t.Key, item)
	}
	return key.Value, sum.Value
}

// Each item that a batch touches is told as it is then, without being read, except
// after late changes, and while standings may move its sums.
func TestTouched(t *testing.T) {
	w := newWorld(t)
	reads, refuse := 0, ""
	k := w.keeper(func(c wire.Call) wire.Fault {
		switch c.Operation {
		case "GetItem":
			reads++
		case refuse:
			return wire.Throttle
		}
		return wire.None
	})
	late, moved := w.game(1, "", "reed", "5"), w.game(550, "reed", "maggy", "1")
	for _, step := range []struct {
		name   string
		batch  []*change.Change
		refuse string // an operation
		want   string // the items, which changes they hold, and what these have added, if that is known
		reads  int
	}{
		{"new and not viewed", []*change.Change{w.game(499, "reed", "reed", "1"), w.game(500, "", "reed", "2"), w.game(501, "", "reed", "3")}, "", "reed 5 [1 2] +5", 0},
		{"duplicates", []*change.Change{w.game(500, "", "reed", "2"), w.game(500, "", "reed", "2"), w.game(502, "", "reed", "1")}, "", "reed 6 [0 1 2] ?", 0},
		{"all duplicates", []*change.Change{w.game(502, "", "reed", "1")}, "", "reed 6 [0] ?", 0},
		{"moved", []*change.Change{moved}, "", "maggy 1 [0] +1, reed 5 [0] +-1", 0},
		{"rejected", []*change.Change{w.game(503, "", "reed", "1e100"), w.game(504, "", "maggy", "1")}, "", "maggy 2 [1] +1", 0},
		{"too old alone", []*change.Change{w.game(-2_000_000_000, "", "reed", "1")}, "", "", 0},
		{"fails", []*change.Change{w.game(505, "", "reed", "9")}, "UpdateItem", "", 0},
		{"spilled", w.games(600, 600+2*aggregate.Capacity)[aggregate.Capacity/2:], "", "reed 101 [0-95] ?", 0},
		{"late", []*change.Change{late}, "", "reed 106 [0] ?", 1},
		{"late duplicate", []*change.Change{late}, "", "reed 106 [0] ?", 1},
		{"late, then new", []*change.Change{w.game(2, "", "reed", "1"), w.game(901, "", "reed", "1")}, "", "reed 108 [0 1] ?", 0},
	} {
		reads, refuse = 0, step.refuse
		_, touched := k.Update(t.Context(), step.batch)
		if got := w.text(touched); got != step.want || reads != step.reads {
			t.Errorf("%s: touched %s, read %d; want %s, read %d", step.name, got, reads, step.want, step.reads)
		}
	}
}

// text lists the items with their points and changes.
func (w *world) text(touched []Touched) string {
	var items []string
	for _, one := range touched {
		player, points := w.points(one)
		changes := fmt.Sprint(one.Changes)
		if n := len(one.Changes); n > 3 {
			changes = fmt.Sprintf("[%d-%d]", one.Changes[0], one.Changes[n-1])
		}
		added := "?"
		if one.Added != nil {
			added = "+" + one.Added["Points"].String()
		}
		items = append(items, fmt.Sprintf("%s %s %s %s", player, points, changes, added))
	}
	slices.Sort(items)
	return strings.Join(items, ", ")
}

// In the window of a rebuild the sums are moved beside what is added, by Stand.
func TestTouchedInTheWindow(t *testing.T) {
	w := newWorld(t)
	done := aggregate.Window{Generation: 1, First: 1, From: at(0).UnixMicro(), Until: at(1).UnixMicro(), Limit: at(1).UnixMicro()}
	if err := (&aggregate.Rebuilds{Done: []aggregate.Window{done}}).Save(t.Context(), dynamodb.NewFromConfig(w.config), "ledger", "points"); err != nil {
		t.Fatal(err)
	}
	reads := 0
	k := w.keeper(func(c wire.Call) wire.Fault {
		if c.Operation == "GetItem" {
			reads++
		}
		return wire.None
	})
	for range 2 {
		_, touched := k.Update(t.Context(), []*change.Change{w.game(1, "", "reed", "7")})
		if got := w.text(touched); got != "reed 7 [0] ?" {
			t.Errorf("touched %s, want reed 7 [0] ?", got)
		}
	}
	if reads != 2 {
		t.Errorf("%d reads, want 2", reads)
	}
}

// While the rebuilds can't be read, nothing is added, and what is of other tables is done.
func TestOtherTables(t *testing.T) {
	w := newWorld(t)
	calls := 0
	k := w.keeper(func(c wire.Call) wire.Fault {
		if calls++; c.Operation != "Query" {
			t.Errorf("call %s, want none before it is known what is rebuilt", c.Operation)
		}
		return wire.Throttle
	})
	ours, key := w.game(1, "", "reed", "5"), consumertest.Item{"Id": consumertest.S("x")}
	other, err := change.Parse(consumertest.Change{Table: "players", Time: at(1), Keys: key, New: key}.Record())
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		batch []*change.Change
		want  []consumer.Outcome
		calls int
	}{
		{[]*change.Change{other, other}, []consumer.Outcome{consumer.Skip, consumer.Skip}, 0},
		{[]*change.Change{other, ours, other}, []consumer.Outcome{consumer.Skip, consumer.Retry, consumer.Skip}, 1},
	} {
		errs, touched := k.Update(t.Context(), step.batch)
		var got []consumer.Outcome
		for _, err := range errs {
			got = append(got, consumer.OutcomeOf(err))
		}
		if !slices.Equal(got, step.want) || len(touched) > 0 || calls != step.calls {
			t.Errorf("outcomes %v, touched %v, %d calls; want %v, none, %d", got, touched, calls, step.want, step.calls)
		}
	}
}

// Two instances have all changes, in any order, over a wire that loses requests and
// answers, and drop what an update has told when they die after it. Then all
// comes once more. The last sum is among what somebody was told.
func TestNothingThatLastsIsMissed(t *testing.T) {
	for range 6 {
		seed := rand.Uint64()
		t.Run("", func(t *testing.T) {
			t.Parallel()
			t.Logf("seed %d", seed)
			w := newWorld(t)
			var mu sync.Mutex
			faults := rand.New(rand.NewPCG(seed, 0))
			chance := func(n int) bool {
				mu.Lock()
				defer mu.Unlock()
				return faults.IntN(n) == 0
			}
			seen := map[string]bool{}
			var instances sync.WaitGroup
			for i := range uint64(2) {
				k := w.keeper(func(wire.Call) wire.Fault {
					switch {
					case chance(8):
						return wire.LostRequest
					case chance(8):
						return wire.LostAnswer
					}
					return wire.None
				})
				batch, random := w.games(0, 3*aggregate.Capacity), rand.New(rand.NewPCG(seed, 1+i))
				random.Shuffle(len(batch), func(i, j int) { batch[i], batch[j] = batch[j], batch[i] })
				size := 1 + random.IntN(len(batch))
				instances.Go(func() {
					for len(batch) > 0 {
						part := batch[:min(size, len(batch))]
						errs, touched := k.Update(t.Context(), part)
						var again []*change.Change
						died := chance(3)
						for _, one := range touched {
							item, err := one.Attributes(t.Context())
							if died || err != nil {
								for _, i := range one.Changes {
									errs[i] = consumer.Retry
								}
								continue
							}
							mu.Lock()
							seen[item["Points"].(*types.AttributeValueMemberN).Value] = true
							mu.Unlock()
						}
						for i, err := range errs {
							if consumer.OutcomeOf(err) == consumer.Retry {
								again = append(again, part[i])
							}
						}
						batch = append(again, batch[len(part):]...)
					}
				})
			}
			instances.Wait()
			if want := strconv.Itoa(3 * aggregate.Capacity); !seen[want] {
				t.Errorf("nobody was told of %s points, only of %v", want, seen)
			}
		})
	}
}
