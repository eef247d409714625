package declaration

import "sluice/shared/change"

// Effect is what a change does to what a destination holds of an item.
type Effect uint8

// The effects.
const (
	Nothing Effect = iota
	Put
	Remove
)

// EffectOf tells what a change does where only items that meet the conditions are held: an item that comes to meet them is put there,
// one that ceases to is removed.
func EffectOf(conditions []Condition, c *change.Change) Effect {
	switch {
	case AllHoldIn(conditions, c.Keys, c.New):
		return Put
	case c.LacksOld(), // whether it met them nobody knows; what isn't there is removed without harm
		AllHoldIn(conditions, c.Keys, c.Old):
		return Remove
	}
	return Nothing
}
