package replication

import (
	"testing"

	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumertest/simulator/mutant"
)

// TestEveryGuardOfRanksIsNeeded takes the guards of the rule that an attribute ranks
// versions out, one at a time; each time a test made by hand must notice.
func TestEveryGuardOfRanksIsNeeded(t *testing.T) {
	server := *servertest.DynamoDB(t).BaseEndpoint // one for all
	mutant.Run(t, mutant.Test{
		Name: "TestRank.*",
		Says: "want",
		Env:  []string{servertest.DynamoDBVariable + "=" + server},
	}, []mutant.Mutant{
		{
			Name: "what is greater isn't overwritten",
			File: "internal/ranked/rule.go",
			Old:  `switch there.Compare(e.Rank) {`,
			New:  `switch -there.Compare(e.Rank) * there.Compare(e.Rank) {`,
		},
		{
			Name: "what came to be looks for its tombstone",
			File: "internal/ranked/rule.go",
			Old:  `if e.inserted {`,
			New:  `if false {`,
		},
		{
			Name: "of a batch the greatest counts, not the newest",
			File: "ranked.go",
			Old:  `item.Sort(ranked.Rank.Compare)`,
			New: `for a, b := 0, len(item.Versions)-1; a < b; a, b = a+1, b-1 {
		item.Versions[a], item.Versions[b] = item.Versions[b], item.Versions[a]
	}`,
		},
		{
			Name: "what lowers an item is undone",
			File: "internal/ranked/rule.go",
			Old:  `if e.lowered {`,
			New:  `if false {`,
		},
		{
			Name: "numbers compare as numbers",
			File: "internal/ranked/rank.go",
			Old:  `if r.kind != o.kind || r.kind != numberRank {`,
			New:  `if r.kind != o.kind || r.kind != unranked {`,
		},
		{
			Name: "a remove spares what is greater",
			File: "internal/ranked/rule.go",
			Old:  `case there.Compare(tombstone) > 0:`,
			New:  `case there == Rank{}:`,
		},
		{
			Name: "what loses is kept before it is overwritten",
			File: "internal/ranked/rank.go",
			Old:  `if operands != nil {`,
			New:  "if true {\n\t\te.Text += \" OR attribute_exists(#key)\"\n\t}\n\tif operands != nil {",
		},
		{
			Name: "what its writer knew isn't kept",
			File: "internal/ranked/change.go",
			Old:  `e.known = append(e.known[:len(e.known):len(e.known)], o.known...)`,
			New:  `e.known = append(e.known[:len(e.known):len(e.known)], o.known[:0]...)`,
		},
		{
			Name: "that a value is known doesn't make it smaller",
			File: "internal/ranked/change.go",
			Old:  `c > 0 || c == 0 && !e.Rank.removed`,
			New:  `c > 0 || c == 0 && r.Compare(e.Rank) >= 0`,
		},
		{
			Name: "home's tombstone is the last",
			File: "internal/ranked/rule.go",
			Old: `	for _, t := range r.Other {
		parts = append(parts, t.At(r.buryAndClear(ctx, t, e)))`,
			New: `	if _, err := buryRank(ctx, r.Home, e); err != nil {
		return err
	}
	for _, t := range r.Other {
		parts = append(parts, t.At(r.buryAndClear(ctx, t, e)))`,
		},
	})
}
