package record

import (
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

// rect scans a line of a name and a rectangle: top, left, bottom, right.
func (s *scanner) rect(name string) (q regions.Rect) {
	s.lit(name)
	q.Top = s.i32(' ')
	q.Left = s.i32(' ')
	q.Bottom = s.i32(' ')
	q.Right = s.i32('\n')
	return q
}

func (s *scanner) point(name string) (p regions.Point) {
	s.lit(name)
	p.X = s.i32(' ')
	p.Y = s.i32('\n')
	return p
}

func (s *scanner) point16(name string) (x, y int16) {
	s.lit(name)
	return s.i16(' '), s.i16('\n')
}

// drawable scans a drawing command in its native form.
func (r *Reader) drawable(d *qxl.Drawable, ch *Chunks) {
	s := &r.s
	d.Reset()
	s.lit("drawable\n")
	d.BBox = s.rect("rect bbox ")
	r.clip(&d.Clip, ch)
	d.Effect = qxl.Effect(s.fieldU8("effect "))
	d.MMTime = s.fieldU32("mm_time ")
	d.SelfBitmap = s.fieldBool("self_bitmap ")
	d.SelfBitmapArea = s.rect("rect self_bitmap_area ")
	d.Surface = s.fieldU32("surface_id ")
	for i := range d.Deps {
		d.Deps[i] = s.fieldI32("surfaces_dest ")
		d.DepRects[i] = s.rect("rect surfaces_rects ")
	}
	d.Type = qxl.DrawType(s.fieldU8("type "))
	if s.err == nil {
		r.operation(d, ch)
	}
}

func (r *Reader) operation(d *qxl.Drawable, ch *Chunks) {
	s := &r.s
	switch d.Type {
	case qxl.DrawNOP:
	case qxl.DrawFill:
		d.Brush = r.brush(d)
		d.Rop = s.fieldU16("rop_descriptor ")
		d.Mask = r.mask(d)
	case qxl.DrawOpaque:
		r.source(d)
		d.Brush = r.brush(d)
		r.rop(d)
	case qxl.DrawCopy, qxl.DrawBlend:
		r.source(d)
		r.rop(d)
	case qxl.DrawCopyBits:
		d.SrcPos = s.point("point ")
	case qxl.DrawBlackness, qxl.DrawWhiteness, qxl.DrawInvers:
		d.Mask = r.mask(d)
	case qxl.DrawRop3:
		r.source(d)
		d.Brush = r.brush(d)
		d.Rop3 = s.fieldU8("rop3 ")
		d.Scale = s.fieldU8("scale_mode ")
		d.Mask = r.mask(d)
	case qxl.DrawStroke:
		r.stroke(d, ch)
	case qxl.DrawText:
		r.text(d, ch)
	case qxl.DrawTransparent:
		r.source(d)
		d.SrcColor = s.fieldU32("src_color ")
		d.TrueColor = s.fieldU32("true_color ")
	case qxl.DrawAlphaBlend:
		d.AlphaFlags = uint8(s.fieldU16("alpha_flags "))
		d.Alpha = s.fieldU8("alpha ")
		r.source(d)
	case qxl.DrawComposite:
		r.composite(d)
	default:
		s.failf("unknown drawable type %d", d.Type)
	}
}

// source scans the source image and its area.
func (r *Reader) source(d *qxl.Drawable) {
	d.Src = r.image(d)
	d.SrcArea = r.s.rect("rect src_area ")
}

// rop scans raster operation, scale mode and mask.
func (r *Reader) rop(d *qxl.Drawable) {
	d.Rop = r.s.fieldU16("rop_descriptor ")
	d.Scale = r.s.fieldU8("scale_mode ")
	d.Mask = r.mask(d)
}

func (r *Reader) stroke(d *qxl.Drawable, ch *Chunks) {
	s := &r.s
	var data []byte
	data, ch.Path = r.joined(ch.Path)
	s.path(d, data)
	d.Line.Flags = s.fieldU8("attr.flags ")
	if d.Line.Flags&qxl.LineStyled != 0 {
		n := int(s.fieldU8("attr.style_nseg "))
		s.style(&d.Line, n, r.binary())
	}
	d.Brush = r.brush(d)
	d.Rop = s.fieldU16("fore_mode ")
	d.BackRop = s.fieldU16("back_mode ")
}

func (r *Reader) text(d *qxl.Drawable, ch *Chunks) {
	s := &r.s
	s.fieldU32("data_size ") // the chunks say it again
	length := int(s.fieldU16("length "))
	flags := s.fieldU16("flags ")
	var data []byte
	data, ch.Text = r.joined(ch.Text)
	s.glyphs(&d.Text, length, flags, data)
	d.BackArea = s.rect("rect back_area ")
	d.Brush = r.brush(d)
	d.BackBrush = r.brush(d)
	d.Rop = s.fieldU16("fore_mode ")
	d.BackRop = s.fieldU16("back_mode ")
}

const compositeHas = qxl.CompositeHasMask | qxl.CompositeHasSrcTransform | qxl.CompositeHasMaskTransf

// composite scans the parts whose presence the "has" flags tell.
func (r *Reader) composite(d *qxl.Drawable) {
	s := &r.s
	d.CompositeFlags = s.fieldU32("flags ") &^ compositeHas
	d.Src = r.image(d)
	if s.fieldBool("src_transform ") {
		d.CompositeFlags |= qxl.CompositeHasSrcTransform
		s.transform(&d.SrcTransform, r.binary())
	}
	if s.fieldBool("mask ") {
		d.Mask.Image = r.image(d)
		if d.Mask.Image != qxl.NoImage {
			d.CompositeFlags |= qxl.CompositeHasMask
		}
	}
	if s.fieldBool("mask_transform ") {
		d.CompositeFlags |= qxl.CompositeHasMaskTransf
		s.transform(&d.MaskTransform, r.binary())
	}
	x, y := s.point16("src_origin ")
	d.SrcPos = regions.Point{X: int32(x), Y: int32(y)}
	x, y = s.point16("mask_origin ")
	d.MaskPos = regions.Point{X: int32(x), Y: int32(y)}
}

func (r *Reader) clip(c *qxl.Clip, ch *Chunks) {
	s := &r.s
	c.Type = qxl.ClipType(s.fieldU8("type "))
	if c.Type != qxl.ClipRects {
		return
	}
	n := s.fieldU32("num_rects ")
	var data []byte
	data, ch.Clip = r.joined(ch.Clip)
	s.clipRects(c, n, data)
}

func (r *Reader) brush(d *qxl.Drawable) qxl.Brush {
	s := &r.s
	b := qxl.Brush{Type: qxl.BrushType(s.fieldU8("type ")), Image: qxl.NoImage}
	switch b.Type {
	case qxl.BrushSolid:
		b.Color = s.fieldU32("u.color ")
	case qxl.BrushPattern:
		b.Image = r.image(d)
		b.Pos = s.point("point ")
	}
	return b
}

func (r *Reader) mask(d *qxl.Drawable) qxl.Mask {
	flags := r.s.fieldU8("flags ")
	pos := r.s.point("point ")
	return qxl.Mask{Flags: flags, Pos: pos, Image: r.image(d)}
}

// image scans an optional image into d.Images.
func (r *Reader) image(d *qxl.Drawable) int8 {
	s := &r.s
	if !s.fieldBool("image ") || s.err != nil {
		return qxl.NoImage
	}
	im, index := d.NewImage()
	im.ID = s.fieldU64("descriptor.id ")
	im.Type = qxl.ImageType(s.fieldU8("descriptor.type "))
	im.Flags = s.fieldU8("descriptor.flags ")
	im.Width = s.fieldU32("descriptor.width ")
	im.Height = s.fieldU32("descriptor.height ")
	switch im.Type {
	case qxl.ImageBitmap:
		r.bitmap(im)
	case qxl.ImageSurface:
		im.Surface = s.fieldU32("surface_image.surface_id ")
	case qxl.ImageQUIC:
		s.fieldU32("quic.data_size ") // the chunks say it again
		r.chunks(&im.Data)
	default:
		s.failf("image type %d is none of a guest's", im.Type)
	}
	return index
}

func (r *Reader) bitmap(im *qxl.Image) {
	s := &r.s
	im.Format = qxl.BitmapFormat(s.fieldU8("bitmap.format "))
	im.BitFlags = s.fieldU8("bitmap.flags ")
	im.X = s.fieldU32("bitmap.x ")
	im.Y = s.fieldU32("bitmap.y ")
	im.Stride = s.fieldU32("bitmap.stride ")
	if im.HasPalette = s.fieldBool("has_palette "); im.HasPalette {
		n := s.fieldU16("qp.num_ents ")
		im.Palette.Unique = s.fieldU64("unique ")
		for ; n > 0 && s.err == nil; n-- {
			im.Palette.Entries = append(im.Palette.Entries, s.fieldU32("ents "))
		}
	}
	if im.BitFlags&qxl.BitmapDirect != 0 {
		im.Data.Append(r.binary())
		return
	}
	r.chunks(&im.Data)
}
