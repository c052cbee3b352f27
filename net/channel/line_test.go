package channel

import (
	"testing"
	"time"
)

// fakeLine carries bytes at a rate, behind a queue without end, with a delay.
type fakeLine struct {
	meter  lineMeter
	now    time.Time
	delay  time.Duration // of a round trip
	rate   float64
	sent   float64
	queue  float64 // bytes that wait
	flying []float64
}

const lineStep = 10 * time.Millisecond

// run sends want bytes a second, as far as the meter lets it, for a while. It
// returns the longest time that data waited in the queue in its last half.
func (l *fakeLine) run(d time.Duration, want float64) (worst time.Duration) {
	for n := d / lineStep; n > 0; n-- {
		l.now = l.now.Add(lineStep)
		through := min(l.queue, l.rate*lineStep.Seconds())
		l.queue -= through
		l.flying = append(l.flying, through)
		if len(l.flying) > int(l.delay/lineStep) {
			l.flying = l.flying[1:]
		}
		flying := 0.0
		for _, f := range l.flying {
			flying += f
		}
		wait := time.Duration(l.queue / l.rate * float64(time.Second))
		queued := l.queue + flying
		if l.meter.rate == 0 || l.meter.ahead(int(queued)) == 0 {
			l.queue += want * lineStep.Seconds()
			l.sent += want * lineStep.Seconds()
		}
		p := probe{acked: int64(l.sent - queued), queued: int(queued), base: l.delay, rtt: l.delay + wait}
		p.full = p.rtt > p.base+p.base/4+queueing
		l.meter.take(l.now, p)
		if n < d/lineStep/2 {
			worst = max(worst, wait)
		}
	}
	return worst
}

// TestLine has the estimate follow a line that gets bad, and well again.
func TestLine(t *testing.T) {
	const mbit = 1e6 / 8
	for _, delay := range []time.Duration{0, 20 * time.Millisecond, 100 * time.Millisecond} {
		l := &fakeLine{now: time.Unix(1, 0), delay: delay, rate: 20 * mbit}
		l.run(2*time.Second, 5*mbit)
		if l.meter.rate != 0 {
			t.Errorf("delay %v: %v bytes/s on a line that was never full", delay, l.meter.rate)
		}
		l.rate = mbit
		wait := l.run(3*time.Second, 5*mbit)
		if r := l.meter.rate; r < .6*mbit || r > 1.6*mbit || wait > 300*time.Millisecond {
			t.Errorf("delay %v: estimate %.0f of %.0f bytes/s, data waited %v", delay, r, float64(mbit), wait)
		}
		l.rate = 20 * mbit
		l.run(2*time.Second, 20*mbit)
		if r := l.meter.rate; r < 8*mbit {
			t.Errorf("delay %v: estimate %.0f two seconds after the line got well", delay, r)
		}
	}
}

// TestOverdue has the answer to what was sent fail to come: the line is given no
// more, until it does.
func TestOverdue(t *testing.T) {
	const base = 100 * time.Millisecond
	sent := time.Unix(1, 0)
	l := lineMeter{rate: 1e6, last: probe{base: base}, acked: 1000, marks: 1}
	l.under[0] = mark{bytes: 31000, sent: sent} // 30 ms of the line
	due := base + base/4 + queueing + 30*time.Millisecond
	if l.overdue(sent.Add(due)) || !l.overdue(sent.Add(due+1)) {
		t.Errorf("the answer is not due after %v", due)
	}
	// The kernel's word for the first half comes earlier.
	due = base + ackSlack + 15*time.Millisecond
	if l.unacked(sent.Add(due), 1000) || !l.unacked(sent.Add(due+1), 15999) || l.unacked(sent.Add(time.Second), 16000) {
		t.Errorf("half of it is not due after %v", due)
	}
	l.marks = 0
	if l.overdue(sent.Add(time.Hour)) || l.unacked(sent.Add(time.Hour), 0) {
		t.Error("an answer is overdue though nothing is under way")
	}
}

// TestSpacing has marks come every 40 ms of the line, within bounds. Where it never
// was full, they become fewer with what the client has taken.
func TestSpacing(t *testing.T) {
	now := time.Unix(1000, 0)
	for rate, want := range map[float64]int64{0: markSpacing, 1e3: leastSpacing, 125e3: 5000, 1e9: markSpacing} {
		l := lineMeter{rate: rate, asked: now}
		if got := l.spacing(now); got != want {
			t.Errorf("%v bytes/s: a mark every %d bytes, want %d", rate, got, want)
		}
	}
	for taken, want := range map[int64]int64{10 << 10: markSpacing, 1 << 20: 256 << 10, 1 << 30: mostSpacing} {
		l := lineMeter{acked: taken, asked: now}
		if got := l.spacing(now); got != want {
			t.Errorf("%d bytes taken: a mark every %d bytes, want %d", taken, got, want)
		}
		if got := l.spacing(now.Add(askAgain)); got != markSpacing {
			t.Errorf("%d bytes taken, not asked for a while: a mark every %d bytes, want %d", taken, got, markSpacing)
		}
	}
}

// TestDelayEstimate has data wait for what is under way, and for itself.
func TestDelayEstimate(t *testing.T) {
	c := &Conn{sentSum: 200_000}
	c.line = lineMeter{rate: 1e6, acked: 50_000, last: probe{base: 100 * time.Millisecond}}
	if got, want := c.Delay(30_000), 80*time.Millisecond; got != want { // 150 - 100 + 30
		t.Errorf("delay %v, want %v", got, want)
	}
	c.line.acked = 150_000
	c.line.late = 7 * time.Millisecond
	if got, want := c.Delay(30_000), 37*time.Millisecond; got != want {
		t.Errorf("delay %v, want %v", got, want)
	}
}

// TestHeldBack has the estimate rise where nothing waits on the line, as then the
// kernel holds data back, and would never learn that there is room.
func TestHeldBack(t *testing.T) {
	at, second := time.Unix(1000, 0), time.Second
	for _, held := range []bool{false, true} {
		l := lineMeter{rate: 100e3}
		l.take(at, probe{full: true, held: held})
		for i := range int64(10) {
			l.take(at.Add(time.Duration(i+1)*second), probe{acked: (i + 1) * 100e3, full: true, held: held})
		}
		if low, high := l.rate < 110e3, l.rate > 120e3; held && !high || !held && !low {
			t.Errorf("held back: %v, the line counts as one of %.0f bytes/s", held, l.rate)
		}
	}
}

// TestLateCounts has a single answer that is much too late count, where an answer that
// is a little late has to be followed by another one.
func TestLateCounts(t *testing.T) {
	for late, fell := range map[time.Duration]bool{overdue / 2: false, overdue: true} {
		at := time.Unix(1000, 0)
		l := lineMeter{rate: 1e6}
		l.take(at, probe{acked: 1})
		l.late = late
		l.take(at.Add(time.Second), probe{acked: 50e3, full: true})
		if got := l.rate < 500e3; got != fell {
			t.Errorf("%v late: the line counts as one of %.0f bytes/s", late, l.rate)
		}
	}
}
