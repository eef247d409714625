package ops

import (
	"maps"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/consumers/badges/rule"
	"sluice/shared/change"
	"sluice/shared/declaration"
)

// readPlays reads the plays of a case: a list, or lists by the block of plays, and notes who plays.
func (c *Cases) readPlays(one *Case, n declaration.Node, book *rule.Book, players map[string]bool) {
	if len(book.Plays) == 0 {
		if len(n.Items)+len(n.Pairs) > 0 {
			c.reader.Fault(n.At, "the rules look at no plays, so a case has none: give it items")
		}
		return
	}
	if n.Kind != declaration.Object && len(book.Plays) == 1 {
		c.readPlaysOf(one, n, book, book.Plays[0], players)
		return
	}
	if n.Kind != declaration.Object {
		c.reader.Fault(n.At, "plays must be lists by what they are, like {%s: [{%s: \"2024-01-01 10:00:00\"}]}", book.Plays[0].Name, book.Plays[0].At)
		return
	}
	var names []string
	for _, block := range book.Plays {
		names = append(names, block.Name)
	}
	f := c.reader.Fields(n, "plays", names...)
	for _, block := range book.Plays {
		if f[block.Name].Kind != declaration.Absent {
			c.readPlaysOf(one, f[block.Name], book, block, players)
		}
	}
}

func (c *Cases) readPlaysOf(one *Case, n declaration.Node, book *rule.Book, block *rule.Plays, players map[string]bool) {
	if n.Kind != declaration.List {
		c.reader.Fault(n.At, "plays must be a list of plays, like {%s: \"2024-01-01 10:00:00\"}", block.At)
	}
	for _, play := range n.Items {
		for _, item := range c.plays(block, play) {
			made, err := usable(book, block, item)
			if err != nil {
				c.reader.Fault(play.At, "the consumer can't use this play: %v", err)
				break
			}
			players[change.TextOf(item[block.Player])] = true
			one.plays = append(one.plays, made)
		}
	}
}

// usable returns the change that makes a play, or why the consumer would keep it as a dead letter.
func usable(book *rule.Book, block *rule.Plays, item map[string]types.AttributeValue) (*change.Change, error) {
	if err := keyFaults(block, item); err != nil {
		return nil, err
	}
	made, err := change.FromItem(block.Table, []string{block.Player, block.At}, item, anyTime)
	if err == nil {
		err = changeFaults(book, made)
	}
	return made, err
}

// plays reads one item of the table, or one a day: {days: 10, from: 2024-01-01, …}.
func (c *Cases) plays(block *rule.Plays, n declaration.Node) []map[string]types.AttributeValue {
	item := map[string]types.AttributeValue{block.Player: text(somebody)}
	var days, from declaration.Node
	for _, p := range c.reader.Pairs(n, "play") {
		switch p.Key {
		case "days":
			days = p.Value
		case "from":
			from = p.Value
		default:
			item[p.Key] = c.value(p.Value, p.Key)
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
	if item[block.At] != nil {
		c.reader.Fault(n.At, "a play a day has its %s from days and from", block.At)
	}
	var items []map[string]types.AttributeValue
	for day := range count {
		one := maps.Clone(item)
		one[block.At] = text(first.AddDate(0, 0, day).Format(time.DateOnly) + " 12:00:00")
		items = append(items, one)
	}
	return items
}
