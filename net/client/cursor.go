package client

import (
	"fmt"
	"slices"
	"sync"

	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/qxl"
)

// CursorState is the pointer as the server sees it. Shape.Width is 0 while
// there is no shape.
type CursorState struct {
	X, Y           int16
	Visible        bool
	Shape          qxl.Shape
	TrailLength    uint16
	TrailFrequency uint16
}

// Cursor is a cursor channel.
type Cursor struct {
	*conn
	mu    sync.Mutex
	state CursorState
	cache map[uint64]qxl.Shape
}

// State returns the pointer's state. The shape's data must not be changed.
func (c *Cursor) State() CursorState {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

func (c *Cursor) opened() error { return nil }
func (c *Cursor) closed()       {}

func (c *Cursor) message(msg uint16, body []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := wire.NewReader(body)
	st := c.state
	switch msg {
	case wire.MsgCursorInit:
		clear(c.cache)
		st = CursorState{}
		st.X, st.Y = int16(r.U16()), int16(r.U16())
		st.TrailLength, st.TrailFrequency = r.U16(), r.U16()
		st.Visible = r.U8() != 0
		c.shape(&r, &st.Shape)
	case wire.MsgCursorReset:
		st = CursorState{}
	case wire.MsgCursorSet:
		st.X, st.Y = int16(r.U16()), int16(r.U16())
		st.Visible = r.U8() != 0
		c.shape(&r, &st.Shape)
	case wire.MsgCursorMove:
		st.X, st.Y = int16(r.U16()), int16(r.U16())
		st.Visible = true
	case wire.MsgCursorHide:
		st.Visible = false
	case wire.MsgCursorTrail:
		st.TrailLength, st.TrailFrequency = r.U16(), r.U16()
	case wire.MsgCursorInvalOne:
		delete(c.cache, r.U64())
	case wire.MsgCursorInvalAll:
		clear(c.cache)
	default:
		return ErrUnknown
	}
	if r.Err() == nil {
		c.state = st
	}
	return r.Err()
}

// shape takes a cursor: flags, header, and data up to the end of the message.
func (c *Cursor) shape(r *wire.Reader, sh *qxl.Shape) {
	flags := r.U16()
	if flags&wire.CursorFlagNone != 0 {
		*sh = qxl.Shape{}
		return
	}
	got := qxl.Shape{Unique: r.U64(), Type: qxl.CursorType(r.U8()), Width: r.U16(), Height: r.U16(), HotX: r.U16(), HotY: r.U16()}
	if r.Err() != nil {
		return
	}
	if flags&wire.CursorFlagFromCache != 0 {
		cached, ok := c.cache[got.Unique]
		if !ok {
			r.Fail(fmt.Errorf("cursor %#x is not in the cache: %w", got.Unique, wire.ErrMalformed))
		}
		*sh = cached
		return
	}
	need, ok := shapeBytes(&got)
	if !ok || need > r.Left() {
		r.Fail(fmt.Errorf("cursor of type %d, %dx%d in %d bytes: %w", got.Type, got.Width, got.Height, r.Left(), wire.ErrMalformed))
		return
	}
	got.Data = slices.Clone(r.Rest())
	*sh = got
	if flags&wire.CursorFlagCacheMe == 0 {
		return
	}
	if c.cache == nil {
		c.cache = make(map[uint64]qxl.Shape)
	}
	if len(c.cache) >= maxCursors {
		r.Fail(fmt.Errorf("cursor cache: %w", ErrTooLarge))
		return
	}
	c.cache[got.Unique] = got
}

// shapeBytes is how much data a shape of its type and size has at least.
func shapeBytes(sh *qxl.Shape) (int, bool) {
	w, h := int(sh.Width), int(sh.Height)
	mask := (w*h + 7) / 8
	switch sh.Type {
	case qxl.CursorAlpha:
		return 4 * w * h, true
	case qxl.CursorMono:
		return 2 * ((w + 7) / 8) * h, true
	case qxl.CursorColor4:
		return (w+1)/2*h + 16*4 + mask, true
	case qxl.CursorColor8:
		return w*h + 256*4 + mask, true
	case qxl.CursorColor16:
		return 2*w*h + mask, true
	case qxl.CursorColor24:
		return 3*w*h + mask, true
	case qxl.CursorColor32:
		return 4*w*h + mask, true
	}
	return 0, false
}
