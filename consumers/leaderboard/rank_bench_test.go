package leaderboard

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"
	"github.com/shopspring/decimal"

	"sluice/consumers/leaderboard/boards"
	"sluice/shared/consumertest/gametest"
)

// BenchmarkRank reports what a rank costs in read units, as DynamoDB itself
// counts them, on a board of 100,000 players with totals around 100,000: for the
// counts, for those in the player's own bucket, and with neighbours.
func BenchmarkRank(b *testing.B) {
	const players = 100_000
	random := rand.New(rand.NewPCG(42, 0))
	board := make([]boards.Entry, players)
	for i := range board {
		board[i] = boards.Entry{
			Name:   fmt.Sprintf("player-%07d", i),
			Number: decimal.NewFromInt(int64(100_000 * math.Exp(random.NormFloat64()))),
			Since:  at(i).UTC(),
		}
	}
	w := newWorld(b)
	w.place(board, gametest.Shards)
	for _, neighbours := range []int{0, 5} {
		b.Run(fmt.Sprintf("players=%d/neighbours=%d", players, neighbours), func(b *testing.B) {
			meter := &readMeter{units: map[string]float64{}}
			cfg := w.config
			cfg.APIOptions = append(cfg.APIOptions, meter.install)
			metered, err := boards.New(dynamodb.NewFromConfig(cfg), w.views(), "leaderboard")
			if err != nil {
				b.Fatal(err)
			}
			began, asked := time.Now(), 0
			for b.Loop() {
				if _, err := metered.Rank(b.Context(), board[random.IntN(players)].Name, neighbours); err != nil {
					b.Fatal(err)
				}
				asked++
			}
			b.ReportMetric(float64(time.Since(began).Milliseconds())/float64(asked), "ms/rank")
			b.ReportMetric(meter.calls/float64(asked), "calls/rank")
			for part, units := range meter.units {
				b.ReportMetric(units/float64(asked), part+"-units/rank")
			}
		})
	}
}

// readMeter adds up the read units of a client's calls by table.
type readMeter struct {
	mu    sync.Mutex
	calls float64
	units map[string]float64
}

func (m *readMeter) install(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("meter", m.call), middleware.After)
}

func (m *readMeter) call(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
	switch p := in.Parameters.(type) {
	case *dynamodb.QueryInput:
		p.ReturnConsumedCapacity = types.ReturnConsumedCapacityTotal
	case *dynamodb.GetItemInput:
		p.ReturnConsumedCapacity = types.ReturnConsumedCapacityTotal
	}
	out, metadata, err := next.HandleInitialize(ctx, in)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls++
	var used *types.ConsumedCapacity
	switch r := out.Result.(type) {
	case *dynamodb.QueryOutput:
		used = r.ConsumedCapacity
	case *dynamodb.GetItemOutput:
		used = r.ConsumedCapacity
	}
	if used != nil {
		m.units[aws.ToString(used.TableName)] += aws.ToFloat64(used.CapacityUnits)
	}
	return out, metadata, err
}
