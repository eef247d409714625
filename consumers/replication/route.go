package replication

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/consumers/replication/internal/store"
	"sluice/consumers/replication/mark"
	"sluice/shared/change"
	"sluice/shared/declaration"
)

// Masked is what a masked attribute holds in a copy, whatever it held.
const Masked = "***"

// Route says what of a table is copied, and where to.
type Route struct {
	Name   string
	Source string // the table that is copied, in the home region
	Table  string // the copy
	Region string // of the copy

	// RemoveExpired: an item that expires (TTL) is removed from the copy.
	RemoveExpired bool

	at       declaration.Position
	where    []declaration.Condition
	leaveOut []string
	mask     []string
}

// effect tells what a change does to the copy.
func (r *Route) effect(c *change.Change) declaration.Effect {
	if c.ByTTL() && !r.RemoveExpired {
		return declaration.Nothing
	}
	return declaration.EffectOf(r.where, c)
}

// leaves turns an item of the source into what its copy holds, but for the mark.
func (r *Route) leaves(item store.Item) store.Item {
	for _, name := range r.leaveOut {
		delete(item, name)
	}
	for _, name := range r.mask {
		if _, ok := item[name]; ok {
			item[name] = &types.AttributeValueMemberS{Value: Masked}
		}
	}
	return item
}

// Copied returns what the copy of a source's item holds, but for the mark, and
// false if the route doesn't take the item. The item is changed.
func (r *Route) Copied(item store.Item) (store.Item, bool) {
	if !declaration.AllHold(r.where, item) {
		return nil, false
	}
	delete(item, mark.Attribute) // a source that is itself a copy
	return r.leaves(item), true
}

// Where describes which items the route takes; "" for all.
func (r *Route) Where() string { return declaration.Where(r.where) }
