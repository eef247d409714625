package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"sluice/cli/verb"
	"sluice/deploy/local/servers/servertest"
	"sluice/pipeline"
	"sluice/pipeline/ops"
	"sluice/shared/consumertest/proof"
)

func TestMain(m *testing.M) {
	// A test that runs this binary again as sluice itself: see command.
	if os.Getenv("SLUICE_TEST_MAIN") != "" {
		Main(pipeline.Declared, ops.Consumers, ops.Verbs()) // it exits
	}
	servertest.Main(m)
}

// lookAtCheckout looks at every file of the checkout. The go command keeps a package's results for as long as what its tests read is
// unchanged, but it doesn't know what the commands read that these tests start.
var lookAtCheckout = sync.OnceFunc(func() {
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && path != ".." && strings.HasPrefix(entry.Name(), ".") {
			return fs.SkipDir // of git, and what is built
		}
		if err == nil {
			_, err = os.Stat(path)
		}
		return err
	})
	if err != nil {
		panic(err)
	}
})

// environments are further variables of commands, by their run directories. Tests that run side by side can't set their own.
var environments sync.Map

// command runs sluice in a checkout, with a run directory of the test's own.
func command(t *testing.T, runDir string, args ...string) *exec.Cmd {
	t.Helper()
	lookAtCheckout()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Dir = ".."
	// The race detector would let each command sleep for a second before it exits.
	cmd.Env = append(os.Environ(), "SLUICE_TEST_MAIN=1", "SLUICE_RUN_DIR="+runDir, "GORACE=atexit_sleep_ms=10")
	if further, any := environments.Load(runDir); any {
		cmd.Env = append(cmd.Env, further.([]string)...)
	}
	return cmd
}

// run returns what a command printed, standard error included, and its exit code.
func run(t *testing.T, runDir string, args ...string) (string, int) {
	t.Helper()
	out, err := command(t, runDir, args...).CombinedOutput()
	exit, failed := errors.AsType[*exec.ExitError](err)
	if err != nil && !failed {
		t.Fatalf("sluice %s: %v", strings.Join(args, " "), err)
	}
	t.Logf("$ sluice %s\n%s", strings.Join(args, " "), out)
	if failed {
		return string(out), exit.ExitCode()
	}
	return string(out), 0
}

// want runs a command that must succeed and print each of the texts.
func want(t *testing.T, runDir string, args []string, texts ...string) {
	t.Helper()
	out, code := run(t, runDir, args...)
	if code != 0 {
		t.Fatalf("sluice %s: exit %d, want 0", strings.Join(args, " "), code)
	}
	wantTexts(t, out, texts...)
}

func wantTexts(t *testing.T, out string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(out, text) {
			t.Errorf("the output has no %q:\n%s", text, out)
		}
	}
}

func TestHelp(t *testing.T) {
	out, code := run(t, t.TempDir(), "--help")
	if code != 0 {
		t.Errorf("exit %d", code)
	}
	wantTexts(t, out, "up", "down", "status", "demo", "plan", "play", "top", "rank", "history", "player", "badges", "new", "lint", "verify", "backfill", "load", "redrive", "run", "decode", "version")
	if strings.Contains(out, "\n  serve") {
		t.Error("the help shows serve, which is not for people")
	}
}

// A stack stays up between commands; each verb works on it, and up and down
// twice are no errors.
func TestVerbsOnALocalStack(t *testing.T) {
	proof.OnlyWhole(t, "TestDemoWithChaos runs the same stack; every verb has tests of its own")
	t.Parallel()
	dir := t.TempDir()
	t.Cleanup(func() { run(t, dir, "down") })
	out, code := run(t, dir, "top")
	if code != 1 {
		t.Errorf("top without a stack: exit %d, want 1", code)
	}
	wantTexts(t, out, `the local stack is stopped; start it with "sluice up"`)

	want(t, dir, []string{"up"}, "The local stack is ready", "DynamoDB Local", "ministack", "leaderboard")
	want(t, dir, []string{"up"}, "The local stack is ready")
	want(t, dir, []string{"top"}, "The board is empty")
	want(t, dir, []string{"history", "nobody"}, "nobody has no scores")
	want(t, dir, []string{"play", "--for", "2s", "--rate", "40", "--players", "12", "--seed", "7"}, "12 players", "scores written")
	want(t, dir, []string{"verify", "leaderboard", "--wait", "2m"}, "views compared with their sources. Every total is the sum of what its source holds.")
	want(t, dir, []string{"verify", "leaderboard", "--json"}, `"consumer": "leaderboard"`, `"differences": []`, `"unjudged": []`)
	want(t, dir, []string{"verify", "replication"}, "items of table UserScoreEvents in us-east-1: each the same in table UserScoreEvents in eu-west-1.")
	want(t, dir, []string{"backfill", "replication", "--yes", "--capacity", "1000"}, "newer there, 0 left out, 0 rejected")
	want(t, dir, []string{"verify", "replication", "--json", "--patience", "0s"}, `"differences": []`)
	want(t, dir, []string{"reindex", "players", "--dry-run"}, "Index players leads to players-1. Index players-2 would be filled", "of Leaderboard", "The mapping stays as it is.")
	want(t, dir, []string{"reindex", "players", "--yes"}, "players-2: reading Leaderboard", "in the place of players-1: 12 items read, 12 documents written, 0 tombstones copied.")
	want(t, dir, []string{"reindex", "players", "--dry-run", "--json"}, `"from": "players-2"`, `"to": "players-3"`, `"left": []`)
	out, code = run(t, dir, "reindex", "players", "--abort")
	if code != 1 {
		t.Errorf("give up a reindex that isn't: exit %d, want 1", code)
	}
	wantTexts(t, out, "no reindex of players is under way")
	searchAsTheReadme(t, dir)
	want(t, dir, []string{"verify", "search", "--wait", "2m"}, "1 item of table PetTracker: each the same in index pets.", "12 items of table Leaderboard: each the same in index players", "items of table UserScoreEvents: each the same in index plays")
	// How many were newer depends on how old they are by now: an item that was read counts as 10 s old.
	want(t, dir, []string{"verify", "--wait", "30s"}, "CONSUMER", "leaderboard", "table UserScoreEvents in eu-west-1", "index plays", "badges", "equal")
	want(t, dir, []string{"backfill", "search", "--yes"}, "pets: ", "newer there, 0 left out, 0 rejected", "players: ", "plays: ")
	want(t, dir, []string{"verify", "search", "--json"}, `"items": 12`, `"differences": []`)
	want(t, dir, []string{"search", "players", "--sort", "-score", "--size", "2"}, "score: ", "2 of 12, ", "newest change indexed ", "For the next page add --after ")
	want(t, dir, []string{"search", "plays", "player:marah score:<=9", "--facet", "player", "--json"}, `"exact": true`, `"value": "marah"`, `"<mark>marah</mark>"`)
	out, code = run(t, dir, "search", "plays", "marah scor:9")
	if code != 1 {
		t.Errorf("a search for a field that isn't there: exit %d, want 1", code)
	}
	wantTexts(t, out, "sluice search: query, column 7: there is no field scor; there are: playedAt, player, score", "\n  marah scor:9\n        ^\n")
	want(t, dir, []string{"top", "-n", "2"}, "1.", "2.")
	want(t, dir, []string{"top", "daily", "-n", "2"}, "Top 2 of 20", "1.", "2.")
	want(t, dir, []string{"top", "weekly"}, "Top 3 of 20", "-W", "3.")
	want(t, dir, []string{"top", "daily", "--at", "2020-09-16"}, "The daily board of 2020-09-16 is empty.")
	want(t, dir, []string{"rank", "marah"}, "marah is number", "of 12 items", "▶")
	want(t, dir, []string{"rank", "marah", "-n", "0", "--json"}, `"name": "marah"`, `"entries": 12`, `"above": []`)
	out, code = run(t, dir, "rank", "nobody")
	if code != 1 {
		t.Errorf("rank of nobody: exit %d, want 1", code)
	}
	wantTexts(t, out, `"nobody"`, "not on the board")
	want(t, dir, []string{"history", "marah", "-n", "1"}, "20")
	badgesOnALocalStack(t, dir)
	t.Run("writing verbs ask", func(t *testing.T) { writingVerbsAsk(t, dir) })
	t.Run("hostile names", func(t *testing.T) { hostileNamesOnALocalStack(t, dir) })
	want(t, dir, []string{"status"}, "IN THE STREAM", "CONSUMER", "leaderboard", "STATE", "Enabled", "RATE", "/s", "LAG", "at most")
	want(t, dir, []string{"status", "--json"}, `"state": "ready"`, `"processes"`, `"endpoints"`)
	want(t, dir, []string{"down"}, "is down")
	want(t, dir, []string{"down"}, "No local stack was running")
	want(t, dir, []string{"status"}, "is stopped")
}

// A demo without chaos prints the same, but for what the stream repeated and who was killed.
func TestDemo(t *testing.T) {
	proof.OnlyWhole(t, "TestDemoWithChaos runs the same code")
	t.Parallel()
	want(t, t.TempDir(), []string{"demo", "--for", "3s"}, append(demoTexts, "10 players play for 3s")...)
}

// demoTexts are what every demo prints.
var demoTexts = []string{
	"every total is exactly what was written", "So are the sums of all ", "ranks are those of a sorted list",
	"items of table UserScoreEvents in us-east-1: each the same in table UserScoreEvents in eu-west-1.", "      ★ ",
	"each that the plays earn, each told", "scores was found", "players in the order of the board", "finds as many scores as the table has",
	"Top 3\n", "Top 3 of 20", "is number ", "Latest 10 of", "All stopped",
}

func TestDemoWithChaos(t *testing.T) {
	t.Parallel()
	want(t, t.TempDir(), []string{"demo", "--for", "4s", "--rate", "60", "--chaos"},
		append(demoTexts, "10 players play for 4s", "the stream repeated", "badges was killed in", "leaderboard was killed in", "replication was killed in")...)
}

// demo starts a demo and returns once its game has begun.
func demo(t *testing.T) (cmd *exec.Cmd, out *output) {
	t.Helper()
	cmd = command(t, t.TempDir(), "demo", "--for", "1m")
	cmd.Env = append(cmd.Env, "TMPDIR="+t.TempDir())
	out = &output{began: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-out.began:
	case <-time.After(2 * time.Minute):
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		t.Fatalf("the game doesn't begin:\n%s", &out.text)
	}
	return cmd, out
}

// output collects what a demo prints and tells when its game begins.
type output struct {
	text  bytes.Buffer
	began chan struct{}
	open  bool
}

func (o *output) Write(p []byte) (int, error) {
	n, err := o.text.Write(p)
	if !o.open && bytes.Contains(o.text.Bytes(), []byte("players play")) {
		o.open = true
		close(o.began)
	}
	return n, err
}

// children returns the command lines of the processes that a process has started, by
// their ids.
func children(t *testing.T, parent int) map[int]string {
	t.Helper()
	found := map[int]string{}
	paths, err := filepath.Glob("/proc/[0-9]*/status")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		status, err := os.ReadFile(path)
		if err != nil {
			continue // ended meanwhile
		}
		if !strings.Contains(string(status), fmt.Sprintf("\nPPid:\t%d\n", parent)) {
			continue
		}
		command, err := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline"))
		if err != nil {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			t.Fatal(err)
		}
		found[pid] = strings.ReplaceAll(string(command), "\x00", " ")
	}
	return found
}

// OpenSearch keeps its data and is started again, see package stack.
func TestServerKilledDuringADemo(t *testing.T) {
	proof.OnlyWhole(t, "TestDeadServerIsReportedAndTheRestStopped of deploy/local/stack runs the same code")
	t.Parallel()
	for process, server := range map[string]string{"/dynamodb-local-": "DynamoDB Local", "/ministack-": "ministack"} {
		t.Run(server, func(t *testing.T) {
			cmd, out := demo(t)
			started := children(t, cmd.Process.Pid)
			victim := 0
			for pid, command := range started {
				if strings.Contains(command, process) {
					victim = pid
				}
			}
			if victim == 0 {
				_ = cmd.Process.Kill()
				_ = cmd.Wait()
				t.Fatalf("the demo has no process of %s, only %v", process, started)
			}
			if err := syscall.Kill(victim, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			err := cmd.Wait()
			if cmd.ProcessState.ExitCode() != 1 {
				t.Errorf("exit %v (%v), want 1", cmd.ProcessState, err)
			}
			wantTexts(t, out.text.String(), "sluice demo: "+server, "died: signal: killed", "the end of its log")
			wantGone(t, started)
		})
	}
}

func TestDemoInterrupted(t *testing.T) {
	proof.OnlyWhole(t, "TestInterruptedUpLeavesNothing of deploy/local/stack runs the same code")
	t.Parallel()
	cmd, out := demo(t)
	started := children(t, cmd.Process.Pid)
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	err := cmd.Wait()
	if cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("exit %v (%v), want 1", cmd.ProcessState, err)
	}
	wantTexts(t, out.text.String(), "interrupted; all stopped")
	wantGone(t, started)
}

func wantGone(t *testing.T, started map[int]string) {
	t.Helper()
	for pid, name := range started {
		if err := syscall.Kill(pid, 0); err == nil {
			t.Errorf("%s (pid %d) still runs", name, pid)
		}
	}
}

func TestLint(t *testing.T) {
	t.Parallel()
	want(t, t.TempDir(), []string{"lint"}, "leaderboard: UserScoreEvents → Leaderboard", "pet-day: PetTracker → PetTracker")
	want(t, t.TempDir(), []string{"lint"}, "pets: PetTracker → index pets", "plays: UserScoreEvents → index plays")
	want(t, t.TempDir(), []string{"lint", "--as", "search", "pipeline/routes.yaml"}, "players: Leaderboard → index players")
	want(t, t.TempDir(), []string{"lint", "--as", "replication", "pipeline/replicas.yaml"}, "replica: UserScoreEvents → UserScoreEvents in eu-west-1")
	want(t, t.TempDir(), []string{"lint", "pipeline/views.yaml"}, "weekly: UserScoreEvents → LeaderboardBoxes")
	want(t, t.TempDir(), []string{"lint", "--as", "badges", "pipeline/rules.yaml"},
		"regular: 10 plays: bronze, 50: silver, 250: gold", "nine: the first play; if Score is the number 9", "well-begun: all of nine, regular#bronze; hidden", "badges-total: UserScoreEvents → BadgeState")
	out, code := run(t, t.TempDir(), "lint", "shared/view/testdata/lint/boxes.yaml")
	if code != 1 {
		t.Errorf("exit %d for a faulty file, want 1", code)
	}
	wantTexts(t, out, "boxes.yaml:5:32: box: unit", "boxes.yaml:5:44: box: zone: unknown zone", "boxes.yaml:14:36: into: key")
	want(t, t.TempDir(), []string{"lint"}, "consumers/search/template.yaml: no faults")
	for _, arguments := range [][]string{{"deploy/local/template/testdata/check/gives-up-late.yaml"}, {"consumers/badges/template.yaml", "--retention", "200h"}} {
		out, code := run(t, t.TempDir(), append([]string{"lint", "--template"}, arguments...)...)
		if code != 1 {
			t.Errorf("exit %d for %v, want 1", code, arguments)
		}
		wantTexts(t, out, "the templates have faults", arguments[0]+":", "must be ")
	}
}

func TestBadFlagsAreNamed(t *testing.T) {
	t.Parallel()
	for flags, text := range map[string]string{
		"play --players 0":             "--players must be from 1",
		"play --for 0s":                "--for must be longer than 0",
		"play --rate=-1":               "--rate must be a number above 0",
		"play --rate 0":                "--rate must be a number above 0",
		"play --rate NaN":              "--rate must be a number above 0, at most 100000 (got NaN)",
		"play --rate Inf":              "--rate must be a number above 0",
		"play --rate=-Inf":             "--rate must be a number above 0",
		"demo --rate 1e300":            "--rate must be a number above 0",
		"demo --players 99999":         "--players must be from 1 to 10000",
		"top -n 0":                     "-n must be at least 1",
		"top --at 2020-01-01":          "--at is for a board with a box, such as of days or weeks; leaderboard is of all time",
		"top hourly":                   "no view hourly is declared; the boards are: leaderboard, daily, weekly",
		"top rank-1":                   "view rank-1 is no board: it has no shard",
		"rank x -n 101":                "-n must be from 0 to 100",
		"lint no-such-file":            "no-such-file",
		"new consumer badges":          "the folder consumers/badges is there already",
		"verify badges --notify":       "--notify is for --repair",
		"verify badges --segments 0":   "--segments must be from 1",
		"backfill badges --clocks=-1s": "--clocks and --patience must not be negative",
		"history x -n 101":             "-n must be from 1 to 100",
		"top --stack":                  "--stack",
		"decode no-such-file":          "no-such-file",
		"status --json --watch":        "--watch is for people",
		"run leaderboard":              "--against",
		"run x --against no-such-file": "no-such-file",
		"redrive x --json":             "--json is for --list",
		"redrive x --list --reason y":  "--list shows all there is",
	} {
		out, code := run(t, t.TempDir(), strings.Fields(flags)...)
		if code == 0 {
			t.Errorf("sluice %s: exit 0", flags)
		}
		wantTexts(t, out, text)
	}
}

// A name that no item or player can have is refused by every verb that takes one, in the words of people, not of DynamoDB.
func TestNamesThatNoPlayerHas(t *testing.T) {
	for line, text := range map[string]string{"rank NAME": "an item's", "player NAME": "a player's", "history NAME": "a player's", "badges explain NAME nine": "a player's"} {
		for _, name := range []string{"", strings.Repeat("x", verb.MaxName+1)} {
			args := strings.Fields(line)
			args[slices.Index(args, "NAME")] = name
			out, code := run(t, t.TempDir(), args...)
			if code != 80 {
				t.Errorf("sluice %s: exit %d, want 80", line, code)
			}
			wantTexts(t, out, text+" name has 1 to 2048 bytes")
		}
	}
}
