package template

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Template is a template that was read but not yet resolved.
type Template struct {
	Path       string      // the file's
	Parameters []Parameter // the template's, in order

	mappings   node
	conditions node
	resources  node
	outputs    node
}

// Parameter is a parameter that a template declares.
type Parameter struct {
	Name    string
	Default *string // nil if the parameter must be given

	at       position
	number   bool
	list     bool // of texts, separated by commas
	allowed  []string
	pattern  *regexp.Regexp // nil: any text
	min, max *float64
}

// The sections that say nothing about resources.
var sectionsPassedOver = []string{"AWSTemplateFormatVersion", "Description", "Metadata", "Transform"}

// Read reads the template at path. Faults are of type [*Error], joined.
func Read(path string) (*Template, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return Parse(path, text)
}

// Parse is Read of a template's text. Paths in the text are as those of the file at path.
func Parse(path string, text []byte) (*Template, error) {
	root, err := parse(path, text)
	if err != nil {
		return nil, err
	}
	found := &faults{path: path}
	d := decoder{found}
	sections := d.object(root, "template", []string{"Parameters", "Mappings", "Conditions", "Resources", "Outputs"}, sectionsPassedOver)
	t := &Template{
		Path: path, mappings: sections.get("Mappings"), conditions: sections.get("Conditions"), resources: sections.get("Resources"), outputs: sections.get("Outputs"),
	}
	for _, p := range d.pairs(sections.get("Parameters"), "Parameters") {
		t.Parameters = append(t.Parameters, d.parameter(p))
	}
	if t.resources.kind != object {
		found.add(root.at, "no Resources")
	}
	if err := found.err(); err != nil {
		return nil, err
	}
	return t, nil
}

// existing begins the name of a parameter that names a table which is there already; with the value none the template makes the table.
const existing = "Existing"

// MakesTables returns the parameters with which the template makes each of its tables, also one that may be there already.
func (t *Template) MakesTables() map[string]string {
	given := map[string]string{}
	for _, p := range t.Parameters {
		if strings.HasPrefix(p.Name, existing) {
			given[p.Name] = "none"
		}
	}
	return given
}

// OutputNames returns the names of the template's outputs, in order.
func (t *Template) OutputNames() []string {
	var names []string
	for _, p := range t.outputs.pairs {
		names = append(names, p.key)
	}
	return names
}

func (d decoder) parameter(p pair) Parameter {
	what := "parameter " + p.key
	fields := d.object(p.value, what, []string{"Type", "Default", "AllowedValues", "AllowedPattern", "MinValue", "MaxValue"},
		[]string{"Description", "ConstraintDescription", "NoEcho"})
	parameter := Parameter{Name: p.key, at: p.at}
	switch kind := d.text(fields.get("Type"), what+": Type"); kind {
	case "String":
	case "Number":
		parameter.number = true
	case "CommaDelimitedList":
		parameter.list = true
	default:
		d.add(p.at, "%s has Type %q; understood here: CommaDelimitedList, Number, String", what, kind)
	}
	if value := fields.get("Default"); value.kind != null {
		text := d.text(value, what+": Default")
		parameter.Default = &text
	}
	for _, value := range d.items(fields.get("AllowedValues"), what+": AllowedValues") {
		parameter.allowed = append(parameter.allowed, d.text(value, what+": AllowedValues"))
	}
	if pattern := fields.get("AllowedPattern"); pattern.kind != null {
		var err error
		// CloudFormation compares the whole text: a pattern has anchors at both ends.
		if parameter.pattern, err = regexp.Compile("^(?:" + d.text(pattern, what+": AllowedPattern") + ")$"); err != nil {
			d.add(pattern.at, "%s: AllowedPattern: %v", what, err)
		}
	}
	parameter.min = d.limit(fields.get("MinValue"), what+": MinValue")
	parameter.max = d.limit(fields.get("MaxValue"), what+": MaxValue")
	return parameter
}

func (d decoder) limit(n node, what string) *float64 {
	if n.kind == null {
		return nil
	}
	limit, err := strconv.ParseFloat(d.text(n, what), 64)
	if err != nil {
		d.add(n.at, "%s must be a number, not %q", what, n.text)
	}
	return &limit
}

// check returns what is wrong with a value for the parameter, or "".
func (p Parameter) check(value string) string {
	if p.allowed != nil && !slices.Contains(p.allowed, value) {
		return fmt.Sprintf("parameter %s = %q must be one of: %s", p.Name, value, oneOf(p.allowed))
	}
	if p.pattern != nil && !p.pattern.MatchString(value) {
		return fmt.Sprintf("parameter %s = %q must match the pattern %v", p.Name, value, p.pattern)
	}
	if !p.number {
		return ""
	}
	number, err := strconv.ParseFloat(value, 64)
	switch {
	case err != nil:
		return fmt.Sprintf("parameter %s = %q must be a number", p.Name, value)
	case p.min != nil && number < *p.min:
		return fmt.Sprintf("parameter %s = %s must be at least %v", p.Name, value, *p.min)
	case p.max != nil && number > *p.max:
		return fmt.Sprintf("parameter %s = %s must be at most %v", p.Name, value, *p.max)
	}
	return ""
}

// Scope is what a template is resolved with.
type Scope struct {
	StackName     string
	Region        string
	AccountID     string
	Parameters    map[string]string // values for parameters of the template; the others keep their defaults
	QueueEndpoint string            // the URL at which queues are served; a queue's URL is below it
}

// Resolve gives every resource its name and resolves every reference. Faults are of type [*Error], joined.
func (t *Template) Resolve(scope Scope) (*Resources, error) {
	found := &faults{path: t.Path}
	resources := t.resolver(scope, found).resources(t)
	if err := found.err(); err != nil {
		return nil, err
	}
	resources.readStreams()
	for i, f := range resources.Functions {
		if !filepath.IsAbs(f.CodeDir) { // it is relative to the template
			resources.Functions[i].CodeDir = filepath.Join(filepath.Dir(t.Path), f.CodeDir)
		}
	}
	return resources, nil
}

// resolver makes what resolves the template's references, with every resource named.
func (t *Template) resolver(scope Scope, found *faults) *resolver {
	r := &resolver{decoder: decoder{found}, scope: scope, parameters: t.bind(scope, found), lists: t.lists(), mappings: t.mappings, conditions: map[string]bool{}, named: map[string]named{}}
	for _, p := range r.pairs(t.conditions, "Conditions") { // which don't refer to one another
		r.conditions[p.key] = r.holds(p.value)
	}
	r.name(t.resources)
	return r
}

func (r *resolver) resources(t *Template) *Resources {
	resources := &Resources{Outputs: map[string]string{}}
	for _, p := range t.resources.pairs {
		if resource, known := r.named[p.key]; known {
			into := resources
			if resource.absent { // still looked through for faults: with other parameters it is made
				into = &Resources{}
			}
			resourceTypes[resource.kind].decode(r.decoder, resource, r.resolve(resource.properties), into)
		}
	}
	for _, p := range r.pairs(t.outputs, "Outputs") {
		fields := r.object(p.value, "output "+p.key, []string{"Condition", "Value"}, []string{"Description", "Export"})
		if condition := fields.get("Condition"); condition.kind != null && !r.condition(condition) {
			continue
		}
		resources.Outputs[p.key] = r.text(r.resolve(fields.get("Value")), "output "+p.key+": Value")
	}
	return resources
}

// lists names the parameters that are lists.
func (t *Template) lists() map[string]bool {
	lists := map[string]bool{}
	for _, p := range t.Parameters {
		lists[p.Name] = p.list
	}
	return lists
}

func (t *Template) bind(scope Scope, found *faults) map[string]string {
	values := map[string]string{}
	for _, p := range t.Parameters {
		value, given := scope.Parameters[p.Name]
		if !given {
			if p.Default == nil {
				found.add(p.at, "parameter %s has no default and was not given", p.Name)
				values[p.Name] = ""
				continue
			}
			value = *p.Default
		}
		if fault := p.check(value); fault != "" {
			found.add(p.at, "%s", fault)
		}
		values[p.Name] = value
	}
	for name := range scope.Parameters {
		if _, known := values[name]; !known {
			found.add(position{1, 1}, "has no parameter %s, which was given", name)
		}
	}
	return values
}
