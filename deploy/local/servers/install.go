package servers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/gofrs/flock"

	"sluice/deploy/local/process"
)

// Install installs the servers that are not installed yet, without a network call for the others. Processes that install at the same
// time wait for each other. A failed Install leaves nothing that would be taken for an installed server.
func Install(ctx context.Context, progress Progress, servers ...*Server) error {
	for _, server := range servers {
		if err := server.ensure(ctx, progress); err != nil {
			return fmt.Errorf("install %s %s: %w", server.Name, server.Version, err)
		}
	}
	return nil
}

// Installed tells whether the server is installed by the recipe of this build and still works.
func (s *Server) Installed(ctx context.Context) (bool, error) {
	dir, err := s.dir()
	if err != nil {
		return false, err
	}
	same, err := s.sameRecipe(dir)
	if err != nil || !same {
		return false, err
	}
	return s.intact == nil || s.intact(ctx, dir), ctx.Err()
}

// sameRecipe tells whether dir was installed by the recipe of this build, from the copies that the install left.
func (s *Server) sameRecipe(dir string) (bool, error) {
	same := true
	err := s.eachFile(func(path string, want []byte) error {
		have, err := os.ReadFile(filepath.Join(dir, path))
		if errors.Is(err, fs.ErrNotExist) {
			same = false
			return fs.SkipAll
		}
		same = same && bytes.Equal(have, want)
		return err
	})
	return same, err
}

func (s *Server) ensure(ctx context.Context, progress Progress) (err error) {
	dir, err := s.dir()
	if err != nil {
		return err
	}
	if installed, err := s.Installed(ctx); err != nil || installed {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	lock := flock.New(dir + ".lock")
	defer func() { err = errors.Join(err, lock.Close()) }()
	locked, err := lock.TryLock()
	if err == nil && !locked {
		progress.say("waiting for another process that installs %s", s.Name)
		_, err = lock.TryLockContext(ctx, 100*time.Millisecond)
	}
	if err != nil {
		return fmt.Errorf("lock %s: %w", lock.Path(), err)
	}
	// The other process may have installed it by now.
	if installed, err := s.Installed(ctx); err != nil || installed {
		return err
	}

	start := time.Now()
	progress.say("installing %s %s", s.Name, s.Version)
	// A name of its own, not a random one: what a killed install left is found and removed.
	unfinished := dir + ".unfinished"
	if err := os.RemoveAll(unfinished); err != nil {
		return err
	}
	if err := os.CopyFS(unfinished, s.recipe); err != nil {
		return err
	}
	if err := s.install(ctx, unfinished, s.slowly(progress, start)); err != nil {
		return err
	}
	// There may be an older recipe's install, or one that no longer works.
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.Rename(unfinished, dir); err != nil {
		return err
	}
	size, err := sizeOf(dir)
	if err != nil {
		return err
	}
	progress.say("installed %s %s: %d MB in %.0f s, kept in %s", s.Name, s.Version, size>>20, time.Since(start).Seconds(), dir)
	return nil
}

// slowly passes on at most a line every two seconds, with the server's name and the time since start.
func (s *Server) slowly(progress Progress, start time.Time) Progress {
	var last time.Time
	return func(format string, args ...any) {
		if now := time.Now(); now.Sub(last) >= 2*time.Second {
			last = now
			progress.say("installing %s: %s, %.0f s", s.Name, fmt.Sprintf(format, args...), now.Sub(start).Seconds())
		}
	}
}

// runInstaller runs a program in dir, which does not outlive us, and gives each line that it prints to line, which may be nil.
func runInstaller(ctx context.Context, dir string, line func(string), name string, args ...string) error {
	output := &lineWriter{line: line}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Stdout, cmd.Stderr = output, output
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) } // with its own children
	cmd.WaitDelay = 5 * time.Second
	ended, err := process.Start(cmd)
	if err == nil {
		err = <-ended
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		command := strings.Join(append([]string{filepath.Base(name)}, args...), " ")
		return &InstallError{Command: command, Output: lastLines(output.all), Err: err}
	}
	return nil
}

// lineWriter keeps what is written and passes it on line by line.
type lineWriter struct {
	all  []byte
	next int // where the first line begins that has not been passed on
	line func(string)
}

func (w *lineWriter) Write(p []byte) (int, error) {
	w.all = append(w.all, p...)
	for {
		end := bytes.IndexByte(w.all[w.next:], '\n')
		if end < 0 {
			return len(p), nil
		}
		if w.line != nil {
			w.line(string(w.all[w.next : w.next+end]))
		}
		w.next += end + 1
	}
}

func sizeOf(dir string) (size int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		size += info.Size()
		return nil
	})
	return size, err
}
