package declaration

import (
	"testing"

	"sluice/shared/change"
	"sluice/shared/consumertest"
)

// What a change does where only open orders are held. Fails if an item that ceases to be open stays.
func TestEffectOf(t *testing.T) {
	image := func(state string) consumertest.Item {
		if state == "" {
			return nil
		}
		return consumertest.Item{"id": consumertest.S("x"), "state": consumertest.S(state)}
	}
	open := []Condition{{Attribute: Whole("state"), Text: "open"}}
	for _, c := range []struct {
		before, after string
		want          Effect
	}{
		{"", "open", Put}, {"done", "open", Put}, {"open", "open", Put},
		{"open", "done", Remove}, {"open", "", Remove},
		{"", "done", Nothing}, {"done", "done", Nothing}, {"done", "", Nothing},
	} {
		made, err := change.Parse(consumertest.Change{Table: "Orders", Time: anyTime, Keys: consumertest.Item{"id": consumertest.S("x")}, Old: image(c.before), New: image(c.after)}.Record())
		if err != nil {
			t.Fatal(err)
		}
		if got := EffectOf(open, made); got != c.want {
			t.Errorf("from %q to %q: %v, want %v", c.before, c.after, got, c.want)
		}
	}
}
