package ops

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sluice/consumers/search/internal/searchtest"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/proof"
	"sluice/shared/operate"
)

// threePages returns how many large items take three pages of a table.
func threePages() int { return proof.Size(300, 99) }

// large makes an item of which threePages take three pages.
func large(s string) consumertest.Item {
	return consumertest.Item{"text": consumertest.S(s), "secret": consumertest.S(strings.Repeat("x", proof.Size(8, 25)<<10))}
}

// compare compares the index with its table, by the target's clock.
func (g *reindexed) compare(o operate.Judging) (operate.Repairer, operate.Report, error) {
	g.T.Helper()
	o.Now, o.Sleep = g.now, g.sleep
	c := g.Comparison(2)
	r, err := operate.Compare(g.T.Context(), c, o)
	return c.(operate.Repairer), r, err
}

// agrees fails if the index isn't what the table makes of it.
func (g *reindexed) agrees(items int) {
	g.T.Helper()
	_, r, err := g.compare(operate.Judging{})
	if err != nil || len(r.Differences)+len(r.Unjudged) > 0 || r.Items != items || len(r.Notes) > 0 {
		g.T.Errorf("%+v, %v, want %d items that are the same", r, err, items)
	}
}

// Everything that stood in the table before is in the index, and nothing that happens
// while it is filled is undone. Fails if a scanned item counts as newer than it is, or
// if what is removed meanwhile comes back.
func TestBackfill(t *testing.T) {
	g := newReindexed(t)
	g.Clock = g.Clock.Add(time.Minute)
	items := threePages()
	for i := range items {
		g.write(searchtest.At(0, fmt.Sprint(i), large("old")))
	}
	private := searchtest.At(0, "private", searchtest.Text("x"))
	private.New["kind"] = consumertest.S("private")
	g.write(private, searchtest.At(0, "bad", consumertest.Item{"n": consumertest.S("no number")}))
	searchtest.Define(g.Routes[0], searchtest.Definition)
	searchtest.Define(g.Route, searchtest.Definition)
	// The function has heard of some already, and hears of more before their page is
	// written: the page was read before.
	g.Apply([]consumertest.Change{searchtest.At(-5, "7", large("older"))}, consumer.Applied)
	meanwhile, late := []consumertest.Change{searchtest.At(58, "later", searchtest.Text("x"))}, []consumertest.Change{}
	for i := range items {
		switch i % 3 {
		case 0:
			meanwhile = append(meanwhile, searchtest.At(55+i%5, fmt.Sprint(i), large("new")))
		case 1:
			meanwhile = append(meanwhile, searchtest.At(55+i%5, fmt.Sprint(i), nil))
			late = append(late, searchtest.At(0, fmt.Sprint(i), large("old")))
		}
	}
	var pages atomic.Int64
	tool := g.tool(doer(func(r *http.Request) (*http.Response, error) {
		if strings.HasPrefix(r.Header.Get("X-Amz-Target"), "DynamoDB") && strings.HasSuffix(r.Header.Get("X-Amz-Target"), "Scan") {
			response, err := http.DefaultClient.Do(r)
			if pages.Add(1) == 1 {
				g.happen(meanwhile...)
				g.Apply(late, slices.Repeat([]consumer.Outcome{consumer.Stale}, len(late))...)
			}
			return response, err
		}
		return http.DefaultClient.Do(r)
	}))
	searchtest.Define(tool.Route, searchtest.Definition)
	var seen atomic.Int64
	done, err := tool.Backfill(2).Run(t.Context(), func(n int) { seen.Add(int64(n)) })
	if err != nil || done.Rejected != 1 || done.LeftOut != 1 || len(done.Faults) != 1 || !strings.Contains(done.Faults[0], "document bad of index ") {
		t.Errorf("%+v, %v", done, err)
	}
	if done.Newer == 0 || done.Written == 0 || int(seen.Load()) != done.Written+done.Newer+2 || pages.Load() < 3 {
		t.Errorf("%+v: %d items were read in %d pages", done, seen.Load(), pages.Load())
	}
	if err := writeSource(t.Context(), g.rows, searchtest.At(59, "bad", nil)); err != nil {
		t.Fatal(err)
	}
	g.agrees(items*2/3 + 1)
}

// Broken off at any call, the next run goes on, and a run after the last begins anew.
func TestBackfillBrokenOff(t *testing.T) {
	g := newReindexed(t)
	g.Clock = g.Clock.Add(time.Minute)
	items := threePages()
	for i := range items {
		g.write(searchtest.At(0, fmt.Sprint(i), large("old")))
	}
	broken := errors.New("the line is cut")
	all := 0
	for n := 1; ; n++ {
		calls := 0
		ctx, kill := context.WithCancel(t.Context())
		tool := g.tool(doer(func(r *http.Request) (*http.Response, error) {
			if calls++; calls > n {
				kill()
				return nil, broken
			}
			return http.DefaultClient.Do(r)
		}))
		done, err := tool.Backfill(1).Run(ctx, func(n int) { all += n })
		kill()
		if err == nil {
			if calls > n || done.Written == 0 {
				t.Errorf("%d of %d calls, %+v", calls, n, done)
			}
			break
		}
		if n > 100 {
			t.Fatalf("it never ends: %v", err)
		}
	}
	g.agrees(items)
	if all >= 2*items {
		t.Errorf("%d items were read for a table of %d", all, items)
	}
	again, err := g.Backfill(1).Run(t.Context(), func(int) {})
	if err != nil || again.Written+again.Newer != items {
		t.Errorf("once more: %+v, %v", again, err)
	}
}
