// Package channel is what every SPICE channel connection has, whatever it
// carries: message framing, serial numbers, the send queue, the ACK window,
// ping and pong.
//
// Data flow, out: the socket is idle -> Handler.Fill marshals a batch of
// messages into Out -> one sendmsg after another takes it, resumed when the
// socket is writable again -> Handler.Sent. A message is thus marshalled as
// late as possible, and what has not been marshalled can still be changed or
// dropped. In: bytes -> complete messages -> the base messages are answered
// here, all others go to Handler.Message.
//
// A Conn belongs to the goroutine of its ecs.Loop. It holds one receive buffer
// of at most Config.MaxBody bytes and one batch; a client that lets more than
// Config.MaxQueued bytes pile up in Out loses its connection.
package channel

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/sys/unix"

	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/net/sock"
	"github.com/spiceecs/spiceecs/net/wire"
)

// Limits of one connection.
const (
	BatchBytes    = 256 << 10 // a batch is closed when it has grown beyond this
	BatchMessages = 512       // or has this many messages
	MaxQueued     = 16 << 20  // default of Config.MaxQueued
	readBuffer    = 4 << 10
	lowWater      = 128 << 10 // most bytes the kernel may hold that the line has no room for
)

// Errors that end a connection.
var (
	ErrTooLarge = errors.New("message larger than the channel allows")
	ErrUnknown  = errors.New("unknown message")
	ErrStuck    = errors.New("client does not read")
	ErrClosed   = errors.New("connection closed")
)

// Handler is the part of a channel connection that knows what it carries.
type Handler interface {
	// Message handles one message of the client. body is valid until it
	// returns. An error ends the connection.
	Message(c *Conn, msg uint16, body []byte) error
	// Fill marshals further messages into c.Out while c.Room allows, and leaves
	// it empty if there are none.
	Fill(c *Conn)
	// Sent tells that the kernel has taken everything marshalled so far.
	Sent(c *Conn)
	// Closed is called once, when the connection has ended for whatever
	// reason; io.EOF stands for the client having closed it.
	Closed(c *Conn, err error)
}

// PongHandler is a Handler that measures with pings of its own.
type PongHandler interface {
	// Pong tells of an answer to a ping that the Conn did not send by itself.
	// Both values are the client's.
	Pong(c *Conn, id uint32, stamp uint64)
}

// Config describes a connection whose link phase is done.
type Config struct {
	FD         int // a non-blocking socket, owned by the Conn from now on
	Loop       *ecs.Loop
	Handler    Handler
	MiniHeader bool
	MaxBody    int  // largest message body accepted
	MaxQueued  int  // bytes copied into Out that may wait for a client; 0: MaxQueued
	Flow       bool // ask the client how much it has taken, for Ahead
	Pings      bool // measure the round trip while idle, unless the socket is a local one
}

// Conn is one channel connection.
type Conn struct {
	Out wire.Writer

	fd        int
	loop      *ecs.Loop
	handler   Handler
	watch     *ecs.Watch
	maxBody   int
	maxQueued int
	closed    bool

	in       []byte // received and not yet handled: in[inPos:inEnd]
	inPos    int
	inEnd    int
	vec      sock.Vector
	bufs     [][]byte
	sent     int // bytes of Out the kernel has taken
	blocked  bool
	pumping  bool
	sentSum  int64 // bytes taken by the kernel, all batches
	recvSum  int64
	lastMove time.Time

	line lineMeter
	ack  ackWindow
	ping pinger
}

// New starts serving a connection: messages are delivered from the next
// Loop.Poll on. Nothing is sent before Pump. After an error the descriptor is
// still the caller's.
func New(cfg Config) (*Conn, error) {
	c := &Conn{
		fd: cfg.FD, loop: cfg.Loop, handler: cfg.Handler, maxBody: cfg.MaxBody,
		maxQueued: cmp.Or(cfg.MaxQueued, MaxQueued), in: make([]byte, readBuffer), lastMove: cfg.Loop.Clock().Now(),
	}
	c.Out.Full = !cfg.MiniHeader
	if cfg.Pings && !sock.IsUnix(cfg.FD) {
		c.ping.init(c)
	}
	sock.SetNoDelay(cfg.FD)
	sock.SetLowWater(cfg.FD, lowWater)
	c.line.low, c.line.window, c.line.deaf = lowWater, firstWindow, !cfg.Flow
	w, err := cfg.Loop.Watch(cfg.FD, ecs.Readable, c.event)
	if err != nil {
		return nil, fmt.Errorf("starting a channel: %w", err)
	}
	c.watch = w
	return c, nil
}

// Discard closes the descriptor of a connection that is not going to be served.
func Discard(fd int) { sock.Close(fd) }

// Close ends the connection and tells the handler.
func (c *Conn) Close(err error) {
	if c.closed {
		return
	}
	c.closed = true
	c.watch.Remove()
	c.ping.stop()
	Discard(c.fd)
	c.Out.Reset()
	clear(c.bufs[:cap(c.bufs)])
	c.handler.Closed(c, err)
}

// Closed reports whether the connection has ended.
func (c *Conn) Closed() bool { return c.closed }

// Blocked reports whether the socket refused data that waits to be sent.
func (c *Conn) Blocked() bool { return c.blocked }

// SentBytes is how many bytes the kernel has taken.
func (c *Conn) SentBytes() int64 { return c.sentSum }

// Waiting is how many bytes are marshalled that the kernel has not taken.
func (c *Conn) Waiting() int { return c.Out.Len() - c.sent }

// ReceivedBytes is how many bytes have come from the client.
func (c *Conn) ReceivedBytes() int64 { return c.recvSum }

// LastProgress is when a byte last moved in either direction.
func (c *Conn) LastProgress() time.Time { return c.lastMove }

// Room is how many more messages may be marshalled into this batch.
func (c *Conn) Room() int {
	if c.Out.Len() >= BatchBytes {
		return 0
	}
	return min(c.ack.room(c.Out.Serial), BatchMessages-c.Out.Count())
}

func (c *Conn) event(e ecs.Events) {
	if e&ecs.Readable != 0 {
		if err := c.receive(); err != nil {
			c.Close(err)
			return
		}
	}
	if e&ecs.Writable != 0 {
		c.blocked = false
	}
	c.Pump()
}

// receive reads what is there, at most one buffer at a time so that a flood
// from one client does not starve the loop, and handles complete messages.
func (c *Conn) receive() error {
	n, err := sock.Read(c.fd, c.in[c.inEnd:])
	if errors.Is(err, sock.ErrAgain) {
		return nil
	}
	if err != nil {
		return err
	}
	c.inEnd += n
	c.recvSum += int64(n)
	c.lastMove = c.loop.Clock().Now()
	for !c.closed {
		ok, err := c.nextMessage()
		if err != nil {
			return err
		}
		if !ok {
			break
		}
	}
	return nil
}

// nextMessage handles the message at the front of the buffer if it is complete.
func (c *Conn) nextMessage() (bool, error) {
	head := wire.MiniHeaderSize
	if c.Out.Full {
		head = wire.FullHeaderSize
	}
	have := c.in[c.inPos:c.inEnd]
	if len(have) < head {
		c.makeSpace(head)
		return false, nil
	}
	var msg uint16
	var size uint32
	if c.Out.Full {
		msg, size = binary.LittleEndian.Uint16(have[8:]), binary.LittleEndian.Uint32(have[10:])
	} else {
		msg, size = binary.LittleEndian.Uint16(have), binary.LittleEndian.Uint32(have[2:])
	}
	if uint64(size) > uint64(c.maxBody) {
		return false, fmt.Errorf("message %d of %d bytes: %w", msg, size, ErrTooLarge)
	}
	if len(have) < head+int(size) {
		c.makeSpace(head + int(size))
		return false, nil
	}
	c.inPos += head + int(size)
	if err := c.message(msg, have[head:head+int(size)]); err != nil {
		return false, fmt.Errorf("message %d: %w", msg, err)
	}
	return true, nil
}

// makeSpace moves what is left to the front and lets n bytes fit.
func (c *Conn) makeSpace(n int) {
	dst := c.in
	if n > len(dst) {
		dst = make([]byte, n)
	}
	c.inEnd = copy(dst, c.in[c.inPos:c.inEnd])
	c.inPos, c.in = 0, dst
}

// message answers the base messages and passes the others on.
func (c *Conn) message(msg uint16, body []byte) error {
	r := wire.NewReader(body)
	switch msg {
	case wire.MsgcAckSync:
		c.ack.sync(r.U32())
	case wire.MsgcAck:
		c.ack.confirm(c.Out.Serial)
	case wire.MsgcPong:
		id, stamp := r.U32(), r.U64()
		if r.Err() != nil || c.line.pong(c, id) || c.ping.pong(c, id) {
			break
		}
		if h, ok := c.handler.(PongHandler); ok {
			h.Pong(c, id, stamp)
		}
	case wire.MsgcDisconnecting:
		r.U64()
		r.U32()
	default:
		return c.handler.Message(c, msg, body)
	}
	return r.Err()
}

// Pump sends what is marshalled, and marshals more, until there is nothing
// left, the socket is full, or the ACK window is. Call it when something
// became ready to be sent. It closes the connection of a client that lets too
// much pile up.
func (c *Conn) Pump() {
	if c.pumping || c.closed {
		return
	}
	c.pumping = true
	defer func() { c.pumping = false }()
	if c.blocked && c.Out.Copied() > c.maxQueued {
		c.Close(ErrStuck)
		return
	}
	for !c.closed && !c.blocked {
		if c.Out.Empty() {
			if c.handler.Fill(c); c.closed {
				return
			}
			c.line.mark(c)
		}
		if c.Out.Empty() {
			c.watch.Set(ecs.Readable)
			c.ping.idle(c)
			return
		}
		c.ping.busy()
		c.send()
	}
}

// send hands the batch to the kernel, as much as it takes.
func (c *Conn) send() {
	total := c.Out.Len()
	c.bufs = c.Out.Buffers(c.bufs[:0])
	for c.sent < total {
		n, err := c.vec.Write(c.fd, c.bufs, c.sent)
		if errors.Is(err, sock.ErrAgain) {
			c.blocked, c.line.full = true, true
			c.watch.Set(ecs.Readable | ecs.Writable)
			return
		}
		if err != nil {
			c.Close(err)
			return
		}
		c.sent += n
		c.sentSum += int64(n)
		c.lastMove = c.loop.Clock().Now()
	}
	c.sent = 0
	clear(c.bufs)
	c.Out.Reset()
	c.handler.Sent(c)
}

// Gone reports whether err is the end that a client or the server itself has put
// to a connection, rather than a fault.
func Gone(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, ErrClosed) ||
		errors.Is(err, unix.EPIPE) || errors.Is(err, unix.ECONNRESET)
}
