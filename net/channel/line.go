package channel

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/spiceecs/spiceecs/net/sock"
)

// What is sent too early is old when it arrives: it waits in this machine's
// buffers, or in those of the slowest link on the way. A Conn that is asked, with
// Ahead, sends no more than what the line carries within its round trip and a
// little more. For that it estimates what the line carries, and the client. The size of
// the socket's buffer stays the kernel's affair: it follows the bandwidth-delay product,
// and would no longer once it was set.

const (
	probeInterval = 50 * time.Millisecond
	adaptTime     = 200 * time.Millisecond // in which the estimate follows the line
	doubleTime    = 350 * time.Millisecond // in which it doubles while the line has room
	leastRate     = 2 << 10                // bytes a second
	aheadTime     = 60 * time.Millisecond  // that data may wait on its way
	aheadLeast    = 16 << 10               // bytes that may wait in any case
	aheadMost     = 256 << 10              // and those that never have to be exceeded
	overdue       = 100 * time.Millisecond // after what was to be expected, an answer is
	telling       = 64 << 10               // bytes whose late answer tells of the line, and not of a busy client
	// A round trip longer than the shortest one by a quarter and this is one that
	// waits in a queue.
	queueing     = 15 * time.Millisecond
	ackSlack     = 10 * time.Millisecond // by which a confirmation may be late
	mostLate     = 200 * time.Millisecond
	overduePause = 10 * time.Millisecond // before a late answer is looked for again
)

// probe is what the kernel tells of a connection at one moment.
type probe struct {
	acked     int64 // bytes that have arrived, or at least left
	queued    int   // bytes taken from us that have not
	rtt, base time.Duration
	trip      time.Duration // a round trip, measured with nothing else on the line; 0: unknown
	full      bool          // more was to be sent than the line took
	held      bool          // though nothing waits on the line: the kernel holds it back
}

// lineMeter estimates what the line carries, from what arrives while the line is
// full. While it is not, what it carries is only known not to be less than what is
// sent, so the estimate grows as long as most of it is used.
type lineMeter struct {
	rate float64 // bytes per second; 0: it never was full
	last probe
	at   time.Time // of that, moved on by the times when nothing was under way
	// trips is how often something was sent since then while nothing was under
	// way: a round trip each, that says nothing of what the line carries.
	trips int
	info  sock.TCPInfo
	low   int  // low-water mark in force
	full  bool // the socket has refused data since the last probe

	under  [maxMarks]mark // not answered yet, oldest first
	marks  int
	marked int64     // bytes up to the newest mark
	asked  time.Time // when that was added
	acked  int64     // bytes up to the newest one that was answered
	window int       // bytes that may be under way while the rate is not known
	deaf   bool      // the client is not asked, or never answers

	answers  bool // the client has answered a mark
	answered time.Time
	late     time.Duration // than expected: the newest answers, or older ones half as much
	unsent   int           // bytes that the kernel held when it was last asked
}

// take learns from a probe.
func (l *lineMeter) take(now time.Time, p probe) {
	elapsed := now.Sub(l.at)
	l.last.rtt, l.last.base = p.rtt, p.base
	if elapsed < probeInterval || l.rate == 0 && l.last.full && elapsed < adaptTime {
		return
	}
	moved := float64(p.acked - l.last.acked)
	switch {
	case l.at.IsZero():
	case p.full && (l.last.full || l.late >= overdue || l.rate == 0 && elapsed > overdue+4*p.base && moved >= telling):
		busy := max(elapsed-time.Duration(l.trips)*p.trip, elapsed/4)
		used := moved / busy.Seconds()
		if p.held {
			used += used / 4 // or the kernel would never learn that there is room
		}
		if l.rate == 0 {
			l.rate = max(used, leastRate)
		}
		// The mean is that of the logarithms: what is far off is soon made good, and
		// close by one measurement counts for little.
		weight := elapsed.Seconds() / (elapsed + adaptTime).Seconds()
		l.rate *= math.Pow(max(used, leastRate)/l.rate, weight)
		l.rate = max(l.rate, leastRate)
	case l.rate > 0 && !p.full && moved/elapsed.Seconds() > l.rate/2:
		l.rate = max(moved/elapsed.Seconds(), l.rate*math.Exp2(min(1, elapsed.Seconds()/doubleTime.Seconds())))
	}
	l.last, l.at, l.trips = p, now, 0
}

// mark is a ping at the end of a batch. Its answer says that the client has taken
// everything before it, which the kernel cannot know: it sees what waits on this
// side, but not what waits at a client that reads slowly.
type mark struct {
	id    uint32
	bytes int64 // sent with it and before
	sent  time.Time
}

const (
	maxMarks     = 8
	markSpacing  = 16 << 10               // bytes between marks, at least, on a fast line
	mostSpacing  = 1 << 20                // and where the client has taken a lot, see spacing,
	askAgain     = 100 * time.Millisecond // for so long
	leastSpacing = 2 << 10                // and on a slow one
	markTime     = 40 * time.Millisecond  // of a line between marks
	firstWindow  = 256 << 10              // bytes that may be under way before the first answers
	localWindow  = 512 << 10              // and later, where the round trip is short
	mostWindow   = 16 << 20
	deafAfter    = 2 * time.Second // without any answer, though all has been received

	// While the line was never full, what may be under way is what such a line
	// carries in a round trip, in bytes a second: a fast line may get slow at any
	// time, and has to bring all of it first.
	fastest = 1e9
)

// mark adds a ping to the batch, if there is something to be learnt from it.
func (l *lineMeter) mark(c *Conn) {
	end := c.sentSum + int64(c.Out.Len())
	now := c.loop.Clock().Now()
	if l.deaf || l.marks == maxMarks || end-l.marked < l.spacing(now) || c.ack.room(c.Out.Serial) < 1 {
		return
	}
	if l.marks == 0 {
		if l.at.IsZero() {
			l.at = now
		} else {
			l.at = l.at.Add(now.Sub(l.answered))
		}
		l.trips++
	}
	id := rand.Uint32()
	c.WritePing(id, uint64(now.UnixNano()), 0)
	l.marked = c.sentSum + int64(c.Out.Len())
	l.under[l.marks] = mark{id, l.marked, now}
	l.asked = now
	l.marks++
}

// spacing is how many bytes there are between marks, at least. A client that has
// never been slow yet is asked less often the more it has taken, but for once in a
// while: it would answer the same.
func (l *lineMeter) spacing(now time.Time) int64 {
	switch {
	case l.rate == 0 && now.Sub(l.asked) < askAgain:
		return min(max(l.acked/4, markSpacing), mostSpacing)
	case l.rate == 0:
		return markSpacing
	}
	return int64(min(max(l.rate*markTime.Seconds(), leastSpacing), markSpacing))
}

// pong takes the answer to a mark; false means that it is not one.
func (l *lineMeter) pong(c *Conn, id uint32) bool {
	for i := range l.under[:l.marks] {
		m := l.under[i]
		if m.id != id {
			continue
		}
		copy(l.under[:], l.under[i+1:l.marks])
		l.marks -= i + 1
		now := c.loop.Clock().Now()
		l.answers, l.answered, l.deaf = true, now, false
		p := probe{acked: m.bytes, rtt: now.Sub(m.sent)}
		p.queued = int(c.sentSum - m.bytes)
		known := l.info.Read(c.fd)
		if p.trip = c.ping.best; known && l.shortest() > 0 {
			p.trip = l.shortest()
		}
		if p.base = p.rtt; p.trip > 0 {
			p.base = min(p.base, p.trip)
		} else if l.last.base > 0 {
			p.base = min(p.base, l.last.base)
		}
		p.full = c.blocked || p.rtt > unqueued(p.base)
		p.held = known && time.Duration(l.info.Rtt)*time.Microsecond <= unqueued(p.base)
		l.late = min(max(l.late/2, p.rtt-l.expected(p.base, m)), mostLate)
		if most := min(max(int(fastest*p.base.Seconds()), localWindow, 2*int(l.spacing(now))), mostWindow); l.window > most {
			l.window = most
		} else if !p.full && int(c.sentSum-l.acked) > l.window/2 {
			l.window = min(2*l.window, most)
		}
		l.acked = m.bytes
		l.take(now, p)
		l.follow(c)
		return true
	}
	return false
}

// shortest is the shortest round trip that the kernel has seen; 0: unknown.
func (l *lineMeter) shortest() time.Duration {
	if l.info.Min_rtt == math.MaxUint32 {
		return 0
	}
	return time.Duration(l.info.Min_rtt) * time.Microsecond
}

// unqueued is the longest round trip that is not one through a queue, where the
// shortest one is base.
func unqueued(base time.Duration) time.Duration { return base + base/4 + queueing }

// expected is how long the answer to a mark takes at most when nothing waits on
// the way but what was sent with it.
func (l *lineMeter) expected(base time.Duration, m mark) time.Duration {
	d := unqueued(base)
	if l.rate > 0 {
		d += time.Duration(float64(m.bytes-l.acked) / l.rate * float64(time.Second))
	}
	return d
}

// Measure asks the kernel how the line does, where the client is not asked. It is
// to be called now and then while there is something to send.
func (c *Conn) Measure() {
	l, now := &c.line, c.loop.Clock().Now()
	if !l.deaf && !l.answers && l.marks > 0 && now.Sub(l.under[0].sent) > deafAfter && sock.Unsent(c.fd) == 0 {
		l.deaf, l.full = true, false
		l.last, l.at = probe{acked: c.sentSum}, now
	}
	if !l.deaf || now.Sub(l.at) < probeInterval {
		return
	}
	p := probe{queued: sock.Unsent(c.fd), full: c.blocked || l.full}
	p.acked = c.sentSum // as long as it is full, the buffer does not matter
	if l.info.Read(c.fd) {
		p.acked -= int64(p.queued)
		p.rtt = time.Duration(l.info.Rtt) * time.Microsecond
		if p.base = p.rtt; l.shortest() > 0 {
			p.base = l.shortest()
		}
		p.full = p.full || l.info.Notsent_bytes > 0 || p.rtt > unqueued(p.base)
	}
	if l.take(now, p); l.at.Equal(now) {
		l.full = false
	}
	l.follow(c)
}

// follow sets the low-water mark.
func (l *lineMeter) follow(c *Conn) {
	if low := l.lowWater(); low > l.low+l.low/4 || low < l.low-l.low/4 {
		l.low = low
		sock.SetLowWater(c.fd, low)
	}
}

// lowWater is how many bytes the kernel is given that it cannot send yet.
func (l *lineMeter) lowWater() int {
	if l.rate == 0 {
		return lowWater
	}
	return int(min(max(l.rate*aheadTime.Seconds(), aheadLeast), lowWater))
}

// Ahead is how long it takes until the line has room for what will be fresh when
// it arrives; 0: it has. It may be asked again earlier.
func (c *Conn) Ahead() time.Duration {
	if c.stalled() {
		return overduePause // or until an answer comes
	}
	return c.line.ahead(c.underWay())
}

func (l *lineMeter) ahead(queued int) time.Duration {
	if l.rate == 0 {
		if l.marks > 0 && queued > l.window {
			return probeInterval
		}
		return 0
	}
	wait := min(l.rate*aheadTime.Seconds(), aheadMost)
	room := max(l.rate*l.last.base.Seconds()+wait, aheadLeast)
	if more := float64(queued) - room; more > 0 {
		return time.Duration(more / l.rate * float64(time.Second))
	}
	return 0
}

// Stalled is for how long the client has taken nothing of what is on its way; 0
// if nothing is.
func (c *Conn) Stalled(now time.Time) time.Duration {
	l := &c.line
	if !c.blocked && (l.deaf || l.marks == 0) {
		return 0
	}
	if n := sock.Unsent(c.fd); n != l.unsent {
		l.unsent, c.lastMove = n, now
	}
	return now.Sub(c.lastMove)
}

// Throughput is what the line was last seen to carry, in bytes per second; 0
// while it has never been full.
func (c *Conn) Throughput() float64 { return c.line.rate }

// Delay is how much longer than on an empty line it takes until so many bytes
// that are sent now have reached the peer, if they are as late as others were.
func (c *Conn) Delay(bytes int) time.Duration {
	l := &c.line
	if l.rate == 0 {
		return max(0, l.last.rtt-l.last.base)
	}
	queue := time.Duration(float64(c.underWay())/l.rate*float64(time.Second)) - l.last.base
	return max(0, queue) + l.late + time.Duration(float64(bytes)/l.rate*float64(time.Second))
}

// Unanswered is how many marks the client has not answered.
func (c *Conn) Unanswered() int { return c.line.marks }

// underWay is how many bytes have been sent that have not arrived.
func (c *Conn) underWay() int {
	if c.line.deaf {
		return sock.Unsent(c.fd)
	}
	return int(c.sentSum - c.line.acked)
}

// stalled reports whether what was sent last waits for the line, which has become
// slower since.
func (c *Conn) stalled() bool {
	l, now := &c.line, c.loop.Clock().Now()
	return l.overdue(now) || l.unacked(now, c.sentSum-int64(sock.Unsent(c.fd)))
}

// unacked reports whether the kernel at the other end should have confirmed more
// than half of the oldest batch by now.
func (l *lineMeter) unacked(now time.Time, acked int64) bool {
	if l.deaf || l.marks == 0 || l.last.base == 0 {
		return false
	}
	m := l.under[0]
	half := (m.bytes - l.acked) / 2
	due := l.last.base + ackSlack
	switch {
	case l.rate > 0:
		due += time.Duration(float64(half) / l.rate * float64(time.Second))
	case half < markSpacing/2:
		return false // few packets are confirmed late anyway
	default:
		due += (l.last.rtt - l.last.base) / 2 // what the last batch took longer, for the half
	}
	return acked < m.bytes-half && now.Sub(m.sent) > due
}

// Overdue reports whether the line has become slower, or stands still, since what
// is under way was sent.
func (c *Conn) Overdue() bool { return c.line.overdue(c.loop.Clock().Now()) }

// overdue reports whether the answer to the oldest mark should have come by now, on
// the line as it was.
func (l *lineMeter) overdue(now time.Time) bool {
	if l.deaf || l.marks == 0 || l.last.base == 0 {
		return false
	}
	due := l.expected(l.last.base, l.under[0])
	if l.rate == 0 {
		due += aheadTime
	}
	since := l.under[0].sent
	if l.answered.After(since) {
		since = l.answered
	}
	return now.Sub(since) > due
}
