package aggregate

import (
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Fails if DynamoDB may delete a row while another function, whose clock is hours behind, still asks for it.
func TestLedgerOutlivesTheHorizon(t *testing.T) {
	created := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	table := &Table{Horizon: 48 * time.Hour}
	expires := table.ledgerRow("group", "entry", created.UnixMicro())[attrExpiresAt].(*types.AttributeValueMemberN).Value
	if want := strconv.FormatInt(created.Add(72*time.Hour).Unix(), 10); expires != want {
		t.Errorf("the row expires at %s, want %s, a day after the horizon", expires, want)
	}
}
