package simulator

import (
	"cmp"
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"pgregory.net/rapid"

	"sluice/shared/consumer"
	"sluice/shared/consumertest"
)

// Regions is a consumer that keeps a table the same in several regions while
// applications write to it in each of them. It runs once a region, with two
// pollers. What it writes to the table are changes too, which it gets again:
// unlike with Suite, the stream isn't known beforehand.
type Regions struct {
	Name  string   // of the consumer
	Names []string // the regions'
	// Writers is in how many of them, the first ones, applications write; 0: in all.
	Writers int
	// Table is the table's name, the same in each region.
	Table string
	// Items is how many items applications write again and again; 2 if it is 0.
	Items int
	// Key returns the keys of the n-th item.
	Key func(n int) consumertest.Item
	// Attributes draws what an application writes beside the keys. The kit adds a
	// number attribute, WriteAttribute, that is another one in each write.
	Attributes func(*rapid.T) consumertest.Item
	// Amend adds to a write what the applications themselves keep, such as a
	// version; nil: nothing. before is the item as it is, nil if there is none.
	Amend func(item, before consumertest.Item)
	// Own are the attributes that the consumer adds to items. They are left out
	// when items are compared.
	Own []string

	// Database is as in Suite. It must keep the tables of each region apart, as
	// DynamoDB Local does.
	Database func(testing.TB) aws.Config
	// Setup makes the table and whatever else the consumer needs, empty, in the
	// region of the config. It is called for each region before each schedule.
	Setup func(context.Context, aws.Config) error
	// New starts an instance in the region of the config, as in Suite.
	New func(aws.Config) (consumer.Consumer, error)
	// Judge says what is wrong beside the items, such as with what the consumer
	// notes of lost writes; nil: nothing. It is called when all regions agree.
	Judge func(context.Context, *Outcome) ([]Problem, error)

	// Schedules and Seed are as in Suite.
	Schedules, Seed int
}

// WriteAttribute is the attribute that tells the writes of applications apart.
const WriteAttribute = "Write"

// RunRegions runs schedules and fails the test with the shortest one that the
// consumer gets wrong. A schedule decides
//
//   - what applications write: whole items, some attributes, removes, expiries, in
//     any region, to few items;
//   - which changes of which region are delivered next, to which of two pollers:
//     the oldest, later ones first, turned round, or delivered ones once more, with
//     records in between that are no change;
//   - which call goes next and what happens to it, as in Run;
//   - how far the regions' clocks are apart.
//
// After that, everything is delivered until the consumer writes nothing more. Then
// all regions must hold the same items, each as one of the applications' writes
// left it, no record may be lost, and delivering all changes once more must change
// nothing.
func RunRegions(t *testing.T, s Regions) {
	t.Helper()
	s.search(nil).run(t)
}

// FindRegions is RunRegions for a consumer that is meant to be wrong, as Find is
// for Run.
func FindRegions(t *testing.T, s Regions, kinds ...Kind) (*Failure, int) {
	t.Helper()
	return s.search(kinds).findExpected(t)
}

func (s *Regions) search(kinds []Kind) *search[script] {
	return &search[script]{
		name: s.Name, database: s.Database, schedules: s.Schedules, seed: s.Seed,
		generator: s.scripts(), play: s.play, kinds: kinds,
	}
}

// script is everything that is decided about one run in several regions.
type script struct {
	skews     []time.Duration // of each region's clock
	acts      []act
	takeTurns bool // what is left after the acts goes in turns
}

// act is one thing that happens next. What doesn't apply is passed over.
type act struct {
	kind   actKind
	region int

	// An application's write.
	item       int
	attributes consumertest.Item
	// A delivery of changes to one of the region's pollers.
	poller       int
	start, count int
	poison       int // a record that is no change comes with it, of this form; -1: none
	// The next call.
	decision decision
}

type actKind uint8

const (
	nextCall     actKind = iota // a call goes on
	putWhole                    // an application puts an item
	update                      // it changes attributes of one that is there
	removeItem                  // it removes one
	expireItem                  // one's time to live ends
	deliverNext                 // changes that wait are delivered, the oldest first
	deliverLast                 // the newest first
	deliverLate                 // some that aren't the oldest
	deliverAgain                // some that were delivered already
)

func (k actKind) writes() bool { return k >= putWhole && k <= expireItem }

// A schedule has more of the kinds that come more often here.
var actKinds = []actKind{
	nextCall, nextCall, nextCall, nextCall, nextCall, nextCall, nextCall, nextCall, nextCall, nextCall, nextCall, nextCall,
	putWhole, putWhole, update, update, removeItem, expireItem,
	deliverNext, deliverNext, deliverNext, deliverNext, deliverLast, deliverLate, deliverAgain,
}

// Between two acts pass tick. A region's clock may be so far ahead that a copy of
// its write meets an older clock, but not that it does so twice over: to write,
// copy, and write again twice takes longer.
const tick = 20 * time.Microsecond

var skews = []time.Duration{0, 0, 10 * time.Microsecond, 30 * time.Microsecond, 70 * time.Microsecond}

// maxWrites is how many writes of applications a schedule has at most.
const maxWrites = 14

func (s *Regions) scripts() *rapid.Generator[script] {
	return rapid.Custom(func(t *rapid.T) script {
		drawn := script{}
		for range s.Names {
			drawn.skews = append(drawn.skews, rapid.SampledFrom(skews).Draw(t, "skew"))
		}
		items := rapid.IntRange(1, cmp.Or(s.Items, 2)).Draw(t, "items")
		// Many, or most schedules would be over before regions meet. What shrinks
		// becomes a next call, of which there is none then.
		drawn.acts = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) act { return s.drawAct(t, items) }), 60, 160).Draw(t, "acts")
		drawn.takeTurns = rapid.Bool().Draw(t, "take turns")
		return drawn
	})
}

func (s *Regions) drawAct(t *rapid.T, items int) act {
	a := act{kind: rapid.SampledFrom(actKinds).Draw(t, "act"), poison: -1}
	if a.kind == nextCall {
		a.decision = drawDecision(t)
		return a
	}
	a.region = rapid.IntRange(0, len(s.Names)-1).Draw(t, "region")
	if s.Writers > 0 && a.kind.writes() {
		a.region %= s.Writers
	}
	switch a.kind {
	case putWhole, update:
		a.attributes = s.Attributes(t)
		fallthrough
	case removeItem, expireItem:
		a.item = rapid.IntRange(0, items-1).Draw(t, "item")
	case deliverNext, deliverLast, deliverLate, deliverAgain:
		a.poller = rapid.IntRange(0, lanes-1).Draw(t, "poller")
		a.start = rapid.IntRange(0, 5).Draw(t, "start")
		a.count = rapid.IntRange(1, 5).Draw(t, "count")
		if rapid.IntRange(0, 19).Draw(t, "poison") == 19 {
			a.poison = rapid.IntRange(0, len(poisonForms)-1).Draw(t, "form")
		}
	}
	return a
}
