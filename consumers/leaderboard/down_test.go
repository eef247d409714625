package leaderboard

import (
	"bytes"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"

	"sluice/consumers/leaderboard/boards"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/gametest"
	"sluice/shared/consumertest/proof"
	"sluice/shared/consumertest/wire"
)

// One of the tables that the leaderboard writes is forbidden for ten minutes, while the
// others are well and batches come again and again. At both ends of the outage some calls
// still go through. Fails if a change that waits becomes a dead letter, if the log or the
// metric doesn't name the table that is down, if changes of the other tables wait too, and
// if any sum is wrong once the table is back.
func TestOneTableDown(t *testing.T) {
	ledgerOnly := func(c wire.Call) bool { return c.Operation == "TransactWriteItems" }
	of := func(table string) func(wire.Call) bool {
		return func(c wire.Call) bool { return bytes.Contains(c.Body, []byte(`"TableName":"`+table+`"`)) }
	}
	for _, test := range []struct {
		name string
		hit  func(wire.Call) bool
		down string // in the log
		well []string
	}{
		{gametest.BoardTable, of(gametest.BoardTable), "table " + gametest.BoardTable, []string{"box", "rank", "pet"}},
		{gametest.BoxTable, of(gametest.BoxTable), "table " + gametest.BoxTable, []string{"total", "rank", "pet"}},
		{gametest.RankTable, of(gametest.RankTable), "table " + gametest.RankTable, []string{"total", "box", "pet"}},
		{gametest.PetTable, of(gametest.PetTable), "table " + gametest.PetTable, []string{"total", "box", "rank"}},
		{"ledger", of("test-LedgerTable"), "table test-LedgerTable", nil}, // nobody can tell what is rebuilt
		{"writes to the ledger", ledgerOnly, "table " + gametest.BoardTable + " with ledger test-LedgerTable", []string{"pet"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			o := newOutage(t, test.hit)
			o.run()
			if logs := o.logs.String(); !strings.Contains(logs, `destination="`+test.down+`"`) {
				t.Errorf("the log doesn't say that %s is down", test.down)
			}
			if !down.MatchString(o.metrics.String()) {
				t.Error("the metrics don't count the destination")
			}
			for _, name := range test.well {
				if strings.Contains(o.waits, name) {
					t.Errorf("%s waits too", name)
				}
			}
			if len(o.letters) > 0 {
				t.Errorf("%d dead letters, the first, %s: %s", len(o.letters), o.letters[0].Reason, o.letters[0].Error)
			}
		})
	}
}

// down matches a line of metrics that counts destinations; without the ledger each board's late
// changes have one of their own.
var down = regexp.MustCompile(`"DestinationsDown":[1-9]`)

// outage is a world in which calls that hit holds for are denied for a while.
type outage struct {
	*world
	seed    uint64
	now     time.Time
	denied  float64 // this share of them
	handler *consumer.Handler
	logs    bytes.Buffer
	waits   string // the sums that weren't current during the outage
}

func newOutage(t *testing.T, hit func(wire.Call) bool) *outage {
	o := &outage{world: newWorld(t), seed: rand.Uint64(), now: consumertest.Arrival}
	t.Logf("seed %d", o.seed)
	random := rand.New(rand.NewPCG(o.seed, 0))
	keeper := o.consumer(func(c wire.Call) wire.Fault {
		if hit(c) && random.Float64() < o.denied {
			return wire.Denied
		}
		return wire.None
	})
	keeper.Now = func() time.Time { return o.now }
	o.handler = consumer.NewHandler("leaderboard", keeper, o, consumer.Settings{}, slog.New(slog.NewTextHandler(&o.logs, nil)), &o.metrics)
	o.handler.Now = keeper.Now
	return o
}

// run delivers batches before, during and after the outage.
func (o *outage) run() {
	const ragged, outage = 2, 10 * time.Minute
	steps := proof.Size(20, 10)
	again := outage / time.Duration(steps)
	var batch [][]byte
	n := 0
	add := func(scores int) {
		for range scores { // so many that ids are spilled
			batch, n = append(batch, insert("reed", n, "1")), n+1
		}
		batch = append(batch, moved(n, 1000, 2000), tracked(n, nil, activity(n, "rex", "2026-01-02T03:04:05Z", "walk")))
	}
	add(40)
	if done := o.invoke(o.handler, batch); done != len(batch) {
		o.t.Fatalf("before the outage: %d of %d done", done, len(batch))
	}
	batch = nil
	for step := range steps {
		o.now = o.now.Add(again)
		if o.denied = 1; step < ragged || step >= steps-ragged {
			o.denied = 0.5
		}
		add(5)
		batch = batch[o.invoke(o.handler, batch):]
		if step == steps-ragged-1 {
			o.waits = o.behind(n, step+2)
		}
	}
	o.denied, o.now = 0, o.now.Add(again)
	if done := o.invoke(o.handler, batch); done != len(batch) {
		o.t.Errorf("after the outage: %d of %d done", done, len(batch))
	}
	if waits := o.behind(n, steps+1); waits != "" {
		o.t.Errorf("after the outage: wrong:%s", waits)
	}
}

// behind names the sums that don't have all of so many scores and batches.
func (o *outage) behind(scores, batches int) (names string) {
	o.t.Helper()
	check := func(name, table, attribute string, want int, key ...string) {
		item := o.item(table, key...)
		if got, err := boards.Number(item, attribute); err != nil || got.IntPart() != int64(want) {
			names += fmt.Sprintf(" %s (%v, want %d)", name, item[attribute], want)
		}
	}
	check("total", gametest.BoardTable, gametest.AttrScore, scores, gametest.AttrUser, "reed")
	check("box", gametest.BoxTable, gametest.AttrScore, scores, gametest.AttrUser, "reed", gametest.AttrBoard, "daily#2026-01-02")
	check("rank", gametest.RankTable, gametest.AttrPlayers, batches, gametest.AttrBoard, "total#1", gametest.AttrBucket, "2000")
	check("pet", gametest.PetTable, "activityCount", batches, "PK", "LEADERBOARD", "SK", "PET#rex")
	return names
}
