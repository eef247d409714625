package process

import (
	"os/exec"
	"syscall"
)

// startGuarded starts the command so that it dies when this process does, however that ends. Linux watches the thread
// that starts it, so the caller must hold on to its thread until the command has ended. The command gets a process
// group of its own: a Ctrl-C at the terminal reaches us alone, and we end it in order.
func startGuarded(cmd *exec.Cmd) (release func(), err error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	return func() {}, cmd.Start()
}
