package aggregate

import (
	"testing"

	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumertest/simulator/mutant"
)

// TestEveryGuardOfARebuildIsNeeded takes the rules of a rebuild out, one at a time;
// each time one of rebuild_test.go's sums must be another.
func TestEveryGuardOfARebuildIsNeeded(t *testing.T) {
	server := *servertest.DynamoDB(t).BaseEndpoint // one for all
	mutant.Run(t, mutant.Test{
		Name: "TestAddBehindTheWindow|TestAddTakenByTheRebuild|TestOldKnowledge.*|TestLeftOut|TestTakenLeaves.*|TestSwitchNothing|TestStand.*|TestClosedBox|TestWindow|TestSaveOvertaken",
		Env:  []string{servertest.DynamoDBVariable + "=" + server},
		Says: "want",
	}, []mutant.Mutant{
		{
			Name: "a write by the old rules asks that there is no generation",
			File: "generation.go",
			Old:  `e.condition("attribute_not_exists(%s)", e.name(AttrGeneration))`,
			New:  ``,
		},
		{
			Name: "a write names the item's generation",
			File: "generation.go",
			Old:  `e.condition("(%s = %s OR attribute_not_exists(%s))", e.name(AttrGeneration), e.value(g), e.name(keyName(t)))`,
			New:  ``,
		},
		{
			Name: "an item that was left out is not taken for one that isn't there",
			File: "generation.go",
			Old:  `e.condition("(%s = %s OR attribute_not_exists(%s))", e.name(AttrGeneration), e.value(g), e.name(keyName(t)))`,
			New:  `e.condition("(%[1]s = %[2]s OR attribute_not_exists(%[1]s))", e.name(AttrGeneration), e.value(g))`,
		},
		{
			Name: "a late change names the generation",
			File: "addition.go",
			Old: `	e.expect(a.target, a.base.Generation)
	a.write(e, part)
	items :=`,
			New: `	a.write(e, part)
	items :=`,
		},
		{
			Name: "a standing names the generation",
			File: "standing.go",
			Old:  `e.expect(m.target, m.base.Generation)`,
			New:  ``,
		},
		{
			Name: "what the rebuild has taken is a duplicate",
			File: "generation.go",
			Old:  `return w.Generation > 0 && id.Time() <= w.end()`,
			New:  `return false`,
		},
		{
			Name: "the window's last change is in the window",
			File: "generation.go",
			Old:  `return w.Generation > 0 && id.Time() <= w.end()`,
			New:  `return w.Generation > 0 && id.Time() < w.end()`,
		},
		{
			Name: "what the rebuild has taken leaves its item there",
			File: "addition.go",
			Old: `item, written, err := a.table.write(ctx, a.target, e)
	if err != nil {
		return a.narrow(ctx, part, err)
	}
	if a.seen`,
			New: `item, written, err := a.seen.item, true, error(nil)
	if err != nil {
		return a.narrow(ctx, part, err)
	}
	if a.seen`,
		},
		{
			Name: "what the rebuild has taken names the generation",
			File: "addition.go",
			Old: `	e.expect(a.target, a.base.Generation)
	for _, sum`,
			New: `	for _, sum`,
		},
		{
			Name: "what the rebuild has taken leaves its values",
			File: "addition.go",
			Old: `	a.writeValues(e, part)
	item`,
			New: `	item`,
		},
		{
			Name: "a change behind the window is added to the new sums too",
			File: "generation.go",
			Old:  `if r == nil || r.Phase != Closing || version <= r.Current.Until || !r.Current.Takes(t) {`,
			New:  `if true {`,
		},
		{
			Name: "a change that isn't behind the window isn't",
			File: "generation.go",
			Old:  `if r == nil || r.Phase != Closing || version <= r.Current.Until || !r.Current.Takes(t) {`,
			New:  `if r == nil || r.Phase != Closing || version < r.Current.Until || !r.Current.Takes(t) {`,
		},
		{
			Name: "an item is switched once",
			File: "generation.go",
			Old:  `e.condition("(attribute_not_exists(%[1]s) OR %[1]s < %[2]s)", e.name(AttrGeneration), e.number(w.Generation))`,
			New:  ``,
		},
		{
			Name: "an item that isn't there isn't switched",
			File: "generation.go",
			Old:  `e.condition("attribute_exists(%s)", e.name(keyName(target)))`,
			New:  ``,
		},
		{
			Name: "an item that was left out is switched by an addition",
			File: "addition.go",
			Old:  `item, err := a.table.Switch(ctx, a.target, a.base)`,
			New:  `item, err := a.seen.item, error(nil)`,
		},
		{
			Name: "an item that was left out is switched by a standing",
			File: "standing.go",
			Old:  `_, wrong = s.table.Switch(ctx, m.target, m.base)`,
			New:  `_ = behind`,
		},
		{
			Name: "an older change leaves the row",
			File: "standing.go",
			Old:  `case p.row.id.Time() > p.ID.Time():`,
			New:  `case false:`,
		},
		{
			Name: "of changes at one time none is taken for the newer one",
			File: "standing.go",
			Old:  `case p.row == nil || p.row.id.Time() < p.ID.Time():`,
			New:  `case p.row == nil || p.row.id.Time() <= p.ID.Time():`,
		},
		{
			Name: "a row is made where there is none",
			File: "standing.go",
			Old:  `aws.String("attribute_not_exists(#change)"),`,
			New:  `aws.String("attribute_not_exists(#change) OR attribute_exists(#change)"),`,
		},
		{
			Name: "a row is replaced as it was read",
			File: "standing.go",
			Old:  `put.ConditionExpression = aws.String("#change = :change")`,
			New:  `put.ConditionExpression = aws.String("#change <> :change OR attribute_exists(#change)")`,
		},
		{
			Name: "the row's old contents are taken off",
			File: "standing.go",
			Old:  `add(p.row.target, p.row.sums, -1)`,
			New:  ``,
		},
		{
			Name: "an earlier rebuild's changes leave a later one's items",
			File: "standing.go",
			Old:  `if base.Generation > s.window.Generation {`,
			New:  `if false {`,
		},
		{
			Name: "of one call's changes of an item the newest is taken",
			File: "standing.go",
			Old:  `!found || standings[at].ID.Time() < one.ID.Time()`,
			New:  `at < 0 || !found`,
		},
		{
			Name: "boxes that close in time are left alone",
			File: "generation.go",
			Old:  `return w.Generation > 0 && (t.Closes.IsZero() || t.Closes.UnixMicro() >= w.Limit)`,
			New:  `return w.Generation > 0`,
		},
		{
			Name: "changes beyond the horizon are rejected",
			File: "standing.go",
			Old:  `return one.ID.Time() < horizon && one.ID != s.window.ScannedID()`,
			New:  `return one.ID.Time() < horizon && false`,
		},
		{
			Name: "the window is open until its end is known",
			File: "generation.go",
			Old: `	if w.Until == 0 {
		return w.Limit
	}`,
			New: ``,
		},
		{
			Name: "the rebuilds are saved as they were read",
			File: "rebuilds.go",
			Old:  `input.ConditionExpression = aws.String("#revision = :before")`,
			New:  `input.ConditionExpression = aws.String("#revision <= :before OR attribute_exists(#revision)")`,
		},
		{
			Name: "new rebuilds are saved where there are none",
			File: "rebuilds.go",
			Old:  `aws.String("attribute_not_exists(#revision)"),`,
			New:  `aws.String("attribute_not_exists(#revision) OR attribute_exists(#revision)"),`,
		},
	})
}

// TestGuardOfRepeats takes out what sets repeats aside. The sum is right without it, since
// the engine refuses them; but then each amount costs a call.
func TestGuardOfRepeats(t *testing.T) {
	server := *servertest.DynamoDB(t).BaseEndpoint
	mutant.Run(t, mutant.Test{
		Name: "TestAddRepeatedInOneCall",
		Env:  []string{servertest.DynamoDBVariable + "=" + server},
		Says: "want",
	}, []mutant.Mutant{
		{
			Name: "a repeat within one call is set aside",
			File: "addition.go",
			Old:  `if earlier, repeated := first[amount.ID]; repeated {`,
			New:  `if earlier, repeated := first[amount.ID]; repeated && false {`,
		},
	})
}

// TestGuardOfTies lets the latest of two values of one time depend on their order.
func TestGuardOfTies(t *testing.T) {
	server := *servertest.DynamoDB(t).BaseEndpoint
	mutant.Run(t, mutant.Test{
		Name: "TestLatestInEveryOrder",
		Env:  []string{servertest.DynamoDBVariable + "=" + server},
		Says: "want",
	}, []mutant.Mutant{
		{
			Name: "of two changes at one time the same one is the latest, in every order",
			File: "effect.go",
			Old: `if bytes.Compare(p.ID[:], a.seen.latest) > 0 {
			id := &types.AttributeValueMemberB{Value: bytes.Clone(p.ID[:])}`,
			New: `if bytes.Compare(p.ID[:7], a.seen.latest) > 0 {
			id := &types.AttributeValueMemberB{Value: bytes.Clone(p.ID[:7])}`,
		},
	})
}
