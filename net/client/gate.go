package client

import (
	"context"
	"sync"
)

// gate lets goroutines wait until something that others change has become
// true. The zero value is ready for use.
type gate struct {
	mu sync.Mutex
	ch chan struct{} // nil while nobody waits
}

// open wakes all who wait, for them to look again.
func (g *gate) open() {
	g.mu.Lock()
	if g.ch != nil {
		close(g.ch)
		g.ch = nil
	}
	g.mu.Unlock()
}

// next returns a channel that the next open closes.
func (g *gate) next() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ch == nil {
		g.ch = make(chan struct{})
	}
	return g.ch
}

// wait returns when ready says so or fails, or with ctx's cause when that ends.
func (g *gate) wait(ctx context.Context, ready func() (bool, error)) error {
	if ok, err := ready(); ok || err != nil {
		return err
	}
	for {
		opened := g.next()
		if ok, err := ready(); ok || err != nil {
			return err
		}
		select {
		case <-opened:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
