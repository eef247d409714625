package leaderboard

import (
	"testing"

	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumertest/simulator/mutant"
)

// TestGuardsOfARebuild takes out what package keeper sees to when a view is rebuilt. The
// guards of packages aggregate and rebuild are taken out there.
func TestGuardsOfARebuild(t *testing.T) {
	server := *servertest.DynamoDB(t).BaseEndpoint // one for all
	mutant.Run(t, mutant.Test{
		Name: "TestRebuildsAreReadSeldom|TestRebuiltMeanwhile",
		Env:  []string{servertest.DynamoDBVariable + "=" + server},
		Says: "want",
	}, []mutant.Mutant{
		{
			Name: "a function reads the rebuilds again",
			File: "../../shared/keeper/rebuilds.go",
			Old:  `return age < 0 || age > aggregate.Freshness`,
			New:  `return false`,
		},
		{
			Name: "a function reads the rebuilds seldom",
			File: "../../shared/keeper/rebuilds.go",
			Old:  `return age < 0 || age > aggregate.Freshness`,
			New:  `return true`,
		},
		{
			Name: "a batch of other tables waits for no look",
			File: "../../shared/keeper/keeper.go",
			Old:  `if len(pending) == 0 {`,
			New:  `if false {`,
		},
		{
			Name: "a change of any view's table does",
			File: "../../shared/keeper/keeper.go",
			Old:  `k.viewed[v.Source] = true`,
			New:  `k.viewed[v.Table] = true`,
		},
		{
			Name: "a function that didn't know reads the rebuilds at once",
			File: "../../shared/keeper/keeper.go",
			Old:  `errors.Is(err, aggregate.ErrGeneration) && tries < maxTries`,
			New:  `errors.Is(err, aggregate.ErrGeneration) && tries < 0`,
		},
	})
}
