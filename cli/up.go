package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"sluice/deploy/local/stack"
)

type upCommand struct {
	localFlags
}

func (c *upCommand) Run(ctx context.Context) error {
	dir, err := c.runDir()
	if err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	root, err := checkout()
	if err != nil {
		return err
	}
	info, err := stack.Up(ctx, dir, []string{program, "serve", "--run-dir", dir, "--root", root}, progress)
	if err != nil {
		return err
	}
	sayLine()
	health := info.Ask(ctx)
	info.Health = &health
	if err := printLocal(ctx, stdout, info, ""); err != nil {
		return err
	}
	if err := sayChanged(info, root); err != nil {
		return err
	}
	sayLine("\nTry: sluice play --for 10s, sluice top, sluice verify leaderboard; stop it with sluice down.")
	return nil
}

// sayChanged says so if the stack, which may have run before, isn't what the checkout would make now.
func sayChanged(info stack.Info, root string) error {
	const again = `To run them as they are now: "sluice down", then "sluice up". That empties all tables.`
	if info.Root != root {
		say("\nThis stack runs the checkout %s, not %s. %s\n", info.Root, root, again)
		return nil
	}
	changed, err := stack.Changed(info.RunDir, root)
	if err != nil {
		return fmt.Errorf("compare the running stack with the checkout: %w", err)
	}
	if len(changed) == 0 {
		return nil
	}
	shown := changed[:min(len(changed), 10)]
	more := ""
	if n := len(changed) - len(shown); n > 0 {
		more = fmt.Sprintf(" and %d more", n)
	}
	say("\nThis stack was started at %s and runs these files as they were then: %s%s. %s\n",
		info.Started.Format(time.TimeOnly), strings.Join(shown, ", "), more, again)
	return nil
}

// progress prints what a starting stack is doing.
func progress(format string, args ...any) { say("· "+format+"\n", args...) }

// serveCommand runs the local stack in the foreground; upCommand starts it.
type serveCommand struct {
	localFlags
	Root string `required:"" type:"path"`
}

func (c *serveCommand) Run(ctx context.Context) error {
	dir, err := c.runDir()
	if err != nil {
		return err
	}
	return stack.Serve(ctx, stack.Options{Root: c.Root, RunDir: dir, Progress: progress})
}

var ourModule = regexp.MustCompile(`(?m)^module sluice$`)

// checkout returns the root of the checkout that the working directory is in:
// the templates and consumers there are what a local stack runs.
func checkout() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && ourModule.Match(text) {
			return dir, nil
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("%s is not in a checkout of Sluice; the local stack runs the templates and consumers of one, so change into it", start)
		}
	}
}
