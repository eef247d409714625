package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// On a terminal each text is written over the one before, whose longer lines and further ones are gone.
func TestRedraw(t *testing.T) {
	for _, c := range []struct {
		terminal bool
		want     string
	}{
		{true, "\x1b[Ha\x1b[K\nb\x1b[K\n\x1b[J"},
		{false, "a\nb\n\n"},
	} {
		var out bytes.Buffer
		if err := redraw(&out, "a\nb\n", c.terminal); err != nil {
			t.Fatal(err)
		}
		if out.String() != c.want {
			t.Errorf("terminal %v: %q, want %q", c.terminal, out.String(), c.want)
		}
	}
}

// Where there is no terminal the status comes again and again, plain, until it is interrupted, which is no fault.
func TestWatchInterrupted(t *testing.T) {
	watchTwice(t, t.TempDir(), "The local stack is stopped.")
}

// What fails at first is the command's own failure; what fails later, as calls to AWS may for a while, is shown in the place
// of the status, and the watch goes on.
func TestWatchGoesOnAfterAFailure(t *testing.T) {
	gone := errors.New("no such stack")
	err := watchStatus(t.Context(), io.Discard, false, time.Hour, func(context.Context, io.Writer) error { return gone })
	if !errors.Is(err, gone) {
		t.Errorf("error %v, want that of the first look", err)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	var out bytes.Buffer
	looks := 0
	err = watchStatus(ctx, &out, false, time.Millisecond, func(_ context.Context, out io.Writer) error {
		fmt.Fprintln(out, "half of look", looks)
		switch looks++; looks {
		case 2:
			return errors.New("throttled")
		case 4:
			interrupt()
		}
		return nil
	})
	if err != nil {
		t.Errorf("interrupted: %v, want no error", err)
	}
	wantTexts(t, out.String(), "half of look 0\n", "throttled\n", "half of look 2\n", "every 1ms. Ctrl-C ends this.")
	for _, text := range []string{"half of look 1", "half of look 3"} {
		if strings.Contains(out.String(), text) {
			t.Errorf("what failed or was cut short is shown as a status:\n%s", &out)
		}
	}
}

// startLines starts a command and gives the lines that it prints. It is killed should they take a minute.
func startLines(t *testing.T, cmd *exec.Cmd) *bufio.Scanner {
	t.Helper()
	printed, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stuck := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	t.Cleanup(func() { stuck.Stop() })
	return bufio.NewScanner(printed)
}

// watchTwice lets status --watch show a text twice, interrupts it, and returns all that it showed.
func watchTwice(t *testing.T, dir, text string) string {
	t.Helper()
	cmd := command(t, dir, "status", "--watch")
	var shown strings.Builder
	lines := startLines(t, cmd)
	for times := 0; times < 2 && lines.Scan(); {
		shown.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), text) {
			times++
		}
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() {
		shown.WriteString(lines.Text() + "\n")
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("interrupted: %v, want exit 0\n%s", err, &shown)
	}
	if n := strings.Count(shown.String(), text); n < 2 || strings.Contains(shown.String(), "\x1b") {
		t.Errorf("%q %d times, want twice and plain:\n%s", text, n, &shown)
	}
	return shown.String()
}
