package display

import (
	"time"

	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/net/channel"
	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/systems/marshal"
)

// planBytes is how much guest data one client's items may hold that are planned
// in one tick. It bounds how long a tick compresses, and how far ahead of the
// socket things are fixed.
const planBytes = 2 << 20

// refineAfter is how long a client has been sent nothing before areas that it
// has only roughly are sent exactly.
const refineAfter = 300 * time.Millisecond

// How long a client waits for its line, before it is looked at again.
const (
	leastWait = 2 * time.Millisecond
	mostWait  = 50 * time.Millisecond
)

// sendStage fills the connections that have room: items are taken from all
// clients' pipes, their images are compressed together, and the messages are
// written in order.
func (w *Worker) sendStage(now time.Time) time.Duration {
	next := ecs.Idle
	for _, c := range w.clients {
		if c != nil && c.joined {
			next = min(next, c.watch(now), c.plan(now))
		}
	}
	w.encoder.Run()
	for _, c := range w.clients {
		if c == nil {
			continue
		}
		if c.conn.Pump(); c.ready() && !c.waiting && (w.Pipes.Len(c.slot) > 0 || len(c.behind) > 0) {
			next = 0
		}
	}
	w.cursor.Push()
	return next
}

// ready reports whether the connection waits for something to send.
func (c *client) ready() bool {
	return !c.conn.Closed() && !c.conn.Blocked() && c.conn.Out.Empty() && c.conn.Room() >= marshal.MostMessages
}

// plan takes items from the pipe for this tick. It returns after what time it
// may want to send something of its own accord.
func (c *client) plan(now time.Time) time.Duration {
	c.conn.Measure()
	if c.waiting = false; !c.ready() {
		return ecs.Idle
	}
	if wait := c.conn.Ahead(); wait > 0 {
		if c.waiting = true; c.conn.Overdue() {
			c.lineSlower()
		}
		return min(max(wait, leastWait), mostWait)
	}
	return c.planItems(now, c.conn.Room()/marshal.MostMessages, c.piece())
}

// planItems plans frames of videos and items of the pipe, as many as said at most.
// A client behind is sent pictures of about piece bytes instead, when nothing waits.
func (c *client) planItems(now time.Time, items int, piece int64) time.Duration {
	c.tune()
	next := ecs.Idle
	if c.w.streams.Live() > 0 {
		next, items = c.planFrames(now, items)
	}
	if c.w.Pipes.Len(c.slot) == 0 && len(c.behind) > 0 {
		c.catchUp(piece)
	}
	if c.w.Pipes.Len(c.slot) == 0 {
		return min(next, c.refine(now))
	}
	if !c.refining {
		c.active = now
	}
	c.refining = false
	next = min(next, c.take(now, items))
	if _, _, any := c.state.Rough(); any {
		// What is being refined goes on as soon as this has been sent.
		next = min(next, max(0, c.active.Add(refineAfter).Sub(now)))
	}
	return next
}

// take plans the oldest items of the pipe. It returns after what time those may
// be sent that have to wait.
func (c *client) take(now time.Time, items int) time.Duration {
	pipes := c.w.Pipes
	for bytes := int32(0); items > 0 && bytes < planBytes; items-- {
		next := pipes.Peek(c.slot)
		if next == nil {
			break
		}
		if next.Kind == components.ItemDraw {
			d := c.w.Scene.Drawables.Get(next.Drawable)
			if wait := min(c.frame.wait(now, d), c.w.pace.pauses(now)); wait > 0 {
				c.waiting = true
				return wait
			}
			if c.heavy(d) {
				c.fall(nil)
				return 0
			}
			c.frame.add(now, d)
		}
		item, _ := pipes.Pop(c.slot)
		bytes += item.Bytes
		if !c.w.msg.Plan(&c.state, &item) {
			// Exact pictures of what it amounts to are as good.
			c.fall(&item)
		}
	}
	return ecs.Idle
}

// tune follows what the line turned out to carry.
func (c *client) tune() {
	const slow, fast = 10 << 20 / 8, 20 << 20 / 8 // bytes per second
	if rate := c.conn.Throughput(); rate > 0 {
		if rate < slow {
			c.slow = true
		} else if rate > fast {
			c.slow = false
		}
	}
	c.state.JPEG = c.w.cfg.JPEG.On(c.slow)
	c.state.Zlib = c.w.cfg.ZlibGLZ.On(c.slow)
}

// refine queues part of what the client has only roughly, when nothing else has
// been sent for a while.
func (c *client) refine(now time.Time) time.Duration {
	id, area, any := c.state.Rough()
	if !any {
		return ecs.Idle
	}
	if wait := refineAfter - now.Sub(c.active); wait > 0 {
		return wait
	}
	if c.w.Scene.Surface(id) == nil {
		return ecs.Idle
	}
	c.w.Raster.Update(id, area)
	c.queueArea(id, area)
	c.refining = true
	return 0
}

// Fill marshals what was planned.
func (c *client) Fill(conn *channel.Conn) {
	if c.state.Pending() {
		c.w.msg.Emit(&conn.Out, &c.state, c.monitorsConfig)
		c.framesSent()
	}
}

// monitorsConfig tells a client that understands it what monitors there are.
func (c *client) monitorsConfig(w *wire.Writer) {
	if !c.caps.Has(wire.CapDisplayMonitorsConfig) {
		return
	}
	n := 0
	for _, h := range c.w.monitors.Heads {
		if h.Width > 0 && h.Height > 0 {
			n++
		}
	}
	w.Begin(wire.MsgDisplayMonitorsConfig)
	w.U16(uint16(n))
	w.U16(c.w.monitors.MaxAllowed)
	for _, h := range c.w.monitors.Heads {
		if h.Width > 0 && h.Height > 0 {
			for _, v := range [...]uint32{h.ID, h.Surface, h.Width, h.Height, h.X, h.Y, h.Flags} {
				w.U32(v)
			}
		}
	}
	w.End()
}

// Sent releases what the batch referred to.
func (c *client) Sent(*channel.Conn) { c.w.msg.Sent(&c.state) }
