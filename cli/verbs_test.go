package cli

import (
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"sluice/pipeline"
	"sluice/pipeline/ops"
)

// verbKinds says of every verb what it does to data that isn't its own. A new verb must be listed.
var verbKinds = map[string]string{
	// These write to destinations or queues: they plan, and ask.
	"verify replication": "plans", "verify search": "plans", "verify badges": "plans", "rebuild": "plans", "reindex": "plans",
	"backfill replication": "plans", "backfill search": "plans", "backfill badges": "plans", "redrive": "plans",
	// These add to a source, as applications do: on AWS they plan, and ask (TestAddingVerbsAsk).
	"play": "adds", "load": "adds", "attach": "adds",
	"verify all": "reads", "verify leaderboard": "reads", "top": "reads", "rank": "reads", "player": "reads", "history": "reads", "search": "reads", "badges explain": "reads", "status": "reads",
	"badges test": "no servers", "lint": "no servers", "decode": "no servers", "plan": "no servers", "new consumer": "no servers", "new pipeline": "no servers", "new table": "no servers", "version": "no servers", "try": "serves",
	"up": "serves", "down": "serves", "demo": "serves", "api": "serves", "run": "serves", "serve": "serves",
}

// leaves returns the flags of every verb of the command line, by the verb's name.
func leaves(t *testing.T) map[string][]string {
	t.Helper()
	var c cli
	parser, err := newParser(t.Context(), &c, pipeline.Declared, ops.Consumers(pipeline.Declared), ops.Verbs())
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]string{}
	for _, leaf := range parser.Model.Leaves(false) {
		var path, flags []string
		for node := leaf; node.Type == kong.CommandNode; node = node.Parent {
			path = append([]string{node.Name}, path...)
		}
		for _, flag := range leaf.Flags {
			flags = append(flags, flag.Name)
		}
		found[strings.Join(path, " ")] = flags
	}
	return found
}

// Every verb that writes plans first: it has --dry-run and --yes; and what may delete has --remove-extra. Fails if a verb is
// added that isn't said to read or to plan.
func TestEveryWritingVerbPlans(t *testing.T) {
	found := leaves(t)
	for verb, flags := range found {
		kind, listed := verbKinds[verb]
		if !listed {
			t.Errorf("verb %q is new: say in verbKinds what it does to data; if it writes, it needs a plan (package operate)", verb)
		}
		for _, flag := range []string{"dry-run", "yes"} {
			if has := slices.Contains(flags, flag); has != (kind == "plans" || kind == "adds") {
				t.Errorf("verb %q, which is said to be of kind %q: --%s is there: %v", verb, kind, flag, has)
			}
		}
	}
	for _, verb := range []string{"verify replication", "verify search", "verify badges", "rebuild", "reindex", "backfill badges"} {
		if !slices.Contains(found[verb], "remove-extra") || !slices.Contains(found[verb], "max-remove") {
			t.Errorf("verb %q may delete, without --remove-extra and --max-remove", verb)
		}
	}
	for verb := range verbKinds {
		if _, is := found[verb]; !is {
			t.Errorf("there is no verb %q", verb)
		}
	}
}

// Each verb that works on a deployed stack ends within --timeout if AWS accepts connections and never answers, says which call
// got no answer, and exits with 1. Fails if a verb waits for ever, in silence, or takes what it doesn't know for nothing.
func TestVerbsWhenNothingAnswers(t *testing.T) {
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0") // its backlog accepts; nobody reads
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	for name, value := range map[string]string{
		"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_ENDPOINT_URL": "http://" + listener.Addr().String(),
	} {
		t.Setenv(name, value)
	}
	arguments := map[string]string{
		"rebuild": "leaderboard", "attach": "Orders", "reindex": "players", "redrive": "leaderboard --list", "rank": "ann", "player": "ann", "history": "ann", "search": "players", "badges explain": "ann nine",
	}
	for verb, flags := range leaves(t) {
		if !slices.Contains(flags, "stack") || verbKinds[verb] == "serves" {
			continue
		}
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			args := append(strings.Fields(verb), strings.Fields(arguments[verb])...)
			began := time.Now()
			out, code := run(t, t.TempDir(), append(args, "--stack", "game", "--timeout", "1s")...)
			if code != 1 {
				t.Errorf("exit %d, want 1", code)
			}
			wantTexts(t, out, "no answer for 1s (since ", "DescribeStacks at http://"+listener.Addr().String(), "--timeout waits longer")
			const most = 30 * time.Second // the machine may be busy; the SDK alone would wait for minutes
			if took := time.Since(began); took > most {
				t.Errorf("it took %v", took)
			}
		})
	}
}
