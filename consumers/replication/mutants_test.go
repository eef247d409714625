package replication

import (
	"testing"

	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumertest/simulator/mutant"
)

// TestEveryGuardIsNeeded takes the guards of the protocol out, one at a time;
// each time the simulator must find the copy wrong: mostly in its small worlds,
// which stand first. The horizon is not among
// them: the simulator brings the whole stream again after it, which heals what a
// part of it would break; TestTooOld has that.
func TestEveryGuardIsNeeded(t *testing.T) {
	server := *servertest.DynamoDB(t).BaseEndpoint // one for all
	mutant.Run(t, mutant.Test{
		Name: "TestSmallWorlds|TestEveryInterleaving|TestSimulatorFewItems",
		Args: []string{"-simulator.schedules=1000", "-simulator.seed=1"},
		Env:  []string{servertest.DynamoDBVariable + "=" + server},
	}, []mutant.Mutant{
		{
			Name: "a put goes through only over what is older",
			File: "internal/oneway/copy.go",
			Old:  `Text: absentOrOlder`,
			New:  `Text: absentOrOlder + " OR #sluice.#mark >= :mark"`,
		},
		{
			Name: "a put onto nothing looks for a tombstone",
			File: "internal/oneway/copy.go",
			Old:  `if !refused && before != "" && !passesOver {`,
			New:  `if !refused {`,
		},
		{
			Name: "a put that finds itself looks for a tombstone",
			File: "internal/oneway/copy.go",
			Old:  `return &Pending{`,
			New:  "if before == m {\n\t\treturn nil, consumer.Duplicate\n\t}\n\treturn &Pending{",
		},
		{
			Name: "a put that finds something newer looks for a tombstone",
			File: "internal/oneway/copy.go",
			Old:  `return &Pending{`,
			New:  "if before > m {\n\t\treturn nil, consumer.Stale\n\t}\n\treturn &Pending{",
		},
		{
			Name: "the tombstone comes before the delete",
			File: "internal/oneway/copy.go",
			Old: `	before, err := c.Bury(ctx, key, m, nil)
	if err != nil {
		return err
	}
	c.NoteTie(m, before)
	// Also if the tombstone was there: whoever wrote it may have died before this.
	deleted, err := c.deleteOlder(ctx, key, m)
`,
			New: `	deleted, err := c.deleteOlder(ctx, key, m)
	if err != nil {
		return err
	}
	before, err := c.Bury(ctx, key, m, nil)
`,
		},
		{
			Name: "a delete that comes again deletes again",
			File: "internal/oneway/copy.go",
			Old:  `deleted, err := c.deleteOlder(ctx, key, m)`,
			New:  "if before == m {\n\t\treturn consumer.Duplicate\n\t}\n\tdeleted, err := c.deleteOlder(ctx, key, m)",
		},
		{
			Name: "an older tombstone replaces no newer one",
			File: "internal/store/tombstone.go",
			Old:  `Condition{noneOrOlder,`,
			New:  `Condition{noneOrOlder + " OR #mark >= :mark",`,
		},
		{
			Name: "of an item's changes in a batch the newest is written",
			File: "replication.go",
			Old:  `i.Sort(cmp.Compare)`,
			New:  `i.Sort(func(a, b mark.Mark) int { return cmp.Compare(b, a) })`,
		},
		{
			Name: "an item that ceases to match is removed",
			File: "../../shared/declaration/effect.go",
			Old:  `AllHoldIn(conditions, c.Keys, c.Old):`,
			New:  `!c.New.Exists() && AllHoldIn(conditions, c.Keys, c.Old):`,
		},
	})
	// Schedules hardly meet this one.
	mutant.Run(t, mutant.Test{
		Name: "TestPassedOver",
		Says: "which was removed",
		Env:  []string{servertest.DynamoDBVariable + "=" + server},
	}, []mutant.Mutant{
		{
			Name: "a put that passes over others of its batch looks for a tombstone",
			File: "internal/oneway/copy.go",
			Old:  `if !refused && before != "" && !passesOver {`,
			New:  `if !refused && before != "" {`,
		},
	})
}
