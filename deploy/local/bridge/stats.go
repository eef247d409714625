package bridge

import (
	"maps"
	"sync"
	"time"
)

// Stats counts what a Bridge has done.
type Stats struct {
	Counts
	Tables map[string]TableStats `json:"tables"` // by name
}

// Counts are the counts of one table, or of all.
type Counts struct {
	Read      int64 `json:"read"`      // changes read from DynamoDB Streams
	Written   int64 `json:"written"`   // records that Kinesis has taken, repeats included
	Repeated  int64 `json:"repeated"`  // records written a second time on purpose
	Reordered int64 `json:"reordered"` // records held back on purpose
	Oversize  int64 `json:"oversize"`  // changes skipped because their record is over 1 MiB
	Pending   int64 `json:"pending"`   // records read or held back but not yet written: 0 when nothing is under way
}

// TableStats is where the changes of one table stand.
type TableStats struct {
	Counts
	// Quiet is how often the table's stream was read to its end and had nothing new. Once it has grown by two,
	// every change that the table had when it was first looked at is in Read: one of the two readings began afterwards.
	Quiet  int64  `json:"quiet"`
	Stream string `json:"stream"` // the name of the Kinesis stream that the changes go to
	// Problem says why changes may not arrive, or what happened to the table; empty if all is well.
	Problem      string `json:"problem,omitempty"`
	MillisSilent int64  `json:"millisSilent"` // how long ago the table's stream was last read; -1 before the first time
	// Last is, by shard of Stream, the sequence number of the last record written there.
	Last map[string]string `json:"last"`
}

// Stats returns the counts so far. Pending == 0 is true of everything in Read, and so is Last.
func (b *Bridge) Stats() Stats {
	stats := Stats{Tables: map[string]TableStats{}}
	for _, c := range b.carriers {
		table := c.counts.stats()
		stats.Tables[c.table.Name] = table
		stats.Read += table.Read
		stats.Written += table.Written
		stats.Repeated += table.Repeated
		stats.Reordered += table.Reordered
		stats.Oversize += table.Oversize
		stats.Pending += table.Pending
	}
	return stats
}

// counts are those of one carrier. Its methods are safe for concurrent use.
type counts struct {
	mu       sync.Mutex
	table    TableStats
	lastRead time.Time // from the table's stream
}

// count changes counts that belong together: who reads them sees all of a change or nothing.
func (c *counts) count(change func(*TableStats)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(&c.table)
}

func (c *counts) answered() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lastRead = time.Now()
}

func (c *counts) stats() TableStats {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.table
	t.Last, t.MillisSilent = maps.Clone(t.Last), -1
	if !c.lastRead.IsZero() {
		t.MillisSilent = time.Since(c.lastRead).Milliseconds()
	}
	return t
}
