package channel

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/net/wire"
)

// fakeHandler records what it is told and fills as a test says.
type fakeHandler struct {
	got    []string
	errs   []error
	pongs  []uint32
	sent   int
	fill   func(*Conn)
	handle func(*Conn, uint16, []byte) error
}

func (h *fakeHandler) Message(c *Conn, msg uint16, body []byte) error {
	h.got = append(h.got, fmt.Sprintf("%d %x", msg, body))
	if h.handle != nil {
		return h.handle(c, msg, body)
	}
	return nil
}

func (h *fakeHandler) Fill(c *Conn) {
	if h.fill != nil {
		h.fill(c)
	}
}

func (h *fakeHandler) Sent(*Conn)                { h.sent++ }
func (h *fakeHandler) Closed(_ *Conn, err error) { h.errs = append(h.errs, err) }

func (h *fakeHandler) Pong(_ *Conn, id uint32, _ uint64) { h.pongs = append(h.pongs, id) }

// rig is a connection with its handler, a loop that the test polls, and the
// client's end.
type rig struct {
	*Conn
	h     *fakeHandler
	clock *ecs.ManualClock
	loop  *ecs.Loop
	peer  int
	t     testing.TB
}

func newRig(t testing.TB, cfg Config) *rig {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{h: &fakeHandler{}, clock: ecs.NewManualClock(time.Unix(1e9, 0)), peer: fds[1], t: t}
	if r.loop, err = ecs.NewLoop(r.clock); err != nil {
		t.Fatal(err)
	}
	cfg.FD, cfg.Loop, cfg.Handler = fds[0], r.loop, r.h
	if cfg.MaxBody == 0 {
		cfg.MaxBody = 1024
	}
	if r.Conn, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.Close(ErrClosed)
		unix.Close(r.peer)
		r.loop.Close()
	})
	return r
}

func (r *rig) poll() {
	r.t.Helper()
	for range 4 {
		if err := r.loop.Poll(0); err != nil {
			r.t.Fatal(err)
		}
	}
}

// write sends bytes of the client and lets the connection handle them.
func (r *rig) write(p []byte) {
	r.t.Helper()
	for len(p) > 0 {
		n, err := unix.Write(r.peer, p)
		if err == unix.EPIPE {
			return
		}
		if err != nil && err != unix.EAGAIN {
			r.t.Fatal(err)
		}
		p = p[max(n, 0):]
		r.poll()
	}
}

// read takes at most limit bytes that have arrived at the client.
func (r *rig) read(limit int) []byte {
	p := make([]byte, limit)
	n, _ := unix.Read(r.peer, p)
	return p[:max(n, 0)]
}

// message is a client's message with a mini or a full header.
func message(mini bool, msg uint16, body []byte) []byte {
	var b []byte
	if !mini {
		b = []byte{9, 9, 9, 9, 9, 9, 9, 9}
	}
	b = binary.LittleEndian.AppendUint16(b, msg)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(body)))
	if !mini {
		b = append(b, 7, 7, 7, 7)
	}
	return append(b, body...)
}

func newRand(t *testing.T) *rand.Rand {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// TestReceive cuts a stream of random messages at random places.
func TestReceive(t *testing.T) {
	rnd := newRand(t)
	for _, mini := range []bool{true, false} {
		r := newRig(t, Config{MiniHeader: mini, MaxBody: 20000})
		var stream []byte
		var want []string
		for range 300 {
			body := make([]byte, rnd.IntN(40))
			if rnd.IntN(20) == 0 {
				body = make([]byte, rnd.IntN(20001))
			}
			for i := range body {
				body[i] = byte(rnd.Uint32())
			}
			msg := uint16(100 + rnd.IntN(1000))
			stream = append(stream, message(mini, msg, body)...)
			want = append(want, fmt.Sprintf("%d %x", msg, body))
		}
		total := len(stream)
		for len(stream) > 0 {
			n := min(len(stream), 1+rnd.IntN(1+rnd.IntN(5000)))
			r.write(stream[:n])
			stream = stream[n:]
		}
		r.poll()
		if fmt.Sprint(r.h.got) != fmt.Sprint(want) {
			t.Fatalf("mini %v: %d of %d messages arrived, or differ", mini, len(r.h.got), len(want))
		}
		if r.ReceivedBytes() != int64(total) {
			t.Errorf("%d bytes counted of %d", r.ReceivedBytes(), total)
		}
	}
}

// TestReceiveByteByByte includes the base messages, which are not passed on.
func TestReceiveByteByByte(t *testing.T) {
	r := newRig(t, Config{MiniHeader: true})
	for _, b := range bytes.Join([][]byte{
		message(true, wire.MsgcAckSync, make([]byte, 4)), message(true, wire.MsgcAck, nil),
		message(true, 101, []byte{1}), message(true, wire.MsgcPong, append([]byte{5}, make([]byte, 11)...)),
		message(true, wire.MsgcDisconnecting, make([]byte, 12)), message(true, 102, nil),
	}, nil) {
		r.write([]byte{b})
	}
	if fmt.Sprint(r.h.got) != "[101 01 102 ]" || fmt.Sprint(r.h.pongs) != "[5]" {
		t.Errorf("messages %q, pongs %v", r.h.got, r.h.pongs)
	}
}

// TestEnds goes through what ends a connection, and the error it ends with.
func TestEnds(t *testing.T) {
	fault := errors.New("fault")
	cases := []struct {
		name  string
		bytes []byte
		want  error
	}{
		{"too large", message(true, 101, nil)[:2], nil},
		{"body of 1025", []byte{101, 0, 1, 4, 0, 0}, ErrTooLarge},
		{"body of 4 GiB", []byte{101, 0, 255, 255, 255, 255}, ErrTooLarge},
		{"short ack sync", message(true, wire.MsgcAckSync, make([]byte, 3)), wire.ErrShort},
		{"short pong", message(true, wire.MsgcPong, make([]byte, 11)), wire.ErrShort},
		{"short disconnecting", message(true, wire.MsgcDisconnecting, make([]byte, 11)), wire.ErrShort},
		{"handler's error", message(true, 666, nil), fault},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			r := newRig(t, Config{MiniHeader: true})
			r.h.handle = func(_ *Conn, msg uint16, _ []byte) error {
				if msg == 666 {
					return fault
				}
				return nil
			}
			r.write(append(tc.bytes, message(true, 101, nil)...)[:len(tc.bytes)])
			if tc.want == nil {
				if r.Closed() {
					t.Error("closed before the message was whole")
				}
				_ = unix.Shutdown(r.peer, unix.SHUT_WR)
				r.poll()
				tc.want = io.EOF
			}
			if len(r.h.errs) != 1 || !errors.Is(r.h.errs[0], tc.want) || !r.Closed() {
				t.Errorf("closed with %v, want %v", r.h.errs, tc.want)
			}
			if Gone(r.h.errs[0]) != (tc.want == io.EOF) {
				t.Errorf("Gone(%v)", r.h.errs[0])
			}
			r.Close(fault)
			r.Pump()
			if len(r.h.errs) != 1 {
				t.Error("closed twice")
			}
		})
	}
}

// TestTruncation has the client vanish behind every byte of two messages.
func TestTruncation(t *testing.T) {
	for _, mini := range []bool{true, false} {
		whole := append(message(mini, 101, []byte{1, 2, 3}), message(mini, 102, []byte{4})...)
		for n := range len(whole) + 1 {
			r := newRig(t, Config{MiniHeader: mini})
			r.write(whole[:n])
			_ = unix.Shutdown(r.peer, unix.SHUT_WR)
			r.poll()
			if len(r.h.errs) != 1 || r.h.errs[0] != io.EOF {
				t.Fatalf("%d bytes: closed with %v", n, r.h.errs)
			}
		}
	}
}

// TestCloseInside: a handler may close in any of its methods.
func TestCloseInside(t *testing.T) {
	for _, place := range []string{"message", "fill"} {
		r := newRig(t, Config{MiniHeader: true})
		r.h.handle = func(c *Conn, _ uint16, _ []byte) error {
			if place == "message" {
				c.Close(ErrClosed)
			}
			return nil
		}
		r.h.fill = func(c *Conn) {
			if place == "fill" {
				c.Close(ErrClosed)
			}
		}
		r.write(bytes.Repeat(message(true, 101, nil), 3))
		if place == "message" && len(r.h.got) != 1 || len(r.h.errs) != 1 || !Gone(r.h.errs[0]) {
			t.Errorf("%s: messages %q, closed with %v", place, r.h.got, r.h.errs)
		}
	}
}

func TestNewFailure(t *testing.T) {
	r := newRig(t, Config{MiniHeader: true})
	var file [2]int
	if err := unix.Pipe2(file[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	unix.Close(file[0])
	if _, err := New(Config{FD: file[0], Loop: r.loop, Handler: r.h}); err == nil {
		t.Error("a closed descriptor was accepted")
	}
	if err := unix.Close(file[1]); err != nil {
		t.Error(err)
	}
}

// TestSend writes random messages, partly by reference, to a client that reads
// slowly. What arrives are the messages, whole and in order.
func TestSend(t *testing.T) {
	rnd := newRand(t)
	for _, mini := range []bool{true, false} {
		r := newRig(t, Config{MiniHeader: mini})
		_ = unix.SetsockoptInt(r.fd, unix.SOL_SOCKET, unix.SO_SNDBUF, 4096)
		var want []byte
		left, filled := 400, 0
		r.h.fill = func(c *Conn) {
			for n := rnd.IntN(20) + 1; left > 0 && n > 0 && c.Room() > 0; n-- {
				want = append(want, marshal(c, rnd, uint64(400-left+1))...)
				left--
			}
			filled++
		}
		r.Pump()
		var got []byte
		for idle := 0; idle < 3; {
			p := r.read(1 + rnd.IntN(20000))
			if got = append(got, p...); len(p) == 0 {
				idle++
			}
			r.poll()
		}
		if left > 0 || !bytes.Equal(got, want) {
			t.Fatalf("mini %v: %d bytes arrived of %d, %d messages not asked for", mini, len(got), len(want), left)
		}
		if r.SentBytes() != int64(len(want)) || r.Blocked() || r.h.sent != filled-1 {
			t.Errorf("counted %d bytes of %d, blocked %v, sent %d batches of %d", r.SentBytes(), len(want), r.Blocked(), r.h.sent, filled-1)
		}
	}
}

// marshal writes a random message and returns the bytes it should become.
func marshal(c *Conn, rnd *rand.Rand, serial uint64) []byte {
	msg := uint16(101 + rnd.IntN(200))
	var body []byte
	c.Out.Begin(msg)
	for range rnd.IntN(4) {
		p := bytes.Repeat([]byte{byte(rnd.Uint32())}, rnd.IntN(3000))
		if body = append(body, p...); rnd.IntN(2) == 0 {
			c.Out.Ref(p)
		} else {
			c.Out.Bytes(p)
		}
	}
	c.Out.End()
	b := message(!c.Out.Full, msg, body)
	if c.Out.Full {
		binary.LittleEndian.PutUint64(b, serial)
		clear(b[14:18])
	}
	return b
}

// TestStuckClient: what waits for one that does not read is bounded, also when
// it is added while the socket is full.
func TestStuckClient(t *testing.T) {
	r := newRig(t, Config{MiniHeader: true, MaxQueued: 1 << 20})
	body := make([]byte, 1000)
	for i := 0; !r.Closed() && i < 10000; i++ {
		r.Out.Begin(101)
		r.Out.Bytes(body)
		r.Out.End()
		r.Pump()
	}
	if len(r.h.errs) != 1 || !errors.Is(r.h.errs[0], ErrStuck) {
		t.Errorf("closed with %v", r.h.errs)
	}
}

// TestAppendWhileBlocked: messages may join a batch that is partly sent.
func TestAppendWhileBlocked(t *testing.T) {
	r := newRig(t, Config{MiniHeader: true})
	var want []byte
	for i := range byte(100) {
		body := bytes.Repeat([]byte{i}, 10000)
		want = append(want, message(true, 101, body)...)
		r.Out.Begin(101)
		r.Out.Ref(body[:5000])
		r.Out.Bytes(body[5000:])
		r.Out.End()
		r.Pump()
	}
	if !r.Blocked() {
		t.Fatal("the socket took everything: nothing is tested")
	}
	var got []byte
	for len(got) < len(want) {
		got = append(got, r.read(7777)...)
		r.poll()
	}
	if !bytes.Equal(got, want) || r.Blocked() {
		t.Errorf("what arrived differs, blocked %v", r.Blocked())
	}
}

// TestAllocatesNothing in the steady state, in either direction.
func TestAllocatesNothing(t *testing.T) {
	r := newRig(t, Config{MiniHeader: true})
	big := make([]byte, 1000)
	pending := false
	r.h.fill = func(c *Conn) {
		if pending {
			pending = false
			c.Out.Begin(101)
			c.Out.U32(1)
			c.Out.Ref(big)
			c.Out.End()
		}
	}
	sync := message(true, wire.MsgcAckSync, make([]byte, 4))
	buf := make([]byte, 4096)
	if n := testing.AllocsPerRun(200, func() {
		pending = true
		r.Pump()
		_, _ = unix.Read(r.peer, buf)
		_, _ = unix.Write(r.peer, sync)
		_ = r.loop.Poll(0)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzReceive holds the framing against a reading of the whole stream.
func FuzzReceive(f *testing.F) {
	f.Add(message(true, 101, []byte{1, 2}), true, 1)
	f.Add(message(false, 103, []byte{1, 2}), false, 5)
	f.Fuzz(func(t *testing.T, stream []byte, mini bool, step int) {
		if len(stream) > 1<<16 {
			return
		}
		r := newRig(t, Config{MiniHeader: mini, MaxBody: 300})
		whole := stream
		for step = max(1, step&0xfff); len(stream) > 0; {
			n := min(step, len(stream))
			r.write(stream[:n])
			stream = stream[n:]
		}
		r.poll()
		want, closed := parse(whole, mini, 300)
		if fmt.Sprint(r.h.got) != fmt.Sprint(want) || r.Closed() != closed {
			t.Fatalf("messages %q, closed %v, want %q, %v", r.h.got, r.Closed(), want, closed)
		}
	})
}

// parse lists what a handler has to see, and whether the connection ends.
func parse(b []byte, mini bool, limit uint32) (got []string, closed bool) {
	head, at := 18, 8
	if mini {
		head, at = 6, 0
	}
	least := map[uint16]int{wire.MsgcAckSync: 4, wire.MsgcAck: 0, wire.MsgcPong: 12, wire.MsgcDisconnecting: 12}
	for len(b) >= head {
		msg, size := binary.LittleEndian.Uint16(b[at:]), binary.LittleEndian.Uint32(b[at+2:])
		if size > limit {
			return got, true
		}
		if len(b) < head+int(size) {
			break
		}
		body := b[head : head+int(size)]
		b = b[head+int(size):]
		if n, base := least[msg]; !base {
			got = append(got, fmt.Sprintf("%d %x", msg, body))
		} else if len(body) < n {
			return got, true
		}
	}
	return got, false
}
