package replication

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/consumers/replication/internal/store"
	"sluice/shared/declaration"
)

// Shared is a table that applications write to in several regions.
type Shared struct {
	Name    string
	Table   string // in each of the regions
	Regions []string

	// Attribute ranks the versions of an item; "": nothing but when and where they were written does.
	Attribute string

	at     declaration.Position
	owners []owner // nil: nobody owns an item
}

// The conflict rules.
const (
	// lastWriter: of two writes of an item, neither made in knowledge of the other,
	// the later one stays.
	lastWriter = "lastWriter"
	// byOwner: of each item only the writes in one region count.
	byOwner = "owner"
	// byAttribute: of two versions that with the greater value of an attribute stays.
	byAttribute = "attribute"
)

// owner is a region that owns the items of which a key attribute begins with prefix.
type owner struct{ attribute, prefix, region string }

// Owner returns the region that owns an item, "" if none does.
func (t *Shared) Owner(key store.Item) string {
	for _, o := range t.owners {
		if text, ok := key[o.attribute].(*types.AttributeValueMemberS); ok && strings.HasPrefix(text.Value, o.prefix) {
			return o.region
		}
	}
	return t.defaultOwner()
}

// defaultOwner owns what no prefix fits: the first of the regions.
func (t *Shared) defaultOwner() string {
	if t.owners == nil {
		return ""
	}
	return t.Regions[0]
}

// sharedTables reads the tables that are shared by regions, of which home is one.
func (r *reader) sharedTables(n declaration.Node, home string) []*Shared {
	if n.Kind != declaration.List && n.Kind != declaration.Absent {
		r.Fault(n.At, "shared must be a list of tables, not %v", n.Kind)
	}
	var tables []*Shared
	for _, item := range n.Items {
		f := r.Fields(item, "shared table", "name", "table", "regions", "conflicts", "owners", "attribute")
		t := &Shared{at: item.At, Name: r.Text(f["name"], "name"), Table: r.Text(f["table"], "table")}
		if f["regions"].Kind != declaration.List || len(f["regions"].Items) < 2 {
			r.Fault(f["regions"].At, "regions must be a list of two regions or more")
		}
		for _, region := range f["regions"].Items {
			name := r.Text(region, "regions: region")
			if slices.Contains(t.Regions, name) {
				r.Fault(region.At, "regions: %s stands there twice", name)
			}
			t.Regions = append(t.Regions, name)
		}
		if !slices.Contains(t.Regions, home) {
			r.Fault(f["regions"].At, "regions: %s isn't among them, where this function runs: %s", home, strings.Join(t.Regions, ", "))
		}
		t.owners = r.owners(f["owners"], t.Regions)
		if f["attribute"].Kind != declaration.Absent {
			t.Attribute = r.Text(f["attribute"], "attribute")
		}
		r.rule(f)
		tables = append(tables, t)
	}
	return tables
}

// rules are the conflict rules, each with the field that only it has.
var rules = []struct{ name, field string }{{lastWriter, ""}, {byOwner, "owners"}, {byAttribute, "attribute"}}

// rule checks a shared table's conflict rule, and that the table has the fields of
// that and of no other.
func (r *reader) rule(f map[string]declaration.Node) {
	named := r.Text(f["conflicts"], "conflicts")
	if named == "" {
		return // that is said already
	}
	var names []string
	for _, rule := range rules {
		names = append(names, rule.name)
	}
	if !slices.Contains(names, named) {
		r.Fault(f["conflicts"].At, "conflicts: there is no rule %s; use one of %s", named, strings.Join(names, ", "))
		return
	}
	for _, rule := range rules {
		if rule.field != "" && (f[rule.field].Kind != declaration.Absent) != (rule.name == named) {
			r.Fault(f[rule.field].At, "%s belongs to conflicts: %s, and only to that", rule.field, rule.name)
		}
	}
}

// owners reads which region owns what.
func (r *reader) owners(n declaration.Node, regions []string) []owner {
	if n.Kind != declaration.List && n.Kind != declaration.Absent {
		r.Fault(n.At, "owners must be a list, not %v", n.Kind)
	}
	var owners []owner
	for _, item := range n.Items {
		f := r.Fields(item, "owner", "attribute", "prefix", "region")
		o := owner{attribute: r.Text(f["attribute"], "attribute"), prefix: r.Text(f["prefix"], "prefix"), region: r.Text(f["region"], "region")}
		if !slices.Contains(regions, o.region) {
			r.Fault(f["region"].At, "region: %s isn't among the table's regions", o.region)
		}
		owners = append(owners, o)
	}
	return owners
}

// checkShared checks that nobody else writes to a shared table.
func (r *reader) checkShared(tables []*Shared, routes []*Route) {
	for i, t := range tables {
		for _, earlier := range tables[:i] {
			if earlier.Table == t.Table {
				r.Fault(t.at, "table %s is shared in line %d already", t.Table, earlier.at.Line)
			}
		}
		for _, route := range routes {
			if route.Table == t.Table && slices.Contains(t.Regions, route.Region) {
				r.Fault(route.at, "replica %s writes table %s in %s, which is shared: line %d", route.Name, t.Table, route.Region, t.at.Line)
			}
		}
	}
}
