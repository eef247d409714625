package leaderboard

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/deploy/local/template"
)

// The boards' indexes project what a top N needs. Fails if an index projects all attributes or the ids of changes: then
// every addition rewrites the index, also one that leaves the total.
func TestIndexesLeaveOutTheChangeIDs(t *testing.T) {
	read, err := template.Read("../../deploy/game.yaml")
	if err != nil {
		t.Fatal(err)
	}
	given := map[string]string{}
	for _, p := range read.Parameters {
		if p.Default == nil {
			given[p.Name] = "https://given.example"
		}
	}
	resources, err := read.Resolve(template.Scope{StackName: "s", Region: "eu-west-1", AccountID: "000000000000", Parameters: given})
	if err != nil {
		t.Fatal(err)
	}
	indexes := 0
	for _, table := range resources.Tables {
		for _, index := range table.Indexes {
			indexes++
			if p := index.Projection; p.ProjectionType == types.ProjectionTypeAll || slices.Contains(p.NonKeyAttributes, "ChangeIds") {
				t.Errorf("index %s projects %s %v", *index.IndexName, p.ProjectionType, p.NonKeyAttributes)
			}
		}
	}
	if indexes < 2 {
		t.Errorf("found only %d indexes", indexes)
	}
}
