package search

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"sluice/shared/change"
	"sluice/shared/declaration"
)

// AllSuffix is behind an index's name in the alias that has tombstones too.
const AllSuffix = "-all"

// NextSuffix is behind an index's name in the alias of the index that is being made
// in its place, while it is.
const NextSuffix = "-next"

// Route says what of a table is indexed, and where.
type Route struct {
	Name   string
	Source string // the table
	Index  string // the name that people search under

	at         declaration.Position
	where      []declaration.Condition
	definition []byte // the index's settings and mappings
	keep       []string
	leaveOut   []string
	rename     map[string]string
	renamedTo  map[string]string // attributes by the fields that they are renamed to
	mapping    *mapped           // of the definition
}

// effect is what a change does to a route's index.
type effect uint8

const (
	nothing effect = iota
	put
	remove
)

// effect tells what a change does to the index: an item that comes to match the
// filter is put there, one that ceases to is removed.
func (r *Route) effect(c *change.Change) effect {
	switch {
	case declaration.AllHoldIn(r.where, c.Keys, c.New):
		return put
	case c.LacksOld(), // whether it matched nobody knows; what isn't there is removed without harm
		declaration.AllHoldIn(r.where, c.Keys, c.Old):
		return remove
	}
	return nothing
}

// field returns the name that an attribute has in documents; "": it is left out.
func (r *Route) field(attribute string) string {
	if r.keep != nil && !slices.Contains(r.keep, attribute) || slices.Contains(r.leaveOut, attribute) {
		return ""
	}
	if name, ok := r.rename[attribute]; ok {
		return name
	}
	return attribute
}

// all is the alias that is written to.
func (r *Route) all() string { return r.Index + AllSuffix }

// next is the alias of the index that is being made in the place of the current one.
func (r *Route) next() string { return r.Index + NextSuffix }

// first is the index that is made if there is none.
func (r *Route) first() string { return r.numbered(1) }

// numbered is the name of the index that was made as the nth.
func (r *Route) numbered(n int) string { return fmt.Sprintf("%s-%d", r.Index, n) }

// number is the inverse of numbered.
func (r *Route) number(index string) (int, bool) {
	digits, ok := strings.CutPrefix(index, r.Index+"-")
	n, err := strconv.Atoi(digits)
	return n, ok && err == nil && n > 0
}

// owns tells whether an index or alias is called as those are that are made for the route.
func (r *Route) owns(name string) bool {
	_, numbered := r.number(name)
	return numbered || slices.Contains([]string{r.Index, r.all(), r.next()}, name)
}

// Where describes which items the route takes; "" for all.
func (r *Route) Where() string { return declaration.Where(r.where) }
