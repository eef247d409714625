package replication

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest/wire"
)

// TestEveryDeliveryMoves delivers new items while the table gives no answer for any but the next
// two: the batch doesn't fit its time. Each delivery must move the checkpoint. Fails if the puts
// may take all of the time: then no put has time to look for a tombstone, and none is ever done.
func TestEveryDeliveryMoves(t *testing.T) {
	const items, each, timeout = 4, 2, 4 * time.Second
	w := newWorld(t)
	w.create(away, tableOf("Orders", "Id", "S"))
	w.create("us-east-1", tableOf("OpenOrders", "Id", "S"))
	id := func(n int) string { return fmt.Sprintf("order-%02d", n) }
	fast := items // so many items get answers
	w.fault = func(c wire.Call) wire.Fault {
		for n := fast; n < items; n++ {
			if strings.Contains(string(c.Body), id(n)) {
				return wire.Silence
			}
		}
		return wire.None
	}
	r := w.consumer(toTwo)
	var batch []*change.Change
	for n := range items {
		batch = append(batch, insert(t, "Orders", id(n), n, nil))
	}
	wantOutcomes(t, r.ApplyBatch(t.Context(), []*change.Change{insert(t, "Orders", "first", 0, nil)}), consumer.Applied) // looks at the tables
	for fast = each; len(batch) > 0; fast += each {
		ctx, cancel := context.WithTimeout(t.Context(), timeout)
		errs := r.ApplyBatch(ctx, batch)
		cancel()
		done := 0
		for done < len(errs) && consumer.OutcomeOf(errs[done]) != consumer.Retry {
			done++
		}
		if done == 0 {
			t.Fatalf("%d of %d changes are left, and the checkpoint doesn't move: %v", len(batch), items, errs[0])
		}
		batch = batch[done:]
	}
}
