// Package servertest gives tests the real servers: at most one of each for a test process, started when the first
// test asks for it and stopped at the end.
//
// A package that uses it needs
//
//	func TestMain(m *testing.M) { servertest.Main(m) }
//
// A server that cannot be had fails the test that asks for it; it is never a reason to skip one.
package servertest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"golang.org/x/sync/errgroup"

	"sluice/deploy/local/servers"
	"sluice/shared/sdkhttp"
)

// Region is the region of the configurations that this package makes.
const Region = "us-east-1"

// The variables of the environment that name a running server to use instead of starting one.
const (
	DynamoDBVariable   = "SLUICE_TEST_DYNAMODB"
	MinistackVariable  = "SLUICE_TEST_MINISTACK"
	OpenSearchVariable = "SLUICE_TEST_OPENSEARCH"
)

var (
	dynamoDB   = lazy{server: servers.DynamoDBLocal, variable: DynamoDBVariable}
	ministack  = lazy{server: servers.MinistackForTemplates, variable: MinistackVariable}
	openSearch = lazy{server: servers.OpenSearch, variable: OpenSearchVariable}

	// runDir is where the servers run. Main and Share make it.
	runDir string
)

// Main runs the tests, stops the servers that they started, and exits.
func Main(m *testing.M) {
	code, err := withRunDir(func() (int, error) { return m.Run(), nil })
	if err != nil {
		fmt.Fprintln(os.Stderr, "servertest:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// Share starts DynamoDB Local and OpenSearch, and calls use with the variables of the environment that name them. Then it stops
// them. They get the same ports each time, if those are free, so that go test finds its results of unchanged packages in its
// cache. It leaves out ministack, which starts in a second: all its accounts share the names of CloudFormation's stacks.
func Share(use func(environment []string) (code int, err error)) (code int, err error) {
	return withRunDir(func() (int, error) {
		var environment []string
		var starting errgroup.Group
		for i, l := range []*lazy{&dynamoDB, &openSearch} {
			l.port = firstSharedPort + i
			starting.Go(func() error { return l.started() })
		}
		if err := starting.Wait(); err != nil {
			return 0, err
		}
		for _, l := range []*lazy{&dynamoDB, &openSearch} {
			environment = append(environment, l.variable+"="+l.process.Endpoint)
		}
		return use(environment)
	})
}

// firstSharedPort is the first of the preferred ports of shared servers. People's own servers are elsewhere.
const firstSharedPort = 24566

// withRunDir calls use and then stops the servers that were started meanwhile.
func withRunDir(use func() (int, error)) (code int, err error) {
	if runDir, err = os.MkdirTemp("", "sluice-test-"); err != nil {
		return 0, err
	}
	code, err = use()
	ctx := context.Background()
	return code, errors.Join(err, dynamoDB.stop(ctx), ministack.stop(ctx), openSearch.stop(ctx), os.RemoveAll(runDir))
}

// DynamoDB returns a configuration for DynamoDB and DynamoDB Streams with a new, empty database of the test's own.
func DynamoDB(t testing.TB) aws.Config {
	t.Helper()
	return config(dynamoDB.endpoint(t), "T"+rand.Text())
}

// Ministack returns a configuration for Kinesis, SQS, SNS, S3 and Secrets Manager with a new, empty account of the test's own. Names of
// buckets and of CloudFormation's stacks must be unique among the tests of a package all the same: see [CreateBucket].
func Ministack(t testing.TB) aws.Config {
	t.Helper()
	account, err := rand.Int(rand.Reader, big.NewInt(1e12))
	if err != nil {
		t.Fatal(err)
	}
	return config(ministack.endpoint(t), fmt.Sprintf("%012d", account))
}

// OpenSearch returns a configuration whose endpoint is OpenSearch's, without security. All tests share its indexes:
// each needs names of its own, which begin with the access key, a new one each time. Such indexes are deleted after the test.
func OpenSearch(t testing.TB) aws.Config {
	t.Helper()
	endpoint, key := openSearch.endpoint(t), "t"+strings.ToLower(rand.Text())
	t.Cleanup(func() { deleteIndexes(t, endpoint, key) })
	return config(endpoint, key)
}

// deleteIndexes deletes all indexes whose names begin with the prefix: a server that is shared would run out of shards.
func deleteIndexes(t testing.TB, endpoint, prefix string) {
	request, err := http.NewRequest(http.MethodDelete, endpoint+"/"+prefix+"*", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Errorf("delete the indexes %s*: %v", prefix, err)
		return
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("delete the indexes %s*: %s", prefix, response.Status)
	}
}

func config(endpoint, accessKey string) aws.Config {
	return aws.Config{
		HTTPClient:   sdkhttp.New(),
		Region:       Region,
		BaseEndpoint: &endpoint,
		Credentials:  credentials.NewStaticCredentialsProvider(accessKey, "secret", ""),
	}
}

// lazy is a server that is started when it is first asked for.
type lazy struct {
	server   *servers.Server
	variable string
	port     int // the preferred one; 0: any, since the tests of several packages run side by side

	once    sync.Once
	process *servers.Process
	err     error
}

func (l *lazy) endpoint(t testing.TB) string {
	t.Helper()
	if endpoint := os.Getenv(l.variable); endpoint != "" {
		return endpoint
	}
	if err := l.started(); err != nil {
		t.Fatalf("this test needs %s: %v", l.server.Name, err)
	}
	return l.process.Endpoint
}

// started starts the server unless it runs.
func (l *lazy) started() error {
	l.once.Do(func() { l.process, l.err = l.start() })
	if l.err != nil {
		return l.err
	}
	return l.process.Err() // it may have died in an earlier test
}

func (l *lazy) start() (*servers.Process, error) {
	if runDir == "" {
		return nil, errors.New("its package has no TestMain that calls servertest.Main")
	}
	ctx := context.Background()
	if err := servers.Check(ctx, l.server); err != nil {
		return nil, err
	}
	progress := func(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
	if err := servers.Install(ctx, progress, l.server); err != nil {
		return nil, err
	}
	return l.server.Start(ctx, runDir, l.port)
}

func (l *lazy) stop(ctx context.Context) error {
	if l.process == nil {
		return nil
	}
	return errors.Join(l.process.Err(), l.process.Stop(ctx))
}
