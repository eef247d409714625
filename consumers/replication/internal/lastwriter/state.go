package lastwriter

import (
	"fmt"
	"maps"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/consumers/replication/internal/store"
	"sluice/consumers/replication/mark"
)

// itemState is what the rule keeps in an item, in mark.Attribute.
type itemState struct {
	// Mark is that of the newest change known to be in the item; "": none is, an
	// application has put it whole.
	Mark mark.Mark
	// Base names the last write of data by replication: an item with another base
	// has been overwritten since. "": there was none since an application put it.
	Base string
	// Deleting: what is left is to delete the item.
	Deleting bool
	// History is what the newest change's writer had before him.
	History history
}

// The fields of mark.Attribute, beside mark.Field.
const (
	baseField     = "b"
	deletingField = "d"
	historyField  = "h"
)

// stateIn reads what an item carries; an item that replication never wrote, or
// that was put whole since, has the empty itemState.
func stateIn(item store.Item) (itemState, error) {
	m, err := mark.In(item)
	if err != nil || m == "" {
		return itemState{}, err
	}
	fields := item[mark.Attribute].(*types.AttributeValueMemberM).Value // mark.In has seen it
	s := itemState{Mark: m}
	if base, ok := fields[baseField].(*types.AttributeValueMemberB); ok {
		s.Base = string(base.Value)
	}
	_, s.Deleting = fields[deletingField]
	if s.History, err = historyOf(fields[historyField]); err != nil {
		return itemState{}, fmt.Errorf("attribute %s.%s: %w", mark.Attribute, historyField, err)
	}
	return s, nil
}

func (s itemState) value() types.AttributeValue {
	fields := store.Item{mark.Field: s.Mark.Value()}
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

// history tells, for each region, the creation time in microseconds of the newest
// of its changes of an item that a write was made in knowledge of.
type history map[string]int64

// has tells whether a change with this mark is part of the history.
func (h history) has(m mark.Mark) bool {
	at, ok := h[m.Region()]
	return ok && m.Created() <= at
}

// with returns the history with a change more.
func (h history) with(m mark.Mark) history {
	with := history{}
	maps.Copy(with, h)
	with[m.Region()] = max(with[m.Region()], m.Created())
	return with
}

func (h history) value() types.AttributeValue {
	regions := store.Item{}
	for region, at := range h {
		regions[region] = &types.AttributeValueMemberN{Value: strconv.FormatInt(at, 10)}
	}
	return &types.AttributeValueMemberM{Value: regions}
}

// historyOf reads a history; nil is the empty one.
func historyOf(v types.AttributeValue) (history, error) {
	if v == nil {
		return nil, nil
	}
	regions, ok := v.(*types.AttributeValueMemberM)
	if !ok {
		return nil, mark.ErrForeign
	}
	h := history{}
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
