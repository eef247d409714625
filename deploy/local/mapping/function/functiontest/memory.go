package functiontest

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"sluice/shared/consumertest"
)

const memoryBatch = 1000

// Memory gives one process of the function of pkg many changes in batches of 1,000, and reports its peak resident memory after
// the first batch and after 10,000, 100,000 and 1,000,000 changes. record makes a change by its number.
func Memory(b *testing.B, pkg string, changes int, record func(n int) []byte, env ...string) {
	b.Helper()
	instance := Start(b, Build(b, pkg), env...)
	for b.Loop() {
		for done := 0; done < changes; {
			records := make([][]byte, memoryBatch)
			for i := range records {
				records[i] = record(done + i)
			}
			Invoke(b, instance, consumertest.Payload(done, records...))
			done += memoryBatch
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
