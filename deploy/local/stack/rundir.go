package stack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	smithytime "github.com/aws/smithy-go/time"
	"github.com/gofrs/flock"
)

// The files of a run directory: a lock, held by the process that runs the stack, with its id, and an Info in JSON.
const (
	lockFile  = "lock"
	stateFile = "state.json"
)

// takeRunDir makes the run directory this process' own, or returns ErrRunning.
func takeRunDir(dir string) (*flock.Flock, error) {
	if err := makePrivate(dir); err != nil {
		return nil, err
	}
	lock := flock.New(filepath.Join(dir, lockFile))
	// Whoever looks for the holder has the lock for a moment, too.
	ctx, cancel := context.WithTimeout(context.Background(), 10*pollInterval)
	defer cancel()
	_, err := lock.TryLockContext(ctx, pollInterval/5)
	if errors.Is(err, context.DeadlineExceeded) {
		err = ErrRunning
	}
	if err == nil {
		err = os.WriteFile(lock.Path(), []byte(strconv.Itoa(os.Getpid())), 0o600)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("run directory %s: %w", dir, err), lock.Close())
	}
	return lock, nil
}

// makePrivate makes the directory, for its owner alone: what it has opens the stack.
func makePrivate(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.Chmod(dir, 0o700)
}

func giveBackRunDir(lock *flock.Flock) error {
	return errors.Join(os.Truncate(lock.Path(), 0), lock.Close())
}

// holder returns the id of the process that has the run directory, or 0 if none has.
func holder(ctx context.Context, dir string) (int, error) {
	lock := flock.New(filepath.Join(dir, lockFile))
	for {
		locked, err := lock.TryRLock()
		if errors.Is(err, fs.ErrNotExist) {
			return 0, nil // there is no such directory
		}
		if err != nil || locked {
			return 0, errors.Join(err, lock.Close())
		}
		text, err := os.ReadFile(lock.Path())
		if err != nil {
			return 0, err
		}
		if pid, err := strconv.Atoi(string(text)); err == nil && !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			return pid, nil
		}
		// It has not written its id yet (one that was killed has left its own), or is about to let go.
		if err := pause(ctx); err != nil {
			return 0, err
		}
	}
}

// pollInterval is how often another process' progress is looked at.
const pollInterval = 50 * time.Millisecond

func pause(ctx context.Context) error { return smithytime.SleepWithContext(ctx, pollInterval) }

// writeState replaces the state, so that a reader sees the old one or the new one.
func writeState(info Info) error {
	text, err := json.MarshalIndent(info, "", "  ")
	if err != nil {
		return err
	}
	path := filepath.Join(info.RunDir, stateFile)
	if err := os.WriteFile(path+".new", append(text, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// readState returns the state that was written last; fs.ErrNotExist if there never was one.
func readState(dir string) (Info, error) {
	path := filepath.Join(dir, stateFile)
	text, err := os.ReadFile(path)
	if err != nil {
		return Info{}, err
	}
	var info Info
	if err := json.Unmarshal(text, &info); err != nil {
		return Info{}, fmt.Errorf("%s: %w", path, err)
	}
	return info, nil
}
