package cli

import (
	"os"
	"path/filepath"

	"sluice/cli/scaffold"
	"sluice/cli/verb"
	"sluice/shared/printable"
)

type newCommand struct {
	Pipeline newPipelineCommand `cmd:"" help:"Make a repository of your own, with declarations, templates and a command; run it in a checkout of Sluice."`
	Table    newTableCommand    `cmd:"" help:"Declare a table: a template in deploy, and a setting that declarations can name."`
	Consumer newConsumerCommand `cmd:"" help:"Make consumers/NAME, and add it to the list of consumers and to template.yaml: it compiles, passes its tests and can be deployed; its author edits one function."`
}

type newConsumerCommand struct {
	Name  string        `arg:"" help:"Its name: small letters, digits and hyphens, such as audit or my-orders."`
	To    scaffold.Kind `enum:"dynamodb,http,s3,sqs" default:"dynamodb" help:"Where it writes: dynamodb (a table), http (a URL), s3 (a bucket) or sqs (a FIFO queue)."`
	Table string        `help:"The table whose changes it takes; the first one in deploy by default." placeholder:"NAME"`
}

// Run makes the folder in the checkout that the working directory is in.
func (c *newConsumerCommand) Run() error {
	root, err := verb.Checkout()
	if err != nil {
		return err
	}
	made, err := scaffold.Make(root, scaffold.Consumer{Name: scaffold.Name(c.Name), To: c.To, Table: c.Table})
	if err != nil {
		return err
	}
	var w printable.Table
	for _, f := range made {
		w.Row("consumers/"+c.Name+"/"+f.Path, f.What)
	}
	if err := w.Flush(verb.Stdout); err != nil {
		return err
	}
	sluice := "go tool sluice" // the command of a repository of one's own
	_, err = os.Stat(filepath.Join(root, "docs", "tutorial.md"))
	tutorial := err == nil
	if tutorial {
		sluice = "sluice"
	}
	verb.SayLine("\nIt works as it is: its README.md says what it writes, and why that is exact. Next:")
	folder := "consumers/" + c.Name
	w.Row("edit "+folder+"/"+scaffold.Name(c.Name).Package()+".go", "what Apply does with a change; want in the tests says what comes of it")
	w.Row("go test ./"+folder, "500 schedules with crashes, repeats and lost answers")
	if tutorial {
		w.Row("go install ./cmd/sluice", "so that verify, backfill and lint know it; pipeline/ops lists it")
	}
	w.Row(sluice+" lint", "whether template.yaml would make it lose changes")
	w.Row(sluice+" up --restart", "runs it beside the others, with empty tables")
	if err := w.Flush(verb.Stdout); err != nil {
		return err
	}
	if tutorial {
		verb.SayLine("docs/tutorial.md makes an audit trail that way.")
	}
	return nil
}
