package ops

import (
	"context"
	"fmt"
	"io"

	"sluice/consumers/badges"
	"sluice/consumers/badges/rule"
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
		{What: "the rules of badges", Keys: []string{"plays", "badges"}, Path: badges.RulesFile},
		{What: "cases for sluice badges test", Keys: []string{"cases"}, Instead: "sluice badges test FILE runs them"},
	}
}

func (r registered) Lint(out io.Writer, file *operate.File) error {
	book, err := r.book(file)
	if err != nil {
		return fmt.Errorf("the badges can't be awarded:\n%w", err)
	}
	for _, one := range book.Rules {
		fmt.Fprintf(out, "%s: %s\n", one.Name, one)
	}
	for _, v := range book.Views {
		fmt.Fprintf(out, "%s: %s → %s\n", v.Name, v.Source, v.Table)
	}
	return nil
}

func (r registered) Views() ([]*view.View, error) {
	book, err := r.book(nil)
	if err != nil {
		return nil, err
	}
	return book.Views, nil
}

// book returns the declared rules, or those of a file, with the settings' defaults.
func (r registered) book(file *operate.File) (*rule.Book, error) {
	d, err := r.pipeline.Defaults()
	if err != nil {
		return nil, err
	}
	if file != nil {
		d = d.With(badges.RulesFile, file.Name, file.Text)
	}
	return badges.DefaultSettings().Rules(d)
}

func (r registered) Rebuild(ctx context.Context, p operate.Part, name string) (operate.Rebuild, error) {
	a, s, err := Open(p, r.pipeline, 1)
	if err != nil {
		return operate.Rebuild{}, err
	}
	v, err := a.Rebuildable(ctx, name)
	return operate.Rebuild{View: v, Ledger: s.LedgerTable, Horizon: s.Horizon, After: "What its sums earn now, sluice verify badges --repair awards."}, err
}
