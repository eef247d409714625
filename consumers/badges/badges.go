package badges

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"sluice/consumers/badges/internal/awards"
	"sluice/consumers/badges/internal/notify"
	"sluice/consumers/badges/rule"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/declaration"
	"sluice/shared/keeper"
)

// Badges awards badges. It is a consumer.Consumer and safe for concurrent use.
type Badges struct {
	// Now may be set before the first batch; New sets time.Now.
	Now func() time.Time

	book   *rule.Book
	keeper *keeper.Keeper
	giver  *awards.Giver
	memory *memory
}

// Message is the body of a notice, as the topic's subscribers get it.
type Message = awards.Message

var _ consumer.Measurer = (*Badges)(nil)

// Main is the main function of a pipeline's badges, see [consumer.MainOf].
func Main(p declaration.Pipeline) {
	consumer.MainOf("badges", p, DefaultSettings(), func(cfg aws.Config, d declaration.Declarations, s Settings) (consumer.Consumer, error) {
		return New(dynamodb.NewFromConfig(cfg), sns.NewFromConfig(cfg), d, s)
	})
}

// New returns the consumer, which follows the declared rules. It makes no call. The error names every setting that is wrong, or every
// fault of the declarations.
func New(client *dynamodb.Client, topic *sns.Client, d declaration.Declarations, s Settings) (*Badges, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	book, err := s.Rules(d)
	if err != nil {
		return nil, err
	}
	return NewOf(client, topic, s, book), nil
}

// NewOf is New with rules that were read already.
func NewOf(client *dynamodb.Client, topic *sns.Client, s Settings, book *rule.Book) *Badges {
	b := &Badges{
		Now: time.Now, book: book, keeper: keeper.New(client, book.Views, s.LedgerTable, s.Horizon), giver: NewGiver(client, topic, s, book), memory: newMemory(book),
	}
	b.keeper.Now = func() time.Time { return b.Now() }
	b.giver.Now, b.giver.Stored = b.keeper.Now, b.memory.remember
	return b
}

// NewGiver returns what gives players the awards of the rules, by the settings. It makes no call.
func NewGiver(client *dynamodb.Client, topic *sns.Client, s Settings, book *rule.Book) *awards.Giver {
	return &awards.Giver{
		Book: book, Store: &awards.Store{Client: client, Achievements: s.AchievementTable, States: s.StateTable},
		Topic: &notify.Topic{SNS: topic, ARN: s.TopicARN}, Language: s.Language, Now: time.Now,
		Counts: consumer.NewCounters("Awarded", "Told", "Revoked", "Restored"),
	}
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
	all := make([]*awards.Player, len(players))
	for i, p := range players {
		all[i] = p.awards
	}
	b.giver.Tell(ctx, all...)
	for _, p := range players {
		p.spread(outcomes)
	}
	return consumer.CombineAll(outcomes)
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
	consumer.SideBySide(awards.Concurrency, players, func(p *player) {
		if err := b.awardPlayer(ctx, p); err != nil {
			p.awards.Fail(nil, err)
		}
	})
}

// Metrics counts Awarded, Told, Revoked and Restored badges. It implements
// consumer.Measurer.
func (b *Badges) Metrics() map[string]int { return b.giver.Counts.Take() }
