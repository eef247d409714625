package aggregate

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/shopspring/decimal"

	"sluice/shared/change"
	"sluice/shared/consumer"
)

// Addition is one call of Add on its way: what is still to be added, and what
// was last seen of the item. Each step makes at most a few calls, and the
// protocol is exact whichever of them is the last one before a crash.
type Addition struct {
	table   *Table
	target  Target
	base    Window // the rebuild that the item's sums should come from
	errs    []error
	pending []pendingAmount // oldest first, or in the order of the call, see admit
	repeats map[int]int     // index of an amount → index of its first occurrence
	limit   int             // how many amounts one request may carry
	seen    state
	item    map[string]types.AttributeValue // as the last update left or met it; nil: there was none, or a transaction after it
	writes  int                             // of amounts, that succeeded
	added   map[string]decimal.Decimal      // by the first of them
	spilled bool                            // ids into the ledger
	err     error                           // after which no step is made
}

// Begin is Add in two steps, for a caller with several items in hand and little time:
// First, then Rest. It makes no call.
func (t *Table) Begin(target Target, amounts []Amount) *Addition {
	a := &Addition{table: t, target: target, base: target.Rebuilds.base(target), errs: make([]error, len(amounts)), limit: Capacity, repeats: map[int]int{}}
	a.admit(amounts)
	return a
}

// First makes calls until it is decided what becomes of the first amount.
func (a *Addition) First(ctx context.Context) {
	a.run(ctx, func() bool {
		return !slices.ContainsFunc(a.pending, func(p pendingAmount) bool { return p.index == 0 })
	})
}

// Rest makes the calls that are left and returns what Add returns.
func (a *Addition) Rest(ctx context.Context) (met Met, errs []error) {
	a.run(ctx, func() bool { return len(a.pending) == 0 })
	for _, p := range a.pending {
		a.errs[p.index] = a.err
	}
	met = a.met()
	a.settleRepeats()
	return met, a.errs
}

func (a *Addition) run(ctx context.Context, done func() bool) {
	if a.err != nil {
		return
	}
	a.err = untilDone(ctx, a.step, func() int { return len(a.pending) }, done)
	if errors.Is(a.err, ErrContended) {
		a.err = fmt.Errorf("%s, group %q: %w", a.table.Name, a.target.Group, a.err)
	}
}

// met tells what is known of the item.
func (a *Addition) met() Met {
	duplicate := slices.ContainsFunc(a.errs, func(err error) bool { return consumer.OutcomeOf(err) == consumer.Duplicate })
	if a.item == nil || a.writes != 1 || duplicate {
		return Met{Item: a.item}
	}
	return Met{Item: a.item, Added: a.added}
}

type pendingAmount struct {
	Amount
	index int // where its error goes
}

// admit fills pending. It sets aside amounts that repeat an earlier one of the
// same call and rejects those that the ledger may have forgotten.
//
// Oldest first costs least: fewer changes are late. But the first amount of the call
// has to be in the first request: it may be of the batch's first record, which holds
// the checkpoint, and the time may end after that request in every delivery. So
// if older amounts would fill the first request, the order of the call stands.
func (a *Addition) admit(amounts []Amount) {
	horizon := a.table.Now().Add(-a.table.Horizon).UnixMicro()
	first := make(map[change.ID]int, len(amounts))
	for i, amount := range amounts {
		if earlier, repeated := first[amount.ID]; repeated {
			a.repeats[i] = earlier
			continue
		}
		first[amount.ID] = i
		if amount.ID.Time() < horizon {
			a.errs[i] = a.table.tooOld(amount.ID)
			continue
		}
		a.pending = append(a.pending, pendingAmount{amount, i})
	}
	sorted := slices.Clone(a.pending)
	sortByID(sorted)
	if i := slices.IndexFunc(sorted, func(p pendingAmount) bool { return p.index == 0 }); i < Capacity {
		a.pending = sorted
	}
}

func sortByID(part []pendingAmount) {
	slices.SortFunc(part, func(x, y pendingAmount) int { return bytes.Compare(x.ID[:], y.ID[:]) })
}

// step brings the addition forward: it switches an item that a rebuild has left
// out, settles what the rebuild has taken, adds what is late, or makes room, or adds
// what is fresh.
func (a *Addition) step(ctx context.Context) error {
	if a.rejectForeign(); len(a.pending) == 0 {
		return nil
	}
	behind, err := checkGeneration(a.seen.item, a.base.Generation)
	if err != nil {
		return err
	}
	if behind {
		item, err := a.table.Switch(ctx, a.target, a.base)
		if consumer.OutcomeOf(err) == consumer.Rejected { // for all amounts
			a.finish(a.pending, func(pendingAmount) bool { return true }, err)
			return nil
		}
		if err == nil {
			a.seen = readState(item)
		}
		return err
	}
	part := a.pending[:min(len(a.pending), a.limit)]
	sortByID(part)
	taken := 0
	for taken < len(part) && a.base.took(part[taken].ID) {
		taken++
	}
	if taken > 0 {
		return a.settle(ctx, part[:taken])
	}
	late := 0
	for late < len(part) && a.seen.isLate(part[late].ID) {
		late++
	}
	if late > 0 {
		return a.addLate(ctx, part[:late])
	}
	if len(a.seen.ids)+len(part) > Capacity {
		return a.spill(ctx, part)
	}
	return a.addFresh(ctx, part)
}

// settle does what is left to do for changes that the rebuild has taken: their
// values that are no sums are written, and the item is there afterwards and comes from the
// rebuild, so that nobody can add them to it by the rules from before.
func (a *Addition) settle(ctx context.Context, part []pendingAmount) error {
	e := newExpression()
	e.expect(a.target, a.base.Generation)
	for _, sum := range a.target.Sums {
		e.begin(sum)
	}
	e.set(a.target.Set)
	a.writeValues(e, part)
	item, written, err := a.table.write(ctx, a.target, e)
	if err != nil {
		return a.narrow(ctx, part, err)
	}
	if a.seen, a.item = readState(item), item; written {
		a.finish(part, func(pendingAmount) bool { return true }, consumer.Duplicate)
	}
	return nil // if it wasn't, the next step sees why
}

// addFresh adds changes newer than the spill time with one conditional update:
// it goes through only if the item has taken none of them, all are newer than
// its spill time, and there is room for their ids.
func (a *Addition) addFresh(ctx context.Context, part []pendingAmount) error {
	e := newExpression()
	e.condition("(attribute_not_exists(%s) OR %s < %s)", e.name(attrSpillTime), e.name(attrSpillTime), e.number(part[0].ID.Time()))
	e.condition("(attribute_not_exists(%s) OR size(%s) <= %s)", e.name(attrIDs), e.name(attrIDs), e.number(int64(Capacity-len(part))))
	for _, p := range part {
		e.condition("NOT contains(%s, %s)", e.name(attrIDs), e.value(&types.AttributeValueMemberB{Value: p.ID[:]}))
	}
	e.expect(a.target, a.base.Generation)
	a.write(e, part)
	e.add(attrIDs, &types.AttributeValueMemberBS{Value: ids(part)})
	item, written, err := a.table.write(ctx, a.target, e)
	if err != nil {
		return a.narrow(ctx, part, err)
	}
	a.item, a.seen = item, readState(item)
	if written {
		a.added = sumsOf(part)
		applied := At(a.table.Name, nil)
		if a.spilled {
			applied = consumer.Combine([]error{applied, a.table.atBoth(nil)})
		}
		a.succeed(part, applied)
		return nil
	}
	// Why it was refused, the item tells: what it has taken is a duplicate (it
	// may be our own, from an attempt whose answer was lost); the next step
	// sees of which rebuild it is, what is late, whether there is room, and which
	// values are better.
	if behind, err := checkGeneration(item, a.base.Generation); behind || err != nil {
		return err
	}
	a.finish(part, func(p pendingAmount) bool { return a.seen.has(p.ID) }, consumer.Duplicate)
	return nil
}

// write makes an update of the target's item, and returns the item as it is then.
// It isn't written if the update's condition doesn't hold.
func (t *Table) write(ctx context.Context, target Target, e *expression) (item map[string]types.AttributeValue, written bool, err error) {
	out, err := t.Client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                           &t.Name,
		Key:                                 target.Key,
		UpdateExpression:                    e.updateText(),
		ConditionExpression:                 e.conditionText(),
		ExpressionAttributeNames:            e.names,
		ExpressionAttributeValues:           e.values,
		ReturnValues:                        types.ReturnValueAllNew,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if refused, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		return refused.Item, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	return out.Attributes, true, nil
}

// spill makes room for the ids of part: a transaction moves the oldest ids to a ledger
// bucket named by the newest time among them, which becomes the item's spill
// time. All ids up to that time move, ties included, so that buckets never
// overlap in time and one look-up tells whether an id was spilled.
func (a *Addition) spill(ctx context.Context, part []pendingAmount) error {
	taken := a.seen.ids
	count := max(len(taken)/2, len(taken)+len(part)-Capacity)
	cut := idTime(taken[count-1])
	for count < len(taken) && idTime(taken[count]) == cut {
		count++
	}

	e := newExpression()
	// The whole set is as it was read. Then so is the spill time: a spill takes
	// ids out, and none of those ever comes back.
	e.condition("%s = %s", e.name(attrIDs), e.value(&types.AttributeValueMemberBS{Value: taken}))
	e.set(map[string]types.AttributeValue{attrSpillTime: number64(cut)})
	e.remove(attrIDs, &types.AttributeValueMemberBS{Value: taken[:count]})
	bucket := a.table.ledgerRow(a.target.Group, bucketEntry(cut), cut)
	bucket[attrIDs] = &types.AttributeValueMemberBS{Value: taken[:count]}
	_, err := a.table.Client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		a.table.update(a.target, e),
		a.table.putNewRow(bucket),
	}})
	if item, ok := failedCondition(err, 0); ok {
		a.seen = readState(item) // somebody else added or spilled meanwhile
		return nil
	}
	if err != nil {
		return a.table.atBoth(a.noMemory(part, err))
	}
	a.spilled = true
	a.seen.ids, a.seen.spillTime = taken[count:], cut
	return nil
}

// update is a target's part in a transaction. If its condition fails, the item
// comes back with the refusal.
func (t *Table) update(target Target, e *expression) types.TransactWriteItem {
	return types.TransactWriteItem{Update: &types.Update{
		TableName:                           &t.Name,
		Key:                                 target.Key,
		UpdateExpression:                    e.updateText(),
		ConditionExpression:                 e.conditionText(),
		ExpressionAttributeNames:            e.names,
		ExpressionAttributeValues:           e.values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}}
}

// addLate adds changes that are not newer than the item's spill time. One that
// was taken is in the bucket that covers its time or has a late row of its own;
// for the others one transaction adds the amounts and their late rows. Between
// the look-up and the transaction nobody can put such an id into a bucket,
// since the item takes no ids up to its spill time any more.
func (a *Addition) addLate(ctx context.Context, part []pendingAmount) error {
	a.item = nil // a transaction returns none
	spilled, err := a.table.spilledIDs(ctx, a.target.Group, part)
	if err != nil {
		return At(a.table.Ledger, a.noMemory(part, err))
	}
	if len(spilled) > 0 {
		a.finish(part, func(p pendingAmount) bool { return spilled[p.ID] }, At(a.table.Ledger, consumer.Duplicate))
		return nil
	}

	e := newExpression()
	e.expect(a.target, a.base.Generation)
	a.write(e, part)
	items := []types.TransactWriteItem{a.table.update(a.target, e)}
	for _, p := range part {
		items = append(items, a.table.putNewRow(a.table.ledgerRow(a.target.Group, lateEntry(p.ID), p.ID.Time())))
	}
	_, err = a.table.Client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: items})
	taken := map[change.ID]bool{}
	for i, p := range part {
		if _, ok := failedCondition(err, i+1); ok {
			taken[p.ID] = true
		}
	}
	item, worse := failedCondition(err, 0)
	if worse {
		a.seen = readState(item) // it holds a better value than one of ours
	}
	if len(taken) > 0 || worse {
		a.finish(part, func(p pendingAmount) bool { return taken[p.ID] }, a.table.atBoth(consumer.Duplicate))
		return nil
	}
	if err != nil {
		if err = a.narrow(ctx, part, err); err != nil {
			return a.table.atBoth(err)
		}
		return nil
	}
	a.succeed(part, a.table.atBoth(nil))
	return nil
}

// succeed marks part as applied, with the outcome that it has. A limit that was narrowed
// widens again.
func (a *Addition) succeed(part []pendingAmount, applied error) {
	a.writes++
	a.limit = min(2*a.limit, Capacity)
	a.finish(part, func(pendingAmount) bool { return true }, applied)
}

// narrow handles an error of a request that carried part. If DynamoDB refuses the
// request for good, the next one carries the first amount of the call alone, so that
// it is decided as early as possible; after each success the next one carries twice as many.
func (a *Addition) narrow(ctx context.Context, part []pendingAmount, err error) error {
	if !consumer.Refused(err) {
		return err
	}
	if len(part) > 1 {
		a.limit = 1
		slices.SortFunc(part, func(x, y pendingAmount) int { return cmp.Compare(x.index, y.index) })
		return nil
	}
	a.finish(part, func(pendingAmount) bool { return true }, a.table.rejection(ctx, a.target, part[0].Amount, err))
	return nil
}

// noMemory handles an error of a request that asks or changes what is remembered of the item's
// changes. Without that, part can't be added, so if it fails for good, part is rejected.
func (a *Addition) noMemory(part []pendingAmount, err error) error {
	if consumer.OutcomeOf(consumer.RejectRefused(err)) != consumer.Rejected {
		return err
	}
	err = fmt.Errorf("whether the change was added to the item before can't be remembered: %w", err)
	a.finish(part, func(pendingAmount) bool { return true }, consumer.Reject(err))
	return nil
}

// finish ends the amounts of part for which done holds; part is a prefix of pending.
func (a *Addition) finish(part []pendingAmount, done func(pendingAmount) bool, err error) {
	rest := make([]pendingAmount, 0, len(a.pending))
	for _, p := range part {
		if done(p) {
			a.errs[p.index] = err
		} else {
			rest = append(rest, p)
		}
	}
	a.pending = append(rest, a.pending[len(part):]...)
}

// settleRepeats gives amounts that repeat another one of the call its outcome.
func (a *Addition) settleRepeats() {
	for i, first := range a.repeats {
		a.errs[i] = a.errs[first]
		if consumer.OutcomeOf(a.errs[first]) == consumer.Applied {
			a.errs[i] = consumer.Duplicate
		}
	}
}

// sumsOf returns what the amounts of part add, by attribute.
func sumsOf(part []pendingAmount) map[string]decimal.Decimal {
	sums := map[string]decimal.Decimal{}
	for _, p := range part {
		for attribute, amount := range p.Add {
			sums[attribute] = sums[attribute].Add(amount)
		}
	}
	return sums
}

func ids(part []pendingAmount) [][]byte {
	out := make([][]byte, len(part))
	for i, p := range part {
		out[i] = bytes.Clone(p.ID[:])
	}
	return out
}

// state is what was seen of an item: what it remembers of the changes it has
// taken, and its values.
type state struct {
	ids       [][]byte // sorted, so oldest first
	spillTime int64    // µs; all ids up to it are in the ledger; 0: none are
	latest    []byte   // the id of the change that set the latest values; nil: none has
	item      map[string]types.AttributeValue
}

func readState(item map[string]types.AttributeValue) state {
	s := state{item: item}
	if set, ok := item[attrIDs].(*types.AttributeValueMemberBS); ok {
		s.ids = slices.SortedFunc(slices.Values(set.Value), bytes.Compare)
	}
	if n, ok := item[attrSpillTime].(*types.AttributeValueMemberN); ok {
		// Only Sluice writes it, as an integer; anything else would mean 0, and
		// the condition on the stored value would then fail rather than pass.
		s.spillTime, _ = strconv.ParseInt(n.Value, 10, 64)
	}
	if id, ok := item[attrLatestChange].(*types.AttributeValueMemberB); ok {
		s.latest = id.Value
	}
	return s
}

// number returns the value of an attribute that holds a number.
func (s state) number(attribute string) (decimal.Decimal, bool) {
	n, ok := s.item[attribute].(*types.AttributeValueMemberN)
	if !ok {
		return decimal.Zero, false
	}
	value, err := decimal.NewFromString(n.Value)
	return value, err == nil
}

func (s state) has(id change.ID) bool {
	_, found := slices.BinarySearchFunc(s.ids, id[:], bytes.Compare)
	return found
}

func (s state) isLate(id change.ID) bool { return s.spillTime != 0 && id.Time() <= s.spillTime }

func idTime(id []byte) int64 { return change.ID(id).Time() }

// failedCondition tells whether the transaction failed on the condition of its
// item at index, and returns that item if the request asked for it.
func failedCondition(err error, index int) (map[string]types.AttributeValue, bool) {
	canceled, ok := errors.AsType[*types.TransactionCanceledException](err)
	if !ok || index >= len(canceled.CancellationReasons) {
		return nil, false
	}
	reason := canceled.CancellationReasons[index]
	return reason.Item, code(reason) == "ConditionalCheckFailed"
}
