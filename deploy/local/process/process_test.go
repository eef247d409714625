package process_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"sluice/deploy/local/process"
)

// The test binary plays the parent that is killed and its child, told apart by this variable.
const role = "PROCESS_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case "parent":
		child := exec.Command(os.Args[0])
		child.Env = []string{role + "=child"}
		child.Stdout = os.Stdout // the pipe ends once neither of them holds it
		if _, err := process.Start(child); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println("started", child.Process.Pid)
		select {}
	case "child":
		select {}
	}
	os.Exit(m.Run())
}

func TestChildDiesWithItsKilledParent(t *testing.T) {
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), role+"=parent")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	if line, err := lines.ReadString('\n'); err != nil || !strings.HasPrefix(line, "started") {
		t.Fatalf("parent said %q, %v", line, err)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, lines)
		ended <- err
	}()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("the child still runs 10 s after its parent was killed")
	}
	_ = parent.Wait() // it was killed
}

func TestStartTellsHowTheChildEnded(t *testing.T) {
	child := exec.Command("/bin/sh", "-c", "exit 7")
	exited, err := process.Start(child)
	if err != nil {
		t.Fatal(err)
	}
	if err := <-exited; err == nil || child.ProcessState.ExitCode() != 7 {
		t.Errorf("ended with %v, want exit status 7", err)
	}
	child = exec.Command(os.Args[0])
	child.Env = []string{role + "=child"}
	if exited, err = process.Start(child); err != nil {
		t.Fatal(err)
	}
	if group, err := syscall.Getpgid(child.Process.Pid); err != nil || group != child.Process.Pid {
		t.Errorf("child %d is in group %d, %v: want one of its own", child.Process.Pid, group, err)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := <-exited; err == nil {
		t.Error("killed, but no error")
	}
}

func TestStartReportsWhatCannotBeStarted(t *testing.T) {
	if _, err := process.Start(exec.Command("/no/such/program")); err == nil {
		t.Error("no error")
	}
}
