package replica

import (
	"fmt"
	"maps"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/consumers/replication/mark"
)

// State is what replication both ways keeps in an item, in mark.Attribute.
type State struct {
	// Mark is that of the newest change known to be in the item; "": none is, an
	// application has put it whole.
	Mark mark.Mark
	// Base names the last write of data by replication: an item with another base
	// has been overwritten since. "": there was none since an application put it.
	Base string
	// Deleting: what is left is to delete the item.
	Deleting bool
	// History is what the newest change's writer had before him.
	History History
}

// The fields of mark.Attribute, beside mark.Field.
const (
	baseField     = "b"
	deletingField = "d"
	historyField  = "h"
)

// StateIn reads what an item carries; an item that replication never wrote, or
// that was put whole since, has the empty State.
func StateIn(item Item) (State, error) {
	m, err := mark.In(item)
	if err != nil || m == "" {
		return State{}, err
	}
	fields := item[mark.Attribute].(*types.AttributeValueMemberM).Value // mark.In has seen it
	s := State{Mark: m}
	if base, ok := fields[baseField].(*types.AttributeValueMemberB); ok {
		s.Base = string(base.Value)
	}
	_, s.Deleting = fields[deletingField]
	if s.History, err = historyOf(fields[historyField]); err != nil {
		return State{}, fmt.Errorf("attribute %s.%s: %w", mark.Attribute, historyField, err)
	}
	return s, nil
}

func (s State) value() types.AttributeValue {
	fields := Item{mark.Field: s.Mark.Value()}
	if s.Base != "" {
		fields[baseField] = &types.AttributeValueMemberB{Value: []byte(s.Base)}
	}
	if s.Deleting {
		fields[deletingField] = &types.AttributeValueMemberBOOL{Value: true}
	}
	if len(s.History) > 0 {
		fields[historyField] = s.History.value()
	}
	return &types.AttributeValueMemberM{Value: fields}
}

// History tells, for each region, the creation time in microseconds of the newest
// of its changes of an item that a write was made in knowledge of.
type History map[string]int64

// Has tells whether a change with this mark is part of the history.
func (h History) Has(m mark.Mark) bool {
	at, ok := h[m.Region()]
	return ok && m.Created() <= at
}

// With returns the history with a change more.
func (h History) With(m mark.Mark) History {
	with := maps.Clone(h)
	if with == nil {
		with = History{}
	}
	with[m.Region()] = max(with[m.Region()], m.Created())
	return with
}

func (h History) value() types.AttributeValue {
	regions := Item{}
	for region, at := range h {
		regions[region] = &types.AttributeValueMemberN{Value: strconv.FormatInt(at, 10)}
	}
	return &types.AttributeValueMemberM{Value: regions}
}

// historyOf reads a history; nil is the empty one.
func historyOf(v types.AttributeValue) (History, error) {
	if v == nil {
		return nil, nil
	}
	regions, ok := v.(*types.AttributeValueMemberM)
	if !ok {
		return nil, mark.ErrForeign
	}
	h := History{}
	for region, at := range regions.Value {
		n, ok := at.(*types.AttributeValueMemberN)
		if !ok {
			return nil, mark.ErrForeign
		}
		µs, err := strconv.ParseInt(n.Value, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", mark.ErrForeign, err)
		}
		h[region] = µs
	}
	return h, nil
}
