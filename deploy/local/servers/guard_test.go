package servers_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"sluice/deploy/local/servers"
	"sluice/shared/consumertest/proof"
)

// stackKey is the access key that the servers of this file are started for.
const stackKey = "SLUICETESTKEY"

// startFor starts a server for stackKey alone. It fails for a server that sees the developer's own keys and profile.
func startFor(t *testing.T, server *servers.Server) *servers.Process {
	t.Helper()
	for _, name := range []string{"AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "SOME_TOKEN"} {
		t.Setenv(name, "the developer's")
	}
	process, err := server.StartFor(t.Context(), t.TempDir(), 0, stackKey)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := process.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	environment, err := os.ReadFile(filepath.Join("/proc", fmt.Sprint(process.PID), "environ"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // only Linux shows it
		t.Fatal(err)
	}
	if strings.Contains(string(environment), "the developer's") {
		t.Errorf("%s sees our environment: %q", server.Name, environment)
	}
	return process
}

// request is one that would change something, if it was not refused.
type request struct {
	method, path, body string
	header             map[string]string
}

func (r request) send(t *testing.T, endpoint string, more map[string]string) (status int, answer string) {
	t.Helper()
	out, err := http.NewRequestWithContext(t.Context(), r.method, endpoint+r.path, strings.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	for _, headers := range []map[string]string{r.header, more} {
		for name, value := range headers {
			if name == "Host" {
				out.Host = value
			} else {
				out.Header.Set(name, value)
			}
		}
	}
	response, err := http.DefaultClient.Do(out)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func signed(key, service string) string {
	return "AWS4-HMAC-SHA256 Credential=" + key + "/20261130/us-east-1/" + service + "/aws4_request, SignedHeaders=host, Signature=00"
}

// fromPages is what a page's request has that a program's has not.
var fromPages = map[string]map[string]string{
	"a page of another site":      {"Origin": "https://evil.example"},
	"a page without a site":       {"Origin": "null"},
	"a page of another program":   {"Origin": "http://localhost:3000"},
	"a page of the server itself": {"Origin": "http://127.0.0.1", "Sec-Fetch-Site": "same-origin"},
	"an image of a page":          {"Sec-Fetch-Site": "cross-site"},
	"a name that leads here":      {"Host": "evil.example"},
	"such a name with a port":     {"Host": "evil.example:4566"},
	"a name that begins alike":    {"Host": "127.0.0.1.evil.example"},
	"an address of this network":  {"Host": "192.168.0.1:8000"},
	"an image's upload":           {"Content-Type": "text/plain;charset=UTF-8"},
}

// wantRefused sends a request as pages do, which must be refused each time.
func wantRefused(t *testing.T, endpoint string, r request) {
	t.Helper()
	for name, headers := range fromPages {
		// OpenSearch itself refuses text, before it asks us.
		if status, answer := r.send(t, endpoint, headers); status != http.StatusForbidden && status != http.StatusNotAcceptable {
			t.Errorf("%s: status %d, want 403: %s", name, status, answer)
		}
	}
}

func TestDynamoDBLocalRefusesPages(t *testing.T) {
	process := startFor(t, servers.DynamoDBLocal)
	create := request{http.MethodPost, "/", `{"TableName":"Table","BillingMode":"PAY_PER_REQUEST",` +
		`"AttributeDefinitions":[{"AttributeName":"K","AttributeType":"S"}],"KeySchema":[{"AttributeName":"K","KeyType":"HASH"}]}`,
		map[string]string{"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "DynamoDB_20120810.CreateTable", "Authorization": signed("sluice", "dynamodb")}}
	wantRefused(t, process.Endpoint, create)
	// The stack's own key and "sluice" see the same tables, another key doesn't.
	tables := func(key string) []string {
		t.Helper()
		out, err := dynamodb.New(dynamodb.Options{BaseEndpoint: &process.Endpoint, Region: "us-east-1",
			Credentials: credentials.NewStaticCredentialsProvider(key, "secret", "")}).ListTables(t.Context(), &dynamodb.ListTablesInput{})
		if err != nil {
			t.Fatal(err)
		}
		return out.TableNames
	}
	if names := tables("sluice"); len(names) != 0 {
		t.Errorf("refused requests made the tables %q", names)
	}
	if status, answer := create.send(t, process.Endpoint, nil); status != http.StatusOK {
		t.Fatalf("a program's request: status %d: %s", status, answer)
	}
	for key, want := range map[string]int{"sluice": 1, stackKey: 1, "another": 0} {
		if names := tables(key); len(names) != want {
			t.Errorf("the key %s sees the tables %q, want %d", key, names, want)
		}
	}
	db := dynamodb.New(dynamodb.Options{BaseEndpoint: &process.Endpoint, Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider(stackKey, "secret", "")})
	if _, err := db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("Table"), Item: map[string]types.AttributeValue{"K": &types.AttributeValueMemberS{Value: "k"}}}); err != nil {
		t.Error(err)
	}
}

func TestMinistackRefusesPagesAndOtherKeys(t *testing.T) {
	process := startFor(t, servers.Ministack)
	create := request{http.MethodPost, "/", `{"QueueName":"q"}`,
		map[string]string{"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "AmazonSQS.CreateQueue", "Authorization": signed(stackKey, "sqs")}}
	for name, headers := range fromPages {
		if name == "an image's upload" {
			continue // a signed one is a program's
		}
		if status, answer := create.send(t, process.Endpoint, headers); status != http.StatusForbidden {
			t.Errorf("%s: status %d, want 403: %s", name, status, answer)
		}
	}
	without := create
	without.header = map[string]string{"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "AmazonSQS.CreateQueue"}
	for name, headers := range map[string]map[string]string{
		"without a key":      nil,
		"text without a key": fromPages["an image's upload"],
		"with another key":   {"Authorization": signed("sluice", "sqs")},
		"with a longer key":  {"Authorization": signed(stackKey+"1", "sqs")},
		"with a shorter key": {"Authorization": signed(stackKey[1:], "sqs")},
		"without a scheme":   {"Authorization": stackKey},
	} {
		if status, answer := without.send(t, process.Endpoint, headers); status != http.StatusForbidden {
			t.Errorf("%s: status %d, want 403: %s", name, status, answer)
		}
	}
	for _, path := range []string{"/?Action=CreateQueue&QueueName=q", "/_ministack/health", "/bucket", "/_ministack/sqs/messages"} {
		if status, answer := (request{http.MethodGet, path, "", nil}).send(t, process.Endpoint, nil); status != http.StatusForbidden {
			t.Errorf("%s: status %d, want 403: %s", path, status, answer)
		}
	}
	if status, answer := (request{http.MethodPost, "/_ministack/reset", "", nil}).send(t, process.Endpoint, nil); status != http.StatusForbidden {
		t.Errorf("reset: status %d, want 403: %s", status, answer)
	}
	client := sqs.New(sqs.Options{BaseEndpoint: &process.Endpoint, Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider(stackKey, "secret", "")})
	queues := func() []string {
		t.Helper()
		out, err := client.ListQueues(t.Context(), &sqs.ListQueuesInput{})
		if err != nil {
			t.Fatal(err)
		}
		return out.QueueUrls
	}
	if urls := queues(); len(urls) != 0 {
		t.Errorf("refused requests made the queues %q", urls)
	}
	if status, answer := create.send(t, process.Endpoint, nil); status != http.StatusOK || len(queues()) != 1 {
		t.Errorf("a program's request: status %d: %s", status, answer)
	}
	// What runs programs isn't there.
	for _, target := range []string{"AWSLambda.ListFunctions", "AmazonCloudFormation.ListStacks"} {
		r := request{http.MethodGet, "/2015-03-31/functions/", "", map[string]string{"Authorization": signed(stackKey, "lambda"), "X-Amz-Target": target}}
		if status, answer := r.send(t, process.Endpoint, nil); status < 400 {
			t.Errorf("%s is answered with status %d: %s", target, status, answer)
		}
	}
}

func TestOpenSearchRefusesPages(t *testing.T) {
	proof.NotShort(t, "it starts an OpenSearch of its own; TestDynamoDBLocalRefusesPages has the same guard")
	process := startFor(t, servers.OpenSearch)
	create := request{http.MethodPut, "/left", `{}`, map[string]string{"Content-Type": "application/json"}}
	wantRefused(t, process.Endpoint, create)
	if status, _ := (request{http.MethodGet, "/left", "", nil}).send(t, process.Endpoint, nil); status != http.StatusNotFound {
		t.Errorf("refused requests made an index: status %d", status)
	}
	if status, answer := create.send(t, process.Endpoint, nil); status != http.StatusOK {
		t.Errorf("a program's request: status %d: %s", status, answer)
	}
}
