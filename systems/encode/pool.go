package encode

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Pool compresses images on all cores, for all devices of a server. A device's
// worker hands a batch of jobs in, works on them itself, and goes on when all
// are done; helpers join while there are jobs left.
type Pool struct {
	batches chan *batch
	quit    chan struct{}
	helpers sync.WaitGroup
	coders  sync.Pool
}

// batch is the jobs of one tick of one device.
type batch struct {
	jobs []job
	next atomic.Int64
	done sync.WaitGroup
}

// NewPool starts a pool with a helper for each core but one.
func NewPool() *Pool {
	n := runtime.GOMAXPROCS(0) - 1
	p := &Pool{batches: make(chan *batch, n), quit: make(chan struct{})}
	p.coders.New = func() any { return new(coder) }
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
	for {
		select {
		case b := <-p.batches:
			p.work(b)
			b.done.Done()
		case <-p.quit:
			return
		}
	}
}

// work takes jobs of a batch until none are left.
func (p *Pool) work(b *batch) {
	c := p.coders.Get().(*coder)
	for {
		i := int(b.next.Add(1)) - 1
		if i >= len(b.jobs) {
			break
		}
		c.run(&b.jobs[i])
	}
	p.coders.Put(c)
}

// run does all jobs of a batch.
func (p *Pool) run(b *batch) {
	if len(b.jobs) == 0 {
		return
	}
	b.next.Store(0)
	for range min(len(b.jobs)-1, cap(p.batches)) {
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
	p.work(b)
	p.reclaim(b)
	b.done.Wait()
	clear(b.jobs)
	b.jobs = b.jobs[:0]
}

// reclaim takes back what no helper has begun, so that nobody waits for one
// that is busy with another device, or gone.
func (p *Pool) reclaim(b *batch) {
	for range cap(p.batches) {
		select {
		case o := <-p.batches:
			if o == b {
				b.done.Done()
				continue
			}
			// Another device's: it does not wait for a helper either, but may
			// be glad of one.
			p.work(o)
			o.done.Done()
		default:
			return
		}
	}
}
