package document

import (
	"encoding/json"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"sluice/shared/declaration"
)

// ReadRoutes reads and checks the routes that a file declares. The file may use variables. The folder indexes of
// definitions has the indexes' definitions; where is that folder's parent, for errors. The error has every fault with
// its line and column: [*declaration.Error], joined.
func ReadRoutes(path string, text []byte, variables map[string]string, definitions fs.FS, where string) ([]*Route, error) {
	r := &reader{declaration.NewReader(path, variables), definitions, where}
	root, ok := r.Parse(text)
	if !ok {
		return nil, r.Err()
	}
	declared := r.Fields(root, "the file", "routes")["routes"]
	if declared.Kind != declaration.List {
		r.Fault(declared.At, "routes must be a list of routes")
	}
	var routes []*Route
	for _, n := range declared.Items {
		routes = append(routes, r.route(n))
	}
	if !r.Faults() {
		r.checkTogether(routes)
	}
	if err := r.Err(); err != nil {
		return nil, err
	}
	return routes, nil
}

// reader reads routes.
type reader struct {
	*declaration.Reader
	definitions fs.FS  // the folder indexes has them
	where       string // the folder is, for errors
}

func (r *reader) route(n declaration.Node) *Route {
	route := &Route{at: n.At}
	f := r.Fields(n, "route", "name", "from", "into", "keep", "leaveOut", "rename")
	route.Name = r.Text(f["name"], "name")

	from := r.Fields(f["from"], "from", "table", "where")
	route.Source = r.Text(from["table"], "from: table")
	route.where = r.Conditions(from["where"], "from: where")

	into := r.Fields(f["into"], "into", "index", "definition")
	route.Index = r.index(into["index"])
	r.definition(into["definition"], route)

	route.keep = r.attributes(f["keep"], "keep")
	route.leaveOut = r.attributes(f["leaveOut"], "leaveOut")
	if route.keep != nil && route.leaveOut != nil {
		r.Fault(f["leaveOut"].At, "leaveOut and keep can't be combined: what isn't kept is left out")
	}
	route.rename = r.renames(f["rename"], route)
	route.shape = shapeOf(route.keep, route.leaveOut, route.rename)
	return route
}

// indexName is what OpenSearch accepts as an index's name, if the name can be searched without quotes.
var indexName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,199}$`)

func (r *reader) index(n declaration.Node) string {
	name := r.Text(n, "into: index")
	if name != "" && !indexName.MatchString(name) {
		r.Fault(n.At, "into: index %q must be of small letters, digits, - and _, begin with a letter or digit, and have at most 200 of them", name)
	}
	return name
}

// definition reads the settings and mappings of a route's index from the file that is named.
func (r *reader) definition(n declaration.Node, route *Route) {
	route.mapping = &mapped{Type: "object", dynamic: true}
	name := r.Text(n, "into: definition")
	if name == "" {
		return
	}
	text, err := fs.ReadFile(r.definitions, "indexes/"+name)
	if err != nil {
		r.Fault(n.At, "into: definition: %sindexes has no %s", r.where, name)
		return
	}
	var known struct {
		Settings, Mappings map[string]any
	}
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&known); err != nil {
		r.Fault(n.At, "into: definition: %sindexes/%s must be an object of settings and mappings: %v", r.where, name, err)
		return
	}
	if err := route.Define(text); err != nil {
		r.Fault(n.At, "into: definition: the mappings of %sindexes/%s: %v", r.where, name, err)
	}
}

// attributes reads a list of paths to attributes, or to values within them.
func (r *reader) attributes(n declaration.Node, what string) []declaration.Path {
	if n.Kind != declaration.List && n.Kind != declaration.Absent {
		r.Fault(n.At, "%s must be a list of attributes, not %v", what, n.Kind)
	}
	var paths []declaration.Path
	for _, item := range n.Items {
		p := r.Path(item, what+": attribute")
		if p.IsZero() {
			continue // reported already
		}
		for _, other := range paths {
			switch {
			case other.String() == p.String():
				r.Fault(item.At, "%s: attribute %s is listed twice", what, p)
			case other.Leads(p):
				r.Fault(item.At, "%s: %s is part of %s, which is listed too; leave one out", what, p, other)
			case p.Leads(other):
				r.Fault(item.At, "%s: %s is part of %s, which is listed too; leave one out", what, other, p)
			}
		}
		paths = append(paths, p)
	}
	return paths
}

// renames reads an object of paths and the names of their fields.
func (r *reader) renames(n declaration.Node, route *Route) map[string]string {
	renames := map[string]string{}
	paths := map[string]declaration.Path{}
	pairs := r.Pairs(n, "rename")
	for _, p := range pairs {
		renames[p.Key] = r.Text(p.Value, "rename: "+p.Key)
		paths[p.Key] = r.Path(declaration.Node{Kind: declaration.Scalar, At: p.At, Text: p.Key}, "rename: attribute")
	}
	given := map[string]string{}
	for _, p := range pairs {
		field := renames[p.Key]
		switch {
		case field == "" || paths[p.Key].IsZero(): // reported already
		case !route.takes(paths[p.Key]):
			r.Fault(p.At, "rename: attribute %s is left out already", p.Key)
		case IsOwn(field) || strings.HasPrefix(field, Field+".") || strings.HasPrefix(field, ItemField+"."):
			r.Fault(p.Value.At, "rename: field %s is Sluice's own", field)
		case Metadata[field]:
			r.Fault(p.Value.At, "rename: field %s is one that OpenSearch keeps for itself", field)
		case !route.mapping.takesName(field, true, route.mapping.dynamic):
			r.Fault(p.Value.At, "rename: OpenSearch takes no field %q: dots are a path, whose parts need a name each and must be objects", field)
		case given[field] != "":
			r.Fault(p.Value.At, "rename: attributes %s and %s both become field %s", given[field], p.Key, field)
		case route.stays(field, renames):
			r.Fault(p.Value.At, "rename: attribute %s would become field %s, which attribute %[2]s of this route has already; rename that one too, or leave it out", p.Key, field)
		case !route.mapping.maps(field):
			r.Fault(p.Value.At, "rename: the definition maps no field %s, so attribute %s would not be found there; map the field, or choose one that is mapped", field, p.Key)
		}
		given[field] = p.Key
	}
	return renames
}

// stays reports whether the route names an attribute that keeps its own name as a field.
func (r *Route) stays(attribute string, renames map[string]string) bool {
	_, renamed := renames[attribute]
	names := func(p declaration.Path) bool { return p.String() == attribute }
	named := slices.ContainsFunc(r.keep, names) || slices.ContainsFunc(r.where, func(c declaration.Condition) bool { return names(c.Attribute) })
	return named && !renamed && !slices.ContainsFunc(r.leaveOut, names)
}

// checkTogether checks each route against the others.
func (r *reader) checkTogether(routes []*Route) {
	for i, route := range routes {
		for _, earlier := range routes[:i] {
			if route.Name == earlier.Name {
				r.Fault(route.at, "a route named %s is declared in line %d already", route.Name, earlier.at.Line)
			}
			switch {
			case route.Index == earlier.Index:
				r.Fault(route.at, "routes %s and %s both write index %s; give each an index of its own", earlier.Name, route.Name, route.Index)
			case earlier.owns(route.Index):
				r.Fault(route.at, "index %s of route %s is a name that Sluice makes for index %s of route %s; choose another", route.Index, route.Name, earlier.Index, earlier.Name)
			case route.owns(earlier.Index):
				r.Fault(route.at, "index %s of route %s is a name that Sluice makes for index %s of route %s; choose another", earlier.Index, earlier.Name, route.Index, route.Name)
			}
		}
	}
}
