//go:build !linux

package process

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

// startGuarded starts the command so that it dies when this process does, until release is called: a shell waits for the
// end of a pipe that only we hold open.
func startGuarded(cmd *exec.Cmd) (release func(), err error) {
	theirs, ours, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(err, ours.Close())
	}
	watch := exec.Command("/bin/sh", "-c", `read -r _; kill -KILL "$0"`, strconv.Itoa(cmd.Process.Pid))
	watch.Stdin = theirs
	watch.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := watch.Start(); err != nil {
		return nil, errors.Join(err, cmd.Process.Kill(), cmd.Wait(), ours.Close())
	}
	return func() {
		_ = watch.Process.Kill() // before the pipe ends: the pid may be another's by now
		_ = watch.Wait()
		_ = ours.Close()
	}, nil
}
