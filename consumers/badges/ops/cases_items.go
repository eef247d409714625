package ops

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/shopspring/decimal"

	"sluice/consumers/badges/rule"
	"sluice/shared/change"
	"sluice/shared/declaration"
)

// readItems reads the changes of items of a case, and notes whom they earn awards.
func (c *Cases) readItems(one *Case, n declaration.Node, book *rule.Book, players map[string]bool) {
	if n.Kind != declaration.List && n.Kind != declaration.Absent {
		c.reader.Fault(n.At, "items must be a list of changes, like {table: Pets, before: {name: Rex}, after: {name: Max}}")
	}
	for _, item := range n.Items {
		made, err := c.item(item, book)
		if err == nil && made != nil {
			err = changeFaults(book, made)
		}
		if err != nil {
			c.reader.Fault(item.At, "the consumer can't use this item: %v", err)
		} else if made != nil {
			for _, r := range book.Rules {
				if player, _, _ := r.OfItemChange(made); player != "" {
					players[player] = true
				}
			}
			one.items = append(one.items, made)
		}
	}
}

// item reads one change: {table: …, before: …, after: …}. Without before the item is inserted, without after it is removed. The change
// is nil if the reader has a fault.
func (c *Cases) item(n declaration.Node, book *rule.Book) (*change.Change, error) {
	f := c.reader.Fields(n, "item", "table", "before", "after")
	table, before, after := c.reader.Text(f["table"], "item: table"), c.image(f["before"], "before"), c.image(f["after"], "after")
	var known []string
	for _, r := range book.Rules {
		if r.Kind == rule.Item {
			known = append(known, r.Source.Table)
		}
	}
	object := func(n declaration.Node) bool { return n.Kind == declaration.Object || n.Kind == declaration.Absent }
	switch {
	case table == "" || !object(f["before"]) || !object(f["after"]): // which is a fault already
		return nil, nil
	case !slices.Contains(known, table):
		slices.Sort(known)
		c.reader.Fault(f["table"].At, "no rule is about items of %s; tables with such rules: %s", table, strings.Join(slices.Compact(known), ", "))
		return nil, nil
	case before == nil && after == nil:
		c.reader.Fault(n.At, "item: it needs before, after or both: what the item has before the change and after it")
		return nil, nil
	}
	return changeOf(table, before, after)
}

// image reads the attributes of an item; nil if it isn't there.
func (c *Cases) image(n declaration.Node, what string) map[string]types.AttributeValue {
	if n.Kind == declaration.Absent {
		return nil
	}
	item := map[string]types.AttributeValue{}
	for _, p := range c.reader.Pairs(n, what) {
		item[p.Key] = c.value(p.Value, what+": "+p.Key)
	}
	return item
}

// value reads the value of an attribute. A number is as the table has it.
func (c *Cases) value(n declaration.Node, what string) types.AttributeValue {
	switch {
	case n.Kind == declaration.Absent: // null
		return &types.AttributeValueMemberNULL{Value: true}
	case n.Kind == declaration.Object:
		return &types.AttributeValueMemberM{Value: c.image(n, what)}
	case n.Kind == declaration.List:
		list := &types.AttributeValueMemberL{}
		for _, member := range n.Items {
			list.Value = append(list.Value, c.value(member, what))
		}
		return list
	case !n.Plain:
		return text(n.Text)
	case n.Text == "true" || n.Text == "false":
		return &types.AttributeValueMemberBOOL{Value: n.Text == "true"}
	}
	number, err := decimal.NewFromString(n.Text)
	if err != nil {
		c.reader.Fault(n.At, "%s: %.60s is no number; a text stands in quotes", what, n.Text)
	} else if !holds(number) {
		c.reader.Fault(n.At, "%s: DynamoDB holds no such number as %.60s: at most 38 digits, between 1E-130 and 9.9E+125", what, n.Text)
		number = decimal.Zero
	}
	return &types.AttributeValueMemberN{Value: number.String()}
}

// changeOf returns the change from one image of an item to the other, one of which may be nil. A case doesn't say which attributes are
// the key; any that stays the same will do, since rules look for attributes in the whole item.
func changeOf(table string, before, after map[string]types.AttributeValue) (*change.Change, error) {
	some := after
	if some == nil {
		some = before
	}
	for _, key := range slices.Sorted(maps.Keys(some)) {
		value := some[key]
		if t, held := declaration.TypedOf(value); t != change.S && t != change.N || held == "" || before != nil && !change.Equal(before[key], value) {
			continue
		}
		made, err := change.FromItem(table, []string{key}, some, anyTime)
		switch {
		case err != nil || before == nil:
			return made, err
		case after == nil:
			made.Kind, made.Old, made.New = change.Remove, made.New, change.Image{}
			return made, nil
		}
		old, err := change.FromItem(table, []string{key}, before, anyTime)
		if err == nil {
			made.Kind, made.Old = change.Modify, old.New
		}
		return made, err
	}
	return nil, errors.New("no text and no number is the same in before and after, but an item's key never changes")
}
