package servers

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"
)

// A server whose installer and program are of the test's making, so that they fail when told to.
func scripted(t *testing.T, install func(dir string) error) *Server {
	t.Helper()
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	return &Server{
		Name: "Scripted", Version: "1.0", slug: "scripted",
		recipe:  fstest.MapFS{"recipe": {Data: []byte("a")}},
		install: func(_ context.Context, dir string, _ Progress) error { return install(dir) },
	}
}

func mustInstall(t *testing.T, server *Server) {
	t.Helper()
	if err := Install(t.Context(), nil, server); err != nil {
		t.Fatal(err)
	}
}

// Fails for an installer that works in place, or that takes a directory that exists for an install.
func TestFailedInstallIsDoneAgain(t *testing.T) {
	fault := errors.New("cut short")
	tries := 0
	server := scripted(t, func(dir string) error {
		tries++
		if _, err := os.Stat(filepath.Join(dir, "half")); err == nil {
			t.Error("what an earlier try left is still there")
		}
		if err := os.WriteFile(filepath.Join(dir, "half"), nil, 0o644); err != nil {
			return err
		}
		if tries == 1 {
			return fault
		}
		return nil
	})
	if err := Install(t.Context(), nil, server); !errors.Is(err, fault) {
		t.Fatalf("error %v, want %v", err, fault)
	}
	if installed, err := server.Installed(t.Context()); installed || err != nil {
		t.Fatalf("installed %v, %v after a try that failed", installed, err)
	}
	if _, err := server.Start(t.Context(), t.TempDir(), 0); !errors.Is(err, ErrNotInstalled) {
		t.Fatalf("start: %v, want %v", err, ErrNotInstalled)
	}
	mustInstall(t, server)
	mustInstall(t, server)
	if tries != 2 {
		t.Errorf("%d tries, want 2: what is installed must not be installed again", tries)
	}
}

// Fails for a lock that is not held, or for one that does not look again once it has it.
func TestSideBySideInstallsAreOne(t *testing.T) {
	var tries atomic.Int32
	server := scripted(t, func(string) error { tries.Add(1); return nil })
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if err := Install(t.Context(), nil, server); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := tries.Load(); got != 1 {
		t.Errorf("installed %d times, want once", got)
	}
}

func TestChangedRecipeAndBrokenInstallAreInstalledAnew(t *testing.T) {
	tries := 0
	server := scripted(t, func(string) error { tries++; return nil })
	mustInstall(t, server)
	server.recipe = fstest.MapFS{"recipe": {Data: []byte("b")}}
	mustInstall(t, server)
	server.intact = func(context.Context, string) bool { return tries > 2 }
	mustInstall(t, server)
	if tries != 3 {
		t.Errorf("installed %d times, want 3", tries)
	}
}

func TestInstallerThatFailsIsQuoted(t *testing.T) {
	var lines []string
	err := runInstaller(t.Context(), t.TempDir(), func(line string) { lines = append(lines, line) },
		"sh", "-c", "echo one; echo two >&2; printf three; exit 4")
	var failed *InstallError
	if !errors.As(err, &failed) || failed.Output != "one\ntwo\nthree" {
		t.Errorf("error %#v, want one that quotes all three lines", err)
	}
	if got := strings.Join(lines, " "); got != "one two" {
		t.Errorf("lines passed on: %q, want the two that ended", got)
	}
}

// Fails for an installer that is killed without the programs that it has started: they would hold the output open.
func TestInterruptedInstallerEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	begun := make(chan struct{})
	ended := make(chan error, 1)
	go func() {
		ended <- runInstaller(ctx, t.TempDir(), func(string) { close(begun) }, "sh", "-c", "sh -c 'echo begun; sleep 1000'; true")
	}()
	<-begun
	cancel()
	select {
	case err := <-ended:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want %v", err, context.Canceled)
		}
	case <-time.After(4 * time.Second): // less than its WaitDelay
		t.Error("still runs 4 s after it was interrupted")
	}
}

func TestServerThatEndsBeforeItAnswers(t *testing.T) {
	server := scripted(t, func(string) error { return nil })
	mustInstall(t, server)
	server.command = func(string, launch) (command, error) {
		return command{path: "/bin/sh", args: []string{"-c", "echo cannot; exit 3"}}, nil
	}
	server.answers = func(ctx context.Context, _, _ string) error { <-ctx.Done(); return ctx.Err() }
	_, err := server.Start(t.Context(), t.TempDir(), 0)
	var died *DiedError
	if !errors.As(err, &died) || died.State != "exit status 3" || died.Tail != "cannot" {
		t.Errorf("error %v, want the exit status 3 and the log", err)
	}
}
