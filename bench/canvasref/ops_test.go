package canvasref

import (
	"slices"

	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

// operation is a kind of command to compare.
type operation struct {
	name  string
	raw   bool              // works on words, not on colours
	alpha qxl.SurfaceFormat // of surfaces of alpha only, which are drawn on or a source then
	make  func(g *gen) *qxl.Drawable

	dies bool                                // the reference's life may end
	ours func(d *qxl.Drawable) *qxl.Drawable // what the reference takes it for, if it reads it wrongly
	// defect names what the reference is known to do wrong with such a command,
	// if anything.
	defect func(*outcome) string
}

// operations are all that are compared.
var operations = slices.Concat(onColours, on8A(), on1A)

// on8A are the operations on, and with, surfaces of 8 bits of alpha.
func on8A() (ops []operation) {
	for _, op := range onColours {
		if op.name == "rop3" {
			continue // the reference takes 8 bits for 16
		}
		op.name += "_8a"
		op.alpha = qxl.Surface8A
		ops = append(ops, op)
	}
	return ops
}

// on1A is what the reference can do with surfaces of one bit of alpha.
var on1A = []operation{
	{name: "fill_1a", alpha: qxl.Surface1A, raw: true, make: func(g *gen) *qxl.Drawable {
		d := g.drawable(qxl.DrawFill)
		d.Brush, d.Rop = g.solid(), qxl.RopPut
		g.mask(d)
		return d
	}},
	{name: "blackness_1a", alpha: qxl.Surface1A, raw: true, make: func(g *gen) *qxl.Drawable { return g.constant(qxl.DrawBlackness) }},
	{name: "whiteness_1a", alpha: qxl.Surface1A, raw: true, make: func(g *gen) *qxl.Drawable { return g.constant(qxl.DrawWhiteness) }},
	{name: "alphablend_1a", alpha: qxl.Surface1A, make: (*gen).alphaBlend},
	{name: "text_1a", alpha: qxl.Surface1A, ours: anchored, make: func(g *gen) *qxl.Drawable {
		d := g.text(qxl.StringA1, 1)
		d.BackBrush = g.solid()
		return d
	}},
	{name: "text_a4_1a", alpha: qxl.Surface1A, ours: anchored, make: func(g *gen) *qxl.Drawable {
		d := g.text(qxl.StringA4, 4)
		d.BackBrush = g.solid()
		return d
	}},
}

var onColours = []operation{
	{name: "fill", raw: true, make: func(g *gen) *qxl.Drawable {
		d := g.drawable(qxl.DrawFill)
		d.Brush, d.Rop = g.brush(d), g.rop()
		g.mask(d)
		return d
	}},
	{name: "opaque", raw: true, make: func(g *gen) *qxl.Drawable {
		d := g.drawable(qxl.DrawOpaque)
		g.src(d, g.scaled(d))
		d.Brush, d.Rop = g.brush(d), g.rop()
		g.mask(d)
		return d
	}},
	{name: "copy", raw: true, make: func(g *gen) *qxl.Drawable { return g.copy(qxl.DrawCopy) }},
	{name: "blend", raw: true, make: func(g *gen) *qxl.Drawable { return g.copy(qxl.DrawBlend) }},
	{name: "copybits", raw: true, make: (*gen).copyBits},
	{name: "selfcopy", raw: true, make: (*gen).selfCopy},
	{name: "blackness", raw: true, make: func(g *gen) *qxl.Drawable { return g.constant(qxl.DrawBlackness) }},
	{name: "whiteness", raw: true, make: func(g *gen) *qxl.Drawable { return g.constant(qxl.DrawWhiteness) }},
	{name: "invers", raw: true, make: func(g *gen) *qxl.Drawable { return g.constant(qxl.DrawInvers) }},
	{name: "rop3", raw: true, make: (*gen).ternary},
	{name: "transparent", raw: true, make: func(g *gen) *qxl.Drawable {
		d := g.drawable(qxl.DrawTransparent)
		g.src(d, g.scaled(d))
		d.TrueColor = -g.Uint32N(2) & 0xffffff
		if im := d.Image(d.Src); im.HasPalette {
			d.TrueColor = im.Palette.Entries[0] & 0xffffff
		}
		d.SrcColor = d.TrueColor
		return d
	}},
	{name: "alphablend", make: (*gen).alphaBlend},
	{name: "text", ours: anchored, make: func(g *gen) *qxl.Drawable { return g.text(qxl.StringA1, 1) }},
	{name: "text_a4", ours: anchored, make: func(g *gen) *qxl.Drawable { return g.text(qxl.StringA4, 4) }},
	{name: "text_a8", ours: skipGlyphLine, make: func(g *gen) *qxl.Drawable { return g.text(qxl.StringA8, 8) }},
	{name: "stroke", raw: true, defect: lostPixels, make: func(g *gen) *qxl.Drawable { return g.stroke(false) }},
	{name: "curve", raw: true, defect: lostPixels, dies: true, make: func(g *gen) *qxl.Drawable { return g.stroke(true) }},
	{name: "dash", raw: true, defect: lostPixels, dies: true, make: (*gen).dash},
	{name: "composite", make: (*gen).composite},
}

func (g *gen) copy(t qxl.DrawType) *qxl.Drawable {
	d := g.drawable(t)
	g.src(d, g.scaled(d))
	d.Rop = g.rop()
	g.mask(d)
	return d
}

func (g *gen) copyBits() *qxl.Drawable {
	d := g.drawable(qxl.DrawCopyBits)
	r := g.box(int(g.target.Width), int(g.target.Height))
	d.SrcPos = regions.Point{X: r.Left, Y: r.Top}
	if g.coin() {
		d.SrcPos = regions.Point{X: d.BBox.Left + int32(g.between(-4, 4)), Y: d.BBox.Top + int32(g.between(-4, 4))}
	}
	return d
}

// selfCopy copies a part of the surface as an image; the box itself or what does
// not overlap it, since the reference reads what it has already written.
func (g *gen) selfCopy() *qxl.Drawable {
	d := g.drawable(qxl.DrawCopy)
	d.Src = g.imageOf(d, &g.target)
	w, h := d.BBox.Width(), d.BBox.Height()
	x, y := g.between(0, int(g.target.Width)-int(w)), g.between(0, int(g.target.Height)-int(h))
	d.SrcArea = regions.XYWH(int32(x), int32(y), w, h)
	if d.SrcArea.Overlaps(d.BBox) {
		d.SrcArea = d.BBox
	}
	d.Rop = g.rop()
	g.mask(d)
	return d
}

func (g *gen) constant(t qxl.DrawType) *qxl.Drawable {
	d := g.drawable(t)
	g.mask(d)
	return d
}

// missing are the ternary operations that the reference does not have: those
// that do not depend on all three operands.
var missing = []uint8{
	0x00, 0x03, 0x05, 0x0a, 0x0c, 0x0f, 0x11, 0x22, 0x30, 0x33, 0x3c, 0x3f, 0x44, 0x50, 0x55, 0x5a, 0x5f, 0x66, 0x77,
	0x88, 0x99, 0xa0, 0xa5, 0xaa, 0xaf, 0xbb, 0xc0, 0xc3, 0xcc, 0xcf, 0xdd, 0xee, 0xf0, 0xf3, 0xf5, 0xfa, 0xfc, 0xff,
}

func (g *gen) ternary() *qxl.Drawable {
	d := g.drawable(qxl.DrawRop3)
	g.src(d, g.scaled(d))
	d.Brush = g.brush(d)
	for d.Brush.Type == qxl.BrushPattern && (d.Brush.Pos.X > d.BBox.Left || d.Brush.Pos.Y > d.BBox.Top) {
		d.Brush.Pos.X -= 5
		d.Brush.Pos.Y -= 5
	}
	for d.Rop3 = uint8(g.Uint32()); slices.Contains(missing, d.Rop3); {
		d.Rop3 = uint8(g.Uint32())
	}
	g.mask(d)
	return d
}

func (g *gen) alphaBlend() *qxl.Drawable {
	d := g.drawable(qxl.DrawAlphaBlend)
	g.anyDepth = true
	g.src(d, g.scaled(d))
	d.Alpha = uint8([...]uint32{0, 255, 255, g.Uint32N(256)}[g.IntN(4)])
	d.AlphaFlags = uint8(g.IntN(4))
	return d
}

// text is a string of glyphs; of more than one bit these do not overlap, as
// the reference takes the last instead of the greater alpha for some pixels.
func (g *gen) text(flags uint8, bits int) *qxl.Drawable {
	d := g.drawable(qxl.DrawText)
	d.Rop = qxl.RopPut
	d.Brush = g.solid()
	if g.target.Format == qxl.Surface16x565 {
		d.Brush.Color = -(d.Brush.Color & 1) // the reference reads others as 555
	}
	if g.target.Format != qxl.Surface16x565 && g.target.Format != qxl.Surface1A {
		d.Brush = g.brush(d)
	}
	d.BackBrush = g.brush(d)
	if g.coin() {
		d.BackArea = g.box(int(g.target.Width), int(g.target.Height))
	}
	d.Text.Flags = flags
	at := regions.Point{X: d.BBox.Left + int32(g.between(-4, 20)), Y: d.BBox.Top + int32(g.between(-4, 20))}
	if bits == 8 {
		at.Y = d.BBox.Top - 3 // their top lines are out of sight
	}
	for range g.between(1, 6) {
		gl := qxl.Glyph{
			Pos: at, Origin: regions.Point{Y: int32(g.between(-10, 2))},
			Width: uint16(g.between(1, 14)), Height: uint16(g.between(1, 14)), Data: int32(len(d.Text.Data)),
		}
		d.Text.Data = append(d.Text.Data, g.bytes((int(gl.Width)*bits+7)/8*int(gl.Height))...)
		d.Text.Glyphs = append(d.Text.Glyphs, gl)
		at.X += int32(gl.Width)
		if bits == 1 {
			at = regions.Point{X: d.BBox.Left + int32(g.between(-4, 20)), Y: d.BBox.Top + int32(g.between(-4, 20))}
		}
	}
	return d
}

// anchored is a drawable as the reference reads it: a pattern in the glyphs
// is counted from the corner of all of them instead of the surface's.
func anchored(d *qxl.Drawable) *qxl.Drawable {
	var all regions.Rect
	for i := range d.Text.Glyphs {
		gl := &d.Text.Glyphs[i]
		all = all.Union(regions.XYWH(gl.Pos.X+gl.Origin.X, gl.Pos.Y+gl.Origin.Y, int32(gl.Width), int32(gl.Height)))
	}
	c := *d
	c.Brush.Pos = regions.Point{X: d.Brush.Pos.X + all.Left, Y: d.Brush.Pos.Y + all.Top}
	return &c
}

// skipGlyphLine is a drawable as the reference reads it: a glyph of 8 bits
// begins a line behind its beginning, and its top line is whatever follows it.
func skipGlyphLine(d *qxl.Drawable) *qxl.Drawable {
	c := *anchored(d)
	c.Text.Glyphs = slices.Clone(d.Text.Glyphs)
	for i := range c.Text.Glyphs {
		gl := &c.Text.Glyphs[i]
		gl.Data += int32(gl.Width)
		gl.Origin.Y++
		gl.Height--
	}
	return &c
}

func (g *gen) point(d *qxl.Drawable) qxl.PointFix {
	return qxl.PointFix{
		X: d.BBox.Left<<4 + int32(g.between(-100, int(d.BBox.Width())<<4+100)),
		Y: d.BBox.Top<<4 + int32(g.between(-100, int(d.BBox.Height())<<4+100)),
	}
}

func (g *gen) stroke(curves bool) *qxl.Drawable {
	d := g.drawable(qxl.DrawStroke)
	d.Brush, d.Rop = g.brush(d), g.rop()
	for d.Brush.Type == qxl.BrushPattern && d.Image(d.Brush.Image).Type == qxl.ImageSurface {
		d.Brush = g.brush(d) // the reference cannot stroke with a surface
	}
	for range g.between(1, 3) {
		seg := qxl.PathSegment{Flags: qxl.PathBegin | qxl.PathEnd, First: int32(len(d.Points)), Count: int32(g.between(2, 6))}
		if g.coin() {
			seg.Flags |= qxl.PathClose
		}
		if curves {
			seg.Flags |= qxl.PathBezier
			seg.Count = 1 + 3*int32(g.between(1, 3))
		}
		for range seg.Count {
			d.Points = append(d.Points, g.point(d))
		}
		d.Segments = append(d.Segments, seg)
	}
	return d
}

// dash is a stroke with a style.
func (g *gen) dash() *qxl.Drawable {
	d := g.stroke(g.IntN(3) == 0)
	d.Line.Flags = qxl.LineStyled | uint8(g.IntN(2))*qxl.LineStartWithGap
	for range g.between(1, 6) {
		d.Line.Style = append(d.Line.Style, int32(g.between(9, 150)))
		if g.IntN(3) == 0 {
			d.Line.Style = append(d.Line.Style, int32(g.between(0, 8)))
		}
	}
	g.Shuffle(len(d.Line.Style), func(i, k int) { d.Line.Style[i], d.Line.Style[k] = d.Line.Style[k], d.Line.Style[i] })
	return d
}

func (g *gen) transform() qxl.Transform {
	f := func() int32 { return int32(g.between(-3<<16, 3<<16)) }
	if g.coin() {
		return qxl.Transform{f(), 0, f(), 0, f(), f()}
	}
	return qxl.Transform{f(), f(), f(), f(), f(), f()}
}

// operators are X Render's: Porter-Duff, disjoint, conjoint, blend modes.
func (g *gen) operator() uint32 {
	return [...]uint32{
		uint32(g.between(0, 0xd)), uint32(g.between(0x10, 0x1b)), uint32(g.between(0x20, 0x2b)), uint32(g.between(0x30, 0x3e)),
	}[g.IntN(4)]
}

func (g *gen) composite() *qxl.Drawable {
	d := g.drawable(qxl.DrawComposite)
	g.anyDepth = true
	d.CompositeFlags = g.operator() | uint32(g.IntN(5))<<qxl.CompositeSrcFilterShift |
		uint32(g.IntN(5))<<qxl.CompositeMaskFilterShift | uint32(g.IntN(4))<<qxl.CompositeSrcRepeatShift |
		uint32(g.IntN(4))<<qxl.CompositeMaskRepeatShift
	d.Src, _, _ = g.image(d, g.between(1, 40), g.between(1, 40))
	d.SrcPos = regions.Point{X: int32(g.between(-10, 10)), Y: int32(g.between(-10, 10))}
	if g.IntN(3) == 0 {
		d.SrcTransform = g.transform()
		d.CompositeFlags |= qxl.CompositeHasSrcTransform
	}
	if g.coin() {
		g.onceSurface(d)
		d.Mask.Image, _, _ = g.image(d, g.between(1, 40), g.between(1, 40))
		d.MaskPos = regions.Point{X: int32(g.between(-10, 10)), Y: int32(g.between(-10, 10))}
		d.CompositeFlags |= qxl.CompositeHasMask
		if g.coin() {
			d.CompositeFlags |= qxl.CompositeComponentAlpha
		}
		if g.IntN(3) == 0 {
			d.MaskTransform = g.transform()
			d.CompositeFlags |= qxl.CompositeHasMaskTransf
		}
	}
	if op := d.CompositeFlags & 0xff; op >= 0x3b && op <= 0x3e && d.Mask.Image != qxl.NoImage {
		d.CompositeFlags -= 0x38 // the reference forgets the mask's effect on blue
	}
	g.onceSurface(d)
	return d
}

// onceSurface makes further images bitmaps if one of d's is the source: the
// reference leaves transform, filter, repeat mode and component alpha of a
// composite with the surface, for its next one.
func (g *gen) onceSurface(d *qxl.Drawable) {
	for i := range d.Images {
		g.onlyBitmaps = g.onlyBitmaps || d.Images[i].Type == qxl.ImageSurface
	}
}
