package badges

import (
	"context"

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
	awards := probe.Table{Client: b.table.Client, Name: b.table.Name, Key: probe.Key(attrPlayer, attrAward)}
	state := probe.Table{Client: b.table.Client, Name: b.table.State, Key: probe.Key(rule.AttrPlayer, rule.AttrOf)}
	switch destination {
	case b.table.puts():
		return awards.PutItem
	case b.table.updates():
		return awards.UpdateItem
	case b.table.reads():
		return func(ctx context.Context) error { return awards.Query(ctx, attrPlayer) }
	case b.table.stateReads():
		return func(ctx context.Context) error { return state.Query(ctx, rule.AttrPlayer) }
	case b.table.stateGets():
		return state.GetItem
	}
	return b.keeper.Probe(destination)
}
