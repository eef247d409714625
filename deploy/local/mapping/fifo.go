package mapping

import "slices"

// fifo is a queue. It holds on to nothing that was removed from it, and its array shrinks with it: a slice that is cut at
// its front keeps its whole array in memory. Adding and removing cost the same however long the queue is.
type fifo[T any] struct {
	all   []T
	first int // all[:first] is removed
}

// items returns what is in the queue, valid until the next call.
func (q *fifo[T]) items() []T { return q.all[q.first:] }

func (q *fifo[T]) push(more ...T) { q.all = append(q.all, more...) }

func (q *fifo[T]) remove(n int) {
	clear(q.all[q.first : q.first+n])
	q.first += n
	if 2*q.first >= len(q.all) { // no more is copied than was removed
		q.all, q.first = slices.Clone(q.all[q.first:]), 0
	}
}
