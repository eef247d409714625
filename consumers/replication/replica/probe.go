package replica

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/shared/consumer"
	"sluice/shared/probe"
)

// Probe asks the table, or the region's tombstones, if destination names one of them,
// whether it takes what copies need. It changes nothing. It returns
// consumer.ErrNoProbe for another destination.
func (t *Table) Probe(ctx context.Context, destination string) error {
	switch destination {
	case t.where(t.Name):
		return t.probe(ctx, t.Name, probe.Table.PutItem, probe.Table.DeleteItem)
	case t.where(t.Tombstones):
		return t.probe(ctx, t.Tombstones, probe.Table.PutItem, probe.Table.GetItem)
	}
	return consumer.ErrNoProbe
}

// Probe is Table.Probe for the tables of all regions.
func (p *Peers) Probe(ctx context.Context, destination string) error {
	for _, t := range append([]*Table{p.Home}, p.Other...) {
		if destination == t.where(p.Conflicts) {
			return t.probe(ctx, p.Conflicts, probe.Table.PutItem)
		}
		if destination == t.where(t.Name) || destination == t.where(t.Tombstones) {
			return t.Probe(ctx, destination)
		}
	}
	return consumer.ErrNoProbe
}

// probe makes calls with a key of the table, whose attributes the table itself knows.
func (t *Table) probe(ctx context.Context, table string, calls ...func(probe.Table, context.Context) error) error {
	out, err := t.Client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &table})
	if err != nil {
		return t.failed(err, "dynamodb:DescribeTable", table)
	}
	asked := probe.Table{Client: t.Client, Name: table, Key: Item{}}
	isKey := map[string]bool{}
	for _, k := range out.Table.KeySchema {
		isKey[aws.ToString(k.AttributeName)] = true
	}
	for _, a := range out.Table.AttributeDefinitions {
		name := aws.ToString(a.AttributeName)
		switch {
		case !isKey[name]:
		case a.AttributeType == types.ScalarAttributeTypeB:
			asked.Key[name] = &types.AttributeValueMemberB{Value: []byte(probe.Text)}
		case a.AttributeType == types.ScalarAttributeTypeN:
			asked.Key[name] = &types.AttributeValueMemberN{Value: "0"}
		default:
			asked.Key[name] = &types.AttributeValueMemberS{Value: probe.Text}
		}
	}
	for _, call := range calls {
		if err := call(asked, ctx); err != nil {
			return err
		}
	}
	return nil
}
