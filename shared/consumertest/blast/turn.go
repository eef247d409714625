package blast

import (
	"runtime"
	"slices"
	"syscall"
	"time"
)

// Turn is how fast changes went, and the processor time of this process for each;
// that of its servers isn't in it.
type Turn struct {
	PerSecond float64
	Processor float64 // µs a change
}

// Turns are the turns of one contender, in the order in which all contenders took
// theirs.
type Turns []Turn

// PerSecond returns the median.
func (t Turns) PerSecond() float64 {
	return t.median(func(one Turn) float64 { return one.PerSecond })
}

// Processor returns the median.
func (t Turns) Processor() float64 {
	return t.median(func(one Turn) float64 { return one.Processor })
}

// Over returns the median of the turns' ratios of speed to those of others, which
// ran beside these.
func (t Turns) Over(others Turns) float64 {
	var ratios []float64
	for i, one := range t {
		ratios = append(ratios, one.PerSecond/others[i].PerSecond)
	}
	return median(ratios)
}

func (t Turns) median(of func(Turn) float64) float64 {
	var values []float64
	for _, one := range t {
		values = append(values, of(one))
	}
	return median(values)
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// Time times n changes. What was made before, such as their payloads, leaves no garbage to be collected meanwhile.
func Time(n int, do func()) Turn {
	runtime.GC()
	before, began := processorTime(), time.Now()
	do()
	took, used := time.Since(began), processorTime()-before
	return Turn{float64(n) / took.Seconds(), float64(used.Microseconds()) / float64(n)}
}

// processorTime is what this process has used so far.
func processorTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err) // it has no reason to fail
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
