package rule

import "sluice/shared/declaration"

// Sample returns what an item holds that the rule of a Source looks at.
func (s Source) Sample() declaration.Sample {
	sample := declaration.Sample{Table: s.Table}
	sample.HoldAll(s.where)
	sample.Hold(declaration.AnyText, append(s.Each, s.Player, s.Formerly)...)
	return sample
}
