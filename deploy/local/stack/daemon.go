package stack

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"sluice/deploy/local/servers"
)

// daemonLog has what the process that [Up] starts prints.
const daemonLog = "daemon.log"

// Load returns the state of the stack in the run directory, at most a quarter of a second old. Without one, its
// State is Stopped. For one that failed, or whose process died without a word, it returns the state and a [*FailedError].
func Load(ctx context.Context, runDir string) (Info, error) {
	pid, err := holder(ctx, runDir)
	if err != nil {
		return Info{}, err
	}
	info, err := readState(runDir)
	if errors.Is(err, fs.ErrNotExist) {
		return Info{State: Stopped, RunDir: runDir}, nil
	}
	if err != nil {
		return Info{}, err
	}
	alive := pid != 0 && pid == info.PID
	switch {
	case alive, info.State == Stopped:
		return info, nil
	case pid != 0:
		return Info{State: Starting, RunDir: runDir, PID: pid}, nil // it has not written its state yet
	case info.State == Failed:
		return info, failure(info)
	}
	info.Message = fmt.Sprintf("its process %d is gone, last seen %s at %s", info.PID, info.State, info.Updated.Format(time.TimeOnly))
	if info.State == Ready {
		info.Message += "\n" + allIsLost
	}
	info.State = Failed
	return info, failure(info)
}

func failure(info Info) error {
	failed := &FailedError{Message: info.Message}
	path := filepath.Join(info.RunDir, daemonLog)
	if _, err := os.Stat(path); err == nil {
		failed.LogPath = path
	}
	return failed
}

// Up has another process run a stack in the run directory, and returns its state once it is ready. One that runs is left as it is,
// one that starts is waited for, one that failed is started again. command calls [Serve] with a context that ends on SIGTERM. If ctx
// ends before the stack is ready, a stack that this call has started is stopped.
func Up(ctx context.Context, runDir string, command []string, progress servers.Progress) (Info, error) {
	if progress == nil {
		progress = func(string, ...any) {}
	}
	child := &child{} // none yet
	info, err := up(ctx, runDir, command, progress, child)
	if err != nil && ctx.Err() != nil && child.cmd != nil {
		_, downErr := Down(context.WithoutCancel(ctx), runDir)
		err = errors.Join(err, downErr)
	}
	return info, err
}

func up(ctx context.Context, runDir string, command []string, progress servers.Progress, child *child) (Info, error) {
	said := ""
	for {
		pid, err := holder(ctx, runDir)
		if err != nil {
			return Info{}, err
		}
		if pid == 0 {
			switch {
			case child.cmd == nil:
				if err := child.launch(runDir, command); err != nil {
					return Info{}, fmt.Errorf("start the local stack: %w", err)
				}
			case child.ended():
				// It may have had the directory since we looked.
				if pid, err = holder(ctx, runDir); err == nil && pid == 0 {
					return child.failure(runDir)
				}
			}
		} else if info, err := readState(runDir); err == nil && info.PID == pid {
			if info.State == Ready {
				return info, nil
			}
			if info.State == Starting && info.Message != said {
				said = info.Message
				progress("%s", said)
			}
		} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return Info{}, err
		}
		if err := pause(ctx); err != nil {
			return Info{}, err
		}
	}
}

// child is a process that runs Serve; none before launch.
type child struct {
	cmd    *exec.Cmd
	exited chan struct{}
}

// launch starts the command in a session of its own, so that it stays when we end.
func (c *child) launch(runDir string, command []string) error {
	if err := makePrivate(runDir); err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(runDir, daemonLog), os.O_CREATE|os.O_TRUNC|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	c.cmd, c.exited = cmd, make(chan struct{})
	go func() {
		_ = cmd.Wait() // its error is that of the state, as no output is copied
		close(c.exited)
	}()
	return nil
}

func (c *child) ended() bool {
	select {
	case <-c.exited:
		return true
	default:
		return false
	}
}

// failure tells why the process, which has ended, has no stack.
func (c *child) failure(runDir string) (Info, error) {
	info, err := readState(runDir)
	if err == nil && info.PID == c.cmd.Process.Pid && info.State == Failed {
		return info, failure(info)
	}
	if err == nil && info.PID == c.cmd.Process.Pid && info.State == Stopped {
		return info, &FailedError{Message: `it was told to end before it was ready, by "sluice down" or a signal; start it again with "sluice up"`}
	}
	path := filepath.Join(runDir, daemonLog)
	said, err := servers.Tail(path)
	if err != nil {
		return Info{}, err
	}
	return Info{}, &FailedError{Message: fmt.Sprintf("its process ended, %v, and said last: %s", c.cmd.ProcessState, said), LogPath: path}
}

// downGrace is how long a stack may take to stop before its process, and with it the servers, is killed.
const downGrace = 30 * time.Second

// Down ends the stack of the run directory and returns when its process is gone, or false if none was running.
func Down(ctx context.Context, runDir string) (was bool, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, 2*downGrace, errors.New("it does not end"))
	defer cancel()
	killAt := time.Now().Add(downGrace)
	signal := syscall.SIGTERM
	told := 0 // the process that was told to end
	for {
		pid, err := holder(ctx, runDir)
		if err != nil {
			return was, errors.Join(err, context.Cause(ctx))
		}
		if pid == 0 || told != 0 && pid != told {
			return was, nil
		}
		if told == 0 || signal == syscall.SIGTERM && time.Now().After(killAt) {
			if told != 0 {
				signal = syscall.SIGKILL
			}
			if err := syscall.Kill(pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
				return was, fmt.Errorf("stop the local stack: send %v to process %d: %w", signal, pid, err)
			}
			told, was = pid, true
		}
		if err := pause(ctx); err != nil {
			return was, fmt.Errorf("stop the local stack: process %d: %w", pid, context.Cause(ctx))
		}
	}
}
