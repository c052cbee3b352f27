package record

import (
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/guest"
)

func (w *Writer) primary(p *qxl.PrimarySurface) {
	w.i32(int32(p.Width), ' ')
	w.i32(int32(p.Height), ' ')
	w.i32(p.Stride, ' ')
	w.i32(int32(p.Format), '\n')
	w.i32(int32(p.Position), ' ')
	mode := int32(0)
	if p.MouseMode {
		mode = 1
	}
	w.i32(mode, ' ')
	w.i32(int32(p.Flags), ' ')
	w.i32(int32(p.Type), '\n')
	w.bin("data", p.Memory)
}

func (w *Writer) update(u *qxl.UpdateCommand) {
	w.str("update\n")
	w.rect("rect area ", u.Area)
	w.field("update_id ", u.UpdateID)
	w.field("surface_id ", u.Surface)
}

func (w *Writer) surface(c *qxl.SurfaceCommand) {
	w.str("surface_cmd\n")
	w.field("surface_id ", c.Surface)
	w.field("type ", uint32(c.Action))
	w.field("flags ", c.Flags)
	if c.Action != qxl.SurfaceCreate {
		return
	}
	w.field("u.surface_create.format ", uint32(c.Format))
	w.field("u.surface_create.width ", c.Width)
	w.field("u.surface_create.height ", c.Height)
	w.field("u.surface_create.stride ", uint32(c.Stride))
	if c.Flags&qxl.SurfaceKeepData != 0 {
		w.bin("data", c.Memory)
	}
}

func (w *Writer) cursor(c *qxl.CursorCommand, ch *Chunks) {
	w.str("cursor_cmd\n")
	w.field("type ", uint32(c.Action))
	switch c.Action {
	case qxl.CursorSet:
		w.point("point16 ", int32(c.X), int32(c.Y))
		w.bool("u.set.visible ", c.Visible)
		sh := &c.Shape
		w.str("header.unique ")
		w.u64(sh.Unique)
		w.field("header.type ", uint32(sh.Type))
		w.field("header.width ", uint32(sh.Width))
		w.field("header.height ", uint32(sh.Height))
		w.field("header.hot_spot_x ", uint32(sh.HotX))
		w.field("header.hot_spot_y ", uint32(sh.HotY))
		w.field("data_size ", uint32(len(sh.Data)))
		w.list("cursor", sh.Data, ch.Cursor)
	case qxl.CursorMove:
		w.point("point16 ", int32(c.X), int32(c.Y))
	case qxl.CursorTrail:
		w.field("u.trail.length ", uint32(c.TrailLength))
		w.field("u.trail.frequency ", uint32(c.TrailFrequency))
	}
}

func (w *Writer) drawable(d *qxl.Drawable, ch *Chunks) {
	w.str("drawable\n")
	w.rect("rect bbox ", d.BBox)
	w.field("type ", uint32(d.Clip.Type))
	if d.Clip.Type == qxl.ClipRects {
		w.field("num_rects ", uint32(len(d.Clip.Rects)))
		w.scratch = guest.AppendRects(w.scratch[:0], d.Clip.Rects)
		w.list("clip_rects", w.scratch, ch.Clip)
	}
	w.field("effect ", uint32(d.Effect))
	w.field("mm_time ", d.MMTime)
	w.bool("self_bitmap ", d.SelfBitmap)
	w.rect("rect self_bitmap_area ", d.SelfBitmapArea)
	w.field("surface_id ", d.Surface)
	for i, dep := range d.Deps {
		w.field("surfaces_dest ", uint32(dep))
		w.rect("rect surfaces_rects ", d.DepRects[i])
	}
	w.field("type ", uint32(d.Type))
	w.operation(d, ch)
}

func (w *Writer) operation(d *qxl.Drawable, ch *Chunks) {
	switch d.Type {
	case qxl.DrawFill:
		w.brush(d, d.Brush)
		w.field("rop_descriptor ", uint32(d.Rop))
		w.mask(d)
	case qxl.DrawOpaque:
		w.source(d)
		w.brush(d, d.Brush)
		w.rop(d)
	case qxl.DrawCopy, qxl.DrawBlend:
		w.source(d)
		w.rop(d)
	case qxl.DrawCopyBits:
		w.point("point ", d.SrcPos.X, d.SrcPos.Y)
	case qxl.DrawBlackness, qxl.DrawWhiteness, qxl.DrawInvers:
		w.mask(d)
	case qxl.DrawRop3:
		w.source(d)
		w.brush(d, d.Brush)
		w.field("rop3 ", uint32(d.Rop3))
		w.field("scale_mode ", uint32(d.Scale))
		w.mask(d)
	case qxl.DrawStroke:
		w.stroke(d, ch)
	case qxl.DrawText:
		w.text(d, ch)
	case qxl.DrawTransparent:
		w.source(d)
		w.field("src_color ", d.SrcColor)
		w.field("true_color ", d.TrueColor)
	case qxl.DrawAlphaBlend:
		w.field("alpha_flags ", uint32(d.AlphaFlags))
		w.field("alpha ", uint32(d.Alpha))
		w.source(d)
	case qxl.DrawComposite:
		w.composite(d)
	}
}

func (w *Writer) source(d *qxl.Drawable) {
	w.image(d, d.Src)
	w.rect("rect src_area ", d.SrcArea)
}

func (w *Writer) rop(d *qxl.Drawable) {
	w.field("rop_descriptor ", uint32(d.Rop))
	w.field("scale_mode ", uint32(d.Scale))
	w.mask(d)
}

func (w *Writer) stroke(d *qxl.Drawable, ch *Chunks) {
	w.scratch = guest.AppendPath(w.scratch[:0], d)
	w.list("path", w.scratch, ch.Path)
	w.field("attr.flags ", uint32(d.Line.Flags))
	if d.Line.Flags&qxl.LineStyled != 0 {
		w.field("attr.style_nseg ", uint32(len(d.Line.Style)))
		w.scratch = guest.AppendInts(w.scratch[:0], d.Line.Style)
		w.bin("style", w.scratch)
	}
	w.brush(d, d.Brush)
	w.field("fore_mode ", uint32(d.Rop))
	w.field("back_mode ", uint32(d.BackRop))
}

func (w *Writer) text(d *qxl.Drawable, ch *Chunks) {
	w.scratch = guest.AppendString(w.scratch[:0], &d.Text)
	w.field("data_size ", uint32(len(w.scratch)))
	w.field("length ", uint32(len(d.Text.Glyphs)))
	w.field("flags ", uint32(d.Text.Flags))
	w.list("string", w.scratch, ch.Text)
	w.rect("rect back_area ", d.BackArea)
	w.brush(d, d.Brush)
	w.brush(d, d.BackBrush)
	w.field("fore_mode ", uint32(d.Rop))
	w.field("back_mode ", uint32(d.BackRop))
}

func (w *Writer) composite(d *qxl.Drawable) {
	w.field("flags ", d.CompositeFlags&^compositeHas)
	w.image(d, d.Src)
	w.transform("src_transform ", d.CompositeFlags&qxl.CompositeHasSrcTransform != 0, &d.SrcTransform)
	w.bool("mask ", d.Image(d.Mask.Image) != nil)
	if d.Image(d.Mask.Image) != nil {
		w.image(d, d.Mask.Image)
	}
	w.transform("mask_transform ", d.CompositeFlags&qxl.CompositeHasMaskTransf != 0, &d.MaskTransform)
	w.point("src_origin ", d.SrcPos.X, d.SrcPos.Y)
	w.point("mask_origin ", d.MaskPos.X, d.MaskPos.Y)
}

func (w *Writer) transform(name string, has bool, t *qxl.Transform) {
	w.bool(name, has)
	if !has {
		return
	}
	w.scratch = guest.AppendInts(w.scratch[:0], t[:])
	w.bin("transform", w.scratch)
}

func (w *Writer) brush(d *qxl.Drawable, b qxl.Brush) {
	w.field("type ", uint32(b.Type))
	switch b.Type {
	case qxl.BrushSolid:
		w.field("u.color ", b.Color)
	case qxl.BrushPattern:
		w.image(d, b.Image)
		w.point("point ", b.Pos.X, b.Pos.Y)
	}
}

func (w *Writer) mask(d *qxl.Drawable) {
	w.field("flags ", uint32(d.Mask.Flags))
	w.point("point ", d.Mask.Pos.X, d.Mask.Pos.Y)
	w.image(d, d.Mask.Image)
}

func (w *Writer) image(d *qxl.Drawable, index int8) {
	im := d.Image(index)
	w.bool("image ", im != nil)
	if im == nil {
		return
	}
	w.str("descriptor.id ")
	w.u64(im.ID)
	w.field("descriptor.type ", uint32(im.Type))
	w.field("descriptor.flags ", uint32(im.Flags))
	w.field("descriptor.width ", im.Width)
	w.field("descriptor.height ", im.Height)
	switch im.Type {
	case qxl.ImageBitmap:
		w.bitmap(im)
	case qxl.ImageSurface:
		w.field("surface_image.surface_id ", im.Surface)
	case qxl.ImageQUIC:
		w.field("quic.data_size ", uint32(im.Data.Size))
		w.blob("quic.data", &im.Data)
	}
}

func (w *Writer) bitmap(im *qxl.Image) {
	w.field("bitmap.format ", uint32(im.Format))
	w.field("bitmap.flags ", uint32(im.BitFlags))
	w.field("bitmap.x ", im.X)
	w.field("bitmap.y ", im.Y)
	w.field("bitmap.stride ", im.Stride)
	w.bool("has_palette ", im.HasPalette)
	if im.HasPalette {
		w.field("qp.num_ents ", uint32(len(im.Palette.Entries)))
		w.str("unique ")
		w.u64(im.Palette.Unique)
		for _, e := range im.Palette.Entries {
			w.field("ents ", e)
		}
	}
	if im.BitFlags&qxl.BitmapDirect == 0 {
		w.blob("bitmap.data", &im.Data)
		return
	}
	w.binHead("image_data_flat", im.Data.Size)
	for _, c := range im.Data.Chunks {
		w.raw(c)
	}
	w.str("\n")
}
