package ops

import (
	"context"
	"fmt"
	"io"

	"sluice/consumers/leaderboard"
	"sluice/shared/declaration"
	"sluice/shared/operate"
	"sluice/shared/view"
)

// Consumer returns the leaderboard as the command line knows it.
func Consumer(p declaration.Pipeline) operate.Consumer { return registered{p} }

type registered struct{ pipeline declaration.Pipeline }

var (
	_ operate.Linter    = registered{}
	_ operate.Rebuilder = registered{}
	_ operate.Commander = registered{}
)

func (registered) Name() string { return "leaderboard" }

func (registered) Declares() []operate.Declares {
	return []operate.Declares{{What: "views", Keys: []string{"views"}, Path: leaderboard.ViewsFile}}
}

func (r registered) Lint(out io.Writer, file *operate.File) error {
	d, err := r.pipeline.Defaults()
	if err != nil {
		return err
	}
	if file != nil {
		d = d.With(leaderboard.ViewsFile, file.Name, file.Text)
	}
	views, err := leaderboard.Views(d)
	if err != nil {
		return fmt.Errorf("the views can't be kept:\n%w", err)
	}
	for _, v := range views {
		fmt.Fprintf(out, "%s: %s → %s\n", v.Name, v.Source, v.Table)
		for _, line := range v.Notes() {
			fmt.Fprintf(out, "    %s\n", line)
		}
	}
	return nil
}

func (r registered) Views() ([]*view.View, error) {
	d, err := r.pipeline.Defaults()
	if err != nil {
		return nil, err
	}
	return leaderboard.Views(d)
}

func (r registered) Rebuild(_ context.Context, p operate.Part, name string) (operate.Rebuild, error) {
	d, s, err := r.settle(p)
	if err != nil {
		return operate.Rebuild{}, err
	}
	v, err := leaderboard.View(d, name)
	return operate.Rebuild{View: v, Ledger: s.LedgerTable, Horizon: s.Horizon}, err
}

// settle returns the declarations and the settings of a part.
func (r registered) settle(p operate.Part) (declaration.Declarations, leaderboard.Settings, error) {
	s := leaderboard.DefaultSettings()
	if err := p.Read(&s); err != nil {
		return declaration.Declarations{}, s, err
	}
	d, err := p.Settle(r.pipeline, leaderboard.ViewsFile)
	if err != nil {
		return d, s, err
	}
	return d, s, s.Validate()
}
