package ops

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/consumers/search/internal/document"
	"sluice/consumers/search/internal/searchtest"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/operate"
)

// Every kind of difference is found, and mended, with ids of all forms; what is on its
// way is none.
func TestVerify(t *testing.T) {
	g := newReindexed(t)
	long := strings.Repeat("long", 200)
	digits := func(last string) consumertest.Item {
		return consumertest.Item{
			"number": consumertest.N("1234567890123456789012345678901234567" + last),
			"deep":   consumertest.Value{"M": consumertest.Item{"l": consumertest.Value{"L": []consumertest.Value{{"NULL": true}, consumertest.B([]byte{0, 0xff}), {"BOOL": false}}}}},
			"set":    consumertest.Value{"NS": []string{"1", "2.5", "-3e10"}}, "texts": consumertest.Value{"SS": []string{"b", "a"}}, "bytes": consumertest.Value{"BS": []string{"QVE9PQ==", "QWc9PQ=="}},
		}
	}
	g.happen(searchtest.At(0, "same", digits("8")), searchtest.At(0, "a#b%~", searchtest.Text("x")), searchtest.At(0, long, searchtest.Text("x")), searchtest.At(0, "gone", searchtest.Text("x")))
	g.happen(searchtest.At(1, "gone", nil))
	g.Clock = g.Clock.Add(time.Minute)
	g.agrees(3)

	g.write(searchtest.At(2, "missing", digits("1")), searchtest.At(2, "missing "+long, searchtest.Text("x")), searchtest.At(2, "digit", digits("1")), searchtest.At(2, "field", searchtest.Text("x")))
	more := searchtest.Text("x")
	more["more"] = consumertest.S("")
	g.Apply([]consumertest.Change{
		searchtest.At(2, "digit", digits("2")), searchtest.At(2, "field", more), searchtest.At(2, "extra #%~", searchtest.Text("x")), searchtest.At(2, "extra "+long, searchtest.Text("x")),
	}, consumer.Applied, consumer.Applied, consumer.Applied, consumer.Applied)
	arrives := 0
	g.sleep = func(_ context.Context, d time.Duration) error {
		g.Clock = g.Clock.Add(d)
		if arrives++; arrives == 1 {
			g.Apply([]consumertest.Change{searchtest.At(3, "on its way", searchtest.Text("x"))}, consumer.Applied)
		}
		return nil
	}
	g.write(searchtest.At(3, "on its way", searchtest.Text("x")))
	want := func(repair bool, outcome string, wanted ...string) {
		t.Helper()
		c, r, err := g.compare(operate.Judging{Patience: time.Second})
		if err == nil && repair {
			err = c.Repair(t.Context(), r.Differences, true)
		}
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, d := range r.Differences {
			if d.Repair != outcome {
				t.Errorf("%s: repair %q, want %q", d.Key, d.Repair, outcome)
			}
			got = append(got, fmt.Sprint(d.Key[:min(12, len(d.Key))], " ", d.What))
		}
		if strings.Join(got, ", ") != strings.Join(wanted, ", ") || r.Items != 8 {
			t.Errorf("of %d items found\n%s, want\n%s", r.Items, strings.Join(got, ", "), strings.Join(wanted, ", "))
		}
	}
	hash := func(key string) string {
		return document.ID(searchtest.Parsed(searchtest.At(0, key, searchtest.Text("x"))).Keys)[:12]
	}
	all := []string{"digit different", "extra %23%25 extra", "field different", "missing missing", hash("extra "+long) + " extra", hash("missing "+long) + " missing"}
	slices.Sort(all)
	want(false, "", all...)
	want(true, "repaired", all...)
	want(false, "")
	g.agrees(8)

	// A document that is newer than the table was read is left alone.
	g.Apply([]consumertest.Change{searchtest.At(59, "same", digits("9"))}, consumer.Applied)
	want(true, "left alone: the index is newer", "same different")
}

// A document that OpenSearch refuses for good counts as refused, so nobody repairs it again and again. The others are
// repaired all the same. Fails if a refused repair is told as one that was made.
func TestRepairThatIsRefused(t *testing.T) {
	g := newReindexed(t)
	searchtest.Define(g.Routes[0], searchtest.Definition)
	searchtest.Define(g.Route, searchtest.Definition)
	g.happen(searchtest.At(0, "there", searchtest.Text("x")))
	g.Clock = g.Clock.Add(time.Minute)
	g.write(searchtest.At(2, "bad", consumertest.Item{"n": consumertest.S("no number")}), searchtest.At(2, "good", searchtest.Text("x")))
	waits := ""
	c, r, err := g.compare(operate.Judging{Patience: time.Second, Waiting: func(n int, most time.Duration) { waits += fmt.Sprint(n, " ", most, ";") }})
	if waits != "2 3s;" {
		t.Errorf("the waits that were announced are %q", waits)
	}
	if err != nil || len(r.Differences) != 2 || refused(r) != 0 {
		t.Fatalf("%+v, %v; want two differences", r, err)
	}
	if err := c.Repair(t.Context(), r.Differences, false); err != nil {
		t.Fatal(err)
	}
	bad, good := r.Differences[0], r.Differences[1]
	if refused(r) != 1 || bad.Key != "bad" || !strings.Contains(bad.Repair, "failed to parse field [n]") || good.Refused != "" || good.Repair != "repaired" {
		t.Errorf("%+v", r.Differences)
	}
}

// refused counts the differences that are refused for good.
func refused(r operate.Report) int {
	n := 0
	for _, d := range r.Differences {
		if d.Refused != "" {
			n++
		}
	}
	return n
}

// An alias that shows removed items is told, not compared.
func TestVerifyWithoutFilter(t *testing.T) {
	g := newReindexed(t)
	g.happen(searchtest.At(0, "a", searchtest.Text("x")), searchtest.At(0, "b", searchtest.Text("x")))
	g.happen(searchtest.At(1, "b", nil))
	index := searchtest.Lane(g.Cfg)
	g.Must(http.MethodPost, "/_aliases", fmt.Sprintf(`{"actions":[{"add":{"index":%q,"alias":%q,"filter":{"match_all":{}}}}]}`, index+"-1", index), nil)
	if _, r, err := g.compare(operate.Judging{}); err == nil || !strings.Contains(err.Error(), "shows removed items such as b: its filter is gone") {
		t.Errorf("%+v, %v", r, err)
	}
}

// Before the function's first change there is no index. That is no fault, unless the
// table has items; these a repair brings into a new one.
func TestVerifyBeforeTheFirstChange(t *testing.T) {
	g := newReindexed(t)
	searchtest.Define(g.Route, searchtest.Definition)
	g.Clock = g.Clock.Add(time.Minute)
	g.agrees(0)
	g.write(searchtest.At(0, "early", searchtest.Text("x")))
	for _, want := range []string{"", "repaired"} {
		c, r, err := g.compare(operate.Judging{})
		if err == nil && want != "" {
			err = c.Repair(t.Context(), r.Differences, false)
		}
		if err != nil || len(r.Differences) != 1 {
			t.Fatalf("%+v, %v, want one difference", r, err)
		}
		if d := r.Differences[0]; d.Key != "early" || d.What != operate.Missing || d.Repair != want {
			t.Errorf("%+v, want early missing, %s", d, want)
		}
	}
	g.agrees(1)
}

// A document that is written between two looks has changes in flight; one that was written while it was compared is left alone by a
// repair. Fails if a repair overwrites what somebody has just written.
func TestVerifyWhileItIsWritten(t *testing.T) {
	g := newReindexed(t)
	g.happen(searchtest.At(0, "a", searchtest.Text("x")))
	g.Clock = g.Clock.Add(time.Minute)
	g.write(searchtest.At(40, "a", searchtest.Text("table")))
	c := g.Comparison(1)
	look := func(suspects []operate.Difference, moving, written bool) []operate.Difference {
		t.Helper()
		l, err := c.Look(t.Context(), suspects)
		if err != nil || len(l.Differences) != 1 {
			t.Fatalf("%+v, %v, want one difference", l, err)
		}
		if d := l.Differences[0]; d.Moving != moving || d.Written != written || d.What != operate.Different {
			t.Errorf("%+v, want moving: %v, written: %v", d, moving, written)
		}
		return l.Differences
	}
	found := look(nil, false, false)
	found = look(found, false, false)
	g.Apply([]consumertest.Change{searchtest.At(20, "a", searchtest.Text("index"))}, consumer.Applied)
	moved := look(found, true, true)
	look(moved, false, true)
	g.write(searchtest.At(45, "a", searchtest.Text("table again")))
	look(found, true, true)
	for _, d := range [][]operate.Difference{found, moved} {
		if err := c.(operate.Repairer).Repair(t.Context(), d, true); err != nil || d[0].Repair != "left alone: it was written while it was compared" {
			t.Errorf("%+v, %v", d, err)
		}
	}
}
