package replication

import (
	"strings"
	"testing"

	"sluice/shared/consumertest/gametest"
)

// Each fault of a shared table, with its line and column. Fails if a table would be
// kept by a rule that there isn't, or written by two.
func TestFaultsOfSharedTables(t *testing.T) {
	const good = "shared:\n  - {name: game, table: Scores, regions: [us-east-1, eu-west-1], conflicts: lastWriter}\n"
	for text, want := range map[string]string{
		good: "",
		strings.Replace(good, "lastWriter", "firstWriter", 1):                                                          "there is no rule firstWriter",
		strings.Replace(good, "lastWriter", "owner", 1):                                                                "owners belongs to conflicts: owner",
		strings.Replace(good, "lastWriter", "lastWriter, owners: [{attribute: id, prefix: eu, region: eu-west-1}]", 1): "owners belongs to conflicts: owner",
		strings.Replace(good, "lastWriter", "owner, owners: [{attribute: id, prefix: eu, region: eu-west-2}]", 1):      "eu-west-2 isn't among the table's regions",
		strings.Replace(good, "lastWriter", "owner, owners: [{attribute: id, prefix: eu, region: eu-west-1}]", 1):      "",
		strings.Replace(good, "lastWriter", "attribute, attribute: Version", 1):                                        "",
		strings.Replace(good, "lastWriter", "attribute", 1):                                                            "attribute belongs to conflicts: attribute, and only to that",
		strings.Replace(good, "lastWriter", "attribute, attribute: ''", 1):                                             "attribute",
		strings.Replace(good, "lastWriter", "lastWriter, attribute: Version", 1):                                       "test.yaml:2:100: attribute belongs to conflicts: attribute",
		strings.Replace(good, "lastWriter", "owner, attribute: Version", 1):                                            "owners belongs to conflicts: owner, and only to that",
		strings.Replace(good, ", eu-west-1", "", 1):                                                                    "two regions or more",
		strings.Replace(good, "us-east-1", "ap-south-1", 1):                                                            "us-east-1 isn't among them",
		strings.Replace(good, "eu-west-1", "us-east-1", 1):                                                             "us-east-1 stands there twice",
		good + strings.Replace(strings.TrimPrefix(good, "shared:\n"), "game", "again", 1):                              "table Scores is shared in line 2 already",
		good + "replicas:\n  - {name: copy, from: {table: Other}, into: {table: Scores, region: eu-west-1}}\n":         "table Scores in eu-west-1, which is shared: line 2",
	} {
		_, shared, err := Declared(gametest.With(ReplicasFile, "test.yaml", text), "us-east-1")
		switch {
		case want == "" && (err != nil || len(shared) != 1):
			t.Errorf("%s: %v", text, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "test.yaml:")):
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
