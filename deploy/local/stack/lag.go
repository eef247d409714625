package stack

import (
	"bytes"
	"encoding/json"
	"io"
	"sync/atomic"
	"time"
)

// Lag is how long a batch's changes took from their making to their effect: the consumer's metric ChangeToEffect.
type Lag struct {
	Median  float64   `json:"medianMs"`
	Longest float64   `json:"longestMs"`
	At      time.Time `json:"at"` // when the batch was done
}

// lagMeter reads the lag from a function's output, which it passes on whole.
type lagMeter struct {
	io.Writer

	last atomic.Pointer[Lag] // of the last batch that had an effect; nil if none had
}

func (m *lagMeter) Write(line []byte) (int, error) {
	if lag, ok := lagOf(line); ok {
		m.last.Store(&lag)
	}
	return m.Writer.Write(line)
}

// lagOf reads a line of metrics: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
// Other lines have no lag, nor have those of a batch that applied nothing.
func lagOf(line []byte) (Lag, bool) {
	var metrics struct {
		AWS struct {
			Timestamp int64
		} `json:"_aws"`
		ChangeToEffect []float64 // sorted
	}
	if !bytes.HasPrefix(line, []byte(`{"_aws"`)) || json.Unmarshal(line, &metrics) != nil || len(metrics.ChangeToEffect) == 0 {
		return Lag{}, false
	}
	n := len(metrics.ChangeToEffect)
	return Lag{Median: metrics.ChangeToEffect[n/2], Longest: metrics.ChangeToEffect[n-1], At: time.UnixMilli(metrics.AWS.Timestamp)}, true
}
