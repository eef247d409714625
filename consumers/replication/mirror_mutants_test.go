//go:build mutants

package replication

import (
	"testing"

	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumertest/simulator/mutant"
)

// Run by make mutants, not by CI: each mutant takes minutes to be noticed, and not
// for all of them has it been seen.

// TestEveryGuardIsNeededBothWays takes the guards of the protocol out, one at a
// time; each time the simulator must find the regions to differ, or a version that
// lost without being kept. That a delete by replication is known for an echo is not
// among them: it only saves work. Nor are two guards that random schedules hardly meet: that
// a mark is newer than what its writer had before him, and that an item which
// somebody left deleting is deleted. The model of the protocol has these.
func TestEveryGuardIsNeededBothWays(t *testing.T) {
	server := *servertest.DynamoDB(t).BaseEndpoint // one for all
	mutant.Run(t, mutant.Test{
		Name: "TestSimulatorTwoRegions|TestSimulatorThreeRegions",
		Args: []string{"-simulator.schedules=400", "-simulator.seed=1"},
		Env:  []string{servertest.DynamoDBVariable + "=" + server},
	}, []mutant.Mutant{
		{
			Name: "what came to be looks for a tombstone",
			File: "internal/lastwriter/rule.go",
			Old:  `if buried <= m {`,
			New:  `if buried <= m || m != "" {`,
		},
		{
			Name: "so does what replication put there",
			File: "internal/lastwriter/rule.go",
			Old:  `if e.appeared() {`,
			New:  `if false {`,
		},
		{
			Name: "and what an application put there",
			File: "internal/lastwriter/rule.go",
			Old:  `if e.inserted || e.Unsure { // as if replication had put it there`,
			New:  `if false {`,
		},
		{
			Name: "an item that an older remove took away is put back",
			File: "internal/lastwriter/rule.go",
			Old:  `if buried == "" {`,
			New:  `if buried <= e.Mark {`,
		},
		{
			Name: "an item that an older change overwrote is put back",
			File: "internal/lastwriter/rule.go",
			Old:  `there.Base == e.after.Base && !there.Deleting`,
			New:  `there.Mark.Region() == r.Home.Region || there.Mark == e.after.Mark`,
		},
		{
			Name: "a remove at home spares what was put after it",
			File: "internal/lastwriter/rule.go",
			Old:  `markless: t != r.Home}`,
			New:  `markless: true}`,
		},
		{
			Name: "a put goes through only over what its writer had before him",
			File: "internal/lastwriter/rule.go",
			Old: `	limit := e.before.Mark
	for`,
			New: `	limit := mark.New(1<<50, 0, 0, "")
	for`,
		},
		{
			Name: "what loses to a put is kept",
			File: "internal/lastwriter/rule.go",
			Old: `case there.Mark < e.Mark:
			if err := r.lost(ctx, e.Key, there.Mark, held, e.history); err != nil {`,
			New: `case there.Mark < e.Mark:
			if err := error(nil); err != nil {`,
		},
		{
			Name: "a put that loses is kept",
			File: "internal/lastwriter/rule.go",
			Old:  `	if err := r.lost(ctx, e.Key, e.Mark, e.item, there.History); err != nil {`,
			New:  `	if err := error(nil); err != nil {`,
		},
		{
			Name: "what loses to a remove is kept",
			File: "internal/lastwriter/rule.go",
			Old:  `		if err := r.lost(ctx, old.key, there.Mark, held, old.history); err != nil {`,
			New:  `		if err := error(nil); err != nil {`,
		},
	})
}
