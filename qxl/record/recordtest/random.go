// Package recordtest makes random guest commands and compares decoded ones,
// for tests of whatever reads, writes or lays out commands.
//
// The commands are small, of every type, and valid: what a decoder of guest
// memory would refuse or change does not occur.
package recordtest

import (
	"encoding/binary"
	"math/rand/v2"

	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/record"
	"github.com/spiceecs/spiceecs/regions"
)

const drawTypes = int(qxl.DrawComposite) + 1

// Random makes commands from a seed.
type Random struct{ *rand.Rand }

// New makes a Random that repeats itself for the same seed.
func New(seed uint64) Random { return Random{rand.New(rand.NewPCG(seed, 0x5b1ce))} }

// Command fills ev with a ring command: one in two is a drawable.
func (r Random) Command(ev *record.Event) {
	ev.Kind = record.Command
	ev.Timestamp = r.Uint64()
	ev.Chunks = record.Chunks{}
	switch r.IntN(8) {
	case 0:
		ev.Type = uint32(qxl.CommandUpdate)
		ev.Update = qxl.UpdateCommand{Area: r.box(500), UpdateID: r.Uint32(), Surface: r.Uint32N(1024)}
	case 1:
		ev.Type = uint32(qxl.CommandCursor)
		r.Cursor(&ev.Cursor, qxl.CursorAction(r.IntN(4)))
		if ev.Cursor.HasShape {
			ev.Chunks.Cursor = r.split(len(ev.Cursor.Shape.Data))
		}
	case 2:
		ev.Type = uint32(qxl.CommandMessage)
		ev.Message.Text = r.bytes(r.IntN(200))
		for i, c := range ev.Message.Text {
			ev.Message.Text[i] = max(1, c)
		}
	case 3:
		ev.Type = uint32(qxl.CommandSurface)
		r.Surface(&ev.Surface)
	default:
		ev.Type = uint32(qxl.CommandDraw)
		r.Drawable(&ev.Drawable, qxl.DrawType(r.IntN(drawTypes)), &ev.Chunks)
	}
}

// Event fills ev with a ring command or a worker request.
func (r Random) Event(ev *record.Event) {
	if r.IntN(4) > 0 {
		r.Command(ev)
		return
	}
	ev.Kind, ev.Type, ev.Timestamp = record.Worker, r.Uint32N(42), r.Uint64()
	t := record.WorkerType(ev.Type)
	ev.HasPrimary = t == record.WorkerCreatePrimary || t == record.WorkerCreatePrimaryAsync
	if !ev.HasPrimary {
		return
	}
	var c qxl.SurfaceCommand
	r.create(&c)
	ev.Primary = qxl.PrimarySurface{
		Width: c.Width, Height: c.Height, Stride: c.Stride, Format: c.Format,
		Position: r.Uint32(), MouseMode: r.coin(), Flags: r.Uint32(), Type: r.Uint32(),
		Memory: r.bytes(surfaceSize(&c)),
	}
}

// Surface fills c; a creation keeps its data every other time.
func (r Random) Surface(c *qxl.SurfaceCommand) {
	*c = qxl.SurfaceCommand{Surface: r.Uint32N(1024), Action: qxl.SurfaceAction(r.IntN(2))}
	if c.Action == qxl.SurfaceDestroy {
		return
	}
	r.create(c)
	if r.coin() {
		c.Flags = qxl.SurfaceKeepData
		c.Memory = r.bytes(surfaceSize(c))
	}
}

func (r Random) create(c *qxl.SurfaceCommand) {
	formats := [...]qxl.SurfaceFormat{qxl.Surface1A, qxl.Surface8A, qxl.Surface16x555, qxl.Surface16x565, qxl.Surface32xRGB, qxl.Surface32ARGB}
	c.Format = formats[r.IntN(len(formats))]
	c.Width, c.Height = 1+r.Uint32N(40), 1+r.Uint32N(40)
	c.Stride = int32(int(c.Width)*c.Format.Depth()+7)/8 + r.Int32N(8)
	if r.coin() {
		c.Stride = -c.Stride
	}
}

func surfaceSize(c *qxl.SurfaceCommand) int {
	return int(max(c.Stride, -c.Stride)) * int(c.Height)
}

// Cursor fills c with a command of the given action.
func (r Random) Cursor(c *qxl.CursorCommand, a qxl.CursorAction) {
	*c = qxl.CursorCommand{Action: a}
	switch a {
	case qxl.CursorSet:
		c.X, c.Y, c.Visible, c.HasShape = r.i16(), r.i16(), r.coin(), true
		c.Shape = qxl.Shape{
			Unique: r.Uint64(), Type: qxl.CursorType(r.IntN(7)), Width: uint16(r.IntN(64)), Height: uint16(r.IntN(64)),
			HotX: uint16(r.Uint32()), HotY: uint16(r.Uint32()), Data: r.bytes(r.IntN(4000)),
		}
	case qxl.CursorMove:
		c.X, c.Y = r.i16(), r.i16()
	case qxl.CursorTrail:
		c.TrailLength, c.TrailFrequency = uint16(r.Uint32()), uint16(r.Uint32())
	}
}

// Drawable fills d with an operation of the given type, and ch with pieces for
// its indirect data.
func (r Random) Drawable(d *qxl.Drawable, t qxl.DrawType, ch *record.Chunks) {
	d.Reset()
	d.Type, d.Surface, d.Effect, d.MMTime = t, r.Uint32N(1024), qxl.Effect(r.IntN(8)), r.Uint32()
	d.BBox = r.box(500)
	if d.SelfBitmap = r.coin() && t != qxl.DrawCopy && t != qxl.DrawBlend; d.SelfBitmap {
		d.SelfBitmapArea = r.box(500)
	}
	for i := range d.Deps {
		d.Deps[i], d.DepRects[i] = r.Int32N(1025)-1, r.box(500)
	}
	if r.coin() {
		d.Clip.Type = qxl.ClipRects
		for range r.IntN(6) {
			d.Clip.Rects = append(d.Clip.Rects, r.box(500))
		}
		ch.Clip = r.split(16 * len(d.Clip.Rects))
	}
	r.operation(d, ch)
}

func (r Random) operation(d *qxl.Drawable, ch *record.Chunks) {
	switch d.Type {
	case qxl.DrawFill:
		d.Brush, d.Rop, d.Mask = r.brush(d), uint16(r.Uint32()), r.mask(d)
	case qxl.DrawOpaque:
		r.source(d)
		d.Brush, d.Rop, d.Scale, d.Mask = r.brush(d), uint16(r.Uint32()), uint8(r.Uint32()), r.mask(d)
	case qxl.DrawCopy, qxl.DrawBlend:
		r.source(d)
		d.Rop, d.Scale, d.Mask = uint16(r.Uint32()), uint8(r.Uint32()), r.mask(d)
	case qxl.DrawCopyBits:
		d.SrcPos = r.point()
	case qxl.DrawBlackness, qxl.DrawWhiteness, qxl.DrawInvers:
		d.Mask = r.mask(d)
	case qxl.DrawRop3:
		r.source(d)
		d.Brush, d.Rop3, d.Scale, d.Mask = r.brush(d), uint8(r.Uint32()), uint8(r.Uint32()), r.mask(d)
	case qxl.DrawStroke:
		r.stroke(d, ch)
	case qxl.DrawText:
		r.text(d, ch)
	case qxl.DrawTransparent:
		r.source(d)
		d.SrcColor, d.TrueColor = r.Uint32(), r.Uint32()
	case qxl.DrawAlphaBlend:
		r.source(d)
		d.AlphaFlags, d.Alpha = uint8(r.Uint32()), uint8(r.Uint32())
	case qxl.DrawComposite:
		r.composite(d)
	}
}

// stroke makes a path whose last segment has points: a header with nothing
// behind it at the end of a path does not count.
func (r Random) stroke(d *qxl.Drawable, ch *record.Chunks) {
	size := 0
	for range r.IntN(5) {
		s := qxl.PathSegment{First: int32(len(d.Points)), Count: 3 * (1 + r.Int32N(4)), Flags: uint8(r.Uint32())}
		if s.Flags&qxl.PathBegin != 0 {
			s.Count++ // the path's first point, and curves in threes
		}
		for range s.Count {
			d.Points = append(d.Points, qxl.PointFix{X: int32(r.Uint32()), Y: int32(r.Uint32())})
		}
		d.Segments = append(d.Segments, s)
		size += 8 + 8*int(s.Count)
	}
	ch.Path = r.split(size)
	if d.Line.Flags = uint8(r.Uint32()); d.Line.Flags&qxl.LineStyled != 0 {
		for range 1 + r.IntN(5) {
			d.Line.Style = append(d.Line.Style, 1+r.Int32N(1000))
		}
	}
	d.Brush, d.Rop, d.BackRop = r.brush(d), uint16(r.Uint32()), uint16(r.Uint32())
}

func (r Random) text(d *qxl.Drawable, ch *record.Chunks) {
	depth := r.IntN(3)
	d.Text.Flags = uint8(1 << depth)
	if r.coin() {
		d.Text.Flags |= qxl.StringTopDown
	}
	bpp := [...]int{1, 4, 8}[depth]
	le := binary.LittleEndian
	for range r.IntN(6) {
		g := qxl.Glyph{Pos: r.point(), Origin: r.point(), Width: uint16(r.IntN(20)), Height: uint16(r.IntN(20))}
		b := d.Text.Data
		for _, v := range [...]int32{g.Pos.X, g.Pos.Y, g.Origin.X, g.Origin.Y} {
			b = le.AppendUint32(b, uint32(v))
		}
		b = le.AppendUint16(le.AppendUint16(b, g.Width), g.Height)
		g.Data = int32(len(b))
		d.Text.Data = append(b, r.bytes(int(g.Height)*((int(g.Width)*bpp+7)/8))...)
		d.Text.Glyphs = append(d.Text.Glyphs, g)
	}
	ch.Text = r.split(len(d.Text.Data))
	d.BackArea, d.Brush, d.BackBrush = r.box(500), r.brush(d), r.brush(d)
	d.Rop, d.BackRop = uint16(r.Uint32()), uint16(r.Uint32())
}

func (r Random) composite(d *qxl.Drawable) {
	d.CompositeFlags = r.Uint32() &^ (qxl.CompositeHasMask | qxl.CompositeHasSrcTransform | qxl.CompositeHasMaskTransf)
	d.Src = r.image(d, false)
	if r.coin() {
		d.CompositeFlags |= qxl.CompositeHasSrcTransform
		d.SrcTransform = r.transform()
	}
	if r.coin() {
		d.CompositeFlags |= qxl.CompositeHasMask
		d.Mask.Image = r.image(d, false)
		if r.coin() {
			d.CompositeFlags |= qxl.CompositeHasMaskTransf
			d.MaskTransform = r.transform()
		}
	}
	d.SrcPos = regions.Point{X: int32(r.i16()), Y: int32(r.i16())}
	d.MaskPos = regions.Point{X: int32(r.i16()), Y: int32(r.i16())}
}

func (r Random) transform() (t qxl.Transform) {
	for i := range t {
		t[i] = int32(r.Uint32())
	}
	return t
}

func (r Random) source(d *qxl.Drawable) {
	d.Src = r.image(d, false)
	im := d.Image(d.Src)
	d.SrcArea = r.within(int32(im.Width), int32(im.Height))
}

func (r Random) brush(d *qxl.Drawable) qxl.Brush {
	b := qxl.Brush{Type: qxl.BrushType(r.IntN(3)), Image: qxl.NoImage}
	switch b.Type {
	case qxl.BrushSolid:
		b.Color = r.Uint32()
	case qxl.BrushPattern:
		b.Image, b.Pos = r.image(d, false), r.point()
	}
	return b
}

func (r Random) mask(d *qxl.Drawable) qxl.Mask {
	if r.coin() {
		return qxl.Mask{Image: qxl.NoImage}
	}
	return qxl.Mask{Flags: uint8(r.IntN(2)), Pos: r.point(), Image: r.image(d, true)}
}

// image adds an image to d; a mask is a one-bit bitmap without a palette.
func (r Random) image(d *qxl.Drawable, mask bool) int8 {
	im, index := d.NewImage()
	im.ID, im.Flags = r.Uint64(), uint8(r.IntN(4))
	im.Width, im.Height = 1+r.Uint32N(60), 1+r.Uint32N(60)
	switch n := r.IntN(6); {
	case mask || n < 4:
		r.bitmap(im, mask)
	case n == 4:
		im.Type, im.Surface = qxl.ImageSurface, r.Uint32N(1024)
	default:
		im.Type = qxl.ImageQUIC
		r.pieces(&im.Data, r.IntN(1<<r.IntN(13)))
	}
	return index
}

func (r Random) bitmap(im *qxl.Image, mask bool) {
	im.Type, im.X, im.Y = qxl.ImageBitmap, im.Width, im.Height
	im.Format = qxl.BitmapFormat(1 + r.IntN(10))
	if mask {
		im.Format = qxl.BitmapFormat(1 + r.IntN(2))
	}
	im.BitFlags = uint8(r.IntN(8))
	im.Stride = (im.X*uint32(im.Format.BitsPerPixel())+7)/8 + r.Uint32N(4)
	if im.Format.Indexed() && !mask {
		im.HasPalette, im.Palette.Unique = true, r.Uint64()
		for range 1 + r.IntN(1<<im.Format.BitsPerPixel()) {
			im.Palette.Entries = append(im.Palette.Entries, r.Uint32())
		}
	}
	size := int(im.Stride * im.Y)
	if im.BitFlags&qxl.BitmapDirect != 0 {
		im.Data.Append(r.bytes(size))
		return
	}
	r.pieces(&im.Data, size)
}

// pieces makes size bytes in random pieces, some empty.
func (r Random) pieces(b *qxl.Blob, size int) {
	for _, n := range r.split(size) {
		b.Chunks = append(b.Chunks, r.bytes(n))
		b.Size += n
	}
}

// split divides size into up to five numbers.
func (r Random) split(size int) []int {
	var sizes []int
	for range r.IntN(5) {
		n := r.IntN(size + 1)
		sizes = append(sizes, n)
		size -= n
	}
	return append(sizes, size)
}

func (r Random) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func (r Random) coin() bool { return r.IntN(2) == 0 }

func (r Random) i16() int16 { return int16(r.Uint32()) }

func (r Random) point() regions.Point {
	return regions.Point{X: r.Int32N(4000) - 2000, Y: r.Int32N(4000) - 2000}
}

// box is a rectangle with pixels.
func (r Random) box(size int32) regions.Rect {
	return regions.XYWH(r.Int32N(size), r.Int32N(size), 1+r.Int32N(size), 1+r.Int32N(size))
}

// within is a rectangle inside w by h pixels, perhaps empty.
func (r Random) within(w, h int32) regions.Rect {
	x, y := r.Int32N(w), r.Int32N(h)
	return regions.XYWH(x, y, r.Int32N(w-x+1), r.Int32N(h-y+1))
}
