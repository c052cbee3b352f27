package displaytest

import "github.com/spiceecs/spiceecs/qxl"

// draw adds a drawing command that says the truth about its effect.
func (g *generator) draw() {
	var d Draw
	if len(g.recent) > 0 && g.IntN(5) == 0 {
		d = g.again()
	} else {
		d = g.fresh()
	}
	if d.Effect == qxl.EffectOpaque && !g.inside(&d) {
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
	switch g.IntN(4) {
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
		g.threeOperands, g.opaqueType, g.keyed, g.alpha,
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

// bitmap is an image of random pixels.
func (g *generator) bitmap() *Image {
	formats := [...]qxl.BitmapFormat{
		qxl.Bitmap32Bit, qxl.Bitmap32Bit, qxl.BitmapRGBA, qxl.Bitmap24Bit, qxl.Bitmap16Bit, qxl.Bitmap8Bit,
	}
	return &Image{
		Format: formats[g.IntN(len(formats))], Size: Point{int32(1 + g.IntN(20)), int32(1 + g.IntN(20))}, Seed: g.IntN(1 << 16),
	}
}

// source gives the drawing a bitmap to take pixels from, scaled or not.
func (g *generator) source(d *Draw) {
	d.Src = g.bitmap()
	if g.IntN(3) == 0 {
		d.SrcArea, d.Scale = g.box(d.Src.Size), uint8(g.IntN(2))
		return
	}
	w, h := d.Box[2]-d.Box[0], d.Box[3]-d.Box[1]
	d.Src.Size = Point{w + int32(g.IntN(3)), h + int32(g.IntN(3))}
	d.SrcArea = Box{0, 0, w, h}
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
