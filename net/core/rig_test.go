package core

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/net/link"
	"github.com/spiceecs/spiceecs/net/sock"
	"github.com/spiceecs/spiceecs/net/wire"
)

// rig is a core without a goroutine: the test polls its loop, so that nothing
// happens at any other time.
type rig struct {
	*Core
	t      testing.TB
	clock  *ecs.ManualClock
	events []ClientEvent
	modes  []int
}

func newRig(t testing.TB, edit func(*Config)) *rig {
	t.Helper()
	r := &rig{t: t, clock: ecs.NewManualClock(time.Unix(1e9, 0))}
	cfg := Config{
		Clock:       r.clock,
		OnClient:    func(e ClientEvent) { r.events = append(r.events, e) },
		OnMouseMode: func(m int) { r.modes = append(r.modes, m) },
	}
	if edit != nil {
		edit(&cfg)
	}
	c, err := newCore(cfg)
	if err != nil {
		t.Fatal(err)
	}
	r.Core = c
	t.Cleanup(func() { c.link.Close(); c.tearDown() })
	return r
}

// settle lets the core do all there is to do.
func (r *rig) settle() {
	r.t.Helper()
	for range 8 {
		if err := r.loop.Poll(0); err != nil {
			r.t.Fatal(err)
		}
	}
}

var (
	localAddr   = &net.UnixAddr{Name: "/run/vm.sock", Net: "unix"}
	networkAddr = &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 5900}
)

// peer is the client's end of a channel.
type peer struct {
	*rig
	fd    int
	full  bool // 18-byte headers
	pings bool // expect them instead of passing over them
	in    []byte
	count uint64 // messages read
}

// connect attaches a link as if its link phase were done.
func (r *rig) connect(h link.Hello) *peer {
	r.t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		r.t.Fatal(err)
	}
	if h.Remote == nil {
		h.Remote, h.Local = localAddr, localAddr
	}
	p := &peer{rig: r, fd: fds[1], full: !h.MiniHeader}
	r.t.Cleanup(func() { p.close() })
	r.attach(h, fds[0])
	r.settle()
	return p
}

// main connects a client, reads its INIT and returns the session id.
func (r *rig) main() (*peer, uint32) {
	r.t.Helper()
	p := r.connect(link.Hello{Type: wire.ChannelMain, MiniHeader: true})
	init := p.expect(wire.MsgMainInit)
	return p, binary.LittleEndian.Uint32(init)
}

// inputs connects a client's inputs channel, over TLS, and reads its INIT.
func (r *rig) inputs(session uint32) *peer {
	r.t.Helper()
	p := r.connect(link.Hello{Type: wire.ChannelInputs, ConnectionID: session, MiniHeader: true, Secure: true})
	p.expect(wire.MsgInputsInit)
	return p
}

func (p *peer) close() {
	if p.fd >= 0 {
		unix.Close(p.fd)
		p.fd = -1
	}
}

// send writes one message and lets the core handle it.
func (p *peer) send(msg uint16, body ...byte) {
	p.t.Helper()
	p.write(frame(p.full, msg, body))
	p.settle()
}

// frame puts a header before body.
func frame(full bool, msg uint16, body []byte) []byte {
	var b []byte
	if full {
		b = make([]byte, 8) // a serial, which nobody looks at
	}
	b = binary.LittleEndian.AppendUint16(b, msg)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(body)))
	if full {
		b = append(b, 0, 0, 0, 0)
	}
	return append(b, body...)
}

func (p *peer) write(b []byte) {
	p.t.Helper()
	for len(b) > 0 {
		n, err := unix.Write(p.fd, b)
		if err == unix.EAGAIN || err == unix.EPIPE && len(p.events) > 0 {
			p.settle()
			continue
		}
		if err != nil {
			p.t.Fatalf("writing to the core: %v", err)
		}
		b = b[n:]
	}
}

// fill reads what has arrived. It reports false when the core has closed.
func (p *peer) fill() bool {
	var b [1 << 16]byte
	for range 64 {
		n, err := sock.Read(p.fd, b[:])
		switch {
		case errors.Is(err, sock.ErrAgain):
			p.settle()
			if n, err = sock.Read(p.fd, b[:]); errors.Is(err, sock.ErrAgain) {
				return true
			}
		}
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, unix.ECONNRESET) {
				p.t.Fatal(err)
			}
			return false
		}
		p.in = append(p.in, b[:n]...)
	}
	return true
}

// next takes one message.
func (p *peer) next() (msg uint16, body []byte, ok bool) {
	p.t.Helper()
	p.fill()
	for {
		head, at := 6, 0
		if p.full {
			head, at = 18, 8
		}
		if len(p.in) < head {
			return 0, nil, false
		}
		msg = binary.LittleEndian.Uint16(p.in[at:])
		size := int(binary.LittleEndian.Uint32(p.in[at+2:]))
		if len(p.in) < head+size {
			p.t.Fatalf("message %d of %d bytes is cut", msg, size)
		}
		if p.count++; p.full && binary.LittleEndian.Uint64(p.in) != p.count {
			p.t.Fatalf("serial of message %d is %d, want %d", msg, binary.LittleEndian.Uint64(p.in), p.count)
		}
		body = p.in[head : head+size]
		p.in = p.in[head+size:]
		if msg != wire.MsgPing || p.pings {
			return msg, body, true
		}
	}
}

// expect takes one message, which has to be msg, and checks its body if one is given.
func (p *peer) expect(msg uint16, want ...byte) []byte {
	p.t.Helper()
	got, body, ok := p.next()
	if !ok || got != msg {
		p.t.Fatalf("got message %d %x, %v, want %d", got, body, ok, msg)
	}
	if want != nil && !bytes.Equal(body, want) {
		p.t.Fatalf("message %d is %x, want %x", msg, body, want)
	}
	return body
}

// expectQuiet checks that the core says nothing and keeps the connection.
func (p *peer) expectQuiet() {
	p.t.Helper()
	if msg, body, ok := p.next(); ok {
		p.t.Fatalf("unexpected message %d %x", msg, body)
	}
	if !p.fill() {
		p.t.Fatal("the connection was closed")
	}
}

// expectClosed checks that the core has closed, after saying nothing.
func (p *peer) expectClosed() {
	p.t.Helper()
	if msg, body, ok := p.next(); ok {
		p.t.Fatalf("unexpected message %d %x", msg, body)
	}
	if p.fill() {
		p.t.Fatal("the connection is open")
	}
}

// fakeChannel is a worker that records what it is told.
type fakeChannel struct {
	kind  wire.ChannelType
	id    uint8
	links []Attachment
	gone  []uint32
}

func (f *fakeChannel) Type() wire.ChannelType { return f.kind }
func (f *fakeChannel) ID() uint8              { return f.id }
func (f *fakeChannel) Caps() wire.Caps        { return nil }
func (f *fakeChannel) Connect(a Attachment) {
	f.links = append(f.links, a)
	_ = unix.Close(a.FD)
}
func (f *fakeChannel) Disconnect(client uint32) { f.gone = append(f.gone, client) }

// add registers a channel.
func (r *rig) add(kind wire.ChannelType, id uint8) *fakeChannel {
	r.t.Helper()
	f := &fakeChannel{kind: kind, id: id}
	if err := r.AddChannel(f); err != nil {
		r.t.Fatal(err)
	}
	r.settle()
	return f
}

func le16(v uint16) []byte { return binary.LittleEndian.AppendUint16(nil, v) }

func le32(v ...uint32) []byte {
	var b []byte
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, x)
	}
	return b
}

func concat(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
