package ops

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"sluice/consumers/replication"
	"sluice/consumers/replication/internal/store"
	"sluice/deploy/local/servers/servertest"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/stored"
	"sluice/shared/consumertest/wire"
	"sluice/shared/operate"
)

// Copies, tombstones and the cursor of a backfill that earlier versions stored. Fails if a mark, a tombstone or a cursor changes
// its form without a reader for the old one: then an older version wins, a removed item comes back, or the backfill begins anew.
func TestStoredForms(t *testing.T) {
	stored.Each(t, writeStored, func(t *testing.T, folder string) {
		w, p := newStoredWorld(t)
		var records [][]byte
		var copies stored.Tables
		stored.Read(t, folder, "records.json", &records)
		stored.Read(t, folder, "copies.json", &copies)
		copies.Fill(t, w.client(away))
		w.write(order("a", "open", "second"))
		w.write(order("c", "open", "first"))
		r := w.consumer(storedRoute)
		again := parsedRecords(t, append(records, orderChange("a", 2, "", "open between"), orderChange("b", 3, "", "open between"), orderChange("d", 5, "", "open between")))
		for i, c := range again {
			for _, err := range r.ApplyBatch(t.Context(), []*change.Change{c}) {
				if o := consumer.OutcomeOf(err); o != consumer.Duplicate && o != consumer.Stale {
					t.Errorf("change %d again: %v (%v), want a duplicate or a stale one", i+1, o, err)
				}
			}
		}
		copies.Unchanged(t, w.client(away), "after all was delivered again")

		w.write(order("a", "open", "third"))
		w.write(order("b", "open", "third"))
		w.delete("Orders", "c")
		next := parsedRecords(t, [][]byte{
			orderChange("a", 20, "open second", "open third"), orderChange("b", 20, "", "open third"), orderChange("c", 20, "open first", ""),
		})
		for _, err := range r.ApplyBatch(t.Context(), next) {
			if o := consumer.OutcomeOf(err); o != consumer.Applied {
				t.Errorf("a later change: %v (%v), want it applied", o, err)
			}
		}
		result, err := (&backfill{pair: p}).Run(t.Context(), func(int) {})
		if err != nil || result.Written+result.Newer == 0 || result.Written+result.Newer >= storedOrders {
			t.Errorf("the backfill doesn't go on: %+v, %v", result, err)
		}
		v, err := operate.Compare(t.Context(), p, operate.Judging{})
		if err != nil || len(v.Differences) > 0 || v.Items != storedOrders+2 {
			t.Errorf("verify: %+v, %v", v, err)
		}
	})
}

const storedRoute = `replicas:
  - name: replica
    from: {table: Orders, where: {state: open}}
    into: {table: Copy, region: eu-west-1}
    leaveOut: [card, replay]
`

// storedOrders is how many orders only the backfill copies. A page of a scan doesn't hold them.
const storedOrders = 6

func newStoredWorld(t *testing.T) (*world, *pair) {
	w := newWorld(t)
	p := newTestPair(w, storedRoute)
	p = newPair(w.config, replication.DefaultSettings(), p.route, 1, func() time.Time { return consumertest.Arrival })
	for i := range storedOrders {
		large := order(fmt.Sprint("large-", i), "open", "first")
		large["replay"] = textValue(strings.Repeat("x", 390<<10))
		w.write(large)
	}
	return w, p
}

// writeStored writes the fixtures: an item in two versions, one that was removed, one whose removal came first, and one
// that the route doesn't take any more. Then a backfill is cut off at its second page.
func writeStored(t *testing.T, folder string) {
	w, p := newStoredWorld(t)
	records := [][]byte{
		orderChange("a", 1, "", "open first"), orderChange("a", 4, "open first", "open second"),
		orderChange("b", 1, "", "open first"), orderChange("b", 4, "open first", ""),
		orderChange("c", 1, "", "open first"),
		orderChange("d", 6, "open first", ""), orderChange("d", 1, "", "open first"),
		orderChange("e", 1, "", "open first"), orderChange("e", 4, "open first", "done first"),
	}
	r := w.consumer(storedRoute)
	for _, c := range parsedRecords(t, records) {
		r.ApplyBatch(t.Context(), []*change.Change{c})
	}
	pages := 0
	broken := w.config.Copy()
	broken.HTTPClient = w.breaking(func(c wire.Call) bool {
		if c.Operation == "Scan" {
			pages++
		}
		return pages == 2
	})
	if result, err := (&backfill{pair: newPair(broken, replication.DefaultSettings(), p.route, 1, p.now)}).Run(t.Context(), func(int) {}); err == nil {
		t.Fatalf("the backfill was done before it was cut off: %+v", result)
	}
	stored.Write(t, folder, "records.json", records)
	stored.Write(t, folder, "copies.json", stored.Scan(t, w.client(away), "Copy", replication.DefaultTombstoneTable))
}

// orderChange is the n-th change of an order, whose images are told by state and text; "": none.
func orderChange(id string, n int, before, after string) []byte {
	image := func(words string) consumertest.Item {
		state, text, ok := strings.Cut(words, " ")
		if !ok {
			return nil
		}
		return consumertest.Item{
			"Id": consumertest.S(id), "state": consumertest.S(state), "text": consumertest.S(text), "tags": {"SS": []string{"a", "b"}}, "card": consumertest.N("4111"),
		}
	}
	return consumertest.Change{
		Table: "Orders", Time: consumertest.Arrival.Add(-time.Hour + time.Duration(n)*time.Microsecond),
		Keys: consumertest.Item{"Id": consumertest.S(id)}, Old: image(before), New: image(after),
	}.Record()
}

func parsedRecords(t *testing.T, records [][]byte) (changes []*change.Change) {
	t.Helper()
	for _, record := range records {
		c, err := change.Parse(record)
		if err != nil {
			t.Fatal(err)
		}
		changes = append(changes, c)
	}
	return changes
}

// delete deletes an item of the source.
func (w *world) delete(table, id string) {
	w.t.Helper()
	if _, err := w.client(servertest.Region).DeleteItem(w.t.Context(), &dynamodb.DeleteItemInput{TableName: &table, Key: store.Item{"Id": textValue(id)}}); err != nil {
		w.t.Fatal(err)
	}
}
