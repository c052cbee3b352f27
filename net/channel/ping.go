package channel

import (
	"math/rand/v2"
	"time"

	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/net/sock"
	"github.com/spiceecs/spiceecs/net/wire"
)

// Pacing of the latency pings.
const (
	pingIdle   = 100 * time.Millisecond // of silence before a round begins
	pingPeriod = 15 * time.Second       // between rounds
)

// pinger measures the round trip while the connection is idle: two pings with
// one id, of which the first warms the path up and the second is timed. The
// smallest value ever seen counts.
type pinger struct {
	timer   *ecs.Timer
	id      uint32
	pending int       // pongs of this round still to come
	sent    time.Time // when this round began
	next    time.Time
	best    time.Duration
}

func (p *pinger) init(c *Conn) { p.timer = c.loop.NewTimer(func() { p.fire(c) }) }

func (p *pinger) stop() {
	if p.timer != nil {
		p.timer.Stop()
	}
}

// idle arms the timer for the next round.
func (p *pinger) idle(c *Conn) {
	if p.timer == nil || p.pending > 0 || p.timer.Active() {
		return
	}
	p.timer.Reset(max(pingIdle, p.next.Sub(c.loop.Clock().Now())))
}

// busy puts a round off that has not begun.
func (p *pinger) busy() { p.stop() }

func (p *pinger) fire(c *Conn) {
	if c.closed || !c.Out.Empty() || c.Room() < 2 {
		return
	}
	if sock.Unsent(c.fd) > 0 {
		p.timer.Reset(pingIdle)
		return
	}
	p.id, p.pending, p.sent = rand.Uint32(), 2, c.loop.Clock().Now()
	for range p.pending {
		c.WritePing(p.id, uint64(p.sent.UnixNano()), 0)
	}
	c.Pump()
}

// pong takes an answer; false means that it is not one of this pinger's. The
// stamp that comes back is not looked at: the client could put anything there.
func (p *pinger) pong(c *Conn, id uint32) bool {
	if p.pending == 0 || id != p.id {
		return false
	}
	if p.pending--; p.pending > 0 {
		return true
	}
	now := c.loop.Clock().Now()
	if rtt := now.Sub(p.sent); rtt > 0 && (p.best == 0 || rtt < p.best) {
		p.best = rtt
	}
	p.next = now.Add(pingPeriod)
	return true
}

// AwaitsPong reports whether the client owes the answer to a ping.
func (c *Conn) AwaitsPong() bool { return c.ping.pending > 0 }

// RoundTrip is the shortest round trip measured, 0 while there is none.
func (c *Conn) RoundTrip() time.Duration { return c.ping.best }

// WritePing marshals a ping with padding zero bytes behind it. The client
// returns id and stamp.
func (c *Conn) WritePing(id uint32, stamp uint64, padding int) {
	c.Out.Begin(wire.MsgPing)
	c.Out.U32(id)
	c.Out.U64(stamp)
	c.Out.Zeros(padding)
	c.Out.End()
}
