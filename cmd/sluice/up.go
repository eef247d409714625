package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"

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
	if err := printLocal(ctx, stdout, info, ""); err != nil {
		return err
	}
	sayLine("\nTry: sluice play --for 10s, sluice top, sluice verify leaderboard; stop it with sluice down.")
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
