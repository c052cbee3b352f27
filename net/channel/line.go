package channel

import "time"

// lineMeter measures what the line carries: bytes over time while there was
// more to send than the socket would take.
type lineMeter struct {
	busy  bool
	since time.Time
	from  int64
	rate  float64 // bytes per second, 0 while unknown
}

// Spans over which the rate is taken: shorter ones say more about the kernel's
// buffer than about the line.
const (
	minMeasure = 200 * time.Millisecond
	maxMeasure = time.Second
)

// blocked notes that the socket is full.
func (l *lineMeter) blocked(c *Conn) {
	if !l.busy {
		l.begin(c)
		return
	}
	if c.loop.Clock().Now().Sub(l.since) >= maxMeasure {
		l.measure(c)
		l.begin(c)
	}
}

// idle notes that there is nothing to send.
func (l *lineMeter) idle(c *Conn) {
	if l.busy {
		l.measure(c)
		l.busy = false
	}
}

func (l *lineMeter) begin(c *Conn) {
	l.busy, l.since, l.from = true, c.loop.Clock().Now(), c.sentSum
}

func (l *lineMeter) measure(c *Conn) {
	elapsed := c.loop.Clock().Now().Sub(l.since)
	if elapsed < minMeasure {
		return
	}
	rate := float64(c.sentSum-l.from) / elapsed.Seconds()
	if l.rate == 0 {
		l.rate = rate
		return
	}
	l.rate += (rate - l.rate) / 2
}

// Throughput is what the line was last seen to carry, in bytes per second; 0
// while it has never been full.
func (c *Conn) Throughput() float64 { return c.line.rate }
