package query

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"sluice/shared/consumertest"
	"sluice/shared/consumertest/proof"
)

// Each of many plays with few scores is on one page, while others come and go.
func TestPaging(t *testing.T) {
	w := newWorld(t)
	plays := proof.Size(1000, 300) // some pages
	var stay, leave []consumertest.Change
	for i := range plays {
		stay = append(stay, play(fmt.Sprintf("stays-%d", i%7), i, fmt.Sprint(i%3)))
		leave = append(leave, play("goes", i, fmt.Sprint(i%3)))
	}
	w.deliver(append(stay, leave...)...)
	for _, sort := range []string{"", "-score", "playedAt", "score,-playedAt"} {
		seen := map[string]int{}
		r := Request{Index: "plays", Text: "-player:goes -player:comes", Sort: ParseSort(sort), Size: MaxSize}
		if sort == "" {
			r.Text = "" // all score alike
		}
		for page := 0; page == 0 || r.After != ""; page++ {
			a := w.find(r)
			for _, h := range a.Hits {
				seen[h.ID]++
			}
			r.After = a.Next
			w.deliver(removal(leave[page]), play("comes", w.clock.Second()*100+page, fmt.Sprint(page%3)))
		}
		twice := 0
		for id, n := range seen {
			if n > 1 {
				twice++
			}
			if !strings.Contains(id, "#stays-") {
				delete(seen, id)
			}
		}
		if len(seen) != plays || twice != 0 {
			t.Errorf("sort %q: %d of %d seen, %d twice", sort, len(seen), plays, twice)
		}
	}
}

// A page's token is for the search that gave it.
func TestTokens(t *testing.T) {
	w := newWorld(t)
	w.pets()
	first := w.find(Request{Index: "pets", Sort: ParseSort("-weight"), Size: 1})
	forge := func(values string) string {
		r := Request{Index: "pets", Sort: ParseSort("-weight")}
		return base64.RawURLEncoding.EncodeToString([]byte(`{"of":"` + base64.StdEncoding.EncodeToString(r.digest()) + `","after":` + values + `}`))
	}
	for name, r := range map[string]Request{
		"of another sort":  {Sort: ParseSort("weight"), After: first.Next},
		"of another query": {Text: "dog", Sort: ParseSort("-weight"), After: first.Next},
		"of another index": {Index: "plays", Sort: nil, After: first.Next},
		"cut off":          {Sort: ParseSort("-weight"), After: first.Next[:10]},
		"no base64":        {Sort: ParseSort("-weight"), After: "!"},
		"too few values":   {Sort: ParseSort("-weight"), After: forge(`["x"]`)},
		"an object":        {Sort: ParseSort("-weight"), After: forge(`[{"a":1},"x"]`)},
		"no number":        {Sort: ParseSort("-weight"), After: forge(`["heavy","x"]`)},
	} {
		if r.Index == "" {
			r.Index = "pets"
		}
		_, err := w.Search(t.Context(), r)
		if wrong, ok := errors.AsType[*Error](err); r.Index == "pets" && (!ok || wrong.Part != "after") {
			t.Errorf("a token %s: %v", name, err)
		} else if err == nil {
			t.Errorf("a token %s is taken", name)
		}
	}
	if got := names(w.find(Request{Index: "pets", Sort: ParseSort("-weight"), Size: 1, After: first.Next})); got != "bello" {
		t.Errorf("the second page has %q", got)
	}
}

// Whatever a token says, it is a page's or a fault of the request, never OpenSearch's.
func TestForgedTokens(t *testing.T) {
	w := newWorld(t)
	w.pets()
	values := []string{
		`null`, `true`, `""`, `"x"`, `"Infinity"`, `"-Infinity"`, `"NaN"`, `0`, `-1`, `1.5`, `1e400`, `-1e400`, `1e-400`, strings.Repeat("9", 1500), "0." + strings.Repeat("1", 1500), `9223372036854775808`, `9007199254740993`,
		`[]`, `[1]`, `{}`, `{"a":{"b":[null]}}`, strings.Repeat("[", 500) + strings.Repeat("]", 500), `"` + strings.Repeat("x", 3000) + `"`, `"\u0000"`, `"\ud800"`, `"2026-01-01"`,
	}
	for _, sorts := range []string{"", "weight", "-name", "species", "_sluice.time", "-_sluice.time"} {
		r := Request{Index: "pets", Sort: ParseSort(sorts)}
		for _, value := range values {
			for _, after := range []string{"[" + value + `,"x"]`, `["x",` + value + "]", `[1,` + value + "]", value, `[1,"x",` + value + "]"} {
				r.After = base64.RawURLEncoding.EncodeToString([]byte(`{"of":"` + base64.StdEncoding.EncodeToString(r.digest()) + `","after":` + after + `}`))
				_, err := w.Search(t.Context(), r)
				if wrong, ok := errors.AsType[*Error](err); err != nil && (!ok || wrong.Part != "after") {
					t.Errorf("sort %q, after %.60s: %v", sorts, after, err)
				}
			}
		}
	}
}
