package wire

import "github.com/spiceecs/spiceecs/qxl"

// drawMessage is the message of each drawing operation, 0 where there is none.
var drawMessage = [...]uint16{
	qxl.DrawFill:        MsgDisplayDrawFill,
	qxl.DrawOpaque:      MsgDisplayDrawOpaque,
	qxl.DrawCopy:        MsgDisplayDrawCopy,
	qxl.DrawCopyBits:    MsgDisplayCopyBits,
	qxl.DrawBlend:       MsgDisplayDrawBlend,
	qxl.DrawBlackness:   MsgDisplayDrawBlackness,
	qxl.DrawWhiteness:   MsgDisplayDrawWhiteness,
	qxl.DrawInvers:      MsgDisplayDrawInvers,
	qxl.DrawRop3:        MsgDisplayDrawRop3,
	qxl.DrawStroke:      MsgDisplayDrawStroke,
	qxl.DrawText:        MsgDisplayDrawText,
	qxl.DrawTransparent: MsgDisplayDrawTransparent,
	qxl.DrawAlphaBlend:  MsgDisplayDrawAlphaBlend,
	qxl.DrawComposite:   MsgDisplayDrawComposite,
}

// DrawMessage returns the message number that carries operation t, or 0.
func DrawMessage(t qxl.DrawType) uint16 {
	if int(t) < len(drawMessage) {
		return drawMessage[t]
	}
	return 0
}

// DrawOf returns the operation that message number msg carries.
func DrawOf(msg uint16) (qxl.DrawType, bool) {
	for t, m := range drawMessage {
		if m == msg && m != 0 {
			return qxl.DrawType(t), true
		}
	}
	return 0, false
}

// pointee is a block that a pointer of the message's root leads to.
type pointee struct {
	slot  Slot
	image *qxl.Image // nil: the path, style or string of the drawable
	write func(*Writer, *qxl.Drawable)
}

// drawWriter lays one drawing message out: root fields first, then what the
// root points at in the order of the pointers, then the images' palettes.
type drawWriter struct {
	*Writer
	d      *qxl.Drawable
	images []qxl.Image
	blocks [4]pointee
	n      int
}

// Draw writes d as one whole message. images are the wire forms of d.Images,
// in the same order: already compressed, with palette flags in BitFlags
// (BitmapPalFromCache sends Palette.Unique only). It reports false, and writes
// nothing, for an operation that has no message.
func (w *Writer) Draw(d *qxl.Drawable, images []qxl.Image) bool {
	msg := DrawMessage(d.Type)
	if msg == 0 {
		return false
	}
	w.Begin(msg)
	w.U32(d.Surface)
	w.Rect(d.BBox)
	w.Clip(&d.Clip)
	dw := drawWriter{Writer: w, d: d, images: images}
	dw.root()
	dw.pointees()
	w.End()
	return true
}

// Clip writes a clip, with its rectangles inline.
func (w *Writer) Clip(c *qxl.Clip) {
	w.U8(uint8(c.Type))
	if c.Type != qxl.ClipRects {
		return
	}
	w.U32(uint32(len(c.Rects)))
	for _, r := range c.Rects {
		w.Rect(r)
	}
}

// root writes the fields that belong to the operation.
func (w *drawWriter) root() {
	d := w.d
	switch d.Type {
	case qxl.DrawFill:
		w.brush(&d.Brush)
		w.U16(d.Rop)
		w.mask()
	case qxl.DrawOpaque:
		w.source()
		w.brush(&d.Brush)
		w.U16(d.Rop)
		w.U8(d.Scale)
		w.mask()
	case qxl.DrawCopy, qxl.DrawBlend:
		w.source()
		w.U16(d.Rop)
		w.U8(d.Scale)
		w.mask()
	case qxl.DrawCopyBits:
		w.Point(d.SrcPos)
	case qxl.DrawBlackness, qxl.DrawWhiteness, qxl.DrawInvers:
		w.mask()
	case qxl.DrawRop3:
		w.source()
		w.brush(&d.Brush)
		w.U8(d.Rop3)
		w.U8(d.Scale)
		w.mask()
	case qxl.DrawStroke:
		w.stroke()
	case qxl.DrawText:
		w.point(pointee{write: (*Writer).text})
		w.Rect(d.BackArea)
		w.brush(&d.Brush)
		w.brush(&d.BackBrush)
		w.U16(d.Rop)
		w.U16(d.BackRop)
	case qxl.DrawTransparent:
		w.source()
		w.U32(d.SrcColor)
		w.U32(d.TrueColor)
	case qxl.DrawAlphaBlend:
		w.U8(d.AlphaFlags)
		w.U8(d.Alpha)
		w.source()
	case qxl.DrawComposite:
		w.composite()
	}
}

func (w *drawWriter) source() {
	w.imagePtr(w.d.Src)
	w.Rect(w.d.SrcArea)
}

func (w *drawWriter) brush(b *qxl.Brush) {
	w.U8(uint8(b.Type))
	switch b.Type {
	case qxl.BrushSolid:
		w.U32(b.Color)
	case qxl.BrushPattern:
		w.imagePtr(b.Image)
		w.Point(b.Pos)
	}
}

func (w *drawWriter) mask() {
	w.U8(w.d.Mask.Flags)
	w.Point(w.d.Mask.Pos)
	w.imagePtr(w.d.Mask.Image)
}

func (w *drawWriter) stroke() {
	d := w.d
	w.point(pointee{write: (*Writer).path})
	w.U8(d.Line.Flags)
	if d.Line.Flags&qxl.LineStyled != 0 {
		w.U8(uint8(len(d.Line.Style)))
		if len(d.Line.Style) > 0 {
			w.point(pointee{write: (*Writer).style})
		} else {
			w.U32(0)
		}
	}
	w.brush(&d.Brush)
	w.U16(d.Rop)
	w.U16(d.BackRop)
}

func (w *drawWriter) composite() {
	d := w.d
	w.U32(d.CompositeFlags)
	w.imagePtr(d.Src)
	if d.CompositeFlags&qxl.CompositeHasMask != 0 {
		w.imagePtr(d.Mask.Image)
	}
	if d.CompositeFlags&qxl.CompositeHasSrcTransform != 0 {
		w.transform(&d.SrcTransform)
	}
	if d.CompositeFlags&qxl.CompositeHasMaskTransf != 0 {
		w.transform(&d.MaskTransform)
	}
	w.Point16(int16(d.SrcPos.X), int16(d.SrcPos.Y))
	w.Point16(int16(d.MaskPos.X), int16(d.MaskPos.Y))
}

func (w *drawWriter) transform(t *qxl.Transform) {
	for _, v := range t {
		w.I32(v)
	}
}

// imagePtr writes a pointer to an image of the drawable, null for NoImage.
func (w *drawWriter) imagePtr(i int8) {
	if i < 0 || int(i) >= len(w.images) {
		w.U32(0)
		return
	}
	w.point(pointee{image: &w.images[i]})
}

// point writes a pointer and remembers what it will lead to.
func (w *drawWriter) point(p pointee) {
	p.slot = w.Slot()
	w.blocks[w.n] = p
	w.n++
}

// pointees writes what the root points at, then the palettes.
func (w *drawWriter) pointees() {
	var palettes [len(w.blocks)]struct {
		slot Slot
		pal  *qxl.Palette
	}
	np := 0
	for _, b := range w.blocks[:w.n] {
		w.Here(b.slot)
		if b.image == nil {
			b.write(w.Writer, w.d)
			continue
		}
		if slot, ok := w.Image(b.image); ok {
			palettes[np].slot, palettes[np].pal = slot, &b.image.Palette
			np++
		}
	}
	for _, p := range palettes[:np] {
		w.Here(p.slot)
		w.U64(p.pal.Unique)
		w.U16(uint16(len(p.pal.Entries)))
		for _, e := range p.pal.Entries {
			w.U32(e)
		}
	}
}

// Image writes an image: descriptor, what belongs to the type, and references
// to the data. If its palette has to follow, the slot that must point at it is
// returned with true.
func (w *Writer) Image(im *qxl.Image) (palette Slot, inline bool) {
	w.U64(im.ID)
	w.U8(uint8(im.Type))
	w.U8(im.Flags)
	w.U32(im.Width)
	w.U32(im.Height)
	switch im.Type {
	case qxl.ImageBitmap:
		w.U8(uint8(im.Format))
		w.U8(im.BitFlags)
		w.U32(im.X)
		w.U32(im.Y)
		w.U32(im.Stride)
		palette, inline = w.paletteRef(im)
	case qxl.ImageLZPalette:
		w.U8(im.BitFlags)
		w.U32(uint32(im.Data.Size))
		palette, inline = w.paletteRef(im)
	case qxl.ImageSurface:
		w.U32(im.Surface)
		return 0, false
	case qxl.ImageFromCache, qxl.ImageFromCacheLossless:
		return 0, false
	case qxl.ImageZlibGLZRGB:
		w.U32(im.Part)
		w.U32(uint32(im.Data.Size))
	case qxl.ImageJPEGAlpha:
		w.U8(im.BitFlags)
		w.U32(im.Part)
		w.U32(uint32(im.Data.Size))
	default:
		w.U32(uint32(im.Data.Size))
	}
	for _, c := range im.Data.Chunks {
		w.Ref(c)
	}
	return palette, inline
}

func (w *Writer) paletteRef(im *qxl.Image) (Slot, bool) {
	if im.HasPalette && im.BitFlags&BitmapPalFromCache != 0 {
		w.U64(im.Palette.Unique)
		return 0, false
	}
	return w.Slot(), im.HasPalette
}

func (w *Writer) path(d *qxl.Drawable) {
	w.U32(uint32(len(d.Segments)))
	for _, s := range d.Segments {
		w.U8(s.Flags)
		w.U32(uint32(s.Count))
		for _, p := range d.Points[s.First : s.First+s.Count] {
			w.I32(p.X)
			w.I32(p.Y)
		}
	}
}

func (w *Writer) style(d *qxl.Drawable) {
	for _, v := range d.Line.Style {
		w.I32(v)
	}
}

func (w *Writer) text(d *qxl.Drawable) {
	w.U16(uint16(len(d.Text.Glyphs)))
	w.U8(d.Text.Flags)
	for _, g := range d.Text.Glyphs {
		w.Point(g.Pos)
		w.Point(g.Origin)
		w.U16(g.Width)
		w.U16(g.Height)
		w.Bytes(d.Text.Data[g.Data:][:GlyphBytes(d.Text.Flags, g.Width, g.Height)])
	}
}

// GlyphBytes is the size of a glyph's picture for a string's flags.
func GlyphBytes(flags uint8, width, height uint16) int {
	bits := 8
	switch {
	case flags&qxl.StringA1 != 0:
		bits = 1
	case flags&qxl.StringA4 != 0:
		bits = 4
	}
	return (int(width)*bits + 7) / 8 * int(height)
}
