package badges

import (
	"context"
	"fmt"
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
		memory: newMemory(),
	}
	b.keeper.Now = func() time.Time { return b.Now() }
	return b
}

// ApplyBatch brings the players' states up to date, awards what they earn, and tells
// it. A change whose award can't be stored or told comes again.
func (b *Badges) ApplyBatch(ctx context.Context, batch []*change.Change) []error {
	outcomes := make([][]error, len(batch))
	errs, touched := b.keeper.Update(ctx, batch)
	for i, err := range errs {
		outcomes[i] = append(outcomes[i], err)
	}
	players := b.players(batch, touched, outcomes)

	var group errgroup.Group
	group.SetLimit(concurrency)
	for _, p := range players {
		group.Go(func() error {
			p.err = p.award(ctx)
			return nil
		})
	}
	_ = group.Wait() // errors are the players'
	b.tell(ctx, players)
	for _, p := range players {
		for i := range p.changes {
			outcomes[i] = append(outcomes[i], p.outcomes()...)
		}
		for _, item := range p.items {
			outcomes[item.index] = append(outcomes[item.index], item.outcome)
		}
	}
	for i, parts := range outcomes {
		errs[i] = consumer.Combine(parts)
	}
	return errs
}

// player is what a batch does for one of them.
type player struct {
	*Badges
	name    string
	batch   []*change.Change
	touched []keeper.Touched
	items   []itemAward    // what rules of kind item award
	changes map[int]bool   // indexes of those that it is all about
	stored  []*Achievement // what the player is known to have
	wrote   bool           // whether anything of it is new since it was read
	untold  []*Achievement
	err     error // why not all is stored
	topic   error // why not all is told
	told    bool  // whether something was
}

// outcomes are what the player's part is for each of the changes.
func (p *player) outcomes() []error {
	var parts []error
	if p.err != nil {
		parts = append(parts, consumer.In("badges of "+p.name, consumer.At("table "+p.table.Name, p.err)))
	}
	switch {
	case p.topic != nil:
		parts = append(parts, consumer.In("badges of "+p.name, consumer.At("topic "+p.Badges.topic.ARN, p.topic)))
	case p.told:
		parts = append(parts, consumer.At("topic "+p.Badges.topic.ARN, consumer.Duplicate))
	}
	return parts
}

// itemAward is one that an item earns by being there.
type itemAward struct {
	rule    *rule.Rule
	award   rule.Award
	index   int   // of the change in the batch
	outcome error // Duplicate if the player has it already
}

// players sorts what a batch has touched by player, in the order in which the batch
// names them.
func (b *Badges) players(batch []*change.Change, touched []keeper.Touched, outcomes [][]error) []*player {
	var players []*player
	byName := map[string]*player{}
	of := func(name string) *player {
		p := byName[name]
		if p == nil {
			p = &player{Badges: b, name: name, batch: batch, changes: map[int]bool{}}
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
				p.items = append(p.items, itemAward{rule: r, award: award, index: i})
				p.changes[i] = true
			}
		}
	}
	return players
}

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
			p := owners[n]
			if err != nil && (p.topic == nil || consumer.OutcomeOf(err) == consumer.Retry) {
				p.topic = fmt.Errorf("tell %s: %w", untold[n].Award.Key(), err)
			}
			p.told = p.told || err == nil
			if marked != nil {
				p.err = marked
			}
			return nil
		})
	}
	_ = group.Wait() // errors are the players'
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
