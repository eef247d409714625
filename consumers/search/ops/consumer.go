package ops

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"sluice/cli/verb"
	"sluice/consumers/search"
	"sluice/shared/declaration"
	"sluice/shared/operate"
)

// Consumer returns search as the command line knows it.
func Consumer(p declaration.Pipeline) operate.Consumer { return registered{p} }

type registered struct{ pipeline declaration.Pipeline }

var (
	_ operate.Linter     = registered{}
	_ operate.Commander  = registered{}
	_ operate.Verifier   = registered{}
	_ operate.Backfiller = registered{}
)

func (registered) Name() string { return "search" }

func (registered) Verbs() any {
	return &struct {
		Search  searchCommand  `cmd:"" help:"Search an index, with words, fields and ranges."`
		Reindex reindexCommand `cmd:"" help:"Rebuild an index with another definition, while changes and searches continue."`
	}{}
}

func (r registered) Verify() operate.Verification { return &verification{r.pipeline} }

func (r registered) Backfill() operate.Backfilling { return &backfilling{r.pipeline} }

type verification struct{ pipeline declaration.Pipeline }

var _ operate.Repairing = (*verification)(nil)

func (*verification) RepairHelp() string {
	return "writes each document that differs as the table has its item"
}

func (v *verification) Open(_ context.Context, p operate.Part, o operate.Options) (comparisons []operate.Comparison, err error) {
	all, err := openOperators(p, v.pipeline)
	for _, one := range all {
		comparisons = append(comparisons, one.Comparison(o.Segments))
	}
	return comparisons, err
}

type backfilling struct{ pipeline declaration.Pipeline }

func (b *backfilling) Open(_ context.Context, p operate.Part, o operate.Options) (backfills []operate.Backfill, err error) {
	all, err := openOperators(p, b.pipeline)
	for _, one := range all {
		backfills = append(backfills, one.Backfill(o.Segments))
	}
	return backfills, err
}

func (registered) Declares() []operate.Declares {
	return []operate.Declares{{What: "search routes", Keys: []string{"routes"}, Path: search.RoutesFile}}
}

// Lint implements operate.Linter. A file's definitions are those in the folder indexes beside it.
func (r registered) Lint(out io.Writer, file *operate.File) error {
	d, err := r.pipeline.Defaults()
	if err != nil {
		return err
	}
	if file != nil {
		d = d.With(search.RoutesFile, file.Name, file.Text)
		folder := filepath.Dir(file.Path)
		if _, missing := os.Stat(filepath.Join(folder, "indexes")); missing != nil {
			fmt.Fprintf(out, "There is no folder indexes beside %s: the definitions are those of %s.\n", file.Name, d.Folder)
		} else {
			d.Files, d.Folder = os.DirFS(folder), folder
		}
	}
	routes, err := search.Routes(d)
	for _, r := range routes {
		fmt.Fprintf(out, "%s: %s → index %s\n", r.Name, r.Source, r.Index)
		if where := r.Where(); where != "" {
			fmt.Fprintf(out, "    %s\n", where)
		}
	}
	if err != nil {
		return fmt.Errorf("the indexes can't be kept:\n%w", err)
	}
	return nil
}

// ReadSettings makes settings of the outputs of search's template. A user and a password come from the environment.
func ReadSettings(p operate.Part) (search.Settings, error) {
	s := search.DefaultSettings()
	if err := p.Read(&s); err != nil {
		return s, err
	}
	if u, err := url.Parse(s.Endpoint); err == nil && strings.Contains(u.Hostname(), ".aoss.") {
		s.Service = "aoss" // a serverless collection
	}
	s.User, s.Password = os.Getenv("SEARCH_USER"), os.Getenv("SEARCH_PASSWORD")
	return s, s.Validate()
}

// FindOperators returns an Operator for each route of the chosen pipeline.
func FindOperators(ctx context.Context, f verb.PipelineFlags, pipeline declaration.Pipeline) ([]*Operator, error) {
	p, err := f.Part(ctx, "search")
	if err != nil {
		return nil, err
	}
	return openOperators(p, pipeline)
}

func openOperators(p operate.Part, pipeline declaration.Pipeline) ([]*Operator, error) {
	s, err := ReadSettings(p)
	if err != nil {
		return nil, err
	}
	d, err := p.Settle(pipeline, search.RoutesFile)
	if err != nil {
		return nil, err
	}
	return Operators(p.Tables, d, s)
}
