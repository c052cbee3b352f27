package display

import (
	"errors"
	"fmt"
	"time"

	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/net/channel"
	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/systems/cursor"
	"github.com/spiceecs/spiceecs/systems/marshal"
)

// Window is the ACK window of display connections, in messages. It bounds what
// may be under way only where messages are tiny; the socket's buffer does so
// for all others.
const Window = 256

const (
	maxBody     = 1024             // largest message a display client sends
	initTimeout = 30 * time.Second // for a client's first message
)

// Errors that end a display connection.
var (
	ErrSecondInit  = errors.New("second display init")
	ErrNoInit      = errors.New("no display init")
	ErrCacheSize   = errors.New("cache sizes out of range")
	ErrDuplicate   = errors.New("the client has this channel already")
	errMainChannel = errors.New("the client's main channel has gone")
)

// Caps are the capabilities of the display channel.
func Caps() wire.Caps { return wire.NewCaps(wire.CapDisplayMonitorsConfig) }

// Connection is a channel connection whose link phase is done.
type Connection struct {
	FD         int // owned by the worker from now on
	Client     uint32
	MiniHeader bool
	Caps       wire.Caps
}

// client is one connection to the display channel.
type client struct {
	w     *Worker
	slot  int // of its pipe
	id    uint32
	caps  wire.Caps
	conn  *channel.Conn
	timer *ecs.Timer // until the client's first message
	state marshal.State

	joined    bool // has said what it can hold; it is sent everything from there on
	announced bits // surfaces it has, or has queued
}

// ConnectDisplay serves a display connection. Safe from any goroutine.
func (w *Worker) ConnectDisplay(c Connection) {
	w.post(c.FD, func() error { return w.connectDisplay(c) })
}

// ConnectCursor serves a cursor connection. Safe from any goroutine.
func (w *Worker) ConnectCursor(c Connection) {
	w.post(c.FD, func() error { return w.connectCursor(c) })
}

// post carries a connect out, or closes its descriptor.
func (w *Worker) post(fd int, connect func() error) {
	if !w.loop.Post(func() {
		if err := connect(); err != nil {
			w.log.Warn("client refused", "err", err)
			channel.Discard(fd)
		}
	}) {
		channel.Discard(fd)
	}
}

// Disconnect ends what a client has with this device. Safe from any goroutine.
func (w *Worker) Disconnect(id uint32) {
	w.loop.Post(func() {
		for _, c := range w.clients {
			if c != nil && c.id == id {
				c.conn.Close(errMainChannel)
			}
		}
		for _, c := range w.cursor.Clients() {
			if c.ID == id {
				c.Close(errMainChannel)
				break
			}
		}
	})
}

func (w *Worker) connectDisplay(cn Connection) error {
	for _, c := range w.clients {
		if c != nil && c.id == cn.Client {
			return ErrDuplicate
		}
	}
	c := &client{w: w, id: cn.Client, caps: cn.Caps}
	conn, err := channel.New(channel.Config{
		FD: cn.FD, Loop: w.loop, Handler: c, MiniHeader: cn.MiniHeader, MaxBody: maxBody, Pings: true,
	})
	if err != nil {
		return err
	}
	c.conn = conn
	c.state.Compression = w.cfg.Compression
	c.slot = w.pipes.Open()
	for c.slot >= len(w.clients) {
		w.clients = append(w.clients, nil)
	}
	w.clients[c.slot] = c
	c.timer = w.loop.NewTimer(func() { conn.Close(ErrNoInit) })
	c.timer.Reset(initTimeout)
	return nil
}

func (w *Worker) connectCursor(cn Connection) error {
	for _, c := range w.cursor.Clients() {
		if c.ID == cn.Client {
			return ErrDuplicate
		}
	}
	_, err := w.cursor.Connect(cn.Client, channel.Config{
		FD: cn.FD, Loop: w.loop, MiniHeader: cn.MiniHeader,
	}, func(c *cursor.Client, err error) { w.closedLog("cursor", c.ID, err) })
	return err
}

// Message handles what a display client sends.
func (c *client) Message(_ *channel.Conn, msg uint16, body []byte) error {
	if msg != wire.MsgcDisplayInit {
		return channel.ErrUnknown
	}
	r := wire.NewReader(body)
	r.U8()
	cachePixels := int64(r.U64())
	r.U8()
	window := r.I32()
	if err := r.Err(); err != nil {
		return err
	}
	if c.joined {
		return ErrSecondInit
	}
	if cachePixels < 0 || window < 0 {
		return fmt.Errorf("%w: %d and %d pixels", ErrCacheSize, cachePixels, window)
	}
	c.timer.Stop()
	c.join()
	return nil
}

// join starts sending: the screen as it is, then everything that happens to it.
func (c *client) join() {
	c.joined = true
	c.conn.SetAck(Window)
	if c.w.cfg.Joined != nil {
		c.w.cfg.Joined(c.id)
	}
	if c.w.scene.Surface(0) == nil {
		return
	}
	c.w.pipes.Append(c.slot, components.PipeItem{Kind: components.ItemInvalAllPalettes})
	c.w.showPrimary(c, true)
}

// Fill marshals pipe items while there is room.
func (c *client) Fill(conn *channel.Conn) {
	// A drawable is one message and at most one more for each of its palettes.
	const mostMessages = 4
	for c.joined && conn.Room() >= mostMessages {
		item, ok := c.w.pipes.Pop(c.slot)
		if !ok {
			return
		}
		if item.Kind == components.ItemMonitorsConfig {
			c.monitorsConfig(&conn.Out)
			continue
		}
		c.w.msg.Item(&conn.Out, &c.state, &item)
	}
}

// monitorsConfig tells a client that understands it what monitors there are.
func (c *client) monitorsConfig(w *wire.Writer) {
	if !c.caps.Has(wire.CapDisplayMonitorsConfig) {
		return
	}
	n := 0
	for _, h := range c.w.monitors.Heads {
		if h.Width > 0 && h.Height > 0 {
			n++
		}
	}
	w.Begin(wire.MsgDisplayMonitorsConfig)
	w.U16(uint16(n))
	w.U16(c.w.monitors.MaxAllowed)
	for _, h := range c.w.monitors.Heads {
		if h.Width > 0 && h.Height > 0 {
			for _, v := range [...]uint32{h.ID, h.Surface, h.Width, h.Height, h.X, h.Y, h.Flags} {
				w.U32(v)
			}
		}
	}
	w.End()
}

// Sent releases what the batch referred to.
func (c *client) Sent(*channel.Conn) { c.w.msg.Sent(&c.state) }

// Closed takes the client off the device.
func (c *client) Closed(conn *channel.Conn, err error) {
	c.timer.Stop()
	c.w.msg.Sent(&c.state)
	c.w.pipes.Close(c.slot)
	c.w.clients[c.slot] = nil
	c.w.bytes += conn.SentBytes()
	c.w.closedLog("display", c.id, err)
}

func (w *Worker) closedLog(channelName string, id uint32, err error) {
	if channel.Gone(err) || errors.Is(err, errMainChannel) || errors.Is(err, ErrStopped) {
		w.log.Debug("channel closed", "channel", channelName, "client", id, "err", err)
		return
	}
	w.log.Info("channel failed", "channel", channelName, "client", id, "err", err)
}
