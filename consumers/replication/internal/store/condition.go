package store

import (
	"maps"
	"slices"
)

// Condition is what an item has to be like for a write to be done, in DynamoDB's language.
type Condition struct {
	Text   string
	Names  map[string]string
	Values Item
}

// Absent is the condition that there is no item; key has the item's key attributes.
func Absent(key Item) Condition {
	return Condition{Text: "attribute_not_exists(#key)", Names: map[string]string{"#key": KeyName(key)}}
}

// KeyName returns the name of a key attribute: an item without that attribute isn't there.
func KeyName(key Item) string { return slices.Min(slices.Collect(maps.Keys(key))) }
