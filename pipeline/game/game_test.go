package game

import (
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/shopspring/decimal"

	"sluice/consumers/leaderboard/boards"
	"sluice/deploy/local/servers/servertest"
	"sluice/shared/change"
)

func TestMain(m *testing.M) { servertest.Main(m) }

// What Play says it has written is what the table holds.
func TestPlayReportsWhatTheTableHolds(t *testing.T) {
	client := dynamodb.NewFromConfig(servertest.DynamoDB(t))
	servertest.CreateTable(t, client, "Scores", attrUser, attrTimestamp)
	var scores atomic.Int64
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	written, err := Game{
		Client: client, Table: "Scores", Players: 12, For: time.Second, Rate: 200, Seed: seed,
		Scored: func(string, int) { scores.Add(1) },
	}.Play(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if scores.Load() == 0 || len(written) != 12 {
		t.Errorf("%d scores of %d players, want some of 12", scores.Load(), len(written))
	}
	held := map[string]decimal.Decimal{}
	out, err := client.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String("Scores"), ConsistentRead: aws.Bool(true)})
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range out.Items {
		score, err := boards.Number(item, attrScore)
		if err != nil {
			t.Fatal(err)
		}
		user := change.TextOf(item[attrUser])
		held[user] = held[user].Add(score)
	}
	for user, sum := range written {
		if !held[user].Equal(decimal.NewFromInt(sum)) {
			t.Errorf("%s has written %d, the table holds %s", user, sum, held[user])
		}
	}
}

func TestPlayStopsAtAnError(t *testing.T) {
	client := dynamodb.NewFromConfig(servertest.DynamoDB(t))
	_, err := Game{Client: client, Table: "NoSuchTable", Players: 3, For: time.Minute, Rate: 100}.Play(t.Context())
	if err == nil {
		t.Fatal("played on a table that doesn't exist")
	}
}

// frozen plays a short round through a wire on which nothing answers from the n-th call on, until thaw is closed.
func frozen(t *testing.T, cfg aws.Config, table string, seed uint64, n int, thaw <-chan struct{}, catchUp time.Duration) (scores int64, err error) {
	t.Helper()
	client := dynamodb.NewFromConfig(cfg, func(o *dynamodb.Options) {
		o.HTTPClient = &http.Client{Transport: silent{from: n, thaw: thaw, calls: &atomic.Int64{}}}
	})
	servertest.CreateTable(t, client, table, attrUser, attrTimestamp)
	var scored atomic.Int64
	_, err = Game{
		Client: client, Table: table, Players: 4, For: 500 * time.Millisecond, Rate: 100, Seed: seed,
		Scored: func(string, int) { scored.Add(1) },
	}.play(t.Context(), time.Now(), catchUp)
	held, scanErr := dynamodb.NewFromConfig(cfg).Scan(t.Context(), &dynamodb.ScanInput{TableName: &table, ConsistentRead: aws.Bool(true)})
	if scanErr != nil {
		t.Fatal(scanErr)
	}
	if int64(held.Count) != scored.Load() {
		t.Errorf("%s holds %d scores, and %d are said to be written", table, held.Count, scored.Load())
	}
	return scored.Load(), err
}

// silent lets no call through from one on until it thaws.
type silent struct {
	from  int
	thaw  <-chan struct{}
	calls *atomic.Int64
}

// RoundTrip implements http.RoundTripper.
func (s silent) RoundTrip(r *http.Request) (*http.Response, error) {
	if int(s.calls.Add(1)) >= s.from {
		select {
		case <-s.thaw:
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	return http.DefaultTransport.RoundTrip(r)
}

// A server that stands still during a round: what was due is written once it goes on; if it never does, the round says how much
// is missing. Fails if a turn is lost because the one before it took long.
func TestPlayWhileTheTableStandsStill(t *testing.T) {
	cfg := servertest.DynamoDB(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	open, never := make(chan struct{}), make(chan struct{})
	close(open)
	all, err := frozen(t, cfg, "Never", seed, 1, open, catchUp)
	if err != nil || all == 0 {
		t.Fatalf("%d scores, %v", all, err)
	}
	later := make(chan struct{})
	time.AfterFunc(700*time.Millisecond, func() { close(later) })
	if got, err := frozen(t, cfg, "ForAWhile", seed, 10, later, catchUp); err != nil || got != all {
		t.Errorf("after a freeze %d scores are written (%v), want %d as without one", got, err, all)
	}
	got, err := frozen(t, cfg, "ForGood", seed, 10, never, 100*time.Millisecond)
	behind, ok := errors.AsType[*BehindError](err)
	if !ok || behind.Written != got || behind.Due <= got || got >= all {
		t.Errorf("%d scores are written of %d, error %v", got, all, err)
	}
}
