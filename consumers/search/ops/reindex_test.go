package ops

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/consumers/search/internal/document"
	"sluice/consumers/search/internal/searchtest"
	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/proof"
	"sluice/shared/operate"
)

// reindexed is a target with its table, and the tool beside it. Both have the
// target's clock, which goes only while the tool waits.
type reindexed struct {
	*searchtest.Target
	*Operator
	source aws.Config
	rows   *dynamodb.Client
	waits  []time.Duration
}

// newDefinition is the one that the index gets.
const newDefinition = `{
  "settings": {"number_of_shards": 1, "number_of_replicas": 0, "refresh_interval": "-1", "gc_deletes": "0s"},
  "mappings": {"dynamic": false, "properties": {"n": {"type": "long"}, "text": {"type": "keyword"}}}
}`

func newReindexed(t *testing.T) *reindexed {
	t.Helper()
	g := &reindexed{Target: searchtest.NewTarget(t, servertest.OpenSearch(t), nil), source: servertest.DynamoDB(t)}
	g.rows = dynamodb.NewFromConfig(g.source)
	searchtest.Define(g.Routes[0], `{"settings": {"number_of_shards": 1, "number_of_replicas": 0}, "mappings": {"dynamic": false}}`)
	if _, err := g.rows.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String("Source"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
	}); err != nil {
		t.Fatal(err)
	}
	g.Operator = g.tool(nil)
	return g
}

// tool returns another tool whose calls go through transport, if that is given.
func (g *reindexed) tool(transport aws.HTTPClient) *Operator {
	g.T.Helper()
	cfg := g.Cfg.Copy()
	cfg.HTTPClient = transport
	p, err := newTestOperator(cfg, g.source, func() time.Time { return g.Clock })
	if err != nil {
		g.T.Fatal(err)
	}
	searchtest.Define(p.Route, newDefinition)
	p.sleep = func(ctx context.Context, d time.Duration) error {
		g.Clock = g.Clock.Add(d)
		g.waits = append(g.waits, d)
		return ctx.Err()
	}
	return p
}

// write makes changes in the table that the function hasn't heard of yet.
func (g *reindexed) write(changes ...consumertest.Change) {
	g.T.Helper()
	for _, c := range changes {
		if err := writeSource(g.T.Context(), g.rows, c); err != nil {
			g.T.Fatal(err)
		}
	}
}

// happen makes changes, and delivers them.
func (g *reindexed) happen(changes ...consumertest.Change) {
	g.T.Helper()
	g.write(changes...)
	g.Apply(changes, slices.Repeat([]consumer.Outcome{consumer.Applied}, len(changes))...)
}

// in calls f once, when the tool is in a phase.
func in(phase ReindexPhase, f func()) ReindexOptions {
	done := false
	return ReindexOptions{Segments: 1, Progress: func(p ReindexProgress) {
		if p.Phase == phase && !done {
			done = true
			f()
		}
	}}
}

// reindex makes the index anew.
func (g *reindexed) reindex(o ReindexOptions) Reindexed {
	g.T.Helper()
	done, err := g.Reindex(g.T.Context(), o)
	if err != nil || !done.Moved {
		g.T.Fatalf("%+v, %v", done, err)
	}
	return done
}

// shows compares what people find, each document with its text.
func (g *reindexed) shows(want string) {
	g.T.Helper()
	g.Must(http.MethodPost, "/"+searchtest.Lane(g.Cfg)+document.AllSuffix+"/_refresh", "", nil)
	if got := strings.Join(g.search(), " "); got != want {
		g.T.Errorf("people find %q, want %q", got, want)
	}
}

func (g *reindexed) search() (found []string) {
	var answer struct {
		Hits struct {
			Hits []struct {
				ID     string             `json:"_id"`
				Source struct{ Text any } `json:"_source"`
			}
		}
	}
	if err := searchtest.Request(g.T.Context(), g.Cfg, http.MethodPost, "/"+searchtest.Lane(g.Cfg)+"/_search?size=1000", `{"_source": "text"}`, &answer); err != nil {
		g.T.Error(err)
	}
	for _, hit := range answer.Hits.Hits {
		text := ""
		if hit.Source.Text != nil {
			text = fmt.Sprint(hit.Source.Text)
		}
		found = append(found, hit.ID+":"+text)
	}
	slices.Sort(found)
	return found
}

// there are the indexes, each with its aliases.
func (g *reindexed) there() string {
	g.T.Helper()
	var indexes map[string]struct{ Aliases map[string]any }
	g.Must(http.MethodGet, "/"+searchtest.Lane(g.Cfg)+"-*/_alias", "", &indexes)
	var names []string
	for index, i := range indexes {
		for alias := range i.Aliases {
			index += " " + strings.TrimPrefix(alias, searchtest.Lane(g.Cfg))
		}
		fields := strings.Fields(strings.TrimPrefix(index, searchtest.Lane(g.Cfg)))
		slices.Sort(fields[1:])
		names = append(names, strings.Join(fields, " "))
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// Fails unless the new index has all that the table has, all that happens while it is
// made, and what is known of removed items.
func TestReindex(t *testing.T) {
	g := newReindexed(t)
	g.happen(searchtest.At(0, "a", searchtest.Text("x")), searchtest.At(0, "b", searchtest.Text("x")), searchtest.At(0, "c", searchtest.Text("x")))
	g.happen(searchtest.At(1, "b", nil))
	g.Clock = g.Clock.Add(5 * time.Second)

	plan, err := g.PlanReindex(t.Context(), 1)
	if err != nil || len(plan.Changes) != 2 || plan.Changes[1] != (FieldChange{Field: "text", After: `{"type":"keyword"}`}) || plan.Resumes {
		t.Errorf("%+v, %v", plan, err)
	}
	done := g.reindex(in(Moving, func() { // when all has been read
		g.happen(searchtest.At(30, "d", searchtest.Text("y")), searchtest.At(30, "c", searchtest.Text("y")), searchtest.At(30, "e", searchtest.Text("y")))
		g.happen(searchtest.At(31, "d", nil))
	}))
	if done.From != plan.From || done.To != plan.To || done.Kept || done.Tombstones != 1 || done.Read != 2 {
		t.Errorf("done: %+v, planned: %+v", done, plan)
	}
	if got, want := g.there(), "-2 -all"; got != want {
		t.Errorf("there are %q, want %q", got, want)
	}
	g.shows("a:x c:y e:y")
	g.Apply([]consumertest.Change{searchtest.At(0, "b", searchtest.Text("w")), searchtest.At(30, "d", searchtest.Text("y"))}, consumer.Stale, consumer.Stale)
	g.happen(searchtest.At(50, "f", searchtest.Text("z")))
	g.shows("a:x c:y e:y f:z")
}

// A change that the table has after an item was read is newer than the item as read,
// though DynamoDB's clock may be late.
func TestReindexClocks(t *testing.T) {
	g := newReindexed(t)
	g.happen(searchtest.At(0, "a", searchtest.Text("x")))
	g.Clock = g.Clock.Add(100 * time.Second)
	g.reindex(in(Burying, func() { g.happen(searchtest.At(111, "a", searchtest.Text("y"))) })) // 9 s before it was read
	g.shows("a:y")
}

// A change from just before the reindex that is delivered again doesn't undo a newer
// one that the reading found.
func TestReindexRepeatedChange(t *testing.T) {
	g := newReindexed(t)
	older, newer := searchtest.At(0, "a", searchtest.Text("x")), searchtest.At(1, "a", searchtest.Text("y"))
	g.happen(older)
	g.happen(newer)
	g.Clock = g.Clock.Add(2 * time.Second)
	g.reindex(ReindexOptions{Segments: 1})
	g.Apply([]consumertest.Change{older}, consumer.Stale)
	g.shows("a:y")
}

// A reindex that is stopped 12 s into each of its waits gets past the announcement all the same. A journal of an earlier
// version, which doesn't say since when all nodes know, is announced anew. Fails if a wait begins at its start each time.
func TestReindexStoppedWhileItWaits(t *testing.T) {
	g := newReindexed(t)
	g.happen(searchtest.At(0, "a", searchtest.Text("x")))
	stopped := errors.New("stopped")
	waited := time.Duration(0)
	sleep := g.sleep
	g.sleep = func(ctx context.Context, d time.Duration) error {
		const patience = 12 * time.Second
		waited += min(d, patience)
		if err := sleep(ctx, min(d, patience)); err != nil || d <= patience {
			return err
		}
		return stopped
	}
	stops := 0
	for ; ; stops++ {
		done, err := g.Reindex(t.Context(), ReindexOptions{Segments: 1})
		if err == nil && done.Moved {
			break
		}
		if !errors.Is(err, stopped) || stops > 4 {
			t.Fatalf("after %d stops: %+v, %v", stops, done, err)
		}
		if stops > 0 {
			continue
		}
		j := journal{Operator: g.Operator, index: done.To, key: reindexKey} // as an earlier version left it
		if err := j.load(t.Context()); err != nil || j.checkpoint.Known.IsZero() {
			t.Fatalf("the journal has %+v, %v; want since when all nodes know", j.checkpoint, err)
		}
		j.checkpoint.Known = time.Time{}
		if err := j.save(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if stops != 3 || waited < 3*operate.ReadMargin {
		t.Errorf("stopped %d times, waited %v; want 3 times", stops, waited)
	}
	g.shows("a:x")
}

// A request that began before functions could know is waited for.
func TestReindexWaitsForRequests(t *testing.T) {
	g := newReindexed(t)
	g.happen(searchtest.At(0, "a", searchtest.Text("x")))
	// One of its own that waits for a shard that never comes, until its index is deleted.
	slow := searchtest.Lane(g.Cfg) + "-slow"
	g.Must(http.MethodPut, "/"+slow+"?wait_for_active_shards=0", `{"settings": {"index.routing.allocation.require._name": "nobody"}}`, nil)
	end := sync.OnceFunc(func() { _ = searchtest.Request(context.Background(), g.Cfg, http.MethodDelete, "/"+slow, "", nil) }) // the server may be gone
	var waiting sync.WaitGroup
	waiting.Go(func() {
		g.Must(http.MethodPost, "/_bulk?timeout=5m", `{"index":{"_index":"`+slow+`","_id":"1"}}`+"\n{}\n", nil)
	})
	defer waiting.Wait()
	defer end()
	for longest := time.Duration(0); longest == 0; {
		var err error
		if longest, err = g.client.longestBulk(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	waits := 0
	g.sleep = func(ctx context.Context, d time.Duration) error { // no time passes
		if d == time.Second {
			waits++
			end()
		}
		return ctx.Err()
	}
	g.reindex(ReindexOptions{Segments: 1, KeepOld: true})
	if waits == 0 {
		t.Error("it didn't wait for a request that was under way")
	}
}

// A search through the alias finds every document exactly once at every moment.
func TestReindexLeavesNoHole(t *testing.T) {
	g := newReindexed(t)
	var all []consumertest.Change
	for i := range 60 {
		all = append(all, searchtest.At(0, fmt.Sprint(i), searchtest.Text("x")))
	}
	g.happen(all...)
	g.Must(http.MethodPost, "/"+searchtest.Lane(g.Cfg)+document.AllSuffix+"/_refresh", "", nil)
	want := len(all)
	stop := make(chan struct{})
	var searching sync.WaitGroup
	searching.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			if found := slices.Compact(g.search()); len(found) != want {
				t.Errorf("a search finds %d documents of %d", len(found), want)
				return
			}
		}
	})
	for range proof.Size(3, 1) {
		g.reindex(ReindexOptions{Segments: 3})
	}
	close(stop)
	searching.Wait()
	if found := g.search(); len(found) != want {
		t.Errorf("at the end %d documents of %d", len(found), want)
	}
}

// The tool is killed at each of its calls, before or after its effect; another run goes
// on, and nothing is missing, neither what is delivered in between.
func TestReindexKilledAtEveryCall(t *testing.T) {
	g := newReindexed(t)
	g.happen(searchtest.At(0, "a", searchtest.Text("0")), searchtest.At(0, "b", searchtest.Text("x")))
	g.happen(searchtest.At(1, "b", nil))
	for n := 1; ; n += proof.Size(1, 3) { // odd and even
		ctx, kill := context.WithCancel(t.Context())
		calls := 0
		killed := g.tool(doer(func(r *http.Request) (*http.Response, error) {
			calls++
			if calls > n || calls == n && n%2 == 0 {
				kill()
				return nil, context.Canceled
			}
			response, err := http.DefaultClient.Do(r)
			if calls == n {
				kill()
			}
			return response, err
		}))
		_, err := killed.Reindex(ctx, ReindexOptions{Segments: 1})
		kill()
		seconds := int(g.Clock.Sub(consumertest.Arrival).Seconds()) + 1
		g.Clock = g.Clock.Add(30 * time.Second)
		g.happen(searchtest.At(seconds, "a", searchtest.Text(fmt.Sprint(n))))
		if calls < n {
			if err != nil {
				t.Error(err)
			}
			break
		}
		if err == nil && calls > n {
			t.Errorf("killed at call %d it ends well", n)
		}
		g.reindex(ReindexOptions{Segments: 1})
		g.shows(fmt.Sprintf("a:%d", n))
		g.Apply([]consumertest.Change{searchtest.At(0, "b", searchtest.Text("x"))}, consumer.Stale)
		if there := g.there(); strings.Contains(there, document.NextSuffix) {
			t.Errorf("killed at call %d it leaves %s", n, there)
		}
		for _, old := range must(g.findIndexes(t.Context()))(t).left() {
			g.Must(http.MethodDelete, "/"+old, "", nil)
		}
	}
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// A document that the new index can't take keeps the alias where it is; a change that
// it can't take is a dead letter that names it.
func TestReindexRefusedDocuments(t *testing.T) {
	g := newReindexed(t)
	n := func(text string) consumertest.Item {
		return consumertest.Item{"n": consumertest.S(text), "text": consumertest.S(text)}
	}
	g.happen(searchtest.At(0, "a", n("1")), searchtest.At(0, "b", n("no number")), searchtest.At(0, "c", n("3")))
	g.Clock = g.Clock.Add(5 * time.Second)
	index := searchtest.Lane(g.Cfg)
	_, err := g.Reindex(t.Context(), in(Burying, func() { t.Error("it goes on") }))
	if refused, ok := errors.AsType[*RefusedError](err); !ok || refused.Refused != 1 || !strings.Contains(err.Error(), "document b of index "+index+"-2") {
		t.Fatalf("%v; want a word on b", err)
	}
	if _, err := g.Reindex(t.Context(), ReindexOptions{Segments: 1}); !errors.As(err, new(*RefusedError)) {
		t.Errorf("%v; want another word on b", err)
	}
	live := searchtest.At(30, "c", n("none"))
	g.write(live)
	if errs := g.Apply([]consumertest.Change{live}, consumer.Rejected); !strings.Contains(errs[0].Error(), index+"-2") {
		t.Errorf("%v doesn't name the new index", errs[0])
	}
	g.shows("a:1 b:no number c:none")

	g.happen(searchtest.At(31, "b", n("2")))
	g.happen(searchtest.At(31, "c", n("4")))
	if done := g.reindex(ReindexOptions{Segments: 1}); !done.Resumed || done.Refused != 0 {
		t.Errorf("after the items were corrected: %+v", done)
	}
	g.shows("a:1 b:2 c:4")

	g.write(searchtest.At(100, "c", n("nothing")))
	g.Clock = g.Clock.Add(100 * time.Second)
	if done := g.reindex(ReindexOptions{Segments: 1, LeaveOutRefused: true}); done.Refused != 1 || len(done.Reasons) != 1 {
		t.Errorf("with one left out: %+v", done)
	}
	g.shows("a:1 b:2")
}

// What another run can't go on with is an error that says what to do; giving up leaves
// what was there.
func TestReindexAbort(t *testing.T) {
	g := newReindexed(t)
	g.happen(searchtest.At(0, "a", searchtest.Text("x")))
	begin := func() {
		t.Helper()
		ctx, kill := context.WithCancel(t.Context())
		if _, err := g.Reindex(ctx, in(Reading, kill)); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	begin()
	if plan, err := g.PlanReindex(t.Context(), 1); err != nil || plan.Refused != "" || !plan.Resumes || plan.To != searchtest.Lane(g.Cfg)+"-2" {
		t.Errorf("%+v, %v", plan, err)
	}
	if plan, err := g.PlanReindex(t.Context(), 2); err != nil || plan.Resumes || !strings.Contains(plan.Refused, "--segments 1") {
		t.Errorf("the plan in another number of segments: %+v, %v", plan, err)
	}
	if _, err := g.Reindex(t.Context(), ReindexOptions{Segments: 2}); err == nil || !strings.Contains(err.Error(), "--segments 1") {
		t.Errorf("another number of segments: %v", err)
	}
	other := g.tool(nil)
	routes, err := searchtest.Routes(g.Cfg, strings.Replace(searchtest.RouteFile, "[secret]", "[secret, text]", 1))
	if err != nil {
		t.Fatal(err)
	}
	searchtest.Define(routes[0], newDefinition)
	other.Route = routes[0]
	if plan, err := other.PlanReindex(t.Context(), 1); err != nil || plan.Resumes || !strings.Contains(plan.Refused, "--abort") {
		t.Errorf("the plan for another route: %+v, %v", plan, err)
	}
	if _, err := other.Reindex(t.Context(), ReindexOptions{Segments: 1}); err == nil || !strings.Contains(err.Error(), "--abort") {
		t.Errorf("another route: %v", err)
	}
	g.happen(searchtest.At(20, "b", searchtest.Text("y")))
	index := searchtest.Lane(g.Cfg)
	g.Must(http.MethodPut, "/"+index+"-2/_settings", `{"index.blocks.write": true}`, nil)
	waits := searchtest.At(20, "d", searchtest.Text("w"))
	g.write(waits)
	if errs := g.Apply([]consumertest.Change{waits}, consumer.Retry); !strings.Contains(errs[0].Error(), index+"-2") {
		t.Errorf("the new index takes no writes: %v doesn't name it", errs[0])
	}
	if dropped, err := g.AbortReindex(t.Context()); err != nil || dropped != searchtest.Lane(g.Cfg)+"-2" {
		t.Errorf("%s, %v", dropped, err)
	}
	if _, err := g.AbortReindex(t.Context()); err == nil {
		t.Error("there was nothing to give up")
	}
	g.Apply([]consumertest.Change{waits}, consumer.Duplicate)
	g.happen(searchtest.At(21, "c", searchtest.Text("z")))
	g.shows("a:x b:y c:z d:w")

	begin()
	if _, err := g.Reindex(t.Context(), in(Burying, func() {
		if _, err := g.tool(nil).AbortReindex(t.Context()); err != nil {
			t.Error(err)
		}
	})); err == nil || !strings.Contains(err.Error(), "given up") {
		t.Errorf("given up meanwhile: %v", err)
	}
	g.shows("a:x b:y c:z d:w")
}

// Two runs at one time both end well, whichever moves the aliases.
func TestReindexTwice(t *testing.T) {
	g := newReindexed(t)
	g.happen(searchtest.At(0, "a", searchtest.Text("x")), searchtest.At(0, "b", searchtest.Text("y")))
	for _, phase := range []ReindexPhase{Announcing, Reading, Burying, Moving} {
		g.Clock = g.Clock.Add(time.Minute)
		other := g.tool(nil)
		done := g.reindex(in(phase, func() {
			if done, err := other.Reindex(t.Context(), ReindexOptions{Segments: 1}); err != nil || !done.Moved {
				t.Errorf("%s: %+v, %v", phase, done, err)
			}
		}))
		if there := g.there(); done.Kept || strings.Contains(there, ",") {
			t.Errorf("%s: %+v; there is %s", phase, done, there)
		}
		g.shows("a:x b:y")
	}
}

// A run begins while another one is looking up the indexes. Fails if the two build an index each: then functions would write to
// one of them only.
func TestReindexBegunMeanwhile(t *testing.T) {
	g := newReindexed(t)
	g.happen(searchtest.At(0, "a", searchtest.Text("x")))
	other, looks := g.tool(nil), 0
	late := g.tool(doer(func(r *http.Request) (*http.Response, error) {
		response, err := http.DefaultClient.Do(r)
		if strings.Contains(r.URL.Path, "/_cat/") {
			if looks++; looks == 1 { // the second look-up comes after
				ctx, stop := context.WithCancel(t.Context())
				defer stop()
				o := in(Announcing, stop)
				o.Segments = 1
				if _, err := other.Reindex(ctx, o); err == nil {
					t.Error("the other run didn't stop")
				}
			}
		}
		return response, err
	}))
	there, err := late.findIndexes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if begun := must(g.findIndexes(t.Context()))(t); begun.next == "" || there.next != begun.next {
		t.Errorf("it found the index %q being built, but the other one builds %q", there.next, begun.next)
	}
}

// A run that finds the aliases moved by others, and moved on, leaves them there.
func TestReindexOutrun(t *testing.T) {
	g := newReindexed(t)
	g.happen(searchtest.At(0, "a", searchtest.Text("x")))
	g.Clock = g.Clock.Add(time.Minute)
	other := g.tool(nil)
	g.reindex(in(Moving, func() {
		for range 2 {
			if _, err := other.Reindex(t.Context(), ReindexOptions{Segments: 1, KeepOld: true}); err != nil {
				t.Error(err)
			}
		}
	}))
	g.shows("a:x")
	if got, want := g.there(), "-1, -2, -3 -all"; got != want {
		t.Errorf("there are %q, want %q", got, want)
	}
}
