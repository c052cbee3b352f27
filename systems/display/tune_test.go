package display

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/systems/encode"
)

// take reads so many bytes, or what is there.
func (d *device) take(fd, bytes int) {
	d.t.Helper()
	buf := make([]byte, 1<<16)
	for bytes > 0 {
		n, err := unix.Read(fd, buf[:min(bytes, len(buf))])
		if err != nil || n == 0 {
			return
		}
		bytes -= n
	}
}

func (d *device) say(fd int, message []byte) {
	d.t.Helper()
	if _, err := unix.Write(fd, message); err != nil {
		d.t.Fatal(err)
	}
	d.tick()
}

// TestLine has clients whose lines are measured when they connect, and then turn
// out to be something else: what is worth it on slow lines follows.
func TestLine(t *testing.T) {
	for _, tc := range []struct {
		name     string
		measured bool // to be slow
		rate     int  // bytes per second that are really taken, 0: none
		slow     bool
	}{
		{"fast", false, 0, false},
		{"slow", true, 0, true},
		{"fast, but takes little", false, 1e6, true},
		{"slow, but takes much", true, 10e6, false},
		{"fast, takes something between", false, 2e6, false},
		{"slow, takes something between", true, 2e6, true},
	} {
		d := newDevice(t, 1024, 1024)
		d.cfg.Compression = encode.Off
		fd := d.connect(wire.ChannelDisplay, Connection{Client: 1, MiniHeader: true, LowBandwidth: tc.measured})
		d.say(fd, saidInit(true, 1<<20, 0))
		c := d.clients[0]
		if c.state.JPEG != tc.measured || c.state.Zlib != tc.measured {
			t.Errorf("%s: at first JPEG %v, zlib %v", tc.name, c.state.JPEG, c.state.Zlib)
		}
		const step = 10 * time.Millisecond
		for range 500 {
			if tc.rate == 0 || c.conn.Throughput() > 0 {
				break
			}
			d.clock.Advance(step)
			d.take(fd, tc.rate/int(time.Second/step))
			d.tick()
		}
		for range 100 { // the rest at once, which says nothing
			d.take(fd, 1<<30)
			d.tick()
		}
		if c.state.JPEG != tc.slow || c.state.Zlib != tc.slow {
			t.Errorf("%s: at %.0f bytes/s JPEG %v, zlib %v", tc.name, c.conn.Throughput(), c.state.JPEG, c.state.Zlib)
		}
		for _, w := range []encode.WAN{encode.Always, encode.Never} {
			d.cfg.JPEG, d.cfg.ZlibGLZ = w, w
			if c.tune(); c.state.JPEG != (w == encode.Always) || c.state.Zlib != (w == encode.Always) {
				t.Errorf("%s: the setting %d is not obeyed", tc.name, w)
			}
		}
	}
}

// TestPreference lets a client say what it prefers, and what it can decode.
func TestPreference(t *testing.T) {
	d := newDevice(t, 8, 8)
	fd := d.connect(wire.ChannelDisplay, Connection{Client: 1, MiniHeader: true, Caps: wire.NewCaps(wire.CapDisplayLZ4)})
	other := d.connect(wire.ChannelDisplay, Connection{Client: 2, MiniHeader: true})
	d.say(fd, saidInit(true, 1<<20, 1000))
	d.say(other, saidInit(true, 1<<20, 0))
	c, o := d.clients[0], d.clients[1]
	if !c.state.LZ4 || o.state.LZ4 || c.state.Dictionary == nil || o.state.Dictionary != nil {
		t.Errorf("LZ4 %v and %v, windows %v and %v", c.state.LZ4, o.state.LZ4, c.state.Dictionary, o.state.Dictionary)
	}
	for _, step := range []struct {
		says byte
		want encode.Compression
	}{{0, encode.AutoGLZ}, {byte(encode.LZ4), encode.LZ4}, {8, encode.LZ4}, {255, encode.LZ4}, {byte(encode.Off), encode.Off}} {
		d.say(fd, said(true, wire.MsgcDisplayPrefCompression, step.says))
		if c.state.Compression != step.want || o.state.Compression != encode.AutoGLZ {
			t.Errorf("%d is preferred: %v, the other client has %v", step.says, c.state.Compression, o.state.Compression)
		}
	}
}
