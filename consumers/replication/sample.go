package replication

import "sluice/shared/declaration"

// Sample returns what an item holds that the route takes.
func (r *Route) Sample() declaration.Sample {
	s := declaration.Sample{Table: r.Source}
	s.HoldAll(r.where)
	return s
}
