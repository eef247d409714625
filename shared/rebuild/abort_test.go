package rebuild

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/shared/aggregate"
	"sluice/shared/consumertest/proof"
	"sluice/shared/consumertest/wire"
)

// A second process gives the rebuild up before each of the tool's calls. Fails if the tool
// then says that the view is rebuilt, if a rebuild is given up that switches already, if
// the state isn't left, or if the next rebuild leaves shadows of the one given up.
func TestAbortAtEveryCall(t *testing.T) {
	aborted := 0
	for k := 1; ; k += proof.Size(1, 2) {
		w := newWorld(t)
		calls, reached := 0, false
		var abortErr error
		w.before = func(_ call, _ *aggregate.Rebuilds) {
			if calls++; calls == k {
				reached = true
				other := w.tool()
				other.Client = w.direct
				_, abortErr = other.Abort(t.Context())
			}
		}
		_, err := w.tool().Run(t.Context())
		w.before = nil
		if !reached {
			break
		}
		state := w.state()
		switch {
		case abortErr == nil:
			aborted++
			if !errors.Is(err, ErrAborted) {
				t.Errorf("call %d: the run ends with %v, want %v", k, err, ErrAborted)
			}
			if state.Phase != "" || len(state.Done) > 0 {
				t.Errorf("call %d: the rebuilds are %+v, want none", k, state)
			}
		case !errors.Is(abortErr, ErrNotUnderWay) && !errors.Is(abortErr, ErrSwitching):
			t.Errorf("call %d: %v", k, abortErr)
		case err != nil:
			t.Errorf("call %d: not given up, but the run ends with %v", k, err)
		}
		if _, r := w.run(); r.Phase != "" || len(r.Done) == 0 {
			t.Errorf("call %d: the next rebuild leaves %+v", k, r)
		}
		for name := range w.total() {
			if strings.HasPrefix(name, aggregate.ShadowPrefix) {
				t.Errorf("call %d: %s is left", k, name)
			}
		}
	}
	if aborted < 5 {
		t.Errorf("given up %d times, want more", aborted)
	}
}

// The answer to the write that gives the rebuild up gets lost. Fails if Abort then says
// that there was none.
func TestAbortLostAnswer(t *testing.T) {
	w := newWorld(t)
	state := &aggregate.Rebuilds{Phase: aggregate.Scanning, Current: aggregate.Window{Generation: 1, First: 1, From: 1, Limit: 2}}
	if err := state.Save(t.Context(), w.direct, "ledger", "totals"); err != nil {
		t.Fatal(err)
	}
	lost := false
	w.fault = func(c wire.Call) wire.Fault {
		if c.Operation == "PutItem" && !lost {
			lost = true
			return wire.LostAnswer
		}
		return wire.None
	}
	tool := w.tool()
	tool.Client = dynamodb.New(w.client.Options(), func(o *dynamodb.Options) { o.Retryer = retry.NewStandard() })
	if generation, err := tool.Abort(t.Context()); err != nil || generation != 1 {
		t.Errorf("gave up generation %d, %v; want 1", generation, err)
	}
	if _, err := tool.Abort(t.Context()); !errors.Is(err, ErrNotUnderWay) {
		t.Errorf("once more: %v, want %v", err, ErrNotUnderWay)
	}
	if state := w.state(); state.Phase != "" || state.Current.Generation != 1 {
		t.Errorf("the rebuilds are %+v, want none under way and number 1 used", state)
	}
}

// Two scores have no sum of 38 digits, one player's name doesn't fit into the view's key,
// and one score is a text. Fails if the rebuild ends there, if it doesn't name them with
// the attribute and the limit, or if others are left out.
func TestUnusableItems(t *testing.T) {
	w := newWorld(t)
	s := func(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }
	n := func(v string) types.AttributeValue { return &types.AttributeValueMemberN{Value: v} }
	for _, item := range []map[string]types.AttributeValue{
		{"User": s("big"), "Game": s("1"), "Score": n("1E+40")},
		{"User": s("big"), "Game": s("2"), "Score": n("0.001")},
		{"User": s(strings.Repeat("u", 2047)), "Game": s("1"), "Score": n("1")},
		{"User": s("text"), "Game": s("1"), "Score": s("many")},
		{"User": s("text"), "Game": s("2"), "Score": n("5")},
	} {
		if _, err := w.direct.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("games"), Item: item}); err != nil {
			t.Fatal(err)
		}
	}
	w.key = "p#{User}"
	p, err := w.tool().Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if p.Unusable != 3 || len(p.Named) != 3 {
		t.Fatalf("%d items can't be used: %v; want 3", p.Unusable, p.Named)
	}
	var named []string
	for _, u := range p.Named {
		named = append(named, u.Key+": "+u.Reason)
	}
	for _, want := range []string{`User="big" Game="`, "38 digits", "Score is 1E+40, and with 0.001 more", "User would have 2049 bytes, but a partition key has at most 2048", `User="text" Game="1": attribute "Score"`} {
		if !strings.Contains(strings.Join(named, "\n"), want) {
			t.Errorf("nothing says %q:\n%s", want, strings.Join(named, "\n"))
		}
	}
	for user, want := range map[string]string{"p#reed": "7", "p#text": "5"} {
		out, err := w.direct.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("totals"), Key: map[string]types.AttributeValue{"User": s(user)}})
		if err != nil {
			t.Fatal(err)
		}
		if score, ok := out.Item["Score"].(*types.AttributeValueMemberN); !ok || score.Value != want {
			t.Errorf("%s has %v, want %s", user, out.Item, want)
		}
	}
}
