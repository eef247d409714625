package operate

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
)

// plan deletes some of the items that its destination holds.
func plan(remove, held int) Plan {
	return Plan{Verb: "sluice verify replication --repair", Where: "AWS account 123456789012, region eu-west-1", Steps: []Step{
		{Into: "table Copy in eu-west-1", From: "table Orders in us-east-1", Write: 3, Remove: remove, Held: held},
	}}
}

// Each way to ask, and each answer. Fails if a verb goes on without consent.
func TestConsent(t *testing.T) {
	for _, c := range []struct {
		name    string
		consent Consent
		answer  string
		plan    Plan
		want    bool
		err     error
	}{
		{"nobody to ask", Consent{}, "yes\n", plan(0, 10), false, ErrNotConfirmed},
		{"agreed in advance", Consent{Yes: true}, "", plan(0, 10), true, nil},
		{"yes", Consent{Terminal: true}, "yes\n", plan(0, 10), true, nil},
		{"yes without a line's end", Consent{Terminal: true}, "yes", plan(0, 10), true, nil},
		{"y", Consent{Terminal: true}, "y\n", plan(0, 10), false, ErrDeclined},
		{"no answer", Consent{Terminal: true}, "", plan(0, 10), false, ErrDeclined},
		{"a dry run", Consent{DryRun: true, Yes: true}, "", plan(0, 10), false, nil},
		{"nothing to do", Consent{Yes: true}, "", Plan{Steps: []Step{{Into: "table A"}}}, false, nil},
		{"an act without items", Consent{Yes: true}, "", Plan{Steps: []Step{{Into: "index A", Act: "it is deleted"}}}, true, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			c.consent.In, c.consent.Out = strings.NewReader(c.answer), &out
			got, err := c.consent.To(t.Context(), c.plan)
			if got != c.want || !errors.Is(err, c.err) {
				t.Errorf("%v, %v; want %v, %v", got, err, c.want, c.err)
			}
			for _, s := range c.plan.Steps {
				if !strings.Contains(out.String(), s.Into) || !strings.Contains(out.String(), c.plan.Where) {
					t.Errorf("the plan wasn't printed:\n%s", &out)
				}
			}
		})
	}
}

// Somebody who interrupts the question didn't agree.
func TestConsentInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	in, _ := io.Pipe() // no answer ever comes
	if ok, err := (Consent{Terminal: true, In: in, Out: io.Discard}).To(ctx, plan(0, 10)); ok || !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v; want no consent", ok, err)
	}
}

// What may be deleted, at each side of each bound. Fails if a plan beyond one goes through without its number.
func TestRemoval(t *testing.T) {
	for _, c := range []struct {
		allowed      bool
		named        int
		limit        string
		remove, held int
		ok           bool
	}{
		{false, 0, "1%,100", 0, 10, true},
		{false, 0, "1%,100", 1, 1000, false},
		{true, 0, "1%,100", 1, 50, true}, // 1 % of 50, rounded up
		{true, 0, "1%,100", 2, 50, false},
		{true, 0, "1%,100", 1, 1, false}, // all there is
		{true, 0, "1%,100", 100, 10_000, true},
		{true, 0, "1%,100", 101, 10_000, false},
		{true, 0, "1%,100", 101, 1_000_000, false},
		{true, 0, "50%", 101, 1000, true},
		{true, 0, "100%", 1000, 1000, false},
		{true, 0, "7", 7, 8, true},
		{true, 0, "7", 8, 9, false},
		{true, 0, "0", 1, 1000, false},
		{true, 12, "1%,100", 12, 12, true},
		{true, 11, "1%,100", 12, 12, false},
		{true, 5000, "1%,100", 4000, 4000, true},
	} {
		limit, err := ParseLimit(c.limit)
		if err != nil {
			t.Fatal(err)
		}
		p := plan(c.remove, c.held)
		err = Removal{Allowed: c.allowed, Named: c.named, Limit: limit}.Check(p)
		beyond, is := errors.AsType[*BeyondError](err)
		if (err == nil) != c.ok || err != nil && !is {
			t.Errorf("%+v: %v", c, err)
		}
		if c.allowed && is && !strings.Contains(err.Error(), "--remove-extra=") {
			t.Errorf("%+v: the error doesn't say how to go on: %v", c, beyond)
		}
	}
	for _, text := range []string{"", "x", "-1", "1%,", "101%", "NaN%", "1%,-1", "%"} {
		if limit, err := ParseLimit(text); err == nil {
			t.Errorf("limit %q is read as %v", text, limit)
		}
	}
	if limit, err := ParseLimit("1%,100"); err != nil || limit != DefaultLimit {
		t.Errorf("the default is read as %v, %v", limit, err)
	}
}
