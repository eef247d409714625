package keeper

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"sluice/shared/aggregate"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/view"
)

// DefaultConcurrency is how many items of views a batch updates at once.
const DefaultConcurrency = 16

// Keeper keeps views up to date. It is a consumer.Consumer and safe for
// concurrent use.
type Keeper struct {
	// Now may be set before the first batch; New sets time.Now.
	Now func() time.Time
	// Concurrency is how many items of views a batch updates at once. It may be set
	// before the first batch; New sets DefaultConcurrency.
	Concurrency int

	views    []*view.View
	viewed   map[string]bool // the tables that the views are of
	horizon  time.Duration
	tables   map[string]*aggregate.Table // by name
	rebuilds *rebuilds
}

var _ consumer.Consumer = (*Keeper)(nil)

// New returns a Keeper of the views of one view.Parse, so that no two write the
// same item. It makes no call. ledger and horizon are as in aggregate.Table; views
// of another file need another ledger, where a view's rebuilds go by its name.
func New(client *dynamodb.Client, views []*view.View, ledger string, horizon time.Duration) *Keeper {
	k := &Keeper{Now: time.Now, Concurrency: DefaultConcurrency, views: views, viewed: map[string]bool{}, horizon: horizon, tables: map[string]*aggregate.Table{}}
	now := func() time.Time { return k.Now() }
	k.rebuilds = newRebuilds(client, ledger, now)
	for _, v := range views {
		k.viewed[v.Source] = true
		k.tables[v.Table] = &aggregate.Table{Client: client, Name: v.Table, Ledger: ledger, Horizon: horizon, Now: now}
	}
	return k
}

// ApplyBatch is Update for whoever doesn't look at the items.
func (k *Keeper) ApplyBatch(ctx context.Context, batch []*change.Change) []error {
	errs, _ := k.Update(ctx, batch)
	return errs
}

// Update brings the views up to date: one group of calls for each item of a
// view, the items side by side. It returns what became of each change, as
// ApplyBatch does, and the items that changes came to.
//
// A change may have several parts, in several views, or in two items of one that
// it moves something between. Each is applied for itself; what becomes of the
// change, consumer.Combine tells.
func (k *Keeper) Update(ctx context.Context, batch []*change.Change) (errs []error, touched []Touched) {
	errs = make([]error, len(batch))
	var pending []int // indexes
	for i, c := range batch {
		if errs[i] = consumer.Skip; k.viewed[c.Table] {
			pending = append(pending, i)
		}
	}
	if len(pending) == 0 {
		return errs, nil // nothing that a rebuild could be about, so nobody waits for the look
	}
	rebuilds, err := k.rebuilds.known(ctx)
	for tries := 0; len(pending) > 0; tries++ {
		if err != nil {
			for _, i := range pending {
				errs[i] = err
			}
			break
		}
		var again []int // a view has been rebuilt further than we knew
		outcomes, items := k.apply(ctx, batch, pending, rebuilds)
		touched = append(touched, items...)
		for n, err := range outcomes {
			i := pending[n]
			if errs[i] = err; errors.Is(err, aggregate.ErrGeneration) && tries < maxTries {
				again = append(again, i)
			}
		}
		if pending = again; len(pending) > 0 {
			rebuilds, err = k.rebuilds.newer(ctx)
		}
	}
	return errs, touched
}

// maxTries is how often a batch meets a newer rebuild, which cannot go on for long.
const maxTries = 10

// apply applies those changes of the batch that indexes names, in this order.
func (k *Keeper) apply(ctx context.Context, batch []*change.Change, indexes []int, rebuilds map[string]*aggregate.Rebuilds) (errs []error, touched []Touched) {
	outcomes := make([][]error, len(indexes)) // of each change's parts
	var jobs []*job
	for _, v := range k.views {
		groups, where := k.groups(v, rebuilds[v.Name]), inView(v)
		for n, i := range indexes {
			parts, err := v.Contributions(batch[i], k.horizon)
			if err != nil {
				outcomes[n] = append(outcomes[n], consumer.In(where, err))
			}
			for _, part := range parts {
				groups.add(n, part)
			}
			if consumer.OutcomeOf(err) != consumer.Skip {
				groups.stand(n, batch[i], parts)
			}
		}
		jobs = append(jobs, groups.jobs...)
	}
	k.do(ctx, jobs)
	for _, j := range jobs {
		where := inView(j.view)
		for at, err := range j.errs {
			n := j.changes[at]
			outcomes[n] = append(outcomes[n], aggregate.At(j.view.Table, consumer.In(where, err)))
			if outcome := consumer.OutcomeOf(err); outcome == consumer.Applied || outcome == consumer.Duplicate {
				j.touched.Changes = append(j.touched.Changes, indexes[n])
			}
		}
		if j.touched.Key != nil && len(j.touched.Changes) > 0 {
			touched = append(touched, j.touched)
		}
	}
	return consumer.CombineAll(outcomes), touched
}

// do does the jobs, several at once. The time may end after a few calls, and the
// checkpoint moves only past changes that are done whole. So the jobs of the first change
// begin before all others, and no job goes on with its later changes before every job
// has done its first.
func (k *Keeper) do(ctx context.Context, jobs []*job) {
	slices.SortStableFunc(jobs, func(a, b *job) int { return cmp.Compare(a.changes[0], b.changes[0]) })
	for _, turn := range []func(*job){
		func(j *job) { j.first(ctx) },
		func(j *job) { j.errs = j.rest(ctx) },
	} {
		consumer.SideBySide(k.Concurrency, jobs, turn) // errors are in the jobs
	}
}

// job is what a batch does to one item of a view.
type job struct {
	view    *view.View
	changes []int                         // that it is of, one for each of errs
	first   func(context.Context)         // does the first change
	rest    func(context.Context) []error // does the others
	errs    []error
	touched Touched // without a Key if nothing is added to the item

	amounts   []aggregate.Amount   // to add, one for each of changes; or
	standings []aggregate.Standing // of items of the source, for a rebuild
}

// groups are the jobs of one view.
type groups struct {
	*Keeper
	view      *view.View
	rebuilds  *aggregate.Rebuilds
	jobs      []*job
	additions map[string]*job // by the ledger's name of the item
	standings map[string]*job
}

func (k *Keeper) groups(v *view.View, r *aggregate.Rebuilds) *groups {
	return &groups{Keeper: k, view: v, rebuilds: r, additions: map[string]*job{}, standings: map[string]*job{}}
}

func (g *groups) job(first func(context.Context), rest func(context.Context) []error) *job {
	j := &job{view: g.view, first: first, rest: rest}
	g.jobs = append(g.jobs, j)
	return j
}

// add adds a part of the n-th change to what is done to its item.
func (g *groups) add(n int, part view.Contribution) {
	a := g.additions[part.Target.Group]
	if a == nil {
		target := part.Target
		target.Rebuilds = g.rebuilds
		var adding *aggregate.Addition
		a = g.job(func(ctx context.Context) {
			adding = g.tables[g.view.Table].Begin(target, a.amounts)
			adding.First(ctx)
		}, func(ctx context.Context) []error {
			met, errs := adding.Rest(ctx)
			if len(g.standings) == 0 { // else these may change it meanwhile
				a.touched.item, a.touched.Added = met.Item, met.Added
			}
			return errs
		})
		g.additions[part.Target.Group] = a
		a.touched = Touched{View: g.view, Key: target.Key, table: g.tables[g.view.Table]}
	}
	a.amounts = append(a.amounts, part.Amount)
	a.changes = append(a.changes, n)
}

// stand adds what the n-th change leaves of its item, if it falls into the window
// of a rebuild. An image that the view can't use counts for nothing.
func (g *groups) stand(n int, c *change.Change, parts []view.Contribution) {
	w, within := g.rebuilds.Window(c.Version)
	if !within {
		return
	}
	left, err := g.view.Standing(c, g.horizon)
	if err != nil {
		left.Target = aggregate.Target{}
	}
	name := left.Target.Group
	if name == "" && len(parts) > 0 {
		name = parts[0].Target.Group
	}
	name = fmt.Sprint(w.Generation, " ", name)
	s := g.standings[name]
	if s == nil {
		var errs []error
		s = g.job(func(ctx context.Context) {
			errs = g.tables[g.view.Table].Stand(ctx, g.view.Name, g.rebuilds, w, s.standings)
		}, func(context.Context) []error { return errs })
		g.standings[name] = s
	}
	s.standings = append(s.standings, left)
	s.changes = append(s.changes, n)
}

// inView says where an error arose, for consumer.In.
func inView(v *view.View) string { return "view " + v.Name }
