package stack_test

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"sluice/deploy/local/servers"
	"sluice/deploy/local/stack"
)

// load returns the state of a stack that runs.
func load(t *testing.T, dir string) stack.Info {
	t.Helper()
	info, err := stack.Load(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

// sendSignal sends to a process.
func sendSignal(t *testing.T, pid int, s syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(pid, s); err != nil {
		t.Fatal(err)
	}
}

// checkHealth fails for a running stack that takes what it doesn't know for healthy. index looks for an index, which is there.
func checkHealth(t *testing.T, dir string, info stack.Info, index func() int) {
	t.Helper()
	eventually(t, "everything answers", func() bool {
		h := load(t, dir).Ask(t.Context())
		return len(h.Silent) == 0 && !h.Stale
	})
	for _, process := range info.Processes {
		sendSignal(t, process.PID, syscall.SIGSTOP) // an answer that it has begun may still arrive
		eventually(t, process.Name+" is frozen, and silent", func() bool {
			_, silent := load(t, dir).Ask(t.Context()).Silent[process.Name]
			return silent
		})
		sendSignal(t, process.PID, syscall.SIGCONT)
	}

	// The process that runs the stack is frozen.
	sendSignal(t, info.PID, syscall.SIGSTOP)
	eventually(t, "a state that isn't written any more is old", func() bool { return load(t, dir).Ask(t.Context()).Stale })
	sendSignal(t, info.PID, syscall.SIGCONT)
	eventually(t, "the state is written again", func() bool { return !load(t, dir).Ask(t.Context()).Stale })

	// The state can't be written, as on a disk that is full.
	blocked := filepath.Join(dir, "state.json.new")
	eventually(t, "the state's place is blocked", func() bool {
		err := os.Mkdir(blocked, 0o700)
		return err == nil
	})
	eventually(t, "a state that can't be written is old", func() bool { return load(t, dir).Ask(t.Context()).Stale })
	if log, err := os.ReadFile(filepath.Join(dir, "daemon.log")); err != nil || strings.Count(string(log), "the state of this stack can't be written") != 1 {
		t.Errorf("the log doesn't say once that the state can't be written: %s, %v", log, err)
	}
	if err := os.Remove(blocked); err != nil {
		t.Fatal(err)
	}

	// OpenSearch keeps its data, so it is started again.
	for _, process := range info.Processes {
		if process.Name == servers.OpenSearch.Name {
			sendSignal(t, process.PID, syscall.SIGKILL)
		}
	}
	eventually(t, "OpenSearch runs again", func() bool {
		now := load(t, dir)
		return now.Processes[2].Restarts == 1 && now.Processes[2].Endpoint == info.Processes[2].Endpoint && len(now.Ask(t.Context()).Silent) == 0
	})
	if status := index(); status != http.StatusOK {
		t.Errorf("the index is lost with OpenSearch's process: status %d", status)
	}
}

// Fails for a comparison that sees only what was changed, or that takes tests and documents for parts of a stack.
func TestChangedSources(t *testing.T) {
	root, runDir := t.TempDir(), t.TempDir()
	write := func(path, text string) {
		t.Helper()
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want := func(want ...string) {
		t.Helper()
		if changed, err := stack.Changed(runDir, root); err != nil || !slices.Equal(changed, want) {
			t.Errorf("changed are %q (%v), want %q", changed, err, want)
		}
	}
	for _, path := range []string{"deploy/stream.yaml", "consumers/a/template.yaml", "consumers/a/views.yaml", "shared/change/change.go", "go.mod"} {
		write(path, "as it was")
	}
	if err := stack.WriteSources(runDir, root); err != nil {
		t.Fatal(err)
	}
	want()
	for _, path := range []string{"consumers/a/a_test.go", "consumers/a/README.md", "consumers/a/testdata/x.yaml", "deploy/local/stack/stack.go", "cmd/sluice/main.go"} {
		write(path, "added")
	}
	want()
	write("consumers/a/views.yaml", "as it is")
	write("consumers/b/rules.yaml", "added")
	if err := os.Remove(filepath.Join(root, "shared/change/change.go")); err != nil {
		t.Fatal(err)
	}
	want("consumers/a/views.yaml", "consumers/b/rules.yaml", "shared/change/change.go")
	write("consumers/a/views.yaml", "as it was")
	want("consumers/b/rules.yaml", "shared/change/change.go")
}
