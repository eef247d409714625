package deploy_test

import (
	"path/filepath"
	"strings"
	"testing"

	"sluice/deploy/local/template"
)

const ownKey = "arn:aws:kms:eu-west-1:000000000000:key/own"

// A key of somebody's own goes to every part of the whole: what has it can be read only by who may use it, and what hasn't
// would be encrypted otherwise without a word.
func TestKeyGoesToEveryPart(t *testing.T) {
	everything := map[string]string{"ReplicaRegion": "eu-central-1", "SearchEndpoint": "https://search.example", "KmsKeyArn": ownKey}
	taken := 0
	for _, a := range resolveWith(t, "../template.yaml", everything).Applications {
		read, err := template.Read(filepath.Join("..", a.Location))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range read.Parameters {
			if !strings.HasSuffix(p.Name, "KmsKeyArn") {
				continue
			}
			taken++
			if got := a.Parameters[p.Name]; got != ownKey {
				t.Errorf("template.yaml gives %s the parameter %s = %q, want the key", a.LogicalID, p.Name, got)
			}
		}
	}
	if taken == 0 {
		t.Error("no part takes a key")
	}
}

// Every table and stream has the key that the template is given; without one, a table has AWS's, and a stream too.
func TestTablesAndStreamsHaveTheKey(t *testing.T) {
	for _, path := range []string{
		"stream.yaml", "game.yaml", "pets.yaml", "../consumers/leaderboard/template.yaml", "../consumers/badges/template.yaml",
		"../consumers/replication/destination.yaml", "../consumers/replication/shared.yaml",
	} {
		for given, want := range map[string]struct{ table, stream string }{"": {"", "alias/aws/kinesis"}, ownKey: {ownKey, ownKey}} {
			resources := resolveWith(t, path, map[string]string{"KmsKeyArn": given})
			for _, table := range resources.Tables {
				if table.Key != want.table {
					t.Errorf("%s with KmsKeyArn %q: table %s has the key %q, want %q", path, given, table.LogicalID, table.Key, want.table)
				}
			}
			for _, stream := range resources.Streams {
				if stream.Key != want.stream {
					t.Errorf("%s with KmsKeyArn %q: stream %s has the key %q, want %q", path, given, stream.LogicalID, stream.Key, want.stream)
				}
			}
			if len(resources.Tables)+len(resources.Streams) == 0 {
				t.Errorf("%s has no tables and no stream", path)
			}
		}
	}
}
