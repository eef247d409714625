package process

import (
	"os/exec"
	"syscall"
)

// startGuarded starts the command so that it dies when this process does. Linux watches the thread that starts it, so the
// caller must hold on to its thread until the command has ended.
func startGuarded(cmd *exec.Cmd) (release func(), err error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	return func() {}, cmd.Start()
}
