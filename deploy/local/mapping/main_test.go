package mapping

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"sluice/deploy/local/servers/servertest"
)

// The test binary plays the function if this variable says how it behaves; the next names the file in which it notes what it has
// processed.
const (
	role   = "MAPPING_TEST_ROLE"
	ledger = "MAPPING_TEST_LEDGER"
)

func TestMain(m *testing.M) {
	switch behaviour := os.Getenv(role); behaviour {
	case "":
		servertest.Main(m)
	case "exits at start":
		fmt.Println("BOARD_TABLE is not set")
		os.Exit(1)
	default:
		lambda.Start(func(_ context.Context, event events.KinesisEvent) (any, error) { return process(behaviour, event) })
	}
}

// process notes every record as a line of the ledger once it is processed, except those whose data begins with "bad". An empty line
// begins every invocation.
func process(behaviour string, event events.KinesisEvent) (any, error) {
	if behaviour == "waits" {
		return nil, waitForRelease()
	}
	file, err := os.OpenFile(os.Getenv(ledger), os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if _, err := fmt.Fprintln(file); err != nil {
		return nil, err
	}
	type failure struct {
		ItemIdentifier string `json:"itemIdentifier"`
	}
	failures := []failure{}
	for _, r := range event.Records {
		if strings.HasPrefix(string(r.Kinesis.Data), "bad") {
			if behaviour == "fails" {
				return nil, errors.New("cannot do " + string(r.Kinesis.Data))
			}
			failures = append(failures, failure{r.Kinesis.SequenceNumber})
			continue
		}
		if behaviour == "slow" {
			time.Sleep(200 * time.Microsecond) //nolint:forbidigo // stands for work, so that there is a middle to be killed in
		}
		data := string(r.Kinesis.Data)
		if len(data) > 100 {
			data = fmt.Sprint(len(data))
		}
		if _, err := fmt.Fprintln(file, r.Kinesis.PartitionKey, data); err != nil {
			return nil, err
		}
	}
	return map[string]any{"batchItemFailures": failures}, nil
}

// waitForRelease waits for as long as the test holds the lock of the file beside the ledger.
func waitForRelease() error {
	hold, err := os.Open(os.Getenv(ledger) + ".hold")
	if err != nil {
		return err
	}
	defer hold.Close()
	return syscall.Flock(int(hold.Fd()), syscall.LOCK_SH)
}

// readLedger returns what the function has processed, by invocation.
func readLedger(t *testing.T, path string) (invocations [][]string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		if line == "" {
			invocations = append(invocations, nil)
		} else {
			last := len(invocations) - 1
			invocations[last] = append(invocations[last], line)
		}
	}
	return invocations
}
