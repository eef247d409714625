package cli

import (
	"fmt"
	"io"
	"slices"

	"sluice/cli/verb"
	"sluice/shared/change"
	"sluice/shared/printable"
)

// decodedWidth is how many columns of a terminal a value takes at most.
const decodedWidth = 120

type decodeCommand struct {
	File string `arg:"" type:"existingfile" help:"What was recorded: see below. - reads standard input."`
}

// Help is what kong prints below the verb's own line.
func (c *decodeCommand) Help() string {
	return "It knows " + decodedForms + ".\nOf these there may be several in a file, one after the other or in a JSON array."
}

func (c *decodeCommand) Run() error {
	text, err := verb.ReadText(c.File)
	if err != nil {
		return err
	}
	return decode(verb.Stdout, text)
}

// printChange prints a change with what it did to each attribute.
func printChange(out io.Writer, c *change.Change) error {
	by := ""
	if c.ByTTL() {
		by = "  expired (TTL)"
	}
	fmt.Fprintf(out, "  %s %s  %s%s\n", c.Kind, c.Table, c.Time().UTC().Format("2006-01-02 15:04:05.000000 MST"), by)
	table := printable.Table{MaxWidth: decodedWidth}
	for _, name := range attributeNames(c) {
		before, hadIt := text(c.Old, name)
		after, hasIt := text(c.New, name)
		key, isKey := text(c.Keys, name)
		indented := "    " + name
		switch {
		case isKey:
			table.Row(indented, key, "key")
		case hadIt && hasIt && before == after:
			table.Row(indented, after)
		case hadIt && hasIt:
			table.Row(indented, after, "was "+before)
		case hasIt:
			table.Row(indented, after, "new")
		default:
			table.Row(indented, before, "gone")
		}
	}
	return table.Flush(out)
}

// attributeNames lists a change's attributes: keys first, then by name.
func attributeNames(c *change.Change) []string {
	var keys, others []string
	seen := map[string]bool{}
	for _, image := range []change.Image{c.Keys, c.Old, c.New} {
		for name := range image.All() {
			if seen[name] {
				continue
			}
			seen[name] = true
			if _, isKey := c.Keys.Get(name); isKey {
				keys = append(keys, name)
			} else {
				others = append(others, name)
			}
		}
	}
	slices.Sort(keys)
	slices.Sort(others)
	return append(keys, others...)
}

// text shows a value as its type and document JSON.
func text(image change.Image, name string) (string, bool) {
	v, ok := image.Get(name)
	if !ok {
		return "", false
	}
	return string(v.AppendJSON([]byte(v.Type().String() + " "))), true
}
