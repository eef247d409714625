package replica

import (
	"context"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/consumers/replication/mark"
	"sluice/shared/consumer"
)

// maxLookUps is how many items a request may ask for:
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
const maxLookUps = 100

// Unsettled is a put that has still to look for a tombstone: see Begin.
type Unsettled struct {
	key     Item
	mark    mark.Mark
	before  mark.Mark // of what the table held
	refused bool
}

// Settle ends puts of different items and returns what became of each, in their
// order, as Put does. It looks for up to 100 tombstones with a request.
func (t *Table) Settle(ctx context.Context, puts []*Unsettled) []error {
	errs := make([]error, len(puts))
	var work sync.WaitGroup
	at := 0
	for some := range slices.Chunk(puts, maxLookUps) {
		of := errs[at:][:len(some)]
		at += len(some)
		work.Go(func() { t.settle(ctx, some, of) })
	}
	work.Wait()
	return errs
}

func (t *Table) settle(ctx context.Context, puts []*Unsettled, errs []error) {
	tombstones, err := t.tombstones(ctx, puts)
	for i, u := range puts {
		if errs[i] = err; err == nil {
			errs[i] = t.end(ctx, u, tombstones)
		}
	}
}

// tombstones reads the tombstones of the puts' items, by their keys; nil: there is
// none. What DynamoDB leaves out of its answer isn't in the map.
func (t *Table) tombstones(ctx context.Context, puts []*Unsettled) (map[string]Item, error) {
	found := map[string]Item{}
	if len(puts) == 1 { // not worth a batch
		return found, nil
	}
	var rows []Item
	for _, u := range puts {
		row, err := t.tombstoneKey(u.key)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
		found[nameOf(row)] = nil
	}
	out, err := t.Client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{
		RequestItems: map[string]types.KeysAndAttributes{t.Tombstones: {Keys: rows, ConsistentRead: aws.Bool(true)}},
	})
	if err != nil {
		return nil, t.failed(err, "dynamodb:BatchGetItem", t.Tombstones)
	}
	for _, row := range out.Responses[t.Tombstones] {
		found[nameOf(row)] = row
	}
	for _, row := range out.UnprocessedKeys[t.Tombstones].Keys { // throttled, which says nothing of the row
		delete(found, nameOf(row))
	}
	return found, nil
}

// nameOf returns the item that a tombstone, or its key, is of.
func nameOf(row Item) string {
	name, _ := row[TombstoneKey].(*types.AttributeValueMemberB) // its type is checked (Check)
	if name == nil {
		return ""
	}
	return string(name.Value)
}

// end ends one put. A tombstone that wasn't looked for yet is read now, for which
// the client waits if it is throttled.
func (t *Table) end(ctx context.Context, u *Unsettled, tombstones map[string]Item) error {
	row, err := t.tombstoneKey(u.key)
	if err != nil {
		return err
	}
	var gone bool
	if found, looked := tombstones[nameOf(row)]; looked {
		var buried mark.Mark
		if found != nil {
			if buried, err = t.markOf(found); err != nil {
				return err
			}
		}
		gone, err = t.takeBackFrom(ctx, u.key, u.mark, buried)
	} else {
		gone, err = t.takeBack(ctx, u.key, u.mark)
	}
	switch {
	case err != nil:
		return err
	case u.before == u.mark && !gone:
		return consumer.Duplicate
	case u.refused || gone:
		return consumer.Stale
	}
	return nil
}
