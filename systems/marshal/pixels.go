package marshal

import (
	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
	"github.com/spiceecs/spiceecs/systems/encode"
)

// A copy of part of a surface travels as an image in the surface's format. There is
// none for surfaces of 1 bit, and clients' canvases convert no other to it. But they
// all know masks, which have a bit for each pixel: so the area is made 0, and then
// 1 where a mask of the pixels says so.

// planPixels plans a copy of part of a surface.
func (m *Marshaller) planPixels(st *State, item *components.PipeItem) {
	st.pixels = append(st.pixels, item.Pixels)
	if qxl.SurfaceFormat(item.Format) == qxl.Surface1A {
		blank, ones := st.command(), st.command()
		areaCommand(blank, qxl.DrawBlackness, item)
		areaCommand(ones, qxl.DrawWhiteness, item)
		ones.Mask.Image = m.pixelImage(ones, item, qxl.Bitmap1BitLE)
		m.planCommand(st, item, blank)
		m.planCommand(st, item, ones, encode.Form{})
		return
	}
	cmd := st.command()
	m.pixelCommand(cmd, item)
	m.planCommand(st, item, cmd, m.encoder.Pixels(&st.Client, &cmd.Images[0], false))
}

// planCommand plans a command made for an item, whose images get these forms.
func (m *Marshaller) planCommand(st *State, item *components.PipeItem, cmd *qxl.Drawable, forms ...encode.Form) {
	st.plan = append(st.plan, planned{item: *item, cmd: cmd, first: int32(len(st.forms)), n: int32(len(forms))})
	st.forms = append(st.forms, forms...)
	m.note(st, cmd, false)
}

// pixelCommand makes the command that carries a copy of part of a surface.
func (m *Marshaller) pixelCommand(d *qxl.Drawable, item *components.PipeItem) {
	areaCommand(d, qxl.DrawCopy, item)
	d.SrcArea = regions.Rect{Right: item.Area.Width(), Bottom: item.Area.Height()}
	d.Rop, d.Scale = qxl.RopPut, qxl.ScaleNearest
	format, flags := bitmapOf(qxl.SurfaceFormat(item.Format), item.Primary, *m.scene.Pixels.Get(item.Pixels))
	d.Src = m.pixelImage(d, item, format)
	d.Images[d.Src].Flags = flags
}

// areaCommand makes a command that draws on an item's area.
func areaCommand(d *qxl.Drawable, t qxl.DrawType, item *components.PipeItem) {
	d.Reset()
	d.Type, d.Effect, d.Surface, d.BBox = t, qxl.EffectOpaque, item.Surface, item.Area
}

// pixelImage makes an item's pixels an image of a command, and returns its index.
func (m *Marshaller) pixelImage(d *qxl.Drawable, item *components.PipeItem, format qxl.BitmapFormat) int8 {
	pix := *m.scene.Pixels.Get(item.Pixels)
	im, i := d.NewImage()
	im.ID, im.Format, im.BitFlags = m.scene.NextImageID(), format, qxl.BitmapTopDown
	im.Width, im.Height = uint32(item.Area.Width()), uint32(item.Area.Height())
	im.X, im.Y, im.Stride = im.Width, im.Height, uint32(len(pix))/im.Height
	im.Data.Append(pix)
	return i
}

// bitmapOf names the layout in which a surface's pixels travel. High bytes of
// an off-screen surface may be alpha, and must arrive.
func bitmapOf(f qxl.SurfaceFormat, primary bool, pix []byte) (qxl.BitmapFormat, uint8) {
	switch f {
	case qxl.Surface32ARGB:
		return qxl.BitmapRGBA, 0
	case qxl.Surface8A:
		return qxl.Bitmap8BitA, 0
	case qxl.Surface16x555:
		return qxl.Bitmap16Bit, 0
	case qxl.Surface32xRGB:
		if primary {
			break
		}
		zero, ones := highBytes(pix)
		switch {
		case ones:
			return qxl.Bitmap32Bit, qxl.ImageHighBitsSet
		case !zero:
			return qxl.BitmapRGBA, 0
		}
	}
	return qxl.Bitmap32Bit, 0
}

// highBytes reports whether all high bytes of 32-bit pixels are 0, or all 0xff.
func highBytes(pix []byte) (zero, ones bool) {
	or, and := byte(0), byte(0xff)
	for i := 3; i < len(pix); i += 4 {
		or |= pix[i]
		and &= pix[i]
	}
	return or == 0, and == 0xff
}
