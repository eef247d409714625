package badges

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"golang.org/x/sync/errgroup"

	"sluice/consumers/badges/rule"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/keeper"
)

// concurrency is for how many players a batch awards badges at once.
const concurrency = 16

// Badges awards badges. It is a consumer.Consumer and safe for concurrent use.
type Badges struct {
	// Now may be set before the first batch; New sets time.Now.
	Now func() time.Time

	book   *rule.Book
	keeper *keeper.Keeper
	table  *Table
	topic  *Topic
	notice noticeMaker
	memory *memory

	mu     sync.Mutex // guards counts
	counts map[string]int
}

var _ consumer.Measurer = (*Badges)(nil)

// New returns the consumer, which follows the shipped rules. It makes no call. The
// error names every setting that is wrong.
func New(client *dynamodb.Client, topic *sns.Client, s Settings) (*Badges, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	book, err := s.Rules()
	if err != nil {
		return nil, err
	}
	return NewOf(client, topic, s, book), nil
}

// NewOf is New with rules of another file.
func NewOf(client *dynamodb.Client, topic *sns.Client, s Settings, book *rule.Book) *Badges {
	b := &Badges{
		Now: time.Now, book: book, counts: map[string]int{},
		keeper: keeper.New(client, book.Views, s.LedgerTable, s.Horizon),
		table:  &Table{Client: client, Name: s.AchievementTable, State: s.StateTable},
		topic:  &Topic{SNS: topic, ARN: s.TopicARN},
		notice: noticeMaker{s.Language},
		memory: newMemory(book),
	}
	b.keeper.Now = func() time.Time { return b.Now() }
	return b
}

// ApplyBatch brings the players' states up to date, awards what they earn, and tells
// it. A change whose award can't be stored or told comes again.
//
// Each of these three steps goes through the batch from its start on, and leaves half of the
// time that is left to the steps behind it. So a batch that doesn't fit its time moves on with
// each delivery: what was done earlier costs time again, and must not take all of it.
func (b *Badges) ApplyBatch(ctx context.Context, batch []*change.Change) []error {
	outcomes := make([][]error, len(batch))
	errs, touched := b.update(ctx, batch)
	for i, err := range errs {
		outcomes[i] = append(outcomes[i], err)
	}
	players := b.players(batch, touched, outcomes)
	b.award(ctx, players)
	b.tell(ctx, players)
	for _, p := range players {
		p.spread(outcomes)
	}
	for i, parts := range outcomes {
		errs[i] = consumer.Combine(parts)
	}
	return errs
}

// update brings the players' states up to date, in half of the time.
func (b *Badges) update(ctx context.Context, batch []*change.Change) ([]error, []keeper.Touched) {
	ctx, cancel := consumer.HalfOf(ctx)
	defer cancel()
	return b.keeper.Update(ctx, batch)
}

// award stores what the players earn, in half of the time.
func (b *Badges) award(ctx context.Context, players []*player) {
	ctx, cancel := consumer.HalfOf(ctx)
	defer cancel()
	var group errgroup.Group
	group.SetLimit(concurrency)
	for _, p := range players {
		group.Go(func() error {
			if err := p.award(ctx); err != nil {
				p.ended(nil, err)
			}
			return nil
		})
	}
	_ = group.Wait() // errors are the players'
}

// player is what a batch does for one of them.
type player struct {
	*Badges
	name    string
	batch   []*change.Change
	touched []keeper.Touched
	items   []itemAward      // what rules of kind item award
	changes map[int]bool     // indexes of those that it is all about
	causes  map[string][]int // indexes of the changes that earn an award, by its key
	stored  []*Achievement   // what the player is known to have
	whole   bool             // read keeps all that the player has
	wrote   bool             // whether anything of it is new since it was read
	known   map[string]bool  // keys of what is stored
	untold  []*Achievement
	waiting map[string]bool // keys of what is untold
	parts   []part
	faults  map[string]error // why an award couldn't be stored or told, by its key
	reached map[string]bool  // destinations that took what they were asked
}

// part is what became of something that was done for a player.
type part struct {
	changes []int // indexes of those that it was for; nil: all of the player's
	err     error
}

func (b *Badges) newPlayer(name string, batch []*change.Change) *player {
	return &player{Badges: b, name: name, batch: batch, changes: map[int]bool{}, causes: map[string][]int{}, known: map[string]bool{}, waiting: map[string]bool{}, faults: map[string]error{}, reached: map[string]bool{}}
}

// at names the destination of a call, and notes that the destination works if the call succeeded.
func (p *player) at(destination string, err error) error {
	if err == nil {
		p.reached[destination] = true
		return nil
	}
	return consumer.At(destination, err)
}

// ended notes an error of what was done for changes of the player; nil stands for all of
// the player's changes.
func (p *player) ended(changes []int, err error) {
	p.parts = append(p.parts, part{changes, consumer.In("badges of "+p.name, err)})
}

// spread adds to the outcomes of the batch's changes what became of the player's parts. A
// destination that was reached counts as a duplicate: it leaves each change's outcome as it
// is, and shows that the destination works.
func (p *player) spread(outcomes [][]error) {
	for destination := range p.reached {
		p.parts = append(p.parts, part{nil, consumer.At(destination, consumer.Duplicate)})
	}
	all := slices.Collect(maps.Keys(p.changes))
	for _, part := range p.parts {
		changes := part.changes
		if changes == nil {
			changes = all
		}
		for _, i := range changes {
			outcomes[i] = append(outcomes[i], part.err)
		}
	}
	for _, item := range p.items {
		outcomes[item.index] = append(outcomes[item.index], item.outcome)
	}
}

// itemAward is one that an item earns by being there.
type itemAward struct {
	rule    *rule.Rule
	award   rule.Award
	index   int   // of the change in the batch
	outcome error // Duplicate if the player has it already
}

// players sorts what a batch has touched by player, in the order of their first changes: a
// batch may not fit its time, and its first change has to be done first.
func (b *Badges) players(batch []*change.Change, touched []keeper.Touched, outcomes [][]error) []*player {
	var players []*player
	byName := map[string]*player{}
	of := func(name string) *player {
		p := byName[name]
		if p == nil {
			p = b.newPlayer(name, batch)
			byName[name] = p
			players = append(players, p)
		}
		return p
	}
	for _, t := range touched {
		name, _ := t.Key[rule.AttrPlayer].(*types.AttributeValueMemberS)
		p := of(name.Value)
		p.touched = append(p.touched, t)
		for _, i := range t.Changes {
			p.changes[i] = true
		}
	}
	for i, c := range batch {
		for _, r := range b.book.Rules {
			name, award, err := r.OfItemChange(c)
			switch {
			case err != nil:
				outcomes[i] = append(outcomes[i], consumer.In("badge "+r.Name, consumer.Reject(err)))
			case name != "":
				p := of(name)
				p.causes[award.Key()] = append(p.causes[award.Key()], i)
				p.items = append(p.items, itemAward{rule: r, award: award, index: i})
				p.changes[i] = true
			}
		}
	}
	slices.SortStableFunc(players, func(p, q *player) int { return cmp.Compare(p.first(), q.first()) })
	return players
}

// first is the index of the player's first change.
func (p *player) first() int { return slices.Min(slices.Collect(maps.Keys(p.changes))) }

// tell tells what players haven't been told, and marks it as told.
func (b *Badges) tell(ctx context.Context, players []*player) {
	var owners []*player
	var untold []*Achievement
	var notices []Notice
	for _, p := range players {
		for _, a := range p.untold {
			owners, untold, notices = append(owners, p), append(untold, a), append(notices, a.notice())
		}
	}
	if len(notices) == 0 {
		return
	}
	errs := b.topic.Publish(ctx, notices)
	var mu sync.Mutex // guards the players
	var group errgroup.Group
	group.SetLimit(concurrency)
	for n, err := range errs {
		group.Go(func() error {
			var marked error
			if err == nil {
				marked = b.table.markTold(ctx, untold[n], b.Now())
				b.count("Told")
			}
			mu.Lock()
			defer mu.Unlock()
			owners[n].toldOf(untold[n], err, marked)
			return nil
		})
	}
	_ = group.Wait() // errors are the players'
}

// toldOf notes what became of an award's notice, and of the mark that it was told.
func (p *player) toldOf(a *Achievement, err, marked error) {
	key := a.Award.Key()
	changes := p.causes[key]
	if err = p.at(p.topic.destination(), err); err != nil {
		err = fmt.Errorf("tell %s: %w", key, err)
	} else {
		err = p.at(p.table.updates(), marked)
	}
	if err == nil {
		return
	}
	p.faults[key] = err
	// A notice from before, which none of these changes has earned, can be refused for good:
	// the change that earned it is a dead letter since then, and these aren't to blame.
	if changes != nil || consumer.OutcomeOf(err) == consumer.Retry {
		p.ended(changes, err)
	}
}

func (b *Badges) count(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.counts[name]++
}

// Metrics counts Awarded, Told, Revoked and Restored badges. It implements
// consumer.Measurer.
func (b *Badges) Metrics() map[string]int {
	b.mu.Lock()
	defer b.mu.Unlock()
	counts := map[string]int{"Awarded": 0, "Told": 0, "Revoked": 0, "Restored": 0}
	for name, n := range b.counts {
		counts[name] = n
	}
	clear(b.counts)
	return counts
}
