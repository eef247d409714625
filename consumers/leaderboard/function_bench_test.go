package leaderboard

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"sluice/deploy/local/mapping/function"
	"sluice/shared/consumertest"
)

// build makes a function's binary as it is deployed.
func build(b *testing.B, dir string) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "bootstrap")
	cmd := exec.Command("go", "build", "-tags", "lambda.norpc", "-trimpath", "-ldflags", "-s -w", "-o", path, dir)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("build %s: %v\n%s", dir, err, out)
	}
	return path
}

// start makes an instance of a function; its process starts with the first batch.
func start(b *testing.B, binary string, env ...string) *function.Instance {
	b.Helper()
	env = append([]string{"LEDGER_TABLE=ledger", "DEAD_LETTER_QUEUE_URL=http://127.0.0.1:1/queue",
		"AWS_ACCESS_KEY_ID=bench", "AWS_SECRET_ACCESS_KEY=bench"}, env...)
	instance, err := function.New(function.Config{
		Name: "leaderboard", Binary: binary, ARN: "arn:aws:lambda:us-east-1:000000000000:function:leaderboard",
		Env: env, Timeout: time.Minute, MemoryMB: 256, Output: io.Discard,
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(instance.Close)
	return instance
}

func invoke(b *testing.B, instance *function.Instance, payload []byte) {
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

// BenchmarkColdStart measures from exec to the first answer, this function and
// an empty one in turn, and reports the medians and their ratio. The batch holds
// a change of another table, so that the answer needs no destination.
func BenchmarkColdStart(b *testing.B) {
	binaries := map[string]string{"leaderboard": build(b, "./lambda"), "empty": build(b, "./testdata/empty")}
	key := consumertest.Item{"Id": consumertest.S("x")}
	payload := consumertest.Payload(1, consumertest.Change{Table: "Orders", Time: time.Now(), Keys: key, New: key}.Record())
	took := map[string][]time.Duration{}
	for b.Loop() {
		for name, binary := range binaries {
			instance := start(b, binary)
			began := time.Now()
			invoke(b, instance, payload)
			took[name] = append(took[name], time.Since(began))
			instance.Close()
		}
	}
	median := func(name string) float64 {
		slices.Sort(took[name])
		return float64(took[name][len(took[name])/2].Microseconds()) / 1e3
	}
	size, err := os.Stat(binaries["leaderboard"])
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median("leaderboard"), "ms")
	b.ReportMetric(median("empty"), "empty-ms")
	b.ReportMetric(median("leaderboard")/median("empty"), "ratio")
	b.ReportMetric(float64(size.Size())/1e6, "MB")
}

// BenchmarkMemory gives one process of the function a million changes in batches
// of 1,000, and reports its peak resident memory on the way.
func BenchmarkMemory(b *testing.B) {
	w := newWorld(b)
	key, err := w.config.Credentials.Retrieve(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	instance := start(b, build(b, "./lambda"), "LEDGER_TABLE="+w.ledger, "AWS_ENDPOINT_URL_DYNAMODB="+*w.config.BaseEndpoint,
		"AWS_ACCESS_KEY_ID="+key.AccessKeyID)
	const batch = 1000
	began := time.Now()
	for b.Loop() {
		for done := 0; done < 1_000_000; {
			records := make([][]byte, batch)
			for i := range records {
				image := consumertest.Item{
					AttrUser:      consumertest.S("player-" + strconv.Itoa(i%10)),
					AttrTimestamp: consumertest.S(strconv.Itoa(done + i)),
					AttrScore:     consumertest.N(strconv.Itoa(i % 10)),
				}
				keys := consumertest.Item{AttrUser: image[AttrUser], AttrTimestamp: image[AttrTimestamp]}
				records[i] = consumertest.Change{
					Table: DefaultScoreTable, Time: began.Add(time.Duration(done+i) * time.Microsecond), Keys: keys, New: image,
				}.Record()
			}
			invoke(b, instance, consumertest.Payload(done, records...))
			done += batch
			switch done {
			case 1_000, 10_000, 100_000, 1_000_000:
				b.ReportMetric(peakMB(b), fmt.Sprintf("MB-after-%d", done))
			}
		}
	}
	b.ReportMetric(0, "ns/op")
}

// peakMB returns the peak resident memory of the function, our only child named bootstrap.
func peakMB(b *testing.B) float64 {
	b.Helper()
	paths, err := filepath.Glob("/proc/[0-9]*/status")
	if err != nil {
		b.Fatal(err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // ended meanwhile
		}
		fields := map[string]string{}
		for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
			name, value, _ := strings.Cut(lines.Text(), ":")
			fields[name] = strings.TrimSpace(value)
		}
		if fields["Name"] != "bootstrap" || fields["PPid"] != strconv.Itoa(os.Getpid()) {
			continue
		}
		kb, err := strconv.Atoi(strings.TrimSuffix(fields["VmHWM"], " kB"))
		if err != nil {
			b.Fatal(err)
		}
		return float64(kb) / 1e3
	}
	b.Fatal("no process of the function; this benchmark reads /proc, so it needs Linux")
	return 0
}
