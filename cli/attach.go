package cli

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"

	"sluice/cli/verb"
	"sluice/deploy/deployed"
	"sluice/shared/operate"
)

type attachCommand struct {
	Table string `arg:"" help:"The table, which is on AWS already."`
	Stack string `required:"" help:"The CloudFormation stack of the pipeline, or of deploy/stream.yaml; account and region as for the AWS CLI." placeholder:"NAME"`
	verb.ConsentFlags
}

// Run shows what AWS needs so that the table's changes go into the stream, and does it once it may.
func (c *attachCommand) Run(ctx context.Context, consumers registry) error {
	cfg, err := verb.DeployedConfig(ctx, "")
	if err != nil {
		return err
	}
	stream, err := deployed.StreamOf(ctx, cloudformation.NewFromConfig(cfg), c.Stack)
	if err != nil {
		return err
	}
	a, err := deployed.NewAttachment(ctx, cfg, c.Table, stream)
	if err != nil {
		return err
	}
	if a.Attached() {
		verb.Say("The changes of table %s go into stream %s already, in microseconds.\n", a.Table, a.Stream)
		return c.sayBackfill(a, consumers)
	}
	where, err := verb.PipelineFlags{Stack: c.Stack}.Place(ctx)
	if err != nil {
		return err
	}
	act := "its changes go into it from now on, in microseconds"
	if a.Now != "" {
		act = "its changes, which have their times in milliseconds now, have them in microseconds"
	}
	step := operate.Step{Into: "stream " + a.Stream, From: "table " + a.Table, Act: act}
	if a.Mode == "PROVISIONED" {
		step.Notes = append(step.Notes, fmt.Sprintf("it is provisioned with %d shards, each of which takes 1,000 changes or 1 MB a second; sluice plan works out how many the table needs", a.Shards))
	}
	step.Notes = append(step.Notes, "Kinesis and DynamoDB charge for each change; nothing is written to the table")
	plan := operate.Plan{Verb: "sluice attach " + a.Table, Where: where, Steps: []operate.Step{step}}
	if ok, err := c.Consent(operate.Removal{}, false).To(ctx, plan); err != nil || !ok {
		return err
	}
	if err := a.Attach(ctx); err != nil {
		return err
	}
	verb.Say("The changes of table %s go into stream %s.\n", a.Table, a.Stream)
	return c.sayBackfill(a, consumers)
}

// sayBackfill says how what the table holds already comes into each destination.
func (c *attachCommand) sayBackfill(a *deployed.Attachment, consumers registry) error {
	verb.Say("It holds about %d items, of which the stream knows nothing. What they are brought in with, once the consumers run:\n", a.Items)
	for _, b := range operate.Offering[operate.Backfiller](consumers) {
		verb.Say("  sluice backfill %s --stack %s\n", b.Name(), c.Stack)
	}
	for _, r := range operate.Offering[operate.Rebuilder](consumers) {
		views, err := r.Views()
		if err != nil {
			return err
		}
		for _, v := range views {
			if v.Source == a.Table {
				verb.Say("  sluice rebuild %s --stack %s\n", v.Name, c.Stack)
			}
		}
	}
	return nil
}
