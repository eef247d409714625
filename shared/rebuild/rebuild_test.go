package rebuild

import (
	"bytes"
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/deploy/local/servers/servertest"
	"sluice/shared/aggregate"
	"sluice/shared/consumertest/wire"
	"sluice/shared/view"
)

func TestMain(m *testing.M) { servertest.Main(m) }

// world has a view of one source, with one item, and a clock that moves only when
// the tool waits and when a test wants it to.
type world struct {
	t      *testing.T
	direct *dynamodb.Client // not the tool's
	client *dynamodb.Client
	clock  time.Time
	key    string                          // the view's, of the source's
	before func(call, *aggregate.Rebuilds) // of each call of the tool
	fault  func(wire.Call) wire.Fault      // of the tool's calls; nil: none
}

// call is what a call does to which table.
type call struct {
	operation, table string
	saves            bool // the rebuild's state
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, key: "{User}", clock: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	cfg := servertest.DynamoDB(t)
	direct := dynamodb.NewFromConfig(cfg)
	w.direct = direct
	servertest.CreateTable(t, direct, "games", "User", "Game")
	servertest.CreateTable(t, direct, "totals", "User")
	servertest.CreateTable(t, direct, "ledger", "Group", "Entry")
	if _, err := direct.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("games"), Item: map[string]types.AttributeValue{
		"User": &types.AttributeValueMemberS{Value: "reed"}, "Game": &types.AttributeValueMemberS{Value: "1"}, "Score": &types.AttributeValueMemberN{Value: "7"},
	}}); err != nil {
		t.Fatal(err)
	}
	w.client = dynamodb.NewFromConfig(cfg, func(o *dynamodb.Options) {
		o.Retryer = aws.NopRetryer{}
		o.HTTPClient = &http.Client{Transport: &wire.Transport{Decide: func(c wire.Call) wire.Fault {
			if w.fault != nil {
				return w.fault(c)
			}
			if w.before == nil {
				return wire.None
			}
			state, err := aggregate.ReadRebuilds(t.Context(), direct, "ledger")
			if err != nil {
				t.Error(err)
			}
			for _, table := range []string{"games", "totals", "ledger"} {
				if bytes.Contains(c.Body, []byte(`"TableName":"`+table+`"`)) {
					w.before(call{c.Operation, table, c.Operation == "PutItem" && bytes.Contains(c.Body, []byte(`"State"`))}, state["totals"])
				}
			}
			return wire.None
		}}}
	})
	return w
}

func (w *world) tool() *Tool {
	w.t.Helper()
	views, err := view.Parse("views.yaml", []byte(`
views:
  - name: totals
    from: {table: games}
    into: {table: totals, key: {User: "`+w.key+`"}}
    sum: {Score: Score}
`), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return &Tool{
		Client: w.client, View: views[0], Ledger: "ledger", Horizon: 384 * time.Hour, Now: func() time.Time { return w.clock },
		Sleep: func(_ context.Context, d time.Duration) error {
			w.clock = w.clock.Add(d)
			return nil
		},
		Clocks: DefaultClocks, Announcing: DefaultAnnouncing, Segments: 2, Limit: DefaultLimit,
	}
}

// run runs the tool and returns what it ends with, and the view's rebuilds.
func (w *world) run() (Progress, *aggregate.Rebuilds) {
	w.t.Helper()
	tool := w.tool()
	p, err := tool.Run(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	w.before = nil
	if score, ok := w.total()["Score"].(*types.AttributeValueMemberN); !ok || score.Value != "7" {
		w.t.Errorf("the total is %v, want 7", w.total())
	}
	return p, w.state()
}

// state returns the view's rebuilds.
func (w *world) state() *aggregate.Rebuilds {
	w.t.Helper()
	state, err := aggregate.ReadRebuilds(w.t.Context(), w.direct, "ledger")
	if err != nil {
		w.t.Fatal(err)
	}
	if state["totals"] == nil {
		return &aggregate.Rebuilds{}
	}
	return state["totals"]
}

// total returns the one player's item.
func (w *world) total() map[string]types.AttributeValue {
	w.t.Helper()
	out, err := w.direct.GetItem(w.t.Context(), &dynamodb.GetItemInput{TableName: aws.String("totals"), Key: map[string]types.AttributeValue{"User": &types.AttributeValueMemberS{Value: "reed"}}})
	if err != nil {
		w.t.Fatal(err)
	}
	return out.Item
}

// The source isn't read before every change from before the window is in it, by
// whatever clock it was written.
func TestScanWaits(t *testing.T) {
	w := newWorld(t)
	scans := 0
	w.before = func(c call, r *aggregate.Rebuilds) {
		if c.operation != "Scan" || c.table != "games" {
			return
		}
		scans++
		if begins := time.UnixMicro(r.Current.From).Add(DefaultClocks); w.clock.Before(begins) {
			t.Errorf("read at %v, want not before %v", w.clock, begins)
		}
	}
	w.run()
	if scans == 0 {
		t.Error("no scan, want one")
	}
}

// Both ends of the window are announced so early that every function hears of them,
// by whatever clock, before there is a change with such a version.
func TestAnnouncedAhead(t *testing.T) {
	w := newWorld(t)
	var announced []int64
	w.before = func(_ call, r *aggregate.Rebuilds) {
		if r == nil {
			return
		}
		for _, version := range []int64{r.Current.From, r.Current.Until} {
			if n := len(announced); version == 0 || n > 0 && announced[n-1] >= version {
				continue
			}
			announced = append(announced, version)
			if latest := time.UnixMicro(version).Add(-aggregate.Freshness - DefaultClocks); w.clock.After(latest) {
				t.Errorf("version %d was announced at %v, want not after %v", version, w.clock, latest)
			}
		}
	}
	w.run()
	if len(announced) != 2 {
		t.Errorf("%d ends of the window were announced, want 2", len(announced))
	}
}

// An announcement that takes as long as it may is in time; one that takes longer
// isn't, and the rebuild begins anew. So does one whose scan takes too long.
func TestAnew(t *testing.T) {
	for _, test := range []struct {
		name string
		at   aggregate.Phase // before it is saved
		by   time.Duration
		anew bool
	}{
		{"the beginning, in time", aggregate.Opening, DefaultAnnouncing, false},
		{"the beginning, too late", aggregate.Opening, DefaultAnnouncing + time.Microsecond, true},
		{"the end, in time", aggregate.Closing, DefaultAnnouncing, false},
		{"the end, too late", aggregate.Closing, DefaultAnnouncing + time.Microsecond, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			done := false
			w.before = func(c call, r *aggregate.Rebuilds) {
				at := aggregate.Opening
				if r != nil && r.Phase == aggregate.Scanning {
					at = aggregate.Closing
				}
				if c.saves && at == test.at && !done {
					done, w.clock = true, w.clock.Add(test.by)
				}
			}
			w.wantAnew(test.anew)
		})
	}
	t.Run("the scan takes too long", func(t *testing.T) {
		w := newWorld(t)
		done := false
		w.before = func(c call, _ *aggregate.Rebuilds) {
			if c.operation == "Scan" && c.table == "games" && !done {
				done, w.clock = true, w.clock.Add(DefaultLimit)
			}
		}
		w.wantAnew(true)
	})
}

// wantAnew runs the tool, whose first attempt is given up or isn't.
func (w *world) wantAnew(anew bool) {
	w.t.Helper()
	p, r := w.run()
	want := int64(1)
	if anew {
		want = 2
	}
	if p.Anew != anew || r.Current.Generation != want || r.Current.First != 1 || len(r.Done) != 1 {
		w.t.Errorf("anew is %v, and the rebuilds are %+v, want %v and generation %d", p.Anew, r, anew, want)
	}
}

// The next rebuild's window begins after the last one's, even by a clock that is behind.
func TestWindowsDoNotOverlap(t *testing.T) {
	w := newWorld(t)
	_, first := w.run()
	w.clock = w.clock.Add(-DefaultClocks)
	_, second := w.run()
	if second.Current.From <= first.Current.Until {
		t.Errorf("the second window begins at %d, want after %d", second.Current.From, first.Current.Until)
	}
}

// A rebuild is forgotten once the next one took its items, and the last of those that
// the next one left alone have had all their changes.
func TestForget(t *testing.T) {
	w := newWorld(t)
	_, first := w.run()
	_, second := w.run()
	if len(second.Done) != 2 {
		t.Errorf("%d rebuilds are known, want 2", len(second.Done))
	}
	w.clock = time.UnixMicro(first.Current.Limit).Add(385 * time.Hour)
	if _, third := w.run(); len(third.Done) != 3 {
		t.Errorf("%d rebuilds are known, want 3", len(third.Done))
	}
	w.clock = w.clock.Add(60 * 24 * time.Hour)
	if _, fourth := w.run(); len(fourth.Done) != 2 {
		t.Errorf("%d rebuilds are known, want 2: the third, whose items the fourth may have left alone, and it", len(fourth.Done))
	}
}
