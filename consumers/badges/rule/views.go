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
			out[c.Attribute.String()] = c.Text
		case c.Boolean():
			out[c.Attribute.String()] = c.Text == "true"
		default:
			out[c.Attribute.String()] = object{c.Compare: c.Text}
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
			v = declare(name, r, table)
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
	if b.Views, err = parseViews(all); err != nil {
		return err
	}
	for _, r := range b.Rules {
		if r.Plays != nil {
			r.Plays.dated = view.Named(b.Views, r.viewName())
		}
	}
	for _, v := range all {
		v["from"].(object)["subtractExpired"] = true
	}
	b.OfTable, err = parseViews(all)
	return err
}

func parseViews(all []object) ([]*view.View, error) {
	text, err := json.Marshal(object{"views": all})
	if err != nil {
		return nil, fmt.Errorf("write the views of players' states: %w", err)
	}
	return view.Parse("the views of players' states", text, nil)
}

// declare writes the view for the items that the rule looks at, without its counts.
func declare(name string, r *Rule, table string) object {
	p, looks, of := r.Plays, r.kind.looks(), r.prefix()
	at, player := declaration.Whole(p.At).String(), declaration.Whole(p.Player).String()
	from := object{"table": p.Table, "dated": object{"by": at, "zone": zoneOf(p.zone), "earliest": p.from}, "subtractExpired": p.SubtractExpired}
	v := object{"name": name, "from": from, "count": object{}, "sum": object{}}
	switch {
	case looks.each != "":
		of += "{" + looks.each + "}"
		from["where"] = object{looks.each: object{"exists": "true"}}
	case looks.unit != "":
		of += "{box}"
		v["box"] = object{"of": at, "unit": looks.unit, "zone": zoneOf(p.zone)}
	}
	v["into"] = object{"table": table, "key": object{AttrPlayer: "{" + player + "}", AttrOf: of}}
	return v
}

// checkDates finds what is wrong with the zone and the earliest date by the very rules of
// package view.
func (r *reader) checkDates(p Plays, at declaration.Position) {
	if p.Table == "" || p.Player == "" || p.At == "" || p.from == "" {
		return // which is a fault already
	}
	p.Name = DefaultPlays // a faulty one is a fault already
	b := &Book{Rules: []*Rule{{Name: "any", Kind: First, kind: &first{}, Plays: &p}}}
	if err := b.makeViews("State"); err != nil {
		for _, line := range strings.Split(err.Error(), "\n") {
			_, message, _ := strings.Cut(line, ": ")
			r.Fault(at, "plays: %s", message)
		}
	}
}
