package stack

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Fails if a line that has no lag is taken for one, if the lag of an earlier batch
// stays, or if a line is lost on its way to the log.
func TestLagOfOutput(t *testing.T) {
	var log bytes.Buffer
	m := &lagMeter{Writer: &log}
	lines := []struct {
		line string
		want Lag
		ok   bool
	}{
		{`{"level":"INFO","ChangeToEffect":[1]}`, Lag{}, false},
		{`{"_aws":{"Timestamp":1000},"Consumer":"c","Duplicate":1}`, Lag{}, false},
		{`{"_aws":{"Timestamp":2000},"Consumer":"c","ChangeToEffect":[1,2.5,9]}`, Lag{2.5, 9, time.UnixMilli(2000)}, true},
		{`{"_aws":{"Timestamp":3000},"ChangeToEffect":"cut sho`, Lag{2.5, 9, time.UnixMilli(2000)}, true},
		{`{"_aws":{"Timestamp":4000},"ChangeToEffect":[]}`, Lag{2.5, 9, time.UnixMilli(2000)}, true},
		{`{"_aws":{"Timestamp":5000},"ChangeToEffect":[7]}`, Lag{7, 7, time.UnixMilli(5000)}, true},
	}
	all := ""
	for _, l := range lines {
		if _, err := m.Write([]byte(l.line + "\n")); err != nil {
			t.Fatal(err)
		}
		all += l.line + "\n"
		got := m.last.Load()
		if (got != nil) != l.ok {
			t.Errorf("after %s: lag %v, want one: %v", l.line, got, l.ok)
		} else if got != nil && *got != l.want {
			t.Errorf("after %s: lag %v, want %v", l.line, *got, l.want)
		}
	}
	if diff := cmp.Diff(all, log.String()); diff != "" {
		t.Errorf("the log (-want +got):\n%s", diff)
	}
}
