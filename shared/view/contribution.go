package view

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/shopspring/decimal"

	"sluice/shared/aggregate"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/declaration"
)

// Contribution is what a change does to one item of a view.
type Contribution struct {
	Target aggregate.Target
	Amount aggregate.Amount
}

// ErrNoOldImage is returned for a removal that lacks its old image, of a table that is viewed.
var ErrNoOldImage = errors.New("the removal lacks its old image")

// Contributions returns what a change does to the view: what its new image adds
// and its old image takes away, in one item of the view, or in two if the change
// moves the source's item from one to another. Whoever applies only one of two
// applies the change again: the other is a duplicate then.
//
// The error is consumer.Skip if the change does nothing, or a rejection if its new
// image isn't as the view needs it. Such an image counts for nothing, so what a
// rejected change returns beside the error is to be applied all the same: that the
// old image counts no more. An old image that isn't as needed has never counted.
// It all depends on the change alone. horizon is how long changes are remembered, for
// the time to live of boxes.
func (v *View) Contributions(c *change.Change, horizon time.Duration) ([]Contribution, error) {
	if c.Table != v.Source {
		return nil, fmt.Errorf("a change of table %s: %w", c.Table, consumer.Skip)
	}
	if c.ByTTL() && !v.subtractExpired {
		return nil, fmt.Errorf("expired, and what expires stays counted: %w", consumer.Skip)
	}
	if c.LacksOld() {
		return nil, consumer.Reject(fmt.Errorf("%w: a sum needs the old image, which says what to take away; a rebuild of the view counts the item no more", ErrNoOldImage))
	}
	var parts []Contribution
	var rejected error
	for _, image := range []struct {
		item item
		sign int64
	}{{item{c.Keys, c.New}, 1}, {item{c.Keys, c.Old}, -1}} {
		if !image.item.image.Exists() || !v.views(image.item) {
			continue
		}
		if v.insertOnly && c.Kind != change.Insert {
			return nil, consumer.Reject(fmt.Errorf("a %v, but the view is declared insertOnly: its items are never modified or removed", c.Kind))
		}
		part, counts, err := v.contribution(c, image.item, image.sign, horizon)
		if err != nil {
			if image.sign > 0 {
				rejected = consumer.Reject(fmt.Errorf("new image: %w", err))
			}
			continue
		}
		if counts {
			parts = append(parts, part)
		}
	}
	if len(parts) == 2 && parts[0].Target.Group == parts[1].Target.Group {
		for attribute, value := range parts[1].Amount.Add {
			parts[0].Amount.Add[attribute] = parts[0].Amount.Add[attribute].Add(value)
		}
		parts = parts[:1]
		if parts[0].Amount.Latest == nil && allZero(parts[0].Amount.Add) {
			parts = nil
		}
	}
	if v.since != "" {
		for i := range parts {
			stamp(&parts[i].Amount, v.since, c)
		}
	}
	if rejected != nil {
		return parts, rejected
	}
	if len(parts) == 0 {
		return nil, fmt.Errorf("nothing that is viewed changes: %w", consumer.Skip)
	}
	return parts, nil
}

// stamp notes the change's version if it changes a sum or count. The newest one
// stands, which is the same in every order, so that changes may be taken away
// again and the item of a view still tells since when its sums are what they are.
func stamp(amount *aggregate.Amount, attribute string, c *change.Change) {
	if allZero(amount.Add) {
		return
	}
	if amount.Largest == nil {
		amount.Largest = map[string]decimal.Decimal{}
	}
	amount.Largest[attribute] = decimal.NewFromInt(c.Version)
}

// views tells whether an item is one of those that the view is of.
func (v *View) views(i item) bool { return declaration.AllHoldIn(v.where, i.keys, i.image) }

// contribution returns what one image does: added with sign 1, taken away with
// -1. counts is false if the change is too late for the image's box, or if the image
// is in none of the sums and there is nothing else.
func (v *View) contribution(c *change.Change, i item, sign int64, horizon time.Duration) (part Contribution, counts bool, err error) {
	if v.dates != nil {
		if err := v.dates.check(i); err != nil {
			return part, false, err
		}
	}
	var box place
	if v.Box != nil {
		if box, err = v.Box.place(i); err != nil || !box.counts(c.Time()) {
			return part, false, err
		}
	}
	if part.Target, err = v.target(i, box, horizon); err != nil {
		return part, false, err
	}
	part.Amount.ID = c.ID()
	if part.Amount.Add, err = v.amounts(i, decimal.NewFromInt(sign)); err != nil {
		return part, false, err
	}
	counts = len(part.Amount.Add) > 0
	if sign < 0 {
		return part, counts, nil
	}
	counts = counts || len(v.smallest)+len(v.largest)+len(v.latest) > 0
	if part.Amount.Smallest, err = i.numbers(v.smallest); err != nil {
		return part, false, err
	}
	if part.Amount.Largest, err = i.numbers(v.largest); err != nil {
		return part, false, err
	}
	if len(v.latest) > 0 {
		part.Amount.Latest = map[string]types.AttributeValue{}
		for into, from := range v.latest {
			value, err := i.value(from)
			if err == nil && value.Type() == 0 {
				err = fmt.Errorf("attribute %q: %w", from, change.ErrMissing)
			}
			if err != nil {
				return part, false, err
			}
			part.Amount.Latest[into] = value.AttributeValue()
		}
	}
	return part, counts, nil
}

// numbers reads the numbers that are kept; nil if none are.
func (i item) numbers(kept map[string]declaration.Path) (numbers map[string]decimal.Decimal, err error) {
	for into, from := range kept {
		if numbers == nil {
			numbers = map[string]decimal.Decimal{}
		}
		if numbers[into], err = i.number(from); err != nil {
			return nil, err
		}
	}
	return numbers, nil
}

// target returns the view's item that an item of the source belongs to.
func (v *View) target(i item, box place, horizon time.Duration) (aggregate.Target, error) {
	number := ""
	value := func(p declaration.Path) (string, error) {
		switch name := p.String(); {
		case name == boxPlaceholder && v.Box != nil:
			return box.label, nil
		case name == bucketPlaceholder && v.Bucket != nil:
			return v.Bucket.label(i)
		case name == shardPlaceholder && number != "":
			return number, nil
		}
		return i.text(p, change.S, change.N)
	}
	t := aggregate.Target{
		Key:    make(map[string]types.AttributeValue, len(v.key)),
		Set:    map[string]types.AttributeValue{},
		Sums:   v.sumNames(),
		Closes: box.until,
	}
	key := make(map[string]string, len(v.key))
	for attribute, made := range v.key {
		text, err := made.render(value)
		if err != nil {
			return t, err
		}
		if text == "" {
			return t, fmt.Errorf("key attribute %s would be empty", attribute)
		}
		t.Key[attribute] = &types.AttributeValueMemberS{Value: text}
		if made.number {
			number, err := keyNumber(text)
			if err != nil {
				return t, fmt.Errorf("key attribute %s: %w", attribute, err)
			}
			text = number.String() // one form for the ledger, whatever the item's
			t.Key[attribute] = &types.AttributeValueMemberN{Value: text}
		}
		key[attribute] = text
	}
	t.Group = groupOf(v.Table, key)
	if v.group != nil {
		group, err := v.group.render(value)
		if err != nil {
			return t, err
		}
		if group != "" && len(group) <= maxGroup && !strings.HasPrefix(group, groupMark) {
			t.Group = group
		}
	}
	if v.shard != nil {
		by, err := v.shard.by.render(value)
		if err != nil {
			return t, err
		}
		number = strconv.Itoa(v.shard.number(by))
		t.Set[v.shard.attribute] = &types.AttributeValueMemberN{Value: number}
		if v.shard.value != nil {
			text, err := v.shard.value.render(value)
			if err != nil {
				return t, err
			}
			t.Set[v.shard.attribute] = &types.AttributeValueMemberS{Value: text}
		}
	}
	if !box.until.IsZero() {
		at := expiry(box.until, horizon).Unix()
		t.Set[v.Box.expiresAt] = &types.AttributeValueMemberN{Value: strconv.FormatInt(at, 10)}
	}
	return t, nil
}

// keyNumber reads the number of a key. It may be made of a text, so the limits aren't checked yet.
// Past them the number isn't written out: 1E+999999999 would take a gigabyte.
func keyNumber(text string) (decimal.Decimal, error) {
	number, err := decimal.NewFromString(text)
	if err == nil && !change.IsNumber(fmt.Sprintf("%sE%d", number.Coefficient(), number.Exponent())) {
		err = fmt.Errorf("%.60s is past DynamoDB's limits for a number: 38 digits, between 1E-130 and 9.9E+125", text)
	}
	return number, err
}

const (
	// groupMark begins the names that groupOf makes. A view's own group, which is
	// the ledger's name for the items of a board from before there were views,
	// never begins so.
	groupMark = "//"
	// maxGroup is DynamoDB's limit for a partition key, in bytes.
	maxGroup = 2048
	// maxReadableGroup leaves room below maxGroup.
	maxReadableGroup = 1024
)

// groupOf names an item in the ledger, which several tables share: by its table
// and key, each with its length, so that no two items have the same name.
func groupOf(table string, key map[string]string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s%d:%s", groupMark, len(table), table)
	for _, attribute := range slices.Sorted(maps.Keys(key)) {
		fmt.Fprintf(&b, "/%d:%s=%d:%s", len(attribute), attribute, len(key[attribute]), key[attribute])
	}
	if b.Len() <= maxReadableGroup {
		return b.String()
	}
	hash := sha256.Sum256([]byte(b.String()))
	return groupMark + "sha256:" + hex.EncodeToString(hash[:])
}

func allZero(amounts map[string]decimal.Decimal) bool {
	for _, amount := range amounts {
		if !amount.IsZero() {
			return false
		}
	}
	return true
}
