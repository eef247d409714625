package query

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"sluice/shared/consumertest"
	"sluice/shared/consumertest/proof"
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
		"(dog) [rex]":                  "rex",
		"dog & rex":                    "rex",
		"dog - rex -- ...":             "rex",
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
		"big (dog OR cat)":     "query, column 5: parentheses group nothing: OR stands between two terms, all else must hold together; quote what you look for",
		"-(dog cat)":           "query, column 2: parentheses group nothing: OR stands between two terms, all else must hold together; quote what you look for",
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

// titles are names of pets whose signs mean something in the language, or nothing at all.
var titles = []string{
	"Rock & Roll", "[Ticket#42] Thanks (Accès)", "&", "salt - pepper", "- dash", "AC/DC: live", `"Quoted" name`, `a \ b`, "C++", "C#", "what? why!", "OR", "AND", "NOT OR", "dog OR", "*", "a*b", "100 %", "weight:>x", "a..b", "a:..", "(", ")", "-",
	"…", "→", "✓", "🦥 & 🦦", "don't", "x=y", "{\"a\":1}", "<b>bold</b>", "-minus", "--", "name:", ":colon", "～ﾟ", "»", "a\tb", strings.Repeat("long ", 60) + "end", strings.Repeat("x", 300),
}

// A title that is pasted finds its pet, before all others, whatever its signs mean, and in
// any case; what nothing is called is told as the fault that it is. Fails if a word that
// OpenSearch's analyzer makes nothing of has to be found.
func TestPastedTitles(t *testing.T) {
	w := newWorld(t)
	var pets []consumertest.Change
	for i, title := range titles {
		pets = append(pets, pet(fmt.Sprint("pet ", i), consumertest.Item{"name": consumertest.S(title)}))
	}
	w.deliver(pets...)
	for i, title := range titles {
		for _, text := range []string{title, " " + strings.ToUpper(title) + " "} {
			a, err := w.Search(t.Context(), Request{Index: "pets", Text: text})
			if err != nil {
				t.Errorf("%s: %v", text, err)
				continue
			}
			if want := fmt.Sprint("USER%23ann#pet ", i); len(a.Hits) == 0 || a.Hits[0].ID != want {
				t.Errorf("%s: found %q, want %s first", text, names(a), want)
			}
		}
	}
	if a := w.find(Request{Index: "pets", Text: "&"}); len(a.Hits) != 1 {
		t.Errorf("& finds %q, want what is called so alone", names(a))
	}
	if a := w.find(Request{Index: "pets", Text: "& Rock $ Roll —"}); len(a.Hits) != 1 {
		t.Errorf("two words among signs find %q", names(a))
	}
}

// Small and capital letters are the same in keywords as in texts, in every script.
func TestLettersOutsideASCII(t *testing.T) {
	w := newWorld(t)
	words := []string{"Ünï", "Kätzchen", "straße", "İstanbul", "ısparta", "Σίσυφος", "ЖИРАФ", "Ķaķis", "ﬁsch", "Đorđe", "ǅ", "Ⴀ", "K", "ſ", "mississippi", "a.b*[c]{1}", `q"w\e`, "#@~<1-5>&|()^$?+", strings.Repeat("ü", 300)}
	var pets []consumertest.Change
	for i, word := range words {
		pets = append(pets, pet(fmt.Sprint("pet ", i), consumertest.Item{"species": consumertest.S(word), "tags": {"L": []consumertest.Value{consumertest.S("x"), consumertest.S(word)}}}))
	}
	w.deliver(pets...)
	for i, word := range words {
		for j, text := range []string{word, strings.ToUpper(word), strings.ToLower(word)} {
			want := fmt.Sprint("pet ", i)
			for k, field := range []string{"species:", "tags:"} {
				if (i+j+k)%proof.Size(1, 2) != 0 { // each with one field
					continue
				}
				quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text)
				if got := w.find(Request{Index: "pets", Text: field + `"` + quoted + `"`}); !slices.ContainsFunc(got.Hits, func(h Hit) bool { return strings.HasSuffix(h.ID, "#"+want) }) {
					t.Errorf("%s%s doesn't find %s, but %q", field, text, word, names(got))
				}
			}
		}
	}
	for text, want := range map[string]string{"species:ÜN*": "pet 0", "species:KÄTZ*": "pet 1", "species:STRASS*": "pet 2", "species:STRASSE": "pet 2", "species:i̇stanbul": "pet 3", "ÜNÏ": "pet 0", "-ünï species:ü*": "pet 18"} {
		if got := names(w.find(Request{Index: "pets", Text: text})); got != want {
			t.Errorf("%s finds %q, want %s", text, got, want)
		}
	}
}

// A value is found up to the longest one that can be asked for; an index that was made to
// hold less says so. Fails if a value that isn't indexed is silently not found.
func TestLongValues(t *testing.T) {
	w := newWorld(t)
	word := func(n int) string { return strings.Repeat("t", n) }
	long := func(name string, n int) consumertest.Change {
		return pet(name, consumertest.Item{"tags": {"L": []consumertest.Value{consumertest.S(word(n)), consumertest.S("short")}}, "name": consumertest.S(word(n)), "species": consumertest.S(word(n))})
	}
	w.deliver(long("a", 300), long("b", 1000), long("c", MaxValue), long("d", MaxValue+1), long("e", 40_000))
	if got := names(w.find(Request{Index: "pets", Text: "tags:short"})); got != "a b c d e" {
		t.Errorf("found %q", got)
	}
	if got := names(w.find(Request{Index: "pets", Text: "tags:" + word(300)})); got != "a" {
		t.Errorf("found %q", got)
	}
	for _, field := range []string{"tags", "species", "name"} {
		for name, n := range map[string]int{"a": 300, "b": 1000, "c": MaxValue} {
			a := w.find(Request{Index: "pets", Filters: []Filter{{field, word(n)}}})
			if got := names(a); got != name || len(a.Notes) > 0 {
				t.Errorf("%s of %d letters finds %q, notes %q", field, n, got, a.Notes)
			}
		}
	}
	if _, err := w.Search(t.Context(), Request{Index: "pets", Filters: []Filter{{"tags", word(MaxValue + 1)}}}); err == nil || !strings.Contains(err.Error(), "8192 are the most") {
		t.Errorf("a longer value: %v", err)
	}
	// An index from before, which holds less.
	w.request(http.MethodDelete, "/pets-*", "")
	w.request(http.MethodPut, "/pets-1", `{"mappings":{"dynamic":false,"properties":{"tags":{"type":"keyword","ignore_above":256},"_sluice":{"properties":{"time":{"type":"date_nanos"},"deleted":{"type":"boolean"}}}}},"aliases":{"pets":{},"pets-all":{}}}`)
	w.deliver(long("a", 300))
	for _, r := range []Request{{Text: "tags:" + word(300)}, {Text: word(300)}, {Filters: []Filter{{"tags", word(300)}}}} {
		r.Index = "pets"
		if a := w.find(r); len(a.Notes) != 1 || !strings.Contains(a.Notes[0], "more than 256 characters in field tags") {
			t.Errorf("%+v: notes %q", r, a.Notes)
		}
	}
}
