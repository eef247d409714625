package main

import (
	"fmt"
	"os"
	"text/tabwriter"

	"sluice/cmd/sluice/scaffold"
)

type newCommand struct {
	Consumer newConsumerCommand `cmd:"" help:"Make consumers/NAME: a consumer that compiles, passes its tests and can be deployed; its author edits one function."`
}

type newConsumerCommand struct {
	Name string `arg:"" help:"Its name: small letters and digits, such as audit."`
}

// Run makes the folder in the checkout that the working directory is in.
func (c *newConsumerCommand) Run() error {
	root, err := checkout()
	if err != nil {
		return err
	}
	made, err := scaffold.Make(root, c.Name)
	if err != nil {
		return err
	}
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, f := range made {
		fmt.Fprintf(out, "consumers/%s/%s\t%s\n", c.Name, f.Path, f.What)
	}
	fmt.Fprintf(out, `
It works as it is: it notes when each item was changed last. Next:
edit consumers/%[1]s/%[1]s.go	what Apply does with a change; want in simulator_test.go says what comes of it
go test ./consumers/%[1]s	against DynamoDB Local, with crashes, repeats and lost answers
sluice lint	whether template.yaml would make it lose changes
sluice up	runs it beside the others; first sluice down, if they run already
docs/tutorial.md makes an audit trail that way.
`, c.Name)
	return out.Flush()
}
