package query

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// tried are texts that would mean something to OpenSearch, to JSON or to a regular
// expression if they were pasted.
var tried = []string{
	`*:*`, `_index:secret`, `secret`, `name:"secret"`, `_id:hidden`, `/.*/`, `name:/re.*/`, `rex~`, `rex^9`, `[a TO z]`, `{"match_all":{}}`, `"}},{"match_all":{}}`, `","boost":9,"x":"`,
	`_exists_:name`, `name:(rex OR secret)`, `dog || secret`, `dog && !cat`, `+dog`, `\*`, `\u0022`, `?ex`, `_source:x`, `_sluice.deleted:true`, `deleted:true`, `_all:x`, `script:1`, `<script>`, "a\nb", "\x00", `";DROP`, `../secret`, `pets-all`, `%2e%2e`, `🦥`, `"\`,
}

// indexes are names that lead elsewhere if they are pasted into a path.
var indexes = []string{"secret", "pets-all", "pets-1", "*", "pets,secret", "_all", "", "../secret", "pets/_doc/x", "PETS", "pets*", "pets-next"}

// What people write is data: it finds nothing but pets that are there, or is told as
// a fault.
func TestInjection(t *testing.T) {
	w := newWorld(t)
	w.pets()
	w.secret()
	check := func(t *testing.T, r Request) {
		t.Helper()
		a, err := w.Search(t.Context(), r)
		if _, ok := errors.AsType[*Error](err); err != nil && !ok {
			t.Errorf("%+v: %v", r, err)
		}
		if err != nil {
			return
		}
		for _, hit := range a.Hits {
			if name := hit.ID[strings.LastIndexByte(hit.ID, '#')+1:]; name != "rex" && name != "bello" && name != "fluffy" {
				t.Errorf("%+v finds %s", r, hit.ID)
			}
		}
	}
	for _, text := range tried {
		check(t, Request{Index: "pets", Text: text})
		check(t, Request{Index: "pets", Text: "name:" + text})
		check(t, Request{Index: "pets", Text: `species:"` + text + `"`})
		check(t, Request{Index: "pets", Filters: []Filter{{"species", text}}})
		check(t, Request{Index: "pets", Filters: []Filter{{text, "dog"}}})
		check(t, Request{Index: "pets", Sort: []Sort{{text, true}}})
		check(t, Request{Index: "pets", Facets: []string{text}})
	}
	for _, index := range indexes {
		a, err := w.Search(t.Context(), Request{Index: index})
		if unknown, ok := errors.AsType[*UnknownIndexError](err); !ok || !strings.Contains(unknown.Error(), "there are: pets, players, plays") {
			t.Errorf("index %q: %v, %v", index, a, err)
		}
	}
	// Whatever the parts of the language make together, OpenSearch understands.
	parts := append([]string{"dog", "weight:>1", "weight:1..2", "name:", "-", "OR", `"`, "*", ":", "..", " ", "(", "_sluice.time:2026", "age:3", "1e5", `\`}, tried...)
	rapid.Check(t, func(rt *rapid.T) {
		check(t, Request{Index: "pets", Text: strings.Join(rapid.SliceOfN(rapid.SampledFrom(parts), 1, 8).Draw(rt, "parts"), rapid.SampledFrom([]string{"", " "}).Draw(rt, "between"))})
	})
}

// testFields are of each class.
var testFields = fields{
	"name": {name: "name", kind: "text", class: text, raw: "name.raw"}, "name.raw": {name: "name.raw", kind: "keyword", class: keyword, beneath: true},
	"species": {name: "species", kind: "keyword", class: keyword}, "weight": {name: "weight", kind: "double", class: number}, "n": {name: "n", kind: "long", class: number},
	"at": {name: "at", kind: "date_nanos", class: date}, "day": {name: "day", kind: "date", class: date}, "ok": {name: "ok", kind: "boolean", class: boolean}, "shape": {name: "shape", kind: "geo_shape"},
}

// Every text is a query that is valid JSON, or has a fault at a place in it.
func FuzzBuild(f *testing.F) {
	for _, seed := range append(tried, `dog weight:>10 -name:"a b" OR at:2026-01..2027 n:*`, `day:<1960 ok:true shape:* n:..9e999 weight:-1e-400`) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q, err := build(text, testFields)
		if err == nil {
			if body, err := json.Marshal(q); err != nil || len(body) > 100<<10 {
				t.Errorf("%q becomes %d bytes, %v", text, len(body), err)
			}
			return
		}
		wrong, ok := errors.AsType[*Error](err)
		if !ok || wrong.Reason == "" || wrong.Column < 0 || wrong.Column > utf8.RuneCountInString(text)+1 {
			t.Errorf("%q: %#v", text, err)
		}
		if wrong.Column == 0 && utf8.ValidString(text) && len(text) <= MaxText {
			t.Errorf("%q: %v, but where?", text, err)
		}
	})
}
