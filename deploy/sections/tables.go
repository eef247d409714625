package sections

import (
	"maps"
	"slices"

	"sluice/deploy/local/template"
)

// Table is a table that a template in deploy makes, or names.
type Table struct {
	template.Table
	Application string // the template's name in the template of the whole pipeline
	Output      string // of the template, which has the table's name
}

// Tables returns the tables of the templates in deploy, with the names that they have without a prefix, by the templates' names.
func Tables(root string) ([]Table, error) {
	parts, err := readParts(root)
	if err != nil {
		return nil, err
	}
	var tables []Table
	for _, p := range parts.all {
		for _, table := range p.resources.Tables {
			found := Table{Table: table, Application: Logical(p.name)}
			for _, output := range slices.Sorted(maps.Keys(p.resources.Outputs)) {
				if p.resources.Outputs[output] == table.Name {
					found.Output = output
				}
			}
			tables = append(tables, found)
		}
	}
	return tables, nil
}
