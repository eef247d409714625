package replica

import (
	"context"
	"fmt"
	"maps"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/consumers/replication/mark"
	"sluice/shared/consumer"
)

// Peers are the tables of one name in all regions, each of which its region's
// applications write to. They are safe for concurrent use.
type Peers struct {
	Home  *Table   // in the region whose changes are brought to the others
	Other []*Table // in all other regions
	// Conflicts is the table, in each region, that keeps what lost: see note.
	Conflicts string
	counts
}

// Apply brings a change made at home to all regions, and marks its item at home.
// Echoes are skipped, but for a look at what came to be.
// What it returns is as for Table.Put. It may be called again after any error.
func (p *Peers) Apply(ctx context.Context, e *Edit) error {
	if e.Echo() {
		if e.appeared() {
			if err := p.lookBack(ctx, e.Key, e.Item, e.after.Mark); err != nil {
				return p.Home.At(err)
			}
		}
		return consumer.Skip
	}
	if err := p.Home.admit(e.Mark); err != nil {
		return err
	}
	var parts []error
	for _, t := range p.Other {
		if e.Item == nil {
			parts = append(parts, t.At(p.remove(ctx, t, e)))
		} else {
			parts = append(parts, t.At(p.put(ctx, t, e)))
		}
	}
	if e.Item == nil {
		parts = append(parts, p.Home.At(p.remove(ctx, p.Home, e)))
	} else {
		parts = append(parts, p.Home.At(p.settle(ctx, e)))
	}
	return consumer.Combine(parts)
}

// Check asks whether the tables are there in all regions and have the right keys: those of the home table, which Check returns. What
// is wrong is no rejection: once the tables are right, the changes can be written.
func (p *Peers) Check(ctx context.Context) (Keys, error) {
	home, err := p.Home.keys(ctx, p.Home.Name)
	if err != nil {
		return nil, fmt.Errorf("look at the keys, which must be the same in all regions: %w", err)
	}
	for _, t := range p.all() {
		if err := t.checkTable(ctx, t.Name, fmt.Sprintf("table %s (%s)", p.Home.Name, p.Home.Region), home); err != nil {
			return nil, err
		}
		if err := t.checkTombstones(ctx); err != nil {
			return nil, err
		}
		if err := t.checkTable(ctx, p.Conflicts, "a conflict log", Keys{ConflictKey: "B", ConflictMark: "B"}); err != nil {
			return nil, err
		}
	}
	return home, nil
}

// maxTries bounds how often an item is tried that others write all the time.
const maxTries = 50

func tooBusy(t *Table) error {
	return fmt.Errorf("table %s (%s): an item changed %d times while it was written", t.Name, t.Region, maxTries)
}

// put writes an edit to another region's table.
//
// The first try replaces only what the edit's writer had before him, or what lost
// to that already. What is newer, but older than the edit, loses to it, and has to
// be kept before it is overwritten.
func (p *Peers) put(ctx context.Context, t *Table, e *Edit) error {
	limit := e.before.Mark
	for range maxTries {
		held, refused, err := t.replace(ctx, e.item(e.state(e.name())), upTo(limit).of(e.Key))
		if err != nil {
			return err
		}
		there, err := StateIn(held)
		if err != nil {
			return t.foreign(err)
		}
		t.noteTie(e.Mark, there.Mark)
		switch {
		case !refused:
			return nil
		case there.Mark < e.Mark:
			if err := p.lost(ctx, e.Key, there.Mark, held, e.History); err != nil {
				return err
			}
			limit = there.Mark
		default:
			return p.stale(ctx, t, e, there)
		}
	}
	return tooBusy(t)
}

// stale ends an edit that finds itself or something newer.
func (p *Peers) stale(ctx context.Context, t *Table, e *Edit, there State) error {
	if there.Deleting { // whoever wanted to delete it may have died
		if err := t.finish(ctx, e.Key, there.Mark); err != nil {
			return err
		}
	}
	if there.Mark == e.Mark {
		return consumer.Duplicate
	}
	if err := p.lost(ctx, e.Key, e.Mark, e.Item, there.History); err != nil {
		return err
	}
	return consumer.Stale
}

// lookBack looks after an item that came to be in the home table with a mark: its
// writer found nothing there, and doesn't know why. If the item was removed later
// than that, it goes again. The home table's own stream tells, since a call may
// arrive when its caller is long gone.
func (p *Peers) lookBack(ctx context.Context, key, item Item, m mark.Mark) error {
	buried, history, err := p.Home.buried(ctx, key)
	if err != nil {
		return err
	}
	p.Home.noteTie(m, buried)
	if buried <= m {
		return nil
	}
	if err := p.lost(ctx, key, m, item, history); err != nil {
		return err
	}
	_, err = p.deleteOlder(ctx, p.Home, removal{key: key, mark: buried, history: history, limit: m, markless: true})
	return err
}

// remove writes the edit's tombstone and removes the item if it is older.
func (p *Peers) remove(ctx context.Context, t *Table, e *Edit) error {
	before, err := t.buryWith(ctx, e.Key, e.Mark, e.History)
	if err != nil {
		return err
	}
	t.noteTie(e.Mark, before)
	r := removal{key: e.Key, mark: e.Mark, history: e.History, limit: e.before.Mark, markless: t != p.Home}
	if t == p.Home {
		// It is gone, unless it has been put again; a read is cheaper than to be refused.
		held, err := t.get(ctx, e.Key)
		if err != nil {
			return err
		}
		if held == nil {
			return outcomeOf(before, e.Mark)
		}
	}
	deleted, err := p.deleteOlder(ctx, t, r)
	switch {
	case err != nil:
		return err
	case !deleted:
		return consumer.Stale
	}
	return outcomeOf(before, e.Mark)
}

// outcomeOf is what became of a change where before was the newest.
func outcomeOf(before, m mark.Mark) error {
	switch {
	case before == m:
		return consumer.Duplicate
	case before > m:
		return consumer.Stale
	}
	return nil
}

// removal says what deleteOlder has to remove.
type removal struct {
	key     Item
	mark    mark.Mark // older items are removed
	history History
	limit   mark.Mark // what is up to it needn't be looked at first
	// markless: an item without a mark counts as older. At home it is one that was
	// put after the remove.
	markless bool
}

// deleteOlder removes an item if everything in it is older: first it marks it as
// being deleted, so that its region's consumer knows the delete for an echo, then
// it deletes it. It tells false if the item is newer.
func (p *Peers) deleteOlder(ctx context.Context, t *Table, r removal) (bool, error) {
	deleting := State{Mark: r.mark, Deleting: true, History: r.history}
	for range maxTries {
		condition := upTo(r.limit)
		condition.present, condition.marked = true, !r.markless
		held, refused, err := t.setState(ctx, r.key, deleting, condition)
		if err != nil {
			return false, err
		}
		if !refused {
			return true, t.finish(ctx, r.key, r.mark)
		}
		if held == nil {
			return true, nil
		}
		there, err := StateIn(held)
		if err != nil {
			return false, t.foreign(err)
		}
		t.noteTie(r.mark, there.Mark)
		switch {
		case there.Mark == r.mark && there.Deleting:
			return true, t.finish(ctx, r.key, r.mark)
		case there.Mark >= r.mark || there.Mark == "" && !r.markless:
			return false, nil
		}
		if err := p.lost(ctx, r.key, there.Mark, held, r.history); err != nil {
			return false, err
		}
		r.limit = there.Mark
	}
	return false, tooBusy(t)
}

// settle marks an edit's item at home, so that older changes of other regions are
// refused there. If one of them has overwritten the item, it is put back.
func (p *Peers) settle(ctx context.Context, e *Edit) error {
	held, there := e.Item, e.after // as the change left it, most likely
	for try := range maxTries {
		var refused bool
		var err error
		switch {
		case held == nil:
			held, refused, err = p.putBack(ctx, e)
		case try > 0 && there.Mark != "" && there.Mark >= e.Mark:
			if err := p.lookBackAfter(ctx, e); err != nil {
				return err
			}
			return p.stale(ctx, p.Home, e, there)
		default:
			held, refused, err = p.stamp(ctx, e, held, there)
		}
		if err != nil || !refused {
			return err
		}
		if there, err = StateIn(held); err != nil {
			return p.Home.foreign(err)
		}
		p.Home.noteTie(e.Mark, there.Mark)
	}
	return tooBusy(p.Home)
}

// putBack puts an edit's item into the home table, where there is none, unless
// something newer or an application removed it.
func (p *Peers) putBack(ctx context.Context, e *Edit) (held Item, refused bool, err error) {
	buried, history, err := p.Home.buried(ctx, e.Key)
	if err != nil {
		return nil, false, err
	}
	if buried == "" {
		return nil, false, consumer.Stale // removed here, by an application: its own change says so
	}
	if buried > e.Mark {
		if err := p.lost(ctx, e.Key, e.Mark, e.Item, history); err != nil {
			return nil, false, err
		}
		return nil, false, consumer.Stale
	}
	// What was removed was an older change, not the edit.
	return p.Home.replace(ctx, e.item(e.state(e.name())), isAbsent(e.Key))
}

// stamp marks the edit's item in the home table, which is held with the state
// there. If what is held isn't the edit's data any more, that is older: the edit's
// is put back over it.
func (p *Peers) stamp(ctx context.Context, e *Edit, held Item, there State) (now Item, refused bool, err error) {
	if there.Mark == "" || there.Base == e.after.Base && !there.Deleting {
		now, refused, err = p.Home.setState(ctx, e.Key, e.state(there.Base), exactly(there))
	} else {
		if err := p.lost(ctx, e.Key, there.Mark, held, e.History); err != nil {
			return nil, false, err
		}
		now, refused, err = p.Home.replace(ctx, e.item(e.state(e.name())), exactly(there).of(e.Key))
	}
	if err != nil || refused {
		return now, refused, err
	}
	return nil, false, p.lookBackAfter(ctx, e)
}

// lookBackAfter looks back after an item that the edit brought to be, or may have.
func (p *Peers) lookBackAfter(ctx context.Context, e *Edit) error {
	if e.inserted || e.Unsure { // as if replication had put it there
		return p.lookBack(ctx, e.Key, e.Item, e.Mark)
	}
	return nil
}

// item is the edit's item with a state.
func (e *Edit) item(s State) Item {
	item := maps.Clone(e.Item)
	maps.Copy(item, e.Key) // the images need not have it
	item[mark.Attribute] = s.value()
	return item
}

// get reads an item, strongly consistent.
func (t *Table) get(ctx context.Context, key Item) (Item, error) {
	out, err := t.Client.GetItem(ctx, &dynamodb.GetItemInput{TableName: &t.Name, Key: key, ConsistentRead: aws.Bool(true)})
	if err != nil {
		return nil, t.failed(err, "dynamodb:GetItem", t.Name)
	}
	return out.Item, nil
}

// replace puts an item as expected, and returns what was there, or is.
func (t *Table) replace(ctx context.Context, item Item, expect expectation) (held Item, refused bool, err error) {
	out, err := t.Client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName:                           &t.Name,
		Item:                                item,
		ConditionExpression:                 &expect.text,
		ExpressionAttributeNames:            expect.names,
		ExpressionAttributeValues:           expect.values,
		ReturnValues:                        types.ReturnValueAllOld,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if held, refused := refusal(err); refused {
		return held, true, nil
	}
	if err != nil {
		return nil, false, t.putFailed(err, item)
	}
	return out.Attributes, false, nil
}

// setState sets what an item carries as expected, and nothing else of it; if it
// can't, it returns what is there.
func (t *Table) setState(ctx context.Context, key Item, s State, c condition) (held Item, refused bool, err error) {
	expect := c.of(key)
	if expect.values == nil {
		expect.values = Item{}
	}
	expect.names["#sluice"], expect.values[":state"] = mark.Attribute, s.value()
	_, err = t.Client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                           &t.Name,
		Key:                                 key,
		UpdateExpression:                    aws.String("SET #sluice = :state"),
		ConditionExpression:                 &expect.text,
		ExpressionAttributeNames:            expect.names,
		ExpressionAttributeValues:           expect.values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if held, refused := refusal(err); refused {
		return held, true, nil
	}
	return nil, false, t.failed(err, "dynamodb:UpdateItem", t.Name)
}

// finish deletes an item that is marked as being deleted, unless somebody else has,
// or it isn't to be deleted any more.
func (t *Table) finish(ctx context.Context, key Item, m mark.Mark) error {
	return t.deleteIf(ctx, key, exactly(State{Mark: m, Deleting: true}))
}

// deleteIf deletes an item if the condition holds.
func (t *Table) deleteIf(ctx context.Context, key Item, c condition) error {
	expect := c.of(key)
	_, err := t.Client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName:                 &t.Name,
		Key:                       key,
		ConditionExpression:       &expect.text,
		ExpressionAttributeNames:  expect.names,
		ExpressionAttributeValues: expect.values,
	})
	if _, refused := refusal(err); refused {
		return nil
	}
	return t.failed(err, "dynamodb:DeleteItem", t.Name)
}
