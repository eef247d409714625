package operate

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"sluice/deploy/local/servers/servertest"
	"sluice/shared/consumertest/wire"
)

func TestMain(m *testing.M) { servertest.Main(m) }

const orders = 60

// newOrders makes a table of orders.
func newOrders(t *testing.T) aws.Config {
	t.Helper()
	cfg := servertest.DynamoDB(t)
	client := dynamodb.NewFromConfig(cfg)
	servertest.CreateTable(t, client, "Orders", "Id")
	for i := range orders {
		if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("Orders"), Item: Item{"Id": text(fmt.Sprint(i)), "n": text("x")}}); err != nil {
			t.Fatal(err)
		}
	}
	return cfg
}

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

// Interrupted at any call, a scan that resumes at its cursors has visited every item, and a page that was saved only once. Progress
// is called one call at a time. Fails if an item is left out, if a resumed scan begins again, or if two calls of progress meet.
func TestSourceResume(t *testing.T) {
	cfg := newOrders(t)
	for interrupted := 1; ; interrupted++ {
		calls := 0
		var mu sync.Mutex
		broken := cfg.Copy()
		broken.HTTPClient = &http.Client{Transport: &wire.Transport{Decide: func(c wire.Call) wire.Fault {
			mu.Lock()
			defer mu.Unlock()
			if calls++; calls == interrupted {
				return wire.Crash
			}
			return wire.None
		}}}
		broken.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
		cursors := make([]Cursor, 3)
		visits := map[string]int{}
		run := func(cfg aws.Config) error {
			var inside atomic.Int32 // calls of progress
			s := &Source{Client: dynamodb.NewFromConfig(cfg), Table: "Orders", Limit: 7}
			if err := s.Open(t.Context()); err != nil {
				return err
			}
			began := append([]Cursor{}, cursors...)
			return s.Resume(t.Context(), began, func(_ context.Context, p Page) error {
				mu.Lock()
				defer mu.Unlock()
				for _, item := range p.Items {
					visits[s.KeyText(item)]++
				}
				return nil
			}, func(_ context.Context, segment int, c Cursor) error {
				mu.Lock()
				defer mu.Unlock()
				cursors[segment] = c
				return nil
			}, func(int) {
				if inside.Add(1) > 1 {
					t.Error("progress is called while it is called")
				}
				runtime.Gosched()
				inside.Add(-1)
			})
		}
		err := run(broken)
		if err == nil {
			break // it is done before this call
		}
		if err := run(cfg); err != nil {
			t.Fatal(err)
		}
		if len(visits) != orders {
			t.Errorf("interrupted at call %d: %d items visited, want %d", interrupted, len(visits), orders)
		}
		for key, n := range visits {
			if n != 1 { // every page that was visited was saved
				t.Errorf("interrupted at call %d: %s was visited %d times", interrupted, key, n)
			}
		}
	}
}

// A page counts as read before it was asked for, by the margin; an error of a visit ends the scan.
func TestSourceVersion(t *testing.T) {
	cfg := newOrders(t)
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s, err := OpenSource(t.Context(), dynamodb.NewFromConfig(cfg), "Orders")
	if err != nil {
		t.Fatal(err)
	}
	s.Now = func() time.Time { now = now.Add(time.Minute); return now }
	stop := errors.New("stop")
	pages := 0
	err = s.Scan(t.Context(), 1, func(_ context.Context, p Page) error {
		pages++
		if want := now.Add(-ReadMargin); !p.Version.Equal(want) {
			t.Errorf("the page counts as read at %v, want %v", p.Version, want)
		}
		return stop
	})
	if !errors.Is(err, stop) || pages != 1 {
		t.Errorf("after %d pages: %v", pages, err)
	}
	item, version, err := s.Get(t.Context(), Item{"Id": text("7")})
	if err != nil || item == nil || !version.Equal(now.Add(-ReadMargin)) {
		t.Errorf("got %v as of %v, %v", item, version, err)
	}
	var asked []Item
	for i := range 2 * orders { // the second half isn't there
		asked = append(asked, Item{"Id": text(fmt.Sprint(i)), "n": text("y")})
	}
	if found, err := s.GetAll(t.Context(), asked); err != nil || len(found) != orders {
		t.Errorf("found %d items of %d, %v", len(found), len(asked), err)
	}
	if _, err := OpenSource(t.Context(), s.Client, "None"); err == nil {
		t.Error("a table that isn't there was opened")
	}
}
