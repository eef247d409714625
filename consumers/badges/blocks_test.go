package badges

import (
	"maps"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/simulator"
)

// TestSimulatorTwoTables is TestSimulator for plays of two tables, with rules of each kind for both. The same players are in both, and
// some badges need badges of both. The tables name player and time by other attributes, and their days begin at other times.
func TestSimulatorTwoTables(t *testing.T) {
	s := simulationOfTwo(t, false)
	s.Schedules = 100
	simulator.Run(t, s)
}

// TestSimulatorTwoTablesCorrections is TestSimulatorCorrections for plays of two tables.
func TestSimulatorTwoTablesCorrections(t *testing.T) {
	s := simulationOfTwo(t, true)
	s.Schedules = 100
	simulator.Run(t, s)
}

// twoTables are plays of group 0, and orders of group 1.
var twoTables = simulator.Workload{
	Groups:  plays.Groups,
	TableOf: func(group int) string { return []string{"Plays", "Orders"}[group] },
	Key:     plays.Key,
	Attributes: func(t *rapid.T, group int) consumertest.Item {
		item := plays.Attributes(t, group)
		if group == 1 {
			item["Buyer"], item["PlacedAt"] = item["Player"], item["At"]
			delete(item, "Player")
			delete(item, "At")
		}
		return item
	},
	Burst: plays.Burst,
}

// twoBlocks are the blocks of plays, with badges that need those of both.
const twoBlocks = `
plays:
  - {name: plays, table: Plays, player: Player, at: At, zone: UTC, earliest: 2000-01-01, subtractExpired: true}
  - {name: orders, table: Orders, player: Buyer, at: PlacedAt, zone: Asia/Tokyo, earliest: 2000-01-01, subtractExpired: true}
badges:
`

const rulesOfBoth = `
  - {name: nines, title: {en: t}, text: {en: x}, all: [nine, o-nine]}
  - {name: everything, title: {en: t}, text: {en: x}, all: [nines, o-both, count#many]}
`

// rulesOfTwo are the simulated rules for plays, and once more for orders, whose badges' names begin with o-.
func rulesOfTwo(revoke bool) string {
	rules := simulatedRules(revoke)
	of := func(block, name string) string {
		var out strings.Builder
		for line := range strings.Lines(rules) {
			from := "from: " + block + ", "
			if strings.Contains(line, "all: [") || strings.Contains(line, "item: {") {
				from = ""
			}
			if block == "orders" {
				line = strings.NewReplacer("all: [", "all: [o-", ", count#few]", ", o-count#few]", ", streak]", ", o-streak]", "table: Plays", "table: Orders", "player: Player", "player: Buyer", "{Player}", "{Buyer}").Replace(line)
			}
			out.WriteString(strings.Replace(line, "{name: ", "{"+from+"name: "+name, 1))
		}
		return out.String()
	}
	both := rulesOfBoth
	if revoke {
		both = ""
	}
	return twoBlocks + of("plays", "") + of("orders", "o-") + both
}

// tokyo is how far Tokyo's clocks are ahead of UTC.
const tokyo = 9 * time.Hour

func simulationOfTwo(t *testing.T, revoke bool, only ...string) simulator.Suite {
	want := wantSteady
	if revoke {
		want = wantCorrected
	}
	return simulationOf(t, twoTables, onlyRules(rulesOfTwo(revoke), only), func(changes []consumertest.Change) map[string]string {
		byTable := map[string][]consumertest.Change{}
		for _, c := range changes {
			c.New = asPlay(c.New)
			byTable[c.Table] = append(byTable[c.Table], c)
		}
		all := want(byTable["Plays"])
		for award, told := range want(byTable["Orders"]) {
			player := strings.LastIndexByte(award, ' ') + 1
			all[award[:player]+"o-"+award[player:]] = told
		}
		for award := range maps.Clone(all) {
			if player, is := strings.CutSuffix(award, " o-nine"); is && !revoke && all[player+" nine"] != "" {
				all[player+" nines"] = "told"
				if all[player+" o-both"] != "" && all[player+" count#many"] != "" {
					all[player+" everything"] = "told"
				}
			}
		}
		return ofRules(all, only)
	})
}

// asPlay is an order as the play that it would be, at the time that it is in Tokyo.
func asPlay(item consumertest.Item) consumertest.Item {
	if item["PlacedAt"] == nil {
		return item
	}
	at, err := time.Parse(time.RFC3339, item["PlacedAt"].Text())
	if err != nil {
		panic(err) // the workload makes them
	}
	item = maps.Clone(item)
	item["Player"], item["At"] = item["Buyer"], consumertest.S(at.Add(tokyo).Format(time.RFC3339))
	return item
}

// TestEveryCrashTwoTables dies at every call of a history in which a play and an order of one player earn a badge together, and which
// two pollers deliver at once.
func TestEveryCrashTwoTables(t *testing.T) {
	s := simulationOfTwo(t, false, "nine", "o-nine", "nines")
	s.Horizon = 0
	var changes []consumertest.Change
	for group, attributes := range []consumertest.Item{
		{"Player": consumertest.S("reed"), "At": consumertest.S(atDay(1))}, {"Buyer": consumertest.S("reed"), "PlacedAt": consumertest.S(atDay(2))},
	} {
		attributes["Score"] = consumertest.N("9")
		changes = append(changes, consumertest.History(twoTables.TableOf(group), twoTables.Key(group, steady), nil, attributes)...)
		changes[group].Time = consumertest.Arrival.Add(time.Duration(group-100) * time.Second)
	}
	simulator.EveryCrash(t, s, changes[:1], changes[1:], changes)
}

// order is an order by somebody at a time.
func (w *world) order(buyer, at string) consumertest.Change {
	c := w.play(buyer, "")
	c.Table, c.New["Buyer"], c.New["PlacedAt"] = "Orders", c.New["Player"], consumertest.S(at)
	delete(c.New, "Player")
	return c
}

const blockRules = `
plays:
  - {name: plays, table: Plays, player: Player, at: At, zone: UTC, earliest: 2000-01-01, subtractExpired: true}
  - {name: orders, table: Orders, player: Buyer, at: PlacedAt, zone: UTC, earliest: 2020-01-01}
badges:
  - {name: streak, from: plays, title: {en: t}, text: {en: x}, streak: {days: 2}}
  - {name: o-streak, from: orders, title: {en: t}, text: {en: x}, streak: {days: 2}}
  - {name: games, from: plays, revoke: true, title: {en: t}, text: {en: x}, distinct: {of: Game, values: 1}}
  - {name: two, from: plays, revoke: true, title: {en: t}, text: {en: x}, count: {plays: 2}}
  - {name: o-two, from: orders, revoke: true, title: {en: t}, text: {en: x}, count: {plays: 2}}
`

// TestBlocksForThemselves has one player with plays and orders. A day that has come is looked at for each block, though the same function
// has looked at the other's; what is believed, what expires and whose time an award has is as its own block says.
func TestBlocksForThemselves(t *testing.T) {
	w := newWorld(t)
	w.rules = blockRules
	b := w.function(nil)
	tomorrow := consumertest.Arrival.Add(48 * time.Hour)
	for d := range 2 {
		at := tomorrow.AddDate(0, 0, d).Format(time.RFC3339)
		w.apply(b, consumer.Applied, w.play("maggy", at), w.order("maggy", at))
	}
	w.wants("maggy", "o-two+", "two+")
	b.Now = func() time.Time { return tomorrow.AddDate(0, 0, 1) }
	last := tomorrow.AddDate(0, 0, 1).Format(time.RFC3339)
	w.apply(b, consumer.Applied, w.play("maggy", last))
	w.wants("maggy", "o-two+", "streak+", "two+")
	w.apply(b, consumer.Applied, w.order("maggy", last))
	w.wants("maggy", "o-streak+", "o-two+", "streak+", "two+")

	w.apply(b, consumer.Applied, w.play("reed", "2010-01-01"))
	w.apply(b, consumer.Rejected, w.order("reed", "2010-01-01"))

	expired := func(of consumertest.Change) consumertest.Change {
		c := w.removal(of)
		c.TTL = true
		return c
	}
	plays, orders := []consumertest.Change{w.play("ann", "2025-01-01"), w.play("ann", "2025-02-01")}, []consumertest.Change{w.order("ann", "2025-03-01"), w.order("ann", "2025-04-01")}
	w.apply(b, consumer.Applied, append(plays, orders...)...)
	for award, want := range map[string]string{"two": "2025-02-01T00:00:00Z", "o-two": "2025-04-01T00:00:00Z"} {
		if a, err := b.giver.Store.Get(t.Context(), "ann", award); err != nil || a == nil || a.EarnedAt != want {
			t.Errorf("%s: %+v, %v; want it earned %s", award, a, err, want)
		}
	}
	w.apply(b, consumer.Applied, expired(plays[0]))
	w.apply(b, consumer.Skip, expired(orders[0]))
	w.wants("ann", "o-two+", "(two)+")
}
