package cli

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"sluice/shared/printable"
)

// printingVerbs are verbs that print without a stack, those with arguments in files of a test's own.
func printingVerbs(t *testing.T) []string {
	t.Helper()
	cases := filepath.Join(t.TempDir(), "cases.yaml")
	text := "rules: " + absolute(t, "../pipeline/rules.yaml") + "\ncases:\n  - {name: one, plays: [], badges: []}\n"
	if err := os.WriteFile(cases, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{
		"--help", "play --help", "down", "status", "status --json", "plan --changes 10 --item 1KB", "plan --changes 10 --item 1KB --json",
		"lint", "lint pipeline/views.yaml", "lint --template consumers/badges/template.yaml",
		"badges test " + cases, "decode consumers/leaderboard/testdata/payload.json", "version",
	}
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	whole, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return whole
}

// fullDisk runs a command whose output can't be written.
func fullDisk(t *testing.T, runDir string, args ...string) {
	t.Helper()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	cmd := command(t, runDir, args...)
	var stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = full, &stderr
	exit, failed := errors.AsType[*exec.ExitError](cmd.Run())
	if !failed || exit.ExitCode() != 1 || strings.Count(stderr.String(), "the output can't be written") != 1 {
		t.Errorf("sluice %s: %v, want exit 1; it says\n%s", strings.Join(args, " "), exit, &stderr)
	}
}

// A verb whose output is lost fails, whatever it ignored of its prints.
func TestOutputOnAFullDisk(t *testing.T) {
	for _, verb := range printingVerbs(t) {
		fullDisk(t, t.TempDir(), strings.Fields(verb)...)
	}
}

// A reader that has seen enough ends a verb, which says nothing.
func TestOutputThatNobodyReads(t *testing.T) {
	for _, verb := range printingVerbs(t) {
		read, write, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		read.Close()
		cmd := command(t, t.TempDir(), strings.Fields(verb)...)
		var stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = write, &stderr
		err = cmd.Run()
		write.Close()
		if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGPIPE || stderr.Len() > 0 {
			t.Errorf("sluice %s: %v, want it to end by SIGPIPE, and quietly; it says\n%s", verb, err, &stderr)
		}
	}
}

// What is wrong with a command line stands on standard error, with one line about help; standard output stays empty.
func TestMisuse(t *testing.T) {
	for args, want := range map[string]string{
		"":                    `sluice: expected one of`,
		"nosuch":              `sluice: unexpected argument nosuch`,
		"top --nosuch":        `sluice top: unknown flag --nosuch`,
		"verify nosuch":       `sluice verify: unexpected argument nosuch`,
		"verify badges --x":   `sluice verify badges: unknown flag --x`,
		"lint nosuch.yaml":    `sluice lint: `,
		"plan":                `sluice plan: missing flags: --changes=INT-64, --item=`,
		"play --players 0":    `sluice play: --players must be from 1`,
		"history \x1b[31mred": "sluice history: ",
	} {
		cmd := command(t, t.TempDir(), strings.Fields(args)...)
		var out, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &stderr
		err := cmd.Run()
		text := stderr.String()
		if err == nil || out.Len() > 0 || !strings.HasPrefix(text, want) || strings.Count(text, "\n") > 3 {
			t.Errorf("sluice %s: %v; on standard output\n%s\non standard error\n%s", args, err, &out, text)
		}
		if args != "history \x1b[31mred" && !strings.Contains(text, `--help" shows what it takes.`) {
			t.Errorf("sluice %s doesn't say how to get help:\n%s", args, text)
		}
		wantPrintable(t, "sluice "+args, text)
	}
}

// wantPrintable wants a text that does nothing to a terminal.
func wantPrintable(t *testing.T, what, text string) {
	t.Helper()
	if clean := printable.Lines(text); clean != text {
		t.Errorf("%s prints what a terminal would act on: %q", what, text)
	}
}
