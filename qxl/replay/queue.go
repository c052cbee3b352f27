package replay

import (
	"sync/atomic"

	"github.com/spiceecs/spiceecs/qxl"
)

// queue hands ring entries from the feeder to the device's worker: one pushes,
// the other pops, and neither waits. The two indices only grow; their
// difference is the number of entries.
type queue struct {
	ring  []qxl.Command // a power of two
	armed atomic.Bool   // the worker wants to be woken by the next push
	_     [64]byte
	head  atomic.Uint64 // next to pop, written by the worker
	_     [64]byte
	tail  atomic.Uint64 // next to push, written by the feeder
}

func (q *queue) len() int   { return int(q.tail.Load() - q.head.Load()) }
func (q *queue) full() bool { return q.len() == len(q.ring) }

// push adds an entry to a queue that is not full. It reports whether the worker
// has to be woken.
func (q *queue) push(c qxl.Command) bool {
	t := q.tail.Load()
	q.ring[t&uint64(len(q.ring)-1)] = c
	q.tail.Store(t + 1)
	return q.armed.Load() && q.armed.Swap(false)
}

func (q *queue) pop(c *qxl.Command) bool {
	h := q.head.Load()
	if h == q.tail.Load() {
		return false
	}
	*c = q.ring[h&uint64(len(q.ring)-1)]
	q.head.Store(h + 1)
	return true
}

// arm asks for a wake-up, unless there is an entry already. Either this sees an
// entry pushed meanwhile, or push sees that the queue is armed.
func (q *queue) arm() bool {
	q.armed.Store(true)
	if q.len() == 0 {
		return true
	}
	q.armed.Store(false)
	return false
}
