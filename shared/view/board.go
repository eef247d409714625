package view

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/shared/change"
)

// Board is a view that can be read in the order of a number. Each of its items has a name, the one value of the source that is in the
// view's key. The shard attribute spreads the items over the partitions of an index.
type Board struct {
	*View
	Numbers []string // the attributes of the sums and counts; an index has one of them as its sort key
	Since   string   // the attribute with the version of the number's newest change; empty: none
	Shard   string   // the attribute that is the index's partition key

	name string // the placeholder of the name
	held string // the key attribute that holds the name
}

// Board returns the view as a board. The error says why the view is none.
func (v *View) Board() (*Board, error) {
	var names []string
	for _, k := range v.key {
		names = append(names, slices.DeleteFunc(slices.Clone(k.names), func(name string) bool { return name == boxPlaceholder && v.Box != nil })...)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	switch {
	case v.shard == nil:
		return nil, errors.New("it has no shard")
	case len(v.sums) == 0:
		return nil, errors.New("it has no sum or count")
	case v.Bucket != nil || len(names) != 1:
		return nil, fmt.Errorf("its key must have one value of an item besides {%s}, which is the item's name", boxPlaceholder)
	case v.Box != nil && (v.shard.value == nil || !v.shard.value.has(boxPlaceholder)):
		return nil, fmt.Errorf("its shard's value has no {%s}, so its index mixes all boxes", boxPlaceholder)
	}
	b := &Board{View: v, Numbers: v.sumNames(), Since: v.since, Shard: v.shard.attribute, name: names[0]}
	for attribute, k := range v.key {
		if slices.Equal(k.names, names) && (b.held == "" || attribute < b.held) {
			b.held = attribute
		}
	}
	if b.held == "" {
		return nil, fmt.Errorf("no attribute of its key holds {%s} without another value", b.name)
	}
	if v.shard.value != nil {
		if _, err := v.ShardValue("", 0); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// Key returns the key of the item with a name, in a box; a view without a box has the box "".
func (b *Board) Key(name, box string) map[string]types.AttributeValue {
	key := make(map[string]types.AttributeValue, len(b.key))
	for attribute, k := range b.key {
		text := k.filled(map[string]string{b.name: name, boxPlaceholder: box})
		if key[attribute] = (&types.AttributeValueMemberS{Value: text}); k.number {
			key[attribute] = &types.AttributeValueMemberN{Value: text}
		}
	}
	return key
}

// KeyNames returns the attributes of the view's key.
func (b *Board) KeyNames() []string {
	var names []string
	for attribute := range b.key {
		names = append(names, attribute)
	}
	slices.Sort(names)
	return names
}

// Name returns the name of an item of the view's table. The result is false for an item that can't be one of the view.
func (b *Board) Name(item map[string]types.AttributeValue) (string, bool) {
	for attribute, k := range b.key {
		if !k.couldBe(keyText(item[attribute])) {
			return "", false
		}
	}
	held := b.key[b.held]
	return strings.TrimSuffix(strings.TrimPrefix(keyText(item[b.held]), held.prefix()), held.suffix()), true
}

// keyText returns the text of a key attribute's value.
func keyText(v types.AttributeValue) string {
	if n, ok := v.(*types.AttributeValueMemberN); ok {
		return n.Value
	}
	return change.TextOf(v)
}

// Partition returns what the shard attribute holds in a box's items of one shard; a view without a box has the box "".
func (b *Board) Partition(box string, shard int) (types.AttributeValue, error) {
	if b.shard.value == nil {
		return &types.AttributeValueMemberN{Value: fmt.Sprint(shard)}, nil
	}
	value, err := b.ShardValue(box, shard)
	return &types.AttributeValueMemberS{Value: value}, err
}

// Level is a view that counts the items of a board by the first digits of their numbers. All buckets stand under one partition key.
type Level struct {
	*Bucket
	View             string // its name
	Table            string
	Partition, Value string // the attribute that is the partition key, and what it holds
	Sort             string // the attribute that is the sort key, which holds the bucket
	Count            string // the attribute with how many items are in the bucket
}

// Level returns the view as a level of a board with this number. It returns false for a view that is none.
func (v *View) Level(b *Board, number string) (Level, bool) {
	if v.Bucket == nil || v.Source != b.Table || len(v.key) != 2 || len(v.sums) != 1 {
		return Level{}, false
	}
	if of, whole := v.Bucket.of.Name(); !whole || of != number {
		return Level{}, false
	}
	l := Level{Bucket: v.Bucket, View: v.Name, Table: v.Table, Count: v.sums[0].into}
	for attribute, k := range v.key {
		switch {
		case k.constant():
			l.Partition, l.Value = attribute, k.texts[0]
		case k.number && k.alone() && k.has(bucketPlaceholder):
			l.Sort = attribute
		}
	}
	return l, l.Partition != "" && l.Sort != "" && v.sums[0].of.IsZero() && len(v.sums[0].where) == 0
}

// filled puts values in the place of the names.
func (t template) filled(values map[string]string) string {
	text := t.texts[0]
	for i, name := range t.names {
		text += values[name] + t.texts[i+1]
	}
	return text
}
