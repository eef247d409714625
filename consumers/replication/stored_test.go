package replication

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"sluice/consumers/replication/internal/store"
	"sluice/deploy/local/servers/servertest"
	"sluice/shared/change"
	"sluice/shared/consumer"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/stored"
	"sluice/shared/consumertest/wire"
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
		wantOutcomes(t, r.ApplyBatch(t.Context(), next), consumer.Applied, consumer.Applied, consumer.Applied)
		result, err := p.Backfill(t.Context(), BackfillOptions{Segments: 1})
		if err != nil || result.Copied+result.Newer == 0 || result.Copied+result.Newer >= storedOrders {
			t.Errorf("the backfill doesn't go on: %+v, %v", result, err)
		}
		v, err := p.Verify(t.Context(), VerifyOptions{Segments: 2})
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

func newStoredWorld(t *testing.T) (*world, *Pair) {
	w := newWorld(t)
	p := newTestPair(w, storedRoute)
	p = newPair(w.config, DefaultSettings(), p.Route, func() time.Time { return consumertest.Arrival })
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
	if result, err := newPair(broken, DefaultSettings(), p.Route, p.now).Backfill(t.Context(), BackfillOptions{Segments: 1}); err == nil {
		t.Fatalf("the backfill was done before it was cut off: %+v", result)
	}
	stored.Write(t, folder, "records.json", records)
	stored.Write(t, folder, "copies.json", stored.Scan(t, w.client(away), "Copy", DefaultTombstoneTable))
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

// A table of two regions that earlier versions kept, by each rule. Fails if marks, tombstones or the conflict log change their
// forms without a reader for the old ones: then a removed item comes back, or what won before loses.
func TestStoredShared(t *testing.T) {
	stored.Each(t, writeStoredShared, func(t *testing.T, folder string) {
		for name, story := range sharedStories {
			t.Run(name, func(t *testing.T) {
				var was storedShared
				stored.Read(t, folder, name+".json", &was)
				w := newStoredShared(t, story)
				for region, side := range w.sides {
					was.Tables[region].Fill(t, side.client)
					side.item, side.stream = w.held(region), parsedRecords(t, was.Records[region])
				}
				w.at = w.at.Add(time.Minute)
				w.runUntilQuiet()
				if len(story.again) > 0 {
					delete(was.Tables[away], DefaultConflictTable)
					delete(was.Tables[servertest.Region], DefaultConflictTable)
				}
				lost := append(story.again, story.lost...)
				for region, side := range w.sides {
					was.Tables[region].Unchanged(t, side.client, "after all was delivered again in "+region)
				}
				w.want(story.stays, lost...)
				w.put(story.home(), versioned(consumertest.N("9"), "next"))
				w.runUntilQuiet()
				w.want("next", lost...)
				w.put(story.home(), nil)
				w.runUntilQuiet()
				w.want("", lost...)
			})
		}
	})
}

// storedShared is what a story left in each region.
type storedShared struct {
	Tables  map[string]stored.Tables
	Records map[string][][]byte
}

// sharedStory is the history of an item by a rule.
type sharedStory struct {
	shared Shared
	// tell makes the changes.
	tell  func(w *rankedWorld)
	stays string
	lost  []string
	// again are versions that a redelivery takes for lost, too: nobody knows any more that they were overwritten.
	again []string
}

// home is a region whose writes count.
func (s sharedStory) home() string {
	if len(s.shared.owners) > 0 {
		return away
	}
	return servertest.Region
}

// conflict has both regions write before they know of each other.
func conflict(w *rankedWorld) {
	w.put(servertest.Region, versioned(consumertest.N("2"), "home"))
	w.put(away, versioned(consumertest.N("1"), "away"))
	w.runUntilQuiet()
}

// writtenAndRemoved has one region write twice and remove the item.
func writtenAndRemoved(region string) func(w *rankedWorld) {
	return func(w *rankedWorld) {
		w.put(region, versioned(consumertest.N("1"), "first"))
		w.runUntilQuiet()
		w.put(region, versioned(consumertest.N("2"), "second"))
		w.runUntilQuiet()
		w.put(region, nil)
		w.runUntilQuiet()
	}
}

var sharedStories = map[string]sharedStory{
	"last-writer-conflict": {Shared{}, conflict, "away", []string{"home"}, nil},
	"last-writer-removed":  {Shared{}, writtenAndRemoved(servertest.Region), "", nil, []string{"first"}},
	"owner-conflict":       {Shared{owners: []owner{{"id", "x", away}}}, conflict, "away", []string{"home"}, nil},
	"owner-removed":        {Shared{owners: []owner{{"id", "x", away}}}, writtenAndRemoved(away), "", nil, nil},
	"rank-conflict":        {Shared{attribute: rankAttribute}, conflict, "home", []string{"away"}, nil},
	"rank-removed":         {Shared{attribute: rankAttribute}, writtenAndRemoved(servertest.Region), "", nil, nil},
}

func newStoredShared(t *testing.T, story sharedStory) *rankedWorld {
	w := newRankedWorld(t)
	shared := story.shared
	shared.Name, shared.Table, shared.Regions = "shared", "Shared", []string{servertest.Region, away}
	writes := uint64(0)
	for region, side := range w.sides {
		w.start(region, &shared)
		side.mirror.random = func() uint64 { writes++; return writes }
	}
	return w
}

func writeStoredShared(t *testing.T, folder string) {
	for name, story := range sharedStories {
		w := newStoredShared(t, story)
		story.tell(w)
		w.want(story.stays, story.lost...)
		left := storedShared{map[string]stored.Tables{}, map[string][][]byte{}}
		for region, side := range w.sides {
			left.Tables[region] = stored.Scan(t, side.client, "Shared", DefaultTombstoneTable, DefaultConflictTable)
			left.Records[region] = side.all
		}
		stored.Write(t, folder, name+".json", left)
	}
}
