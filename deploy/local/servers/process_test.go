package servers_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"sluice/deploy/local/servers"
	"sluice/shared/consumertest/proof"
)

var all = []*servers.Server{servers.DynamoDBLocal, servers.Ministack, servers.OpenSearch}

// parentRole makes the test binary the parent that TestNothingOutlivesAKilledParent kills: the directory to run in. Its arguments
// name the servers that it starts.
const parentRole = "SERVERS_TEST_PARENT"

func TestMain(m *testing.M) {
	if dir := os.Getenv(parentRole); dir != "" {
		for _, server := range all {
			if !slices.Contains(os.Args[1:], server.Name) {
				continue
			}
			process, err := server.Start(context.Background(), dir, 0)
			if err != nil {
				fmt.Println("error:", err)
				os.Exit(1)
			}
			fmt.Println(process.Endpoint)
		}
		select {}
	}
	if err := ready(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func ready() error {
	progress := func(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
	ctx := context.Background()
	return errors.Join(servers.Check(ctx, all...), servers.Install(ctx, progress, all...))
}

func start(t *testing.T, server *servers.Server, port int) *servers.Process {
	t.Helper()
	process, err := server.Start(t.Context(), t.TempDir(), port)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := process.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return process
}

func host(t *testing.T, endpoint string) string {
	t.Helper()
	u, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}

// refuses tells whether nobody listens at the address.
func refuses(t *testing.T, address string) bool {
	t.Helper()
	connection, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		return errors.Is(err, syscall.ECONNREFUSED)
	}
	if err := connection.Close(); err != nil {
		t.Error(err)
	}
	return false
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

func closed(t *testing.T, listener net.Listener) {
	t.Helper()
	if err := listener.Close(); err != nil {
		t.Error(err)
	}
}

// With what is installed, neither installers nor a network are needed: both are taken away.
func TestInstalledServersNeedNoInstaller(t *testing.T) {
	java, err := exec.LookPath("java")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "java"), fmt.Appendf(nil, "#!/bin/sh\nexec '%s' \"$@\"\n", java), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	t.Setenv("JAVA_HOME", "")
	if err := servers.Check(t.Context(), all...); err != nil {
		t.Error(err)
	}
	said := func(format string, args ...any) { t.Errorf("said: "+format, args...) }
	if err := servers.Install(t.Context(), said, all...); err != nil {
		t.Error(err)
	}
}

// Fails for a server that listens on every interface, as both do when they are left to themselves.
func TestServersListenOnLoopbackOnly(t *testing.T) {
	taken := listen(t)
	t.Cleanup(func() { closed(t, taken) })
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, server := range all {
		t.Run(server.Name, func(t *testing.T) {
			t.Parallel()
			process := start(t, server, taken.Addr().(*net.TCPAddr).Port)
			hostname, port, err := net.SplitHostPort(host(t, process.Endpoint))
			if err != nil || hostname != "127.0.0.1" {
				t.Fatalf("endpoint %s, %v", process.Endpoint, err)
			}
			if process.Endpoint == "http://"+taken.Addr().String() {
				t.Errorf("endpoint %s is another's", process.Endpoint)
			}
			for _, address := range addresses {
				ip := address.(*net.IPNet).IP
				if ip.Equal(net.IPv4(127, 0, 0, 1)) || ip.IsLinkLocalUnicast() {
					continue
				}
				if !refuses(t, net.JoinHostPort(ip.String(), port)) {
					t.Errorf("listens on %v too", ip)
				}
			}
			if err := process.Stop(t.Context()); err != nil {
				t.Error(err)
			}
			if err := process.Err(); err != nil {
				t.Errorf("stopped, but: %v", err)
			}
			if !refuses(t, host(t, process.Endpoint)) {
				t.Error("answers after it was stopped")
			}
		})
	}
}

func TestPreferredPortIsTakenIfFree(t *testing.T) {
	free := listen(t)
	closed(t, free)
	process := start(t, servers.DynamoDBLocal, free.Addr().(*net.TCPAddr).Port)
	if want := "http://" + free.Addr().String(); process.Endpoint != want {
		t.Errorf("endpoint %s, want %s", process.Endpoint, want)
	}
}

// Fails if one of two servers that open their ports themselves dies because the other one was faster.
func TestPreferredPortIsLost(t *testing.T) {
	proof.NotShort(t, "TestServersListenOnLoopbackOnly starts OpenSearch with a port that is taken")
	free := listen(t)
	closed(t, free)
	port := free.Addr().(*net.TCPAddr).Port
	var side sync.WaitGroup
	endpoints := make([]string, 2)
	for i := range endpoints {
		dir := t.TempDir()
		side.Go(func() {
			process, err := servers.OpenSearch.Start(t.Context(), dir, port)
			if err != nil {
				t.Error(err)
				return
			}
			endpoints[i] = process.Endpoint
			t.Cleanup(func() {
				if err := process.Stop(context.Background()); err != nil {
					t.Error(err)
				}
			})
		})
	}
	side.Wait()
	if endpoints[0] == endpoints[1] {
		t.Errorf("both are at %q", endpoints[0])
	}
}

func TestKilledServerTellsHowItDied(t *testing.T) {
	process := start(t, servers.Ministack, 0)
	if err := process.Err(); err != nil {
		t.Errorf("runs, but: %v", err)
	}
	if err := syscall.Kill(process.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-process.Exited()
	var died *servers.DiedError
	if err := process.Err(); !errors.As(err, &died) {
		t.Fatalf("error %v, want a DiedError", err)
	}
	if died.State != "signal: killed" || !strings.Contains(died.Tail, "Ready") || died.LogPath != process.LogPath {
		t.Errorf("died: %+v; want how, and the log's end", died)
	}
}

// Fails for servers that are left behind when their parent has no time to stop them.
func TestNothingOutlivesAKilledParent(t *testing.T) {
	names := []string{servers.DynamoDBLocal.Name, servers.Ministack.Name}
	if !testing.Short() { // it takes long to start, by the same code
		names = append(names, servers.OpenSearch.Name)
	}
	parent := exec.Command(os.Args[0], names...)
	parent.Env = append(os.Environ(), parentRole+"="+t.TempDir())
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	var endpoints []string
	for lines := bufio.NewScanner(out); len(endpoints) < len(names) && lines.Scan(); {
		endpoints = append(endpoints, lines.Text())
	}
	for _, endpoint := range endpoints {
		if refuses(t, host(t, endpoint)) {
			t.Fatalf("%s does not answer", endpoint)
		}
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait() // it was killed
	if len(endpoints) != len(names) {
		t.Fatalf("the parent said %q", endpoints)
	}
	deadline := time.After(10 * time.Second)
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for _, endpoint := range endpoints {
		for !refuses(t, host(t, endpoint)) {
			select {
			case <-again.C:
			case <-deadline:
				t.Fatalf("%s still answers 10 s after its parent was killed", endpoint)
			}
		}
	}
}
