package document

import (
	"iter"
	"maps"
	"slices"

	"sluice/shared/change"
	"sluice/shared/declaration"
)

// Attribute is an attribute of an item, or a value within one, that becomes a field.
type Attribute struct {
	Name  string // its own name; the path of a value within an attribute
	Field string // that it becomes
	Value change.Value

	within bool // it is a value within an attribute
}

// shape is what a route's keep, leaveOut and rename make of an item.
type shape struct {
	plain    bool // attributes become fields as they are
	keepsAll bool
	whole    map[string]bool   // names of the attributes that keep has
	left     map[string]bool   // names of the attributes that leaveOut has
	renamed  map[string]string // fields by attributes' names
	parts    map[string]*part  // of the attributes that paths lead into, by their names
	moved    []moved
	movedTo  map[string]declaration.Path // what a field is renamed from
}

// moved is a value within an attribute that becomes a field of its own.
type moved struct {
	path  declaration.Path
	field string
	part  *part
}

// part selects what of a value is left where it stands in the item.
type part struct {
	all     bool // members that aren't among these are taken
	out     bool // nothing is left
	members map[string]*part
}

var _ change.Selector = (*part)(nil)

// Member implements [change.Selector].
func (p *part) Member(name string) (change.Selector, bool) {
	if inner := p.members[name]; inner != nil {
		return inner, !inner.out
	}
	return nil, p.all
}

// shapeOf makes the shape of a route's keep, leaveOut and rename.
func shapeOf(keep, leaveOut []declaration.Path, rename map[string]string) shape {
	s := shape{
		plain: keep == nil && len(leaveOut)+len(rename) == 0, keepsAll: keep == nil, whole: map[string]bool{}, left: map[string]bool{},
		renamed: map[string]string{}, parts: map[string]*part{}, movedTo: map[string]declaration.Path{},
	}
	for _, p := range keep {
		if name, whole := p.Name(); whole {
			s.whole[name] = true
		} else {
			s.part(p).all = true
		}
	}
	for _, p := range leaveOut {
		if name, whole := p.Name(); whole {
			s.left[name] = true
		} else {
			s.part(p).out = true
			s.left[p.String()] = true // an index has one field for member b of a and for an attribute whose own name is a.b
		}
	}
	for _, text := range slices.Sorted(maps.Keys(rename)) {
		p, err := declaration.ParsePath(text)
		if err != nil {
			continue // the reader has reported it
		}
		s.movedTo[rename[text]] = p
		if name, whole := p.Name(); whole {
			s.renamed[name] = rename[text]
		} else {
			of := s.part(p)
			of.out = true
			s.moved = append(s.moved, moved{p, rename[text], of})
		}
	}
	return s
}

// part returns the part to which a path leads, a new one that is as the one around it.
func (s *shape) part(p declaration.Path) *part {
	attribute, _ := p.Name()
	at := &part{all: s.keepsAll || s.whole[attribute], members: s.parts}
	for name := range p.Names() {
		if at.members[name] == nil {
			at.members[name] = &part{all: at.all, members: map[string]*part{}}
		}
		at = at.members[name]
	}
	return at
}

// takes reports whether a value is in documents, under whatever name.
func (r *Route) takes(p declaration.Path) bool {
	leads := func(to declaration.Path) bool { return to.Leads(p) }
	return (r.keep == nil || slices.ContainsFunc(r.keep, leads)) && !slices.ContainsFunc(r.leaveOut, leads)
}

// Field returns the name that an attribute has in documents; "" if the route leaves it out.
func (r *Route) Field(attribute string) string {
	s := &r.shape
	if s.plain {
		return attribute
	}
	if !s.keepsAll && !s.whole[attribute] && s.parts[attribute] == nil || s.left[attribute] {
		return ""
	}
	if name, ok := s.renamed[attribute]; ok {
		return name
	}
	return attribute
}

// Attributes yields what of a change's new image becomes fields, keys first.
func (r *Route) Attributes(c *change.Change) iter.Seq[Attribute] {
	return func(yield func(Attribute) bool) {
		for name, v := range c.Keys.All() {
			if !r.yield(name, v, yield) {
				return
			}
		}
		for name, v := range c.New.All() {
			if _, isKey := c.Keys.Get(name); !isKey && !r.yield(name, v, yield) {
				return
			}
		}
		for _, m := range r.shape.moved {
			v, err := m.path.Of(c.Keys, c.New)
			if err != nil || v.Type() == 0 {
				continue // a path that leads nowhere is as if the value were absent
			}
			if !yield(Attribute{m.path.String(), m.field, v.Filter(m.part), true}) {
				return
			}
		}
	}
}

// yield yields what is left of an attribute; false if no more is wanted.
func (r *Route) yield(name string, v change.Value, yield func(Attribute) bool) bool {
	if r.shape.plain {
		return yield(Attribute{Name: name, Field: name, Value: v})
	}
	field := r.Field(name)
	if field == "" {
		return true
	}
	if of := r.shape.parts[name]; of != nil {
		v = v.Filter(of)
		if !of.all && (v.Type() != change.M || v.Len() == 0) {
			return true // nothing that is kept is in it
		}
	}
	return yield(Attribute{Name: name, Field: field, Value: v})
}
