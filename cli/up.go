package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"sluice/cli/verb"
	"sluice/deploy/local/stack"
	"sluice/shared/operate"
)

type upCommand struct {
	verb.LocalFlags
	Restart   bool     `help:"If the stack that runs was started from other files, or with other consumers: stop it, and start what is there now. That empties all tables."`
	Consumers []string `arg:"" optional:"" name:"consumer" help:"Run these consumers only, with the servers that they need; all by default."`
}

// Run starts the stack, unless a declaration has faults: a function ends with them, and the stack with it.
func (c *upCommand) Run(ctx context.Context, consumers registry) error {
	dir, err := c.Dir()
	if err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	root, err := verb.Checkout()
	if err != nil {
		return err
	}
	for _, l := range operate.Offering[operate.Linter](consumers) {
		if len(c.Consumers) > 0 && !slices.Contains(c.Consumers, l.Name()) {
			continue
		}
		if err := l.Lint(io.Discard, nil); err != nil {
			return fmt.Errorf("nothing is started, since declarations of %s have faults:\n%w", l.Name(), err)
		}
	}
	slices.Sort(c.Consumers) // their order doesn't matter
	serve := append([]string{program, "serve", "--run-dir", dir, "--root", root}, c.Consumers...)
	for {
		info, err := stack.Up(ctx, dir, serve, verb.Progress)
		if err != nil {
			return err
		}
		verb.SayLine()
		health := info.Ask(ctx)
		info.Health = &health
		if err := printLocal(ctx, verb.Stdout, info, ""); err != nil {
			return err
		}
		changed, err := c.changed(info, root)
		if err != nil {
			return err
		}
		if again, err := c.again(ctx, changed); err != nil || !again {
			return err
		}
		if _, err := stack.Down(ctx, dir); err != nil {
			return err
		}
	}
}

// again reports whether the stack is to be started again, since it isn't what was asked for.
func (c *upCommand) again(ctx context.Context, changed string) (bool, error) {
	const next = "\nTry: sluice status --watch, sluice verify; \"sluice --help\" has all verbs. Stop it with sluice down."
	if changed == "" {
		verb.SayLine(next)
		return false, nil
	}
	verb.Say("\n%s\n", changed)
	if c.Restart {
		c.Restart = false // once
		return true, nil
	}
	consent := verb.ConsentFlags{}.Consent(operate.Removal{}, false)
	if !consent.Terminal {
		verb.SayLine("\"sluice up --restart\" starts what is there now. That empties all tables.")
		verb.SayLine(next)
		return false, nil
	}
	verb.SayLine("It can be started again with what is there now. That empties all tables.")
	again, err := consent.Ask(ctx)
	if errors.Is(err, operate.ErrDeclined) {
		verb.SayLine(next)
		return false, nil
	}
	return again, err
}

// changed says what of the running stack isn't what was asked for, or what the checkout would make now; empty: nothing.
func (c *upCommand) changed(info stack.Info, root string) (string, error) {
	if info.Root != root {
		return fmt.Sprintf("This stack runs the checkout %s, not %s.", info.Root, root), nil
	}
	if !slices.Equal(c.Consumers, info.Consumers) {
		return fmt.Sprintf("This stack was started with %s.", cmp.Or(strings.Join(info.Consumers, ", "), "every consumer")), nil
	}
	return changedFiles(info)
}

// changedFiles says which files of its checkout the running stack has as they were; empty: none.
func changedFiles(info stack.Info) (string, error) {
	changed, err := stack.Changed(info.RunDir, info.Root)
	if err != nil {
		return "", fmt.Errorf("compare the running stack with the checkout: %w", err)
	}
	if len(changed) == 0 {
		return "", nil
	}
	shown := changed[:min(len(changed), 10)]
	more := ""
	if n := len(changed) - len(shown); n > 0 {
		more = fmt.Sprintf(" and %d more", n)
	}
	return fmt.Sprintf("This stack was started at %s and runs these files as they were then: %s%s.", info.Started.Format(time.TimeOnly), strings.Join(shown, ", "), more), nil
}

// serveCommand runs the local stack in the foreground; upCommand starts it.
type serveCommand struct {
	verb.LocalFlags
	Root      string   `required:"" type:"path"`
	Consumers []string `arg:"" optional:""`
}

func (c *serveCommand) Run(ctx context.Context) error {
	dir, err := c.Dir()
	if err != nil {
		return err
	}
	return stack.Serve(ctx, stack.Options{Root: c.Root, Consumers: c.Consumers, RunDir: dir, Progress: verb.Progress})
}
