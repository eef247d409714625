package rebuild

import (
	"testing"

	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumertest/simulator/mutant"
)

// TestEveryGuardIsNeeded takes out what the tool sees to, one thing at a time.
func TestEveryGuardIsNeeded(t *testing.T) {
	server := *servertest.DynamoDB(t).BaseEndpoint // one for all
	mutant.Run(t, mutant.Test{
		Name: "TestScanWaits|TestAnnouncedAhead|TestAnew|TestWindowsDoNotOverlap|TestForget",
		Env:  []string{servertest.DynamoDBVariable + "=" + server},
		Says: "want",
	}, []mutant.Mutant{
		{
			Name: "the scan waits for the window to begin",
			File: "rebuild.go",
			Old:  `if err := r.wait(ctx, time.UnixMicro(state.Current.From).Add(r.Clocks)); err != nil {`,
			New:  `if err := ctx.Err(); err != nil {`,
		},
		{
			Name: "and for the clocks",
			File: "rebuild.go",
			Old:  `time.UnixMicro(state.Current.From).Add(r.Clocks)`,
			New:  `time.UnixMicro(state.Current.From)`,
		},
		{
			Name: "functions have time to hear of a window",
			File: "rebuild.go",
			Old:  `return r.Now().Add(r.Announcing + aggregate.Freshness + r.Clocks).UnixMicro()`,
			New:  `return r.Now().Add(r.Announcing + r.Clocks).UnixMicro()`,
		},
		{
			Name: "a beginning announced too late is begun anew",
			File: "rebuild.go",
			Old:  `late(seen, state.Current.From, r.Clocks)`,
			New:  `late(seen, state.Current.From, r.Clocks) && false`,
		},
		{
			Name: "an end announced too late is begun anew",
			File: "rebuild.go",
			Old:  `late(seen, state.Current.Until, r.Clocks)`,
			New:  `late(seen, state.Current.Until, r.Clocks) && false`,
		},
		{
			Name: "a window ends within its limit",
			File: "rebuild.go",
			Old:  `if state.Current.Until > state.Current.Limit {`,
			New:  `if false {`,
		},
		{
			Name: "windows don't overlap",
			File: "rebuild.go",
			Old:  `from = max(from, state.Done[n-1].Until+1) // windows don't overlap`,
			New:  `_ = n`,
		},
		{
			Name: "all attempts' shadows are known",
			File: "rebuild.go",
			Old:  `first = state.Current.First // whose shadows are still there`,
			New:  ``,
		},
		{
			Name: "a rebuild is known as long as an item may need it",
			File: "rebuild.go",
			Old: `			state.Done = state.Done[i:]
			return`,
			New: ``,
		},
	})
}
