package audit

import (
	"testing"
	"time"

	"sluice/deploy/local/rights"
	"sluice/deploy/local/rights/rightstest"
	"sluice/shared/consumertest"
)

// TestRights runs the function as template.yaml has it, and compares what it calls with what its role allows. Each call
// that Apply makes needs a change here that leads to it.
func TestRights(t *testing.T) {
	f := rightstest.Start(t, rightstest.NewAccount(t), rightstest.Suite{
		Template: "template.yaml",
		Keys:     map[string][]rights.Use{"KmsKeyArn": {rights.ForQueues, rights.ForTables}},
	})
	key := consumertest.Item{"Id": consumertest.S("item")}
	f.Invoke(consumertest.Change{Table: f.Settings["SOURCE_TABLE"], Time: time.Now(), Keys: key, New: key}.Record())
	f.Check()
}
