package encode

import (
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/spiceecs/spiceecs/net/codec/glz"
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
	jobs   []job
	stages []stage
	tasks  []task
	first  int          // task of those that are done now, after all stages
	next   atomic.Int64 // stage, then task, to be begun
	staged sync.WaitGroup
	done   sync.WaitGroup
	coder  coder // the worker's own
	zlib   []glz.Part
}

// stage is one part of what is copied into a GLZ dictionary.
type stage struct{ job, part, parts int32 }

// task is one part of a job. A part of a whole has storage of its own; a job of
// one part writes its result at once.
type task struct {
	job, part int32
	data      []byte
	back      int // as glz.Encoder.Back
	ok        bool
	zlib      glz.Part // data and its blocks, of ZLIB_GLZ in parts
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

// add appends a job. One that has a twin gets tasks only if it turns out to need
// them.
func (b *batch) add(j job) {
	b.jobs = append(b.jobs, j)
	if j.codec >= CodecGLZ && !j.hollow {
		b.stage(len(b.jobs) - 1)
	}
	if j.twin == nil {
		b.divide(len(b.jobs) - 1)
	}
}

// stage appends the stages of a job.
func (b *batch) stage(index int) {
	parts := b.jobs[index].room()
	for part := range parts {
		b.stages = append(b.stages, stage{int32(index), part, parts})
	}
}

// divide appends the tasks of a job.
func (b *batch) divide(index int) {
	j := &b.jobs[index]
	j.first, j.parts = int32(len(b.tasks)), int32(j.divide())
	for part := range j.parts {
		if len(b.tasks) == cap(b.tasks) {
			b.tasks = append(b.tasks, task{})
		} else {
			b.tasks = b.tasks[:len(b.tasks)+1]
		}
		t := &b.tasks[len(b.tasks)-1]
		t.job, t.part, t.back, t.data = int32(index), part, 0, t.data[:0]
	}
}

// work does stages and tasks until none is left to begin. Tasks wait for the last
// stages, which others have begun: what they encode may refer to any of them.
func (b *batch) work(c *coder) {
	for {
		i := int(b.next.Add(1)) - 1
		if i < len(b.stages) {
			s := b.stages[i]
			c.stage(&b.jobs[s.job], int(s.part), int(s.parts))
			b.staged.Done()
			continue
		}
		if i += b.first - len(b.stages); i >= len(b.tasks) {
			return
		}
		b.staged.Wait()
		t := &b.tasks[i]
		c.run(t, &b.jobs[t.job])
	}
}

// run does all jobs of a batch.
func (p *Pool) run(b *batch) {
	p.share(b, 0)
	if next := b.adopt(); next < len(b.tasks) {
		p.share(b, next)
	}
	b.reset()
}

// share does the stages there are and the tasks from first on, with whoever helps,
// and makes the results of their jobs.
func (p *Pool) share(b *batch, first int) {
	steps := len(b.stages) + len(b.tasks) - first
	if steps == 0 {
		return
	}
	b.first = first
	b.next.Store(0)
	b.staged.Add(len(b.stages))
	helpers := min(steps-1, cap(p.batches))
	if b.size(first) < worthHelp {
		helpers = 0
	}
	for range helpers {
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
	b.stages = b.stages[:0]
	for i := range b.jobs {
		if j := &b.jobs[i]; j.parts > 0 && j.first >= int32(first) {
			j.finish(b)
		}
	}
}

// worthHelp is how many bytes of pixels a batch must have for helpers to be called:
// to wake one takes as long, on both cores, as to compress some of them alone.
const worthHelp = 128 << 10

// size is how many bytes of pixels the tasks from first on compress.
func (b *batch) size(first int) (n int) {
	for i := range b.jobs {
		if j := &b.jobs[i]; j.parts > 0 && j.first >= int32(first) {
			n += j.src.Data.Size
		}
	}
	return n
}

// adopt gives jobs the streams of their twins. Those that these are no good for
// get tasks, from next on.
func (b *batch) adopt() (next int) {
	next = len(b.tasks)
	for i := range b.jobs {
		if j := &b.jobs[i]; j.twin != nil && !j.adopt() {
			if j.hollow {
				b.stage(i)
			}
			b.divide(i)
		}
	}
	return next
}

// reset forgets all jobs.
func (b *batch) reset() {
	for i := range b.tasks {
		t := &b.tasks[i]
		if t.zlib.Stream = nil; cap(t.data) > keepPart {
			t.data = nil
		}
		if cap(t.zlib.Blocks) > keepPart {
			t.zlib.Blocks = nil
		}
	}
	clear(b.zlib)
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
