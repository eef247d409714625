package ops

import (
	"fmt"
	"io"

	"sluice/consumers/replication"
	"sluice/shared/operate"
)

var _ operate.Linter = registered{}

func (registered) Declares() []operate.Declares {
	return []operate.Declares{{What: "replicas", Keys: []string{"replicas"}, Path: replication.RoutesPath}}
}

func (registered) Lint(out io.Writer, file *operate.File) error {
	const home = "us-east-1" // of the local stack
	settings := replication.DefaultSettings()
	routes, err := settings.Routes(home)
	if file != nil {
		routes, err = settings.ReadRoutes(home, file.Name, file.Text)
	}
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
