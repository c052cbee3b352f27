package wire

import (
	"errors"

	"github.com/spiceecs/spiceecs/qxl"
)

// Bounds of what one drawing message may hold; a body cannot exceed them
// without being absurd, and they keep counts inside int32.
const (
	maxClipRects   = 1 << 20
	maxPaletteEnts = 256
)

// ErrMalformed reports a body whose fields contradict each other.
var ErrMalformed = errors.New("malformed message")

// drawReader fills a drawable from a message body.
type drawReader struct {
	Reader
	d *qxl.Drawable
}

// ReadDraw decodes the body of the drawing message that carries operation t
// into d, recycling its storage. Image data refers to body.
func ReadDraw(body []byte, t qxl.DrawType, d *qxl.Drawable) error {
	d.Reset()
	r := drawReader{Reader: NewReader(body), d: d}
	d.Type = t
	d.Surface = r.U32()
	d.BBox = r.Rect()
	r.Reader.Clip(&d.Clip)
	r.root()
	return r.Err()
}

// Clip takes a clip with its rectangles.
func (r *Reader) Clip(c *qxl.Clip) {
	c.Type = qxl.ClipType(r.U8())
	c.Rects = c.Rects[:0]
	if c.Type != qxl.ClipRects {
		return
	}
	n := r.U32()
	if n > maxClipRects || int(n)*16 > r.Left() {
		r.Fail(ErrShort)
		return
	}
	for range n {
		c.Rects = append(c.Rects, r.Rect())
	}
}

func (r *drawReader) root() {
	d := r.d
	switch d.Type {
	case qxl.DrawFill:
		r.brush(&d.Brush)
		d.Rop = r.U16()
		r.mask()
	case qxl.DrawOpaque:
		r.source()
		r.brush(&d.Brush)
		d.Rop, d.Scale = r.U16(), r.U8()
		r.mask()
	case qxl.DrawCopy, qxl.DrawBlend:
		r.source()
		d.Rop, d.Scale = r.U16(), r.U8()
		r.mask()
	case qxl.DrawCopyBits:
		d.SrcPos = r.Point()
	case qxl.DrawBlackness, qxl.DrawWhiteness, qxl.DrawInvers:
		r.mask()
	case qxl.DrawRop3:
		r.source()
		r.brush(&d.Brush)
		d.Rop3, d.Scale = r.U8(), r.U8()
		r.mask()
	case qxl.DrawStroke:
		r.stroke()
	case qxl.DrawText:
		r.text(r.follow())
		d.BackArea = r.Rect()
		r.brush(&d.Brush)
		r.brush(&d.BackBrush)
		d.Rop, d.BackRop = r.U16(), r.U16()
	case qxl.DrawTransparent:
		r.source()
		d.SrcColor, d.TrueColor = r.U32(), r.U32()
	case qxl.DrawAlphaBlend:
		d.AlphaFlags, d.Alpha = r.U8(), r.U8()
		r.source()
	case qxl.DrawComposite:
		r.composite()
	}
}

func (r *drawReader) source() {
	r.d.Src = r.imagePtr()
	r.d.SrcArea = r.Rect()
}

func (r *drawReader) brush(b *qxl.Brush) {
	b.Type = qxl.BrushType(r.U8())
	switch b.Type {
	case qxl.BrushNone:
	case qxl.BrushSolid:
		b.Color = r.U32()
	case qxl.BrushPattern:
		b.Image = r.imagePtr()
		b.Pos = r.Point()
		if b.Image == qxl.NoImage {
			r.Fail(ErrMalformed)
		}
	default:
		r.Fail(ErrMalformed)
	}
}

func (r *drawReader) mask() {
	m := &r.d.Mask
	m.Flags, m.Pos = r.U8(), r.Point()
	m.Image = r.imagePtr()
}

func (r *drawReader) stroke() {
	d := r.d
	r.path(r.follow())
	d.Line.Flags = r.U8()
	if d.Line.Flags&qxl.LineStyled != 0 {
		n := r.U8()
		at := r.follow() // null where n is 0
		for range n {
			d.Line.Style = append(d.Line.Style, at.I32())
		}
		if n > 0 {
			r.failIf(at.Err())
		}
	}
	r.brush(&d.Brush)
	d.Rop, d.BackRop = r.U16(), r.U16()
}

func (r *drawReader) composite() {
	d := r.d
	d.CompositeFlags = r.U32()
	d.Src = r.imagePtr()
	if d.CompositeFlags&qxl.CompositeHasMask != 0 {
		d.Mask.Image = r.imagePtr()
	}
	if d.CompositeFlags&qxl.CompositeHasSrcTransform != 0 {
		r.transform(&d.SrcTransform)
	}
	if d.CompositeFlags&qxl.CompositeHasMaskTransf != 0 {
		r.transform(&d.MaskTransform)
	}
	d.SrcPos.X, d.SrcPos.Y = int32(int16(r.U16())), int32(int16(r.U16()))
	d.MaskPos.X, d.MaskPos.Y = int32(int16(r.U16())), int32(int16(r.U16()))
}

func (r *drawReader) transform(t *qxl.Transform) {
	for i := range t {
		t[i] = r.I32()
	}
}

// follow takes a pointer and returns a reader of what it leads to, which fails
// if the pointer is null.
func (r *Reader) follow() Reader {
	off := r.U32()
	at := r.At(off)
	if off == 0 {
		at.Fail(ErrMalformed)
	}
	return at
}

// failIf makes the reader fail with err unless that is nil.
func (r *Reader) failIf(err error) {
	if err != nil {
		r.Fail(err)
	}
}

// imagePtr follows a pointer to an image; null is NoImage.
func (r *drawReader) imagePtr() int8 {
	off := r.U32()
	if off == 0 || r.Err() != nil {
		return qxl.NoImage
	}
	im, i := r.d.NewImage()
	at := r.At(off)
	at.Image(im)
	r.failIf(at.Err())
	return i
}

// Image takes an image; its data refers to the body.
func (r *Reader) Image(im *qxl.Image) {
	im.ID = r.U64()
	im.Type = qxl.ImageType(r.U8())
	im.Flags = r.U8()
	im.Width, im.Height = r.U32(), r.U32()
	size := uint64(0)
	switch im.Type {
	case qxl.ImageBitmap:
		im.Format, im.BitFlags = qxl.BitmapFormat(r.U8()), r.U8()
		im.X, im.Y, im.Stride = r.U32(), r.U32(), r.U32()
		r.palette(im)
		size = uint64(im.Stride) * uint64(im.Y)
	case qxl.ImageLZPalette:
		im.BitFlags = r.U8()
		size = uint64(r.U32())
		if r.palette(im); !im.HasPalette {
			r.Fail(ErrMalformed)
		}
	case qxl.ImageSurface:
		im.Surface = r.U32()
	case qxl.ImageFromCache, qxl.ImageFromCacheLossless:
	case qxl.ImageZlibGLZRGB:
		im.Part = r.U32()
		size = uint64(r.U32())
	case qxl.ImageJPEGAlpha:
		im.BitFlags = r.U8()
		im.Part = r.U32()
		size = uint64(r.U32())
	case qxl.ImageQUIC, qxl.ImageLZRGB, qxl.ImageGLZRGB, qxl.ImageJPEG, qxl.ImageLZ4:
		size = uint64(r.U32())
	default:
		r.Fail(ErrMalformed)
	}
	if size > uint64(r.Left()) {
		r.Fail(ErrShort)
		return
	}
	im.Data.Append(r.Bytes(int(size)))
}

// palette takes a palette id, or follows the pointer to a palette.
func (r *Reader) palette(im *qxl.Image) {
	if im.BitFlags&BitmapPalFromCache != 0 {
		im.Palette.Unique, im.HasPalette = r.U64(), true
		return
	}
	off := r.U32()
	if off == 0 {
		return
	}
	at := r.At(off)
	im.HasPalette = true
	im.Palette.Unique = at.U64()
	n := at.U16()
	if n > maxPaletteEnts {
		at.Fail(ErrMalformed)
	}
	for i := uint16(0); i < n && at.err == nil; i++ {
		im.Palette.Entries = append(im.Palette.Entries, at.U32())
	}
	r.failIf(at.err)
}

func (r *drawReader) path(at Reader) {
	d := r.d
	n := at.U32()
	if uint64(n)*5 > uint64(at.Left()) {
		at.Fail(ErrShort)
	}
	for i := uint32(0); i < n && at.err == nil; i++ {
		s := qxl.PathSegment{Flags: at.U8(), First: int32(len(d.Points))}
		points := at.U32()
		if uint64(points)*8 > uint64(at.Left()) {
			at.Fail(ErrShort)
			break
		}
		s.Count = int32(points)
		for range points {
			d.Points = append(d.Points, qxl.PointFix{X: at.I32(), Y: at.I32()})
		}
		d.Segments = append(d.Segments, s)
	}
	r.failIf(at.err)
}

func (r *drawReader) text(at Reader) {
	t := &r.d.Text
	n := at.U16()
	t.Flags = at.U8()
	for i := uint16(0); i < n && at.err == nil; i++ {
		g := qxl.Glyph{Pos: at.Point(), Origin: at.Point(), Width: at.U16(), Height: at.U16(), Data: int32(len(t.Data))}
		t.Data = append(t.Data, at.Bytes(GlyphBytes(t.Flags, g.Width, g.Height))...)
		t.Glyphs = append(t.Glyphs, g)
	}
	r.failIf(at.err)
}
