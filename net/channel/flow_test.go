package channel

import (
	"encoding/binary"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/spiceecs/spiceecs/net/wire"
)

// slowClient reads so many bytes a second and answers pings when they have come,
// and the answer has been on its way for a while.
type slowClient struct {
	*rig
	rate  float64
	delay time.Duration
	piece int // bytes that the server sends when the line has room
	most  int // pieces in a step

	left    int
	credit  float64
	in      []byte
	answers []answer
	worst   time.Duration // that data had to wait
}

type answer struct {
	due  time.Time
	body []byte
}

const flowStep = 5 * time.Millisecond

func newSlowClient(t *testing.T, rate float64, delay time.Duration) *slowClient {
	c := &slowClient{rig: newRig(t, Config{MiniHeader: true, Flow: true}), rate: rate, delay: delay, piece: 20 << 10, most: 1000}
	c.ping.best = delay + flowStep // as if measured
	body := make([]byte, 1<<20)
	c.h.fill = func(*Conn) {
		if c.Measure(); c.left > 0 && c.Ahead() == 0 {
			c.left--
			c.Out.Begin(101)
			c.Out.Ref(body[:c.piece])
			c.Out.End()
		}
	}
	return c
}

// run lets time pass.
func (c *slowClient) run(d time.Duration) {
	c.t.Helper()
	for c.worst = 0; d > 0; d -= flowStep {
		c.clock.Advance(flowStep)
		c.receive()
		for len(c.answers) > 0 && !c.answers[0].due.After(c.clock.Now()) {
			c.write(message(true, wire.MsgcPong, c.answers[0].body))
			c.answers = c.answers[1:]
		}
		c.left = c.most
		c.poll()
		c.Pump()
		if c.rate > 0 {
			waits, err := unix.IoctlGetInt(c.peer, unix.SIOCINQ)
			if err != nil {
				c.t.Fatal(err)
			}
			c.worst = max(c.worst, time.Duration(float64(waits)/c.rate*float64(time.Second)))
		}
	}
}

func (c *slowClient) receive() {
	c.credit = min(c.credit+c.rate*flowStep.Seconds(), 1<<20)
	p := c.read(int(c.credit))
	if c.credit -= float64(len(p)); len(p) == 0 {
		c.credit = 0
	}
	for c.in = append(c.in, p...); len(c.in) >= wire.MiniHeaderSize; {
		size := wire.MiniHeaderSize + int(binary.LittleEndian.Uint32(c.in[2:]))
		if len(c.in) < size {
			return
		}
		if binary.LittleEndian.Uint16(c.in) == wire.MsgPing {
			body := append([]byte(nil), c.in[wire.MiniHeaderSize:size]...)
			c.answers = append(c.answers, answer{c.clock.Now().Add(c.delay), body})
		}
		c.in = c.in[size:]
	}
}

// TestFlow has the estimate follow a client that reads slowly, faster, and slowly
// again, one piece after another being under way.
func TestFlow(t *testing.T) {
	for _, delay := range []time.Duration{0, 20 * time.Millisecond, 100 * time.Millisecond} {
		c := newSlowClient(t, 250e3, delay)
		for _, rate := range []float64{250e3, 2e6, 100e3, 250e3} {
			c.rate = rate
			c.run(4 * time.Second)
			c.run(time.Second)
			if r := c.Throughput(); r < .6*rate || r > 1.7*rate {
				t.Errorf("delay %v: estimate %.0f of %.0f bytes/s", delay, r, rate)
			}
			if most := 2*aheadTime + time.Duration(float64(c.piece)/rate*float64(time.Second)) + delay; c.worst > most {
				t.Errorf("delay %v: at %.0f bytes/s data waited %v, more than %v", delay, rate, c.worst, most)
			}
		}
	}
}

// TestLate stops reading what comes on a line that was never full: nothing more is
// sent when an answer is late, though the window has room.
func TestLate(t *testing.T) {
	c := newSlowClient(t, 50e6, 0)
	c.most = 1
	c.run(time.Second)
	if c.Throughput() != 0 {
		t.Fatalf("the line counts as one of %.0f bytes/s", c.Throughput())
	}
	c.rate, c.credit = 0, 0
	c.piece = 1 << 10
	c.run(2 * markSpacing / 1024 * flowStep)
	c.run(overdue)
	sent := c.SentBytes()
	if c.run(5 * time.Second); c.SentBytes() != sent || sent-c.line.acked > localWindow/2 {
		t.Errorf("%d bytes under way, %d more were sent to a client that does not answer", sent-c.line.acked, c.SentBytes()-sent)
	}
	c.rate = 50e6
	if c.run(time.Second); c.SentBytes() < sent+100<<10 {
		t.Errorf("%d bytes were sent to a client that reads again", c.SentBytes()-sent)
	}
}

// TestDeaf has clients that take everything and do not answer: one that never did
// is not asked any more, one that has done so is waited for.
func TestDeaf(t *testing.T) {
	c := newSlowClient(t, 50e6, time.Hour)
	if c.run(3 * time.Second); !c.line.deaf || c.SentBytes() < 1<<20 {
		t.Errorf("deaf %v, %d bytes were sent", c.line.deaf, c.SentBytes())
	}
	c.write(message(true, wire.MsgcPong, c.answers[0].body))
	if c.line.deaf {
		t.Error("an answer that comes late makes no difference")
	}
	c = newSlowClient(t, 50e6, 0)
	c.run(time.Second)
	c.delay = time.Hour
	if c.run(5 * time.Second); c.line.deaf || c.Ahead() == 0 {
		t.Errorf("deaf %v, ahead %v", c.line.deaf, c.Ahead())
	}
}

// TestStalled is how long a client takes nothing.
func TestStalled(t *testing.T) {
	c := newSlowClient(t, 50e6, 0)
	c.most = 1
	c.run(time.Second)
	c.most = 0
	if c.run(time.Second); c.Stalled(c.clock.Now()) != 0 {
		t.Error("a client counts as stalled that is sent nothing")
	}
	c.rate, c.credit, c.most, c.piece = 0, 0, 1, 2<<10
	c.run(time.Second)
	c.Stalled(c.clock.Now())
	c.run(10 * time.Second)
	if d := c.Stalled(c.clock.Now()); d < 9*time.Second || d > 11*time.Second || c.Blocked() {
		t.Errorf("stalled for %v, blocked %v", d, c.Blocked())
	}
	c.most, c.rate = 0, 1e6
	c.run(flowStep)
	if d := c.Stalled(c.clock.Now()); d > time.Second {
		t.Errorf("a client that reads counts as stalled for %v", d)
	}
}
