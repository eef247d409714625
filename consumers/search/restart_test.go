package search_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"sluice/consumers/search/internal/searchtest"
	"sluice/deploy/local/servers"
	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/proof"
)

// An OpenSearch that stands still for a while, then dies in the middle of a bulk request
// and is started again ends up with every change once. What was removed before stays
// removed, though the engine has forgotten what it deleted itself, as the plain delete
// beside it shows.
func TestRestart(t *testing.T) {
	proof.NotShort(t, "TestDown and TestLife run the same of the consumer; this one starts two servers for what the engine does")
	dir := t.TempDir()
	process, g := startOwn(t, dir)
	g.Apply([]consumertest.Change{searchtest.At(0, "a", searchtest.Text("x")), searchtest.At(0, "b", searchtest.Text("x"))}, consumer.Applied, consumer.Applied)
	g.Apply([]consumertest.Change{searchtest.At(2, "a", nil)}, consumer.Applied)
	plain := func(version string, body string) error {
		method := http.MethodPut
		if body == "" {
			method = http.MethodDelete
		}
		return searchtest.Request(t.Context(), g.Cfg, method, "/restart-all/_doc/plain?version_type=external&version="+version, body, nil)
	}
	if err := errors.Join(plain("1", "{}"), plain("3", "")); err != nil {
		t.Fatal(err)
	}
	if err := plain("2", "{}"); err == nil {
		t.Error("the engine brings back at once what it deleted")
	}
	g.Must(http.MethodPost, "/restart-all/_flush", "", nil)

	frozen := []consumertest.Change{searchtest.At(1, "frozen", searchtest.Text("x"))}
	signal(t, process, syscall.SIGSTOP)
	unfinished(g, frozen, 100*time.Millisecond, func() {})
	signal(t, process, syscall.SIGCONT)
	finished(g, frozen)

	many := make([]consumertest.Change, 4000)
	for i := range many {
		many[i] = searchtest.At(3, fmt.Sprint("many ", i), searchtest.Text(strings.Repeat("many words ", 100)))
	}
	before := indexed(g)
	unfinished(g, many, time.Minute, func() {
		for deadline := time.Now().Add(time.Minute); indexed(g) < before+100; {
			if time.Now().After(deadline) {
				t.Error("no document is indexed")
				break
			}
		}
		signal(t, process, syscall.SIGKILL)
	})
	unfinished(g, frozen, time.Minute, func() {}) // nobody listens
	if err := process.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, g = startOwn(t, dir)
	if err := plain("2", "{}"); err != nil {
		t.Errorf("this engine remembers its deletions over a restart, so this test shows nothing: %v", err)
	}
	finished(g, many)
	g.Apply([]consumertest.Change{searchtest.At(1, "a", searchtest.Text("y")), searchtest.At(1, "b", searchtest.Text("y"))}, consumer.Stale, consumer.Applied)
	found := g.Texts("restart")
	if _, back := found["a"]; back {
		t.Error("what was removed came back")
	}
	if want := len(many) + len([]string{"b", "frozen", "plain"}); len(found) != want {
		t.Errorf("people find %d documents, want %d", len(found), want)
	}
}

// startOwn starts an OpenSearch of the test's own, with an index as by the engine's own
// defaults: it remembers deletions for a minute.
func startOwn(t *testing.T, dir string) (*servers.Process, *searchtest.Target) {
	t.Helper()
	process, err := servers.OpenSearch.Start(t.Context(), dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = process.Stop(context.Background()) }) // it may have been stopped already
	cfg := servertest.OpenSearch(t).Copy()
	cfg.BaseEndpoint = &process.Endpoint
	cfg.Credentials = credentials.NewStaticCredentialsProvider("restart", "secret", "")
	g := searchtest.NewTarget(t, cfg, nil)
	searchtest.Define(g.Routes[0], `{"mappings": {"dynamic": false}}`)
	return process, g
}

func signal(t *testing.T, p *servers.Process, s syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(p.PID, s); err != nil {
		t.Error(err)
	}
	// A process is stopped once each of its threads is, which takes a while on a busy machine.
	for deadline := time.Now().Add(time.Minute); s == syscall.SIGSTOP && !stopped(t, p.PID); {
		if time.Now().After(deadline) {
			t.Fatal("the server isn't stopped")
		}
	}
}

// stopped reports whether all threads of a process are.
func stopped(t *testing.T, pid int) bool {
	t.Helper()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil || len(threads) == 0 {
		t.Fatalf("process %d has %d threads, %v", pid, len(threads), err)
	}
	for _, path := range threads {
		text, err := os.ReadFile(path)
		if err != nil {
			return false // the thread ended meanwhile
		}
		if state := string(text[bytes.LastIndexByte(text, ')')+2:]); state[0] != 'T' {
			return false
		}
	}
	return true
}

// unfinished applies changes while something happens to the server, after which all
// must have to come again.
func unfinished(g *searchtest.Target, changes []consumertest.Change, within time.Duration, happens func()) {
	g.T.Helper()
	ctx, cancel := context.WithTimeout(g.T.Context(), within)
	defer cancel()
	happened := make(chan struct{})
	go func() { defer close(happened); happens() }()
	errs := g.ApplyBatch(ctx, searchtest.ParsedAll(changes))
	<-happened
	for i, err := range errs {
		if got := consumer.OutcomeOf(err); got != consumer.Retry {
			g.T.Fatalf("change %d of %d is %v (%v), want %v", i+1, len(errs), got, err, consumer.Retry)
		}
	}
}

// finished applies changes of which the server may have some already.
func finished(g *searchtest.Target, changes []consumertest.Change) {
	g.T.Helper()
	for i, err := range g.ApplyBatch(g.T.Context(), searchtest.ParsedAll(changes)) {
		if got := consumer.OutcomeOf(err); got != consumer.Applied && got != consumer.Duplicate {
			g.T.Fatalf("change %d of %d is %v (%v), want %v or %v", i+1, len(changes), got, err, consumer.Applied, consumer.Duplicate)
		}
	}
}

// indexed tells how many documents the engine says that it has indexed, those of a
// request that it is at included; 0 if it doesn't answer.
func indexed(g *searchtest.Target) int {
	var stats struct {
		All struct {
			Total struct {
				Indexing struct {
					Total int `json:"index_total"`
				}
			}
		} `json:"_all"`
	}
	if err := searchtest.Request(g.T.Context(), g.Cfg, http.MethodGet, "/restart-all/_stats/indexing", "", &stats); err != nil {
		return 0
	}
	return stats.All.Total.Indexing.Total
}
