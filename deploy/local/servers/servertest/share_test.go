package servertest_test

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"sluice/deploy/local/servers/servertest"
)

// shareVariable makes the test binary run its arguments with the shared servers.
const shareVariable = "SERVERTEST_SHARE"

func TestMain(m *testing.M) {
	if os.Getenv(shareVariable) == "" {
		servertest.Main(m)
	}
	code, err := servertest.Share(os.Args[1], os.Args[2:]...)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 100
	}
	os.Exit(code)
}

// shared is the command that runs a script of the shell, in which $0 is this test binary, with the shared servers.
func shared(t *testing.T, script string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), os.Args[0], "/bin/sh", "-c", script, os.Args[0])
	cmd.Env = append(os.Environ(), shareVariable+"=1")
	cmd.Stderr = os.Stderr
	return cmd
}

func TestPrintEndpoint(t *testing.T) { fmt.Println("endpoint", *servertest.DynamoDB(t).BaseEndpoint) }

// Fails if each process starts its own server, if what ends the command leaves the server, or if the command isn't told.
func TestShareOneServerUntilTheCommandEnds(t *testing.T) {
	const ask = `"$0" -test.run '^TestPrintEndpoint$'; `
	cmd := shared(t, "unset "+shareVariable+"; trap 'echo told; exit 3' TERM; "+ask+ask+"echo asked; while :; do sleep .1; done")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var endpoints []string
	told := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		line := lines.Text()
		if endpoint, ok := strings.CutPrefix(line, "endpoint "); ok {
			endpoints = append(endpoints, endpoint)
		}
		if line == "asked" {
			if err := errors.Join(cmd.Process.Signal(syscall.SIGINT), cmd.Process.Signal(syscall.SIGTERM)); err != nil {
				t.Error(err)
			}
		}
		told = told || line == "told"
	}
	exit, ok := errors.AsType[*exec.ExitError](cmd.Wait())
	if !ok || exit.ExitCode() != 3 || !told {
		t.Errorf("ended with %v, told %v, want the code 3 of the command that was told", exit, told)
	}
	if len(endpoints) != 2 || endpoints[0] != endpoints[1] {
		t.Fatalf("endpoints %v, want the same twice", endpoints)
	}
	server, err := url.Parse(endpoints[0])
	if err != nil {
		t.Fatal(err)
	}
	if conn, err := net.Dial("tcp", server.Host); err == nil {
		_ = conn.Close()
		t.Error("the server still answers")
	}
}

func TestShareReturnsTheCodeOfTheCommand(t *testing.T) {
	for script, want := range map[string]int{"exit 0": 0, "exit 7": 7, "kill -KILL $$": 1} {
		err := shared(t, script).Run()
		code := 0
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			code = exit.ExitCode()
		} else if err != nil {
			t.Fatal(err)
		}
		if code != want {
			t.Errorf("%q ended with %d, want %d", script, code, want)
		}
	}
}
