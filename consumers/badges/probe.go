package badges

import (
	"context"

	"sluice/consumers/badges/internal/awards"
	"sluice/consumers/badges/rule"
	"sluice/shared/consumer"
	"sluice/shared/probe"
)

var _ consumer.Prober = (*Badges)(nil)

// Probe implements consumer.Prober. It has no probe of the topic: SNS has no call that needs the
// right to publish, and the topic's key, and publishes nothing. A message that SNS must refuse
// would show too little: SNS documents neither that it checks the right before the content, nor
// that it needs the key for a message that it refuses. So instances note for each other that
// the topic takes notices (consumer.Notes).
// https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html
func (b *Badges) Probe(destination string) func(context.Context) error {
	store := b.giver.Store
	achievements := probe.Table{Client: store.Client, Name: store.Achievements, Key: probe.Key(awards.AttrPlayer, awards.AttrAward)}
	state := probe.Table{Client: store.Client, Name: store.States, Key: probe.Key(rule.AttrPlayer, rule.AttrOf)}
	switch destination {
	case store.Puts():
		return achievements.PutItem
	case store.Updates():
		return achievements.UpdateItem
	case store.Reads():
		return func(ctx context.Context) error { return achievements.Query(ctx, awards.AttrPlayer) }
	case store.StateReads():
		return func(ctx context.Context) error { return state.Query(ctx, rule.AttrPlayer) }
	case store.StateGets():
		return state.GetItem
	}
	return b.keeper.Probe(destination)
}
