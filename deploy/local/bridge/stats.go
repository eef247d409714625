package bridge

import (
	"maps"
	"sync"
	"sync/atomic"
	"time"
)

// Stats counts what a Bridge has done, of all tables together and of each.
type Stats struct {
	Counts
	// Tables are by name.
	Tables map[string]TableStats `json:"tables"`
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
	Quiet int64 `json:"quiet"`
	// Stream is the name of the Kinesis stream that the changes go to.
	Stream string `json:"stream"`
	// Problem says why changes may not arrive, or what happened to the table; empty if all is well.
	Problem string `json:"problem,omitempty"`
	// MillisSilent is how long ago the table's stream was last read; -1 before the first time.
	MillisSilent int64 `json:"millisSilent"`
	// Last is, by shard of Stream, the sequence number of the last record written there.
	Last map[string]string `json:"last"`
}

// Stats returns the counts so far. Pending == 0 is true of everything in Read, and so is Last.
func (b *Bridge) Stats() Stats {
	stats := Stats{Tables: map[string]TableStats{}}
	for _, c := range b.carriers {
		table := c.counts.stats()
		table.Stream = c.table.StreamName
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

// counts are those of one carrier.
type counts struct {
	read, written, repeated, reordered, oversize, pending, quiet atomic.Int64

	mu       sync.Mutex
	last     map[string]string
	problem  string
	lastRead time.Time // from the table's stream
}

// setProblem notes what is wrong with the source; "" if nothing is.
func (c *counts) setProblem(problem string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.problem = problem
}

// noteRead notes that the stream has answered.
func (c *counts) noteRead() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lastRead = time.Now()
}

// took counts a record that Kinesis has taken.
func (c *counts) took(shard, sequence string) {
	c.mu.Lock()
	c.last[shard] = sequence
	c.mu.Unlock()
	c.written.Add(1)
	c.pending.Add(-1)
}

func (c *counts) stats() TableStats {
	// A record is pending before it counts as read, which it does before a reading counts as quiet, and its sequence
	// number is there before it is no longer pending. So what comes last is looked at first.
	var t TableStats
	t.Quiet = c.quiet.Load()
	t.Read = c.read.Load()
	t.Pending = c.pending.Load()
	t.Written, t.Repeated, t.Reordered = c.written.Load(), c.repeated.Load(), c.reordered.Load()
	t.Oversize = c.oversize.Load()
	c.mu.Lock()
	defer c.mu.Unlock()
	t.Last = maps.Clone(c.last)
	t.Problem, t.MillisSilent = c.problem, -1
	if !c.lastRead.IsZero() {
		t.MillisSilent = time.Since(c.lastRead).Milliseconds()
	}
	return t
}
