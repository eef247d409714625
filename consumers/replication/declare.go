package replication

import (
	"slices"
	"strings"

	"sluice/consumers/replication/mark"
	"sluice/shared/declaration"
)

// ReplicasFile is the file of a pipeline that declares the routes, and the tables that are shared by regions.
const ReplicasFile = "replicas.yaml"

// Routes returns the routes that the consumer serves in its home region, where its sources are.
func Routes(d declaration.Declarations, home string) ([]*Route, error) {
	routes, _, err := Declared(d, home)
	return routes, err
}

// Declared returns the routes, and the tables that are shared by regions, which the consumer serves in its home region. The error
// has every fault with its line and column: [*declaration.Error], joined.
func Declared(d declaration.Declarations, home string) ([]*Route, []*Shared, error) {
	path, text, err := d.Read(ReplicasFile)
	if err != nil {
		return nil, nil, err
	}
	r := &reader{declaration.NewReader(path, d.Settings)}
	root, ok := r.Parse(text)
	if !ok {
		return nil, nil, r.Err()
	}
	f := r.Fields(root, "the file", "replicas", "shared")
	declared, tables := f["replicas"], f["shared"]
	if declared.Kind != declaration.List {
		if tables.Kind == declaration.Absent || declared.Kind != declaration.Absent {
			r.Fault(declared.At, "replicas must be a list of replicas")
		}
	}
	var routes []*Route
	for _, n := range declared.Items {
		routes = append(routes, r.route(n))
	}
	shared := r.sharedTables(tables, home)
	if !r.Faults() {
		r.checkTogether(routes, home)
		r.checkShared(shared, routes)
	}
	if err := r.Err(); err != nil {
		return nil, nil, err
	}
	return routes, shared, nil
}

// reader reads routes.
type reader struct{ *declaration.Reader }

func (r *reader) route(n declaration.Node) *Route {
	route := &Route{at: n.At}
	f := r.Fields(n, "replica", "name", "from", "into", "leaveOut", "mask")
	route.Name = r.Text(f["name"], "name")

	from := r.Fields(f["from"], "from", "table", "where", "removeExpired")
	route.Source = r.Text(from["table"], "from: table")
	route.RemoveExpired = r.Boolean(from["removeExpired"], "from: removeExpired", true)
	route.where = r.Conditions(from["where"], "from: where")

	into := r.Fields(f["into"], "into", "table", "region")
	route.Table = r.Text(into["table"], "into: table")
	route.Region = r.Text(into["region"], "into: region")

	route.leaveOut = r.attributes(f["leaveOut"], "leaveOut")
	route.mask = r.attributes(f["mask"], "mask")
	for _, name := range route.mask {
		if slices.Contains(route.leaveOut, name) {
			r.Fault(f["mask"].At, "mask: attribute %s is left out already", name)
		}
	}
	return route
}

// attributes reads a list of attributes' names.
func (r *reader) attributes(n declaration.Node, what string) []string {
	if n.Kind != declaration.List && n.Kind != declaration.Absent {
		r.Fault(n.At, "%s must be a list of attributes, not %v", what, n.Kind)
	}
	var names []string
	for _, item := range n.Items {
		name := r.Name(item, what+": attribute")
		if name == mark.Attribute {
			r.Fault(item.At, "%s: attribute %s is Sluice's own", what, name)
		}
		names = append(names, name)
	}
	return names
}

// checkTogether checks what only all routes together tell: that no two write the
// same table, and that none leads back to where it came from.
func (r *reader) checkTogether(routes []*Route, home string) {
	for i, route := range routes {
		for _, earlier := range routes[:i] {
			if route.Name == earlier.Name {
				r.Fault(route.at, "a replica named %s stands in line %d already", route.Name, earlier.at.Line)
			}
			if route.Table == earlier.Table && route.Region == earlier.Region {
				r.Fault(route.at, "replicas %s and %s both write table %s in %s; give each a table of its own", earlier.Name, route.Name, route.Table, route.Region)
			}
		}
		if path := leadsBack(route, route.Source, routes, home, nil); path != nil {
			r.Fault(route.at, "replica %s leads back to the table that it copies, so its changes would go round for ever: %s → %s",
				route.Name, route.Source, strings.Join(path, " → "))
		}
	}
}

// leadsBack returns the tables on the way from a route to the table start, as far
// as this file's routes go; nil if there is none. Copies in other regions are
// sources of other functions.
func leadsBack(route *Route, start string, routes []*Route, home string, seen []*Route) []string {
	switch {
	case route.Region != home || slices.Contains(seen, route):
		return nil
	case route.Table == start:
		return []string{start}
	}
	for _, next := range routes {
		if next.Source != route.Table {
			continue
		}
		if path := leadsBack(next, start, routes, home, append(seen, route)); path != nil {
			return append([]string{route.Table}, path...)
		}
	}
	return nil
}
