package cursor_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/net/channel"
	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/systems/cursor"
)

// pointer is what a user sees.
type pointer struct {
	visible     bool
	x, y        int16
	shape       string // empty: none
	trail, freq uint16
}

// viewer is a client of the cursor channel, which obeys what it is sent.
type viewer struct {
	t      *testing.T
	fd     int
	loop   *ecs.Loop
	client *cursor.Client
	gone   error

	inited           bool
	pointer          pointer
	cache            map[uint64]string
	window, unacked  uint32
	messages         []uint16 // since it was last asked
	in               []byte
	resets, inits    int
	fromCache, drops int
}

const maxShapes = 256

func connect(t *testing.T, c *cursor.Cursor) *viewer {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	v := &viewer{t: t, fd: fds[1], cache: map[uint64]string{}}
	if v.loop, err = ecs.NewLoop(ecs.NewManualClock(time.Unix(1000, 0))); err != nil {
		t.Fatal(err)
	}
	cfg := channel.Config{FD: fds[0], Loop: v.loop, MiniHeader: true}
	if v.client, err = c.Connect(1, cfg, func(_ *cursor.Client, err error) { v.gone = err }); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if v.gone == nil {
			v.client.Close(channel.ErrClosed)
		}
		unix.Close(v.fd)
		v.loop.Close()
	})
	return v
}

// receive takes everything that the channel has to say, and acknowledges it.
func (v *viewer) receive(c *cursor.Cursor) {
	v.t.Helper()
	v.messages = v.messages[:0]
	for quiet := false; !quiet; {
		c.Push()
		quiet = true
		for buf := make([]byte, 1<<16); ; quiet = false {
			n, err := unix.Read(v.fd, buf)
			if err != nil || n == 0 {
				break
			}
			v.in = append(v.in, buf[:n]...)
		}
		v.obey()
		for range 3 {
			if err := v.loop.Poll(0); err != nil {
				v.t.Fatal(err)
			}
		}
	}
	if len(v.in) > 0 {
		v.t.Fatalf("%d bytes of a message", len(v.in))
	}
}

// obey takes whole messages from what has arrived.
func (v *viewer) obey() {
	v.t.Helper()
	for len(v.in) >= wire.MiniHeaderSize {
		msg, size := binary.LittleEndian.Uint16(v.in), int(binary.LittleEndian.Uint32(v.in[2:]))
		if len(v.in) < wire.MiniHeaderSize+size {
			return
		}
		body := v.in[wire.MiniHeaderSize:][:size]
		if err := v.message(msg, body); err != nil {
			v.t.Fatalf("message %d: %v", msg, err)
		}
		v.in = v.in[wire.MiniHeaderSize+size:]
	}
}

func (v *viewer) send(msg uint16, body ...byte) {
	p := binary.LittleEndian.AppendUint16(nil, msg)
	p = binary.LittleEndian.AppendUint32(p, uint32(len(body)))
	if _, err := unix.Write(v.fd, append(p, body...)); err != nil {
		v.t.Fatal(err)
	}
}

func (v *viewer) message(msg uint16, body []byte) error {
	r := wire.NewReader(body)
	if msg == wire.MsgSetAck {
		generation := r.U32()
		v.window, v.unacked = r.U32(), 0
		v.send(wire.MsgcAckSync, binary.LittleEndian.AppendUint32(nil, generation)...)
		return r.Err()
	}
	if v.unacked++; v.unacked == v.window {
		v.send(wire.MsgcAck)
		v.unacked = 0
	}
	v.messages = append(v.messages, msg)
	if err := v.change(msg, &r); err != nil {
		return err
	}
	if r.Err() != nil || r.Left() != 0 {
		return fmt.Errorf("%d bytes left, %w", r.Left(), r.Err())
	}
	return nil
}

func (v *viewer) change(msg uint16, r *wire.Reader) error {
	p := &v.pointer
	switch msg {
	case wire.MsgCursorInit:
		if v.inited {
			return fmt.Errorf("a second init")
		}
		v.inited, v.inits = true, v.inits+1
		clear(v.cache)
		*p = pointer{x: int16(r.U16()), y: int16(r.U16()), trail: r.U16(), freq: r.U16(), visible: r.U8() != 0}
		return v.shape(r)
	case wire.MsgCursorReset:
		v.inited, v.resets, v.pointer = false, v.resets+1, pointer{}
	case wire.MsgCursorSet:
		r.U16() // the place where the shape was set says nothing of where the pointer is
		r.U16()
		p.visible = r.U8() != 0
		return v.shape(r)
	case wire.MsgCursorMove:
		p.x, p.y, p.visible = int16(r.U16()), int16(r.U16()), true
	case wire.MsgCursorHide:
		p.visible = false
	case wire.MsgCursorTrail:
		p.trail, p.freq = r.U16(), r.U16()
	case wire.MsgCursorInvalOne:
		id := r.U64()
		if _, ok := v.cache[id]; !ok {
			return fmt.Errorf("shape %d is not cached", id)
		}
		delete(v.cache, id)
		v.drops++
	case wire.MsgCursorInvalAll:
		clear(v.cache)
	default:
		return fmt.Errorf("not expected")
	}
	return nil
}

// shape reads a shape. Its picture is told by its data.
func (v *viewer) shape(r *wire.Reader) error {
	flags := r.U16()
	if flags&wire.CursorFlagNone != 0 {
		v.pointer.shape = ""
		return nil
	}
	id := r.U64()
	r.Skip(1 + 4*2)
	if flags&wire.CursorFlagFromCache != 0 {
		s, ok := v.cache[id]
		if !ok {
			return fmt.Errorf("shape %d is not cached", id)
		}
		v.pointer.shape = s
		v.fromCache++
		return nil
	}
	v.pointer.shape = string(r.Rest())
	if flags&wire.CursorFlagCacheMe != 0 {
		if v.cache[id] = v.pointer.shape; len(v.cache) > maxShapes || id == 0 {
			return fmt.Errorf("caching shape %d, %d cached", id, len(v.cache))
		}
	}
	return nil
}

func set(visible bool, id uint64) *qxl.CursorCommand {
	c := &qxl.CursorCommand{Action: qxl.CursorSet, Visible: visible, X: 3, Y: 4}
	if id != 0 {
		c.HasShape = true
		c.Shape = qxl.Shape{Unique: id &^ (1 << 63), Width: 1, Height: 1, Data: fmt.Appendf(nil, "shape %d", id)}
	}
	return c
}

func move(x, y int16) *qxl.CursorCommand {
	return &qxl.CursorCommand{Action: qxl.CursorMove, X: x, Y: y}
}

var hide = &qxl.CursorCommand{Action: qxl.CursorHide}

func trail(n uint16) *qxl.CursorCommand {
	return &qxl.CursorCommand{Action: qxl.CursorTrail, TrailLength: n, TrailFrequency: n + 1}
}

// apply is what a command means.
func (p *pointer) apply(c *qxl.CursorCommand) {
	switch c.Action {
	case qxl.CursorSet:
		p.visible, p.shape = c.Visible, string(c.Shape.Data)
	case qxl.CursorMove:
		p.visible, p.x, p.y = true, c.X, c.Y
	case qxl.CursorHide:
		p.visible = false
	case qxl.CursorTrail:
		p.trail, p.freq = c.TrailLength, c.TrailFrequency
	}
}

// TestLagging: whatever a client missed, it then sees what there is, for a
// handful of messages.
func TestLagging(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))
	c := cursor.New()
	v := connect(t, c)
	want := pointer{visible: true}
	for step := range 6000 {
		for range rnd.IntN(6) {
			cmd := []*qxl.CursorCommand{
				set(rnd.IntN(2) == 0, uint64(rnd.IntN(400))), set(true, 1<<63), move(int16(rnd.IntN(100)), int16(rnd.IntN(100))),
				move(int16(rnd.IntN(100)), 5), hide, trail(uint16(rnd.IntN(9))),
			}[rnd.IntN(6)]
			if cmd.HasShape && cmd.Shape.Unique == 0 {
				cmd.Shape.Data = fmt.Appendf(nil, "not to be cached %d", rnd.IntN(10))
			}
			want.apply(cmd)
			c.Command(cmd)
			clear(cmd.Shape.Data) // it is the caller's
		}
		if step%2000 == 1999 {
			c.Reset()
			c.Init()
			want = pointer{visible: true}
		}
		v.receive(c)
		if v.pointer != want {
			t.Fatalf("the client sees %+v, want %+v, after messages %v", v.pointer, want, v.messages)
		}
		if len(v.messages) > 8 {
			t.Fatalf("%d messages at once", len(v.messages))
		}
	}
	if v.fromCache == 0 || v.drops == 0 || v.resets == 0 {
		t.Errorf("%d shapes from the cache, %d dropped, %d resets", v.fromCache, v.drops, v.resets)
	}
}

// TestCoalesced sends what is overtaken only as it is in the end.
func TestCoalesced(t *testing.T) {
	c := cursor.New()
	v := connect(t, c)
	v.receive(c)
	for i := range int16(100) {
		c.Command(move(i, i))
		c.Command(set(true, uint64(i+1)))
		c.Command(hide)
		c.Command(move(i, 2*i))
		c.Command(trail(uint16(i)))
	}
	v.receive(c)
	if want := (pointer{true, 99, 198, "shape 100", 99, 100}); v.pointer != want || len(v.messages) != 3 {
		t.Errorf("the client sees %+v, want %+v, after messages %v", v.pointer, want, v.messages)
	}
}

// TestShapeAfterMove keeps the order of what shows and hides the pointer.
func TestShapeAfterMove(t *testing.T) {
	c := cursor.New()
	v := connect(t, c)
	v.receive(c)
	c.Command(move(7, 8))
	c.Command(set(false, 1))
	v.receive(c)
	if want := (pointer{false, 7, 8, "shape 1", 0, 0}); v.pointer != want {
		t.Errorf("the client sees %+v, want %+v, after messages %v", v.pointer, want, v.messages)
	}
}

// TestScreen: with the screen the pointer goes, and comes with the next one in
// one message that tells everything.
func TestScreen(t *testing.T) {
	c := cursor.New()
	c.Command(set(true, 5))
	c.Command(move(1, 2))
	v := connect(t, c)
	v.receive(c)
	if want := (pointer{true, 1, 2, "shape 5", 0, 0}); v.pointer != want || v.inits != 1 {
		t.Errorf("on joining: %+v, want %+v, %d inits", v.pointer, want, v.inits)
	}
	c.Init()
	if v.receive(c); len(v.messages) != 0 {
		t.Errorf("messages %v for a screen that is known", v.messages)
	}
	c.Reset()
	c.Command(set(true, 5))
	c.Init()
	v.receive(c)
	if want := (pointer{true, 0, 0, "shape 5", 0, 0}); v.pointer != want || v.inits != 2 || v.resets != 1 || v.fromCache != 0 {
		t.Errorf("with a new screen: %+v, want %+v, %d inits, %d resets", v.pointer, want, v.inits, v.resets)
	}
}

// TestMouseModes: where the client has the pointer, moves are only worth telling
// when they show it.
func TestMouseModes(t *testing.T) {
	c := cursor.New()
	v := connect(t, c)
	v.receive(c)
	c.SetServerMode(false)
	c.Command(move(10, 10))
	if v.receive(c); len(v.messages) != 0 {
		t.Errorf("messages %v for a move that the client made", v.messages)
	}
	c.Command(hide)
	c.Command(move(11, 11))
	if v.receive(c); !v.pointer.visible || v.pointer.x != 11 {
		t.Errorf("the client sees %+v", v.pointer)
	}
}

// TestEnd: clients have nothing to say, and are forgotten when they go.
func TestEnd(t *testing.T) {
	c := cursor.New()
	v, w := connect(t, c), connect(t, c)
	v.receive(c)
	v.send(101, bytes.Repeat([]byte{1}, 8)...)
	for range 3 {
		if err := v.loop.Poll(0); err != nil {
			t.Fatal(err)
		}
	}
	if v.gone == nil || len(c.Clients()) != 1 || c.Clients()[0] != w.client {
		t.Errorf("%v, %d clients left", v.gone, len(c.Clients()))
	}
	w.client.Close(channel.ErrClosed)
	if len(c.Clients()) != 0 {
		t.Errorf("%d clients left", len(c.Clients()))
	}
}
