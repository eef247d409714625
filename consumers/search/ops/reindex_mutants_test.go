package ops

import (
	"testing"

	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumertest/simulator/mutant"
)

// TestEveryGuardOfAReindexIsNeeded takes the guards out, one at a time; each time the
// new index must lack something, or show what is gone.
func TestEveryGuardOfAReindexIsNeeded(t *testing.T) {
	env := []string{
		servertest.OpenSearchVariable + "=" + *servertest.OpenSearch(t).BaseEndpoint,
		servertest.DynamoDBVariable + "=" + *servertest.DynamoDB(t).BaseEndpoint,
	}
	mutant.Run(t, mutant.Test{Name: "TestReindex", Says: "want", Env: env}, []mutant.Mutant{
		{
			Name: "tombstones are copied",
			File: "reindex.go",
			Old:  `if err := r.bury(ctx); err != nil {`,
			New:  `if err := ctx.Err(); err != nil {`,
		},
		{
			Name: "functions write to both indexes",
			File: "../internal/index/dualwrite.go",
			Old:  `if o.Reach == ToCurrent && o.next {`,
			New:  `if o.Reach == ToCurrent && o.next && false {`,
		},
	})
	mutant.Run(t, mutant.Test{Name: "TestReindexClocks|TestReindexRepeatedChange", Says: "want", Env: env}, []mutant.Mutant{
		{
			Name: "an item counts as older than its reading",
			File: "../../../shared/operate/source.go",
			Old:  `return now().Add(-ReadMargin)`,
			New:  `return now()`,
		},
		{
			Name: "reading begins later than the announcement",
			File: "reindex.go",
			Old:  `known, wait = r.now(), 2*operate.ReadMargin`,
			New:  `known, wait = r.now(), 0*operate.ReadMargin`,
		},
	})
	mutant.Run(t, mutant.Test{Name: "TestReindexLeavesNoHole", Says: "a search finds", Env: env}, []mutant.Mutant{
		{
			Name: "the new index shows everything before it is searched",
			File: "reindex_move.go",
			Old:  `if err := r.client.refresh(ctx, r.result.To); err != nil {`,
			New:  `if err := ctx.Err(); err != nil {`,
		},
		{
			Name: "the aliases move when the table has been read",
			File: "reindex_copy.go",
			Old:  `cursors, err := r.journal.checkpoint.cursors()`,
			New:  `if err := r.move(ctx); err != nil { return err }; cursors, err := r.journal.checkpoint.cursors()`,
		},
	})
	mutant.Run(t, mutant.Test{Name: "TestReindexWaitsForRequests", Says: "it didn't wait", Env: env}, []mutant.Mutant{{
		Name: "requests that are under way are waited for",
		File: "reindex.go",
		Old:  `longest <= r.now().Sub(known)`,
		New:  `longest <= time.Hour`,
	}})
	mutant.Run(t, mutant.Test{Name: "TestReindexRefusedDocuments", Says: "want another word", Env: env}, []mutant.Mutant{{
		Name: "what was refused is tried again",
		File: "reindex_copy.go",
		Old:  `if refused[segment] {`,
		New:  `if refused[segment] && false {`,
	}})
	mutant.Run(t, mutant.Test{Name: "TestReindexOutrun", Says: "want", Env: env}, []mutant.Mutant{{
		Name: "only one run moves the aliases",
		File: "admin.go",
		Old:  `"must_exist": true`,
		New:  `"must_exist": false`,
	}})
}
