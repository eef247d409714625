package rule

import "sluice/shared/declaration"

// Sample returns what an item holds that a rule of kind Item awards a badge for, with what the texts of the notice name.
func (r *Rule) Sample() declaration.Sample {
	s := declaration.Sample{Table: r.Source.Table}
	s.HoldAll(r.Source.where)
	s.Hold(declaration.AnyText, append(append([]declaration.Path{}, r.Source.Each...), r.Source.Player, r.Source.Formerly)...)
	for _, text := range r.Text {
		for _, name := range Placeholder.FindAllStringSubmatch(text, -1) {
			if path, err := declaration.ParsePath(name[1]); err == nil {
				s.Hold(declaration.AnyText, path)
			}
		}
	}
	return s
}
