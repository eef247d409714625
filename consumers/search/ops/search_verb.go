package ops

import (
	"context"
	"fmt"

	"sluice/cli/verb"
	"sluice/consumers/search"
	"sluice/consumers/search/query"
	"sluice/shared/declaration"
	"sluice/shared/operate"
)

// NewSearcher searches the indexes of a part of a pipeline.
func NewSearcher(p operate.Part, pipeline declaration.Pipeline) (*query.Searcher, error) {
	s, err := ReadSettings(p)
	if err != nil {
		return nil, err
	}
	d, err := p.Settle(pipeline, search.RoutesFile)
	if err != nil {
		return nil, err
	}
	routes, err := search.Routes(d)
	if err != nil {
		return nil, err
	}
	return query.New(p.Tables, s, routes)
}

type searchCommand struct {
	verb.PipelineFlags
	Index  string   `arg:"" help:"The index; \"sluice lint\" lists them."`
	Query  string   `arg:"" optional:"" help:"What to look for: words, \"a phrase\", field:value, field:>10, field:1..5, field:*, begin*, -not, one OR other. Without it, everything. See consumers/search/README.md."`
	Sort   string   `help:"Fields to sort by, with - for the greatest first; without it, the best match first." placeholder:"-FIELD,FIELD"`
	Size   int      `default:"10" help:"How many hits a page has, at most 100."`
	After  string   `help:"Show the page after the one that ended with this token." placeholder:"TOKEN"`
	Facet  []string `help:"Count the values of these fields." placeholder:"FIELD"`
	Filter []string `sep:"none" help:"Only what has exactly this value; may be given again." placeholder:"FIELD=VALUE"`
	Whole  bool     `help:"Show every attribute of an item; without it, those that the index maps."`
	JSON   bool     `help:"Print the answer as JSON."`
}

func (c *searchCommand) request() (query.Request, error) {
	r := query.Request{
		Index: c.Index, Text: c.Query, Sort: query.ParseSort(c.Sort), Size: c.Size, After: c.After,
		Facets: c.Facet, Highlight: true, Whole: c.Whole,
	}
	if c.Size < 1 || c.Size > query.MaxSize {
		return r, fmt.Errorf("--size must be from 1 to %d (got %d)", query.MaxSize, c.Size)
	}
	for _, text := range c.Filter {
		filter, err := query.ParseFilter(text)
		if err != nil {
			return r, err
		}
		r.Filters = append(r.Filters, filter)
	}
	return r, nil
}

func (c *searchCommand) Run(ctx context.Context, pipeline declaration.Pipeline) error {
	r, err := c.request()
	if err != nil {
		return err
	}
	part, err := c.Part(ctx, "search")
	if err != nil {
		return err
	}
	searcher, err := NewSearcher(part, pipeline)
	if err != nil {
		return err
	}
	answer, err := searcher.Search(ctx, r)
	if err != nil {
		return pointed(err, c.Query)
	}
	if c.JSON {
		return verb.PrintJSON(answer)
	}
	return printAnswer(verb.Stdout, r, answer)
}
