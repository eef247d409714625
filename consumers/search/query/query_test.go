package query

import (
	"errors"
	"testing"

	"sluice/shared/consumertest"
)

// What the language's every form finds.
func TestLanguage(t *testing.T) {
	w := newWorld(t)
	w.pets()
	for text, want := range map[string]string{
		"":                             "bello fluffy rex",
		"   ":                          "bello fluffy rex",
		"dog":                          "bello rex",
		"DOG":                          "bello rex",
		"dog weight:>10":               "rex",
		"dog weight:<=9.99":            "bello",
		"dog weight:<9.990":            "",
		"weight:9.99":                  "bello",
		"weight:4..9.99":               "bello fluffy",
		"weight:10..":                  "rex",
		"weight:..4":                   "fluffy",
		"species:dog -bello":           "rex",
		"-species:dog":                 "fluffy",
		"great rex":                    "rex",
		`"Rex the"`:                    "rex",
		`"the Rex"`:                    "",
		"flufy":                        "fluffy", // a letter is missing
		"fluffi":                       "fluffy",
		"-flufy":                       "bello fluffy rex", // what is left out is meant as written
		"cta":                          "",                 // a keyword, and too short to have a typo
		"golden retreiver":             "bello",
		"gold*":                        "bello",
		"species:do*":                  "bello rex",
		"tags:brown tags:big":          "rex",
		"age:*":                        "fluffy rex",
		"-age:*":                       "bello",
		"rex OR fluffy":                "fluffy rex",
		"cat OR dog weight:<10":        "bello fluffy",
		`notes:"\"fish\""`:             "fluffy",
		`"OR"`:                         "fluffy",
		"species:a..d":                 "fluffy",
		"name:rex species:cat":         "",
		"_sluice.time:>2000":           "bello fluffy rex",
		"_sluice.time:<2000-01-01":     "",
		`weight:>"10"`:                 "rex",
		"gone":                         "",
		"secret":                       "",
		"weight:<1e400":                "bello fluffy rex",
		"weight:>99999999999999999999": "",
	} {
		if got := names(w.find(Request{Index: "pets", Text: text})); got != want {
			t.Errorf("%s: found %q, want %q", text, got, want)
		}
	}
}

// What a query does wrong is said with its place, in words that help.
func TestFaultsOfAQuery(t *testing.T) {
	w := newWorld(t)
	w.pets()
	for text, want := range map[string]string{
		"dog wight:>10":        "query, column 5: there is no field wight; there are: PK, SK, age, breed, entityType, name, notes, ownerId, petId, species, tags, weight; quote what you look for if it has a colon",
		"weight:heavy":         `query, column 8: field weight is of type double: "heavy" is no number`,
		"weight:1*":            "query, column 8: field weight is of type double: numbers have no beginning; write weight:>=1, or weight:10..19",
		`dog "the great`:       "query, column 5: the quote that begins here doesn't end",
		"name:>a":              "query, column 7: field name is of type text: it has no order; look for words, or sort by it",
		"*ex":                  "query, column 1: a * needs letters before it; field:* finds what has any value",
		"r*x":                  "query, column 2: a * may only stand at a word's end; in quotes it is a text",
		"dog OR":               "query, column 5: OR must stand between two terms; in quotes it is a word",
		"OR dog":               "query, column 1: OR must stand between two terms; in quotes it is a word",
		"dog AND cat":          "query, column 5: all terms must hold anyway, and -term is what must not; in quotes AND is a word",
		"(dog)":                "query, column 1: parentheses mean nothing here: OR stands between two terms, all else must hold together; quote what you look for",
		"weight:":              "query, column 1: field weight: a value is missing; * is for any",
		":dog":                 "query, column 1: a field's name is missing before the colon; quote what you look for if it has a colon",
		"- dog":                "query, column 1: - must stand right before what is to be left out; in quotes it is a text",
		"_sluice.time:>monday": `query, column 15: field _sluice.time is of type date_nanos: "monday" is no date; write 2026-01-31, or "2026-01-31 18:30:00" in UTC, or less or more of it`,
		"_sluice.deleted:true": "query, column 1: there is no field _sluice.deleted; there are: PK, SK, age, breed, entityType, name, notes, ownerId, petId, species, tags, weight; quote what you look for if it has a colon",
	} {
		_, err := w.Search(t.Context(), Request{Index: "pets", Text: text})
		if err == nil || err.Error() != want {
			t.Errorf("%s: %v\nwant %s", text, err, want)
		}
	}
}

// Numbers are compared by every digit that their type holds, never as doubles.
func TestLargeNumbers(t *testing.T) {
	w := newWorld(t)
	player := func(name, reached string) consumertest.Change {
		return consumertest.Change{
			Table: "Leaderboard", Keys: consumertest.Item{"UserId": consumertest.S(name)},
			New: consumertest.Item{"Score": consumertest.N("1"), "ReachedAt": consumertest.N(reached)},
		}
	}
	w.deliver(player("a", "9007199254740992"), player("b", "9007199254740993"), player("c", "9223372036854775807"))
	for text, want := range map[string]string{
		"reachedAt:9007199254740993":                   "b",
		"reachedAt:>9007199254740992":                  "b c",
		"reachedAt:>9007199254740992.5":                "b c",
		"reachedAt:<9007199254740993":                  "a",
		"reachedAt:9007199254740992.5":                 "",
		"reachedAt:>=9223372036854775807":              "c",
		"reachedAt:>9223372036854775807":               "",
		"reachedAt:<99999999999999999999":              "a b c",
		"reachedAt:9007199254740993..9007199254740993": "b",
	} {
		if got := names(w.find(Request{Index: "players", Text: text})); got != want {
			t.Errorf("%s: found %q, want %q", text, got, want)
		}
	}
	a := w.find(Request{Index: "players", Filters: []Filter{{"reachedAt", "9007199254740993"}}, Sort: ParseSort("-reachedAt")})
	if got := names(a); got != "b" || string(a.Hits[0].Source) != `{"player":"b","reachedAt":9007199254740993,"score":1}` {
		t.Errorf("a filter finds %q: %s", got, a.Hits[0].Source)
	}
}

// A hit says when its item changed, and what matched in it; an answer how fresh it
// is, and how often each value occurs.
func TestAnswer(t *testing.T) {
	w := newWorld(t)
	w.pets()
	newest := w.clock.Add(-1e9) // that of the removal
	a := w.find(Request{Index: "pets", Text: "thunder cats", Highlight: true, Facets: []string{"species", "tags"}})
	if names(a) != "rex" || a.Total != (Total{1, true}) || a.Next != "" {
		t.Fatalf("found %q, %v in all, next %q", names(a), a.Total, a.Next)
	}
	hit := a.Hits[0]
	if got := hit.Highlights["notes"]; len(got) != 1 || got[0] != "afraid of <mark>thunder</mark>, and of &lt;b&gt;<mark>cats</mark>&lt;&#x2F;b&gt;" {
		t.Errorf("highlights %q", hit.Highlights)
	}
	if !hit.Time.Equal(newest.Add(-4e9)) || hit.Indexed.Before(hit.Time) {
		t.Errorf("changed at %v, indexed at %v; the newest change was at %v", hit.Time, hit.Indexed, newest)
	}
	if !a.Freshness.Newest.Equal(newest) || a.Freshness.Age != w.now().Sub(newest).Milliseconds() && a.Freshness.Age > w.now().Sub(newest).Milliseconds() {
		t.Errorf("freshness %+v, want that of the removal at %v", a.Freshness, newest)
	}
	a = w.find(Request{Index: "pets", Facets: []string{"species", "tags"}, Size: 1, Sort: ParseSort("-weight")})
	if len(a.Facets) != 2 || len(a.Facets[0].Values) != 2 || a.Facets[0].Values[0] != (FacetValue{"dog", 2}) || a.Facets[1].Values[0] != (FacetValue{"brown", 2}) {
		t.Errorf("facets %+v", a.Facets)
	}
	if names(a) != "rex" || a.Next == "" || a.Total.Count != 3 {
		t.Errorf("the heaviest is %q of %v, next %q", names(a), a.Total, a.Next)
	}
}

// Exactly what is in a filter is looked for.
func TestFilters(t *testing.T) {
	w := newWorld(t)
	w.pets()
	for text, want := range map[string]string{
		"species=dog": "bello rex", "species=do*": "", "species=DOG": "", "weight=4.0": "fluffy", "name=Rex the Great": "rex", "name=rex": "", "tags=brown": "bello rex",
	} {
		filter, err := ParseFilter(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := names(w.find(Request{Index: "pets", Filters: []Filter{filter}})); got != want {
			t.Errorf("%s: found %q, want %q", text, got, want)
		}
	}
	for _, r := range []Request{
		{Filters: []Filter{{"weight", "heavy"}}}, {Filters: []Filter{{"notes", "x"}}}, {Sort: ParseSort("notes")}, {Sort: ParseSort("name,name")}, {Facets: []string{"weight"}},
		{Size: MaxSize + 1}, {Size: -1}, {Facets: []string{"a", "b", "c", "d", "e", "f"}}, {Text: string(make([]byte, MaxText+1))}, {Text: "\xff"}, {After: "x"},
	} {
		r.Index = "pets"
		_, err := w.Search(t.Context(), r)
		if _, ok := errors.AsType[*Error](err); !ok {
			t.Errorf("%+v: %v, want an *Error", r, err)
		}
	}
}
