package qxl

import (
	"math"

	"github.com/spiceecs/spiceecs/regions"
)

// Drawable decodes a CommandDraw, of either layout. What depends on surfaces is
// left to the caller: that Surface, Deps and surface images exist, that BBox and
// SelfBitmapArea lie inside, and the bounds of DepRects (any rectangles) and of
// SrcArea in images that are not bitmaps.
func (d *Decoder) Drawable(dst *Drawable, c Command) error {
	dst.Reset()
	var err error
	if c.Flags&FlagCompat != 0 {
		err = d.compatHead(dst, c)
	} else {
		err = d.nativeHead(dst, c)
	}
	if err != nil {
		return err
	}
	switch {
	case dst.Type >= drawTypes, dst.Type == DrawComposite && c.Flags&FlagCompat != 0:
		return d.refuse(ReasonDrawType, uint64(dst.Type))
	case dst.Effect > EffectOpaqueBrush:
		return d.refuse(ReasonEffect, uint64(dst.Effect))
	case !ordered(dst.BBox):
		return d.refuse(ReasonBBox, 0)
	case dst.SelfBitmap && !ordered(dst.SelfBitmapArea):
		return d.refuse(ReasonSelfBitmapArea, 0)
	}
	for _, s := range dst.Deps {
		if s < -1 {
			return d.refuse(ReasonDependency, uint64(uint32(s)))
		}
	}
	return d.operation(dst)
}

// nativeHead reads what precedes the operation.
func (d *Decoder) nativeHead(dst *Drawable, c Command) error {
	v, err := d.begin(c, sizeDrawable, &dst.Resource)
	if err != nil {
		return err
	}
	dst.Surface, dst.Effect, dst.Type = v.u32(8), Effect(v.u8(12)), DrawType(v.u8(13))
	dst.SelfBitmap, dst.SelfBitmapArea = v.u8(14) != 0, v.rect(15)
	dst.BBox, dst.MMTime = v.rect(31), v.u32(59)
	for i := range dst.Deps {
		dst.Deps[i], dst.DepRects[i] = v.i32(63+4*i), v.rect(75+16*i)
	}
	return d.clip(&dst.Clip, v, 47)
}

// compatHead is nativeHead for the first QXL device, which had the primary
// surface only.
func (d *Decoder) compatHead(dst *Drawable, c Command) error {
	v, err := d.begin(c, sizeCompatDrawable, &dst.Resource)
	if err != nil {
		return err
	}
	dst.Effect, dst.Type = Effect(v.u8(8)), DrawType(v.u8(9))
	dst.SelfBitmap, dst.SelfBitmapArea = v.u16(10) != 0, v.rect(12)
	dst.BBox, dst.MMTime = v.rect(28), v.u32(56)
	return d.clip(&dst.Clip, v, 44)
}

// operation reads the last part of a drawable, whose layout its type decides.
func (d *Decoder) operation(dst *Drawable) error {
	compat := d.cmd.Flags&FlagCompat != 0
	u := view(d.top[sizeDrawable-sizeUnion : sizeDrawable])
	if compat {
		u = d.top[sizeCompatDrawable-sizeUnion : sizeCompatDrawable]
	}
	switch dst.Type {
	case DrawFill:
		dst.Rop = u.u16(20)
		return d.brushAndMask(dst, u, 0, 22)
	case DrawOpaque:
		dst.Rop, dst.Scale = u.u16(44), u.u8(46)
		if err := d.source(dst, u, 0, 8); err != nil {
			return err
		}
		return d.brushAndMask(dst, u, 24, 47)
	case DrawRop3:
		dst.Rop3, dst.Scale = u.u8(44), u.u8(45)
		if err := d.source(dst, u, 0, 8); err != nil {
			return err
		}
		return d.brushAndMask(dst, u, 24, 46)
	case DrawCopy, DrawBlend:
		// A copy of the target cannot be the source here, whatever the driver says.
		dst.SelfBitmap = false
		dst.Rop, dst.Scale = u.u16(24), u.u8(26)
		if err := d.source(dst, u, 0, 8); err != nil {
			return err
		}
		return d.mask(dst, u, 27)
	case DrawCopyBits:
		return d.copyBits(dst, u, compat)
	case DrawBlackness, DrawWhiteness, DrawInvers:
		return d.mask(dst, u, 0)
	case DrawStroke:
		return d.stroke(dst, u)
	case DrawText:
		return d.text(dst, u)
	case DrawTransparent:
		dst.SrcColor, dst.TrueColor = u.u32(24), u.u32(28)
		return d.source(dst, u, 0, 8)
	case DrawAlphaBlend:
		if compat {
			dst.Alpha = u.u8(0)
			return d.source(dst, u, 1, 9)
		}
		dst.AlphaFlags, dst.Alpha = uint8(u.u16(0)), u.u8(2)
		return d.source(dst, u, 3, 11)
	case DrawComposite:
		return d.composite(dst, u)
	}
	return nil
}

// source reads the source image and the area of it that is drawn. Without an
// image, the drawable has to have a copy of its target as its source.
func (d *Decoder) source(dst *Drawable, u view, image, area int) error {
	var err error
	if dst.Src, err = d.readImage(dst, u.phys(image), false); err != nil {
		return err
	}
	dst.SrcArea = u.rect(area)
	if !ordered(dst.SrcArea) {
		return d.refuse(ReasonSourceArea, 0)
	}
	w, h := int64(math.MaxInt32), int64(math.MaxInt32)
	switch im := dst.Image(dst.Src); {
	case im == nil && !dst.SelfBitmap:
		return d.refuse(ReasonNoSource, 0)
	case im == nil:
		w, h = int64(dst.SelfBitmapArea.Width()), int64(dst.SelfBitmapArea.Height())
	case im.Type == ImageBitmap:
		w, h = int64(im.X), int64(im.Y)
	}
	if int64(dst.SrcArea.Right) > w || int64(dst.SrcArea.Bottom) > h {
		return d.refuse(ReasonSourceArea, uint64(w)<<32|uint64(h))
	}
	return nil
}

// copyBits reads where the box is copied from. The box has no negative edge,
// so that its size fits; the source's far corner has to fit as well.
func (d *Decoder) copyBits(dst *Drawable, u view, compat bool) error {
	dst.SrcPos = u.point(0)
	w, h := dst.BBox.Width(), dst.BBox.Height()
	if int64(dst.SrcPos.X)+int64(w) > math.MaxInt32 || int64(dst.SrcPos.Y)+int64(h) > math.MaxInt32 {
		return d.refuse(ReasonCoordinate, u.u64(0))
	}
	if compat {
		dst.Deps[0], dst.DepRects[0] = 0, regions.XYWH(dst.SrcPos.X, dst.SrcPos.Y, w, h)
	}
	return nil
}

// composite reads the images of a blend and their transforms. The flags that
// announce optional parts follow from the pointers, not from the guest's bits.
func (d *Decoder) composite(dst *Drawable, u view) error {
	const optional = CompositeHasMask | CompositeHasSrcTransform | CompositeHasMaskTransf
	dst.CompositeFlags = u.u32(0) &^ optional
	dst.SrcPos, dst.MaskPos = u.point16(36), u.point16(40)
	var err error
	if dst.Src, err = d.readImage(dst, u.phys(4), false); err != nil {
		return err
	}
	if dst.Src == NoImage && !dst.SelfBitmap {
		return d.refuse(ReasonNoSource, 0)
	}
	if addr := u.phys(12); addr != 0 {
		dst.CompositeFlags |= CompositeHasSrcTransform
		if err := d.transform(&dst.SrcTransform, addr); err != nil {
			return err
		}
	}
	if dst.Mask.Image, err = d.readImage(dst, u.phys(20), false); err != nil || dst.Mask.Image == NoImage {
		return err
	}
	dst.CompositeFlags |= CompositeHasMask
	if addr := u.phys(28); addr != 0 {
		dst.CompositeFlags |= CompositeHasMaskTransf
		return d.transform(&dst.MaskTransform, addr)
	}
	return nil
}

func (d *Decoder) transform(dst *Transform, addr PHYS) error {
	v, err := d.read(d.small[:sizeTransform], addr)
	if err != nil {
		return err
	}
	for i := range dst {
		dst[i] = v.i32(4 * i)
	}
	return nil
}

// brushAndMask is the part that fill, opaque and rop3 have in common.
func (d *Decoder) brushAndMask(dst *Drawable, u view, brush, mask int) error {
	var err error
	if dst.Brush, err = d.brush(dst, u, brush); err != nil {
		return err
	}
	return d.mask(dst, u, mask)
}

func (d *Decoder) brush(dst *Drawable, u view, at int) (Brush, error) {
	b := Brush{Image: NoImage}
	switch t := u.u32(at); t {
	case uint32(BrushNone):
	case uint32(BrushSolid):
		b.Type, b.Color = BrushSolid, d.color(u.u32(at+4))
	case uint32(BrushPattern):
		var err error
		if b.Image, err = d.readImage(dst, u.phys(at+4), false); err != nil {
			return b, err
		}
		if b.Image == NoImage {
			return b, d.refuse(ReasonBrushImage, 0)
		}
		b.Type = BrushPattern
		b.Pos, err = d.position(u, at+12)
		return b, err
	default:
		return b, d.refuse(ReasonBrushType, uint64(t))
	}
	return b, nil
}

// mask reads the one-bit image that limits the drawing. Flags and position
// mean nothing without it.
func (d *Decoder) mask(dst *Drawable, u view, at int) error {
	var err error
	if dst.Mask.Image, err = d.readImage(dst, u.phys(at+9), true); err != nil || dst.Mask.Image == NoImage {
		return err
	}
	dst.Mask.Flags = u.u8(at) & MaskInvers
	dst.Mask.Pos, err = d.position(u, at+1)
	return err
}

// position reads a point of moderate coordinates.
func (d *Decoder) position(v view, at int) (regions.Point, error) {
	p := v.point(at)
	if p.X < -MaxCoordinate || p.X > MaxCoordinate || p.Y < -MaxCoordinate || p.Y > MaxCoordinate {
		return p, d.refuse(ReasonCoordinate, v.u64(at))
	}
	return p, nil
}

// color is a solid colour or palette entry of the command's format.
func (d *Decoder) color(c uint32) uint32 {
	if d.cmd.Flags&FlagCompat16bpp != 0 {
		return expand555(c)
	}
	return c
}
