package displaytest

import (
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/canvas"
)

// draw adds a drawing command, or two with the same image.
func (g *generator) draw() {
	var d Draw
	if len(g.recent) > 0 && g.IntN(5) == 0 {
		d = g.again()
	} else {
		d = g.fresh()
	}
	g.put(d)
	if d.Type == qxl.DrawCopy && d.Src.Cache && g.IntN(3) == 0 {
		g.put(g.exactly(d))
	}
}

// exactly copies an image that clients keep where it has to be exact; mostly where
// what is there is exact, too, as otherwise they are sent pixels instead.
func (g *generator) exactly(d Draw) Draw {
	d.On = g.surface()
	d.Rop, d.Effect, d.Box = qxl.RopXor, qxl.EffectBlend, g.box(g.surfaces[d.On].size)
	return d
}

// put adds a drawing command that says the truth about its effect.
func (g *generator) put(d Draw) {
	if g.compress {
		g.keepAlpha(&d)
	}
	if d.Effect == qxl.EffectOpaque && (!g.inside(&d) || !g.possible(&d)) {
		d.Effect = qxl.EffectBlend
	}
	if len(g.recent) < 8 {
		g.recent = append(g.recent, d)
	} else {
		g.recent[g.IntN(8)] = d
	}
	g.add(Step{Do: DrawOne, Draw: &d})
}

// again is something drawn before, the same or with another colour or box.
func (g *generator) again() Draw {
	d := g.recent[g.IntN(len(g.recent))]
	switch g.IntN(3) {
	case 0:
		d.Color = g.color()
	case 1:
		if d.SrcArea == (Box{}) && d.Type != qxl.DrawCopyBits {
			d.Box = g.box(g.surfaces[d.On].size)
		}
	}
	return d
}

func (g *generator) color() uint32 {
	return []uint32{0, 0xffffff, 0xff8040, 0x0f0f0f, 0x123456}[g.IntN(5)]
}

// Raster operations that replace what they cover, and others.
var (
	replacing = [...]uint16{qxl.RopPut, qxl.RopPut, qxl.RopPut, qxl.RopPut | qxl.RopInversSrc}
	combining = [...]uint16{qxl.RopXor, qxl.RopXor, qxl.RopAnd, qxl.RopOr, qxl.RopAnd | qxl.RopInversDest, qxl.RopXor | qxl.RopInversRes}
)

// fresh is a new drawing command.
func (g *generator) fresh() Draw {
	d := Draw{On: g.surface()}
	d.Box = g.box(g.surfaces[d.On].size)
	if g.IntN(4) == 0 {
		for range 1 + g.IntN(4) {
			d.Clip = append(d.Clip, g.box(g.surfaces[d.On].size))
		}
	}
	kinds := [...]func(*Draw){
		g.fill, g.fill, g.fill, g.fill, g.blendFill, g.revert, g.idempotent, g.opaqueBrush,
		g.constant, g.invers, g.copy, g.copy, g.copySurface, g.copySurface, g.copySurface,
		g.copyBits, g.copyBits, g.copyBits, g.scroll, g.scroll, g.selfBitmap, g.ownTarget,
		g.threeOperands, g.opaqueType, g.keyed, g.alpha, g.alphaBitmap, g.blend, g.stroke, g.text, g.composite,
		g.photo, g.photo, g.photo, g.photo,
	}
	kinds[g.IntN(len(kinds))](&d)
	return d
}

func (g *generator) fill(d *Draw) {
	d.Type, d.Effect, d.Rop, d.Color = qxl.DrawFill, qxl.EffectOpaque, qxl.RopPut, g.color()
	if g.IntN(6) == 0 {
		d.Brush, d.BrushPos = g.bitmap(), Point{int32(g.IntN(9) - 4), int32(g.IntN(9) - 4)}
	}
}

func (g *generator) blendFill(d *Draw) {
	g.fill(d)
	d.Effect, d.Rop = qxl.EffectBlend, combining[g.IntN(len(combining))]
	if g.IntN(3) == 0 {
		d.Rop = qxl.RopPut
	}
	g.mask(d)
}

// mask limits the drawing to some pixels of the box, so it must not be opaque.
func (g *generator) mask(d *Draw) {
	if g.IntN(3) > 0 {
		return
	}
	w, h := d.Box[2]-d.Box[0], d.Box[3]-d.Box[1]
	d.Mask = &Image{Format: qxl.Bitmap1BitBE, Size: Point{w + 3, h + 2}, Seed: g.IntN(1 << 16)}
	d.MaskPos = Point{int32(g.IntN(4)), int32(g.IntN(3))}
	if d.Effect == qxl.EffectOpaque {
		d.Effect = qxl.EffectBlend
	}
}

// revert undoes itself when drawn twice.
func (g *generator) revert(d *Draw) {
	d.Type, d.Effect, d.Rop, d.Color = qxl.DrawFill, qxl.EffectRevertOnDup, qxl.RopXor, g.color()
}

// idempotent does nothing more when drawn twice.
func (g *generator) idempotent(d *Draw) {
	d.Type, d.Effect, d.Color = qxl.DrawFill, qxl.EffectNOPOnDup, g.color()
	d.Rop = [...]uint16{qxl.RopPut, qxl.RopAnd, qxl.RopOr}[g.IntN(3)]
}

// opaqueBrush is superseded by the same in another colour.
func (g *generator) opaqueBrush(d *Draw) {
	g.fill(d)
	d.Effect = qxl.EffectOpaqueBrush
}

func (g *generator) constant(d *Draw) {
	if d.Type, d.Effect = qxl.DrawBlackness, qxl.EffectBlacknessOnDup; g.IntN(2) == 0 {
		d.Type, d.Effect = qxl.DrawWhiteness, qxl.EffectWhitenessOnDup
	}
	if g.IntN(2) == 0 {
		d.Effect = qxl.EffectOpaque
	}
	g.mask(d)
}

func (g *generator) invers(d *Draw) {
	d.Type, d.Effect = qxl.DrawInvers, qxl.EffectRevertOnDup
	if g.IntN(2) == 0 {
		d.Effect = qxl.EffectBlend
	}
	g.mask(d)
}

// bitmap is an image of some kind, mostly a new one.
func (g *generator) bitmap() *Image {
	formats := [...]qxl.BitmapFormat{
		qxl.Bitmap32Bit, qxl.Bitmap32Bit, qxl.Bitmap32Bit, qxl.BitmapRGBA, qxl.BitmapRGBA, qxl.Bitmap24Bit, qxl.Bitmap16Bit,
		qxl.Bitmap8Bit, qxl.Bitmap4BitBE, qxl.Bitmap4BitLE, qxl.Bitmap1BitLE, qxl.Bitmap8BitA,
	}
	return &Image{
		Format: formats[g.IntN(len(formats))], Size: Point{int32(1 + g.IntN(20)), int32(1 + g.IntN(20))}, Seed: g.IntN(1 << 16),
		Pad: max(0, g.IntN(24)-20), BottomUp: g.IntN(4) == 0, Opaque: g.IntN(8) == 0, QUIC: g.IntN(8) == 0, Cache: g.IntN(2) == 0,
	}
}

// source gives the drawing a bitmap to take pixels from, scaled or not, that may
// have been seen before.
func (g *generator) source(d *Draw) {
	if len(g.images) > 0 && g.IntN(3) == 0 {
		im := g.images[g.IntN(len(g.images))]
		d.Src, d.SrcArea, d.Scale = &im, Box{0, 0, im.Size[0], im.Size[1]}, uint8(g.IntN(2))
		return
	}
	d.Src = g.bitmap()
	if g.IntN(3) == 0 {
		d.SrcArea, d.Scale = g.box(d.Src.Size), uint8(g.IntN(2))
	} else {
		w, h := d.Box[2]-d.Box[0], d.Box[3]-d.Box[1]
		d.Src.Size = Point{w + int32(g.IntN(3)), h + int32(g.IntN(3))}
		d.SrcArea = Box{0, 0, w, h}
	}
	if g.images = append(g.images, *d.Src); len(g.images) > 12 {
		g.images = g.images[1:]
	}
}

// rop chooses how to combine, and says so.
func (g *generator) rop(d *Draw) {
	if d.Effect, d.Rop = qxl.EffectOpaque, replacing[g.IntN(len(replacing))]; g.IntN(4) == 0 {
		d.Effect, d.Rop = qxl.EffectBlend, combining[g.IntN(len(combining))]
		if g.IntN(4) == 0 {
			d.Effect = qxl.EffectNOP
		}
	}
	g.mask(d)
}

func (g *generator) copy(d *Draw) {
	d.Type = qxl.DrawCopy
	g.source(d)
	g.rop(d)
}

// fromSurface makes another surface the source: the same place, another place,
// or an area of another size.
func (g *generator) fromSurface(d *Draw, id int) {
	size := g.surfaces[id].size
	d.Src = &Image{Surface: id}
	w, h := d.Box[2]-d.Box[0], d.Box[3]-d.Box[1]
	switch g.IntN(4) {
	case 0:
		d.SrcArea, d.Scale = g.wild(size), uint8(g.IntN(2))
	case 1:
		d.SrcArea = Box{d.Box[0], d.Box[1], d.Box[2], d.Box[3]}
	default:
		x, y := int32(g.IntN(int(max(1, size[0]))+8)), int32(g.IntN(int(max(1, size[1]))+8))
		if g.IntN(4) > 0 {
			x, y = max(0, min(x, size[0]-w)), max(0, min(y, size[1]-h))
		}
		d.SrcArea = Box{x, y, x + w, y + h}
	}
	if g.IntN(2) == 0 {
		d.Deps = []int{id}
	}
}

// inside reports whether what a command reads lies in the surface it reads. If
// not, it does not replace all that it covers.
func (g *generator) inside(d *Draw) bool {
	right, bottom, id := d.SrcArea[2], d.SrcArea[3], d.On
	switch {
	case d.Type == qxl.DrawCopyBits:
		right, bottom = d.From[0]+d.Box[2]-d.Box[0], d.From[1]+d.Box[3]-d.Box[1]
	case d.Src == nil || d.Src.Format != 0:
		return true
	default:
		id = d.Src.Surface
	}
	size := g.surfaces[id].size
	return right <= size[0] && bottom <= size[1]
}

// keepAlpha sees to it that high bytes which are no alpha are never used as such:
// they are not sent in compressed images.
func (g *generator) keepAlpha(d *Draw) {
	if d.Type == qxl.DrawTransparent && d.Src.Format == 0 && g.surfaces[d.Src.Surface].format == qxl.Surface16x555 {
		d.Type, d.Rop = qxl.DrawCopy, qxl.RopPut // the high bit counts where a colour is looked for
	}
	if g.surfaces[d.On].format != qxl.Surface32ARGB {
		d.Flags &^= g.alphaFlag(d)
		return
	}
	for _, im := range []*Image{d.Src, d.Brush} {
		switch {
		case im == nil:
		case im.Format == qxl.Bitmap16Bit || im.Format == qxl.Bitmap24Bit || im.Format == qxl.Bitmap32Bit:
			im.Format = qxl.BitmapRGBA
		case im.Format == 0 && (g.surfaces[im.Surface].size == Point{} || g.surfaces[im.Surface].format == qxl.Surface32xRGB):
			im.Surface = d.On // it may come to be one before the command is taken
		}
	}
}

// alphaFlag is the flag that says that the target has alpha.
func (g *generator) alphaFlag(d *Draw) uint32 {
	if d.Type == qxl.DrawAlphaBlend {
		return qxl.AlphaDestHasAlpha
	}
	return 0
}

// possible reports whether a canvas can draw a command at all.
func (g *generator) possible(d *Draw) bool {
	cs := canvases{}
	for id, s := range g.surfaces {
		if s.size != (Point{}) {
			cs[uint32(id)] = canvas.New(s.format, int(s.size[0]), int(s.size[1]))
		}
	}
	d.drawable(&g.cmd)
	on := cs[uint32(d.On)]
	return on != nil && on.Draw(&g.cmd, cs) == nil
}

func (g *generator) copySurface(d *Draw) {
	d.Type = qxl.DrawCopy
	g.fromSurface(d, g.IntN(Surfaces))
	g.rop(d)
}

// ownTarget reads the surface it draws on.
func (g *generator) ownTarget(d *Draw) {
	g.copySurface(d)
	g.fromSurface(d, d.On)
}

func (g *generator) copyBits(d *Draw) {
	size := g.surfaces[d.On].size
	w, h := d.Box[2]-d.Box[0], d.Box[3]-d.Box[1]
	d.Type, d.Effect = qxl.DrawCopyBits, qxl.EffectOpaque
	d.From = Point{int32(g.IntN(int(max(1, size[0]-w+1)))), int32(g.IntN(int(max(1, size[1]-h+1))))}
	switch g.IntN(12) {
	case 0:
		d.Effect = qxl.EffectBlend
	case 1:
		d.Effect = qxl.EffectBlend
		d.From[g.IntN(2)] += int32(g.IntN(9))
	}
}

// scroll copies most of an area over itself.
func (g *generator) scroll(d *Draw) {
	size := g.surfaces[d.On].size
	d.Type, d.Effect, d.Clip = qxl.DrawCopyBits, qxl.EffectOpaque, nil
	d.Box = Box{0, 0, size[0], size[1]}
	step := 1 + int32(g.IntN(5))
	switch g.IntN(4) {
	case 0:
		d.Box[3] -= step
		d.From[1] = step
	case 1:
		d.Box[1] += step
	case 2:
		d.Box[2] -= step
		d.From[0] = step
	default:
		d.Box[0] += step
	}
}

// selfBitmap has a copy of its target as its source.
func (g *generator) selfBitmap(d *Draw) {
	d.Self = g.box(g.surfaces[d.On].size)
	size := Point{d.Self[2] - d.Self[0], d.Self[3] - d.Self[1]}
	d.SrcArea = g.box(size)
	switch g.IntN(3) {
	case 0:
		d.Type, d.Alpha = qxl.DrawAlphaBlend, uint8(g.IntN(256))
	case 1:
		d.Type, d.Rop3, d.Color = qxl.DrawRop3, uint8(g.IntN(256)), g.color()
	default:
		d.Type, d.Color, d.Rop = qxl.DrawOpaque, g.color(), qxl.RopXor
	}
}

func (g *generator) threeOperands(d *Draw) {
	g.copySurface(d)
	d.Type, d.Rop3, d.Color, d.Effect = qxl.DrawRop3, uint8(g.IntN(256)), g.color(), qxl.EffectBlend
	if g.IntN(2) == 0 {
		d.Brush = &Image{Surface: g.IntN(Surfaces)}
	}
}

func (g *generator) opaqueType(d *Draw) {
	g.copy(d)
	d.Type, d.Color, d.Effect = qxl.DrawOpaque, g.color(), qxl.EffectBlend
}

func (g *generator) keyed(d *Draw) {
	g.copySurface(d)
	d.Type, d.Color, d.Effect, d.Mask = qxl.DrawTransparent, g.color(), qxl.EffectBlend, nil
}

func (g *generator) alpha(d *Draw) {
	g.copySurface(d)
	d.Type, d.Alpha, d.Effect, d.Mask = qxl.DrawAlphaBlend, uint8(g.IntN(256)), qxl.EffectBlend, nil
}

// photo is what goes as JPEG on a slow line.
func (g *generator) photo(d *Draw) {
	d.Type, d.Effect, d.Rop, d.Box = qxl.DrawCopy, qxl.EffectOpaque, qxl.RopPut, g.wide(d.On)
	w, h := d.Box[2]-d.Box[0], d.Box[3]-d.Box[1]
	d.Src = &Image{
		Format: [...]qxl.BitmapFormat{qxl.Bitmap32Bit, qxl.Bitmap24Bit, qxl.BitmapRGBA}[g.IntN(3)],
		Size:   Point{w, h}, Seed: 3*g.IntN(1000) + contentPhoto, Cache: g.IntN(2) == 0,
	}
	d.SrcArea = Box{0, 0, w, h}
	g.images = append(g.images, *d.Src)
}

func (g *generator) alphaBitmap(d *Draw) {
	g.source(d)
	d.Type, d.Alpha, d.Effect = qxl.DrawAlphaBlend, uint8(g.IntN(256)), qxl.EffectBlend
	d.Flags = uint32(g.IntN(4))
}

func (g *generator) blend(d *Draw) {
	g.copy(d)
	d.Type, d.Effect, d.Rop = qxl.DrawBlend, qxl.EffectBlend, combining[g.IntN(len(combining))]
}

// brush is a pattern or a colour.
func (g *generator) brush(d *Draw) {
	if d.Color = g.color(); g.IntN(3) == 0 {
		d.Brush, d.BrushPos = g.bitmap(), Point{int32(g.IntN(9) - 4), int32(g.IntN(9) - 4)}
	}
}

func (g *generator) stroke(d *Draw) {
	d.Type, d.Effect, d.Shape, d.Rop = qxl.DrawStroke, qxl.EffectBlend, g.IntN(1<<16), qxl.RopPut
	if g.IntN(4) == 0 {
		d.Rop = combining[g.IntN(len(combining))]
	}
	d.Flags = []uint32{0, qxl.LineStyled, qxl.LineStyled | qxl.LineStartWithGap}[g.IntN(3)]
	g.brush(d)
}

func (g *generator) text(d *Draw) {
	d.Type, d.Effect, d.Shape, d.Rop = qxl.DrawText, qxl.EffectBlend, g.IntN(1<<16), qxl.RopPut
	d.Flags = []uint32{qxl.StringA1, qxl.StringA4, qxl.StringA8}[g.IntN(3)]
	g.brush(d)
}

// composite combines a bitmap or a surface with what is there, by X Render's
// rules.
func (g *generator) composite(d *Draw) {
	if g.IntN(2) == 0 {
		g.fromSurface(d, g.IntN(Surfaces))
	} else {
		g.source(d)
	}
	d.Type, d.Effect, d.From = qxl.DrawComposite, qxl.EffectBlend, Point{int32(g.IntN(8)), int32(g.IntN(8))}
	d.Flags = uint32(g.IntN(14)) | uint32(g.IntN(2)<<qxl.CompositeSrcFilterShift|g.IntN(4)<<qxl.CompositeSrcRepeatShift)
	if g.IntN(3) == 0 {
		d.Flags |= qxl.CompositeHasSrcTransform
	}
	if g.IntN(3) == 0 {
		d.Mask, d.MaskPos = &Image{Format: qxl.Bitmap8BitA, Size: Point{30, 30}, Seed: g.IntN(1 << 16)}, Point{int32(g.IntN(5)), 0}
		d.Flags |= qxl.CompositeHasMask | uint32(g.IntN(4)<<qxl.CompositeMaskRepeatShift)
	}
}
