package view

import (
	"slices"
	"strconv"
)

// Parse reads the views that a file declares and checks them, each for itself
// and all together. In the file, ${NAME} stands for a variable's value. Path is
// for the errors, which are of type [*Error], joined: every fault, not just the
// first.
func Parse(path string, text []byte, variables map[string]string) ([]*View, error) {
	r := &reader{path: path, variables: variables}
	root, ok := r.parse(text)
	if !ok {
		return nil, r.err()
	}
	declared := r.fields(root, "the file", "views")["views"]
	if declared.kind != list || len(declared.items) == 0 {
		r.fault(declared.at, "views must be a list of views")
	}
	var views []*View
	for _, n := range declared.items {
		views = append(views, r.view(n))
	}
	if len(r.faults) == 0 { // what a faulty view would write isn't known
		r.checkTogether(views)
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	return views, nil
}

// view reads one view and checks what can be told from it alone.
func (r *reader) view(n node) *View {
	v := &View{at: n.at}
	f := r.fields(n, "view", "name", "from", "into", "box", "shard", "sum", "count", "latest", "smallest", "largest")
	v.Name = r.text(f["name"], "name")
	v.Box = r.box(f["box"])
	r.from(v, f["from"])
	r.into(v, f["into"])
	r.shard(v, f["shard"])

	written := written{reader: r, by: map[string]string{}}
	for _, own := range []string{"ChangeIds", "SpillTime", "LatestChange"} {
		written.by[own] = "Sluice's own"
	}
	for attribute := range v.key {
		written.by[attribute] = "a key"
	}
	if v.shard != nil {
		written.add(f["shard"].at, v.shard.attribute, "shard")
	}
	if v.Box != nil && v.Box.expiresAt != "" {
		written.add(f["box"].at, v.Box.expiresAt, "expiresAt")
	}
	if f["count"].kind != absent {
		v.count = r.text(f["count"], "count")
		written.add(f["count"].at, v.count, "count")
	}
	v.sums = written.kept(f["sum"], "sum")
	v.latest = written.kept(f["latest"], "latest")
	v.smallest = written.kept(f["smallest"], "smallest")
	v.largest = written.kept(f["largest"], "largest")
	if v.count == "" && len(v.sums)+len(v.latest)+len(v.smallest)+len(v.largest) == 0 {
		r.fault(n.at, "view %s keeps nothing; give it a sum, count, latest, smallest or largest", v.Name)
	}
	for name, kept := range map[string]map[string]string{"smallest": v.smallest, "largest": v.largest} {
		if len(kept) > 0 && !v.insertOnly {
			r.fault(f[name].at, "%s needs from: insertOnly: true: once an item is modified or removed, nobody knows the second %s", name, name)
		}
	}
	if v.insertOnly && v.subtractExpired {
		r.fault(f["from"].at, "from: insertOnly needs subtractExpired: false: an item that expires is removed")
	}
	return v
}

// written are the attributes of a view's items and what writes each: one thing alone.
type written struct {
	*reader
	by map[string]string
}

func (w written) add(at position, attribute, what string) {
	if by, taken := w.by[attribute]; taken {
		w.fault(at, "%s: attribute %s is %s already", what, attribute, by)
		return
	}
	w.by[attribute] = what
}

// kept reads pairs of an attribute of the view and one of the source.
func (w written) kept(n node, what string) map[string]string {
	kept := map[string]string{}
	for _, p := range w.pairs(n, what) {
		kept[p.key] = w.text(p.value, what+": "+p.key)
		w.add(p.at, p.key, what)
	}
	return kept
}

func (r *reader) from(v *View, n node) {
	if n.kind == absent {
		r.fault(n.at, "from is missing")
		return
	}
	f := r.fields(n, "from", "table", "where", "insertOnly", "subtractExpired")
	v.Source = r.text(f["table"], "from: table")
	v.insertOnly = r.boolean(f["insertOnly"], "from: insertOnly", false)
	v.subtractExpired = r.boolean(f["subtractExpired"], "from: subtractExpired", true)
	for _, p := range r.pairs(f["where"], "from: where") {
		c := condition{attribute: p.key}
		if p.value.kind == object {
			c.prefix = true
			p.value = r.fields(p.value, "from: where: "+p.key, "prefix")["prefix"]
		}
		c.text = r.text(p.value, "from: where: "+p.key)
		v.where = append(v.where, c)
	}
}

func (r *reader) into(v *View, n node) {
	if n.kind == absent {
		r.fault(n.at, "into is missing")
		return
	}
	f := r.fields(n, "into", "table", "key", "group")
	v.Table = r.text(f["table"], "into: table")
	v.key = map[string]template{}
	boxed := false
	for _, p := range r.pairs(f["key"], "into: key") {
		v.key[p.key] = r.template(p.value, "into: key: "+p.key, v)
		boxed = boxed || v.key[p.key].has(boxPlaceholder)
	}
	if len(v.key) < 1 || len(v.key) > 2 {
		r.fault(f["key"].at, "into: key has %d attributes; a table has one or two", len(v.key))
	}
	if v.Box != nil && !boxed {
		r.fault(f["key"].at, "into: key has no {%s}, so all boxes would be one item", boxPlaceholder)
	}
	if f["group"].kind != absent {
		group := r.template(f["group"], "into: group", v)
		v.group = &group
		for _, t := range v.key {
			for _, name := range t.names {
				if !group.has(name) {
					r.fault(f["group"].at, "into: group has no {%s}, so items with different keys would share a group", name)
				}
			}
		}
		r.ofKey(f["group"].at, "into: group", group, v)
	}
}

func (r *reader) shard(v *View, n node) {
	if n.kind == absent {
		return
	}
	f := r.fields(n, "shard", "attribute", "by", "count", "value")
	s := &shard{attribute: r.text(f["attribute"], "shard: attribute"), by: r.template(f["by"], "shard: by", v)}
	r.ofKey(f["by"].at, "shard: by", s.by, v)
	count := r.text(f["count"], "shard: count")
	var err error
	if s.count, err = strconv.Atoi(count); count != "" && (err != nil || s.count < 1) {
		r.fault(f["count"].at, "shard: count %q must be a whole number from 1", count)
	}
	if f["value"].kind != absent {
		value := r.template(f["value"], "shard: value", v)
		s.value = &value
		if len(value.texts) > 0 && !value.has(shardPlaceholder) {
			r.fault(f["value"].at, "shard: value has no {%s}, so all shards would be one", shardPlaceholder)
		}
		r.ofKey(f["value"].at, "shard: value", value, v, shardPlaceholder)
	}
	v.shard = s
}

// template reads a template. One that is impossible is a fault.
func (r *reader) template(n node, what string, v *View) template {
	text := r.text(n, what)
	if text == "" {
		return template{texts: []string{""}}
	}
	t, err := parseTemplate(text)
	if err != nil {
		r.fault(n.at, "%s: impossible template %q: %v", what, text, err)
		return template{texts: []string{text}}
	}
	if v.Box == nil && t.has(boxPlaceholder) {
		r.fault(n.at, "%s: impossible template %q: the view has no box", what, text)
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
			r.fault(at, "%s: {%s} is not in the view's key, so items with one key would differ in it", what, name)
		}
	}
}
