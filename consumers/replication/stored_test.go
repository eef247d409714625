package replication

import (
	"testing"
	"time"

	"sluice/deploy/local/servers/servertest"
	"sluice/shared/change"
	"sluice/shared/consumertest"
	"sluice/shared/consumertest/stored"
)

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
	"rank-conflict":        {Shared{Attribute: rankAttribute}, conflict, "home", []string{"away"}, nil},
	"rank-removed":         {Shared{Attribute: rankAttribute}, writtenAndRemoved(servertest.Region), "", nil, nil},
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
