package wire

import (
	"errors"
	"net"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/deploy/local/servers/servertest"
)

func TestMain(m *testing.M) { servertest.Main(m) }

// What each fault does to a write: what the client sees, and whether the real
// server has done it.
func TestFaults(t *testing.T) {
	for _, test := range []struct {
		fault   Fault
		wantErr func(error) bool
		written bool
	}{
		{None, func(err error) bool { return err == nil }, true},
		{Throttle, is[*types.ProvisionedThroughputExceededException], false},
		{ServerError, is[*types.InternalServerError], false},
		{LostRequest, isTimeout, false},
		{LostAnswer, isTimeout, true},
		{Crash, isTimeout, false},
		{CrashAfter, isTimeout, true},
	} {
		t.Run(test.fault.String(), func(t *testing.T) {
			cfg := servertest.DynamoDB(t)
			direct := dynamodb.NewFromConfig(cfg)
			servertest.CreateTable(t, direct, "items", "Id")
			var seen Call
			transport := &Transport{Decide: func(c Call) Fault { seen = c; return test.fault }}
			faulty := dynamodb.NewFromConfig(cfg, func(o *dynamodb.Options) {
				o.HTTPClient = &http.Client{Transport: transport}
				o.Retryer = aws.NopRetryer{}
			})
			item := map[string]types.AttributeValue{"Id": &types.AttributeValueMemberS{Value: "x"}}
			_, err := faulty.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("items"), Item: item})
			if !test.wantErr(err) {
				t.Errorf("the client sees %v", err)
			}
			if seen.N != 1 || seen.Operation != "PutItem" || len(seen.Body) == 0 {
				t.Errorf("the call is %+v", seen)
			}
			out, err := direct.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("items"), Key: item})
			if err != nil {
				t.Fatal(err)
			}
			if written := out.Item != nil; written != test.written {
				t.Errorf("written: %v, want %v", written, test.written)
			}
			crash := test.fault == Crash || test.fault == CrashAfter
			if transport.Crashed() != crash {
				t.Errorf("crashed: %v, want %v", transport.Crashed(), crash)
			}
			transport.Decide = nil
			if _, err := faulty.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("items"), Key: item}); (err != nil) != crash {
				t.Errorf("the next call ends with %v", err)
			}
		})
	}
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

func isTimeout(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}
