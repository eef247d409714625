package ops

import (
	"fmt"
	"io"

	"sluice/consumers/replication"
	"sluice/shared/operate"
)

var _ operate.Linter = registered{}

func (registered) Declares() []operate.Declares {
	return []operate.Declares{{What: "replicas", Keys: []string{"replicas"}, Path: replication.ReplicasFile}}
}

// home is the region of the local stack, where lint takes the sources to be.
const home = "us-east-1"

func (r registered) Lint(out io.Writer, file *operate.File) error {
	d, err := r.pipeline.Defaults()
	if err != nil {
		return err
	}
	if file != nil {
		d = d.With(replication.ReplicasFile, file.Name, file.Text)
	}
	routes, err := replication.Routes(d, home)
	for _, r := range routes {
		fmt.Fprintf(out, "%s: %s → %s in %s\n", r.Name, r.Source, r.Table, r.Region)
		if where := r.Where(); where != "" {
			fmt.Fprintf(out, "    %s\n", where)
		}
	}
	if err != nil {
		return fmt.Errorf("the replicas can't be kept:\n%w", err)
	}
	return nil
}
