package replication

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"sluice/consumers/replication/internal/store"
	"sluice/consumers/replication/mark"
	"sluice/deploy/local/servers/servertest"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/simulator"
	"sluice/shared/consumertest/wire"
)

// rankedWorld is a table that two regions share, whose items an attribute ranks, and
// that has one item.
type rankedWorld struct {
	*testing.T
	at    time.Time
	sides map[string]*rankedSide // by region
	calls map[string]int         // by operation
	fault func(wire.Call) wire.Fault
}

// rankedSide is one region.
type rankedSide struct {
	client *dynamodb.Client
	config aws.Config
	mirror *Mirror
	item   consumertest.Item // as it was when it was last looked at
	stream []*change.Change  // not yet delivered
	all    [][]byte          // what the stream ever had
}

func newRankedWorld(t *testing.T) *rankedWorld {
	t.Helper()
	w := &rankedWorld{T: t, at: consumertest.Arrival.Add(-time.Hour), sides: map[string]*rankedSide{}, calls: map[string]int{}}
	cfg := servertest.DynamoDB(t)
	shared := &Shared{Name: "shared", Table: "Shared", Regions: []string{cfg.Region, away}, Attribute: rankAttribute}
	for _, region := range shared.Regions {
		if err := simulator.Recreate(t.Context(), inRegion(cfg, region), tableOf("Shared", "id", "S"), tableOf(DefaultTombstoneTable, store.TombstoneKey, "B"),
			tableOf(DefaultConflictTable, store.ConflictKey, "B", store.ConflictMark, "B")); err != nil {
			t.Fatal(err)
		}
		w.sides[region] = &rankedSide{client: dynamodb.NewFromConfig(inRegion(cfg, region)), config: inRegion(cfg, region)}
		w.start(region, shared)
	}
	return w
}

// start starts a region's function; one that ran before is gone.
func (w *rankedWorld) start(region string, shared *Shared) {
	cfg := w.sides[region].config.Copy()
	cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	cfg.HTTPClient = &http.Client{Transport: &wire.Transport{Decide: func(c wire.Call) wire.Fault {
		w.calls[c.Operation]++ // one item, so one call at a time
		if w.fault == nil {
			return wire.None
		}
		return w.fault(c)
	}}}
	mirror := newMirror(cfg, DefaultSettings(), shared, func() time.Time { return consumertest.Arrival }, nil)
	mirror.keys.Store(&store.Keys{"id": "S"})
	w.sides[region].mirror = mirror
}

var rankedKey = consumertest.Item{"id": consumertest.S("x")}

// put has an application put the item, whose text tells it apart, or remove it.
func (w *rankedWorld) put(region string, attributes consumertest.Item) {
	w.Helper()
	side := w.sides[region]
	var err error
	if attributes == nil {
		_, err = side.client.DeleteItem(w.Context(), &dynamodb.DeleteItemInput{TableName: aws.String("Shared"), Key: rankedKey.AttributeValues()})
	} else {
		item := maps.Clone(attributes)
		maps.Copy(item, rankedKey)
		_, err = side.client.PutItem(w.Context(), &dynamodb.PutItemInput{TableName: aws.String("Shared"), Item: item.AttributeValues()})
	}
	if err != nil {
		w.Fatal(err)
	}
	w.look(region)
}

// look notes the change of a region's item since the last look.
func (w *rankedWorld) look(region string) {
	w.Helper()
	side := w.sides[region]
	now := w.held(region)
	if cmp.Equal(now, side.item) {
		return
	}
	w.at = w.at.Add(time.Millisecond)
	record := consumertest.Change{Table: "Shared", Time: w.at, Keys: rankedKey, Old: side.item, New: now}.Record()
	c, err := change.Parse(record)
	if err != nil {
		w.Fatal(err)
	}
	side.item, side.stream, side.all = now, append(side.stream, c), append(side.all, record)
}

func (w *rankedWorld) held(region string) consumertest.Item {
	w.Helper()
	out, err := w.sides[region].client.GetItem(w.Context(), &dynamodb.GetItemInput{TableName: aws.String("Shared"), Key: rankedKey.AttributeValues(), ConsistentRead: aws.Bool(true)})
	if err != nil {
		w.Fatal(err)
	}
	if out.Item == nil {
		return nil
	}
	item := consumertest.Item{}
	for name, v := range out.Item {
		switch v := v.(type) {
		case *types.AttributeValueMemberS:
			item[name] = consumertest.S(v.Value)
		case *types.AttributeValueMemberN:
			item[name] = consumertest.N(v.Value)
		case *types.AttributeValueMemberBOOL:
			item[name] = consumertest.Value{"BOOL": v.Value}
		case *types.AttributeValueMemberM: // the mark
			item[name] = consumertest.Value{"M": consumertest.Item{mark.Field: consumertest.B(v.Value[mark.Field].(*types.AttributeValueMemberB).Value)}}
		}
	}
	return item
}

// deliver gives a region's function all its changes in one batch.
func (w *rankedWorld) deliver(region string) []error {
	w.Helper()
	side := w.sides[region]
	batch := side.stream
	side.stream = nil
	errs := side.mirror.ApplyBatch(w.Context(), batch)
	for _, region := range []string{servertest.Region, away} {
		w.look(region)
	}
	return errs
}

// runUntilQuiet delivers until no function writes anything more.
func (w *rankedWorld) runUntilQuiet() {
	w.Helper()
	for range 20 {
		quiet := true
		for _, region := range []string{servertest.Region, away} {
			if len(w.sides[region].stream) == 0 {
				continue
			}
			quiet = false
			for i, err := range w.deliver(region) {
				if o := consumer.OutcomeOf(err); o == consumer.Retry || o == consumer.Rejected {
					w.Fatalf("change %d in %s: %v", i, region, err)
				}
			}
		}
		if quiet {
			return
		}
	}
	w.Fatal("changes go round for ever")
}

// want checks what both regions hold, "" for nothing, and what was kept as lost.
func (w *rankedWorld) want(text string, lost ...string) {
	w.Helper()
	for region := range w.sides {
		got := ""
		if item := w.held(region); item != nil {
			got = item["text"].Text()
		}
		if got != text {
			w.Errorf("%s holds %q, want %q", region, got, text)
		}
	}
	kept := map[string]bool{}
	for _, side := range w.sides {
		out, err := side.client.Scan(w.Context(), &dynamodb.ScanInput{TableName: aws.String(DefaultConflictTable), ConsistentRead: aws.Bool(true)})
		if err != nil {
			w.Fatal(err)
		}
		for _, row := range out.Items {
			kept[row[store.ConflictVersion+"text"].(*types.AttributeValueMemberS).Value] = true
		}
	}
	wanted := map[string]bool{}
	for _, text := range lost {
		wanted[text] = true
	}
	if diff := cmp.Diff(wanted, kept); diff != "" {
		w.Errorf("the conflict logs hold other versions (-want +got):\n%s", diff)
	}
}

func versioned(rank consumertest.Value, text string) consumertest.Item {
	return consumertest.Item{rankAttribute: rank, "text": consumertest.S(text)}
}

// Of two versions the greater stays, whichever comes first. Fails if numbers compare as
// texts, if kinds don't compare, or if what comes later wins.
func TestRankDecides(t *testing.T) {
	const zeros = "0000000000000000000000000000000000000"
	n, s := consumertest.N, consumertest.S
	for _, test := range []struct {
		name         string
		small, great consumertest.Value
	}{
		{"numbers", n("9"), n("10")},
		{"below zero", n("-10"), n("-9")},
		{"by powers", n("99"), n("1E2")},
		{"38 digits", n("1" + zeros), n("1" + zeros[1:] + "1")},
		{"far apart", n("1E-130"), n("9E125")},
		{"strings", s("10"), s("9")},
		{"an empty string", s(""), s("a")},
		{"by bytes", s("z"), s("é")},
		{"a number and a string", n("9"), s("1")},
	} {
		for _, first := range []string{servertest.Region, away} {
			t.Run(fmt.Sprintf("%s, %s first", test.name, first), func(t *testing.T) {
				w := newRankedWorld(t)
				w.put(servertest.Region, versioned(test.small, "small"))
				w.put(away, versioned(test.great, "great"))
				w.deliver(first)
				w.runUntilQuiet()
				w.want("great", "small")
			})
		}
	}
}

// Two versions with one value: the same one stays everywhere, is counted as a tie, and
// the other one is kept. Fails if a condition compares more than DynamoDB takes.
func TestRankTies(t *testing.T) {
	for _, more := range []int{0, 250} {
		for _, first := range []string{servertest.Region, away} {
			t.Run(fmt.Sprintf("%d attributes more, %s first", more, first), func(t *testing.T) {
				w := newRankedWorld(t)
				for region, text := range map[string]string{servertest.Region: "a", away: "b"} {
					item := versioned(consumertest.N("1"), text)
					for i := range more {
						item[fmt.Sprint("attribute", i)] = consumertest.N("1")
					}
					w.put(region, item)
				}
				w.deliver(first)
				w.runUntilQuiet()
				stays, lost := "a", "b"
				if w.held(away)["text"].Text() == "b" {
					stays, lost = "b", "a"
				}
				w.want(stays, lost)
				ties := 0
				for _, side := range w.sides {
					ties += side.mirror.Metrics()["Ties"]
				}
				if ties == 0 {
					t.Error("no tie is counted")
				}
			})
		}
	}
}

// A put that reaches the other region after the item was removed. Fails if what came to
// be doesn't look for its tombstone.
func TestRankedPutArrivesLate(t *testing.T) {
	w := newRankedWorld(t)
	old := versioned(consumertest.N("1"), "old")
	w.put(servertest.Region, old)
	w.runUntilQuiet()
	w.put(servertest.Region, versioned(consumertest.N("2"), "new"))
	w.put(servertest.Region, nil)
	w.runUntilQuiet()
	w.want("")
	w.put(away, old) // as if the first put came only now
	w.runUntilQuiet()
	w.want("", "old")
	w.put(away, versioned(consumertest.N("3"), "again"))
	w.runUntilQuiet()
	w.want("again", "old")
}

// A remove reaches a put made at the same time in the other region, and spares a
// greater one. Fails if a remove has no rank.
func TestRankedRemove(t *testing.T) {
	for rank, want := range map[string]string{"1": "", "2": "", "3": "other"} {
		t.Run("over "+rank, func(t *testing.T) {
			w := newRankedWorld(t)
			w.put(servertest.Region, versioned(consumertest.N("2"), "removed"))
			w.put(servertest.Region, nil)
			w.put(away, versioned(consumertest.N(rank), "other"))
			w.runUntilQuiet()
			if want == "" {
				w.want("", "other")
			} else {
				w.want("other")
			}
		})
	}
}

// Of the changes in one batch the greatest counts, at home too. Fails if the newest is
// written, or if what a writer has lowered stays.
func TestRankedBatch(t *testing.T) {
	for name, after := range map[string][]consumertest.Item{
		"lowered":                    {versioned(consumertest.N("5"), "great"), versioned(consumertest.N("4"), "low")},
		"lowered and raised a bit":   {versioned(consumertest.N("5"), "great"), versioned(consumertest.N("3"), "lowest"), versioned(consumertest.N("4"), "low")},
		"removed and put back lower": {versioned(consumertest.N("5"), "great"), nil, versioned(consumertest.N("4"), "low")},
	} {
		for _, together := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, in one batch: %v", name, together), func(t *testing.T) {
				w := newRankedWorld(t)
				for _, item := range after {
					w.put(servertest.Region, item)
					if !together {
						w.deliver(servertest.Region)
					}
				}
				w.runUntilQuiet()
				switch {
				case after[1] == nil:
					w.want("", "low")
				case len(after) == 3 && !together: // the lowest was undone before
					w.want("great", "low", "lowest")
				default:
					w.want("great", "low")
				}
			})
		}
	}
}

// The writes of one application in one batch: none of them has lost. Fails if only what
// the greatest was written over is known.
func TestRankedBatchOfOneWriter(t *testing.T) {
	w := newRankedWorld(t)
	for n := range 4 {
		w.put(servertest.Region, versioned(consumertest.N(fmt.Sprint(n)), fmt.Sprint("text ", n)))
		if n == 0 {
			w.runUntilQuiet()
		}
	}
	clear(w.calls)
	w.deliver(servertest.Region)
	if diff := cmp.Diff(map[string]int{"PutItem": 1}, w.calls); diff != "" {
		t.Errorf("other calls (-want +got):\n%s", diff)
	}
	w.runUntilQuiet()
	w.want("text 3")
}

// A function dies before or after each of its calls, and the next one is given the same
// changes. Fails if what loses is overwritten before it is kept, or if a remove is taken
// for done that isn't.
func TestRankedFunctionDies(t *testing.T) {
	for name, test := range map[string]struct {
		last  consumertest.Item
		want  string
		calls int
	}{
		"a put meets a smaller one":    {versioned(consumertest.N("3"), "great"), "great", 4},
		"a remove meets a smaller one": {nil, "", 7},
	} {
		for n := range test.calls {
			for _, fault := range []wire.Fault{wire.Crash, wire.CrashAfter} {
				t.Run(fmt.Sprintf("%s, call %d, %v", name, n+1, fault), func(t *testing.T) {
					w := newRankedWorld(t)
					w.put(away, versioned(consumertest.N("1"), "small"))
					if test.last == nil {
						w.put(servertest.Region, versioned(consumertest.N("2"), "removed"))
					}
					w.put(servertest.Region, test.last)
					home := w.sides[servertest.Region]
					changes := home.stream
					w.fault = func(c wire.Call) wire.Fault {
						if c.N == n+1 {
							return fault
						}
						return wire.None
					}
					if errs := w.deliver(servertest.Region); consumer.OutcomeOf(errs[0]) != consumer.Retry {
						t.Fatalf("no call %d: %v", n+1, errs)
					}
					w.fault = nil
					w.start(servertest.Region, home.mirror.Shared)
					home.stream = append(changes, home.stream...)
					w.deliver(servertest.Region)
					w.runUntilQuiet()
					w.want(test.want, "small")
				})
			}
		}
	}
}

// What can't be ranked is rejected, and says why; the other region keeps what it holds.
func TestNoRank(t *testing.T) {
	good := versioned(consumertest.N("1"), "good")
	for _, test := range []struct {
		there, item consumertest.Item
		removed     bool
		want        string
	}{
		{good, consumertest.Item{"text": consumertest.S("a")}, false, "it has no attribute Version"},
		{good, consumertest.Item{rankAttribute: {"BOOL": true}}, false, "must be a number or a string, and is BOOL"},
		{good, versioned(consumertest.S(strings.Repeat("x", 513)), "a"), false, "has 513 bytes, and may have 512"},
		{good, consumertest.Item{"text": consumertest.S("a")}, true, "old image, whose removal has its rank: the item can't be ranked"},
	} {
		w := newRankedWorld(t)
		w.put(away, test.there)
		w.put(servertest.Region, test.item)
		if test.removed {
			w.sides[servertest.Region].stream = nil
			w.put(servertest.Region, nil)
		}
		errs := w.deliver(servertest.Region)
		if consumer.OutcomeOf(errs[0]) != consumer.Rejected || !strings.Contains(errs[0].Error(), test.want) {
			t.Errorf("%v, want %q", errs[0], test.want)
		}
		if got := w.held(away); !cmp.Equal(got["text"], test.there["text"]) {
			t.Errorf("%s: the other region holds %v now", test.want, got["text"])
		}
	}
}

// The calls that each change costs, and what comes back of it. Fails if one more is
// made: a write unit for each write of a small item, a read unit for each GetItem.
func TestRankedCalls(t *testing.T) {
	w := newRankedWorld(t)
	for _, step := range []struct {
		name       string
		item       consumertest.Item
		home, echo map[string]int
	}{
		{"an insert", versioned(consumertest.N("1"), "a"), map[string]int{"GetItem": 1, "PutItem": 1}, map[string]int{"GetItem": 1, "PutItem": 1}},
		{"a modify", versioned(consumertest.N("2"), "b"), map[string]int{"PutItem": 1}, map[string]int{"PutItem": 1}},
		{"a remove", nil, map[string]int{"GetItem": 2, "PutItem": 2, "DeleteItem": 1}, map[string]int{"GetItem": 2}},
	} {
		w.put(servertest.Region, step.item)
		for _, at := range []struct {
			region string
			want   map[string]int
		}{{servertest.Region, step.home}, {away, step.echo}, {servertest.Region, map[string]int{}}} {
			clear(w.calls)
			w.deliver(at.region)
			if diff := cmp.Diff(at.want, w.calls); diff != "" {
				t.Errorf("%s makes other calls in %s (-want +got):\n%s", step.name, at.region, diff)
			}
		}
	}
}

// Fails if a repair brings anything but the greatest version to the regions, brings
// back what was removed at a greater rank, or doesn't keep what it overwrites.
func TestRepairRanked(t *testing.T) {
	w := newRankedWorld(t)
	repair := func() {
		t.Helper()
		for _, side := range w.sides {
			side.stream = nil // these changes are lost
		}
		err := w.sides[servertest.Region].mirror.ranked.Repair(t.Context(), rankedKey.AttributeValues(), rankAttribute)
		if o := consumer.OutcomeOf(err); o == consumer.Retry || o == consumer.Rejected {
			t.Fatal(err)
		}
		for region := range w.sides {
			w.look(region)
		}
	}
	w.put(servertest.Region, versioned(consumertest.N("9"), "home"))
	w.put(away, versioned(consumertest.N("10"), "away"))
	repair()
	w.want("away", "home")
	w.runUntilQuiet() // what the repair wrote is no reason to write more
	w.want("away", "home")
	w.put(away, nil)
	w.runUntilQuiet()
	w.want("", "home")
	w.put(servertest.Region, versioned(consumertest.N("10"), "back again"))
	repair()
	w.want("", "home", "back again")
}
