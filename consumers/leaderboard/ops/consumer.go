package ops

import (
	"context"
	"fmt"
	"io"

	"sluice/consumers/leaderboard"
	"sluice/shared/operate"
	"sluice/shared/view"
)

// Consumer returns the leaderboard as the command line knows it.
func Consumer() operate.Consumer { return registered{} }

type registered struct{}

var (
	_ operate.Linter    = registered{}
	_ operate.Rebuilder = registered{}
	_ operate.Commander = registered{}
)

func (registered) Name() string { return "leaderboard" }

func (registered) Declares() []operate.Declares {
	return []operate.Declares{{What: "views", Keys: []string{"views"}, Path: leaderboard.ViewsPath}}
}

func (registered) Lint(out io.Writer, file *operate.File) error {
	settings := leaderboard.DefaultSettings()
	views, err := settings.Views()
	if file != nil {
		views, err = settings.ReadViews(file.Name, file.Text)
	}
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

func (registered) Views() ([]*view.View, error) { return leaderboard.DefaultSettings().Views() }

func (registered) Rebuild(_ context.Context, p operate.Part, name string) (operate.Rebuild, error) {
	s, err := ReadSettings(p)
	if err != nil {
		return operate.Rebuild{}, err
	}
	v, err := s.View(name)
	return operate.Rebuild{View: v, Ledger: s.LedgerTable, Horizon: s.Horizon}, err
}

// ReadSettings makes settings of the outputs of the leaderboard's template.
func ReadSettings(p operate.Part) (leaderboard.Settings, error) {
	s := leaderboard.DefaultSettings()
	if err := p.Read(&s); err != nil {
		return s, err
	}
	return s, s.Validate()
}
