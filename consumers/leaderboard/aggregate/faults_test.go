package aggregate

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"

	"sluice/shared/consumer"
	"sluice/shared/consumertest/wire"
)

// fastRetryer retries as the SDK does, without waiting.
func fastRetryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
		o.RateLimiter = unlimited{}
	})
}

// Two instances add the same changes at the same time, shuffled and repeated,
// over a wire that throttles, fails and loses requests and answers. Whatever is
// not done is given to an instance again, as the stream would.
func TestAddUnderFaults(t *testing.T) {
	const schedules = 30
	for range schedules {
		seed := rand.Uint64()
		t.Run("", func(t *testing.T) {
			t.Parallel()
			t.Logf("seed %d", seed)
			w := newWorld(t)
			random := rand.New(rand.NewPCG(seed, 0))
			list := amounts(0, random.IntN(3*Capacity)+1)
			var mu sync.Mutex
			decide := func(wire.Call) wire.Fault {
				mu.Lock()
				defer mu.Unlock()
				if random.Float64() < 0.6 {
					return wire.None
				}
				return []wire.Fault{wire.Throttle, wire.ServerError, wire.LostRequest, wire.LostAnswer}[random.IntN(4)]
			}
			var orders [2][]Amount
			var sizes [2]int
			for i := range orders {
				order := append(append([]Amount{}, list...), list[:len(list)/2]...)
				random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
				orders[i], sizes[i] = order, random.IntN(2*Capacity)+1
			}
			var instances sync.WaitGroup
			for i, order := range orders {
				size := sizes[i]
				table, _ := w.table(decide)
				instances.Go(func() {
					for len(order) > 0 {
						part := order[:min(size, len(order))]
						order = order[len(part):]
						for i, err := range table.Add(t.Context(), target("a"), part) {
							if consumer.OutcomeOf(err) == consumer.Retry {
								order = append(order, part[i])
							}
							if consumer.OutcomeOf(err) == consumer.Rejected {
								t.Errorf("rejected: %v", err)
							}
						}
					}
				})
			}
			instances.Wait()
			w.wantSum("a", total(list))
		})
	}
}

// A write whose answer was lost is repeated by the SDK and meets its own
// effect: that is a success, not an error, and counts once.
func TestAddLostAnswer(t *testing.T) {
	w := newWorld(t)
	table, _ := w.table(func(c wire.Call) wire.Fault {
		if c.N == 1 {
			return wire.LostAnswer
		}
		return wire.None
	})
	errs := table.Add(t.Context(), target("a"), amounts(0, 10))
	if got := outcomesOf(errs); got[consumer.Applied]+got[consumer.Duplicate] != 10 {
		t.Errorf("outcomes %v, want all 10 done: %v", got, errors.Join(errs...))
	}
	w.wantSum("a", total(amounts(0, 10)))
}

type unlimited struct{}

func (unlimited) GetToken(context.Context, uint) (func() error, error) {
	return func() error { return nil }, nil
}
func (unlimited) AddTokens(uint) error { return nil }
