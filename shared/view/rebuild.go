package view

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/shared/aggregate"
	"sluice/shared/change"
	"sluice/shared/declaration"
)

// Rebuildable tells whether the view's sums can be made anew from its source;
// if not, the error says why.
func (v *View) Rebuildable() error {
	switch {
	case !v.subtractExpired:
		return fmt.Errorf("view %s keeps counting what has expired (subtractExpired: false), and the source doesn't hold that any more", v.Name)
	case len(v.sums) == 0:
		return fmt.Errorf("view %s has no sum and no count; its latest values can't be made anew", v.Name)
	case v.Box != nil && v.Box.expiresAt != "" && v.boxKey() == "":
		return fmt.Errorf("view %s closes its boxes (keep), and no attribute of its key is made of {%s} and constant text alone, so which items are of closed boxes can't be told", v.Name, boxPlaceholder)
	}
	return nil
}

// boxKey returns the key attribute that tells an item's box for sure; "": none does.
func (v *View) boxKey() string {
	for _, name := range slices.Sorted(maps.Keys(v.key)) {
		if t := v.key[name]; slices.Equal(t.names, []string{boxPlaceholder}) {
			return name
		}
	}
	return ""
}

// Standing returns what the item of the source counts for in the view after the
// change: no Target.Key if it doesn't. The error, if the item isn't as the view
// needs it, depends on the change alone; the item counts for nothing then.
func (v *View) Standing(c *change.Change, horizon time.Duration) (aggregate.Standing, error) {
	s := aggregate.Standing{Item: c.ItemKey(), ID: c.ID()}
	after := item{c.Keys, c.New}
	if !after.image.Exists() || !v.views(after) {
		return s, nil
	}
	part, counts, err := v.contribution(c, after, 1, horizon)
	if err != nil || !counts {
		return s, err
	}
	s.Target, s.Sums = part.Target, part.Amount.Add
	return s, nil
}

// Own returns the target that an item of the view's table is, if it is one of the
// view's items: its key is made as the view makes keys, which no other view does,
// and it has a sum or something of Sluice's in it.
func (v *View) Own(attributes map[string]types.AttributeValue) (t aggregate.Target, own bool, err error) {
	t = aggregate.Target{Key: map[string]types.AttributeValue{}, Sums: v.sumNames()}
	var group []string
	for name, made := range v.key {
		kind, text := declaration.TypedOf(attributes[name])
		if kind != change.S && kind != change.N {
			return t, false, fmt.Errorf("table %s: its items have no text or number %s, which is in the key of view %s", v.Table, name, v.Name)
		}
		if !made.couldBe(text) {
			return t, false, nil
		}
		t.Key[name] = attributes[name]
		group = append(group, text)
	}
	t.Group = strings.Join(group, " ") // names it in errors
	if v.Box != nil && v.Box.expiresAt != "" {
		if t.Closes, err = v.closes(t.Key); err != nil {
			return t, false, nil //nolint:nilerr // no box, so it isn't an item of the view
		}
	}
	for name := range attributes {
		if name == "ChangeIds" || strings.HasPrefix(name, aggregate.ShadowPrefix) || slices.Contains(t.Sums, name) {
			return t, true, nil
		}
	}
	return t, false, nil
}

// closes returns until when the box in an item's key takes changes.
func (v *View) closes(key map[string]types.AttributeValue) (time.Time, error) {
	name := v.boxKey()
	kind, text := declaration.TypedOf(key[name])
	if kind == 0 {
		return time.Time{}, errors.New("the view's key doesn't tell the box")
	}
	made := v.key[name]
	end, err := v.Box.end(strings.TrimSuffix(strings.TrimPrefix(text, made.prefix()), made.suffix()))
	return end.Add(v.Box.keep), err
}
