// Package functiontest measures functions as they are deployed: their own
// binaries, run over the Lambda Runtime API.
package functiontest

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"sluice/deploy/local/mapping/function"
	"sluice/shared/consumertest"
)

// Build makes the binary of the package, as it is deployed, with further flags
// of go build, and returns its path.
func Build(b testing.TB, pkg string, flags ...string) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "bootstrap")
	arguments := []string{"build", "-tags", "lambda.norpc", "-trimpath", "-ldflags", "-s -w", "-o", path}
	cmd := exec.Command("go", append(append(arguments, flags...), pkg)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("build %s: %v\n%s", pkg, err, out)
	}
	return path
}

// Start makes an instance of a function; its process starts with the first batch.
// Without an AWS_ACCESS_KEY_ID in env it has some credentials that fit nowhere.
func Start(b *testing.B, binary string, env ...string) *function.Instance {
	b.Helper()
	env = append([]string{"DEAD_LETTER_QUEUE_URL=http://127.0.0.1:1/queue", "AWS_ACCESS_KEY_ID=bench", "AWS_SECRET_ACCESS_KEY=bench"}, env...)
	instance, err := function.New(function.Config{
		Name: "bench", Binary: binary, ARN: "arn:aws:lambda:us-east-1:000000000000:function:bench",
		Env: env, Timeout: time.Minute, MemoryMB: 256, Output: io.Discard,
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(instance.Close)
	return instance
}

// Invoke gives an instance a payload, of which no change may fail.
func Invoke(b *testing.B, instance *function.Instance, payload []byte) {
	b.Helper()
	answer, err := instance.Invoke(b.Context(), payload, nil)
	if err != nil {
		b.Fatal(err)
	}
	if answer.Failure != nil {
		b.Fatal(answer.Failure)
	}
	if bytes.Contains(answer.Body, []byte("itemIdentifier")) {
		b.Fatalf("changes failed: %s", answer.Body)
	}
}

// empty is a function that does nothing.
const empty = "sluice/deploy/local/mapping/function/functiontest/testdata/empty"

// ColdStart measures from exec to the first answer, the function of pkg with env
// and an empty one in turn, and reports the medians, their ratio and the size of
// the binary. The batch holds a change of a table that no consumer knows, so that
// the answer needs no destination.
func ColdStart(b *testing.B, pkg string, env ...string) {
	b.Helper()
	binaries := []string{Build(b, pkg), Build(b, empty)}
	key := consumertest.Item{"Id": consumertest.S("x")}
	payload := consumertest.Payload(1, consumertest.Change{Table: "NobodysTable", Time: time.Now(), Keys: key, New: key}.Record())
	took := make([][]time.Duration, len(binaries))
	for b.Loop() {
		for i, binary := range binaries {
			instance := Start(b, binary, env...)
			began := time.Now()
			Invoke(b, instance, payload)
			took[i] = append(took[i], time.Since(began))
			instance.Close()
		}
	}
	size, err := os.Stat(binaries[0])
	if err != nil {
		b.Fatal(err)
	}
	ours, theirs := medianMillis(took[0]), medianMillis(took[1])
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(ours, "ms")
	b.ReportMetric(theirs, "empty-ms")
	b.ReportMetric(ours/theirs, "ratio")
	b.ReportMetric(float64(size.Size())/1e6, "MB")
}

func medianMillis(took []time.Duration) float64 {
	slices.Sort(took)
	return float64(took[len(took)/2].Microseconds()) / 1e3
}
