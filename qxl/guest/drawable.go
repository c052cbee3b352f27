package guest

import "github.com/spiceecs/spiceecs/qxl"

// Drawable assembles a drawing command in its native layout.
func (a *Assembler) Drawable(d *qxl.Drawable) (qxl.Command, error) {
	var size size
	size.drawable(d, a.MaxChunk)
	r, err := a.begin(int(size), drawableSize)
	if err != nil {
		return qxl.Command{}, err
	}
	r.u32(8, d.Surface)
	r.u8(12, uint8(d.Effect))
	r.u8(13, uint8(d.Type))
	r.bool(14, d.SelfBitmap)
	r.rect(15, d.SelfBitmapArea)
	r.rect(31, d.BBox)
	r.u32(47, uint32(d.Clip.Type))
	if d.Clip.Type == qxl.ClipRects {
		r.phys(51, a.clip(&d.Clip))
	}
	r.u32(59, d.MMTime)
	for i, dep := range d.Deps {
		r.i32(63+4*i, dep)
		r.rect(75+rectSize*i, d.DepRects[i])
	}
	a.operation(r[drawableUnion:], d)
	return a.command(qxl.CommandDraw), nil
}

// operation fills in the part of a drawable that depends on its type.
func (a *Assembler) operation(u rec, d *qxl.Drawable) {
	switch d.Type {
	case qxl.DrawFill:
		a.brush(u, d, &d.Brush)
		u.u16(20, d.Rop)
		a.mask(u[22:], d)
	case qxl.DrawOpaque:
		a.source(u, d)
		a.brush(u[24:], d, &d.Brush)
		u.u16(44, d.Rop)
		u.u8(46, d.Scale)
		a.mask(u[47:], d)
	case qxl.DrawCopy, qxl.DrawBlend:
		a.source(u, d)
		u.u16(24, d.Rop)
		u.u8(26, d.Scale)
		a.mask(u[27:], d)
	case qxl.DrawCopyBits:
		u.point(0, d.SrcPos)
	case qxl.DrawBlackness, qxl.DrawWhiteness, qxl.DrawInvers:
		a.mask(u, d)
	case qxl.DrawRop3:
		a.source(u, d)
		a.brush(u[24:], d, &d.Brush)
		u.u8(44, d.Rop3)
		u.u8(45, d.Scale)
		a.mask(u[46:], d)
	case qxl.DrawStroke:
		a.stroke(u, d)
	case qxl.DrawText:
		a.text(u, d)
	case qxl.DrawTransparent:
		a.source(u, d)
		u.u32(24, d.SrcColor)
		u.u32(28, d.TrueColor)
	case qxl.DrawAlphaBlend:
		u.u16(0, uint16(d.AlphaFlags))
		u.u8(2, d.Alpha)
		a.source(u[3:], d)
	case qxl.DrawComposite:
		a.composite(u, d)
	}
}

// source fills in the source image and its area.
func (a *Assembler) source(u rec, d *qxl.Drawable) {
	u.phys(0, a.image(d.Image(d.Src)))
	u.rect(8, d.SrcArea)
}

func (a *Assembler) stroke(u rec, d *qxl.Drawable) {
	a.scratch = AppendPath(a.scratch[:0], d)
	path, at := a.list(pathHeadSize, a.scratch)
	path.u32(0, uint32(len(a.scratch)))
	u.phys(0, at)
	u.u8(8, d.Line.Flags)
	if d.Line.Flags&qxl.LineStyled != 0 {
		u.u8(11, uint8(len(d.Line.Style)))
		u.phys(20, a.ints(d.Line.Style))
	}
	a.brush(u[28:], d, &d.Brush)
	u.u16(48, d.Rop)
	u.u16(50, d.BackRop)
}

func (a *Assembler) text(u rec, d *qxl.Drawable) {
	a.scratch = AppendString(a.scratch[:0], &d.Text)
	str, at := a.list(stringHead, a.scratch)
	str.u32(0, uint32(len(a.scratch)))
	str.u16(4, uint16(len(d.Text.Glyphs)))
	str.u16(6, uint16(d.Text.Flags))
	u.phys(0, at)
	u.rect(8, d.BackArea)
	a.brush(u[24:], d, &d.Brush)
	a.brush(u[44:], d, &d.BackBrush)
	u.u16(64, d.Rop)
	u.u16(66, d.BackRop)
}

// composite leaves the flags out that tell which parts there are: the pointers
// do, and a driver does not set them.
func (a *Assembler) composite(u rec, d *qxl.Drawable) {
	const has = qxl.CompositeHasMask | qxl.CompositeHasSrcTransform | qxl.CompositeHasMaskTransf
	u.u32(0, d.CompositeFlags&^has)
	u.phys(4, a.image(d.Image(d.Src)))
	if d.CompositeFlags&qxl.CompositeHasSrcTransform != 0 {
		u.phys(12, a.ints(d.SrcTransform[:]))
	}
	u.phys(20, a.image(d.Image(d.Mask.Image)))
	if d.CompositeFlags&qxl.CompositeHasMaskTransf != 0 {
		u.phys(28, a.ints(d.MaskTransform[:]))
	}
	u.point16(36, d.SrcPos)
	u.point16(40, d.MaskPos)
}

func (a *Assembler) clip(c *qxl.Clip) qxl.PHYS {
	a.scratch = AppendRects(a.scratch[:0], c.Rects)
	r, at := a.list(clipSize, a.scratch)
	r.u32(0, uint32(len(c.Rects)))
	return at
}

func (a *Assembler) brush(u rec, d *qxl.Drawable, b *qxl.Brush) {
	u.u32(0, uint32(b.Type))
	switch b.Type {
	case qxl.BrushSolid:
		u.u32(4, b.Color)
	case qxl.BrushPattern:
		u.phys(4, a.image(d.Image(b.Image)))
		u.point(12, b.Pos)
	}
}

func (a *Assembler) mask(u rec, d *qxl.Drawable) {
	u.u8(0, d.Mask.Flags)
	u.point(1, d.Mask.Pos)
	u.phys(9, a.image(d.Image(d.Mask.Image)))
}

// ints lays words out in one piece.
func (a *Assembler) ints(words []int32) qxl.PHYS {
	r, at := a.take(4 * len(words))
	AppendInts(r[:0], words)
	return at
}

// image lays an image out; no image is at address 0.
func (a *Assembler) image(im *qxl.Image) qxl.PHYS {
	if im == nil {
		return 0
	}
	var r rec
	var at qxl.PHYS
	if im.Type == qxl.ImageQUIC {
		r, at = a.blob(quicHead, &im.Data)
		r.u32(18, uint32(im.Data.Size))
	} else {
		r, at = a.take(imageSize)
	}
	r.u64(0, im.ID)
	r.u8(8, uint8(im.Type))
	r.u8(9, im.Flags)
	r.u32(10, im.Width)
	r.u32(14, im.Height)
	switch im.Type {
	case qxl.ImageBitmap:
		a.bitmap(r, im)
	case qxl.ImageSurface:
		r.u32(18, im.Surface)
	}
	return at
}

func (a *Assembler) bitmap(r rec, im *qxl.Image) {
	r.u8(18, uint8(im.Format))
	r.u8(19, im.BitFlags)
	r.u32(20, im.X)
	r.u32(24, im.Y)
	r.u32(28, im.Stride)
	if im.HasPalette {
		p, at := a.take(paletteSize + 4*len(im.Palette.Entries))
		p.u64(0, im.Palette.Unique)
		p.u16(8, uint16(len(im.Palette.Entries)))
		for i, e := range im.Palette.Entries {
			p.u32(paletteSize+4*i, e)
		}
		r.phys(32, at)
	}
	if im.BitFlags&qxl.BitmapDirect == 0 {
		_, at := a.blob(0, &im.Data)
		r.phys(40, at)
		return
	}
	_, at := a.take(0)
	for _, c := range im.Data.Chunks {
		a.append(c)
	}
	r.phys(40, at)
}
