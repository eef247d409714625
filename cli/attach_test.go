package cli

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"sluice/deploy/local/servers/servertest"
)

// A table that is there sends its changes into a stack's stream after consent, and in microseconds. Fails if attach changes AWS without
// consent, takes a table from another pipeline, or leaves a destination in milliseconds as it is.
func TestAttach(t *testing.T) {
	cfg := servertest.Ministack(t)
	key, err := cfg.Credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"AWS_REGION": cfg.Region, "AWS_ACCESS_KEY_ID": key.AccessKeyID, "AWS_SECRET_ACCESS_KEY": key.SecretAccessKey, "AWS_ENDPOINT_URL": *cfg.BaseEndpoint,
	} {
		t.Setenv(name, value)
	}
	tables, streams := dynamodb.NewFromConfig(cfg), kinesis.NewFromConfig(cfg)
	stream := servertest.CreateStream(t, streams, "changes", 2)
	other := servertest.CreateStream(t, streams, "others", 1)
	name := "attach" + key.AccessKeyID // names of stacks are those of all accounts
	deployAs(t, cfg, name, `{"Resources": {"T": {"Type": "AWS::SNS::Topic"}}, "Outputs": {"StreamArn": {"Value": "`+stream+`"}}}`)
	deployAs(t, cfg, name+"-none", `{"Resources": {"T": {"Type": "AWS::SNS::Topic"}}}`)
	for _, table := range []string{"Orders", "Slow", "Taken"} {
		servertest.CreateTable(t, tables, table, "CustomerId", "OrderId")
	}
	enable := func(table, stream string, precision types.ApproximateCreationDateTimePrecision) {
		t.Helper()
		if _, err := tables.EnableKinesisStreamingDestination(t.Context(), &dynamodb.EnableKinesisStreamingDestinationInput{
			TableName: &table, StreamArn: &stream, EnableKinesisStreamingConfiguration: &types.EnableKinesisStreamingConfiguration{ApproximateCreationDateTimePrecision: precision},
		}); err != nil {
			t.Fatal(err)
		}
	}
	enable("Slow", stream, types.ApproximateCreationDateTimePrecisionMillisecond)
	enable("Taken", other, types.ApproximateCreationDateTimePrecisionMicrosecond)
	precision := func(table string) string {
		t.Helper()
		out, err := tables.DescribeKinesisStreamingDestination(t.Context(), &dynamodb.DescribeKinesisStreamingDestinationInput{TableName: &table})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range out.KinesisDataStreamDestinations {
			if aws.ToString(d.StreamArn) == stream && d.DestinationStatus == types.DestinationStatusActive {
				return string(d.ApproximateCreationDateTimePrecision)
			}
		}
		return ""
	}
	for _, c := range []struct {
		table, args, stack string
		code               int
		says, then         string // then: the precision of the table's destination on the stream
	}{
		{"Nothing", "--yes", name, 1, "there is no table Nothing in account", ""},
		{"Orders", "--yes", name + "-none", 1, "has no output StreamArn", ""},
		{"Orders", "", name, 1, "there is no terminal to ask on", ""},
		{"Orders", "--dry-run --yes", name, 0, "A dry run: nothing was written.", ""},
		{"Orders", "--yes", name, 0, "sluice backfill search --stack " + name, "MICROSECOND"},
		{"Orders", "", name, 0, "go into stream " + stream + " already, in microseconds", "MICROSECOND"},
		{"Slow", "--dry-run", name, 0, "in milliseconds now, have them in microseconds", "MILLISECOND"},
		{"Slow", "--yes", name, 0, "It holds about 0 items", "MICROSECOND"},
		{"Taken", "--yes", name, 1, "sends its changes to stream " + other + " already", ""},
	} {
		table := c.table
		out, code := run(t, t.TempDir(), append([]string{"attach", table, "--stack", c.stack}, strings.Fields(c.args)...)...)
		if code != c.code {
			t.Errorf("attach %s %s: exit %d, want %d", table, c.args, code, c.code)
		}
		wantTexts(t, out, c.says)
		if table == "Nothing" {
			continue
		}
		if got := precision(table); got != c.then {
			t.Errorf("attach %s %s: the destination is %q, want %q", table, c.args, got, c.then)
		}
	}
	t.Setenv("AWS_REGION", "eu-west-1")
	if out, code := run(t, t.TempDir(), "attach", "Orders", "--stack", name, "--yes"); code != 1 {
		t.Errorf("attach in another region: exit %d:\n%s", code, out)
	}
}
