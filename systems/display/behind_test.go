package display

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/regions"
	"github.com/spiceecs/spiceecs/systems/encode"
)

// TestStallTimeout drops a client that reads nothing any more: one whose buffers
// are full, and one that is sent no more because it does not answer.
func TestStallTimeout(t *testing.T) {
	for _, answers := range []bool{false, true} {
		d := newDevice(t, 100, 100)
		d.cfg.Compression = encode.Off
		fd := d.connect(wire.ChannelDisplay, Connection{Client: 1, MiniHeader: true})
		d.say(fd, saidInit(true, 1<<20, 0))
		d.clock.Advance(time.Millisecond)
		if answers {
			d.answer(fd)
		}
		for s := 0; s < 60 && !d.ended[1]; s++ {
			c := d.clients[0]
			c.fall(nil)
			c.miss(0, regions.Rect{Right: 100, Bottom: 100})
			d.tick()
			if c.conn.Blocked() == answers && s > 10 {
				t.Fatalf("answers %v, blocked %v", answers, c.conn.Blocked())
			}
			if d.clock.Advance(time.Second); s < 25 && d.ended[1] {
				t.Errorf("answers %v: dropped after %d s", answers, s)
			}
		}
		if !d.ended[1] {
			t.Errorf("answers %v: a client that reads nothing is kept", answers)
		}
	}
}

// answer reads what has come, and answers the pings in it.
func (d *device) answer(fd int) {
	d.t.Helper()
	buf := make([]byte, 1<<20)
	n, err := unix.Read(fd, buf)
	if err != nil {
		d.t.Fatal(err)
	}
	pings := 0
	for r := wire.NewReader(buf[:n]); r.Left() > 0; {
		msg := r.U16()
		if body := r.Bytes(int(r.U32())); msg == wire.MsgPing {
			d.say(fd, said(true, wire.MsgcPong, body[:12]...))
			pings++
		}
	}
	if pings == 0 {
		d.t.Fatal("no ping has come")
	}
}

// TestHeavy measures a slow line: only large drawables are heavy on it.
func TestHeavy(t *testing.T) {
	d := newDevice(t, 1024, 1024)
	d.cfg.Compression = encode.Off
	fd := d.connect(wire.ChannelDisplay, Connection{Client: 1, MiniHeader: true})
	d.say(fd, saidInit(true, 1<<20, 0))
	c := d.clients[0]
	screen := components.Drawable{Cost: 4 << 20}
	if c.heavy(&screen) {
		t.Error("something is heavy on a line that is not known")
	}
	const rate, step = 1_000_000, 10 * time.Millisecond
	for range 500 {
		if c.conn.Throughput() > 0 {
			break
		}
		d.clock.Advance(step)
		d.take(fd, rate/int(time.Second/step))
		d.tick()
	}
	if small := (components.Drawable{Cost: 64 << 10}); !c.heavy(&screen) || c.heavy(&small) {
		t.Errorf("at %.0f bytes/s the screen is heavy: %v, 64 KiB: %v", c.conn.Throughput(), c.heavy(&screen), c.heavy(&small))
	}
}
