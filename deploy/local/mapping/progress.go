package mapping

import (
	"sync"
	"time"
)

// progress is how far one shard is done: the checkpoint is the last record before the first that is not finished.
type progress struct {
	mu         sync.Mutex
	checkpoint string
	first      int64      // place of the first that is pending
	pending    fifo[mark] // from the first unfinished record on
	unfinished int64
}

type mark struct {
	sequence string
	arrival  time.Time
	finished bool
}

func (p *progress) add(sequence string, arrival time.Time) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pending.push(mark{sequence: sequence, arrival: arrival})
	p.unfinished++
	return p.first + int64(len(p.pending.items())) - 1
}

// finish marks records as done, by their places; each must be finished only once.
func (p *progress) finish(places ...int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	pending := p.pending.items()
	for _, place := range places {
		pending[place-p.first].finished = true
	}
	p.unfinished -= int64(len(places))
	done := 0
	for done < len(pending) && pending[done].finished {
		p.checkpoint = pending[done].sequence
		done++
	}
	p.first += int64(done)
	p.pending.remove(done)
}

// at returns the checkpoint, empty if there is none yet.
func (p *progress) at() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.checkpoint
}

// oldest returns when the first record that is not finished arrived in the stream, and whether there is one.
func (p *progress) oldest() (time.Time, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	pending := p.pending.items()
	if len(pending) == 0 {
		return time.Time{}, false
	}
	return pending[0].arrival, true
}

// rewind forgets, and counts, the records behind the checkpoint, which will be read again.
func (p *progress) rewind() (finished, unfinished int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	pending := int64(len(p.pending.items()))
	finished, unfinished = pending-p.unfinished, p.unfinished
	p.first += pending
	p.pending, p.unfinished = fifo[mark]{}, 0
	return finished, unfinished
}
