package rightstest

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"sluice/shared/aggregate"
)

// Rebuild has the ledger say that the views are being rebuilt: what the function writes from now on it writes for that too.
func (f *Function) Rebuild(ledger string, views ...string) {
	f.t.Helper()
	hour := time.Hour.Microseconds()
	now := time.Now().UnixMicro()
	client := dynamodb.NewFromConfig(f.account.DynamoDB(""))
	for _, view := range views {
		r := aggregate.Rebuilds{
			Phase:   aggregate.Switching,
			Current: aggregate.Window{Generation: 1, First: 1, From: now - hour, Until: now + hour, Limit: now + hour},
		}
		if err := r.Save(f.t.Context(), client, ledger, view); err != nil {
			f.t.Fatal(err)
		}
	}
	f.instance.Close() // it forgets what it knows; the next batch starts it again
}
