package leaderboard

import (
	"testing"

	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumertest/simulator/mutant"
)

// TestEveryGuardOfValuesIsNeeded takes out the guards of latest, smallest and
// largest values.
func TestEveryGuardOfValuesIsNeeded(t *testing.T) {
	server := *servertest.DynamoDB(t).BaseEndpoint // one for all
	mutant.Run(t, mutant.Test{
		Name: "TestSimulatorExtremes|TestSimulatorPets",
		Args: []string{"-simulator.schedules=200", "-simulator.seed=1"},
		Env:  []string{servertest.DynamoDBVariable + "=" + server},
	}, []mutant.Mutant{
		{
			Name: "an older change doesn't set the latest value",
			File: "../../shared/aggregate/effect.go",
			Old:  `e.condition("(attribute_not_exists(%[1]s) OR %[1]s < %[2]s)", e.name(attrLatestChange), e.value(id))`,
			New:  ``,
		},
		{
			Name: "a value that is no record is not written",
			File: "../../shared/aggregate/effect.go",
			Old:  `e.condition("(attribute_not_exists(%[1]s) OR %[1]s %[2]s %[3]s)", e.name(attribute), worse, e.value(value))`,
			New:  ``,
		},
	})
}

// TestRankMutants makes careless versions of a rank, each of which a sorted list
// of the players must find wrong.
func TestRankMutants(t *testing.T) {
	server := *servertest.DynamoDB(t).BaseEndpoint
	mutant.Run(t, mutant.Test{Name: "TestRank", Env: []string{servertest.DynamoDBVariable + "=" + server}}, []mutant.Mutant{
		{
			Name: "entries with the same total count if they were first",
			File: "boards/rank.go",
			Old:  `other.Compare(s.Entry) < 0`,
			New:  `other.Number.GreaterThan(s.Entry.Number)`,
		},
		{
			Name: "a level counts only within the bucket of the level before",
			File: "boards/rank.go",
			Old:  `numeral(level.Of(within.Last(number)))`,
			New:  `numeral(level.Of(within.Last(decimal.New(9, 125))))`,
		},
		{
			Name: "the own bucket is read to its end",
			File: "boards/rank.go",
			Old:  `last := levels[len(levels)-1].Last(s.Entry.Number)`,
			New:  `last := s.Entry.Number`,
		},
		{
			Name: "all who are level with the last are read",
			File: "boards/index.go",
			Old:  `len(entries) >= s.n && !e.Number.Equal(entries[len(entries)-1].Number)`,
			New:  `len(entries) >= s.n`,
		},
		{
			Name: "buckets end toward zero",
			File: "../../shared/view/bucket.go",
			Old:  `if n.Sign() <= 0 {`,
			New:  `if n.Sign() == 0 {`,
		},
	})
}

// TestEveryGuardIsNeeded takes the guards of package aggregate out, one at a
// time; each time the simulator must find the sums wrong.
func TestEveryGuardIsNeeded(t *testing.T) {
	server := *servertest.DynamoDB(t).BaseEndpoint // one for all
	mutant.Run(t, mutant.Test{
		Name: "TestSpillInterleaved|TestEveryCrash|TestSimulatorOnePlayer",
		Args: []string{"-simulator.schedules=300", "-simulator.seed=1"},
		Env:  []string{servertest.DynamoDBVariable + "=" + server},
	}, []mutant.Mutant{
		{
			Name: "an id that is in the set is refused",
			File: "../../shared/aggregate/addition.go",
			Old:  `e.condition("NOT contains(%s, %s)", e.name(attrIDs), e.value(&types.AttributeValueMemberB{Value: p.ID[:]}))`,
			New:  `_ = p`,
		},
		{
			Name: "a change not newer than the spill time is refused",
			File: "../../shared/aggregate/addition.go",
			Old:  `e.condition("(attribute_not_exists(%s) OR %s < %s)", e.name(attrSpillTime), e.name(attrSpillTime), e.number(part[0].ID.Time()))`,
			New:  ``,
		},
		{
			Name: "the spill compares the whole set",
			File: "../../shared/aggregate/addition.go",
			Old:  `e.condition("%s = %s", e.name(attrIDs), e.value(&types.AttributeValueMemberBS{Value: taken}))`,
			New:  `e.condition("attribute_exists(%s)", e.name(attrIDs))`,
		},
		{
			Name: "ties with the cut are spilled too",
			File: "../../shared/aggregate/addition.go",
			Old:  `for count < len(taken) && idTime(taken[count]) == cut {`,
			New:  `for false {`,
		},
		{
			Name: "a late change is added once",
			File: "../../shared/aggregate/ledger.go",
			Old:  `ConditionExpression:      aws.String("attribute_not_exists(#entry)"),`,
			New:  `ConditionExpression:      aws.String("attribute_not_exists(#entry) OR attribute_exists(#entry)"),`,
		},
		{
			Name: "a late change is looked up in the buckets",
			File: "../../shared/aggregate/addition.go",
			Old:  `if len(spilled) > 0 {`,
			New:  `if false {`,
		},
		{
			Name: "a bucket serves only the changes that it covers",
			File: "../../shared/aggregate/ledger.go",
			Old:  `if p.ID.Time() > newest {`,
			New:  `if newest == 0 {`,
		},
		{
			Name: "changes beyond the horizon are rejected",
			File: "../../shared/aggregate/addition.go",
			Old:  `if amount.ID.Time() < horizon {`,
			New:  `if amount.ID.Time() < horizon && false {`,
		},
	})
}
