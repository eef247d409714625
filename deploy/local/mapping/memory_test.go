package mapping

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	kinesistypes "github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"golang.org/x/sync/errgroup"

	"sluice/deploy/local/parttest"
)

// Fails for a queue that keeps what was removed, or an array that is far larger than what is in it.
func TestFifoKeepsOnlyWhatIsInIt(t *testing.T) {
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 0))
		var q fifo[*int]
		var want []int
		for next := 0; next < 2000; {
			if rng.IntN(2) == 0 {
				for range rng.IntN(40) {
					q.push(new(next))
					want = append(want, next)
					next++
				}
			} else {
				n := rng.IntN(len(want) + 1)
				q.remove(n)
				want = want[n:]
				for _, kept := range q.all[:q.first] {
					if kept != nil {
						t.Fatalf("seed %d: still has %d, which was removed", seed, *kept)
					}
				}
				if len(q.all) > 2*len(want) {
					t.Fatalf("seed %d: an array of %d for %d", seed, len(q.all), len(want))
				}
			}
			var got []int
			for _, i := range q.items() {
				got = append(got, *i)
			}
			if !slices.Equal(got, want) {
				t.Fatalf("seed %d: has %v, want %v", seed, got, want)
			}
		}
		q.remove(len(want))
		if cap(q.all) != 0 {
			t.Errorf("seed %d: an array of %d for nothing", seed, cap(q.all))
		}
	}
}

// Fails for an event whose room is guessed: what is appended beyond it is copied to an array of up to twice the size.
func TestEventTakesNoMoreThanItNeeds(t *testing.T) {
	s := newSource("shardId-000000000006", testStreamARN, testFunctionARN)
	for _, key := range []string{"k", strings.Repeat("k", 256), strings.Repeat("\"\n\u2028", 80)} {
		for _, sequence := range []string{"1", strings.Repeat("4", 56)} {
			for _, size := range []int{0, 1, 2, 3, 500, 511, 512, 513, 20_000, 1 << 20} {
				for _, arrival := range []time.Time{time.UnixMilli(1), time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)} {
					r := s.encode(&kinesistypes.Record{PartitionKey: &key, SequenceNumber: &sequence, Data: make([]byte, size), ApproximateArrivalTimestamp: &arrival})
					if more := cap(r.event) - len(r.event); more > 16 {
						t.Errorf("key of %d bytes, number of %d, data of %d: %d bytes of room too many", len(key), len(sequence), size, more)
					}
					if r.weight() < int64(cap(r.event)) {
						t.Errorf("weighs %d, but takes %d bytes", r.weight(), cap(r.event))
					}
				}
			}
		}
	}
}

func TestReadSize(t *testing.T) {
	r := NewMemory(4 << 20).newRoom()
	for _, c := range []struct {
		n, bytes int
		want     int32
	}{{0, 0, firstRead}, {10, 0, firstRead}, {100, 100, maxRead}, {100, 100 << 10, 1024}, {2, 2 << 20, 1}, {1, 5 << 20, 1}} {
		if got := r.readSize(c.n, c.bytes); got != c.want {
			t.Errorf("readSize(%d, %d) = %d, want %d", c.n, c.bytes, got, c.want)
		}
	}
}

// Fails for a room that never takes a record larger than itself, or that takes the parts of others.
func TestRoomsShareTheMemory(t *testing.T) {
	m := NewMemory(100)
	a := m.newRoom()
	if !a.tryAcquire(60) || !a.tryAcquire(40) || a.tryAcquire(1) {
		t.Error("one shard alone doesn't have the whole memory")
	}
	b := m.newRoom()
	if !b.tryAcquire(50) || b.tryAcquire(1) {
		t.Error("the second of two shards doesn't have a half")
	}
	a.release(60)
	if !a.tryAcquire(10) || a.tryAcquire(1) {
		t.Error("the first of two shards doesn't have a half")
	}
	b.release(50)
	if !b.tryAcquire(1000) || b.tryAcquire(1) {
		t.Error("an empty room doesn't take what is larger than itself, or takes more")
	}
	b.release(1000)
	b.close()
	if !a.tryAcquire(50) {
		t.Error("the part of a shard that is no longer read is lost")
	}
}

// heap returns how much memory is in use after everything that nobody holds is gone.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

// together are several mappings that run side by side.
type together []*Mapping

func (all together) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, m := range all {
		group.Go(func() error { return m.Run(ctx) })
	}
	return group.Wait()
}

func (all together) Stats() (stats []Stats) {
	for _, m := range all {
		stats = append(stats, m.Stats())
	}
	return stats
}

// standsStill reports whether all shards are read as far as there is room.
func (m *Memory) standsStill(shards int) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for r := range m.rooms {
		if !r.full {
			return false
		}
	}
	return len(m.rooms) == shards
}

// Three consumers read a backlog that is many times as large as the memory. While they stand still, and once everything is
// done, the heap is bounded. Fails for a bound of each shard and consumer alone, and for queues that keep their arrays.
func TestBacklogIsBoundedInMemory(t *testing.T) {
	const (
		total, slack             = 4 << 20, 4 << 20
		consumers, shards, lanes = 3, 2, 2
		records, batch, bytes    = 9_000, 100, 2000
	)
	w := newWorld(t, shards)
	data := make([]byte, bytes)
	var entries []kinesistypes.PutRecordsRequestEntry
	for i := range 500 {
		entries = append(entries, kinesistypes.PutRecordsRequestEntry{PartitionKey: aws.String(fmt.Sprint("k", i)), Data: data})
	}
	for range records / len(entries) {
		if out, err := w.kinesis.PutRecords(t.Context(), &kinesis.PutRecordsInput{StreamARN: &w.stream, Records: entries}); err != nil || aws.ToInt32(out.FailedRecordCount) != 0 {
			t.Fatalf("put: %v, %+v", err, out)
		}
	}
	hold, err := os.Create(w.ledger + ".hold")
	if err != nil {
		t.Fatal(err)
	}
	defer hold.Close()
	if err := syscall.Flock(int(hold.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	s := defaults()
	s.ParallelizationFactor, s.BatchSize = lanes, batch
	memory := NewMemory(total)
	var all together
	for range consumers {
		all = append(all, w.mapping("waits", s, func(c *Config) { c.Memory = memory }))
	}
	before, released := heap(), false
	parttest.RunUntil(t, all, &w.log, func(stats []Stats) bool {
		read, idle := int64(0), true
		for _, s := range stats {
			read += s.Read
			idle = idle && s.Read >= records && s.Idle()
		}
		if !released && (memory.standsStill(consumers*shards) || read >= consumers*records) {
			released = true
			// Beside the memory: a read that waits, of a quarter, and the batches that are with the functions, in base64.
			most := int64(total + total/4 + consumers*shards*lanes*batch*bytes*4/3 + slack)
			if held := heap() - before; held > most {
				t.Errorf("%d MB for a backlog, want %d at the most", held>>20, most>>20)
			}
			if err := hold.Close(); err != nil {
				t.Error(err)
			}
		}
		if !idle {
			return false
		}
		if held := heap() - before; held > slack {
			t.Errorf("%d MB are kept once everything is done", held>>20)
		}
		return true
	})
	if !released {
		t.Error("nothing stood still")
	}
}
