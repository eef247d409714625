package badges

import (
	"testing"

	"sluice/deploy/local/mapping/function/functiontest"
	"sluice/deploy/local/servers/servertest"
)

// BenchmarkColdStart measures how long the function takes to its first answer, the look
// at the rebuilds of its states included, which it makes even if it takes no change.
func BenchmarkColdStart(b *testing.B) {
	cfg := servertest.DynamoDB(b)
	if err := makeTables(b.Context(), cfg, ""); err != nil {
		b.Fatal(err)
	}
	key, err := cfg.Credentials.Retrieve(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	functiontest.ColdStart(b, "./lambda", "LEDGER_TABLE="+simulatedLedger, "TOPIC_ARN=arn:aws:sns:us-east-1:000000000000:badges",
		"AWS_ENDPOINT_URL_DYNAMODB="+*cfg.BaseEndpoint, "AWS_ACCESS_KEY_ID="+key.AccessKeyID)
}
