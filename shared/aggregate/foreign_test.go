package aggregate

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/shopspring/decimal"

	"sluice/shared/consumer"
)

// anyValue has a value of each type, for an attribute that somebody else writes.
var anyValue = map[string]types.AttributeValue{
	"text": &types.AttributeValueMemberS{Value: "5"}, "long text": &types.AttributeValueMemberS{Value: strings.Repeat("x", 400)},
	"number": &types.AttributeValueMemberN{Value: "5"}, "fraction": &types.AttributeValueMemberN{Value: "1.5"}, "large number": &types.AttributeValueMemberN{Value: "9E+125"},
	"binary": &types.AttributeValueMemberB{Value: []byte("5")}, "short ids": &types.AttributeValueMemberBS{Value: shortIDs()},
	"list": &types.AttributeValueMemberL{Value: []types.AttributeValue{}}, "null": &types.AttributeValueMemberNULL{Value: true},
}

// laterRebuild reports whether the attribute says that the item comes from a rebuild that nobody knows of. Its changes
// have to wait: the one who has lost the ledger's rows brings them back.
func laterRebuild(attribute, kind string) bool {
	return attribute == AttrGeneration && kind == "number"
}

// shortIDs are as many as an item remembers, and no ids.
func shortIDs() (ids [][]byte) {
	for n := range Capacity {
		ids = append(ids, []byte{byte(n)})
	}
	return ids
}

// Somebody else writes each attribute of an item with a value of each type. Then changes come that are fresh, late, or
// taken by a rebuild. Fails if one of them comes again for ever, since its condition never holds; if the function panics; if the
// dead letter doesn't name the attribute; or if a change that doesn't need the attribute isn't applied.
func TestForeignAttributes(t *testing.T) {
	w := newWorld(t)
	table, _ := w.table(nil)
	for _, attribute := range []string{"Sum", "Count", "Low", "High", "Last", attrIDs, attrSpillTime, attrLatestChange, AttrGeneration} {
		for _, kind := range slices.Sorted(maps.Keys(anyValue)) {
			if laterRebuild(attribute, kind) {
				continue
			}
			for state, r := range map[string]*Rebuilds{"no rebuild": nil, "rebuilt": doneFirst} {
				name := fmt.Sprintf("%s, %s, %s", attribute, kind, state)
				item := map[string]types.AttributeValue{"Name": target(name).Key["Name"]}
				if r != nil {
					item[AttrGeneration] = number64(1)
				}
				item[attribute] = anyValue[kind]
				w.put(item)
				to := target(name)
				to.Sums, to.Rebuilds = []string{"Count", "Sum"}, r
				removal := full(301, 5, true)
				for i, err := range add(t.Context(), table, to, []Amount{full(300, 5, false), removal, full(50, 6, false)}) {
					outcome := consumer.OutcomeOf(err)
					needless := attribute == "Last" || i == 1 && slices.Contains([]string{"Low", "High", attrLatestChange}, attribute)
					switch {
					case outcome == consumer.Retry, needless && outcome == consumer.Rejected:
						t.Errorf("%s: change %d: %v: %v", name, i, outcome, err)
					case outcome == consumer.Rejected && !strings.Contains(err.Error(), attribute):
						t.Errorf("%s: change %d: the rejection doesn't name the attribute: %v", name, i, err)
					}
				}
			}
		}
	}
}

// As TestForeignAttributes, for a rebuild's scan and switch.
func TestForeignAttributesOfARebuild(t *testing.T) {
	w := newWorld(t)
	table, _ := w.table(nil)
	for _, attribute := range []string{"Sum", shadow(1, "Sum"), AttrGeneration} {
		for _, kind := range slices.Sorted(maps.Keys(anyValue)) {
			if laterRebuild(attribute, kind) {
				continue
			}
			for state, r := range map[string]*Rebuilds{"scanning": {Phase: Scanning, Current: first}, "switching": switchingFirst} {
				name := fmt.Sprintf("%s, %s, %s", attribute, kind, state)
				w.put(map[string]types.AttributeValue{"Name": target(name).Key["Name"], attribute: anyValue[kind]})
				list := []Standing{scanned("item of "+name, name, "5"), scanned("another of "+name, name, "6"), scanned("healthy "+name, name+" healthy", "7")}
				for i, err := range table.Stand(t.Context(), "view", r, first, list) {
					switch outcome := consumer.OutcomeOf(err); {
					case outcome == consumer.Retry, i == 2 && outcome != consumer.Applied:
						t.Errorf("%s: standing %d: %v", name, i, err)
					case outcome == consumer.Rejected && !strings.Contains(err.Error(), strings.TrimPrefix(attribute, ShadowPrefix+"1.")):
						t.Errorf("%s: the rejection doesn't name the attribute: %v", name, err)
					}
				}
				if _, err := table.Switch(t.Context(), rebuilt(name, nil), first); err != nil && consumer.OutcomeOf(err) != consumer.Rejected {
					t.Errorf("%s: switch: %v", name, err)
				}
			}
		}
	}
}

// Entries of the ledger that somebody else has written reject the changes that need them.
func TestForeignLedger(t *testing.T) {
	w := newWorld(t)
	table, _ := w.table(nil)
	list := amounts(0, 2*Capacity)
	add(t.Context(), table, target("a"), list)
	if _, err := w.direct.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("ledger"), Item: map[string]types.AttributeValue{
		attrGroup: &types.AttributeValueMemberS{Value: "a"}, attrEntry: &types.AttributeValueMemberS{Value: bucketEntry(list[1].ID.Time()) + "mine"},
	}}); err != nil {
		t.Fatal(err)
	}
	late := amount(1, "1")
	late.ID[10] = 77
	for i, err := range add(t.Context(), table, target("a"), []Amount{late, amount(1000, "1")}) {
		if want := []consumer.Outcome{consumer.Rejected, consumer.Applied}[i]; consumer.OutcomeOf(err) != want {
			t.Errorf("change %d: %v, want %v", i, err, want)
		}
	}
}

// The switch to a rebuild's sums makes the item larger than DynamoDB's items can be. Fails if the change that comes
// to the item, or a standing, is tried again for ever, or if the error doesn't name the limit.
func TestRefusedSwitch(t *testing.T) {
	w := newWorld(t)
	table, _ := w.table(nil)
	full := func(name string) {
		padding := maxItem - len("Name"+name+"Padding")
		w.put(map[string]types.AttributeValue{"Name": target(name).Key["Name"], "Padding": &types.AttributeValueMemberS{Value: strings.Repeat("x", padding)}})
	}
	full("a")
	errs := add(t.Context(), table, rebuilt("a", switchingFirst), amounts(300, 302))
	full("b")
	errs = append(errs, table.Stand(t.Context(), "view", switchingFirst, first, []Standing{standing("one", 150, "b", "1"), standing("two", 151, "b", "1")})...)
	// An item of the source leaves the view, but the view's item can't be switched.
	w.stand(&Rebuilds{Phase: Scanning, Current: first}, first, []Standing{scanned("three", "d", "1")}, consumer.Applied)
	full("d")
	errs = append(errs, table.Stand(t.Context(), "view", switchingFirst, first, []Standing{standing("three", 160, "", "")})...)
	_, err := table.Switch(t.Context(), rebuilt("b", nil), first)
	for i, err := range append(errs, err) {
		if consumer.OutcomeOf(err) != consumer.Rejected || !strings.Contains(fmt.Sprint(err), fmt.Sprint(maxItem)) {
			t.Errorf("%d: %v, want a rejection that names the limit", i, err)
		}
	}
	w.add(rebuilt("c", switchingFirst), nil, amount(300, "1"))
}

// Groups of the ledger are keys too. Fails if a change whose group DynamoDB refuses comes again for ever once its item
// remembers as much as it can.
func TestRefusedGroup(t *testing.T) {
	w := newWorld(t)
	table, _ := w.table(nil)
	for name, group := range map[string]string{"empty": "", "long": strings.Repeat("x", maxPartitionKey+1)} {
		to := target(name)
		to.Group = group
		list := amounts(100, 100+Capacity)
		wantOutcomes(t, add(t.Context(), table, to, list), Capacity, 0, 0)
		for i, err := range add(t.Context(), table, to, append(amounts(300, 303), list[0])) {
			if want := []consumer.Outcome{consumer.Rejected, consumer.Rejected, consumer.Rejected, consumer.Duplicate}[i]; consumer.OutcomeOf(err) != want {
				t.Errorf("%s: change %d: %.300v, want %v", name, i, err, want)
			}
		}
		w.wantSum(name, total(list))
	}
}

// The rejection names the attribute whose number is past the limits, and the limits.
func TestRejectionNamesTheNumber(t *testing.T) {
	w := newWorld(t)
	table, _ := w.table(nil)
	past := amount(1, "1")
	past.Add["Large"] = decimal.RequireFromString("1E+126")
	sum := amount(3, "0.001")
	for i, err := range add(t.Context(), table, target("a"), []Amount{past, amount(2, "1E+40"), sum}) {
		want := []string{"Large would be 1E+126", "", "Sum is 1E+40, and with 0.001 more"}[i]
		rejected := consumer.OutcomeOf(err) == consumer.Rejected
		if rejected != (want != "") || rejected && (!strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "38 digits")) {
			t.Errorf("change %d: %v, want %q", i, err, want)
		}
	}
}

func (w *world) put(item map[string]types.AttributeValue) {
	w.t.Helper()
	if _, err := w.direct.PutItem(w.t.Context(), &dynamodb.PutItemInput{TableName: aws.String("sums"), Item: item}); err != nil {
		w.t.Fatal(err)
	}
}
