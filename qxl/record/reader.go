package record

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/spiceecs/spiceecs/qxl"
)

const header = "SPICE_REPLAY 1\n"

// Reader reads a recording. It is not safe for concurrent use.
type Reader struct {
	s        scanner
	zstd     *zstd.Decoder
	inflater inflater
	list     qxl.Blob // of the chunk list being joined
	scratch  []byte   // what was joined
}

// NewReader starts reading the recording in src, plain or compressed with
// zstd, told apart by content. Whoever stops before the end of a compressed
// recording calls Close to give the decoder's memory back early.
func NewReader(src io.Reader) (*Reader, error) {
	in := bufio.NewReaderSize(src, 64<<10)
	r := &Reader{s: scanner{src: in, limit: DefaultMaxEvent}}
	if magic, _ := in.Peek(4); len(magic) == 4 && isZstd(magic) {
		// Decoding on the caller's goroutine takes the least CPU time in all.
		d, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1),
			zstd.WithDecoderMaxWindow(MaxWindow), zstd.WithDecoderLowmem(true))
		if err != nil {
			return nil, fmt.Errorf("recording: zstd: %w", err)
		}
		r.zstd, r.s.src = d, d
	}
	r.s.lit(header)
	if r.s.err != nil {
		r.Close()
		return nil, r.s.err
	}
	return r, nil
}

// isZstd recognises a zstd frame and a skippable frame by their first bytes.
func isZstd(magic []byte) bool {
	v := binary.LittleEndian.Uint32(magic)
	return v == 0xfd2fb528 || v&^0xf == 0x184d2a50
}

// SetMaxEvent changes the limit on an event's size in bytes.
func (r *Reader) SetMaxEvent(n int) { r.s.limit = n }

// Close releases the decoder. The source stays open.
func (r *Reader) Close() {
	if r.zstd != nil {
		r.zstd.Close()
	}
}

// Next reads the next event into ev. It answers io.EOF where the recording
// ends behind a whole event and a *FormatError for everything else, from then
// on always the same.
func (r *Reader) Next(ev *Event) error {
	s := &r.s
	if s.err != nil {
		return s.err
	}
	s.begin()
	r.inflater.reset()
	if s.r == s.w && !s.fill(1) && s.end == io.EOF {
		return io.EOF
	}
	ev.Offset = s.offset()
	s.lit("event ")
	ev.Counter = uint32(s.i32(' '))
	ev.Kind = Kind(s.upTo(uint32(Worker), ' '))
	ev.Type = uint32(s.i32(' '))
	ev.Timestamp = s.u64('\n')
	ev.HasPrimary = false
	if s.err == nil {
		r.body(ev)
	}
	if s.err != nil {
		return s.err
	}
	s.n++
	return nil
}

func (r *Reader) body(ev *Event) {
	if ev.Kind == Worker {
		if WorkerType(ev.Type).hasPrimary() {
			r.primary(ev)
		}
		return
	}
	ev.Chunks.reset()
	switch qxl.CommandType(ev.Type) {
	case qxl.CommandDraw:
		r.drawable(&ev.Drawable, &ev.Chunks)
	case qxl.CommandUpdate:
		r.update(&ev.Update)
	case qxl.CommandCursor:
		r.cursor(&ev.Cursor, &ev.Chunks)
	case qxl.CommandMessage:
		r.message(&ev.Message)
	case qxl.CommandSurface:
		r.surface(&ev.Surface)
	}
}

// primary reads a primary surface. The recorder leaves the body out when the
// surface was refused; the next event follows at once then.
func (r *Reader) primary(ev *Event) {
	s := &r.s
	p := &ev.Primary
	*p = qxl.PrimarySurface{}
	if s.line(); s.w-s.r >= 6 && string(s.buf[s.r:s.r+6]) == "event " {
		return
	}
	ev.HasPrimary = true
	p.Width = uint32(s.i32(' '))
	p.Height = uint32(s.i32(' '))
	p.Stride = s.i32(' ')
	p.Format = qxl.SurfaceFormat(s.i32('\n'))
	s.line()
	p.Position = uint32(s.i32(' '))
	p.MouseMode = s.i32(' ') != 0
	p.Flags = uint32(s.i32(' '))
	p.Type = uint32(s.i32('\n'))
	p.Memory = r.surfaceData(p.Stride, p.Height)
}

// surfaceData reads the binary of a surface's lines.
func (r *Reader) surfaceData(stride int32, height uint32) []byte {
	data := r.binary()
	if want := qxlSize(stride, height); uint64(len(data)) != want {
		r.s.failf("surface has %d bytes of %d", len(data), want)
	}
	return data
}

// qxlSize is the size in bytes of height lines of |stride| bytes.
func qxlSize(stride int32, height uint32) uint64 {
	n := int64(stride)
	if n < 0 {
		n = -n
	}
	return uint64(n) * uint64(height)
}

func (r *Reader) update(u *qxl.UpdateCommand) {
	s := &r.s
	*u = qxl.UpdateCommand{}
	s.lit("update\n")
	u.Area = s.rect("rect area ")
	u.UpdateID = s.fieldU32("update_id ")
	u.Surface = s.fieldU32("surface_id ")
}

func (r *Reader) message(m *qxl.MessageCommand) {
	*m = qxl.MessageCommand{Text: r.binary()}
	if len(m.Text) > MaxMessage {
		r.s.failf("message is longer than %d bytes", MaxMessage)
	}
}

func (r *Reader) surface(c *qxl.SurfaceCommand) {
	s := &r.s
	*c = qxl.SurfaceCommand{}
	s.lit("surface_cmd\n")
	c.Surface = s.fieldU32("surface_id ")
	c.Action = qxl.SurfaceAction(s.fieldU8("type "))
	c.Flags = s.fieldU32("flags ")
	if c.Action != qxl.SurfaceCreate {
		return
	}
	c.Format = qxl.SurfaceFormat(s.fieldU32("u.surface_create.format "))
	c.Width = s.fieldU32("u.surface_create.width ")
	c.Height = s.fieldU32("u.surface_create.height ")
	c.Stride = s.fieldI32("u.surface_create.stride ")
	if c.Flags&qxl.SurfaceKeepData != 0 {
		c.Memory = r.surfaceData(c.Stride, c.Height)
	}
}

func (r *Reader) cursor(c *qxl.CursorCommand, ch *Chunks) {
	s := &r.s
	*c = qxl.CursorCommand{Shape: qxl.Shape{Data: c.Shape.Data[:0]}}
	s.lit("cursor_cmd\n")
	c.Action = qxl.CursorAction(s.fieldU8("type "))
	switch c.Action {
	case qxl.CursorSet:
		c.X, c.Y = s.point16("point16 ")
		c.Visible = s.fieldBool("u.set.visible ")
		c.HasShape = true
		r.shape(&c.Shape, ch)
	case qxl.CursorMove:
		c.X, c.Y = s.point16("point16 ")
	case qxl.CursorTrail:
		c.TrailLength = s.fieldU16("u.trail.length ")
		c.TrailFrequency = s.fieldU16("u.trail.frequency ")
	}
}

func (r *Reader) shape(sh *qxl.Shape, ch *Chunks) {
	s := &r.s
	sh.Unique = s.fieldU64("header.unique ")
	sh.Type = qxl.CursorType(s.fieldU16("header.type "))
	sh.Width = s.fieldU16("header.width ")
	sh.Height = s.fieldU16("header.height ")
	sh.HotX = s.fieldU16("header.hot_spot_x ")
	sh.HotY = s.fieldU16("header.hot_spot_y ")
	s.fieldU32("data_size ") // the chunks say it again
	var data []byte
	data, ch.Cursor = r.joined(ch.Cursor)
	sh.Data = append(sh.Data, data...)
}
