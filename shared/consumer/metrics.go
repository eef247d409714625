package consumer

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"sluice/shared/change"
)

// metricsNamespace is the CloudWatch namespace of every consumer's metrics.
const metricsNamespace = "Sluice"

// maxMetricValues is how many values of one metric a line may carry:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
const maxMetricValues = 100

// Measurer is a Consumer with metrics of its own beside those that every consumer
// has.
type Measurer interface {
	Consumer
	// Metrics returns what was counted since the last call, by the metrics' names,
	// which are always the same. It is called once after each batch.
	Metrics() map[string]int
}

// Counters counts a Measurer's metrics. It is safe for concurrent use.
type Counters struct {
	mu     sync.Mutex
	counts map[string]int
}

// NewCounters returns counters of these names, all zero.
func NewCounters(names ...string) *Counters {
	c := &Counters{counts: map[string]int{}}
	for _, name := range names {
		c.counts[name] = 0
	}
	return c
}

// Add adds n to the counter of a name.
func (c *Counters) Add(name string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts[name] += n
}

// Take returns all counters since the last call, as Measurer.Metrics does, and sets them to zero.
func (c *Counters) Take() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	taken := maps.Clone(c.counts)
	for name := range c.counts {
		c.counts[name] = 0
	}
	return taken
}

// counts is what became of the changes of one batch. Taken is the sum of the others.
type counts struct {
	outcomes [outcomes]int
	// changeToEffect holds, for each applied change, the time from its creation
	// in the table to the moment its effect was known to be in the destination.
	changeToEffect []time.Duration
	// destinationsDown is at how many destinations changes failed and none succeeded.
	destinationsDown int
	own              map[string]int // the consumer's own metrics, and those that are rare
}

func (c *counts) taken() (n int) {
	for _, k := range c.outcomes {
		n += k
	}
	return n
}

// ambiguousTimes counts changes whose creation time is only in milliseconds. Of two of one
// item in one millisecond nobody can tell which came last, and a third that does the same as
// the first can't be told from it. The metric is there only if there are such changes.
const ambiguousTimes = "AmbiguousTimes"

// countAmbiguous adds the batch's ambiguous changes to the consumer's own metrics.
func (c *counts) countAmbiguous(records []change.Record) {
	n := 0
	for i := range records {
		if r := &records[i]; r.Change != nil && r.Change.Precision == change.Millisecond {
			n++
		}
	}
	if n > 0 {
		own := map[string]int{ambiguousTimes: n}
		maps.Copy(own, c.own)
		c.own = own
	}
}

// metric declares one value of a metrics line.
type metric struct{ Name, Unit string }

// writeMetrics writes one line in CloudWatch's embedded metric format. w gets
// it in a single Write, so that lines of other writers don't cut it.
func writeMetrics(w io.Writer, consumer string, now time.Time, c *counts) error {
	declared := []metric{}
	var values []byte
	add := func(name string, n int) {
		declared = append(declared, metric{name, "Count"})
		values = fmt.Appendf(values, `,%q:%d`, name, n)
	}
	add("Taken", c.taken())
	for outcome, n := range c.outcomes {
		name := outcomeNames[outcome]
		add(strings.ToUpper(name[:1])+name[1:], n)
	}
	add("DestinationsDown", c.destinationsDown)
	declared = append(declared, metric{"ChangeToEffect", "Milliseconds"})
	if len(c.changeToEffect) > 0 {
		effects, err := json.Marshal(sample(c.changeToEffect))
		if err != nil {
			return fmt.Errorf("write metrics: %w", err)
		}
		values = fmt.Appendf(values, `,"ChangeToEffect":%s`, effects)
	}
	for _, name := range slices.Sorted(maps.Keys(c.own)) {
		add(name, c.own[name])
	}
	metrics, err := json.Marshal(declared)
	if err == nil {
		_, err = fmt.Fprintf(w, `{"_aws":{"Timestamp":%d,"CloudWatchMetrics":[{"Namespace":%q,"Dimensions":[["Consumer"]],"Metrics":%s}]},"Consumer":%q%s}`+"\n",
			now.UnixMilli(), metricsNamespace, metrics, consumer, values)
	}
	if err != nil {
		return fmt.Errorf("write metrics: %w", err)
	}
	return nil
}

// sample returns the durations in milliseconds, sorted. Of more than
// maxMetricValues it keeps that many evenly spaced ranks, smallest and largest
// included, so that percentiles stay what they are.
func sample(durations []time.Duration) []float64 {
	slices.Sort(durations)
	n := min(len(durations), maxMetricValues)
	values := make([]float64, n)
	for i := range values {
		rank := i
		if n < len(durations) {
			rank = i * (len(durations) - 1) / (n - 1)
		}
		values[i] = float64(durations[rank].Microseconds()) / 1e3
	}
	return values
}
