// Package ops is what people run on replication. No function links it.
package ops

import (
	"fmt"
	"slices"

	"sluice/consumers/replication"
	"sluice/shared/operate"
)

// Consumer returns replication for the command line.
func Consumer() operate.Consumer { return registered{} }

type registered struct{}

// Name implements operate.Consumer.
func (registered) Name() string { return "replication" }

// Pairs are the tables that must hold the same.
type Pairs struct{ Copies, Shared []*replication.Pair }

// All returns the copies, then the shared tables.
func (p Pairs) All() []*replication.Pair { return slices.Concat(p.Copies, p.Shared) }

// NewPairs makes the pairs of the outputs of replication's template.
func NewPairs(part operate.Part) (Pairs, error) {
	s := replication.DefaultSettings()
	_, shares := part.Outputs["SharedRegions"]
	_, copies := part.Outputs["ReplicaRegion"]
	var needed []string
	if copies || !shares {
		needed = append(needed, "ReplicaTable", "ReplicaRegion")
	}
	if shares {
		needed = append(needed, "ConflictTable")
	}
	if err := part.Read(&s, needed...); err != nil {
		return Pairs{}, err
	}
	var p Pairs
	var err error
	if p.Copies, err = replication.Pairs(replication.Tuned(part.Tables), s); err != nil {
		return p, err
	}
	if p.Shared, err = replication.SharedPairs(replication.Tuned(part.Tables), s); err != nil {
		return p, err
	}
	if shares != (len(p.Shared) > 0) {
		return p, fmt.Errorf("%s shares a table: %v, but %s in this program does: %v; after a change of that file build the program anew (go install ./cmd/sluice)",
			part.Where, shares, replication.RoutesPath, len(p.Shared) > 0)
	}
	return p, nil
}

// AllTheSame says that nothing differs.
func AllTheSame(p *replication.Pair, v replication.Verification) string {
	to := "in " + p.Route.Region
	if p.Route.Table != p.Route.Source {
		to = fmt.Sprintf("in %s in %s", p.Route.Table, p.Route.Region)
	}
	text := fmt.Sprintf("%d items of %s in %s: each the same %s.", v.Items, p.Route.Source, p.Home, to)
	if v.InFlight > 0 {
		text += fmt.Sprintf(" Of these %d changed at each look: their changes were on their way.", v.InFlight)
	}
	return text
}
