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
	"sluice/shared/consumertest/proof"
	"sluice/shared/consumertest/wire"
)

// fastRetryer retries as the SDK does, without waiting.
func fastRetryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
		o.RateLimiter = unlimited{}
	})
}

// faulty decides for each call at random whether it goes through. It may be
// called from several goroutines.
func faulty(random *rand.Rand, goesThrough float64) func(wire.Call) wire.Fault {
	var mu sync.Mutex
	return func(wire.Call) wire.Fault {
		mu.Lock()
		defer mu.Unlock()
		if random.Float64() < goesThrough {
			return wire.None
		}
		// No Conflict: its back-off takes real time here, and none in the simulator.
		faults := []wire.Fault{wire.Throttle, wire.ServerError, wire.LostRequest, wire.LostAnswer}
		return faults[random.IntN(len(faults))]
	}
}

// addSideBySide has an instance for each of the lists add it to item a, in calls of
// up to its size, over a wire where decide injects faults. Whatever is not done is
// given to the instance again, as the stream would.
func (w *world) addSideBySide(decide func(wire.Call) wire.Fault, lists [2][]Amount, sizes [2]int) {
	var instances sync.WaitGroup
	for i, list := range lists {
		size := sizes[i]
		table, _ := w.table(decide)
		instances.Go(func() {
			for len(list) > 0 {
				part := list[:min(size, len(list))]
				list = list[len(part):]
				for i, err := range add(w.t.Context(), table, target("a"), part) {
					if consumer.OutcomeOf(err) == consumer.Retry {
						list = append(list, part[i])
					}
					if consumer.OutcomeOf(err) == consumer.Rejected {
						w.t.Errorf("rejected: %v", err)
					}
				}
			}
		})
	}
	instances.Wait()
}

// Two instances add the same changes at the same time, shuffled and repeated,
// over a wire that throttles, fails and loses requests and answers.
func TestAddUnderFaults(t *testing.T) {
	for range proof.Size(30, 6) {
		seed := rand.Uint64()
		t.Run("", func(t *testing.T) {
			t.Parallel()
			t.Logf("seed %d", seed)
			w := newWorld(t)
			random := rand.New(rand.NewPCG(seed, 0))
			list := amounts(0, random.IntN(3*Capacity)+1)
			var orders [2][]Amount
			var sizes [2]int
			for i := range orders {
				order := append(append([]Amount{}, list...), list[:len(list)/2]...)
				random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
				orders[i], sizes[i] = order, random.IntN(2*Capacity)+1
			}
			w.addSideBySide(faulty(random, 0.6), orders, sizes)
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
	errs := add(t.Context(), table, target("a"), amounts(0, 10))
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
