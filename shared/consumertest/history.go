package consumertest

import (
	"maps"
	"time"
)

// History returns the changes, a microsecond apart, of an item of a table that has these
// attributes beside its keys, one set after the other; nil: it isn't there.
func History(table string, keys Item, attributes ...Item) []Change {
	image := func(attributes Item) Item {
		if attributes == nil {
			return nil
		}
		image := maps.Clone(keys)
		maps.Copy(image, attributes)
		return image
	}
	var changes []Change
	for i, after := range attributes[1:] {
		changes = append(changes, Change{
			Table: table, Time: Arrival.Add(time.Duration(i-100) * time.Microsecond),
			Keys: keys, Old: image(attributes[i]), New: image(after),
		})
	}
	return changes
}
