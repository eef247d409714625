package leaderboard

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"
)

// BenchmarkUnits reports what a change costs in write units, index included, as
// DynamoDB itself counts them (ConsumedCapacity): this consumer's beside those
// of the plain ADD for each change that most handlers do.
func BenchmarkUnits(b *testing.B) {
	for _, players := range []int{1, 10, 100} {
		for _, size := range []int{1, 10, 100} {
			for _, exact := range []bool{true, false} {
				b.Run(fmt.Sprintf("players=%d/batch=%d/exact=%v", players, size, exact), func(b *testing.B) {
					b.ReportMetric(0, "ns/op") // it is about units, not about time
					changes, units := 0, 0.0
					for b.Loop() {
						w := newWorld(b)
						meter := &meter{}
						w.config.APIOptions = append(w.config.APIOptions, meter.install)
						exactly := w.consumer(nil)
						exactly.views = exactly.views[:1] // the totals, as the plain ADD keeps them
						f := w.handler(exactly)
						if !exact {
							f = w.handler(&plainAdd{dynamodb.NewFromConfig(w.config)})
						}
						random := rand.New(rand.NewPCG(42, 0))
						var records [][]byte
						for turn := range 2000 {
							records = append(records, insert("player-"+strconv.Itoa(random.IntN(players)), turn, strconv.Itoa(random.IntN(10))))
						}
						w.deliver(f, size, records...)
						changes, units = changes+len(records), units+meter.units
					}
					b.ReportMetric(units/float64(changes), "units/change")
				})
			}
		}
	}
}

// meter adds up the write units of a client's calls.
type meter struct {
	mu    sync.Mutex
	units float64
}

func (m *meter) install(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("meter", m.call), middleware.After)
}

func (m *meter) call(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
	switch p := in.Parameters.(type) {
	case *dynamodb.UpdateItemInput:
		p.ReturnConsumedCapacity = types.ReturnConsumedCapacityTotal
	case *dynamodb.TransactWriteItemsInput:
		p.ReturnConsumedCapacity = types.ReturnConsumedCapacityTotal
	}
	out, metadata, err := next.HandleInitialize(ctx, in)
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil { // a refused condition costs what the write would have cost: here one unit
		m.units++
		return out, metadata, err
	}
	switch r := out.Result.(type) {
	case *dynamodb.UpdateItemOutput:
		m.units += aws.ToFloat64(r.ConsumedCapacity.CapacityUnits)
	case *dynamodb.TransactWriteItemsOutput:
		for _, c := range r.ConsumedCapacity {
			m.units += aws.ToFloat64(c.CapacityUnits)
		}
	}
	return out, metadata, err
}
