// Package ops is what people run on replication: it compares tables with their copies, repairs copies, and fills them from tables
// that exist.
//
// # Guarantees
//
//   - A repair and a backfill write by the function's own rules: what the source holds counts as a change made operate.ReadMargin
//     before it was read. So any change that they didn't see wins, and nothing that was removed since comes back
//     (TestOperateCopy, TestBackfill, TestVerifyAndRepairShared).
//   - A backfill that stopped resumes where it was, if the segments are as many (TestOperateCopy).
//
// # Not guaranteed
//
//   - That a copy was right all the time since the last comparison.
//   - Of a copy whose route keeps expired items, that an item without a source had one.
package ops

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"sluice/consumers/replication"
	"sluice/consumers/replication/internal/oneway"
	"sluice/consumers/replication/internal/store"
	"sluice/shared/declaration"
	"sluice/shared/operate"
)

// Consumer returns replication for the command line.
func Consumer(p declaration.Pipeline) operate.Consumer { return registered{p} }

type registered struct{ pipeline declaration.Pipeline }

var (
	_ operate.Verifier   = registered{}
	_ operate.Backfiller = registered{}
)

func (registered) Name() string                    { return "replication" }
func (r registered) Verify() operate.Verification  { return &verification{r.pipeline} }
func (r registered) Backfill() operate.Backfilling { return &backfilling{pipeline: r.pipeline} }

type verification struct{ pipeline declaration.Pipeline }

var _ operate.Repairing = (*verification)(nil)

func (*verification) RepairHelp() string {
	return "writes each item that differs to the copy, and a shared table's to all its regions"
}

func (v *verification) Open(_ context.Context, p operate.Part, o operate.Options) ([]operate.Comparison, error) {
	all, err := open(p, v.pipeline, o)
	var comparisons []operate.Comparison
	for _, c := range all {
		comparisons = append(comparisons, c)
	}
	return comparisons, err
}

type backfilling struct {
	Capacity float64 `help:"How many write units a second it may take; without it, as many as it can." placeholder:"N"`

	pipeline declaration.Pipeline
}

func (b *backfilling) Validate() error {
	if b.Capacity < 0 {
		return fmt.Errorf("--capacity must not be negative (got %v)", b.Capacity)
	}
	return nil
}

func (b *backfilling) Open(_ context.Context, p operate.Part, o operate.Options) ([]operate.Backfill, error) {
	all, err := open(p, b.pipeline, o)
	var copies []operate.Backfill
	for _, c := range all {
		if !c.shared() {
			copies = append(copies, &backfill{pair: c, capacity: b.Capacity})
		}
	}
	if err == nil && len(copies) == 0 {
		err = errors.New("no table is copied one way; of a shared table, sluice verify replication --repair brings what is missing to the other regions")
	}
	return copies, err
}

// open makes the pairs of the declared copies and shared tables.
func open(p operate.Part, pipeline declaration.Pipeline, o operate.Options) ([]*pair, error) {
	cfg := replication.Tuned(p.Tables)
	d, err := p.Settle(pipeline, replication.ReplicasFile)
	if err != nil {
		return nil, err
	}
	routes, tables, err := replication.Declared(d, cfg.Region)
	if err != nil {
		return nil, err
	}
	var needed []string
	if len(tables) > 0 {
		needed = append(needed, "ConflictTable")
	}
	s := replication.DefaultSettings()
	if err := p.Read(&s, needed...); err != nil {
		return nil, err
	}
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if _, shares := p.Outputs["SharedRegions"]; shares != (len(tables) > 0) {
		return nil, fmt.Errorf("%s shares a table: %v, but %s/%s does: %v; deploy what is declared now, or change into the folder of what is deployed",
			p.Where, shares, d.Folder, replication.ReplicasFile, len(tables) > 0)
	}
	var pairs []*pair
	for _, route := range routes {
		pairs = append(pairs, newPair(cfg, s, route, o.Segments, time.Now))
	}
	return append(pairs, sharedPairs(cfg, s, tables, o.Segments, time.Now)...), nil
}

// pair is a route's source and its copy, or a shared table in two regions.
type pair struct {
	route    *replication.Route
	source   *operate.Source
	held     *operate.Source // the copy, or the other region's table, as it is read
	home     string          // the source's region
	copy     oneway.Copy
	segments int
	now      func() time.Time
	// Of a shared table, repairShared makes an item the same in all regions; nil: a copy.
	repairShared func(ctx context.Context, key store.Item) error

	items, holds int // as the first look counted them
}

func newPair(cfg aws.Config, s replication.Settings, route *replication.Route, segments int, now func() time.Time) *pair {
	c := oneway.Copy{Table: s.Destination(cfg, route, now)}
	return &pair{
		route: route, home: cfg.Region, copy: c, segments: segments, now: now,
		source: &operate.Source{Client: dynamodb.NewFromConfig(cfg), Table: route.Source, Now: now},
		held:   &operate.Source{Client: c.Client, Table: route.Table, Now: now},
	}
}

// sharedPairs returns, of each shared table, the home region's with each other one.
func sharedPairs(cfg aws.Config, s replication.Settings, tables []*replication.Shared, segments int, now func() time.Time) []*pair {
	var pairs []*pair
	for _, t := range tables {
		repair := &sharedRepair{Shared: t, peers: s.Peers(cfg, t, now), random: rand.Uint64}
		for _, region := range t.Regions {
			if region == cfg.Region {
				continue
			}
			route := &replication.Route{Name: t.Name, Source: t.Table, Table: t.Table, Region: region, RemoveExpired: true}
			p := newPair(cfg, s, route, segments, now)
			p.repairShared = repair.item
			pairs = append(pairs, p)
		}
	}
	return pairs
}

// shared reports whether the pair is a shared table in two regions.
func (p *pair) shared() bool { return p.repairShared != nil }

func (p *pair) Title() operate.Title {
	return operate.Title{
		Name:        p.route.Name,
		Source:      fmt.Sprintf("table %s in %s", p.route.Source, p.home),
		Destination: fmt.Sprintf("table %s in %s", p.route.Table, p.route.Region),
	}
}

// open describes both tables.
func (p *pair) open(ctx context.Context) error {
	if err := p.source.Open(ctx); err != nil {
		return err
	}
	return p.held.Open(ctx)
}
