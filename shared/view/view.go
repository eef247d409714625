package view

import (
	"fmt"
	"hash/fnv"
	"maps"
	"slices"

	"sluice/shared/change"
	"sluice/shared/declaration"
)

// View is one declared view.
type View struct {
	Name   string
	Source string  // the table whose items are viewed
	Table  string  // the table that holds the view
	Box    *Box    // nil: of all time
	Bucket *Bucket // nil: of all numbers

	at              position
	where           []declaration.Condition
	dates           *dates // nil: any
	insertOnly      bool   // items are never modified or removed
	subtractExpired bool
	key             map[string]keyTemplate // by key attribute of Table
	group           *template              // names the items in the ledger; nil: see groupOf
	shard           *shard

	// What is kept, by attribute of Table: the value of the source's items that it is of.
	latest, smallest, largest map[string]declaration.Path
	sums                      []sum  // by attribute
	since                     string // attribute with the version of the newest change of a sum or count; empty: none
}

// Named returns the view of a name; nil: there is none.
func Named(views []*View, name string) *View {
	i := slices.IndexFunc(views, func(v *View) bool { return v.Name == name })
	if i < 0 {
		return nil
	}
	return views[i]
}

// shard spreads a view's items over the partitions of an index.
type shard struct {
	attribute string
	by        template
	count     int
	value     *template // nil: the number itself
}

// number returns the shard for a text. The hash is stable: the same text gets
// the same shard in every process and version.
func (s *shard) number(text string) int {
	h := fnv.New32a()
	h.Write([]byte(text)) // never fails
	return int(h.Sum32() % uint32(s.count))
}

// Notes describes what a reader of the declaration may not expect, for lint: which types the conditions compare, and
// which values can't stand in a key.
func (v *View) Notes() []string {
	var lines []string
	if text := declaration.Where(v.where); text != "" {
		lines = append(lines, text)
	}
	for _, s := range v.sums {
		if text := declaration.Where(s.where); text != "" {
			lines = append(lines, s.into+": "+text)
		}
	}
	for _, attribute := range slices.Sorted(maps.Keys(v.key)) {
		t := v.key[attribute]
		for i, end := range t.ends {
			if end != "" && t.names[i] != bucketPlaceholder {
				lines = append(lines, fmt.Sprintf("%s: an item whose %s holds %q is a dead letter, since its key could be another item's", attribute, t.names[i], end))
			}
		}
	}
	return lines
}

// Shards returns over how many partitions of its index the view is spread, 0 if
// it isn't.
func (v *View) Shards() int {
	if v.shard == nil {
		return 0
	}
	return v.shard.count
}

// ShardValue returns what the view's shard attribute holds in a box's items of
// one shard, for views whose shard text is made of these two alone.
func (v *View) ShardValue(box string, shard int) (string, error) {
	if v.shard == nil || v.shard.value == nil {
		return "", fmt.Errorf("view %s has no shard with a value", v.Name)
	}
	return v.shard.value.render(func(p declaration.Path) (string, error) {
		switch name := p.String(); name {
		case boxPlaceholder:
			return box, nil
		case shardPlaceholder:
			return fmt.Sprint(shard), nil
		default:
			return "", fmt.Errorf("view %s: the shard's value depends on {%s}, so its items can't be found by box alone", v.Name, name)
		}
	})
}

// item reads values of one image of a change. The change's keys are its own.
type item struct{ keys, image change.Image }

// value returns a value of the item, the zero one if it is absent. The error is about a value on the way that is no map.
func (i item) value(p declaration.Path) (change.Value, error) { return p.Of(i.keys, i.image) }

// text returns the text of a value that must be of one of the types.
func (i item) text(p declaration.Path, types ...change.Type) (string, error) {
	v, err := i.value(p)
	if err != nil {
		return "", err
	}
	for _, t := range types {
		if v.Type() == t {
			return v.Text(), nil
		}
	}
	return "", p.TypeError(i.keys, i.image, types[0], v.Type())
}
