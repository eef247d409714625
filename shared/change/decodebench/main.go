// Command decodebench compares shared/change with aws-lambda-go's types and encoding/json on payloads of 500 records, side by
// side in one process: ratios hold on any machine, times only on one. Its last line is for scripts.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"
)

const records = 500

func main() {
	passes := flag.Int("passes", 61, "how often each reader gets its turn")
	turn := flag.Duration("turn", 25*time.Millisecond, "how long a turn is at least")
	flag.Parse()
	if err := run(*passes, *turn); err != nil {
		fmt.Fprintln(os.Stderr, "decodebench:", err)
		os.Exit(1)
	}
}

func run(passes int, turn time.Duration) error {
	fmt.Printf("%s %s/%s, GOMAXPROCS %d; µs a record: median (least to most) of %d interleaved passes\n\n",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.GOMAXPROCS(0), passes)
	fmt.Printf("%-6s %-7s %22s %22s %22s %8s\n", "corpus", "read", "encoding/json", "sluice", "ratio", "allocs")
	least := map[string]float64{}
	for _, corpus := range []string{"small", "rich"} {
		p := payload(corpus, records)
		ourNeeded, ourFull := ours(corpus)
		theirNeeded, theirFull := library(corpus)
		for _, c := range []struct {
			read         string
			ours, theirs reader
		}{{"needed", ourNeeded, theirNeeded}, {"full", ourFull, theirFull}} {
			if err := same(p, c.ours, c.theirs); err != nil {
				return fmt.Errorf("%s %s: %w", corpus, c.read, err)
			}
			var us, them, ratio []float64
			for range passes {
				o, t := measure(p, c.ours, turn), measure(p, c.theirs, turn)
				us, them, ratio = append(us, o), append(them, t), append(ratio, t/o)
			}
			fmt.Printf("%-6s %-7s %22s %22s %22s %8.3f\n", corpus, c.read, spread(them), spread(us), spread(ratio), allocations(p, c.ours))
			if m := median(ratio); least[c.read] == 0 || m < least[c.read] {
				least[c.read] = m
			}
		}
	}
	fmt.Printf("\ndecode ratio: needed %.1f, full %.1f\n", least["needed"], least["full"])
	return nil
}

// same makes sure that both readers read the same from the payload, and warms them.
func same(p []byte, a, b reader) error {
	x, err := a(p)
	if err != nil {
		return err
	}
	y, err := b(p)
	if err != nil {
		return err
	}
	if x != y {
		return fmt.Errorf("sluice read %d, encoding/json %d", x, y)
	}
	return nil
}

// measure returns the microseconds a record that read takes, over at least a turn.
func measure(p []byte, read reader, turn time.Duration) float64 {
	runtime.GC() // nobody pays for the other's garbage
	start, n := time.Now(), 0
	for time.Since(start) < turn {
		if _, err := read(p); err != nil {
			panic(err) // same has read it before
		}
		n++
	}
	return float64(time.Since(start).Nanoseconds()) / 1e3 / float64(n*records)
}

// allocations returns how many there are a record.
func allocations(p []byte, read reader) float64 {
	return testing.AllocsPerRun(20, func() {
		if _, err := read(p); err != nil {
			panic(err)
		}
	}) / records
}

func median(x []float64) float64 {
	s := slices.Sorted(slices.Values(x))
	return s[len(s)/2]
}

func spread(x []float64) string {
	return fmt.Sprintf("%.2f (%.2f to %.2f)", median(x), slices.Min(x), slices.Max(x))
}
