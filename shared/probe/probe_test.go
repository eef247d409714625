package probe

import (
	"context"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumertest/wire"
)

func TestMain(m *testing.M) { servertest.Main(m) }

// Fails for a probe that changes something, or that takes a table which is missing, throttled or
// out of order for one that works.
func TestProbes(t *testing.T) {
	cfg := servertest.DynamoDB(t)
	fault := wire.None
	cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	direct := dynamodb.NewFromConfig(cfg)
	cfg.HTTPClient = &http.Client{Transport: &wire.Transport{Decide: func(wire.Call) wire.Fault { return fault }}}
	servertest.CreateTable(t, direct, "one", "Id")
	servertest.CreateTable(t, direct, "two", "Group", "Entry")
	client := dynamodb.NewFromConfig(cfg)
	two := Table{Client: client, Name: "two", Key: Key("Group", "Entry")}
	probes := map[string]func(Table, context.Context) error{
		"UpdateItem": Table.UpdateItem, "PutItem": Table.PutItem, "DeleteItem": Table.DeleteItem, "GetItem": Table.GetItem,
		"Query":        func(table Table, ctx context.Context) error { return table.Query(ctx, "Id") },
		"UpdateAndPut": func(table Table, ctx context.Context) error { return table.UpdateAndPut(ctx, two) },
	}
	for name, probe := range probes {
		one := Table{Client: client, Name: "one", Key: Key("Id")}
		if err := probe(one, t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, f := range []wire.Fault{wire.Throttle, wire.ServerError, wire.LostRequest} {
			fault = f
			if err := probe(one, t.Context()); err == nil {
				t.Errorf("%s: the table works although the answer is %v", name, f)
			}
			fault = wire.None
		}
		one.Name = "missing"
		if err := probe(one, t.Context()); err == nil {
			t.Errorf("%s: a table that isn't there works", name)
		}
	}
	two.Name = "missing"
	if err := (Table{Client: client, Name: "one", Key: Key("Id")}).UpdateAndPut(t.Context(), two); err == nil {
		t.Error("a transaction works although one of its tables isn't there")
	}
	for _, table := range []string{"one", "two"} {
		out, err := direct.Scan(t.Context(), &dynamodb.ScanInput{TableName: &table})
		if err != nil || out.Count != 0 {
			t.Errorf("table %s holds %d items, %v", table, out.Count, err)
		}
	}
}
