// Package cursor is a device's cursor channel.
//
//	cursor command -> State (what the pointer is now) -> every client notes what
//	of it changed -> Fill sends the newest state when the socket has room
//
// A client that lags gets the pointer as it is, not the way it went: moves,
// shapes and trails that were overtaken are never sent. What waits for a client
// is therefore a few bits, whatever the guest does.
package cursor

import (
	"fmt"

	"github.com/spiceecs/spiceecs/net/channel"
	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/qxl"
)

// Window is the ACK window of cursor connections, in messages.
const Window = 40

// MaxBody is the largest message a cursor client sends.
const MaxBody = 1024

// cacheSlots is how many shapes a client's cache holds.
const cacheSlots = 256

// state is the pointer.
type state struct {
	visible        bool
	x, y           int16 // of the last move
	setX, setY     int16 // that came with the shape
	hasShape       bool
	shape          qxl.Shape
	trailLength    uint16
	trailFrequency uint16
}

// Cursor is the channel of one device. It belongs to the device worker.
type Cursor struct {
	state      state
	serverMode bool // the client draws the pointer where the guest says
	clients    []*Client
}

// New returns a channel with an invisible-until-moved default pointer.
func New() *Cursor { return &Cursor{state: state{visible: true}, serverMode: true} }

// Client is one connection to the channel.
type Client struct {
	ID   uint32
	conn *channel.Conn
	cur  *Cursor
	gone func(*Client, error)

	inited bool // has had an INIT, and no RESET since; clients take only one
	dirty  uint8
	shapes []uint64 // the client's cache, most recently used last
}

// What a client has not been told yet.
const (
	dirtyInit uint8 = 1 << iota
	dirtyInval
	dirtyReset
	dirtyMoved // before the shape was set, which may have hidden the pointer
	dirtyShape
	dirtyMove
	dirtyHide
	dirtyTrail

	dirtyState = dirtyMoved | dirtyShape | dirtyMove | dirtyHide | dirtyTrail
)

// Connect starts serving a connection; gone is called when it has ended.
func (c *Cursor) Connect(id uint32, cfg channel.Config, gone func(*Client, error)) (*Client, error) {
	cl := &Client{ID: id, cur: c, gone: gone, dirty: dirtyInit}
	cfg.Handler, cfg.MaxBody = cl, MaxBody
	conn, err := channel.New(cfg)
	if err != nil {
		return nil, fmt.Errorf("cursor channel: %w", err)
	}
	cl.conn = conn
	c.clients = append(c.clients, cl)
	conn.SetAck(Window)
	return cl, nil
}

// Clients are the connections.
func (c *Cursor) Clients() []*Client { return c.clients }

// Close ends a client's connection.
func (cl *Client) Close(err error) { cl.conn.Close(err) }

// Push sends what changed to all clients.
func (c *Cursor) Push() {
	for i := len(c.clients) - 1; i >= 0; i-- {
		if cl := c.clients[i]; cl.dirty != 0 || !cl.conn.Out.Empty() {
			cl.conn.Pump()
		}
	}
}

// Position is where the guest last put the pointer.
func (c *Cursor) Position() (x, y int32) { return int32(c.state.x), int32(c.state.y) }

// SetServerMode says whether the guest moves the pointer.
func (c *Cursor) SetServerMode(server bool) { c.serverMode = server }

func (c *Cursor) mark(set, clear uint8) {
	for _, cl := range c.clients {
		cl.dirty = cl.dirty&^clear | set
	}
}

// Command applies a guest's cursor command.
func (c *Cursor) Command(cmd *qxl.CursorCommand) {
	s := &c.state
	switch cmd.Action {
	case qxl.CursorSet:
		s.visible, s.setX, s.setY, s.hasShape = cmd.Visible, cmd.X, cmd.Y, cmd.HasShape
		data := append(s.shape.Data[:0], cmd.Shape.Data...)
		s.shape = cmd.Shape
		s.shape.Data = data
		for _, cl := range c.clients {
			if cl.dirty&dirtyMove != 0 {
				cl.dirty = cl.dirty&^dirtyMove | dirtyMoved
			}
		}
		c.mark(dirtyShape, dirtyHide)
	case qxl.CursorMove:
		hidden := !s.visible
		s.visible, s.x, s.y = true, cmd.X, cmd.Y
		if c.serverMode || hidden {
			c.mark(dirtyMove, dirtyHide|dirtyMoved)
		}
	case qxl.CursorHide:
		s.visible = false
		c.mark(dirtyHide, 0)
	case qxl.CursorTrail:
		s.trailLength, s.trailFrequency = cmd.TrailLength, cmd.TrailFrequency
		c.mark(dirtyTrail, 0)
	}
}

// Reset forgets the pointer, when the device is reset or loses its screen.
func (c *Cursor) Reset() {
	c.state = state{visible: true, shape: qxl.Shape{Data: c.state.shape.Data[:0]}}
	c.mark(dirtyInval|dirtyReset, dirtyState)
}

// Init tells the whole state, when the device has got a screen, to the clients
// that were told to forget it.
func (c *Cursor) Init() {
	for _, cl := range c.clients {
		if !cl.inited || cl.dirty&dirtyReset != 0 {
			cl.dirty = cl.dirty&^dirtyState | dirtyInit
		}
	}
}

// Fill marshals what changed.
func (cl *Client) Fill(conn *channel.Conn) {
	for _, step := range [...]struct {
		bit   uint8
		write func(*Client, *wire.Writer)
	}{
		{dirtyInval, (*Client).writeInvalAll},
		{dirtyReset, (*Client).writeReset},
		{dirtyInit, (*Client).writeInit},
		{dirtyMoved, (*Client).writeMove},
		{dirtyShape, (*Client).writeSet},
		{dirtyMove, (*Client).writeMove},
		{dirtyHide, (*Client).writeHide},
		{dirtyTrail, (*Client).writeTrail},
	} {
		// A step writes two messages at most.
		if cl.dirty&step.bit != 0 && conn.Room() >= 2 {
			cl.dirty &^= step.bit
			step.write(cl, &conn.Out)
		} else if cl.dirty&step.bit != 0 {
			return
		}
	}
}

func (cl *Client) writeInvalAll(w *wire.Writer) {
	cl.shapes = cl.shapes[:0]
	w.Begin(wire.MsgCursorInvalAll)
	w.End()
}

func (cl *Client) writeReset(w *wire.Writer) {
	cl.inited = false
	w.Begin(wire.MsgCursorReset)
	w.End()
}

func (cl *Client) writeInit(w *wire.Writer) {
	s := &cl.cur.state
	cl.shapes, cl.inited = cl.shapes[:0], true
	cl.dirty &^= dirtyState
	w.Begin(wire.MsgCursorInit)
	w.Point16(s.x, s.y)
	w.U16(s.trailLength)
	w.U16(s.trailFrequency)
	w.U8(boolByte(s.visible))
	cl.writeShape(w, cl.cache(s))
	w.End()
}

func (cl *Client) writeSet(w *wire.Writer) {
	s := &cl.cur.state
	flags := cl.cache(s)
	if len(cl.shapes) > cacheSlots {
		w.Begin(wire.MsgCursorInvalOne)
		w.U64(cl.shapes[0])
		w.End()
		cl.shapes = append(cl.shapes[:0], cl.shapes[1:]...)
	}
	w.Begin(wire.MsgCursorSet)
	w.Point16(s.setX, s.setY)
	w.U8(boolByte(s.visible))
	cl.writeShape(w, flags)
	w.End()
}

func (cl *Client) writeMove(w *wire.Writer) {
	w.Begin(wire.MsgCursorMove)
	w.Point16(cl.cur.state.x, cl.cur.state.y)
	w.End()
}

func (cl *Client) writeHide(w *wire.Writer) {
	w.Begin(wire.MsgCursorHide)
	w.End()
}

func (cl *Client) writeTrail(w *wire.Writer) {
	w.Begin(wire.MsgCursorTrail)
	w.U16(cl.cur.state.trailLength)
	w.U16(cl.cur.state.trailFrequency)
	w.End()
}

// cache returns the flags with which the shape travels, and notes the shape as
// cached, which may leave one too many in the cache.
func (cl *Client) cache(s *state) uint16 {
	switch {
	case !s.hasShape:
		return wire.CursorFlagNone
	case s.shape.Unique == 0:
		return 0
	}
	for i, id := range cl.shapes {
		if id == s.shape.Unique {
			cl.shapes = append(append(cl.shapes[:i], cl.shapes[i+1:]...), id)
			return wire.CursorFlagFromCache
		}
	}
	cl.shapes = append(cl.shapes, s.shape.Unique)
	return wire.CursorFlagCacheMe
}

// writeShape writes a cursor's flags, header and data. The data is copied: the
// next command may overwrite it before the batch has been sent.
func (cl *Client) writeShape(w *wire.Writer, flags uint16) {
	w.U16(flags)
	if flags&wire.CursorFlagNone != 0 {
		return
	}
	sh := &cl.cur.state.shape
	w.U64(sh.Unique)
	w.U8(uint8(sh.Type))
	w.U16(sh.Width)
	w.U16(sh.Height)
	w.U16(sh.HotX)
	w.U16(sh.HotY)
	if flags&wire.CursorFlagFromCache == 0 {
		w.Bytes(sh.Data)
	}
}

// Message refuses whatever is no base message: cursor clients have nothing to say.
func (cl *Client) Message(_ *channel.Conn, _ uint16, _ []byte) error { return channel.ErrUnknown }

// Sent has nothing to release.
func (cl *Client) Sent(*channel.Conn) {}

// Closed takes the client off the channel.
func (cl *Client) Closed(_ *channel.Conn, err error) {
	for i, o := range cl.cur.clients {
		if o == cl {
			cl.cur.clients = append(cl.cur.clients[:i], cl.cur.clients[i+1:]...)
			break
		}
	}
	cl.gone(cl, err)
}

func boolByte(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}
