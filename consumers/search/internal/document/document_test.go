package document_test

import (
	"strings"
	"testing"
	"time"

	"sluice/consumers/search/internal/document"
	"sluice/consumers/search/internal/searchtest"
	"sluice/shared/consumertest"
)

// The id of each item is its own: fails for ids that join keys without escapes, tell
// no types apart, or are cut.
func TestDocumentIDs(t *testing.T) {
	pair := func(a, b consumertest.Value) consumertest.Item { return consumertest.Item{"PK": a, "SK": b} }
	s, n, b := consumertest.S, consumertest.N, consumertest.B
	long := strings.Repeat("x", 2040)
	byID := map[string]string{}
	for _, test := range []struct {
		keys consumertest.Item
		want string // "": only that no other has it
	}{
		{pair(s("PET#rex"), s("PROFILE")), "PET%23rex#PROFILE"},
		{pair(s("a#b"), s("c")), "a%23b#c"},
		{pair(s("a"), s("b#c")), "a#b%23c"},
		{pair(s("a%23b"), s("c")), "a%2523b#c"},
		{consumertest.Item{"id": s("alyssa")}, "alyssa"},
		{consumertest.Item{"id": s("ünï 🦦")}, "ünï 🦦"},
		{consumertest.Item{"id": s("5")}, "5"},
		{consumertest.Item{"id": n("5.0")}, "~n5"},
		{consumertest.Item{"id": s("~n5")}, "%7En5"},
		{consumertest.Item{"id": b([]byte{5, 0xff})}, "~bBf8"},
		{consumertest.Item{"id": s("\x00\n\x7f")}, "%00%0A%7F"},
		{consumertest.Item{"id": s(long)}, ""},
		{consumertest.Item{"id": s(long + "y")}, ""},
		{pair(s(long), s("y")), ""},
	} {
		c := searchtest.Parsed(searchtest.InsertOf(test.keys, nil))
		id := document.ID(c.Keys)
		if test.want != "" && id != test.want {
			t.Errorf("%s has id %s, want %s", c.ItemKey(), id, test.want)
		}
		if len(id) > document.MaxID {
			t.Errorf("id of %d bytes", len(id))
		}
		if other, taken := byID[id]; taken {
			t.Errorf("%.100q and %.100q have the same document %s", other, c.ItemKey(), id)
		}
		byID[id] = c.ItemKey()
	}
	if one, same := document.ID(searchtest.Parsed(searchtest.InsertOf(consumertest.Item{"id": n("1e1")}, nil)).Keys), document.ID(searchtest.Parsed(searchtest.InsertOf(consumertest.Item{"id": n("10")}, nil)).Keys); one != same {
		t.Errorf("one item has ids %s and %s", one, same)
	}
}

// Every type as README.md has it: fails for a number that goes through float64, or
// binary that stays encoded twice.
func TestDocument(t *testing.T) {
	r := searchtest.RouteOf(`{"mappings": {"dynamic": false}}`, "leaveOut: [secret]", "rename: {old: new}")
	for _, test := range []struct {
		value consumertest.Value
		want  string
	}{
		{consumertest.S("ünï \"\n"), `"ünï \"\n"`},
		{consumertest.N("12345678901234567890123456789012345678"), `12345678901234567890123456789012345678`},
		{consumertest.N("9007199254740993"), `9007199254740993`},
		{consumertest.N("-1.2345678901234567890123456789012345678e-92"), `-1.2345678901234567890123456789012345678e-92`},
		{consumertest.B([]byte{0, 0xff}), `"AP8="`},
		{consumertest.Value{"BOOL": false}, `false`},
		{consumertest.Value{"NULL": true}, `null`},
		{consumertest.Value{"SS": []string{"a", "b"}}, `["a","b"]`},
		{consumertest.Value{"NS": []string{"1", "0.1"}}, `[1,0.1]`},
		{consumertest.Value{"BS": []any{consumertest.B([]byte{1})["B"]}}, `["AQ=="]`},
		{consumertest.Value{"L": []consumertest.Value{consumertest.N("1"), consumertest.S("1")}}, `[1,"1"]`},
		{consumertest.Value{"M": consumertest.Item{"secret": consumertest.S("x")}}, `{"secret":"x"}`},
	} {
		c := searchtest.Parsed(searchtest.InsertOf(consumertest.Item{"id": consumertest.S("k")}, consumertest.Item{"old": test.value, "secret": consumertest.S("s")}))
		got := string(r.AppendDocument(nil, c, consumertest.Arrival.Add(time.Second)))
		want := `{"_sluice":{"time":"2026-01-02T03:04:05.000000Z","indexed":"2026-01-02T03:04:06.000000Z"},"id":"k","new":` + test.want + `}`
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// Of two changes at one time each order finds the same one newer, and a later one is
// newer than both.
func TestVersions(t *testing.T) {
	at := func(us int, text string) int64 {
		change := searchtest.InsertOf(consumertest.Item{"id": consumertest.S("k")}, consumertest.Item{"a": consumertest.S(text)})
		change.Time = change.Time.Add(time.Duration(us) * time.Microsecond)
		v, err := document.Version(searchtest.Parsed(change))
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	a, b, later := at(0, "a"), at(0, "b"), at(1, "a")
	if !document.Tie(a, b) || document.Tie(a, a) || document.Tie(a, later) {
		t.Errorf("ties of %d, %d, %d", a, b, later)
	}
	if later <= a || later <= b || at(-1, "a") >= a || a != at(0, "a") {
		t.Errorf("the order is wrong: %d, %d, %d", a, b, later)
	}
}
