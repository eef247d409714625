package consumertest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Text returns the value as text: of a string or number what it holds, of any
// other type its JSON.
func (v Value) Text() string {
	for _, kind := range []string{"S", "N"} {
		if text, ok := v[kind].(string); ok {
			return text
		}
	}
	return string(mustMarshal(v))
}

// Written is the time of the change as the stream writes it.
func (c Change) Written() time.Time {
	if c.Milliseconds {
		return c.Time.Truncate(time.Millisecond)
	}
	return c.Time
}

// Key returns the item's keys as a text for people, such as "ann/1".
func (c Change) Key() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(c.Keys)) {
		parts = append(parts, c.Keys[name].Text())
	}
	return strings.Join(parts, "/")
}

// String tells the change in words.
func (c Change) String() string {
	switch {
	case c.New == nil && c.TTL:
		return "expiry of " + c.Key()
	case c.New == nil:
		return "remove " + c.Key()
	case c.Old == nil:
		return "insert " + c.Key() + " " + c.rest(c.New)
	}
	return fmt.Sprintf("modify %s %s → %s", c.Key(), c.rest(c.Old), c.rest(c.New))
}

// rest tells the attributes of an image that are no keys.
func (c Change) rest(image Item) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(image)) {
		if _, isKey := c.Keys[name]; !isKey {
			parts = append(parts, name+" "+image[name].Text())
		}
	}
	return strings.Join(parts, ", ")
}
