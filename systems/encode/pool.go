package encode

import (
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/net/codec/glz"
	"github.com/spiceecs/spiceecs/qxl"
)

// Pool compresses images on all cores, for all devices of a server. A device's
// worker hands a batch of jobs in, works on them itself, and goes on when all
// are done; helpers join while there is something left to begin.
type Pool struct {
	batches chan *batch
	quit    chan struct{}
	helpers sync.WaitGroup
}

// batch is the jobs of one tick of one device. What the tasks of a batch have
// written is joined by the worker, in order.
type batch struct {
	jobs  []job
	tasks []task
	next  atomic.Int64 // task to be begun
	done  sync.WaitGroup
	coder coder // the worker's own
}

// task is one part of a job. A part of a whole has storage of its own; a job of
// one part writes its result at once.
type task struct {
	job, part int32
	data      []byte
	ok        bool
}

// keepPart is the largest storage of a part that is kept for the next batch.
const keepPart = 1 << 20

// NewPool starts a pool with a helper for each core but one.
func NewPool() *Pool {
	n := runtime.GOMAXPROCS(0) - 1
	p := &Pool{batches: make(chan *batch, n), quit: make(chan struct{})}
	p.helpers.Add(n)
	for range n {
		go p.help()
	}
	return p
}

// Close ends the helpers and waits for them. Batches may still be run, alone.
func (p *Pool) Close() {
	close(p.quit)
	p.helpers.Wait()
}

func (p *Pool) help() {
	defer p.helpers.Done()
	var c coder
	for {
		select {
		case b := <-p.batches:
			b.work(&c)
			b.done.Done()
		case <-p.quit:
			return
		}
	}
}

// add appends a job.
func (b *batch) add(codec Codec, im *qxl.Image, out *components.Encoded, slot glz.Slot) {
	j := job{src: im, codec: codec, out: out, slot: slot, first: int32(len(b.tasks))}
	j.parts = int32(j.divide())
	for part := range j.parts {
		if len(b.tasks) == cap(b.tasks) {
			b.tasks = append(b.tasks, task{})
		} else {
			b.tasks = b.tasks[:len(b.tasks)+1]
		}
		t := &b.tasks[len(b.tasks)-1]
		t.job, t.part = int32(len(b.jobs)), part
	}
	b.jobs = append(b.jobs, j)
}

// work does tasks until none is left to begin.
func (b *batch) work(c *coder) {
	for {
		i := int(b.next.Add(1)) - 1
		if i >= len(b.tasks) {
			return
		}
		t := &b.tasks[i]
		j := &b.jobs[t.job]
		dst := &t.data
		if j.parts == 1 {
			dst = &j.out.Data
		}
		*dst, t.ok = c.run((*dst)[:0], j, int(t.part))
	}
}

// run does all jobs of a batch.
func (p *Pool) run(b *batch) {
	if len(b.jobs) == 0 {
		return
	}
	b.next.Store(0)
	for range min(len(b.tasks)-1, cap(p.batches)) {
		b.done.Add(1)
		select {
		case p.batches <- b:
			continue
		default:
			// All helpers are busy, or gone.
			b.done.Done()
		}
		break
	}
	b.work(&b.coder)
	p.reclaim(b)
	b.done.Wait()
	b.finish()
}

// finish makes the results of all jobs and forgets them.
func (b *batch) finish() {
	for i := range b.jobs {
		j := &b.jobs[i]
		j.finish(b.tasks[j.first : j.first+j.parts])
	}
	for i := range b.tasks {
		if cap(b.tasks[i].data) > keepPart {
			b.tasks[i].data = nil
		}
	}
	clear(b.jobs)
	b.jobs, b.tasks = b.jobs[:0], b.tasks[:0]
}

// reclaim takes back what no helper has begun, so that nobody waits for one
// that is busy with another device, or gone.
func (p *Pool) reclaim(b *batch) {
	for range cap(p.batches) {
		select {
		case o := <-p.batches:
			if o != b {
				// Another device's: it does not wait for a helper either, but
				// may be glad of one.
				o.work(&b.coder)
			}
			o.done.Done()
		default:
			return
		}
	}
}
