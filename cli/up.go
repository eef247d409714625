package cli

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"sluice/cli/verb"
	"sluice/deploy/local/stack"
)

type upCommand struct {
	verb.LocalFlags
	Consumers []string `arg:"" optional:"" name:"consumer" help:"Run these consumers only, with the servers that they need; all by default."`
}

func (c *upCommand) Run(ctx context.Context) error {
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
	slices.Sort(c.Consumers) // their order doesn't matter
	serve := append([]string{program, "serve", "--run-dir", dir, "--root", root}, c.Consumers...)
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
	if err := c.sayChanged(info, root); err != nil {
		return err
	}
	verb.SayLine("\nTry: sluice status --watch, sluice verify; \"sluice --help\" has all verbs. Stop it with sluice down.")
	return nil
}

// sayChanged says so if the stack, which may have run before, isn't what was asked for, or what the checkout would make now.
func (c *upCommand) sayChanged(info stack.Info, root string) error {
	const again = `To run them as they are now: "sluice down", then "sluice up". That empties all tables.`
	if !slices.Equal(c.Consumers, info.Consumers) {
		runs := cmp.Or(strings.Join(info.Consumers, ", "), "every consumer")
		verb.Say("\nThis stack was started with %s. To start it with others: \"sluice down\", then \"sluice up\". That empties all tables.\n", runs)
	}
	if info.Root != root {
		verb.Say("\nThis stack runs the checkout %s, not %s. %s\n", info.Root, root, again)
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
	verb.Say("\nThis stack was started at %s and runs these files as they were then: %s%s. %s\n",
		info.Started.Format(time.TimeOnly), strings.Join(shown, ", "), more, again)
	return nil
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
