package cli

import (
	"io"
	"slices"
	"time"

	"sluice/cli/verb"
	"sluice/deploy/capacity"
)

type planCommand struct {
	Changes     int64          `required:"" help:"Changes of the source table a second, up to 1,000,000."`
	Item        *capacity.Size `required:"" help:"Size of an item, such as 100B or 1KB (1,024 bytes)."`
	OnlyInserts bool           `help:"The changes only insert items: a record has one image, not those before and after."`
	Players     int64          `default:"100000" help:"How many players share the changes, evenly."`
	Badges      int64          `default:"10" help:"Badges that 1,000 changes earn."`
	BatchWindow *time.Duration `help:"How long Lambda waits for a batch to fill, for all consumers, in whole seconds up to 300s. Without it, what each template has."`
	Consumers   []string       `default:"leaderboard,replication,search,badges" help:"The consumers; those named first get enhanced fan-out first."`
	JSON        bool           `help:"Print all of the plan as JSON, the numbers unrounded."`
}

func (c *planCommand) load() capacity.Load {
	return capacity.Load{
		Changes: c.Changes, Item: *c.Item, OnlyInserts: c.OnlyInserts, Players: c.Players, Badges: c.Badges,
		Window: c.BatchWindow, Consumers: slices.Clone(c.Consumers),
	}
}

// Validate leaves a size that is not stated to the parser, which names the flag that is missing.
func (c *planCommand) Validate() error {
	if c.Item == nil {
		return nil
	}
	return c.load().Validate()
}

func (c *planCommand) Run() error {
	plan := capacity.Make(c.load())
	if c.JSON {
		return verb.PrintJSON(plan)
	}
	_, err := io.WriteString(verb.Stdout, planText(plan))
	return err
}
