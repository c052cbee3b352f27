package client

import (
	"bytes"
	"encoding/binary"
	"image/color"
	"testing"
	"time"

	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/net/client/clienttest"
	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

// streamBody is STREAM_CREATE: 16x16 frames, shown top-down at (8,8) without
// scaling; set changes what follows from the flags on.
func streamBody(id uint32, codec uint8, clip []regions.Rect) []byte {
	var w wire.Writer
	w.U32(0)
	w.U32(id)
	w.U8(wire.StreamTopDown)
	w.U8(codec)
	w.U64(0)
	for range 4 {
		w.U32(16)
	}
	w.Rect(regions.XYWH(8, 8, 16, 16))
	c := qxl.Clip{Type: qxl.ClipNone}
	if clip != nil {
		c = qxl.Clip{Type: qxl.ClipRects, Rects: clip}
	}
	w.Clip(&c)
	return join(w.Buffers(nil))
}

func sendFrame(c *clienttest.Conn, id, at uint32, data []byte) {
	c.Send(wire.MsgDisplayStreamData, func(w *wire.Writer) {
		w.U32(id)
		w.U32(at)
		w.U32(uint32(len(data)))
		w.Bytes(data)
	})
}

func solid(c color.Color) func(int, int) color.Color {
	return func(int, int) color.Color { return c }
}

func TestStream(t *testing.T) {
	c, d := connectDisplay(t, Options{})
	white := encodeJPEG(t, 16, 16, solid(color.White))
	c.SendBytes(wire.MsgDisplayStreamCreate, streamBody(3, wire.VideoMJPEG, nil))
	sendFrame(c, 3, 0, white)
	c.Sync()
	wantPixel(t, d, 8, 8, 0xffffff)
	wantPixel(t, d, 23, 23, 0xffffff)
	wantPixel(t, d, 24, 23, 0)

	// A clip limits further frames; an empty one hides them.
	clip := func(rects ...regions.Rect) {
		c.Send(wire.MsgDisplayStreamClip, func(w *wire.Writer) {
			w.U32(3)
			w.Clip(&qxl.Clip{Type: qxl.ClipRects, Rects: rects})
		})
	}
	clip(regions.XYWH(0, 0, 10, 10))
	sendFrame(c, 3, 0, encodeJPEG(t, 16, 16, solid(color.Black)))
	c.Sync()
	wantPixel(t, d, 9, 9, 0)
	wantPixel(t, d, 10, 9, 0xffffff)
	clip()
	sendFrame(c, 3, 0, encodeJPEG(t, 16, 16, solid(color.Black)))
	c.Sync()
	wantPixel(t, d, 10, 9, 0xffffff)

	// A sized frame brings its own size and place, and is scaled.
	clip(regions.XYWH(0, 0, 64, 48))
	small := encodeJPEG(t, 8, 8, solid(color.White))
	c.Send(wire.MsgDisplayStreamDataSized, func(w *wire.Writer) {
		w.U32(3)
		w.U32(0)
		w.U32(8)
		w.U32(8)
		w.Rect(regions.XYWH(40, 20, 24, 24))
		w.U32(uint32(len(small)))
		w.Bytes(small)
	})
	c.Sync()
	wantPixel(t, d, 40, 20, 0xffffff)
	wantPixel(t, d, 63, 43, 0xffffff)
	wantPixel(t, d, 39, 20, 0)

	c.Send(wire.MsgDisplayStreamDestroy, func(w *wire.Writer) { w.U32(3) })
	c.SendBytes(wire.MsgDisplayStreamCreate, streamBody(3, wire.VideoMJPEG, nil)) // the id is free again
	c.Send(wire.MsgDisplayStreamDestroyAll, nil)
	sendFrame(c, 3, 0, white)
	wantEnd(t, d, ErrStream)
}

// TestStreamTables leaves the Huffman tables out of the second frame.
func TestStreamTables(t *testing.T) {
	c, d := connectDisplay(t, Options{})
	c.SendBytes(wire.MsgDisplayStreamCreate, streamBody(0, wire.VideoMJPEG, nil))
	sendFrame(c, 0, 0, encodeJPEG(t, 16, 16, solid(color.White)))
	full := encodeJPEG(t, 16, 16, solid(color.Black))
	tables := bytes.Index(full, []byte{0xff, 0xc4}) // one segment, by this encoder
	if tables < 0 {
		t.Fatal("no tables found")
	}
	size := 2 + int(full[tables+2])<<8 + int(full[tables+3])
	sendFrame(c, 0, 0, append(full[:tables:tables], full[tables+size:]...))
	c.Sync()
	wantPixel(t, d, 10, 10, 0)
}

// TestStreamBottomUp sends frames whose first line is the lowest one.
func TestStreamBottomUp(t *testing.T) {
	c, d := connectDisplay(t, Options{})
	body := streamBody(0, wire.VideoMJPEG, nil)
	body[8] = 0
	c.SendBytes(wire.MsgDisplayStreamCreate, body)
	sendFrame(c, 0, 0, encodeJPEG(t, 16, 16, func(_, y int) color.Color {
		if y < 8 {
			return color.White
		}
		return color.Black
	}))
	c.Sync()
	wantPixel(t, d, 10, 9, 0)
	wantPixel(t, d, 10, 22, 0xffffff)
}

// TestStreamReport checks the reports by number of frames and by time.
func TestStreamReport(t *testing.T) {
	clock := ecs.NewManualClock(time.Unix(50, 0))
	c, d := connectDisplay(t, Options{Clock: clock})
	frame := encodeJPEG(t, 16, 16, ramp)
	c.SendBytes(wire.MsgDisplayStreamCreate, streamBody(2, wire.VideoMJPEG, nil))
	c.Send(wire.MsgDisplayStreamActivateRep, func(w *wire.Writer) {
		for _, v := range [...]uint32{2, 77, 3, 1000} {
			w.U32(v)
		}
	})
	c.Sync()
	mm := d.session.MMTime()
	for i := range uint32(3) { // the last two come late
		sendFrame(c, 2, mm+5-10*i, frame)
	}
	wantReport(t, c, 2, 77, mm+5, mm-15, 3, 2, -15)
	sendFrame(c, 2, mm+100, frame)
	c.Sync()
	clock.Advance(time.Second)
	sendFrame(c, 2, mm+1100, frame)
	wantReport(t, c, 2, 77, mm+100, mm+1100, 2, 0, 100)
}

func wantReport(t *testing.T, c *clienttest.Conn, id, unique, first, last, frames, drops uint32, delay int32) {
	t.Helper()
	body := c.Expect(wire.MsgcDisplayStreamReport)
	want := []uint32{id, unique, first, last, frames, drops, uint32(delay), 0xffffffff}
	for i, w := range want {
		if got := binary.LittleEndian.Uint32(body[4*i:]); got != w {
			t.Errorf("field %d of the report is %d, want %d", i, int32(got), int32(w))
		}
	}
}

func TestStreamErrors(t *testing.T) {
	for name, data := range map[string][]byte{
		"empty": nil, "not JPEG": []byte("hello"), "only a start": {0xff, 0xd8}, "segment over end": {0xff, 0xd8, 0xff, 0xc4, 0xff, 0xff, 0},
	} {
		t.Run(name, func(t *testing.T) {
			c, d := connectDisplay(t, Options{})
			c.SendBytes(wire.MsgDisplayStreamCreate, streamBody(0, wire.VideoMJPEG, nil))
			sendFrame(c, 0, 0, data)
			<-d.Done()
		})
	}
	t.Run("id in use", func(t *testing.T) {
		c, d := connectDisplay(t, Options{})
		c.SendBytes(wire.MsgDisplayStreamCreate, streamBody(0, wire.VideoMJPEG, nil))
		c.SendBytes(wire.MsgDisplayStreamCreate, streamBody(0, wire.VideoMJPEG, nil))
		wantEnd(t, d, ErrStream)
	})
	t.Run("too large", func(t *testing.T) {
		c, d := connectDisplay(t, Options{Limits: Limits{Image: 200}})
		c.SendBytes(wire.MsgDisplayStreamCreate, streamBody(0, wire.VideoMJPEG, nil))
		sendFrame(c, 0, 0, encodeJPEG(t, 16, 16, ramp))
		wantEnd(t, d, ErrTooLarge)
	})
}
