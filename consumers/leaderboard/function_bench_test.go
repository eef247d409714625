package leaderboard

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"sluice/deploy/local/mapping/function/functiontest"
	"sluice/shared/consumertest"
)

// BenchmarkColdStart measures how long the function takes to its first answer, the
// look at the views' rebuilds included, which it makes even if no view takes a change.
func BenchmarkColdStart(b *testing.B) { functiontest.ColdStart(b, "./lambda", environment(b)...) }

// environment is what a function needs that works in a world of its own.
func environment(b *testing.B) []string {
	b.Helper()
	w := newWorld(b)
	key, err := w.config.Credentials.Retrieve(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	return []string{"LEDGER_TABLE=" + w.ledger, "AWS_ENDPOINT_URL_DYNAMODB=" + *w.config.BaseEndpoint, "AWS_ACCESS_KEY_ID=" + key.AccessKeyID}
}

// BenchmarkMemory gives one process of the function a million changes in batches
// of 1,000, and reports its peak resident memory on the way.
func BenchmarkMemory(b *testing.B) {
	instance := functiontest.Start(b, functiontest.Build(b, "./lambda"), environment(b)...)
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
			functiontest.Invoke(b, instance, consumertest.Payload(done, records...))
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
