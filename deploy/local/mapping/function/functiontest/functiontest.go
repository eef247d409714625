// Package functiontest measures functions as they are deployed: their own binaries, run over the Lambda Runtime API.
package functiontest

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"sluice/deploy/local/mapping/function"
	"sluice/shared/consumertest"
)

// Build makes the binary of a package as it is deployed, with further flags of go build, and returns its path.
func Build(b testing.TB, pkg string, flags ...string) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "bootstrap")
	if err := function.Build(b.Context(), "", pkg, path, flags...); err != nil {
		b.Fatalf("build %s: %v", pkg, err)
	}
	return path
}

// Start makes an instance of a function. Without an AWS_ACCESS_KEY_ID in env it has some credentials that fit nowhere.
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
func Invoke(b testing.TB, instance *function.Instance, payload []byte) {
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

const empty = "sluice/deploy/local/mapping/function/functiontest/testdata/empty"

// ColdStart measures from exec to the first answer, of the function of pkg with env and of an empty one in turn, and reports the
// medians, their ratio and the size of the binary. The batch has a change that no consumer knows, so no destination is needed; and
// once more, if record is set, a change that the function applies.
func ColdStart(b *testing.B, pkg string, record func(n int) []byte, env ...string) {
	b.Helper()
	ours, theirs := Build(b, pkg), Build(b, empty)
	key := consumertest.Item{"Id": consumertest.S("x")}
	skipped := consumertest.Payload(1, consumertest.Change{Table: "NobodysTable", Time: time.Now(), Keys: key, New: key}.Record())
	var took, tookEmpty, tookApplied []time.Duration
	once := func(binary string, payload []byte) time.Duration {
		instance := Start(b, binary, env...)
		defer instance.Close()
		began := time.Now()
		Invoke(b, instance, payload)
		return time.Since(began)
	}
	if record != nil {
		once(ours, consumertest.Payload(1, record(0))) // warms up the destination
	}
	for n := 1; b.Loop(); n++ {
		took, tookEmpty = append(took, once(ours, skipped)), append(tookEmpty, once(theirs, skipped))
		if record != nil {
			tookApplied = append(tookApplied, once(ours, consumertest.Payload(1, record(n))))
		}
	}
	size, err := os.Stat(ours)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(medianMillis(took), "ms")
	b.ReportMetric(medianMillis(tookEmpty), "empty-ms")
	b.ReportMetric(medianMillis(took)/medianMillis(tookEmpty), "ratio")
	if record != nil {
		b.ReportMetric(medianMillis(tookApplied), "applied-ms")
		b.ReportMetric(medianMillis(tookApplied)/medianMillis(tookEmpty), "applied-ratio")
	}
	b.ReportMetric(float64(size.Size())/1e6, "MB")
}

func medianMillis(took []time.Duration) float64 {
	slices.Sort(took)
	return float64(took[len(took)/2].Microseconds()) / 1e3
}
