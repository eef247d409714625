package leaderboard

import (
	"testing"

	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumertest/simulator/mutant"
)

// TestEveryGuardIsNeeded takes the guards of package aggregate out, one at a
// time; each time the simulator must find the sums wrong.
func TestEveryGuardIsNeeded(t *testing.T) {
	server := *servertest.DynamoDB(t).BaseEndpoint // one for all
	mutant.Run(t, mutant.Test{
		Name: "TestEveryCrash|TestSimulatorOnePlayer",
		Args: []string{"-simulator.schedules=300", "-simulator.seed=1"},
		Env:  []string{servertest.DynamoDBVariable + "=" + server},
	}, []mutant.Mutant{
		{
			Name: "an id that is in the set is refused",
			File: "aggregate/addition.go",
			Old:  `e.condition("NOT contains(%s, %s)", e.name(attrIDs), e.value(&types.AttributeValueMemberB{Value: p.ID[:]}))`,
			New:  `_ = p`,
		},
		{
			Name: "a change not newer than the spill time is refused",
			File: "aggregate/addition.go",
			Old:  `e.condition("(attribute_not_exists(%s) OR %s < %s)", e.name(attrSpillTime), e.name(attrSpillTime), e.number(part[0].ID.Time()))`,
			New:  ``,
		},
		{
			Name: "the spill compares the whole set",
			File: "aggregate/addition.go",
			Old:  `e.condition("%s = %s", e.name(attrIDs), e.value(&types.AttributeValueMemberBS{Value: taken}))`,
			New:  `e.condition("attribute_exists(%s)", e.name(attrIDs))`,
		},
		{
			Name: "ties with the cut are spilled too",
			File: "aggregate/addition.go",
			Old:  `for count < len(taken) && idTime(taken[count]) == cut {`,
			New:  `for false {`,
		},
		{
			Name: "a late change is added once",
			File: "aggregate/ledger.go",
			Old:  `ConditionExpression:      aws.String("attribute_not_exists(#entry)"),`,
			New:  `ConditionExpression:      aws.String("attribute_not_exists(#entry) OR attribute_exists(#entry)"),`,
		},
		{
			Name: "a late change is looked up in the buckets",
			File: "aggregate/addition.go",
			Old:  `if len(spilled) > 0 {`,
			New:  `if false {`,
		},
		{
			Name: "a bucket serves only the changes that it covers",
			File: "aggregate/ledger.go",
			Old:  `if p.ID.Time() > newest {`,
			New:  `if newest == 0 {`,
		},
		{
			Name: "changes beyond the horizon are rejected",
			File: "aggregate/addition.go",
			Old:  `if amount.ID.Time() < horizon {`,
			New:  `if amount.ID.Time() < horizon && false {`,
		},
		{
			Name: "a repeat within one call is set aside",
			File: "aggregate/addition.go",
			Old:  `if earlier, repeated := first[amount.ID]; repeated {`,
			New:  `if earlier, repeated := first[amount.ID]; repeated && false {`,
		},
	})
}
