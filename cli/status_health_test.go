package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"sluice/deploy/local/bridge"
	"sluice/deploy/local/mapping"
	"sluice/deploy/local/stack"
)

// healthy is a stack in which all is well and everything is done.
func healthy() stack.Info {
	return stack.Info{
		State: stack.Ready, Region: "us-east-1", Updated: time.Now(), Started: time.Now(), RunDir: "/run", PID: 7,
		Processes: []stack.Process{{Name: "DynamoDB Local", PID: 1}, {Name: "ministack", PID: 2}, {Name: "OpenSearch", PID: 3}},
		Parts: stack.Parts{
			Bridge:   &bridge.Stats{Tables: map[string]bridge.TableStats{"Scores": {Counts: bridge.Counts{Read: 42, Written: 42}}}},
			Mappings: map[string]mapping.Stats{"leaderboard": {State: mapping.Enabled, Read: 42, Done: 42}},
			Outputs:  map[string]map[string]string{},
		},
		Health: &stack.Health{},
	}
}

// line returns the shown line that begins with a name, its columns separated by single blanks.
func line(shown, name string) string {
	for text := range strings.Lines(shown) {
		if fields := strings.Fields(text); len(fields) > 0 && fields[0] == name {
			return strings.Join(fields, " ")
		}
	}
	return ""
}

// What isn't known is shown as unknown, never as 0, and what doesn't answer is named. Fails for a status that shows what it knew last.
func TestStatusShowsWhatItDoesNotKnow(t *testing.T) {
	for name, test := range map[string]struct {
		change            func(*stack.Info)
		table, consumer   string
		wanted, notWanted []string
	}{
		"all is well": {func(*stack.Info) {}, "Scores us-east-1 42 0 42", "leaderboard us-east-1 Enabled 42 0.0/s 0 0 0 - 0s -",
			[]string{"is ready"}, []string{"unknown", "silent"}},
		"an old state": {func(i *stack.Info) { i.Health.Stale, i.Health.Age = true, time.Minute },
			"Scores us-east-1 unknown unknown unknown", "leaderboard us-east-1 unknown unknown unknown unknown unknown unknown - unknown unknown",
			[]string{"has not written its state for 1m0s", "the disk of /run is full"}, []string{"is ready", "Enabled"}},
		"DynamoDB Local": {func(i *stack.Info) { i.Health.Silent = map[string]string{"DynamoDB Local": "no answer for 2s"} },
			"Scores us-east-1 42 unknown 42", "leaderboard us-east-1 Enabled 42 0.0/s 0 0 0 - unknown -", []string{"DynamoDB Local (pid 1) doesn't answer: no answer for 2s"}, []string{"Enabled 42 0.0/s 0 0 0 - 0s"}},
		"ministack": {func(i *stack.Info) { i.Health.Silent = map[string]string{"ministack": "no answer for 2s"} },
			"Scores us-east-1 42 0 42", "leaderboard us-east-1 unknown 42 0.0/s 0 0 0 unknown unknown -", []string{"ministack (pid 2) doesn't answer"}, []string{"Enabled 42 0.0/s 0 0 0 - 0s"}},
		"OpenSearch": {func(i *stack.Info) { i.Health.Silent = map[string]string{"OpenSearch": strings.Repeat("x", 5000)} },
			"Scores us-east-1 42 0 42", "leaderboard us-east-1 Enabled 42 0.0/s 0 0 0 - 0s -", []string{"OpenSearch (pid 3) doesn't answer"}, []string{strings.Repeat("x", 400)}},
		"a table that isn't read": {func(i *stack.Info) {
			i.Bridge.Tables["Scores"] = bridge.TableStats{MillisSilent: 6000, Problem: "it was deleted"}
		}, "Scores us-east-1 0 unknown 0", "", []string{"Scores in us-east-1: it was deleted"}, nil},
		"a stream that isn't read": {func(i *stack.Info) {
			i.Mappings["leaderboard"] = mapping.Stats{State: mapping.Unknown, MillisBehind: -1, Problem: "its stream was last read 9s ago", Notice: "its stream was deleted"}
		}, "", "leaderboard us-east-1 Unknown 0 0.0/s 0 0 0 - unknown -", []string{"leaderboard in us-east-1: its stream was last read 9s ago", "leaderboard in us-east-1: its stream was deleted"}, nil},
		"a server that was started again": {func(i *stack.Info) { i.Processes[2].Restarts, i.Processes[2].Log = 1, "/run/opensearch.log" },
			"", "", []string{"OpenSearch died 1 time(s) and was started again", "/run/opensearch.log.died"}, nil},
		"a function with much to say": {func(i *stack.Info) {
			i.Mappings["leaderboard"] = mapping.Stats{State: mapping.Retrying, Problem: "exit status 1\n" + strings.Repeat(strings.Repeat("y", 1000)+"\n", 20) + "the end"}
		}, "", "", []string{"what failed comes again: exit status 1", "the end"}, []string{strings.Repeat("y", 400)}},
	} {
		t.Run(name, func(t *testing.T) {
			info := healthy()
			test.change(&info)
			var out bytes.Buffer
			if err := printLocal(t.Context(), &out, info, ""); err != nil {
				t.Fatal(err)
			}
			shown := out.String()
			if got := line(shown, "Scores"); test.table != "" && got != test.table {
				t.Errorf("the table: %q, want %q", got, test.table)
			}
			if got := line(shown, "leaderboard"); test.consumer != "" && got != test.consumer {
				t.Errorf("the consumer: %q, want %q", got, test.consumer)
			}
			for _, text := range test.wanted {
				if !strings.Contains(shown, text) {
					t.Errorf("doesn't say %q:\n%s", text, shown)
				}
			}
			for _, text := range test.notWanted {
				if strings.Contains(shown, text) {
					t.Errorf("says %q:\n%s", text, shown)
				}
			}
			if len(shown) > 5000 {
				t.Errorf("%d characters", len(shown))
			}
		})
	}
}
