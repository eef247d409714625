package sections

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"sluice/shared/declaration"
	"sluice/shared/operate"
)

// Consumer returns a consumer's template with the sections that follow from the declarations. The error says what is missing, or what
// is wrong with the declarations.
func Consumer(text []byte, p declaration.Pipeline, c operate.Declarer) ([]byte, error) {
	n, err := needsOf(p, c)
	if err != nil {
		return nil, err
	}
	return n.consumer(text)
}

// consumer returns a consumer's template with its sections.
func (n *needs) consumer(text []byte) ([]byte, error) {
	var parameters, environment, outputs strings.Builder
	_, after, _ := strings.Cut(section.ReplaceAllString(string(text), ""), "\nOutputs:")
	for _, setting := range n.named {
		name := declaration.Output(setting)
		parameters.WriteString(parameter(string(text), setting, n.defaults.Settings[setting]))
		if !has(after, name) {
			fmt.Fprintf(&outputs, "%s:\n  Description: The setting %s of pipeline/%s.\n  Value: !Ref %s\n", name, setting, declaration.SettingsFile, name)
		}
		fmt.Fprintf(&environment, "%s: !Ref %s\n", setting, name)
	}
	further := map[string]string{}
	maps.Copy(further, n.Outputs)
	if sources := operate.Distinct(n.Sources); len(sources) > 0 {
		further["SourceTables"] = strings.Join(sources, ",")
	}
	for _, name := range slices.Sorted(maps.Keys(further)) {
		fmt.Fprintf(&outputs, "%s:\n  Description: %s\n  Value: !Sub %q\n", name, describe[name], further[name])
	}
	filled, err := fill(string(text), map[string]string{
		"parameters": parameters.String(), "rights": statements(n.Rights), "environment": environment.String(), "outputs": outputs.String(),
	})
	return []byte(filled), err
}

// parameter returns the parameter for a setting, or nothing if the template has it outside of the sections.
func parameter(text, setting, value string) string {
	before, _, _ := strings.Cut(section.ReplaceAllString(text, ""), "\nResources:")
	name := declaration.Output(setting)
	if has(before, name) {
		return ""
	}
	return fmt.Sprintf("%s:\n  Type: String\n  Default: %q\n  Description: The setting %s of pipeline/%s.\n", name, value, setting, declaration.SettingsFile)
}

// has reports whether a part of a template has an entry of that name.
func has(part, name string) bool { return strings.Contains("\n"+part, "\n  "+name+":\n") }

// describe says what further outputs are.
var describe = map[string]string{
	"SourceTables":   "Names of the tables whose changes the consumer takes. sluice status checks that the changes reach the stream.",
	"ReplicaRegions": "Regions with copies, separated by commas.",
	"SharedRegions":  "Regions in which applications write to shared tables, separated by commas. This template is deployed in each.",
}

// statements returns the statements of a role.
func statements(rights []operate.Right) string {
	var all strings.Builder
	for _, r := range rights {
		var one strings.Builder
		fmt.Fprintf(&one, "- Effect: Allow\n  Action: [%s]\n  Resource:\n", strings.Join(r.Actions, ", "))
		for _, resource := range r.Resources {
			fmt.Fprintf(&one, "    - !Sub %q\n", resource)
		}
		if r.Condition == "" {
			all.WriteString(one.String())
			continue
		}
		fmt.Fprintf(&all, "- !If\n  - %s\n%s  - !Ref AWS::NoValue\n", r.Condition, indented("  ", one.String()))
	}
	return all.String()
}

// plain is a value that no name has.
var plain = regexp.MustCompile(`^(true|false|-?[0-9.]+)$`)

// needs are what a consumer's declarations need, with ${OrdersTable} in the place of the setting ORDERS_TABLE in each name. Settings that
// are numbers or truth values keep their defaults.
type needs struct {
	operate.Needs
	defaults  declaration.Declarations
	byDefault operate.Needs // with the defaults of all settings
	named     []string      // the settings that the declarations name
}

func needsOf(p declaration.Pipeline, c operate.Declarer) (*needs, error) {
	n := &needs{}
	var err error
	if n.defaults, err = p.Defaults(); err != nil {
		return nil, err
	}
	if n.byDefault, err = c.Needs(n.defaults); err != nil { // with the faults' own words
		return nil, err
	}
	if n.named, err = p.Named(n.byDefault.File); err != nil {
		return nil, err
	}
	d := n.defaults
	d.Settings = maps.Clone(d.Settings)
	var pairs []string
	for i, name := range slices.Sorted(maps.Keys(d.Settings)) {
		if !plain.MatchString(d.Settings[name]) {
			// No other text has it, and it can name a table, an index or a region.
			d.Settings[name] = fmt.Sprintf("zz-setting-%d", 100+i)
			pairs = append(pairs, d.Settings[name], "${"+declaration.Output(name)+"}")
		}
	}
	if n.Needs, err = c.Needs(d); err != nil {
		return nil, fmt.Errorf("%s: settings can't have just any value here: %w", n.byDefault.File, err)
	}
	named := strings.NewReplacer(pairs...)
	replace := func(texts []string) {
		for i := range texts {
			texts[i] = named.Replace(texts[i])
		}
	}
	replace(n.Sources)
	for _, r := range n.Rights {
		replace(r.Resources)
	}
	for name, value := range n.Outputs {
		n.Outputs[name] = named.Replace(value)
	}
	for i, c := range n.Copies {
		n.Copies[i] = operate.Copy{Source: named.Replace(c.Source), Table: named.Replace(c.Table), Region: named.Replace(c.Region)}
	}
	return n, nil
}
