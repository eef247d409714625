package mapping

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/deploy/local/template"
)

func TestDecide(t *testing.T) {
	const endless = template.Endless
	success := func(n int) result { return result{done: n} }
	from := func(first int) result { return result{done: first, reason: "reported"} }
	whole := result{whole: true, reason: "failed"}
	plain := func(max int) policy { return policy{maxRetries: max} }
	bisect := func(max int) policy { return policy{bisect: true, maxRetries: max} }

	tests := []struct {
		name    string
		policy  policy
		portion portion
		result  result
		want    decision
	}{
		{"success", plain(endless), portion{5, 0}, success(5), decision{done: 5}},
		{"success after retries", bisect(2), portion{5, 2}, success(5), decision{done: 5}},

		{"whole, endless", plain(endless), portion{5, 0}, whole, decision{rest: []portion{{5, 1}}}},
		{"whole, endless, the millionth time", plain(endless), portion{5, 1e6}, whole, decision{rest: []portion{{5, 1e6 + 1}}}},
		{"whole, no retries", plain(0), portion{5, 0}, whole, decision{discard: 5}},
		{"whole, retries left", plain(2), portion{5, 1}, whole, decision{rest: []portion{{5, 2}}}},
		{"whole, retries used up", plain(2), portion{5, 2}, whole, decision{discard: 5}},

		{"whole, bisected", bisect(endless), portion{4, 0}, whole, decision{rest: []portion{{2, 0}, {2, 0}}}},
		{"whole, bisected, odd", bisect(endless), portion{5, 0}, whole, decision{rest: []portion{{2, 0}, {3, 0}}}},
		{"whole, bisecting costs no retry", bisect(0), portion{2, 0}, whole, decision{rest: []portion{{1, 0}, {1, 0}}}},
		{"whole, bisecting goes on when retries are used up", bisect(2), portion{3, 2}, whole, decision{rest: []portion{{1, 2}, {2, 2}}}},
		{"whole, nothing to bisect", bisect(endless), portion{1, 0}, whole, decision{rest: []portion{{1, 1}}}},
		{"whole, nothing to bisect, no retries", bisect(0), portion{1, 0}, whole, decision{discard: 1}},

		{"part", plain(endless), portion{5, 0}, from(2), decision{done: 2, rest: []portion{{3, 0}}}},
		{"part, retries used up", plain(1), portion{5, 1}, from(2), decision{done: 2, rest: []portion{{3, 0}}}},
		{"part, from the first", plain(endless), portion{5, 0}, from(0), decision{rest: []portion{{5, 1}}}},
		{"part, the last", plain(endless), portion{5, 3}, from(4), decision{done: 4, rest: []portion{{1, 0}}}},
		{"part, bisected where reported", bisect(0), portion{5, 0}, from(2), decision{done: 2, rest: []portion{{3, 0}}}},
		{"part, bisected where reported, retries used up", bisect(3), portion{5, 3}, from(4), decision{done: 4, rest: []portion{{1, 0}}}},
		{"part, from the first: there is no cut", bisect(endless), portion{5, 0}, from(0), decision{rest: []portion{{5, 1}}}},
		{"part, from the first, no retries: there is no cut", bisect(0), portion{5, 0}, from(0), decision{discard: 5}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := decide(test.policy, test.portion, test.result)
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(decision{}, portion{})); diff != "" {
				t.Errorf("decide(%+v, %+v, %+v) (-want +got):\n%s", test.policy, test.portion, test.result, diff)
			}
		})
	}
}

// TestDecideLosesNothing goes through every batch of up to six records, every result and every policy with up to two
// retries. It fails for a decision that leaves a record out, has one twice, or never comes to an end.
func TestDecideLosesNothing(t *testing.T) {
	for maxRetries := template.Endless; maxRetries <= 2; maxRetries++ {
		for _, bisect := range []bool{false, true} {
			p := policy{bisect: bisect, maxRetries: maxRetries}
			for n := 1; n <= 6; n++ {
				for retries := range 4 {
					results := []result{{whole: true}}
					for done := range n + 1 {
						results = append(results, result{done: done})
					}
					for _, r := range results {
						name := fmt.Sprintf("decide(%+v, {%d records, %d retries}, %+v)", p, n, retries, r)
						d := decide(p, portion{n, retries}, r)
						sum := d.done + d.discard
						for _, rest := range d.rest {
							sum += rest.records
							if rest.records == n && rest.retries <= retries {
								t.Errorf("%s: the same again, and no retry counted: it would never end", name)
							}
							if rest.records < 1 || rest.retries > retries+1 || rest.retries < retries && (d.done == 0 || rest.retries > 0) {
								t.Errorf("%s: portion %+v", name, rest)
							}
							if d.discard > 0 {
								t.Errorf("%s: %d given up, but portion %+v behind them", name, d.discard, rest)
							}
						}
						if sum != n {
							t.Errorf("%s accounts for %d records", name, sum)
						}
						if d.done != r.done {
							t.Errorf("%s counts %d as processed, want %d", name, d.done, r.done)
						}
						if d.discard > 0 && (maxRetries < 0 || retries < maxRetries) {
							t.Errorf("%s gives %d up before its retries are used up", name, d.discard)
						}
					}
				}
			}
		}
	}
}

// TestBisectIsolates shows what bisecting is for: of any batch with one bad record, that one alone is given up.
func TestBisectIsolates(t *testing.T) {
	p := policy{bisect: true, maxRetries: 1}
	for n := 1; n <= 20; n++ {
		for bad := range n {
			first, processed, lost := 0, 0, []int(nil)
			portions := []portion{{n, 0}}
			for len(portions) > 0 {
				size := portions[0].records
				r := result{done: size}
				if first <= bad && bad < first+size {
					r = result{whole: true}
				}
				d := decide(p, portions[0], r)
				first += d.done
				processed += d.done
				for range d.discard {
					lost = append(lost, first)
					first++
				}
				portions = append(d.rest, portions[1:]...)
			}
			if processed != n-1 || !cmp.Equal(lost, []int{bad}) {
				t.Errorf("%d records, bad is %d: %d processed, given up %v", n, bad, processed, lost)
			}
		}
	}
}
