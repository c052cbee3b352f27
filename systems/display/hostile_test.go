package display

import (
	"encoding/binary"
	"log/slog"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/net/codec/glz"
	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/systems/encode"
)

// noRing is the ring of a guest that draws nothing.
type noRing struct{}

func (noRing) GetCommand(*qxl.Command) bool       { return false }
func (noRing) RequestCommandNotification() bool   { return true }
func (noRing) GetCursorCommand(*qxl.Command) bool { return false }
func (noRing) RequestCursorNotification() bool    { return true }
func (noRing) Release(qxl.Resource)               {}
func (noRing) NotifyUpdate(uint32)                {}
func (noRing) FlushResources() bool               { return false }

// device is a worker that is ticked by hand, with a screen, and the ends of the
// connections to it.
type device struct {
	*Worker
	t     *testing.T
	clock *ecs.ManualClock
	ended map[uint32]bool
}

func newDevice(t *testing.T, w, h uint32) *device {
	t.Helper()
	d := &device{t: t, clock: ecs.NewManualClock(time.Unix(1, 0)), ended: map[uint32]bool{}}
	var err error
	d.Worker, err = New(Config{
		Ring: noRing{}, Memory: qxl.MemoryConfig{Groups: 1, Slots: 1, GenBits: 8, IDBits: 8}, Surfaces: 4,
		Compression: encode.AutoGLZ, JPEG: encode.Auto, ZlibGLZ: encode.Auto, Pool: alone, Caches: encode.NewRegistry(),
		Clock: d.clock, Log: slog.New(slog.DiscardHandler),
		Left: func(_ wire.ChannelType, id uint32) { d.ended[id] = true },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.shutdown)
	p := qxl.PrimarySurface{Width: w, Height: h, Stride: int32(4 * w), Format: qxl.Surface32xRGB, Flags: qxl.SurfaceKeepData}
	p.Memory = make([]byte, 4*w*h)
	for i := range p.Memory {
		p.Memory[i] = byte(uint32(i) * 2654435761 >> 13) // what no codec makes smaller
	}
	if err := d.createPrimary(p); err != nil {
		t.Fatal(err)
	}
	return d
}

// alone is a pool without helpers: everything happens in one goroutine.
var alone = func() *encode.Pool {
	p := encode.NewPool()
	p.Close()
	return p
}()

// connect makes a connection of a socket, and returns the client's end.
func (d *device) connect(kind wire.ChannelType, c Connection) (fd int) {
	d.t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { unix.Close(fds[1]) })
	connect := d.connectDisplay
	if kind == wire.ChannelCursor {
		connect = d.connectCursor
	}
	c.FD = fds[0]
	d.tick()
	if err := connect(c); err != nil {
		d.t.Fatal(err)
	}
	return fds[1]
}

// tick lets the device take what has come, and send.
func (d *device) tick() {
	d.t.Helper()
	if err := d.loop.Poll(0); err != nil {
		d.t.Fatal(err)
	}
	for again := 100; again > 0 && d.sched.Tick(d.clock.Now()) == 0; again-- {
	}
}

// told is the numbers of the messages that have come on a connection with mini
// headers.
func (d *device) told(fd int) (msgs []uint16) {
	d.t.Helper()
	var all []byte
	buf := make([]byte, 1<<16)
	for {
		n, err := unix.Read(fd, buf)
		if err != nil || n == 0 {
			break
		}
		all = append(all, buf[:n]...)
	}
	for r := wire.NewReader(all); r.Left() > 0; {
		msgs = append(msgs, r.U16())
		r.Skip(int(r.U32()))
		if r.Err() != nil {
			d.t.Fatalf("messages %v, then %v", msgs, r.Err())
		}
	}
	return msgs
}

// said is a client's message.
func said(mini bool, msg uint16, body ...byte) (b []byte) {
	le := binary.LittleEndian
	if !mini {
		b = make([]byte, 8)
	}
	b = le.AppendUint32(le.AppendUint16(b, msg), uint32(len(body)))
	if !mini {
		b = le.AppendUint32(b, 0)
	}
	return append(b, body...)
}

// saidInit is a display client's first message.
func saidInit(mini bool, pixels int64, window int32) []byte {
	le := binary.LittleEndian
	b := le.AppendUint64([]byte{1}, uint64(pixels))
	return said(mini, wire.MsgcDisplayInit, le.AppendUint32(append(b, 1), uint32(window))...)
}

// FuzzClientMessages has one client send any bytes on its display or cursor
// channel, in pieces. The other client of the device is served as ever, and
// nothing of the first one stays.
func FuzzClientMessages(f *testing.F) {
	for _, mini := range []bool{true, false} {
		hello := saidInit(mini, 1<<20, 1<<18)
		for _, more := range [][]byte{
			nil, hello, saidInit(mini, -1, -1), saidInit(mini, 1<<62, 1<<30),
			said(mini, wire.MsgcDisplayPrefCompression, byte(encode.LZ4)), said(mini, wire.MsgcDisplayPrefCompression),
			said(mini, wire.MsgcDisplayPrefCompression, 255), said(mini, wire.MsgcDisplayPrefVideoCodec, 2, 1, 3),
			said(mini, wire.MsgcDisplayPrefVideoCodec, 255), said(mini, wire.MsgcDisplayStreamReport, make([]byte, 28)...),
			said(mini, wire.MsgcDisplayGLDrawDone), said(mini, wire.MsgcAckSync, 1, 0, 0, 0), said(mini, wire.MsgcAckSync, 9),
			said(mini, wire.MsgcAck), said(mini, wire.MsgcPong, make([]byte, 12)...), said(mini, wire.MsgcDisconnecting, make([]byte, 12)...),
			said(mini, wire.MsgcMigrateFlushMark), said(mini, wire.MsgcMigrateData, make([]byte, 40)...), said(mini, 999, 1, 2, 3),
		} {
			f.Add(append(hello[:len(hello):len(hello)], more...), mini, true, uint16(len(more)))
			f.Add(more, mini, false, uint16(7))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, mini, display bool, step uint16) {
		d := newDevice(t, 64, 48)
		kind := wire.ChannelCursor
		if display {
			kind = wire.ChannelDisplay
		}
		good := d.connect(wire.ChannelDisplay, Connection{Client: 1, MiniHeader: true})
		bad := d.connect(kind, Connection{Client: 2, MiniHeader: mini, Caps: Caps()})
		d.tick()
		for len(data) > 0 {
			n := min(1+int(step), len(data))
			if _, err := unix.Write(bad, data[:n]); err != nil {
				break // the connection has been closed
			}
			data = data[n:]
			d.tick()
		}
		for _, c := range d.clients {
			if c != nil && (!c.state.Compression.Valid() || c.state.Dictionary != nil && c.state.Dictionary.Window() > glz.MaxWindow) {
				t.Fatalf("client %d has compression %d, window of %d pixels", c.id, c.state.Compression, c.state.Dictionary.Window())
			}
		}
		if _, err := unix.Write(good, saidInit(true, 1<<20, 1<<18)); err != nil {
			t.Fatal(err)
		}
		d.tick()
		if got := d.told(good); len(got) == 0 || got[len(got)-1] != wire.MsgDisplayMark {
			t.Fatalf("the other client is sent messages %v", got)
		}
		_ = unix.Shutdown(bad, unix.SHUT_RDWR)
		d.tick()
		if !d.ended[2] {
			t.Fatal("the client is kept")
		}
	})
}
