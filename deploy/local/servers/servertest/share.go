package servertest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
)

// sharedVariable names, in the environment of what [Share] runs, the URL that gives the shared servers.
const sharedVariable = "SLUICE_TEST_SERVERS"

// sharedURL is "" for tests that [Share] doesn't run. It doesn't use os.Getenv: go test would keep a result for this URL alone.
func sharedURL() string {
	url, _ := syscall.Getenv(sharedVariable)
	return url
}

// Share runs a command and returns its exit code. All tests that the command runs, in any package and process, share one server of
// each kind: it is started when the first of them asks for it, and has stopped when Share returns. SIGTERM goes on to the command.
// SIGINT doesn't, since a terminal sends it to both.
func Share(name string, args ...string) (code int, err error) {
	return withServers(func() (_ int, err error) {
		listener, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			return 0, err
		}
		server := &http.Server{Handler: http.HandlerFunc(giveShared)}
		served := make(chan error, 1)
		go func() { served <- server.Serve(listener) }()
		defer func() {
			err = errors.Join(err, server.Shutdown(context.Background()))
			if end := <-served; !errors.Is(end, http.ErrServerClosed) {
				err = errors.Join(err, end)
			}
		}()
		cmd := exec.Command(name, args...)
		cmd.Env = append(os.Environ(), sharedVariable+"=http://"+listener.Addr().String())
		cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr //nolint:forbidigo // the command has our terminal
		return runCommand(cmd)
	})
}

func runCommand(cmd *exec.Cmd) (code int, err error) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	defer signal.Stop(signals)
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case s := <-signals:
			if s == syscall.SIGTERM {
				_ = cmd.Process.Signal(s) // unless it has just ended
			}
		case err := <-ended:
			if exit, ok := errors.AsType[*exec.ExitError](err); ok {
				return cmp.Or(max(exit.ExitCode(), 0), 1), nil // 1: a signal ended it
			}
			return 0, err
		}
	}
}

// giveShared answers with the endpoint of the server whose variable is the path, or with why there is none.
func giveShared(w http.ResponseWriter, r *http.Request) {
	for _, l := range []*lazy{&dynamoDB, &ministack, &openSearch} {
		if r.URL.Path != "/"+l.variable {
			continue
		}
		endpoint, err := l.running()
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, endpoint) // a test that has ended needs none
		return
	}
	http.NotFound(w, r)
}

// askShared has [Share] start the server of the variable if it isn't yet, and returns its endpoint.
func askShared(url, variable string) (endpoint string, err error) {
	answer, err := http.Get(url + "/" + variable)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("the shared one: %s", strings.TrimSpace(string(text)))
	}
	return string(text), err
}
