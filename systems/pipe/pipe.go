// Package pipe keeps what waits to be sent: one ordered queue of pipe items for
// each client of a display channel.
//
//	drawable  -> AppendDraw for every client -> Pop, when the client's socket has room
//	        \-> RemoveDraw, when something newer hides it
//
// Every item of a drawable holds one reference to it and is linked from it, so
// that all clients' items are found without searching.
package pipe

import (
	"iter"
	"time"

	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/systems/release"
)

// itemOverhead is what an item counts for besides its data, in bytes.
const itemOverhead = 64

// Pipes are the queues of a channel's clients, by slot.
type Pipes struct {
	Now time.Time // of the tick; items are stamped with it

	scene    *components.Scene
	rel      *release.Releaser
	order    ecs.Links[components.PipeItem]
	siblings ecs.Links[components.PipeItem]
	pipes    []queue
	epoch    time.Time // of the first item; items hold the time since
}

// queue is one client's pipe.
type queue struct {
	open  bool
	items ecs.List
	bytes int64
}

// New returns no pipes.
func New(scene *components.Scene, rel *release.Releaser) *Pipes {
	return &Pipes{
		scene:    scene,
		rel:      rel,
		order:    ecs.NewLinks(&scene.Items, func(i *components.PipeItem) *ecs.Link { return &i.Pipe }),
		siblings: ecs.NewLinks(&scene.Items, func(i *components.PipeItem) *ecs.Link { return &i.Sibling }),
	}
}

// Open returns the slot of a new, empty pipe.
func (p *Pipes) Open() int {
	for i := range p.pipes {
		if !p.pipes[i].open {
			p.pipes[i] = queue{open: true}
			return i
		}
	}
	p.pipes = append(p.pipes, queue{open: true})
	return len(p.pipes) - 1
}

// Close drops everything that waits in a pipe, and the pipe.
func (p *Pipes) Close(slot int) {
	for p.pipes[slot].items.Len > 0 {
		p.drop(p.pipes[slot].items.First)
	}
	p.pipes[slot].open = false
}

// Len is the number of items in a pipe.
func (p *Pipes) Len(slot int) int { return int(p.pipes[slot].items.Len) }

// Oldest is when the oldest item of a pipe was queued.
func (p *Pipes) Oldest(slot int) (queued time.Time, ok bool) {
	e := p.pipes[slot].items.First
	if e.IsZero() {
		return queued, false
	}
	return p.epoch.Add(time.Duration(p.scene.Items.Get(e).Queued)), true
}

// Peek returns the oldest item of a pipe, or nil.
func (p *Pipes) Peek(slot int) *components.PipeItem {
	if e := p.pipes[slot].items.First; !e.IsZero() {
		return p.scene.Items.Get(e)
	}
	return nil
}

// Longest is the number of items and bytes in the fullest pipes.
func (p *Pipes) Longest() (items int, bytes int64) {
	for i := range p.pipes {
		items = max(items, int(p.pipes[i].items.Len))
		bytes = max(bytes, p.pipes[i].bytes)
	}
	return items, bytes
}

// Append puts an item at the end of a pipe. item.Client and links are set here.
func (p *Pipes) Append(slot int, item components.PipeItem) ecs.Entity {
	e, i := p.scene.Items.New()
	*i = item
	i.Client = uint16(slot)
	i.Bytes += itemOverhead
	if p.epoch.IsZero() {
		p.epoch = p.Now
	}
	i.Queued = int64(p.Now.Sub(p.epoch))
	q := &p.pipes[slot]
	q.bytes += int64(i.Bytes)
	p.order.PushBack(&q.items, e)
	return e
}

// AppendDraw puts a drawable at the end of a pipe.
func (p *Pipes) AppendDraw(slot int, drawable ecs.Entity) {
	d := p.scene.Drawables.Get(drawable)
	d.Refs++
	e := p.Append(slot, components.PipeItem{Kind: components.ItemDraw, Drawable: drawable, Surface: d.Surface, Bytes: d.Cost})
	p.siblings.PushBack(&p.scene.Drawables.Get(drawable).Items, e)
}

// Pop takes the oldest item of a pipe. Its drawable's reference, or its pixel
// buffer, is now the caller's.
func (p *Pipes) Pop(slot int) (item components.PipeItem, ok bool) {
	e := p.pipes[slot].items.First
	if e.IsZero() {
		return item, false
	}
	return p.take(e), true
}

// RemoveDraw takes a drawable, to which the caller holds a reference, out of all pipes.
func (p *Pipes) RemoveDraw(drawable ecs.Entity) {
	for {
		e := p.scene.Drawables.Get(drawable).Items.First
		if e.IsZero() {
			return
		}
		p.take(e)
		p.rel.Unref(drawable)
	}
}

// RemoveFrom takes a drawable, to which the caller holds a reference, out of one
// pipe and reports whether it was in it.
func (p *Pipes) RemoveFrom(slot int, drawable ecs.Entity) bool {
	for e := p.scene.Drawables.Get(drawable).Items.First; !e.IsZero(); e = p.siblings.Next(e) {
		if int(p.scene.Items.Get(e).Client) == slot {
			p.take(e)
			p.rel.Unref(drawable)
			return true
		}
	}
	return false
}

// Items yields a pipe's items, oldest first. The pipe must not change meanwhile.
func (p *Pipes) Items(slot int) iter.Seq2[ecs.Entity, *components.PipeItem] {
	return func(yield func(ecs.Entity, *components.PipeItem) bool) {
		for e := p.pipes[slot].items.First; !e.IsZero(); e = p.order.Next(e) {
			if !yield(e, p.scene.Items.Get(e)) {
				return
			}
		}
	}
}

// TakeDraws removes all items that change pixels from a pipe, oldest first. before
// sees each of them while its drawable is still there.
func (p *Pipes) TakeDraws(slot int, before func(*components.PipeItem)) {
	for e := p.pipes[slot].items.First; !e.IsZero(); {
		next := p.order.Next(e)
		if item := *p.scene.Items.Get(e); item.Kind == components.ItemDraw || item.Kind == components.ItemImage {
			before(&item)
			if p.drop(e); !next.IsZero() && !p.scene.World.Alive(next) {
				// The end of one drawable may have been that of others.
				next = p.pipes[slot].items.First
			}
		}
		e = next
	}
}

// Release gives up what an item that was popped holds.
func (p *Pipes) Release(item *components.PipeItem) {
	switch item.Kind {
	case components.ItemDraw:
		p.rel.Unref(item.Drawable)
	case components.ItemImage:
		p.scene.Pixels.Free(item.Pixels)
	case components.ItemStreamCreate, components.ItemStreamClip:
		p.scene.Clips.Free(item.Clip)
	}
}

// take unlinks and deletes an item and returns its value.
func (p *Pipes) take(e ecs.Entity) components.PipeItem {
	item := *p.scene.Items.Get(e)
	q := &p.pipes[item.Client]
	q.bytes -= int64(item.Bytes)
	p.order.Remove(&q.items, e)
	if item.Kind == components.ItemDraw {
		p.siblings.Remove(&p.scene.Drawables.Get(item.Drawable).Items, e)
	}
	p.scene.World.Remove(e)
	return item
}

// drop takes an item and gives up what it held.
func (p *Pipes) drop(e ecs.Entity) {
	item := p.take(e)
	p.Release(&item)
}
