package keeper

import (
	"testing"

	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumertest/simulator/mutant"
)

// TestEveryGuardIsNeeded has items told that aren't as the changes left them, and
// changes applied or held up that aren't to be. What else keeps the views themselves
// exact is taken out in the leaderboard.
func TestEveryGuardIsNeeded(t *testing.T) {
	server := *servertest.DynamoDB(t).BaseEndpoint // one for all
	mutant.Run(t, mutant.Test{
		Name: "TestTouched.*|TestOtherTables",
		Env:  []string{servertest.DynamoDBVariable + "=" + server},
		Says: "want",
	}, []mutant.Mutant{
		{
			Name: "nothing is added before it is known what is rebuilt",
			File: "keeper.go",
			Old: `		if err != nil {
			for _, i := range pending {`,
			New: `		if false {
			for _, i := range pending {`,
		},
		{
			Name: "changes of other tables need no knowledge of rebuilds",
			File: "keeper.go",
			Old:  `if errs[i] = consumer.Skip; k.viewed[c.Table] {`,
			New:  `if errs[i] = consumer.Skip; true || k.viewed[c.Table] {`,
		},
		{
			Name: "what was seen before late changes isn't told",
			File: "../aggregate/addition.go",
			Old:  `a.item = nil // a transaction returns none`,
			New:  ``,
		},
		{
			Name: "what standings may move isn't told",
			File: "keeper.go",
			Old:  `if len(g.standings) == 0 {`,
			New:  `if true {`,
		},
		{
			Name: "changes that the item hasn't taken aren't among its changes",
			File: "keeper.go",
			Old:  `if outcome := consumer.OutcomeOf(err); outcome == consumer.Applied || outcome == consumer.Duplicate {`,
			New:  `{`,
		},
		{
			Name: "a duplicate touches its item too",
			File: "keeper.go",
			Old:  `outcome == consumer.Applied || outcome == consumer.Duplicate {`,
			New:  `outcome == consumer.Applied {`,
		},
		{
			Name: "what a refused write returns is told",
			File: "../aggregate/addition.go",
			Old:  `a.item, a.seen = item, readState(item)`,
			New:  `if a.seen = readState(item); written { a.item = item }`,
		},
	})
}
