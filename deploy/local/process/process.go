// Package process starts child processes that do not outlive this one, however it ends: not even SIGKILL leaves an orphan.
package process

import (
	"os/exec"
	"runtime"
)

// Start starts cmd, which gets a process group of its own: a Ctrl-C at the terminal reaches us alone, and we end our
// children in order. What cmd.Wait returns can be received once the child has ended; nobody else may call Wait.
func Start(cmd *exec.Cmd) (exited <-chan error, err error) {
	started, ended := make(chan error), make(chan error, 1)
	go func() {
		// Linux ends a child with the thread that made it, so this thread stays for as long as the child.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		release, err := startGuarded(cmd)
		started <- err
		if err != nil {
			return
		}
		err = cmd.Wait()
		release()
		ended <- err
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return ended, nil
}
