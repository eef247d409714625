package rule

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"

	"sluice/shared/declaration"
	"sluice/shared/view"
)

// The views that keep players' states are written as a file of views would be, in
// JSON, which is YAML: so their checks and their meaning are those of package view.

type object = map[string]any

// conditions writes conditions as the file has them.
func conditions(all ...declaration.Condition) object {
	out := object{}
	for _, c := range all {
		switch {
		case c.Compare == "":
			out[c.Attribute] = c.Text
		case c.Boolean():
			out[c.Attribute] = c.Text == "true"
		default:
			out[c.Attribute] = object{c.Compare: c.Text}
		}
	}
	return out
}

// zoneOf writes a zone as the file has it.
func zoneOf(n node) any {
	if n.Kind != declaration.Object {
		return n.Text
	}
	out := object{}
	for _, p := range n.Pairs {
		out[p.Key] = p.Value.Text
	}
	return out
}

// tallyOf names a sum or count by what it is of: a rule that is declared otherwise gets
// another one, and rules that count the same share it.
func tallyOf(r *Rule) string {
	text, err := json.Marshal([]any{r.kind.looks().sum, conditions(r.where...)})
	if err != nil {
		panic(err) // texts and objects of texts
	}
	h := fnv.New64a()
	h.Write(text) // never fails
	return "T" + hex.EncodeToString(h.Sum(nil))
}

// makeViews makes the views, one for each sort of item that any rule looks at.
func (b *Book) makeViews(table string) error {
	declared := map[string]object{}
	for _, r := range b.Rules {
		looks := r.kind.looks()
		if looks.none {
			continue
		}
		r.tally = tallyOf(r)
		name := r.viewName()
		v := declared[name]
		if v == nil {
			v = b.declare(name, r, table)
			declared[name] = v
		}
		if looks.sum != "" {
			v["sum"].(object)[r.tally] = object{"of": looks.sum, "where": conditions(r.where...)}
		} else {
			v["count"].(object)[r.tally] = conditions(r.where...)
		}
	}
	var all []object
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		all = append(all, declared[name])
	}
	if len(all) == 0 {
		return nil
	}
	var err error
	if b.Views, err = parseViews(all, b.Plays.SubtractExpired); err != nil {
		return err
	}
	b.OfTable, err = parseViews(all, true)
	return err
}

// parseViews reads the views, which subtract a play that has expired or don't.
func parseViews(all []object, subtractExpired bool) ([]*view.View, error) {
	for _, v := range all {
		v["from"].(object)["subtractExpired"] = subtractExpired
	}
	text, err := json.Marshal(object{"views": all})
	if err != nil {
		return nil, fmt.Errorf("write the views of players' states: %w", err)
	}
	return view.Parse("the views of players' states", text, nil)
}

// declare writes the view for the items that the rule looks at, without its counts.
func (b *Book) declare(name string, r *Rule, table string) object {
	from := object{"table": b.Plays.Table, "dated": object{"by": b.Plays.At, "zone": zoneOf(b.Plays.zone), "earliest": b.Plays.from}}
	looks, of := r.kind.looks(), r.prefix()
	v := object{"name": name, "from": from, "count": object{}, "sum": object{}}
	switch {
	case looks.each != "":
		of += "{" + looks.each + "}"
		from["where"] = conditions(declaration.Condition{Attribute: looks.each, Compare: "exists", Text: "true"})
	case looks.unit != "":
		of += "{box}"
		v["box"] = object{"of": b.Plays.At, "unit": looks.unit, "zone": zoneOf(b.Plays.zone)}
	}
	v["into"] = object{"table": table, "key": object{AttrPlayer: "{" + b.Plays.Player + "}", AttrOf: of}}
	return v
}

// checkDates finds what is wrong with the zone and the earliest date by the very rules of
// package view.
func (r *reader) checkDates(at declaration.Position) {
	if r.Faults() {
		return
	}
	b := &Book{Plays: r.book.Plays, Rules: []*Rule{{Name: "any", Kind: First, kind: &first{}}}}
	if err := b.makeViews("State"); err != nil {
		for _, line := range strings.Split(err.Error(), "\n") {
			_, message, _ := strings.Cut(line, ": ")
			r.Fault(at, "plays: %s", message)
		}
	}
}
