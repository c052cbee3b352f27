package display

import (
	"time"

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
		if c.conn.Pump(); c.ready() && (w.pipes.Len(c.slot) > 0 || len(c.behind) > 0) {
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
	if !c.ready() {
		return ecs.Idle
	}
	c.tune()
	if c.w.pipes.Len(c.slot) == 0 && len(c.behind) > 0 {
		c.catchUp(c.piece())
	}
	if c.w.pipes.Len(c.slot) == 0 {
		return c.refine(now)
	}
	if !c.refining {
		c.active = now
	}
	c.refining = false
	bytes := int32(0)
	for room := c.conn.Room(); room >= marshal.MostMessages && bytes < planBytes; room -= marshal.MostMessages {
		item, ok := c.w.pipes.Pop(c.slot)
		if !ok {
			break
		}
		bytes += item.Bytes
		if !c.w.msg.Plan(&c.state, &item) {
			// Exact pictures of what it amounts to are as good.
			c.fall(&item)
		}
	}
	if _, any := c.state.AnyLossy(); !any {
		return ecs.Idle
	}
	// What is being refined goes on as soon as this has been sent.
	return max(0, c.active.Add(refineAfter).Sub(now))
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
	id, any := c.state.AnyLossy()
	if !any {
		return ecs.Idle
	}
	if wait := refineAfter - now.Sub(c.active); wait > 0 {
		return wait
	}
	if c.w.scene.Surface(id) == nil {
		return ecs.Idle
	}
	for area := range c.state.Lossy(id).Rects {
		c.w.raster.Update(id, area)
		c.queueArea(id, area)
		break
	}
	c.refining = true
	return 0
}

// Fill marshals what was planned.
func (c *client) Fill(conn *channel.Conn) {
	if c.state.Pending() {
		c.w.msg.Emit(&conn.Out, &c.state, c.monitorsConfig)
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
