package view

import "sluice/shared/declaration"

// Sample returns what an item holds that the view takes.
func (v *View) Sample() declaration.Sample {
	s := declaration.Sample{Table: v.Source}
	s.HoldAll(v.where)
	if v.dates != nil {
		s.Hold(declaration.AnyTime, v.dates.by)
	}
	if v.Box != nil {
		s.Hold(declaration.AnyTime, v.Box.of)
	}
	if v.Bucket != nil {
		s.Hold(declaration.AnyNumber, v.Bucket.of)
	}
	for _, sum := range v.sums {
		s.HoldAll(sum.where)
		if !sum.count {
			s.Hold(declaration.AnyNumber, sum.of)
		}
	}
	for _, kept := range []map[string]declaration.Path{v.smallest, v.largest} {
		for _, path := range kept {
			s.Hold(declaration.AnyNumber, path)
		}
	}
	for _, key := range v.key {
		value := declaration.AnyText
		if key.number {
			value = declaration.AnyNumber
		}
		s.Hold(value, key.paths...)
	}
	for _, path := range v.latest {
		s.Hold(declaration.AnyText, path)
	}
	return s
}
