package qxl

import (
	"math"
	"testing"

	"github.com/spiceecs/spiceecs/regions"
)

// refusal builds a bad drawable in g.
type refusal struct {
	name   string
	reason Reason
	build  func(g *guest, p parts) draw
}

// as is a drawable with the test's box.
func as(t DrawType, op *asm) draw {
	return draw{typ: t, bbox: testBox, deps: [3]int32{-1, -1, -1}, op: op}
}

func copyOf(image PHYS, area regions.Rect) draw {
	return as(DrawCopy, new(asm).phys(image).rect(area).u16(RopPut).u8(0).asm(noMask()))
}

// copyBitmap is a copy from a bitmap that is good but for what change does.
func copyBitmap(change func(g *guest, b *bitmap)) func(*guest, parts) draw {
	return func(g *guest, p parts) draw {
		b := bitmap{bitFlags: BitmapDirect, format: Bitmap32Bit, w: 4, h: 6, stride: 16, data: g.at(0)}
		change(g, &b)
		return copyOf(g.put(b.asm()), testArea)
	}
}

// copyChunks is a copy from a 4x6 bitmap of 96 bytes with data at the address.
func copyChunks(data func(g *guest) PHYS) func(*guest, parts) draw {
	return copyBitmap(func(g *guest, b *bitmap) { b.bitFlags, b.data = 0, data(g) })
}

func quicOf(w, h, size uint32, stream []byte) func(*guest, parts) draw {
	return func(g *guest, p parts) draw {
		return copyOf(g.chunked(new(asm).u64(0).u8(uint8(ImageQUIC), 0).u32(w, h, size), stream, make([]byte, 30)), testArea)
	}
}

func strokeOf(path []byte) func(*guest, parts) draw {
	return func(g *guest, p parts) draw {
		return as(DrawStroke, new(asm).phys(g.chunked(new(asm).u32(0), path)).zero(20).asm(solid(0)).u16(RopPut, 0))
	}
}

func styled(n uint8, style func(g *guest) PHYS) func(*guest, parts) draw {
	return func(g *guest, p parts) draw {
		return as(DrawStroke, new(asm).phys(p.path).u8(LineStyled, 0, 0, n).i32(0, 0).phys(style(g)).asm(solid(0)).u16(RopPut, 0))
	}
}

func textOf(size uint32, length, flags uint16, glyphs ...[]byte) func(*guest, parts) draw {
	return func(g *guest, p parts) draw {
		str := g.chunked(new(asm).u32(size).u16(length, flags), glyphs...)
		return as(DrawText, new(asm).phys(str).zero(16).asm(solid(0)).asm(noBrush()).u16(RopPut, 0))
	}
}

func clipOf(count uint32, rects []byte) func(*guest, parts) draw {
	return func(g *guest, p parts) draw {
		d := as(DrawFill, nil)
		d.clipType, d.clip = uint32(ClipRects), g.chunked(new(asm).u32(count), rects)
		return d
	}
}

func fillWith(brush, mask func(g *guest, p parts) *asm) func(*guest, parts) draw {
	return func(g *guest, p parts) draw {
		b, m := solid(0), noMask()
		if brush != nil {
			b = brush(g, p)
		}
		if mask != nil {
			m = mask(g, p)
		}
		return as(DrawFill, new(asm).asm(b).u16(RopPut).asm(m))
	}
}

func changed(change func(d *draw)) func(*guest, parts) draw {
	return func(*guest, parts) draw {
		d := as(DrawNOP, nil)
		change(&d)
		return d
	}
}

var farAway = regions.Rect{Right: math.MaxInt32, Bottom: math.MaxInt32}

var drawRefusals = []refusal{
	{"type", ReasonDrawType, changed(func(d *draw) { d.typ = drawTypes })},
	{"effect", ReasonEffect, changed(func(d *draw) { d.effect = 8 })},
	{"box reversed", ReasonBBox, changed(func(d *draw) { d.bbox = regions.Rect{Left: 5, Right: 4, Bottom: 1} })},
	{"box negative", ReasonBBox, changed(func(d *draw) { d.bbox = regions.Rect{Top: -1, Right: 4, Bottom: 1} })},
	{"self area", ReasonSelfBitmapArea, changed(func(d *draw) { d.self, d.selfArea = 1, regions.Rect{Left: -1} })},
	{"dependency", ReasonDependency, changed(func(d *draw) { d.deps[2] = -2 })},
	{"copy bits from afar", ReasonCoordinate, func(*guest, parts) draw { return as(DrawCopyBits, new(asm).i32(0, math.MaxInt32)) }},

	{"clip type", ReasonClipType, changed(func(d *draw) { d.clipType = 2 })},
	{"clip nowhere", ReasonRange, changed(func(d *draw) { d.clipType = 1; d.clip = PHYS(guestSlot<<56 | 5<<48) })},
	{"clip of no slot", ReasonSlot, changed(func(d *draw) { d.clipType = 1; d.clip = math.MaxUint64 })},
	{"clip count", ReasonClipCount, clipOf(MaxClipRects+1, make([]byte, 32))},
	{"clip too short", ReasonClipSize, clipOf(3, make([]byte, 32))},
	{"clip too long", ReasonClipSize, clipOf(1, make([]byte, 32))},

	{"copy without source", ReasonNoSource, func(*guest, parts) draw { return copyOf(0, testArea) }},
	{"composite without source", ReasonNoSource, func(*guest, parts) draw { return as(DrawComposite, nil) }},
	{"copy of self", ReasonNoSource, func(*guest, parts) draw { d := copyOf(0, regions.Rect{}); d.self = 1; return d }},
	{"source reversed", ReasonSourceArea, func(g *guest, p parts) draw { return copyOf(p.rgb, regions.Rect{Left: 2, Right: 1}) }},
	{"source negative", ReasonSourceArea, func(g *guest, p parts) draw { return copyOf(p.surface, regions.Rect{Left: -1, Right: 1}) }},
	{"source too wide", ReasonSourceArea, func(g *guest, p parts) draw { return copyOf(p.rgb, regions.Rect{Right: 5, Bottom: 6}) }},
	{"source too high", ReasonSourceArea, func(g *guest, p parts) draw { return copyOf(p.rgb, regions.Rect{Right: 4, Bottom: 7}) }},
	{"alpha too wide", ReasonSourceArea, func(g *guest, p parts) draw {
		return as(DrawAlphaBlend, new(asm).u16(0).u8(255).phys(p.rgb).rect(farAway))
	}},
	{"transparent too wide", ReasonSourceArea, func(g *guest, p parts) draw {
		return as(DrawTransparent, new(asm).phys(p.rgb).rect(farAway).u32(0, 0))
	}},
	{"rop3 too wide", ReasonSourceArea, func(g *guest, p parts) draw {
		return as(DrawRop3, new(asm).phys(p.rgb).rect(farAway).asm(noBrush()).u8(0, 0).asm(noMask()))
	}},
	{"opaque too wide", ReasonSourceArea, func(g *guest, p parts) draw {
		return as(DrawOpaque, new(asm).phys(p.rgb).rect(farAway).asm(noBrush()).u16(0).u8(0).asm(noMask()))
	}},

	{"brush type", ReasonBrushType, fillWith(func(*guest, parts) *asm { return new(asm).u32(3).zero(16) }, nil)},
	{"brush type high bits", ReasonBrushType, fillWith(func(*guest, parts) *asm { return new(asm).u32(257).zero(16) }, nil)},
	{"brush image", ReasonBrushImage, fillWith(func(*guest, parts) *asm { return pattern(0, 0, 0) }, nil)},
	{"brush position", ReasonCoordinate, fillWith(func(g *guest, p parts) *asm { return pattern(p.rgb, MaxCoordinate+1, 0) }, nil)},
	{"mask position", ReasonCoordinate, fillWith(nil, func(g *guest, p parts) *asm { return masked(p.mask, 0, 0, math.MinInt32) })},
	{"mask with colours", ReasonMaskFormat, fillWith(nil, func(g *guest, p parts) *asm { return masked(p.rgb, 0, 0, 0) })},
	{"mask of quic", ReasonMaskFormat, fillWith(nil, func(g *guest, p parts) *asm { return masked(p.quic, 0, 0, 0) })},

	{"image type", ReasonImageType, func(g *guest, p parts) draw {
		return copyOf(g.put(new(asm).u64(0).u8(uint8(ImageLZRGB), 0).zero(38)), testArea)
	}},
	{"image at the end", ReasonRange, func(g *guest, p parts) draw { return copyOf(g.at(len(g.buf)-47), testArea) }},
	{"no width", ReasonImageSize, copyBitmap(func(g *guest, b *bitmap) { b.w = 0 })},
	{"no height", ReasonImageSize, copyBitmap(func(g *guest, b *bitmap) { b.h = 0 })},
	{"too many pixels", ReasonImageSize, copyBitmap(func(g *guest, b *bitmap) { b.w, b.h = 1<<14, 1<<13+1 })},
	{"more pixels than 64 bits", ReasonImageSize, copyBitmap(func(g *guest, b *bitmap) { b.w, b.h = math.MaxUint32, math.MaxUint32 })},
	{"format 0", ReasonBitmapFormat, copyBitmap(func(g *guest, b *bitmap) { b.format = 0 })},
	{"format 11", ReasonBitmapFormat, copyBitmap(func(g *guest, b *bitmap) { b.format = 11 })},
	{"stride", ReasonBitmapStride, copyBitmap(func(g *guest, b *bitmap) { b.stride = 15 })},
	{"palette", ReasonBitmapPalette, copyBitmap(func(g *guest, b *bitmap) { b.format = Bitmap8Bit })},
	{"palette at the end", ReasonRange, copyBitmap(func(g *guest, b *bitmap) { b.format, b.palette = Bitmap8Bit, g.at(len(g.buf)-9) })},
	{"palette past the end", ReasonRange, copyBitmap(func(g *guest, b *bitmap) {
		b.format, b.palette = Bitmap8Bit, g.at(len(g.buf)-19)
		g.buf[len(g.buf)-11] = 3 // entries, with room for two
	})},
	{"bitmap size", ReasonBitmapSize, copyBitmap(func(g *guest, b *bitmap) { b.stride = MaxImageBytes/6 + 1 })},
	{"stride times height past 64 bits", ReasonBitmapSize, copyBitmap(func(g *guest, b *bitmap) { b.w, b.h, b.stride = 1, 1<<27, math.MaxUint32 })},
	{"pixels at the end", ReasonRange, copyBitmap(func(g *guest, b *bitmap) { b.data = g.at(len(g.buf) - 95) })},

	{"chunks too few", ReasonBitmapData, copyChunks(func(g *guest) PHYS { return g.chunked(new(asm), make([]byte, 50), make([]byte, 45)) })},
	{"chunks too many", ReasonChunkBytes, copyChunks(func(g *guest) PHYS { return g.chunked(new(asm), make([]byte, 50), make([]byte, 47)) })},
	{"chunk enormous", ReasonChunkBytes, copyChunks(func(g *guest) PHYS { return g.put(new(asm).u32(math.MaxUint32).phys(0, 0)) })},
	{"chunk past the end", ReasonRange, copyChunks(func(g *guest) PHYS {
		copy(g.buf[len(g.buf)-20:], new(asm).u32(96).phys(0, 0).b)
		return g.at(len(g.buf) - 20)
	})},
	{"chunk list leaves memory", ReasonSlot, copyChunks(func(g *guest) PHYS { return g.put(new(asm).u32(1).phys(0, 1<<63).u8(0)) })},
	{"endless empty chunks", ReasonChunkCount, copyChunks(func(g *guest) PHYS { return cycle(g, 0) })},
	{"endless chunks", ReasonChunkBytes, copyChunks(func(g *guest) PHYS { return cycle(g, 1) })},
	{"quic sum", ReasonQUICData, quicOf(4, 4, 39, make([]byte, 10))},
	{"quic pixels", ReasonImageSize, quicOf(1<<20, 1<<20, 40, make([]byte, 10))},

	{"path count", ReasonPathData, strokeOf(new(asm).u32(0, 2).zero(15).b)},
	{"path count enormous", ReasonPathData, strokeOf(new(asm).u32(0, math.MaxUint32).zero(8).b)},
	{"path curve", ReasonPathBezier, strokeOf(new(asm).u32(PathBezier, 2).zero(16).b)},
	{"path curve at the beginning", ReasonPathBezier, strokeOf(new(asm).u32(PathBegin|PathBezier, 3).zero(24).b)},
	{"path length", ReasonChunkBytes, strokeOf(make([]byte, MaxPathBytes+1))},
	{"path of no group", ReasonRange, func(*guest, parts) draw { return as(DrawStroke, new(asm).phys(guestSlot<<56|5<<48)) }},
	{"no dashes", ReasonLineStyle, styled(0, func(g *guest) PHYS { return g.at(0) })},
	{"negative dash", ReasonLineStyle, styled(2, func(g *guest) PHYS { return g.put(new(asm).i32(16, -1)) })},
	{"empty dashes", ReasonLineStyle, styled(2, func(g *guest) PHYS { return g.put(new(asm).i32(0, 0)) })},
	{"dashes past the end", ReasonRange, styled(2, func(g *guest) PHYS { return g.at(len(g.buf) - 7) })},

	{"no depth", ReasonStringFlags, textOf(0, 0, StringTopDown, nil)},
	{"two depths", ReasonStringFlags, textOf(0, 0, StringA1|StringA8, nil)},
	{"string size", ReasonStringSize, textOf(47, 2, StringA4, testString())},
	{"string length", ReasonChunkBytes, textOf(MaxStringBytes+1, 1, StringA1, make([]byte, MaxStringBytes+1))},
	{"glyph header", ReasonGlyphData, textOf(19, 1, StringA1, make([]byte, 19))},
	{"glyph pixels", ReasonGlyphData, textOf(21, 1, StringA8, new(asm).zero(16).u16(1, 2).zero(1).b)},
	{"glyph enormous", ReasonGlyphData, textOf(20, 1, StringA8, new(asm).zero(16).u16(math.MaxUint16, math.MaxUint16).b)},
	{"glyph position", ReasonCoordinate, textOf(20, 1, StringA8, new(asm).i32(math.MaxInt32).zero(16).b)},
	{"glyph origin", ReasonCoordinate, textOf(20, 1, StringA8, new(asm).i32(0, 0, 0, math.MinInt32).zero(4).b)},
	{"glyphs too few", ReasonGlyphCount, textOf(44, 3, StringA4, testString())},
	{"glyphs too many", ReasonGlyphCount, textOf(44, 1, StringA4, testString())},
}

// cycle is a chunk whose successor is itself.
func cycle(g *guest, size uint32) PHYS {
	g.used |= 1
	return g.put(new(asm).u32(size).phys(0, g.at(g.used)).zero(int(size)))
}

// TestDrawableRefused reaches every refusal: the resource is known all the
// same, and the decoder is as good as new afterwards.
func TestDrawableRefused(t *testing.T) {
	for _, c := range drawRefusals {
		t.Run(c.name, func(t *testing.T) {
			g := newGuest(t, 2<<20)
			d := NewDecoder(g.mem)
			cmd := g.native(c.build(g, makeParts(g)))
			var dst Drawable
			wantReason(t, d.Drawable(&dst, cmd), c.reason)
			if want := (Resource{Data: cmd.Data, ID: testID, Group: guestGroup}); dst.Resource != want {
				t.Errorf("resource %+v, want %+v", dst.Resource, want)
			}
			for _, s := range samples(g) {
				if err := d.Drawable(&dst, s.cmd); err != nil || !same(dst, s.want) {
					t.Fatalf("next command (%s): %v\n%+v", s.name, err, dst)
				}
			}
		})
	}
}

func TestCompatComposite(t *testing.T) {
	g := newGuest(t, 1<<12)
	err := NewDecoder(g.mem).Drawable(new(Drawable), g.compat(as(DrawComposite, nil), 0))
	wantReason(t, err, ReasonDrawType)
}

// A command that cannot be read has no resource to release.
func TestUnreadable(t *testing.T) {
	g := newGuest(t, 1<<12)
	d := NewDecoder(g.mem)
	old := Resource{Data: 1, ID: 2, Group: 3}
	for _, c := range []struct {
		name  string
		size  int
		flags uint32
		call  func(c Command) (Resource, error)
	}{
		{"drawable", 191, 0, func(c Command) (Resource, error) {
			dst := Drawable{Resource: old}
			err := d.Drawable(&dst, c)
			return dst.Resource, err
		}},
		{"compat drawable", 128, FlagCompat, func(c Command) (Resource, error) {
			dst := Drawable{Resource: old}
			err := d.Drawable(&dst, c)
			return dst.Resource, err
		}},
		{"update", 32, 0, func(c Command) (Resource, error) {
			dst := UpdateCommand{Resource: old}
			err := d.Update(&dst, c)
			return dst.Resource, err
		}},
		{"compat update", 28, FlagCompat, func(c Command) (Resource, error) {
			dst := UpdateCommand{Resource: old}
			err := d.Update(&dst, c)
			return dst.Resource, err
		}},
		{"message", 8, 0, func(c Command) (Resource, error) {
			dst := MessageCommand{Resource: old}
			err := d.Message(&dst, c)
			return dst.Resource, err
		}},
		{"surface", 41, 0, func(c Command) (Resource, error) {
			dst := SurfaceCommand{Resource: old}
			err := d.Surface(&dst, c)
			return dst.Resource, err
		}},
		{"cursor", 150, 0, func(c Command) (Resource, error) {
			dst := CursorCommand{Resource: old}
			err := d.Cursor(&dst, c)
			return dst.Resource, err
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := c.call(g.command(0, g.at(len(g.buf)-c.size+1), c.flags))
			wantReason(t, err, ReasonRange)
			if r != (Resource{}) {
				t.Errorf("resource %+v", r)
			}
			at := g.at(len(g.buf) - c.size)
			if r, _ = c.call(g.command(0, at, c.flags)); r != (Resource{Data: at, Group: guestGroup}) {
				t.Errorf("one byte before: resource %+v", r)
			}
		})
	}
}
