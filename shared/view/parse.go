package view

import (
	"slices"
	"strconv"
	"strings"

	"sluice/shared/aggregate"
	"sluice/shared/declaration"
)

// reader reads views.
type reader struct{ *declaration.Reader }

type (
	node     = declaration.Node
	position = declaration.Position
)

// Parse reads the views that a file declares and checks them, each for itself
// and all together. In the file, ${NAME} stands for a variable's value. Path is
// for the errors, which are of type [*declaration.Error], joined: every fault, not just the
// first.
func Parse(path string, text []byte, variables map[string]string) ([]*View, error) {
	r := &reader{declaration.NewReader(path, variables)}
	root, ok := r.Parse(text)
	if !ok {
		return nil, r.Err()
	}
	declared := r.Fields(root, "the file", "views")["views"]
	if declared.Kind != declaration.List {
		r.Fault(declared.At, "views must be a list of views")
	}
	var views []*View
	for _, n := range declared.Items {
		views = append(views, r.view(n))
	}
	if !r.Faults() { // what a faulty view would write isn't known
		r.checkTogether(views)
	}
	if err := r.Err(); err != nil {
		return nil, err
	}
	return views, nil
}

// view reads one view and checks what can be told from it alone.
func (r *reader) view(n node) *View {
	v := &View{at: n.At}
	f := r.Fields(n, "view", "name", "from", "into", "box", "bucket", "shard", "sum", "count", "since", "latest", "smallest", "largest")
	v.Name = r.Text(f["name"], "name")
	v.Box = r.box(f["box"])
	v.Bucket = r.bucket(f["bucket"])
	r.from(v, f["from"])
	r.into(v, f["into"])
	r.shard(v, f["shard"])

	written := written{reader: r, by: map[string]string{}}
	for _, own := range []string{"ChangeIds", "SpillTime", "LatestChange", aggregate.AttrGeneration} {
		written.by[own] = "Sluice's own"
	}
	for attribute := range v.key {
		written.by[attribute] = "a key"
	}
	if v.shard != nil && v.shard.attribute != "" {
		written.add(f["shard"].At, v.shard.attribute, "shard")
	}
	if v.Box != nil && v.Box.expiresAt != "" {
		written.add(f["box"].At, v.Box.expiresAt, "expiresAt")
	}
	v.sums = written.sums(f["count"], f["sum"])
	if f["since"].Kind != declaration.Absent {
		v.since = r.Text(f["since"], "since")
		if v.since != "" {
			written.add(f["since"].At, v.since, "since")
		}
		if len(v.sums) == 0 {
			r.Fault(f["since"].At, "since tells how long sums and counts have stood, and view %s has none", v.Name)
		}
	}
	v.latest = written.kept(f["latest"], "latest")
	v.smallest = written.kept(f["smallest"], "smallest")
	v.largest = written.kept(f["largest"], "largest")
	if len(v.sums)+len(v.latest)+len(v.smallest)+len(v.largest) == 0 {
		r.Fault(n.At, "view %s keeps nothing; give it a sum, count, latest, smallest or largest", v.Name)
	}
	for name, kept := range map[string]map[string]declaration.Path{"smallest": v.smallest, "largest": v.largest} {
		if len(kept) > 0 && !v.insertOnly {
			r.Fault(f[name].At, "%s needs from: insertOnly: true: once an item is modified or removed, nobody knows the second %s", name, name)
		}
	}
	if v.insertOnly && v.subtractExpired {
		r.Fault(f["from"].At, "from: insertOnly needs subtractExpired: false: an item that expires is removed")
	}
	return v
}

// written are the attributes of a view's items and what writes each: one thing alone.
type written struct {
	*reader
	by map[string]string
}

func (w written) add(at position, attribute, what string) {
	if attribute == "" {
		w.Fault(at, "%s: an attribute of the view has no name", what)
		return
	}
	if strings.HasPrefix(attribute, aggregate.ShadowPrefix) {
		w.Fault(at, "%s: attribute %s is Sluice's own: all that begin with %s are", what, attribute, aggregate.ShadowPrefix)
		return
	}
	if by, taken := w.by[attribute]; taken {
		w.Fault(at, "%s: attribute %s is %s already", what, attribute, by)
		return
	}
	w.by[attribute] = what
}

// kept reads pairs of an attribute of the view and a value of the source's items.
func (w written) kept(n node, what string) map[string]declaration.Path {
	kept := map[string]declaration.Path{}
	for _, p := range w.Pairs(n, what) {
		kept[p.Key] = w.Path(p.Value, what+": "+p.Key)
		w.add(p.At, p.Key, what)
	}
	return kept
}

func (r *reader) from(v *View, n node) {
	if n.Kind == declaration.Absent {
		r.Fault(n.At, "from is missing")
		return
	}
	f := r.Fields(n, "from", "table", "where", "dated", "insertOnly", "subtractExpired")
	v.Source = r.Text(f["table"], "from: table")
	v.insertOnly = r.Boolean(f["insertOnly"], "from: insertOnly", false)
	v.subtractExpired = r.Boolean(f["subtractExpired"], "from: subtractExpired", true)
	v.where = r.Conditions(f["where"], "from: where")
	v.dates = r.dates(f["dated"])
}

func (r *reader) into(v *View, n node) {
	if n.Kind == declaration.Absent {
		r.Fault(n.At, "into is missing")
		return
	}
	f := r.Fields(n, "into", "table", "key", "group")
	v.Table = r.Text(f["table"], "into: table")
	v.key = map[string]keyTemplate{}
	boxed, bucketed := false, false
	for _, p := range r.Pairs(f["key"], "into: key") {
		if p.Key == "" {
			r.Fault(p.At, "into: key: an attribute of the key has no name")
		}
		k := r.key(p.Value, "into: key: "+p.Key, v)
		v.key[p.Key] = k
		boxed, bucketed = boxed || k.has(boxPlaceholder), bucketed || k.has(bucketPlaceholder)
	}
	r.separateKey(v, f["key"])
	if len(v.key) < 1 || len(v.key) > 2 {
		r.Fault(f["key"].At, "into: key has %d attributes; a table has one or two", len(v.key))
	}
	if v.Box != nil && !boxed {
		r.Fault(f["key"].At, "into: key has no {%s}, so all boxes would be one item", boxPlaceholder)
	}
	if v.Bucket != nil && !bucketed {
		r.Fault(f["key"].At, "into: key has no {%s}, so all buckets would be one item", bucketPlaceholder)
	}
	if f["group"].Kind != declaration.Absent {
		group := r.template(f["group"], "into: group", v)
		v.group = &group
		for _, t := range v.key {
			for _, name := range t.names {
				if !group.has(name) {
					r.Fault(f["group"].At, "into: group has no {%s}, so items with different keys would share a group", name)
				}
			}
		}
		r.ofKey(f["group"].At, "into: group", group, v)
		r.separate(f["group"].At, "into: group", v.group, nothing)
	}
}

// separateKey makes sure that no two items of the view have one key.
func (r *reader) separateKey(v *View, n node) {
	for _, p := range r.Pairs(n, "into: key") {
		k := v.key[p.Key]
		r.separate(p.Value.At, "into: key: "+p.Key, &k.template, func(name string) bool {
			for other, t := range v.key {
				if other != p.Key && t.only(name) {
					return true
				}
			}
			return false
		})
		v.key[p.Key] = k
	}
}

// nothing is for templates of which no value is known from elsewhere.
func nothing(string) bool { return false }

func (r *reader) separate(at position, what string, t *template, known func(name string) bool) {
	if err := t.separate(known); err != nil {
		r.Fault(at, "%s: %v", what, err)
	}
}

// key reads a key attribute's template: text, or `number:` with a placeholder.
func (r *reader) key(n node, what string, v *View) keyTemplate {
	if n.Kind != declaration.Object {
		return keyTemplate{template: r.template(n, what, v)}
	}
	n = r.Fields(n, what, "number")["number"]
	t := r.template(n, what+": number", v)
	if n.Kind == declaration.Scalar && (!t.alone() || t.has(boxPlaceholder)) {
		r.Fault(n.At, "%s: number %q must be one number alone: {%s}, or a number of the item like {level}", what, n.Text, bucketPlaceholder)
	}
	return keyTemplate{t, true}
}

func (r *reader) shard(v *View, n node) {
	if n.Kind == declaration.Absent {
		return
	}
	f := r.Fields(n, "shard", "attribute", "by", "count", "value")
	s := &shard{attribute: r.Text(f["attribute"], "shard: attribute"), by: r.template(f["by"], "shard: by", v)}
	r.ofKey(f["by"].At, "shard: by", s.by, v)
	count := r.Text(f["count"], "shard: count")
	var err error
	if s.count, err = strconv.Atoi(count); count != "" && (err != nil || s.count < 1) {
		r.Fault(f["count"].At, "shard: count %q must be a whole number from 1", count)
	}
	if f["value"].Kind != declaration.Absent {
		value := r.template(f["value"], "shard: value", v)
		s.value = &value
		if len(value.texts) > 0 && !value.has(shardPlaceholder) {
			r.Fault(f["value"].At, "shard: value has no {%s}, so all shards would be one", shardPlaceholder)
		}
		r.ofKey(f["value"].At, "shard: value", value, v, shardPlaceholder)
		r.separate(f["value"].At, "shard: value", s.value, nothing)
	}
	v.shard = s
}

// template reads a template. One that is impossible is a fault.
func (r *reader) template(n node, what string, v *View) template {
	text := r.Text(n, what)
	if text == "" {
		return template{texts: []string{""}}
	}
	t, err := parseTemplate(text)
	if err != nil {
		r.Fault(n.At, "%s: impossible template %q: %v", what, text, err)
		return template{texts: []string{text}}
	}
	if v.Box == nil && t.has(boxPlaceholder) {
		r.Fault(n.At, "%s: impossible template %q: the view has no box", what, text)
	}
	if v.Bucket == nil && t.has(bucketPlaceholder) {
		r.Fault(n.At, "%s: impossible template %q: the view has no bucket", what, text)
	}
	return t
}

// ofKey checks that a template has no other placeholders than the key: what is
// written to an item must be the same whichever change writes it.
func (r *reader) ofKey(at position, what string, t template, v *View, also ...string) {
	for _, name := range t.names {
		inKey := slices.Contains(also, name)
		for _, k := range v.key {
			inKey = inKey || k.has(name)
		}
		if !inKey {
			r.Fault(at, "%s: {%s} is not in the view's key, so items with one key would differ in it", what, name)
		}
	}
}
