package channel

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/spiceecs/spiceecs/net/wire"
)

// ackModel is the window as the protocol's text has it: a counter that grows
// with every message and falls by the window with every ACK.
type ackModel struct {
	window, generation, synced uint32
	pending                    int
}

func (m *ackModel) room() int {
	if m.window == 0 {
		return 1 << 30
	}
	return max(0, 2*int(m.window)+1-m.pending)
}

// TestAckWindow holds the window against the model for random events.
func TestAckWindow(t *testing.T) {
	rnd := newRand(t)
	r := newRig(t, Config{MiniHeader: true})
	var m ackModel
	for step := range 20000 {
		switch k := rnd.IntN(20); {
		case k == 0 && step > 100:
			m.window = uint32(1 + rnd.IntN(20))
			m.generation++
			m.pending = 0
			r.SetAck(m.window)
		case k == 1:
			g := m.generation - uint32(rnd.IntN(2))
			m.synced = g
			_ = r.message(wire.MsgcAckSync, binary.LittleEndian.AppendUint32(nil, g))
		case k < 8:
			_ = r.message(wire.MsgcAck, nil)
			if m.window != 0 && m.synced == m.generation {
				m.pending = max(0, m.pending-int(m.window)) // an early one counts for nothing
			}
		default:
			if m.room() == 0 {
				break
			}
			r.Out.Begin(101)
			r.Out.End()
			m.pending++
		}
		r.Out.Reset()
		if got, want := r.Room(), min(m.room(), BatchMessages); got != want {
			t.Fatalf("step %d: room for %d, want %d (%+v)", step, got, want, m)
		}
	}
}

// TestSetAck checks the message, and that a client that never acknowledges
// gets twice the window and one.
func TestSetAck(t *testing.T) {
	r := newRig(t, Config{MiniHeader: true})
	r.SetAck(20)
	sent := 0
	r.h.fill = func(c *Conn) {
		for ; c.Room() > 0 && sent < 1000; sent++ {
			c.Out.Begin(101)
			c.Out.End()
		}
	}
	r.Pump()
	got := r.read(1 << 16)
	if want := []byte{3, 0, 8, 0, 0, 0, 1, 0, 0, 0, 20, 0, 0, 0}; string(got[:14]) != string(want) {
		t.Errorf("SET_ACK %x, want %x", got[:14], want)
	}
	if sent != 41 || len(got) != 14+41*6 {
		t.Errorf("%d messages sent, %d bytes arrived", sent, len(got))
	}
	r.write(message(true, wire.MsgcAck, nil)) // before any ACK_SYNC
	if sent != 41 {
		t.Errorf("%d messages sent", sent)
	}
	r.write(message(true, wire.MsgcAckSync, []byte{1, 0, 0, 0}))
	r.write(message(true, wire.MsgcAck, nil))
	if sent != 61 {
		t.Errorf("%d messages sent", sent)
	}
}

func TestBatchLimits(t *testing.T) {
	r := newRig(t, Config{MiniHeader: true})
	for r.Room() > 0 {
		r.Out.Begin(101)
		r.Out.End()
	}
	if r.Out.Count() != BatchMessages {
		t.Errorf("batch of %d messages", r.Out.Count())
	}
	r.Out.Reset()
	for r.Room() > 0 {
		r.Out.Begin(101)
		r.Out.Ref(make([]byte, 100<<10))
		r.Out.End()
	}
	if n := r.Out.Len(); n < BatchBytes || n > BatchBytes+100<<10+6 {
		t.Errorf("batch of %d bytes", n)
	}
}

// TestPings: the pace, and which of the values counts.
func TestPings(t *testing.T) {
	r := newRig(t, Config{MiniHeader: true, Pings: true})
	ping := func() []byte {
		t.Helper()
		r.poll()
		b := r.read(100)
		if len(b) != 36 || string(b[:18]) != string(b[18:]) || b[0] != wire.MsgPing || b[2] != 12 {
			t.Fatalf("no pair of pings: %x", b)
		}
		return b[6:18]
	}
	quiet := func() {
		t.Helper()
		r.poll()
		if b := r.read(100); len(b) > 0 {
			t.Fatalf("unexpected %x", b)
		}
	}
	r.Pump()
	r.clock.Advance(pingIdle - 1)
	quiet()
	r.clock.Advance(1)
	body := ping()
	if !r.AwaitsPong() {
		t.Error("no pong is awaited")
	}
	r.clock.Advance(time.Hour) // no further ones before the answer
	quiet()
	wrong := append([]byte(nil), body...)
	wrong[0] ^= 1
	r.write(message(true, wire.MsgcPong, wrong))
	r.write(message(true, wire.MsgcPong, body))
	if r.RoundTrip() != 0 || len(r.h.pongs) != 1 {
		t.Errorf("the first pong counted: %v; pongs %v", r.RoundTrip(), r.h.pongs)
	}
	lie := append(body[:4:4], 1, 1, 1, 1, 1, 1, 1, 1) // the stamp does not matter
	r.clock.Advance(5 * time.Millisecond)
	r.write(message(true, wire.MsgcPong, lie))
	if want := time.Hour + 5*time.Millisecond; r.RoundTrip() != want || r.AwaitsPong() {
		t.Errorf("round trip %v, want %v", r.RoundTrip(), want)
	}
	r.clock.Advance(pingPeriod - 1)
	quiet()
	r.clock.Advance(1)
	body = ping()
	r.clock.Advance(3 * time.Millisecond)
	r.write(message(true, wire.MsgcPong, body))
	r.write(message(true, wire.MsgcPong, body))
	r.clock.Advance(pingPeriod)
	body = ping()
	r.clock.Advance(7 * time.Millisecond)
	r.write(message(true, wire.MsgcPong, body))
	r.write(message(true, wire.MsgcPong, body))
	if r.RoundTrip() != 3*time.Millisecond {
		t.Errorf("round trip %v", r.RoundTrip())
	}
}

// TestNoPingsWhileBusy: whatever is sent puts them off.
func TestNoPingsWhileBusy(t *testing.T) {
	r := newRig(t, Config{MiniHeader: true, Pings: true})
	r.Pump()
	for range 10 {
		r.clock.Advance(pingIdle - 1)
		r.poll()
		r.Out.Begin(101)
		r.Out.End()
		r.Pump()
		if b := r.read(100); len(b) != 6 {
			t.Fatalf("got %x", b)
		}
	}
	r.Out.Begin(102)
	r.Out.End()
	r.Pump()
	r.clock.Advance(pingIdle) // the client has not taken the message yet
	r.poll()
	if b := r.read(100); len(b) != 6 {
		t.Fatalf("got %x", b)
	}
	r.clock.Advance(pingIdle)
	r.poll()
	if b := r.read(100); len(b) != 36 {
		t.Fatalf("got %x", b)
	}
	r.Close(ErrClosed)
	r.clock.Advance(time.Hour)
	r.poll()
}
