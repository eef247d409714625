package badges

import (
	"context"

	"sluice/consumers/badges/rule"
	"sluice/shared/consumer"
	"sluice/shared/probe"
)

var _ consumer.Prober = (*Badges)(nil)

// Probe implements consumer.Prober. A topic can't be probed: SNS has no call that needs the
// right to publish, and the topic's key, and publishes nothing. A message that SNS must refuse
// would show too little: SNS documents neither that it checks the right before the content, nor
// that it needs the key for a message that it refuses. A notice that fails alone waits, as it
// does while the topic is down.
// https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html
func (b *Badges) Probe(ctx context.Context, destination string) error {
	awards := probe.Table{Client: b.table.Client, Name: b.table.Name, Key: probe.Key(attrPlayer, attrAward)}
	state := probe.Table{Client: b.table.Client, Name: b.table.State, Key: probe.Key(rule.AttrPlayer, rule.AttrOf)}
	switch destination {
	case b.table.puts():
		return awards.PutItem(ctx)
	case b.table.updates():
		return awards.UpdateItem(ctx)
	case b.table.reads():
		return awards.Query(ctx, attrPlayer)
	case b.table.stateReads():
		return state.Query(ctx, rule.AttrPlayer)
	case b.table.stateGets():
		return state.GetItem(ctx)
	case b.topic.destination():
		return consumer.ErrNoProbe
	}
	return b.keeper.Probe(ctx, destination)
}
