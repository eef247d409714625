package cli

import (
	"context"

	"sluice/deploy/local/stack"
)

type downCommand struct {
	localFlags
}

func (c *downCommand) Run(ctx context.Context) error {
	dir, err := c.runDir()
	if err != nil {
		return err
	}
	was, err := stack.Down(ctx, dir)
	if err != nil {
		return err
	}
	if was {
		sayLine("The local stack is down.")
	} else {
		sayLine("No local stack was running.")
	}
	return nil
}
