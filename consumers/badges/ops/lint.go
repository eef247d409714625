package ops

import (
	"context"
	"fmt"
	"io"

	"sluice/consumers/badges"
	"sluice/shared/operate"
	"sluice/shared/view"
)

var (
	_ operate.Linter    = registered{}
	_ operate.Rebuilder = registered{}
	_ operate.Commander = registered{}
)

func (registered) Declares() []operate.Declares {
	return []operate.Declares{
		{What: "the rules of badges", Keys: []string{"plays", "badges"}, Path: badges.RulesPath},
		{What: "cases for sluice badges test", Keys: []string{"cases"}, Instead: "sluice badges test FILE runs them"},
	}
}

func (registered) Lint(out io.Writer, file *operate.File) error {
	settings := badges.DefaultSettings()
	book, err := settings.Rules()
	if file != nil {
		book, err = settings.ReadRules(file.Name, file.Text)
	}
	if err != nil {
		return fmt.Errorf("the badges can't be awarded:\n%w", err)
	}
	for _, r := range book.Rules {
		fmt.Fprintf(out, "%s: %s\n", r.Name, r)
	}
	for _, v := range book.Views {
		fmt.Fprintf(out, "%s: %s → %s\n", v.Name, v.Source, v.Table)
	}
	return nil
}

func (registered) Views() ([]*view.View, error) {
	book, err := badges.DefaultSettings().Rules()
	if err != nil {
		return nil, err
	}
	return book.Views, nil
}

func (registered) Rebuild(ctx context.Context, p operate.Part, name string) (operate.Rebuild, error) {
	a, s, err := Open(p, 1)
	if err != nil {
		return operate.Rebuild{}, err
	}
	v, err := a.Rebuildable(ctx, name)
	return operate.Rebuild{View: v, Ledger: s.LedgerTable, Horizon: s.Horizon, After: "What its sums earn now, sluice verify badges --repair awards."}, err
}
