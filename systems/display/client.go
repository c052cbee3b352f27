package display

import (
	"errors"
	"fmt"
	"time"

	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/net/channel"
	"github.com/spiceecs/spiceecs/net/codec/glz"
	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/systems/cursor"
	"github.com/spiceecs/spiceecs/systems/encode"
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
	errStalled     = errors.New("the client takes nothing")
	errMainChannel = errors.New("the client's main channel has gone")
)

// Caps are the capabilities of the display channel.
func Caps() wire.Caps {
	return wire.NewCaps(wire.CapDisplayMonitorsConfig, wire.CapDisplayPrefCompression,
		wire.CapDisplayStreamReport, wire.CapDisplayPrefVideoCodec)
}

// Connection is a channel connection whose link phase is done.
type Connection struct {
	FD         int // owned by the worker from now on
	Client     uint32
	MiniHeader bool
	Caps       wire.Caps
	// LowBandwidth says that the client's line was measured to be slow.
	LowBandwidth bool
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

	leave     func()    // ends the use of the shared caches
	slow      bool      // the line is
	active    time.Time // when something was last taken from the pipe
	refining  bool      // what is in the pipe only makes lossy areas exact
	frame     frame     // what was sent of the screen a moment ago
	waiting   bool      // for that moment's end
	joined    bool      // has said what it can hold; it is sent everything from there on
	behind    behind    // where it does not have the newest pixels
	order     order     // in which it is sent that
	announced bits      // surfaces it has, or has queued
	agents    [components.MaxStreams]*agent
	prefers   []uint8 // video codecs, if it said so
	broken    uint8   // video codecs, by number, whose encoders failed
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
	c := &client{w: w, id: cn.Client, caps: cn.Caps, slow: cn.LowBandwidth}
	c.state.Compression, c.state.Channel = w.cfg.Compression, w.cfg.ID
	c.state.LZ4 = cn.Caps.Has(wire.CapDisplayLZ4)
	c.state.Reports = cn.Caps.Has(wire.CapDisplayStreamReport)
	conn, err := channel.New(channel.Config{
		FD: cn.FD, Loop: w.loop, Handler: c, MiniHeader: cn.MiniHeader, MaxBody: maxBody, Pings: true, Flow: true,
	})
	if err != nil {
		return err
	}
	c.conn = conn
	c.slot = w.Pipes.Open()
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
	}, func(c *cursor.Client, err error) { w.closed(wire.ChannelCursor, c.ID, err) })
	return err
}

// Message handles what a display client sends.
func (c *client) Message(_ *channel.Conn, msg uint16, body []byte) error {
	r := wire.NewReader(body)
	switch msg {
	case wire.MsgcDisplayInit:
		return c.init(&r)
	case wire.MsgcDisplayPrefCompression:
		// Values that are no compression are ignored, as clients expect.
		if p := encode.Compression(r.U8()); r.Err() == nil && p.Valid() {
			c.state.Compression = p
		}
		return r.Err()
	case wire.MsgcDisplayPrefVideoCodec:
		return c.preferVideo(&r)
	case wire.MsgcDisplayStreamReport:
		return c.report(&r)
	}
	return channel.ErrUnknown
}

// init takes the client's first message: the caches it keeps.
func (c *client) init(r *wire.Reader) error {
	pixmapID, pixels := r.U8(), int64(r.U64())
	windowID, window := r.U8(), r.I32()
	if err := r.Err(); err != nil {
		return err
	}
	if c.joined {
		return ErrSecondInit
	}
	if pixels < 0 || window < 0 || window > glz.MaxWindow {
		return fmt.Errorf("%w: %d and %d pixels", ErrCacheSize, pixels, window)
	}
	c.timer.Stop()
	c.state.Caches, c.leave = c.w.cfg.Caches.Join(c.id, pixmapID, windowID, pixels, int(window))
	c.state.Dictionary = c.state.Caches.Dictionary
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
	if c.w.Scene.Surface(0) == nil {
		return
	}
	c.w.Pipes.Append(c.slot, components.PipeItem{Kind: components.ItemInvalAllPalettes})
	c.w.showPrimary(c, true, true)
}

// Closed takes the client off the device.
func (c *client) Closed(conn *channel.Conn, err error) {
	c.timer.Stop()
	c.w.msg.Drop(&c.state)
	c.closeVideos()
	if c.leave != nil {
		c.leave()
	}
	c.w.Pipes.Close(c.slot)
	c.w.clients[c.slot] = nil
	c.w.bytes += conn.SentBytes()
	c.w.closed(wire.ChannelDisplay, c.id, err)
}

func (w *Worker) closed(kind wire.ChannelType, id uint32, err error) {
	if w.cfg.Left != nil {
		w.cfg.Left(kind, id)
	}
	if channel.Gone(err) || errors.Is(err, errMainChannel) || errors.Is(err, ErrStopped) {
		w.log.Debug("channel closed", "channel", kind, "client", id, "err", err)
		return
	}
	w.log.Info("channel failed", "channel", kind, "client", id, "err", err)
}
