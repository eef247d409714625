// Package servertest gives tests the real servers: at most one of each for a test process, started when the first
// test asks for it and stopped at the end.
//
// A package that uses it needs
//
//	func TestMain(m *testing.M) { servertest.Main(m) }
//
// A server that cannot be had fails the test that asks for it; it is never a reason to skip one.
//
// Under the command servertest/share, which runs tests of many packages, at most one of each for all of them.
package servertest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

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

	// runDir is where the servers run, made by Main.
	runDir string
)

// Main runs the tests, stops the servers that they started, and exits.
func Main(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "servertest:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	return withServers(func() (int, error) { return m.Run(), nil })
}

// withServers lets run start servers, and stops them after it.
func withServers(run func() (int, error)) (code int, err error) {
	if runDir, err = os.MkdirTemp("", "sluice-test-"); err != nil {
		return 0, err
	}
	code, err = run()
	ctx := context.Background()
	return code, errors.Join(err, dynamoDB.stop(ctx), ministack.stop(ctx), openSearch.stop(ctx), os.RemoveAll(runDir))
}

// DynamoDB returns a configuration for DynamoDB and DynamoDB Streams with a new, empty database of the test's own.
func DynamoDB(t testing.TB) aws.Config {
	t.Helper()
	return config(dynamoDB.endpoint(t), "T"+rand.Text())
}

// Ministack returns a configuration for ministack with a new, empty account. Buckets need new names all the same: [CreateBucket].
func Ministack(t testing.TB) aws.Config {
	t.Helper()
	account, err := rand.Int(rand.Reader, big.NewInt(1e12))
	if err != nil {
		t.Fatal(err)
	}
	return config(ministack.endpoint(t), fmt.Sprintf("%012d", account))
}

// OpenSearch returns a configuration with OpenSearch's endpoint. All tests share its indexes: the access key is a name for new ones.
func OpenSearch(t testing.TB) aws.Config {
	t.Helper()
	return config(openSearch.endpoint(t), "t"+strings.ToLower(rand.Text()))
}

func config(endpoint, accessKey string) aws.Config {
	return aws.Config{
		HTTPClient:   sdkhttp.New(),
		Region:       Region,
		BaseEndpoint: &endpoint,
		Credentials:  credentials.NewStaticCredentialsProvider(accessKey, "secret", ""),
	}
}

type lazy struct {
	server   *servers.Server
	variable string

	once    sync.Once
	process *servers.Process
	err     error
}

func (l *lazy) endpoint(t testing.TB) string {
	t.Helper()
	if endpoint := os.Getenv(l.variable); endpoint != "" {
		return endpoint
	}
	get := l.running
	if shared := sharedURL(); shared != "" {
		get = func() (string, error) { return askShared(shared, l.variable) }
	}
	endpoint, err := get()
	if err != nil {
		t.Fatalf("this test needs %s: %v", l.server.Name, err)
	}
	return endpoint
}

// running starts the server if it isn't yet, and returns its endpoint.
func (l *lazy) running() (endpoint string, err error) {
	l.once.Do(func() { l.process, l.err = l.start() })
	if l.err != nil {
		return "", l.err
	}
	return l.process.Endpoint, l.process.Err() // it may have died in an earlier test
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
	// Any port: the tests of several packages run side by side.
	return l.server.Start(ctx, runDir, 0)
}

func (l *lazy) stop(ctx context.Context) error {
	if l.process == nil {
		return nil
	}
	return errors.Join(l.process.Err(), l.process.Stop(ctx))
}
