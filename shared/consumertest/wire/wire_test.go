package wire

import (
	"errors"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/smithy-go"

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
		{Conflict, is[*types.TransactionConflictException], false},
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

// Calls that are made at once are decided one after the other. Fails with -race if they
// aren't.
func TestDecidesOneAfterTheOther(t *testing.T) {
	const calls = 500
	decided := 0
	client := http.Client{Transport: &Transport{Decide: func(Call) Fault { decided++; return LostRequest }}}
	var all sync.WaitGroup
	for range calls {
		all.Go(func() {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:1", nil)
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := client.Do(request); err == nil { //nolint:bodyclose // there is none
				t.Error("a lost request has an answer")
			}
		})
	}
	all.Wait()
	if decided != calls {
		t.Errorf("%d calls were decided, want %d", decided, calls)
	}
}

// A transaction that is refused for a conflict says so of one of its items, and
// writes none; a call that meets no conflicts can't be refused with one.
func TestConflictOfTransaction(t *testing.T) {
	cfg := servertest.DynamoDB(t)
	direct := dynamodb.NewFromConfig(cfg)
	servertest.CreateTable(t, direct, "items", "Id")
	faulty := dynamodb.NewFromConfig(cfg, func(o *dynamodb.Options) {
		o.HTTPClient = &http.Client{Transport: &Transport{Decide: func(Call) Fault { return Conflict }}}
		o.Retryer = aws.NopRetryer{}
	})
	var puts []types.TransactWriteItem
	for _, id := range []string{"x", "y"} {
		item := map[string]types.AttributeValue{"Id": &types.AttributeValueMemberS{Value: id}}
		puts = append(puts, types.TransactWriteItem{Put: &types.Put{TableName: aws.String("items"), Item: item}})
	}
	_, err := faulty.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: puts})
	canceled, ok := errors.AsType[*types.TransactionCanceledException](err)
	if !ok {
		t.Fatalf("the client sees %v", err)
	}
	var codes []string
	for _, reason := range canceled.CancellationReasons {
		codes = append(codes, *reason.Code)
	}
	if want := []string{"None", "TransactionConflict"}; !slices.Equal(codes, want) {
		t.Errorf("the reasons are %v, want %v", codes, want)
	}
	out, err := direct.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String("items")})
	if err != nil || len(out.Items) != 0 {
		t.Errorf("items %v, %v; want none", out.Items, err)
	}
	if _, err := faulty.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String("items")}); err == nil || is[*types.TransactionConflictException](err) {
		t.Errorf("a scan with a conflict ends with %v, want an error that says that it can't meet one", err)
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

// A call that doesn't speak the AWS JSON protocol is refused as OpenSearch does it,
// and the server never sees it.
func TestRefusalsOfREST(t *testing.T) {
	for fault, want := range map[Fault]int{Throttle: http.StatusTooManyRequests, ServerError: http.StatusServiceUnavailable} {
		client := http.Client{Transport: &Transport{Decide: func(Call) Fault { return fault }}}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1:1/_bulk", nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("%v: status %d, want %d", fault, response.StatusCode, want)
		}
	}
}

// A call of the AWS query protocol is known by its operation, and is refused so that
// its client knows the error, which the server never sees.
func TestRefusalsOfQuery(t *testing.T) {
	for fault, want := range map[Fault]string{Throttle: "Throttling", ServerError: "InternalError"} {
		var seen Call
		client := sns.New(sns.Options{
			BaseEndpoint: aws.String("http://127.0.0.1:1"),
			Region:       servertest.Region,
			Credentials:  credentials.NewStaticCredentialsProvider("key", "secret", ""),
			HTTPClient:   &http.Client{Transport: &Transport{Decide: func(c Call) Fault { seen = c; return fault }}},
			Retryer:      aws.NopRetryer{},
		})
		_, err := client.Publish(t.Context(), &sns.PublishInput{TopicArn: aws.String("arn"), Message: aws.String("x")})
		refused, ok := errors.AsType[smithy.APIError](err)
		if !ok || refused.ErrorCode() != want {
			t.Errorf("%v: the client sees %v, want %s", fault, err, want)
		}
		if seen.Operation != "Publish" || len(seen.Body) == 0 {
			t.Errorf("%v: the call is %+v", fault, seen)
		}
	}
}
