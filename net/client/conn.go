package client

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/spiceecs/spiceecs/net/wire"
)

// Errors that end a channel besides wire.ErrShort and wire.ErrMalformed.
var (
	ErrTooLarge  = errors.New("larger than the client's limits")
	ErrUnknown   = errors.New("unknown message")
	ErrMigration = errors.New("server migrates the session, which the client does not follow")
	ErrClosed    = errors.New("session closed")
	ErrWait      = errors.New("asked to wait for a channel that is not there")
)

const (
	readBuffer = 256 << 10 // bytes taken from the socket at once
	bodyStep   = 1 << 20   // bytes by which the memory of a large message grows at least
	keepBody   = 32 << 20  // memory of larger messages is given back at once
)

// handler is the part of a channel that knows what it carries. It is called on
// the channel's goroutine.
type handler interface {
	opened() error                         // the channel is linked
	message(msg uint16, body []byte) error // body is valid until it returns
	closed()
}

// conn is one linked channel.
type conn struct {
	session *Session
	typ     wire.ChannelType
	id      uint8
	handler handler

	nc   net.Conn
	r    *bufio.Reader
	mini bool
	caps wire.Caps // the server's
	up   bool      // linked; guarded by the session's mutex

	serial    uint64        // of the message being handled
	processed atomic.Uint64 // serial of the last message that has been handled
	gone      atomic.Bool
	body      []byte
	window    uint32 // messages per acknowledgement, 0: none wanted
	unacked   uint32

	sendMu sync.Mutex
	out    wire.Writer
	bufs   net.Buffers

	done chan struct{} // closed when the channel has ended, err is set then
	err  error

	statsMu sync.Mutex
	stats   counters
}

func (c *conn) name() string { return fmt.Sprintf("%v channel %d", c.typ, c.id) }

// open connects and links the channel. ctx bounds both.
func (c *conn) open(ctx context.Context, l linkRequest) error {
	s := c.session
	nc, err := s.opts.dial(ctx, s.addr)
	if err != nil {
		return fmt.Errorf("connecting the %s: %w", c.name(), err)
	}
	defer closeAtEnd(ctx, nc)()
	got, err := l.do(nc)
	if err != nil {
		nc.Close()
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return fmt.Errorf("linking the %s: %w", c.name(), err)
	}
	c.nc, c.r = nc, bufio.NewReaderSize(nc, readBuffer)
	c.mini, c.caps = got.mini, got.caps
	c.out.Full = !got.mini
	return nil
}

// closeAtEnd closes nc when ctx ends, which wakes whoever reads or writes, until
// release is called.
func closeAtEnd(ctx context.Context, nc net.Conn) (release func()) {
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		nc.Close()
		close(closed)
	})
	return func() {
		if !stop() {
			<-closed
		}
	}
}

// run handles messages until the connection or the session ends.
func (c *conn) run() error {
	defer closeAtEnd(c.session.ctx, c.nc)()
	defer c.nc.Close()
	for {
		msg, subs, body, err := c.read()
		if err != nil {
			return c.wrap("reading", err)
		}
		if err := c.step(msg, subs, body); err != nil {
			return c.wrap(fmt.Sprintf("message %d", msg), err)
		}
	}
}

// wrap names the channel in err, and the session's end as the cause if it was.
func (c *conn) wrap(doing string, err error) error {
	if c.session.ctx.Err() != nil {
		err = context.Cause(c.session.ctx)
	}
	return fmt.Errorf("%s: %s: %w", c.name(), doing, err)
}

// read reads one message; subs is the offset of its list of sub-messages, or 0.
func (c *conn) read() (msg uint16, subs uint32, body []byte, err error) {
	var head [wire.FullHeaderSize]byte
	le := binary.LittleEndian
	var size uint32
	if c.mini {
		if _, err := io.ReadFull(c.r, head[:wire.MiniHeaderSize]); err != nil {
			return 0, 0, nil, err
		}
		c.serial++
		msg, size = le.Uint16(head[:]), le.Uint32(head[2:])
	} else {
		if _, err := io.ReadFull(c.r, head[:]); err != nil {
			return 0, 0, nil, err
		}
		c.serial = le.Uint64(head[:])
		msg, size, subs = le.Uint16(head[8:]), le.Uint32(head[10:]), le.Uint32(head[14:])
	}
	if uint64(size) > uint64(c.session.opts.Limits.Message) {
		return msg, 0, nil, fmt.Errorf("message %d of %d bytes: %w", msg, size, ErrTooLarge)
	}
	body, err = c.readBody(int(size))
	return msg, subs, body, err
}

// readBody reads n bytes. Memory grows with what has arrived.
func (c *conn) readBody(n int) ([]byte, error) {
	if cap(c.body) > keepBody {
		c.body = nil
	}
	b := c.body[:0]
	for len(b) < n {
		k := min(n-len(b), max(bodyStep, len(b)))
		from := len(b)
		b = slices.Grow(b, k)[:from+k]
		c.body = b
		if _, err := io.ReadFull(c.r, b[from:]); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
	return b, nil
}

// step handles one message, its sub-messages first.
func (c *conn) step(msg uint16, subs uint32, body []byte) error {
	c.count(msg, len(body))
	if msg != wire.MsgSetAck {
		if err := c.acknowledge(); err != nil {
			return err
		}
	}
	if subs != 0 {
		if err := c.list(wire.NewReader(body), subs, body); err != nil {
			return err
		}
	}
	if err := c.dispatch(msg, body, false); err != nil {
		return err
	}
	c.processed.Store(c.serial)
	c.session.gate.open()
	return nil
}

// acknowledge counts one message and confirms a full window before the message
// that fills it is handled, so that the server need not wait for that.
func (c *conn) acknowledge() error {
	if c.window == 0 {
		return nil
	}
	if c.unacked++; c.unacked < c.window {
		return nil
	}
	c.unacked = 0
	return c.send(wire.MsgcAck, nil)
}

// dispatch handles a message or, if sub, a sub-message.
func (c *conn) dispatch(msg uint16, body []byte, sub bool) error {
	r := wire.NewReader(body)
	switch msg {
	case wire.MsgSetAck:
		generation, window := r.U32(), r.U32()
		if r.Err() != nil {
			return r.Err()
		}
		c.window, c.unacked = window, 0
		return c.send(wire.MsgcAckSync, func(w *wire.Writer) { w.U32(generation) })
	case wire.MsgPing:
		id, stamp := r.U32(), r.U64()
		if r.Err() != nil {
			return r.Err()
		}
		return c.send(wire.MsgcPong, func(w *wire.Writer) { w.U32(id); w.U64(stamp) })
	case wire.MsgWaitForChannels:
		return c.waitForChannels(&r)
	case wire.MsgNotify:
		return c.notify(&r)
	case wire.MsgDisconnecting:
		r.U64()
		reason := wire.LinkError(r.U32())
		if r.Err() != nil {
			return r.Err()
		}
		return fmt.Errorf("server disconnects: %w", reason)
	case wire.MsgMigrate, wire.MsgMigrateData:
		return ErrMigration
	case wire.MsgList:
		if sub {
			return fmt.Errorf("a list in a list: %w", wire.ErrMalformed)
		}
		return c.list(r, 0, body)
	}
	return c.handler.message(msg, body)
}

// list handles the sub-messages whose list lies at body[at:]. Their sizes may
// be too large, so they are parsed by content.
func (c *conn) list(r wire.Reader, at uint32, body []byte) error {
	l := r.At(at)
	n := l.U16()
	if n > maxSubMessages {
		return fmt.Errorf("%d sub-messages: %w", n, ErrTooLarge)
	}
	for range n {
		sub := r.At(l.U32())
		msg := sub.U16()
		size := sub.U32()
		payload := sub.Bytes(int(min(uint64(size), uint64(sub.Left()))))
		if err := errors.Join(l.Err(), sub.Err()); err != nil {
			return fmt.Errorf("list of sub-messages: %w", err)
		}
		c.countType(msg)
		if err := c.dispatch(msg, payload, true); err != nil {
			return fmt.Errorf("sub-message %d: %w", msg, err)
		}
	}
	return l.Err()
}

// waitForChannels blocks until the named channels have got as far as told.
func (c *conn) waitForChannels(r *wire.Reader) error {
	n := r.U8()
	for range n {
		typ, id, serial := wire.ChannelType(r.U8()), r.U8(), r.U64()
		if r.Err() != nil {
			return r.Err()
		}
		o := c.session.channel(typ, id)
		if o == nil || o == c && serial >= c.serial {
			return fmt.Errorf("%v channel %d, serial %d: %w", typ, id, serial, ErrWait)
		}
		err := c.session.gate.wait(c.session.ctx, func() (bool, error) {
			if o == c || o.processed.Load() >= serial {
				return true, nil
			}
			if o.gone.Load() {
				return false, fmt.Errorf("%s has ended: %w", o.name(), ErrWait)
			}
			return false, nil
		})
		if err != nil {
			return err
		}
	}
	return r.Err()
}

// notify logs a message for the user.
func (c *conn) notify(r *wire.Reader) error {
	r.U64()
	severity, _, what := r.U32(), r.U32(), r.U32()
	n := r.U32()
	text := r.Bytes(int(min(uint64(n), uint64(r.Left()))))
	if r.Err() != nil {
		return r.Err()
	}
	c.session.opts.Log.Info("server notifies", "channel", c.typ, "text", string(text), "severity", severity, "what", what)
	return nil
}

// send writes one message. It may be called from any goroutine.
func (c *conn) send(msg uint16, body func(*wire.Writer)) error {
	c.sendMu.Lock()
	defer c.sendMu.Unlock()
	c.out.Begin(msg)
	if body != nil {
		body(&c.out)
	}
	c.out.End()
	c.bufs = c.out.Buffers(c.bufs[:0])
	bufs := c.bufs
	_, err := bufs.WriteTo(c.nc)
	c.out.Reset()
	if err != nil {
		return fmt.Errorf("sending message %d on the %s: %w", msg, c.name(), err)
	}
	return nil
}
