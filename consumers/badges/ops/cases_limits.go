package ops

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/shopspring/decimal"

	"sluice/consumers/badges/rule"
	"sluice/shared/change"
)

// DynamoDB's limits of a key's attributes in bytes, by which the consumer's changes become dead letters:
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
const (
	maxPartitionKey = 2048
	maxSortKey      = 1024
)

// holds reports whether DynamoDB holds a number.
func holds(n decimal.Decimal) bool {
	return change.IsNumber(fmt.Sprintf("%vE%d", n.Coefficient(), n.Exponent()))
}

// keyFaults returns why a table of plays can't have an item.
func keyFaults(block *rule.Plays, item map[string]types.AttributeValue) error {
	var faults []error
	for _, key := range []struct {
		name string
		most int
	}{{block.Player, maxPartitionKey}, {block.At, maxSortKey}} {
		switch v := item[key.name].(type) {
		case nil:
			faults = append(faults, fmt.Errorf("it has no %s, which each play needs", key.name))
		case *types.AttributeValueMemberNULL, *types.AttributeValueMemberBOOL:
			faults = append(faults, fmt.Errorf("%s must be a text, as each play has", key.name))
		case *types.AttributeValueMemberS:
			faults = append(faults, keyFault(key.name, v.Value, key.most))
		}
	}
	return errors.Join(faults...)
}

// keyFault returns why a text can't be a key's attribute.
func keyFault(name, text string, most int) error {
	switch {
	case text == "":
		return fmt.Errorf("%s is empty, which no key may be", name)
	case len(text) > most:
		return fmt.Errorf("%s %.40q… has %d bytes, and DynamoDB takes at most %d there", name, text, len(text), most)
	}
	return nil
}

// changeFaults returns why the consumer would keep a change as a dead letter.
func changeFaults(book *rule.Book, c *change.Change) error {
	err := book.Fold(c, rule.States{})
	if err == nil {
		err = stateFaults(book, c)
	}
	if err == nil {
		err = itemFaults(book, c)
	}
	return err
}

// itemFaults returns why an award of a change's item can't be made or told.
func itemFaults(book *rule.Book, c *change.Change) error {
	var faults []error
	for _, r := range book.Rules {
		player, award, err := r.OfItemChange(c)
		if player != "" && err == nil {
			err = keyFault("player", player, maxPartitionKey)
		}
		for _, text := range r.Text {
			if player != "" && err == nil && !r.Quiet {
				_, err = rule.Fill(text, award, c)
			}
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("badge %s: %w", r.Name, err))
		}
	}
	return errors.Join(faults...)
}

// stateFaults returns why the state that a play changes can't be stored.
func stateFaults(book *rule.Book, play *change.Change) error {
	for _, v := range book.Views {
		parts, _ := v.Contributions(play, 0) // Fold says what a view can't use
		for _, part := range parts {
			if err := errors.Join(keyFault("player", change.TextOf(part.Target.Key[rule.AttrPlayer]), maxPartitionKey), keyFault("the state", change.TextOf(part.Target.Key[rule.AttrOf]), maxSortKey)); err != nil {
				return fmt.Errorf("view %s: %w", v.Name, err)
			}
		}
	}
	return nil
}

// awardFaults returns which awards of a case the consumer can't keep: the changes that earn them become dead letters.
func awardFaults(book *rule.Book, one Case) error {
	var faults []error
	earned := one.earned(book)
	for _, player := range slices.Sorted(maps.Keys(earned)) {
		for _, award := range earned[player] {
			if err := keyFault("award", award.Key(), maxSortKey); err != nil {
				faults = append(faults, fmt.Errorf("the consumer can't keep what %.40q earns: %w", player, err))
			}
		}
	}
	return errors.Join(faults...)
}
