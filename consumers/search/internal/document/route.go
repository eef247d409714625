package document

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"sluice/shared/change"
	"sluice/shared/declaration"
)

// AllSuffix ends the name of the alias that functions write to. It shows tombstones too.
const AllSuffix = "-all"

// NextSuffix ends the name of the alias of the next index, which exists while a reindex builds that index.
const NextSuffix = "-next"

// Route declares which items of a table are indexed, and in which index.
type Route struct {
	Name   string
	Source string // the table
	Index  string // the name that people search under

	at         declaration.Position
	where      []declaration.Condition
	definition []byte // the index's settings and mappings
	keep       []declaration.Path
	leaveOut   []declaration.Path
	rename     map[string]string // fields by paths
	shape      shape             // of keep, leaveOut and rename
	mapping    *mapped           // of the definition
}

// Effect tells what a change does to the index.
func (r *Route) Effect(c *change.Change) declaration.Effect { return declaration.EffectOf(r.where, c) }

// WriteAlias is the alias that functions write to.
func (r *Route) WriteAlias() string { return r.Index + AllSuffix }

// NextAlias is the alias of the index that a reindex builds.
func (r *Route) NextAlias() string { return r.Index + NextSuffix }

// FirstIndex is the name of the index that is created if there is none.
func (r *Route) FirstIndex() string { return r.IndexName(1) }

// IndexName is the name of the route's nth index.
func (r *Route) IndexName(n int) string { return fmt.Sprintf("%s-%d", r.Index, n) }

// IndexNumber is the inverse of IndexName. It reports whether the name is one of the route's.
func (r *Route) IndexNumber(index string) (int, bool) {
	digits, ok := strings.CutPrefix(index, r.Index+"-")
	n, err := strconv.Atoi(digits)
	return n, ok && err == nil && n > 0
}

// owns reports whether the route uses a name for an index or alias.
func (r *Route) owns(name string) bool {
	_, numbered := r.IndexNumber(name)
	return numbered || slices.Contains([]string{r.Index, r.WriteAlias(), r.NextAlias()}, name)
}

// Where describes which items the route takes; "" if it takes all.
func (r *Route) Where() string { return declaration.Where(r.where) }
