package mapping

import (
	"context"
	"sync"
)

const (
	// DefaultMemory bounds what a mapping holds that shares no Memory with others.
	DefaultMemory = 64 << 20
	// firstRead is how many records are read of a shard before their size is known, maxRead the most ever.
	firstRead, maxRead = 100, 2000
)

// Memory bounds the bytes that mappings have read and not done. Each shard has an equal part, whatever the others take.
type Memory struct {
	total int64

	mu    sync.Mutex
	rooms map[*room]bool // of the shards that are read
}

// NewMemory makes a Memory of so many bytes.
func NewMemory(bytes int64) *Memory { return &Memory{total: bytes, rooms: map[*room]bool{}} }

// share is the part of one shard. The caller holds the lock.
func (m *Memory) share() int64 { return m.total / int64(max(len(m.rooms), 1)) }

type room struct {
	memory *Memory
	freed  chan struct{} // signals a release

	// Guarded by the memory's lock.
	used int64
	full bool // the last that asked for room has to wait
}

func (m *Memory) newRoom() *room {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := &room{memory: m, freed: make(chan struct{}, 1)}
	m.rooms[r] = true
	return r
}

func (r *room) close() {
	r.memory.mu.Lock()
	defer r.memory.mu.Unlock()
	delete(r.memory.rooms, r)
}

// part returns how much the shard may hold now. It changes with the number of shards.
func (r *room) part() int64 {
	r.memory.mu.Lock()
	defer r.memory.mu.Unlock()
	return r.memory.share()
}

// acquire waits until weight fits, or the room is empty: a record may be larger than it. Only one goroutine may acquire.
func (r *room) acquire(ctx context.Context, weight int64) error {
	for !r.tryAcquire(weight) {
		select {
		case <-r.freed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (r *room) tryAcquire(weight int64) bool {
	r.memory.mu.Lock()
	defer r.memory.mu.Unlock()
	if r.full = r.used > 0 && r.used+weight > r.memory.share(); r.full {
		return false
	}
	r.used += weight
	return true
}

func (r *room) release(weight int64) {
	r.memory.mu.Lock()
	r.used -= weight
	r.memory.mu.Unlock()
	signal(r.freed)
}

// readSize returns how many records to read next, after n records with so many bytes: a quarter of the shard's room.
func (r *room) readSize(n, bytes int) int32 {
	if n == 0 || bytes == 0 {
		return firstRead
	}
	return int32(min(max(r.part()/4*int64(n)/int64(bytes), 1), maxRead))
}
