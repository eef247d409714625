package ops

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/shopspring/decimal"

	"sluice/consumers/badges/rule"
	"sluice/shared/change"
	"sluice/shared/declaration"
)

// Case is plays with the badges that they ought to earn.
type Case struct {
	Name string
	At   declaration.Position
	// Want are the keys of awards, by player.
	Want  map[string][]string
	plays []*change.Change
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

// OpenCases begins to read a file of cases: which rules it is for. Path is for the errors.
func OpenCases(path string, text []byte) (*Cases, error) {
	r := declaration.NewReader(path, nil)
	root, ok := r.Parse(text)
	if !ok {
		return nil, r.Err()
	}
	f := r.Fields(root, "the file", "rules", "cases")
	c := &Cases{list: f["cases"], reader: r}
	if f["rules"].Kind != declaration.Absent {
		c.Rules = r.Text(f["rules"], "rules")
	}
	if c.list.Kind != declaration.List || len(c.list.Items) == 0 {
		r.Fault(c.list.At, "cases must be a list of cases")
	}
	return c, r.Err()
}

// Of reads the cases for the rules. The error has every fault with its line and column,
// as rule.Parse's: also each play that the consumer couldn't use.
func (c *Cases) Of(book *rule.Book) ([]Case, error) {
	var cases []Case
	for _, n := range c.list.Items {
		f := c.reader.Fields(n, "case", "name", "plays", "badges")
		one := Case{Name: c.reader.Text(f["name"], "name"), At: n.At, Want: map[string][]string{}}
		players := map[string]bool{}
		if f["plays"].Kind != declaration.List {
			c.reader.Fault(f["plays"].At, "plays must be a list of plays, like {%s: \"2024-01-01 10:00:00\"}", book.Plays.At)
		}
		for _, play := range f["plays"].Items {
			for _, item := range c.plays(book, play) {
				made, err := usable(book, item)
				if err != nil {
					c.reader.Fault(play.At, "the consumer can't use this play: %v", err)
					break
				}
				players[change.TextOf(item[book.Plays.Player])] = true
				one.plays = append(one.plays, made)
			}
		}
		if err := awardFaults(book, one.plays); err != nil {
			c.reader.Fault(one.At, "%v", err)
		}
		c.want(&one, f["badges"], book, players)
		cases = append(cases, one)
	}
	return cases, c.reader.Err()
}

// usable returns the change that makes an item, or why the consumer would keep it as a dead letter.
func usable(book *rule.Book, item map[string]types.AttributeValue) (*change.Change, error) {
	if err := keyFaults(book, item); err != nil {
		return nil, err
	}
	made, err := change.FromItem(book.Plays.Table, []string{book.Plays.Player, book.Plays.At}, item, anyTime)
	if err == nil {
		err = book.Fold(made, rule.States{})
	}
	if err == nil {
		err = stateFaults(book, made)
	}
	return made, err
}

// plays reads one item of the table, or one a day: {days: 10, from: 2024-01-01, …}.
func (c *Cases) plays(book *rule.Book, n declaration.Node) []map[string]types.AttributeValue {
	item := map[string]types.AttributeValue{book.Plays.Player: text(somebody)}
	var days, from declaration.Node
	for _, p := range c.reader.Pairs(n, "play") {
		switch value := p.Value; {
		case p.Key == "days":
			days = value
		case p.Key == "from":
			from = value
		case value.Kind == declaration.Absent: // null
			item[p.Key] = &types.AttributeValueMemberNULL{Value: true}
		case value.Kind != declaration.Scalar:
			c.reader.Fault(value.At, "%s must be a text, a number, true or false, not %v", p.Key, value.Kind)
		case !value.Plain:
			item[p.Key] = text(value.Text)
		case value.Text == "true" || value.Text == "false":
			item[p.Key] = &types.AttributeValueMemberBOOL{Value: value.Text == "true"}
		default:
			number, err := decimal.NewFromString(value.Text)
			if err != nil {
				c.reader.Fault(value.At, "%s: %.60s is no number; a text stands in quotes", p.Key, value.Text)
			} else if !holds(number) {
				c.reader.Fault(value.At, "%s: DynamoDB holds no such number as %.60s: at most 38 digits, between 1E-130 and 9.9E+125", p.Key, value.Text)
				number = decimal.Zero
			}
			item[p.Key] = &types.AttributeValueMemberN{Value: number.String()} // as the table has it
		}
	}
	if days.Kind == declaration.Absent && from.Kind == declaration.Absent {
		return []map[string]types.AttributeValue{item}
	}
	const most = 10_000
	count, err := strconv.Atoi(c.reader.Text(days, "days"))
	if err != nil || count < 1 || count > most {
		c.reader.Fault(n.At, "days must be from 1 to %d, not %q", most, days.Text)
		return nil
	}
	first, err := time.Parse(time.DateOnly, c.reader.Text(from, "from"))
	if err != nil {
		c.reader.Fault(n.At, "from must be a date like 2024-01-01, not %q", from.Text)
		return nil
	}
	if item[book.Plays.At] != nil {
		c.reader.Fault(n.At, "a play a day has its %s from days and from", book.Plays.At)
	}
	var items []map[string]types.AttributeValue
	for day := range count {
		one := maps.Clone(item)
		one[book.Plays.At] = text(first.AddDate(0, 0, day).Format(time.DateOnly) + " 12:00:00")
		items = append(items, one)
	}
	return items
}

// want reads the awards: a list, or lists by player if several play.
func (c *Cases) want(one *Case, n declaration.Node, book *rule.Book, players map[string]bool) {
	list := func(player string, n declaration.Node) {
		if n.Kind != declaration.List {
			c.reader.Fault(n.At, "badges must be a list of awards' keys, like [first-play, regular#bronze]; [] for none")
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
			c.reader.Fault(n.At, "several play here: give each one's badges, like {ann: [first-play], bob: []}")
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
	states := rule.States{}
	for player := range c.Want {
		states[player] = rule.State{}
	}
	for _, play := range c.plays {
		_ = book.Fold(play, states) // Of has told every fault
	}
	var mistakes []Mistake
	for _, player := range slices.Sorted(maps.Keys(states)) {
		o := Mistake{Player: player}
		got := map[string]bool{}
		for _, a := range book.AllEarned(states[player], "", nil) {
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
