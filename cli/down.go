package cli

import (
	"context"

	"sluice/cli/verb"
	"sluice/deploy/local/stack"
)

type downCommand struct {
	verb.LocalFlags
}

func (c *downCommand) Run(ctx context.Context) error {
	dir, err := c.Dir()
	if err != nil {
		return err
	}
	was, err := stack.Down(ctx, dir)
	if err != nil {
		return err
	}
	if was {
		verb.SayLine("The local stack is down.")
	} else {
		verb.SayLine("No local stack was running.")
	}
	return nil
}
