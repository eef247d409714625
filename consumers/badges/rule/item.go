package rule

import (
	"fmt"
	"strings"

	"sluice/shared/change"
	"sluice/shared/declaration"
)

// Item asks for an item of any table that is there for the first time.
const Item Kind = "item"

// Source is where an Item comes from.
type Source struct {
	Table  string
	Player declaration.Path
	// Each are the values that tell items apart.
	Each []declaration.Path
	// Formerly is the value that alone told items apart earlier; zero: none did.
	Formerly declaration.Path
	where    []declaration.Condition
}

type item struct{ noPlays }

func (*item) read(r *reader, b *Rule, n node) {
	f := r.Fields(n, "item", "table", "player", "each", "formerly", "where")
	b.Levels = single()
	b.Source = Source{
		Table: r.Text(f["table"], "item: table"), Player: r.Path(f["player"], "item: player"), Each: r.attributes(f["each"], "item: each"),
		where: r.Conditions(f["where"], "item: where"),
	}
	if f["formerly"].Kind != declaration.Absent {
		b.Source.Formerly = r.Path(f["formerly"], "item: formerly")
	}
}

func (*item) asks(b *Rule) string { return "each item of " + b.Source.Table }

// OfItemChange returns whose award a change earns by a rule of kind Item: an item that
// matches, and didn't before. name is empty if it earns none. The error is about
// an item that matches and lacks what the rule needs.
func (r *Rule) OfItemChange(c *change.Change) (name string, a Award, err error) {
	if r.Kind != Item || c.Table != r.Source.Table || !declaration.AllHoldIn(r.Source.where, c.Keys, c.New) {
		return "", Award{}, nil
	}
	if declaration.AllHoldIn(r.Source.where, c.Keys, c.Old) {
		return "", Award{}, nil
	}
	if name, err = Text(c, r.Source.Player); err != nil {
		return "", Award{}, err
	}
	values := make([]string, len(r.Source.Each))
	for i, path := range r.Source.Each {
		if values[i], err = Text(c, path); err != nil {
			return "", Award{}, err
		}
	}
	a = Award{Badge: r.Name, Of: values[0]}
	if len(values) > 1 {
		for i, value := range values {
			values[i] = apart.Replace(value)
		}
		a.Of = strings.Join(values, "#")
	}
	if !r.Source.Formerly.IsZero() {
		if of, err := Text(c, r.Source.Formerly); err == nil {
			a.Formerly = Award{Badge: r.Name, Of: of}.Key()
		}
	}
	return name, a, nil
}

// apart writes a value so that several, joined with #, are those of one item only.
var apart = strings.NewReplacer("%", "%25", "#", "%23")

// Text returns the text of a string or number that a change's new image has. It is never
// empty.
func Text(c *change.Change, path declaration.Path) (string, error) {
	v, err := path.Of(c.Keys, c.New)
	if err != nil {
		return "", err
	}
	if v.Type() != change.S && v.Type() != change.N {
		return "", path.TypeError(c.Keys, c.New, change.S, v.Type())
	}
	if v.Text() == "" {
		return "", fmt.Errorf("attribute %q is empty", path)
	}
	return v.Text(), nil
}
