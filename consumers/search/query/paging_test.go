package query

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"sluice/shared/consumertest"
)

// Each of a thousand plays with few scores is on one page, while others come and go.
func TestPaging(t *testing.T) {
	w := newWorld(t)
	const plays = 1000
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
