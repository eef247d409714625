package ops

import (
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/consumers/badges/rule"
	"sluice/shared/change"
	"sluice/shared/declaration"
)

// Case is plays, and changes of items, with the badges that they ought to earn.
type Case struct {
	Name string
	At   declaration.Position
	// Want are the keys of awards, by player.
	Want  map[string][]string
	plays []*change.Change
	items []*change.Change // that come after the plays, in this order
}

// Cases are those that a file declares.
type Cases struct {
	Rules  string // path of the rules' file, as stated; empty: the shipped ones
	list   declaration.Node
	reader *declaration.Reader
}

// anyTime is that of the changes of a case: it is only for remembering them.
var anyTime = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

// somebody plays in a case if a play doesn't say who does.
const somebody = "player"

// OpenCases begins to read a file of cases: which rules it is for. In the file, ${NAME} stands for a variable's value. Path is for
// the errors.
func OpenCases(path string, text []byte, variables map[string]string) (*Cases, error) {
	r := declaration.NewReader(path, variables)
	root, ok := r.Parse(text)
	if !ok {
		return nil, r.Err()
	}
	f := r.Fields(root, "the file", "rules", "cases")
	c := &Cases{list: f["cases"], reader: r}
	if f["rules"].Kind != declaration.Absent {
		c.Rules = r.Text(f["rules"], "rules")
	}
	if c.list.Kind != declaration.List {
		r.Fault(c.list.At, "cases must be a list of cases")
	}
	return c, r.Err()
}

// Of reads the cases for the rules. The error has every fault with its line and column,
// as rule.Parse's: also each play and item that the consumer couldn't use.
func (c *Cases) Of(book *rule.Book) ([]Case, error) {
	var cases []Case
	for _, n := range c.list.Items {
		f := c.reader.Fields(n, "case", "name", "plays", "items", "badges")
		one := Case{Name: c.reader.Text(f["name"], "name"), At: n.At, Want: map[string][]string{}}
		players := map[string]bool{}
		if f["plays"].Kind != declaration.Absent || f["items"].Kind == declaration.Absent {
			c.readPlays(&one, f["plays"], book, players)
		}
		c.readItems(&one, f["items"], book, players)
		if err := awardFaults(book, one); err != nil {
			c.reader.Fault(one.At, "%v", err)
		}
		c.want(&one, f["badges"], book, players)
		cases = append(cases, one)
	}
	return cases, c.reader.Err()
}

// want reads the awards: a list, or lists by player if several play.
func (c *Cases) want(one *Case, n declaration.Node, book *rule.Book, players map[string]bool) {
	list := func(player string, n declaration.Node) {
		if n.Kind != declaration.List {
			c.reader.Fault(n.At, "badges must be a list of awards' keys, like [newcomer, veteran#gold]; [] for none")
			return
		}
		one.Want[player] = []string{}
		for _, item := range n.Items {
			key := c.reader.Text(item, "badges")
			if badge := rule.BadgeOf(key); book.Rule(badge) == nil {
				c.reader.Fault(item.At, "there is no badge %q", badge)
			}
			one.Want[player] = append(one.Want[player], key)
		}
	}
	if n.Kind != declaration.Object {
		player := somebody
		if len(players) > 1 {
			c.reader.Fault(n.At, "several play here: give each one's badges, like {ann: [newcomer], bob: []}")
		}
		for name := range players {
			player = name
		}
		list(player, n)
		return
	}
	for _, p := range n.Pairs {
		list(p.Key, p.Value)
	}
}

// Mistake is how a player's badges in a case differ from what they ought to be.
type Mistake struct {
	Player  string
	Missing []string // keys of awards
	Extra   []string
}

// Run plays a case and returns what differs, by player.
func (c Case) Run(book *rule.Book) []Mistake {
	earned := c.earned(book)
	players := maps.Clone(c.Want)
	for player := range earned {
		players[player] = c.Want[player]
	}
	var mistakes []Mistake
	for _, player := range slices.Sorted(maps.Keys(players)) {
		o := Mistake{Player: player}
		got := map[string]bool{}
		for _, a := range earned[player] {
			got[a.Key()] = true
			if !slices.Contains(c.Want[player], a.Key()) {
				o.Extra = append(o.Extra, a.Key())
			}
		}
		for _, key := range c.Want[player] {
			if !got[key] {
				o.Missing = append(o.Missing, key)
			}
		}
		if len(o.Missing)+len(o.Extra) > 0 {
			mistakes = append(mistakes, o)
		}
	}
	return mistakes
}

// earned returns what each player has after the case: what the plays earn, and then each change of an item, as it comes.
func (c Case) earned(book *rule.Book) map[string][]rule.Award {
	states, have := rule.States{}, map[string][]rule.Award{}
	take := func(changes ...*change.Change) {
		for _, one := range changes {
			_ = book.Fold(one, states) // Of has told every fault
			for _, r := range book.Rules {
				if player, award, _ := r.OfItemChange(one); player != "" && !rule.Has(have[player], award) {
					have[player] = append(have[player], award)
				}
			}
		}
		for player, state := range states {
			have[player] = settled(book, state, have[player])
		}
		for player, awards := range have { // also of players with items alone
			have[player] = settled(book, states[player], awards)
		}
	}
	take(c.plays...)
	for _, item := range c.items {
		take(item)
	}
	return have
}

// settled returns what a player has, of some awards and what a state earns: an award stays, unless its rule revokes it.
func settled(book *rule.Book, state rule.State, have []rule.Award) []rule.Award {
	have = slices.DeleteFunc(have, func(a rule.Award) bool {
		r := book.Rule(a.Badge)
		return r.Revoke && !rule.Has(r.Earned(state, ""), a)
	})
	for _, a := range book.AllEarned(state, "", have) {
		if !rule.Has(have, a) {
			have = append(have, a)
		}
	}
	return have
}
