package consumer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"sluice/deploy/local/servers/servertest"
	"sluice/shared/change"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/wire"
)

// webhook is an endpoint that takes orders, and what it was sent.
type webhook struct {
	*httptest.Server
	mu    sync.Mutex
	down  bool
	posts map[string]int
}

// newWebhook answers 500 for the order "poison", and for all while it is down.
func newWebhook(t *testing.T) *webhook {
	w := &webhook{posts: map[string]int{}}
	w.Server = httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		defer w.mu.Unlock()
		order := strings.TrimPrefix(r.URL.Path, "/")
		w.posts[order]++
		if w.down || order == "poison" {
			out.WriteHeader(http.StatusInternalServerError)
		}
	}))
	t.Cleanup(w.Close)
	return w
}

func (w *webhook) Apply(ctx context.Context, c *change.Change) error {
	order, err := c.Keys.String("Id")
	if err != nil {
		return Reject(err)
	}
	return w.post(ctx, order)
}

func (w *webhook) post(ctx context.Context, path string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL+"/"+path, http.NoBody)
	if err != nil {
		return err
	}
	response, err := w.Client().Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return errors.New(response.Status)
	}
	return nil
}

// probed is a webhook that a function can ask whether it works.
type probed struct {
	*webhook
	probes int
	says   error
	flaps  bool // every other probe fails
	none   bool // the webhook can't be asked, for all that it is a Prober
}

func (p *probed) Probe(string) func(context.Context) error {
	if p.none {
		return nil
	}
	return func(ctx context.Context) error {
		p.probes++
		if p.says != nil || p.flaps && p.probes%2 == 0 {
			return cmp.Or(p.says, errors.New("down again"))
		}
		return p.post(ctx, "no order")
	}
}

// newNotes are notes in a real bucket.
func newNotes(t *testing.T) *Bucket {
	t.Helper()
	client := s3.NewFromConfig(servertest.Ministack(t), func(o *s3.Options) { o.UsePathStyle = true })
	return &Bucket{S3: client, Name: servertest.CreateBucket(t, client), Consumer: "test"}
}

const beat = 10 * time.Second

// tick lets a beat pass at all lanes.
func tick(lanes ...*function) {
	for _, f := range lanes {
		f.now = f.now.Add(beat)
	}
}

// wantStuck delivers the records until there is a dead letter, which must be that of
// the poison and come once StuckAfter is over.
func (f *function) wantStuck(others func(), records ...[]byte) {
	f.t.Helper()
	began := f.now
	for f.now.Sub(began) < 2*DefaultStuckAfter && len(f.letters.kept) == 0 {
		f.invoke(1, records...)
		others()
		tick(f)
	}
	f.wantLetters(1)
	if len(f.letters.kept) == 0 {
		return
	}
	if l := f.letters.kept[0]; l.Reason != Stuck || l.Position.SequenceNumber != consumertest.SequenceNumber(1) {
		f.t.Errorf("the dead letter is %+v, want the poison, stuck", l)
	}
	if took := f.letters.kept[0].RejectedAt.Sub(began); took > DefaultStuckAfter+beat {
		f.t.Errorf("the poison left its lane after %v, want %v", took, DefaultStuckAfter)
	}
}

// A poisoned order is alone in its lane; another instance posts to the same endpoint.
// Fails for an instance that believes only its own successes, or that counts on a
// Prober's probe of a destination that can't be asked: to it the endpoint is down for 167 hours.
func TestLonePoisonAndAnotherInstance(t *testing.T) {
	hook := newWebhook(t)
	for name, c := range map[string]Consumer{"no Prober": Each(hook), "a Prober without a probe": Each(&probed{webhook: hook, none: true})} {
		t.Run(name, func(t *testing.T) {
			notes := newNotes(t)
			lane, other := newFunction(t, c), newFunction(t, c)
			lane.Notes, other.Notes = notes, notes
			n := 0
			lane.wantStuck(func() {
				n++
				other.invoke(100+n, insert(fmt.Sprint("order ", n)))
				tick(other)
			}, insert("poison"))
			other.wantLetters(0)
			if !strings.Contains(lane.logs.String(), "at a destination that works") {
				t.Errorf("the log still says only that the destination is down:\n%s", lane.logs.String())
			}
		})
	}
}

// Fails for an instance that doesn't ask a Prober, or that asks it at each delivery.
func TestLonePoisonAndAProbe(t *testing.T) {
	hook := &probed{webhook: newWebhook(t)}
	f := newFunction(t, Each(hook))
	f.wantStuck(func() {}, insert("poison"))
	if hook.probes < 2 || hook.probes > 5 {
		t.Errorf("%d probes, want some, and one every %v at most", hook.probes, askEvery(f.Settings))
	}
}

// Healthy neighbours of a poisoned order are posted once, whatever becomes of it. Fails for an
// instance that hands them to the consumer at each delivery, or takes what it remembers
// for evidence.
func TestNeighboursArePostedOnce(t *testing.T) {
	probing, noting, alone := &probed{webhook: newWebhook(t)}, newWebhook(t), newWebhook(t)
	records := [][]byte{insert("poison"), insert("a"), insert("b"), insert("c")}
	f := newFunction(t, Each(probing))
	f.wantStuck(func() {}, records...)

	notes := newNotes(t)
	lane, other := newFunction(t, Each(noting)), newFunction(t, Each(noting))
	lane.Notes, other.Notes = notes, notes
	n := 0
	lane.wantStuck(func() {
		n++
		other.invoke(100+n, insert(fmt.Sprint("order ", n)))
		tick(other)
	}, records...)
	for _, order := range []string{"a", "b", "c"} {
		if probing.posts[order] != 1 || noting.posts[order] != 1 {
			t.Errorf("order %s was posted %d times beside a probe, %d beside another instance; want once", order, probing.posts[order], noting.posts[order])
		}
	}

	// Without either the only evidence is to post one again, now and then.
	f = newFunction(t, Each(alone))
	f.wantStuck(func() {}, records...)
	for _, order := range []string{"a", "b", "c"} {
		if alone.posts[order] > 3 {
			t.Errorf("order %s was posted %d times, want 3 at most", order, alone.posts[order])
		}
	}
}

// A real outage removes nothing, however long it is. The poison in it leaves within StuckAfter
// once it is over. Fails if evidence from before the outage, or from a moment of it,
// counts; or if a healthy change that fails once more at its end is taken out.
func TestLongOutageWithAPoison(t *testing.T) {
	for name, make := range map[string]func(*webhook) Consumer{
		"with a probe":       func(w *webhook) Consumer { return Each(&probed{webhook: w}) },
		"with another one":   func(w *webhook) Consumer { return Each(w) },
		"with no probe":      func(w *webhook) Consumer { return Each(&probed{webhook: w, none: true}) },
		"with neighbours":    func(w *webhook) Consumer { return Each(w) },
		"with a lone poison": func(w *webhook) Consumer { return Each(&probed{webhook: w}) },
	} {
		t.Run(name, func(t *testing.T) {
			hook := newWebhook(t)
			lane, other := newFunction(t, make(hook)), newFunction(t, make(hook))
			if name == "with another one" || name == "with no probe" {
				notes := newNotes(t)
				lane.Notes, other.Notes = notes, notes
			}
			records := [][]byte{insert("poison"), insert("healthy")}
			if strings.Contains(name, "lone") {
				records = records[:1]
			}
			n := 0
			step := func(records [][]byte) {
				n++
				lane.invoke(1, records...)
				other.invoke(100+n, insert(fmt.Sprint("order ", n)))
				tick(lane, other)
			}
			if name == "with neighbours" { // they succeeded before
				step(records)
			}
			hook.down = true
			for range int(3 * time.Hour / beat) {
				step(records)
				// Once in a while it seems to be back.
				hook.down = n%60 != 0
			}
			hook.down = true
			step(records)
			lane.wantLetters(0)
			other.wantLetters(0)
			hook.down = false
			lane.wantStuck(func() {
				n++
				other.invoke(100+n, insert(fmt.Sprint("order ", n)))
				tick(other)
			}, records...)
		})
	}
}

// What is throttled or times out is no evidence, and what can't be asked neither.
func TestNoEvidence(t *testing.T) {
	for _, p := range []*probed{{says: context.DeadlineExceeded}, {says: errors.New("ThrottlingException")}, {none: true}} {
		p.webhook = newWebhook(t)
		f := newFunction(t, Each(p))
		f.deliverFor(time.Hour, insert("poison"))
		f.wantLetters(0)
	}
	flapping := newFunction(t, Each(&probed{webhook: newWebhook(t), flaps: true}))
	flapping.deliverFor(time.Hour, insert("poison"))
	flapping.wantLetters(0)

	// Others succeeded for a while after the first failure, and then nothing more came.
	hook := newWebhook(t)
	before := newFunction(t, Each(hook))
	for n := range int(DefaultStuckAfter / 2 / beat) {
		before.invoke(1, insert("poison"))
		before.invoke(100+n, insert(fmt.Sprint("order ", n)))
		tick(before)
	}
	hook.down = true
	before.deliverFor(time.Hour, insert("poison"))
	before.wantLetters(0)

	// A destination that takes one write in five is down for the others.
	hook = newWebhook(t)
	rarely := newFunction(t, Each(hook))
	for n := range int(time.Hour / beat) {
		hook.down = true
		rarely.invoke(1, insert("healthy"))
		hook.down = n%5 != 0
		rarely.invoke(100+n, insert(fmt.Sprint("order ", n)))
		tick(rarely)
	}
	rarely.wantLetters(0)
}

// A poisoned order is alone in its lane, and no other instance can vouch for the endpoint. The order
// waits, since it may be the endpoint that is down, and is given up at last. Fails if it is
// taken out earlier or lost, or if the log doesn't say what to do about it.
func TestLonePoisonWithoutNotes(t *testing.T) {
	missing, forbidden := newNotes(t), newNotes(t)
	missing.Name += "-no"
	forbidden.S3 = s3.New(forbidden.S3.Options(), func(o *s3.Options) {
		o.HTTPClient = answering(func(r *http.Request) *http.Response {
			return wire.Answer(r, http.StatusForbidden, nil, []byte("<Error><Code>AccessDenied</Code></Error>"))
		})
	})
	for name, test := range map[string]struct {
		notes Notes
		says  string // what to do
	}{
		"no bucket is set":      {nil, "name a bucket"},
		"the bucket is missing": {missing, "deploy the template"},
		"no rights":             {forbidden, "allow the function's role s3:GetObject"},
		"no other instance":     {newNotes(t), "If it works, the change is at fault"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFunction(t, Each(newWebhook(t)))
			f.Notes, f.Settings.GiveUpAge = test.notes, time.Hour
			f.deliverFor(59*time.Minute, insert("poison"))
			f.wantLetters(0)
			f.deliverFor(2*time.Minute, insert("poison"))
			f.wantLetters(1)
			if l := f.letters.kept; len(l) == 1 && l[0].Reason != GivenUp {
				t.Errorf("the dead letter's reason is %s, want %s", l[0].Reason, GivenUp)
			}
			if logs := f.logs.String(); !strings.Contains(logs, test.says) {
				t.Errorf("the log doesn't say %q:\n%s", test.says, logs)
			}
		})
	}
}

// answering is a client of HTTP that answers by itself.
type answering func(*http.Request) *http.Response

// Do implements s3.HTTPClient.
func (a answering) Do(r *http.Request) (*http.Response, error) { return a(r), nil }

// Fails if a note is written more often than agreed, by a function that has a probe, or of changes
// that a consumer with names for its destinations ends without one.
func TestNotesAreRare(t *testing.T) {
	counted := &countedNotes{}
	f := newFunction(t, Each(newWebhook(t)))
	f.Notes = counted
	f.invoke(1, insert("a"))
	if counted.written > 0 {
		t.Error("a function that has just started notes a moment, in the place of the long run of another one")
	}
	f.deliverFor(time.Hour, insert("a"))
	if want := int(time.Hour / noteEvery(f.Settings)); counted.written > want || counted.written < want/2 || counted.read != 0 {
		t.Errorf("%d notes in an hour, read %d times; want %d, never read", counted.written, counted.read, want)
	}
	probing := newFunction(t, Each(&probed{webhook: newWebhook(t)}))
	before := counted.written
	probing.Notes = counted
	probing.deliverFor(time.Hour, insert("a"))
	if counted.written != before || counted.read != 0 {
		t.Error("a function with a probe writes notes that nobody reads")
	}
	named := newFunction(t, Each(naming{}))
	*counted = countedNotes{}
	named.Notes = counted
	named.deliverFor(time.Hour, insert("a"))
	if of := slices.Compact(counted.of); !slices.Equal(of, []string{"topic"}) {
		t.Errorf("notes were written of %q, want the topic alone", of)
	}
}

// naming applies each change to a topic, and to nothing besides.
type naming struct{}

func (naming) Apply(context.Context, *change.Change) error {
	return Combine([]error{At("topic", nil), nil})
}

type countedNotes struct {
	written, read int
	of            []string
}

func (n *countedNotes) Note(_ context.Context, destination string, _, _ time.Time) error {
	n.written++
	n.of = append(n.of, destination)
	return nil
}

func (n *countedNotes) Noted(context.Context, string) (since, at time.Time, err error) {
	n.read++
	return since, at, nil
}

// Proofs have to go on until shortly before a change is given up. Fails if the proofs of a while ago are enough: the destination
// may be down since then.
func TestProofIsFresh(t *testing.T) {
	s := Settings{StuckAfter: 16 * time.Minute}
	began := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	now := began.Add(s.StuckAfter)
	for last, want := range map[time.Duration]bool{8 * time.Minute: false, 11 * time.Minute: false, 13 * time.Minute: true} {
		d := destination{works: span{since: began, at: began.Add(last)}}
		if got := d.isStuck(failure{first: began, since: now}, now, s); got != want {
			t.Errorf("the last proof %v ago: the change is to blame: %v, want %v", now.Sub(began.Add(last)), got, want)
		}
	}
	for last, want := range map[time.Duration]bool{8 * time.Minute: true, 24 * time.Minute: false} { // ago
		d := destination{noted: span{since: began.Add(-time.Hour), at: now.Add(-last)}}
		if got := d.isStuck(failure{first: began.Add(-time.Hour), since: now}, now, s); got != want {
			t.Errorf("the last note %v ago: the change is to blame: %v, want %v", last, got, want)
		}
	}
}
