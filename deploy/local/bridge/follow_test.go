package bridge_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"sluice/deploy/local/bridge"
)

// steps runs a bridge through what happens to its table: each step is taken once the one before shows.
func (w *world) steps(steps []step) {
	w.t.Helper()
	next := 0
	w.run(w.bridge(nil), func(s bridge.Stats) bool {
		table := s.Tables["scores"]
		if next < len(steps) {
			if next > 0 && (table.Read != steps[next-1].read || s.Pending != 0 || !strings.Contains(table.Problem, steps[next-1].problem) || (table.Problem == "") != (steps[next-1].problem == "")) {
				return false
			}
			if next == len(steps)-1 && steps[next].do == nil {
				return true
			}
			steps[next].do()
			next++
			return false
		}
		return true
	})
}

// step is what happens to the table, and what must come of it.
type step struct {
	do      func()
	read    int64
	problem string
}

func (w *world) deleteTable() {
	w.t.Helper()
	if _, err := w.dynamodb.DeleteTable(w.t.Context(), &dynamodb.DeleteTableInput{TableName: aws.String("scores")}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) setStream(on bool) {
	w.t.Helper()
	stream := &types.StreamSpecification{StreamEnabled: aws.Bool(false)}
	if on {
		stream = newAndOldImages
	}
	if _, err := w.dynamodb.UpdateTable(w.t.Context(), &dynamodb.UpdateTableInput{TableName: aws.String("scores"), StreamSpecification: stream}); err != nil {
		w.t.Fatal(err)
	}
}

// Fails for a bridge that takes a source that has ended for one that is quiet.
func TestSourceThatEndsIsNotQuiet(t *testing.T) {
	const deleted, off, another = "it was deleted", "its stream was switched off", "another table, or has another stream"
	for name, steps := range map[string]func(w *world) []step{
		"made anew at once": func(w *world) []step {
			return []step{
				{func() { w.play(0, 10) }, 10, ""},
				{func() { w.deleteTable(); w.createTable("scores", newAndOldImages); w.play(10, 10) }, 20, another},
				{func() { w.play(20, 10) }, 30, another},
				{},
			}
		},
		"deleted, and made anew later": func(w *world) []step {
			return []step{
				{func() { w.play(0, 10) }, 10, ""},
				{func() { w.deleteTable() }, 10, deleted},
				{func() { w.createTable("scores", newAndOldImages); w.play(10, 10) }, 20, another},
				{func() { w.deleteTable() }, 20, deleted},
				{func() { w.createTable("scores", newAndOldImages); w.play(20, 10) }, 30, another},
				{},
			}
		},
		"stream off and on": func(w *world) []step {
			return []step{
				{func() { w.play(0, 10) }, 10, ""},
				{func() { w.setStream(false) }, 10, off},
				{func() { w.setStream(true); w.play(10, 20) }, 30, another},
				{},
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.steps(steps(w))
			if diff := cmp.Diff(played(30), numbers(w.records())); diff != "" {
				t.Errorf("changes in Kinesis, by item (-want +got):\n%s", diff)
			}
		})
	}
}
