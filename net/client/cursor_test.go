package client

import (
	"bytes"
	"errors"
	"testing"

	"github.com/spiceecs/spiceecs/net/client/clienttest"
	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/qxl"
)

// cursorShape writes a 2x1 alpha cursor.
func cursorShape(w *wire.Writer, flags uint16, unique uint64, data []byte) {
	w.U16(flags)
	w.U64(unique)
	w.U8(uint8(qxl.CursorAlpha))
	for _, v := range [...]uint16{2, 1, 1, 0} {
		w.U16(v)
	}
	w.Bytes(data)
}

func connectCursor(t *testing.T) (*clienttest.Conn, *Cursor) {
	srv, s := connect(t, clienttest.Config{Channels: []clienttest.Key{cursor0}}, Options{})
	return srv.Channel(wire.ChannelCursor, 0), s.Cursors()[0]
}

func TestCursor(t *testing.T) {
	c, p := connectCursor(t)
	pic := []byte{1, 2, 3, 4, 5, 6, 7, 8}
	check := func(what string, x, y int16, visible bool, unique uint64) {
		t.Helper()
		c.Sync()
		st := p.State()
		if st.X != x || st.Y != y || st.Visible != visible || st.Shape.Unique != unique ||
			unique != 0 && (!bytes.Equal(st.Shape.Data, pic) || st.Shape.Width != 2 || st.Shape.HotX != 1) {
			t.Errorf("after %s: %+v", what, st)
		}
	}
	c.Send(wire.MsgCursorInit, func(w *wire.Writer) {
		w.Point16(10, -20)
		w.U16(3)
		w.U16(4)
		w.U8(1)
		cursorShape(w, wire.CursorFlagCacheMe, 42, pic)
	})
	check("INIT", 10, -20, true, 42)
	c.Send(wire.MsgCursorHide, nil)
	check("HIDE", 10, -20, false, 42)
	c.Send(wire.MsgCursorMove, func(w *wire.Writer) { w.Point16(1, 2) })
	check("MOVE", 1, 2, true, 42)
	c.Send(wire.MsgCursorSet, func(w *wire.Writer) { w.Point16(3, 4); w.U8(0); w.U16(wire.CursorFlagNone) })
	check("SET without a shape", 3, 4, false, 0)
	fromCache(c, 42)
	check("SET from the cache", 0, 0, true, 42)
	c.Send(wire.MsgCursorTrail, func(w *wire.Writer) { w.U16(8); w.U16(9) })
	check("TRAIL", 0, 0, true, 42)
	if st := p.State(); st.TrailLength != 8 || st.TrailFrequency != 9 {
		t.Errorf("trail %d, %d", st.TrailLength, st.TrailFrequency)
	}
	c.Send(wire.MsgCursorInvalOne, func(w *wire.Writer) { w.U64(41) })
	c.Send(wire.MsgCursorReset, nil)
	check("RESET", 0, 0, false, 0)
	fromCache(c, 42)
	check("SET from the cache after RESET", 0, 0, true, 42)
}

func fromCache(c *clienttest.Conn, unique uint64) {
	c.Send(wire.MsgCursorSet, func(w *wire.Writer) {
		w.Point16(0, 0)
		w.U8(1)
		cursorShape(w, wire.CursorFlagFromCache, unique, nil)
	})
}

// TestCursorInval drops a shape from the cache in each of the ways there are.
func TestCursorInval(t *testing.T) {
	for name, drop := range map[string]func(c *clienttest.Conn){
		"one": func(c *clienttest.Conn) { c.Send(wire.MsgCursorInvalOne, func(w *wire.Writer) { w.U64(42) }) },
		"all": func(c *clienttest.Conn) { c.Send(wire.MsgCursorInvalAll, nil) },
		"init": func(c *clienttest.Conn) {
			c.Send(wire.MsgCursorInit, func(w *wire.Writer) { w.Zeros(9); w.U16(wire.CursorFlagNone) })
		},
	} {
		c, p := connectCursor(t)
		c.Send(wire.MsgCursorSet, func(w *wire.Writer) {
			w.Point16(0, 0)
			w.U8(1)
			cursorShape(w, wire.CursorFlagCacheMe, 42, make([]byte, 8))
		})
		fromCache(c, 42)
		c.Sync()
		drop(c)
		c.Sync()
		fromCache(c, 42)
		<-p.Done()
		if !errors.Is(p.Err(), wire.ErrMalformed) {
			t.Errorf("%s: cursor ended with %v", name, p.Err())
		}
	}
}

func TestCursorErrors(t *testing.T) {
	for name, tc := range map[string]struct {
		send func(c *clienttest.Conn)
		want error
	}{
		"short data": {func(c *clienttest.Conn) {
			c.Send(wire.MsgCursorSet, func(w *wire.Writer) { w.Point16(0, 0); w.U8(1); cursorShape(w, 0, 1, make([]byte, 7)) })
		}, wire.ErrMalformed},
		"short": {func(c *clienttest.Conn) { c.SendBytes(wire.MsgCursorMove, []byte{1, 2, 3}) }, wire.ErrShort},
		"bad type": {func(c *clienttest.Conn) {
			c.SendBytes(wire.MsgCursorSet, append(make([]byte, 15), append([]byte{99}, make([]byte, 8)...)...))
		}, wire.ErrMalformed},
		"unknown": {func(c *clienttest.Conn) { c.SendBytes(200, nil) }, ErrUnknown},
		"full cache": {func(c *clienttest.Conn) {
			for id := range uint64(maxCursors + 1) {
				c.Send(wire.MsgCursorSet, func(w *wire.Writer) {
					w.Point16(0, 0)
					w.U8(1)
					cursorShape(w, wire.CursorFlagCacheMe, id, make([]byte, 8))
				})
			}
		}, ErrTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			c, p := connectCursor(t)
			tc.send(c)
			<-p.Done()
			if !errors.Is(p.Err(), tc.want) {
				t.Errorf("cursor ended with %v, want %v", p.Err(), tc.want)
			}
		})
	}
}

// TestShapeBytes checks the sizes of all layouts, worked out by hand for 9x2.
func TestShapeBytes(t *testing.T) {
	for typ, want := range map[qxl.CursorType]int{
		qxl.CursorAlpha: 72, qxl.CursorMono: 2 * 2 * 2, qxl.CursorColor4: 10 + 64 + 3, qxl.CursorColor8: 18 + 1024 + 3,
		qxl.CursorColor16: 36 + 3, qxl.CursorColor24: 54 + 3, qxl.CursorColor32: 72 + 3,
	} {
		if got, ok := shapeBytes(&qxl.Shape{Type: typ, Width: 9, Height: 2}); !ok || got != want {
			t.Errorf("type %d: %d bytes, want %d", typ, got, want)
		}
	}
}
