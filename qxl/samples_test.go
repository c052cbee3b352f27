package qxl

import "github.com/spiceecs/spiceecs/regions"

// sample is a valid drawable in guest memory and what it has to decode to.
type sample struct {
	name string
	cmd  Command
	want Drawable
}

var (
	testBox  = regions.Rect{Left: 10, Top: 20, Right: 14, Bottom: 23}
	testArea = regions.Rect{Left: 1, Top: 2, Right: 3, Bottom: 5}
	testDeps = [3]int32{-1, 7, -1}
)

func fillBytes(n int, from byte) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = from + byte(i)*3
	}
	return p
}

// parts are the building blocks of the samples: what a guest stores and what
// comes out of it.
type parts struct {
	rgb, indexed, quic, surface, mask             PHYS
	rgbIm, indexedIm, quicIm, surfaceIm, maskIm   Image
	str, path, style, clip, transform, transform2 PHYS
}

func makeParts(g *guest) parts {
	var p parts
	pixels := fillBytes(4*4*6, 1)
	direct := g.put(new(asm).u8(pixels...))
	p.rgb = g.put(bitmap{id: 0x1122334455667788, flags: 0xff, bitFlags: BitmapDirect | BitmapTopDown | 0x80,
		format: Bitmap32Bit, w: 4, h: 6, stride: 16, data: direct}.asm())
	p.rgbIm = Image{ID: 0x1122334455667788, Flags: ImageCacheMe | ImageHighBitsSet, Width: 4, Height: 6,
		Format: Bitmap32Bit, BitFlags: BitmapDirect | BitmapTopDown, X: 4, Y: 6, Stride: 16,
		Data: Blob{Chunks: [][]byte{pixels}, Size: len(pixels)}}

	pal := g.put(new(asm).u64(99).u16(3).u32(0x7fff, 0x0421, 0x8000))
	four := fillBytes(12, 40)
	p.indexed = g.put(bitmap{id: 2, bitFlags: BitmapUnstable, format: Bitmap4BitBE, w: 5, h: 4, stride: 3,
		palette: pal, data: g.chunked(new(asm), four[:5], nil, four[5:])}.asm())
	p.indexedIm = Image{ID: 2, Width: 5, Height: 4, Format: Bitmap4BitBE, BitFlags: BitmapUnstable, X: 5, Y: 4, Stride: 3,
		HasPalette: true, Palette: Palette{Unique: 99, Entries: []uint32{0x7fff, 0x0421, 0x8000}},
		Data: Blob{Chunks: [][]byte{four[:5], four[5:]}, Size: 12}}

	stream := fillBytes(23, 9)
	p.quic = g.chunked(new(asm).u64(3).u8(uint8(ImageQUIC), 0).u32(8, 9).u32(23), stream[:10], stream[10:])
	p.quicIm = Image{ID: 3, Type: ImageQUIC, Width: 8, Height: 9, Data: Blob{Chunks: [][]byte{stream[:10], stream[10:]}, Size: 23}}
	p.surface = g.put(new(asm).u64(4).u8(uint8(ImageSurface), 0).u32(0, 0, 12).zero(26))
	p.surfaceIm = Image{ID: 4, Type: ImageSurface, Surface: 12}

	bits := fillBytes(6, 0x55)
	p.mask = g.put(bitmap{id: 5, bitFlags: BitmapDirect, format: Bitmap1BitBE, w: 9, h: 3, stride: 2,
		data: g.put(new(asm).u8(bits...))}.asm())
	p.maskIm = Image{ID: 5, Width: 9, Height: 3, Format: Bitmap1BitBE, BitFlags: BitmapDirect, X: 9, Y: 3, Stride: 2,
		Data: Blob{Chunks: [][]byte{bits}, Size: 6}}

	s := testString()
	p.str = g.chunked(new(asm).u32(uint32(len(s))).u16(2, StringA4|StringTopDown), s[:7], s[7:])
	q := testPath()
	p.path = g.chunked(new(asm).u32(0), q[:13], q[13:])
	p.style = g.put(new(asm).i32(64, 0, 32))
	rects := new(asm).rect(testArea).rect(regions.Rect{Left: 5, Right: 5, Bottom: 9}).rect(testBox).b
	p.clip = g.chunked(new(asm).u32(3), rects[:21], rects[21:])
	p.transform = g.put(new(asm).i32(1, 2, 3, 4, 5, -6))
	p.transform2 = g.put(new(asm).i32(7, 8, 9, 10, 11, 12))
	return p
}

// testString is two A4 glyphs: 3x2 in 2 bytes a row, and an empty one.
func testString() []byte {
	return new(asm).i32(100, 200, -1, -2).u16(3, 2).u8(1, 2, 3, 4).i32(110, 200, 0, 5).u16(0, 4).b
}

// testPath is a line, a curve and eight stray bytes.
func testPath() []byte {
	return new(asm).u32(PathBegin, 2).i32(16, 32, -48, 64).
		u32(PathBezier|PathEnd, 3).i32(1, 2, 3, 4, 5, 6).zero(8).b
}

var (
	wantText = Text{Flags: StringA4 | StringTopDown, Data: testString(), Glyphs: []Glyph{
		{Pos: regions.Point{X: 100, Y: 200}, Origin: regions.Point{X: -1, Y: -2}, Width: 3, Height: 2, Data: 20},
		{Pos: regions.Point{X: 110, Y: 200}, Origin: regions.Point{X: 0, Y: 5}, Height: 4, Data: 44},
	}}
	wantPoints   = []PointFix{{16, 32}, {-48, 64}, {1, 2}, {3, 4}, {5, 6}}
	wantSegments = []PathSegment{{Flags: PathBegin, Count: 2}, {Flags: PathBezier | PathEnd, First: 2, Count: 3}}
)

// operation is the part of a drawable that belongs to its type, and what it
// decodes to.
type operation struct {
	typ  DrawType
	op   *asm
	want Drawable
}

// operations are all of them, in the native layout.
func operations(p parts) []operation {
	const rop = RopPut | RopInversRes
	none := Brush{Image: NoImage}
	blue := Brush{Type: BrushSolid, Color: 0x7fff, Image: NoImage}
	src := func() *asm { return new(asm).phys(p.rgb).rect(testArea) }
	noM := Mask{Image: NoImage}
	return []operation{
		{DrawNOP, nil, Drawable{Src: NoImage, Brush: none, BackBrush: none, Mask: noM}},
		{DrawFill, new(asm).asm(pattern(p.quic, 3, -4)).u16(rop).asm(masked(p.mask, 0xff, 2, 1)),
			Drawable{Rop: rop, Src: NoImage, Brush: Brush{Type: BrushPattern, Image: 0, Pos: regions.Point{X: 3, Y: -4}}, BackBrush: none,
				Mask: Mask{Flags: MaskInvers, Image: 1, Pos: regions.Point{X: 2, Y: 1}}, Images: []Image{p.quicIm, p.maskIm}}},
		{DrawOpaque, src().asm(pattern(p.indexed, 1, 1)).u16(rop).u8(1).asm(masked(p.mask, 0, 0, 0)),
			Drawable{Rop: rop, Scale: 1, SrcArea: testArea, Brush: Brush{Type: BrushPattern, Image: 1, Pos: regions.Point{X: 1, Y: 1}},
				BackBrush: none, Mask: Mask{Image: 2}, Images: []Image{p.rgbIm, p.indexedIm, p.maskIm}}},
		{DrawCopy, src().u16(rop).u8(1).asm(noMask()),
			Drawable{Rop: rop, Scale: 1, SrcArea: testArea, Brush: none, BackBrush: none, Mask: noM, Images: []Image{p.rgbIm}}},
		{DrawBlend, new(asm).phys(p.surface).rect(testArea).u16(rop).u8(0).asm(noMask()),
			Drawable{Rop: rop, SrcArea: testArea, Brush: none, BackBrush: none, Mask: noM, Images: []Image{p.surfaceIm}}},
		{DrawCopyBits, new(asm).i32(-5, 6),
			Drawable{SrcPos: regions.Point{X: -5, Y: 6}, Src: NoImage, Brush: none, BackBrush: none, Mask: noM}},
		{DrawBlackness, noMask(), Drawable{Src: NoImage, Brush: none, BackBrush: none, Mask: noM}},
		{DrawWhiteness, masked(p.mask, 1, 3, 4), Drawable{Src: NoImage, Brush: none, BackBrush: none,
			Mask: Mask{Flags: 1, Image: 0, Pos: regions.Point{X: 3, Y: 4}}, Images: []Image{p.maskIm}}},
		{DrawInvers, noMask(), Drawable{Src: NoImage, Brush: none, BackBrush: none, Mask: noM}},
		{DrawRop3, src().asm(solid(0x7fff)).u8(0xb8, 1).asm(noMask()),
			Drawable{Rop3: 0xb8, Scale: 1, SrcArea: testArea, Brush: blue, BackBrush: none, Mask: noM, Images: []Image{p.rgbIm}}},
		{DrawStroke, new(asm).phys(p.path).u8(LineStyled|LineStartWithGap, 1, 1, 3).i32(16, 0).phys(p.style).asm(solid(0x7fff)).u16(rop, RopXor),
			Drawable{Rop: rop, BackRop: RopXor, Line: LineAttr{Flags: LineStyled | LineStartWithGap, Style: []int32{64, 0, 32}},
				Points: wantPoints, Segments: wantSegments, Src: NoImage, Brush: blue, BackBrush: none, Mask: noM}},
		{DrawText, new(asm).phys(p.str).rect(testBox).asm(solid(0x7fff)).asm(noBrush()).u16(rop, RopXor),
			Drawable{Text: wantText, BackArea: testBox, Rop: rop, BackRop: RopXor, Src: NoImage, Brush: blue, BackBrush: none, Mask: noM}},
		{DrawTransparent, src().u32(0x7fff, 0xffffff),
			Drawable{SrcArea: testArea, SrcColor: 0x7fff, TrueColor: 0xffffff, Brush: none, BackBrush: none, Mask: noM, Images: []Image{p.rgbIm}}},
		{DrawAlphaBlend, new(asm).u16(AlphaDestHasAlpha).u8(200).asm(src()),
			Drawable{AlphaFlags: AlphaDestHasAlpha, Alpha: 200, SrcArea: testArea, Brush: none, BackBrush: none, Mask: noM, Images: []Image{p.rgbIm}}},
		{DrawComposite, new(asm).u32(0xff<<16|3).phys(p.rgb, p.transform, p.indexed, p.transform2).u16(1, 0xfffe, 3, 4),
			Drawable{CompositeFlags: 0xff<<16 | 3, SrcTransform: Transform{1, 2, 3, 4, 5, -6}, MaskTransform: Transform{7, 8, 9, 10, 11, 12},
				SrcPos: regions.Point{X: 1, Y: -2}, MaskPos: regions.Point{X: 3, Y: 4}, Brush: none, BackBrush: none,
				Mask: Mask{Image: 1}, Images: []Image{p.rgbIm, p.indexedIm}}},
	}
}

// samples are all operations in the native layout, clipped.
func samples(g *guest) []sample {
	p := makeParts(g)
	var out []sample
	for _, o := range operations(p) {
		d := draw{surface: 9, effect: EffectOpaque, typ: o.typ, self: 1, selfArea: testBox, bbox: testBox,
			clipType: uint32(ClipRects), clip: p.clip, deps: testDeps, depRects: [3]regions.Rect{1: testArea}, op: o.op}
		w := o.want
		w.Surface, w.Effect, w.Type, w.BBox, w.MMTime = 9, EffectOpaque, o.typ, testBox, testMMTime
		w.SelfBitmap, w.SelfBitmapArea = o.typ != DrawCopy && o.typ != DrawBlend, testBox
		w.Clip = Clip{Type: ClipRects, Rects: []regions.Rect{testArea, testBox}}
		w.Deps, w.DepRects = testDeps, [3]regions.Rect{1: testArea}
		cmd := g.native(d)
		w.Resource = Resource{Data: cmd.Data, ID: testID, Group: guestGroup}
		out = append(out, sample{name: drawNames[o.typ], cmd: cmd, want: w})
	}
	return out
}

// compatSamples are the same in the first device's layout.
func compatSamples(g *guest) []sample {
	p := makeParts(g)
	var out []sample
	for _, o := range operations(p) {
		if o.typ == DrawComposite {
			continue
		}
		op := o.op
		if o.typ == DrawAlphaBlend {
			op = &asm{b: op.b[2:]} // no alpha flags
		}
		w := o.want
		w.Effect, w.Type, w.BBox, w.MMTime = EffectBlend, o.typ, testBox, testMMTime
		w.AlphaFlags = 0
		w.Deps = [3]int32{-1, -1, -1}
		if o.typ == DrawCopyBits {
			w.Deps[0] = 0
			w.DepRects[0] = regions.Rect{Left: -5, Top: 6, Right: -1, Bottom: 9}
		}
		w.SelfBitmapArea = testArea
		cmd := g.compat(draw{effect: EffectBlend, typ: o.typ, selfArea: testArea, bbox: testBox, op: op}, 0)
		w.Resource = Resource{Data: cmd.Data, ID: testID, Group: guestGroup}
		out = append(out, sample{name: "compat " + drawNames[o.typ], cmd: cmd, want: w})
	}
	return out
}

var drawNames = [drawTypes]string{"nop", "fill", "opaque", "copy", "copy bits", "blend", "blackness", "whiteness",
	"invers", "rop3", "stroke", "text", "transparent", "alpha blend", "composite"}
