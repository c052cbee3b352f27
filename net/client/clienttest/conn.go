package clienttest

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/qxl"
)

// Message is one message of the client.
type Message struct {
	Type uint16
	Body []byte
}

// Conn is the server's end of a channel. It is for one goroutine.
type Conn struct {
	Key  Key
	Caps wire.Caps // the client's, of the channel
	Init []byte    // body of a display's first message
	Got  []Message // what came while waiting for something else, but for pongs

	tb    testing.TB
	nc    net.Conn
	out   wire.Writer
	pings uint32
}

// Send sends one message.
func (c *Conn) Send(msg uint16, body func(w *wire.Writer)) {
	c.Write(func(w *wire.Writer) {
		w.Begin(msg)
		if body != nil {
			body(w)
		}
		w.End()
	})
}

// SendBytes sends one message with a given body.
func (c *Conn) SendBytes(msg uint16, body []byte) {
	c.Send(msg, func(w *wire.Writer) { w.Bytes(body) })
}

// Draw sends a drawing message whose images have their wire form.
func (c *Conn) Draw(d *qxl.Drawable) {
	c.Write(func(w *wire.Writer) {
		if !w.Draw(d, d.Images) {
			c.tb.Errorf("drawing type %d has no message", d.Type)
		}
	})
}

// Write sends whole messages that f marshals.
func (c *Conn) Write(f func(w *wire.Writer)) {
	f(&c.out)
	bufs := net.Buffers(c.out.Buffers(nil))
	_, err := bufs.WriteTo(c.nc)
	c.out.Reset()
	if err != nil {
		c.tb.Logf("test server: sending: %v", err)
	}
}

// Raw sends bytes that are not a message.
func (c *Conn) Raw(p []byte) {
	if _, err := c.nc.Write(p); err != nil {
		c.tb.Logf("test server: sending: %v", err)
	}
}

// Serial is the number of the last message sent.
func (c *Conn) Serial() uint64 { return c.out.Serial }

// Recv takes one message of the client.
func (c *Conn) Recv() (uint16, []byte, error) {
	le := binary.LittleEndian
	head := make([]byte, wire.MiniHeaderSize)
	at := 0
	if c.out.Full {
		head, at = make([]byte, wire.FullHeaderSize), 8
	}
	if _, err := io.ReadFull(c.nc, head); err != nil {
		return 0, nil, err
	}
	body := make([]byte, min(le.Uint32(head[at+2:]), 1<<20))
	if _, err := io.ReadFull(c.nc, body); err != nil {
		return 0, nil, err
	}
	return le.Uint16(head[at:]), body, nil
}

// Expect takes one message of the client, which must be of type msg.
func (c *Conn) Expect(msg uint16) []byte {
	c.tb.Helper()
	got, body, err := c.Recv()
	if err != nil || got != msg {
		c.tb.Fatalf("got message %d % x, error %v, instead of message %d", got, body, err, msg)
	}
	return body
}

// Sync waits until the client has handled everything sent so far.
func (c *Conn) Sync() {
	c.tb.Helper()
	if err := c.TrySync(); err != nil {
		c.tb.Fatal(err)
	}
}

// TrySync is Sync for tests in which the client may hang up.
func (c *Conn) TrySync() error {
	c.pings++
	id := c.pings
	c.Send(wire.MsgPing, func(w *wire.Writer) { w.U32(id); w.U64(uint64(id) << 32) })
	for {
		msg, body, err := c.Recv()
		if err != nil {
			return fmt.Errorf("waiting for a pong: %w", err)
		}
		if msg != wire.MsgcPong {
			c.Got = append(c.Got, Message{msg, body})
			continue
		}
		le := binary.LittleEndian
		if len(body) != 12 || le.Uint32(body) != id || le.Uint64(body[4:]) != uint64(id)<<32 {
			return fmt.Errorf("pong % x to ping %d", body, id)
		}
		return nil
	}
}

// Close ends the channel.
func (c *Conn) Close() { c.nc.Close() }
