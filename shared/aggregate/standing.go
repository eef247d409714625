package aggregate

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/shopspring/decimal"

	"sluice/shared/change"
	"sluice/shared/consumer"
)

// Standing is what an item of the source counts for in a view after a change, or
// when it was scanned.
type Standing struct {
	// Item is the source's item, see change.ItemKey.
	Item string
	// ID is the change's; of a scanned item see ScannedID.
	ID change.ID
	// Target is the view's item; its Key is nil if the source's item counts
	// nowhere.
	Target Target
	// Sums are what it counts for, by attribute.
	Sums map[string]decimal.Decimal
}

// ScannedID is the ID of what the scan of a rebuild reads: it is older than all
// changes in the window.
func (w Window) ScannedID() change.ID { return change.FirstID(w.From - 1) }

// Attributes of a rebuild's rows: the newest change known of one item of the
// source, and what the item counts for after it.
const (
	attrChange = "Change"
	attrTarget = "Target" // its group
	attrKey    = "Key"
	attrSums   = "Sums"
	attrCloses = "Closes" // µs
)

// maxRows is how many rows one transaction carries. Each may move an amount from
// one item of the view to another, and 100 actions are the most.
const maxRows = 33

// Stand makes the standings those that the rebuild w of the view counts. Of each item of
// the source the newest one stays, whatever the order, and what it counts for is
// in the new sums exactly once: in the shadows beside the old sums, or in the sums
// themselves once the item has been switched. It returns what became of each: nil,
// consumer.Stale or Duplicate, a consumer.Rejection, or an error after which it
// has to be given to Stand again, after ErrGeneration with newer Rebuilds.
//
// Standings of one target go together in one transaction with a row in the ledger for each.
func (t *Table) Stand(ctx context.Context, view string, r *Rebuilds, w Window, standings []Standing) []error {
	s := &stand{table: t, view: view, rebuilds: r, window: w, errs: make([]error, len(standings)), older: map[int]int{}, limit: maxRows}
	s.admit(standings)
	err := untilDone(ctx, s.step, func() int { return len(s.pending) }, func() bool { return len(s.pending) == 0 })
	if errors.Is(err, ErrContended) {
		err = fmt.Errorf("%s, rebuild %d of view %s: %w", t.Name, w.Generation, view, err)
	}
	for _, p := range s.pending {
		s.errs[p.index] = err
	}
	for i, newest := range s.older {
		if consumer.OutcomeOf(s.errs[newest]) == consumer.Retry {
			s.errs[i] = s.errs[newest]
		}
	}
	return s.errs
}

// stand is one call of Stand on its way.
type stand struct {
	table    *Table
	view     string
	rebuilds *Rebuilds
	window   Window
	errs     []error
	pending  []pendingStanding
	older    map[int]int // index of a standing → of the newest of its item
	limit    int
}

type pendingStanding struct {
	Standing
	index int
	row   *standingRow // that is to be replaced; nil: there is none, as far as is known
}

// standingRow is what the ledger has of an item of the source.
type standingRow struct {
	id     change.ID
	target Target // as far as it was kept; no Key: it counts nowhere
	sums   map[string]decimal.Decimal
}

// admit fills pending with the newest standing of each item, which decides what
// becomes of the older ones. Items are in the order of their first standings: the
// batch's first record, which holds the checkpoint, is in the first transaction.
func (s *stand) admit(standings []Standing) {
	horizon := s.table.Now().Add(-s.table.Horizon).UnixMicro()
	tooOld := func(one Standing) bool { return one.ID.Time() < horizon && one.ID != s.window.ScannedID() }
	newest := map[string]int{} // index of an item's newest standing
	for i, one := range standings {
		if at, found := newest[one.Item]; !found || standings[at].ID.Time() < one.ID.Time() {
			newest[one.Item] = i
		}
	}
	admitted := map[string]bool{}
	for i, one := range standings {
		at := newest[one.Item]
		if stands := standings[at]; !admitted[one.Item] && !tooOld(stands) {
			admitted[one.Item] = true
			s.pending = append(s.pending, pendingStanding{Standing: stands, index: at})
		}
		switch {
		case tooOld(one):
			s.errs[i] = s.table.tooOld(one.ID)
		case i == at:
		case one.ID.Time() == standings[at].ID.Time() && one.ID != standings[at].ID:
			s.errs[i] = errTie(one.ID)
		default:
			s.errs[i], s.older[i] = consumer.Stale, at
		}
	}
}

// errTie is the rejection of a change if nobody can tell whether the one that the
// row is of came before or after it.
func errTie(id change.ID) error {
	return consumer.Reject(fmt.Errorf(
		"an item of the source changed twice at %s, while the view is rebuilt, and which change came last can't be told; let the table's stream write times in MICROSECOND, and rebuild the view again",
		time.UnixMicro(id.Time()).UTC().Format("2006-01-02T15:04:05.000000Z")))
}

// step writes what is pending, as much as one transaction carries.
func (s *stand) step(ctx context.Context) error {
	part := s.pending[:min(len(s.pending), s.limit)]
	var items []types.TransactWriteItem
	for _, p := range part {
		items = append(items, s.put(p))
	}
	moves := s.moves(part)
	for _, m := range moves {
		items = append(items, s.update(m))
	}
	_, err := s.table.Client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: items})
	switch {
	case err == nil:
		s.limit = min(2*s.limit, maxRows)
		s.finish(part, func(pendingStanding) (error, bool) { return s.table.atBoth(nil), true })
		return nil
	case !consumer.Refused(err):
		return s.learn(ctx, part, moves, err)
	}
	s.refuse(ctx, part, err)
	return nil
}

// refuse handles a refusal for good of a request that carried part, as Addition.narrow does.
func (s *stand) refuse(ctx context.Context, part []pendingStanding, err error) {
	if len(part) > 1 {
		s.limit = 1
		return
	}
	target, amount := part[0].Target, Amount{Add: part[0].Sums}
	if moves := s.moves(part); target.Key == nil && len(moves) > 0 {
		target, amount.Add = moves[0].target, moves[0].add
	}
	rejection := s.table.rejection(ctx, target, amount, err)
	s.finish(part, func(pendingStanding) (error, bool) { return rejection, true })
}

// learn takes from a transaction's error what was otherwise than expected, so that
// the next step expects that: rows that others wrote, and items that have yet to
// be switched. It returns the error if there was nothing of the kind.
func (s *stand) learn(ctx context.Context, part []pendingStanding, moves []move, err error) error {
	learned := false
	for i := range part {
		if row, failed := failedCondition(err, i); failed {
			var bad error
			if part[i].row, bad = readStandingRow(row); bad != nil {
				return bad
			}
			learned = true
		}
	}
	for i, m := range moves {
		item, failed := failedCondition(err, len(part)+i)
		if !failed {
			continue
		}
		behind, wrong := checkGeneration(item, m.base.Generation)
		if behind {
			_, wrong = s.table.Switch(ctx, m.target, m.base)
		}
		if consumer.OutcomeOf(wrong) == consumer.Rejected {
			s.refuse(ctx, part, wrong)
			return nil
		}
		if wrong != nil {
			return wrong
		}
		learned = true
	}
	if !learned {
		return s.table.atBoth(err)
	}
	s.finish(part, func(p pendingStanding) (error, bool) {
		switch {
		case p.row == nil || p.row.id.Time() < p.ID.Time():
			return nil, false
		case p.row.id.Time() > p.ID.Time():
			return s.table.atBoth(consumer.Stale), true
		case p.row.id == p.ID:
			return s.table.atBoth(consumer.Duplicate), true
		}
		return errTie(p.ID), true
	})
	return nil
}

// finish ends those of part, a prefix of pending, for which done has an outcome.
func (s *stand) finish(part []pendingStanding, done func(pendingStanding) (error, bool)) {
	var rest []pendingStanding
	for _, p := range part {
		if err, ok := done(p); ok {
			s.errs[p.index] = err
		} else {
			rest = append(rest, p)
		}
	}
	s.pending = append(rest, s.pending[len(part):]...)
}

// rowGroup names an item's row in the ledger: a partition of its own, so that
// a rebuild's writes spread.
func (s *stand) rowGroup(item string) string {
	hash := sha256.Sum256([]byte(item))
	return fmt.Sprintf("%s/%d:%s/%d/%s", rebuildsGroup, len(s.view), s.view, s.window.Generation, hex.EncodeToString(hash[:]))
}

const rowEntry = "row"

// put writes a standing's row, if it is still as it was read.
func (s *stand) put(p pendingStanding) types.TransactWriteItem {
	row := s.table.ledgerRow(s.rowGroup(p.Item), rowEntry, s.window.Limit)
	row[attrChange] = &types.AttributeValueMemberB{Value: bytes.Clone(p.ID[:])}
	if s.counts(p.Target) {
		row[attrTarget] = &types.AttributeValueMemberS{Value: p.Target.Group}
		row[attrKey] = &types.AttributeValueMemberM{Value: p.Target.Key}
		row[attrSums] = &types.AttributeValueMemberM{Value: numbersOf(p.Sums)}
		if !p.Target.Closes.IsZero() {
			row[attrCloses] = number64(p.Target.Closes.UnixMicro())
		}
	}
	put := &types.Put{
		TableName:                           &s.table.Ledger,
		Item:                                row,
		ConditionExpression:                 aws.String("attribute_not_exists(#change)"),
		ExpressionAttributeNames:            map[string]string{"#change": attrChange},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	if p.row != nil {
		put.ConditionExpression = aws.String("#change = :change")
		put.ExpressionAttributeValues = map[string]types.AttributeValue{":change": &types.AttributeValueMemberB{Value: bytes.Clone(p.row.id[:])}}
	}
	return types.TransactWriteItem{Put: put}
}

func readStandingRow(item map[string]types.AttributeValue) (*standingRow, error) {
	id, hasID := item[attrChange].(*types.AttributeValueMemberB)
	if !hasID || len(id.Value) != len(change.ID{}) {
		return nil, fmt.Errorf("a row of a rebuild has no %s", attrChange)
	}
	row := &standingRow{id: change.ID(id.Value)}
	group, counts := item[attrTarget].(*types.AttributeValueMemberS)
	if !counts {
		return row, nil
	}
	key, hasKey := item[attrKey].(*types.AttributeValueMemberM)
	sums, hasSums := item[attrSums].(*types.AttributeValueMemberM)
	if !hasKey || !hasSums {
		return nil, fmt.Errorf("a row of a rebuild has no %s or %s", attrKey, attrSums)
	}
	row.target = Target{Key: key.Value, Group: group.Value, Sums: slices.Sorted(maps.Keys(sums.Value))}
	row.sums = map[string]decimal.Decimal{}
	for name := range sums.Value {
		row.sums[name], _ = state{item: sums.Value}.number(name)
	}
	if n, ok := item[attrCloses].(*types.AttributeValueMemberN); ok {
		µs, err := strconv.ParseInt(n.Value, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("a row of a rebuild: %s: %w", attrCloses, err)
		}
		row.target.Closes = time.UnixMicro(µs)
	}
	return row, nil
}

// counts tells whether a target is one that the rebuild is of.
func (s *stand) counts(t Target) bool { return t.Key != nil && s.window.Takes(t) }

// move is what a transaction does to one item of the view.
type move struct {
	target Target
	base   Window
	add    map[string]decimal.Decimal
}

// moves are what the rows' new contents differ from their old ones, by target.
// Items that a later rebuild has taken over need none: it has scanned them.
func (s *stand) moves(part []pendingStanding) []move {
	byGroup := map[string]*move{}
	add := func(target Target, sums map[string]decimal.Decimal, sign int64) {
		base := s.rebuilds.base(target)
		if base.Generation > s.window.Generation {
			return
		}
		m := byGroup[target.Group]
		if m == nil {
			m = &move{target: target, base: base, add: map[string]decimal.Decimal{}}
			byGroup[target.Group] = m
		}
		if sign > 0 {
			m.target = target // knows what to Set, which a row doesn't
		}
		for name, sum := range sums {
			m.add[name] = m.add[name].Add(sum.Mul(decimal.NewFromInt(sign)))
		}
	}
	for _, p := range part {
		if p.row != nil && p.row.target.Key != nil {
			add(p.row.target, p.row.sums, -1)
		}
		if s.counts(p.Target) {
			add(p.Target, p.Sums, 1)
		}
	}
	var moves []move
	for _, group := range slices.Sorted(maps.Keys(byGroup)) {
		moves = append(moves, *byGroup[group])
	}
	return moves
}

// update is a move's part in the transaction.
func (s *stand) update(m move) types.TransactWriteItem {
	e := newExpression()
	e.expect(m.target, m.base.Generation)
	for _, name := range slices.Sorted(maps.Keys(m.add)) {
		if m.base.Generation == s.window.Generation {
			e.add(name, number(m.add[name]))
			continue
		}
		e.add(shadow(s.window.Generation, name), number(m.add[name]))
		e.begin(name)
	}
	e.set(m.target.Set)
	return s.table.update(m.target, e)
}
