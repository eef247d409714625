package ranked

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/shopspring/decimal"

	"sluice/consumers/replication/internal/store"
	"sluice/shared/change"
)

// Rank is where a version of an item stands among all versions of that item, where
// writers keep an attribute that tells it: of two versions that with the greater
// rank stays, everywhere. Ranks compare with Compare. The zero Rank is below all
// others; an item has it that can't be ranked.
type Rank struct {
	kind    rankKind
	text    string // the attribute's value as DynamoDB wrote it
	removed bool   // the version is the removal of items up to that value
	hash    uint64 // of the item, of the one that was removed
}

type rankKind uint8

const (
	unranked   rankKind = iota
	numberRank          // every number is below every string
	stringRank
)

// maxRankBytes is how long a string may be that ranks an item: a tombstone holds
// it, and is to cost one write unit.
const maxRankBytes = 512

// errNoRank is returned for an item without the attribute that ranks it, or with
// one that can't.
var errNoRank = errors.New("the item can't be ranked")

// rankOf returns the rank of an item, which must be whole, by the value of an attribute.
// If the error is errNoRank, it is the zero Rank but for the hash.
func rankOf(item store.Item, attribute string) (Rank, error) {
	r := Rank{hash: change.ItemHash(item)}
	switch v := item[attribute].(type) {
	case nil:
		return r, fmt.Errorf("%w: it has no attribute %s; whoever writes to this table must write it", errNoRank, attribute)
	case *types.AttributeValueMemberN:
		r.kind, r.text = numberRank, v.Value
	case *types.AttributeValueMemberS:
		if len(v.Value) > maxRankBytes {
			return r, fmt.Errorf("%w: attribute %s has %d bytes, and may have %d", errNoRank, attribute, len(v.Value), maxRankBytes)
		}
		r.kind, r.text = stringRank, v.Value
	default:
		return r, fmt.Errorf("%w: attribute %s must be a number or a string, and is %s", errNoRank, attribute, strings.TrimPrefix(fmt.Sprintf("%T", v), "*types.AttributeValueMember"))
	}
	return r, nil
}

// Compare returns -1, 0 or 1: by the attribute, then a removal is above the items
// that it removes, then by a hash, so that of two versions with one value every
// region finds the same one above. Two removals up to one value are the same.
func (r Rank) Compare(o Rank) int {
	switch c := r.compareValues(o); {
	case c != 0:
		return c
	case r.removed != o.removed:
		if r.removed {
			return 1
		}
		return -1
	case r.removed:
		return 0
	}
	return cmp.Compare(r.hash, o.hash)
}

func (r Rank) compareValues(o Rank) int {
	if r.kind != o.kind || r.kind != numberRank {
		return cmp.Or(cmp.Compare(r.kind, o.kind), strings.Compare(r.text, o.text))
	}
	a, err := decimal.NewFromString(r.text)
	b, errOther := decimal.NewFromString(o.text)
	if err != nil || errOther != nil { // DynamoDB has no such numbers
		return strings.Compare(r.text, o.text)
	}
	return a.Cmp(b)
}

// ties tells whether two versions differ although their attributes don't.
func (r Rank) ties(o Rank) bool {
	return r.kind != unranked && r.hash != o.hash && r.removed == o.removed && !r.removed && r.compareValues(o) == 0
}

// value is the attribute's value.
func (r Rank) value() types.AttributeValue {
	if r.kind == numberRank {
		return &types.AttributeValueMemberN{Value: r.text}
	}
	return &types.AttributeValueMemberS{Value: r.text}
}

// version names the version of an item among all that it ever had.
func (r Rank) version() types.AttributeValue {
	return &types.AttributeValueMemberB{Value: binary.BigEndian.AppendUint64(nil, r.hash)}
}

// maxOperands is how many values an IN may name, and maxCompared how many
// attributes a condition compares, which has to stay below 4 KB:
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
const (
	maxOperands = 100
	maxCompared = 100
)

// isKnown is the condition that there is no item, or one whose rank's value the writer had before him.
func isKnown(key store.Item, attribute string, known []Rank) store.Condition {
	e := store.Absent(key)
	var operands []string
	for i, r := range known {
		if i == maxOperands {
			break
		}
		operand := fmt.Sprint(":known", i)
		if e.Values == nil {
			e.Values = store.Item{}
		}
		e.Values[operand] = r.value()
		operands = append(operands, operand)
	}
	if operands != nil {
		e.Names["#rank"] = attribute
		e.Text += " OR #rank IN (" + strings.Join(operands, ", ") + ")"
	}
	return e
}

// isStill is the condition that the item is the one held, as far as its rank's value tells.
func isStill(key store.Item, attribute string, held store.Item) store.Condition {
	e := store.Condition{Names: map[string]string{"#rank": attribute}}
	if v, ok := held[attribute]; ok {
		e.Text, e.Values = "#rank = :held", store.Item{":held": v}
		return e
	}
	e.Names["#key"] = store.KeyName(key)
	e.Text = "attribute_exists(#key) AND attribute_not_exists(#rank)"
	return e
}

// isExactly is the condition that the item is the one held with all its attributes, as many
// of them as a condition can compare. If another of them changed meanwhile, its version may be
// the greater one; then the write shows as a change that lowers the item's rank, and
// its region brings that back.
func isExactly(key store.Item, attribute string, held store.Item) store.Condition {
	e := isStill(key, attribute, held)
	for i, name := range slices.Sorted(maps.Keys(held)) {
		if i == maxCompared {
			break
		}
		n, v := fmt.Sprint("#a", i), fmt.Sprint(":a", i)
		e.Names[n], e.Values[v] = name, held[name]
		e.Text += " AND " + n + " = " + v
	}
	return e
}
