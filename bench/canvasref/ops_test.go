package canvasref

import (
	"slices"

	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

// operation is a kind of command to compare.
type operation struct {
	name string
	raw  bool // works on words, not on colours
	a8   bool // on surfaces of alpha only, or with such a source
	make func(g *gen) *qxl.Drawable

	// Known differences. When the reference strokes, it writes beyond a buffer
	// now and then, which loses a few pixels or its life; it ends dashes as
	// rounding errors will; and it never ends a curve with a cusp. So many
	// commands in a hundred may differ, and it may die.
	rare int
	dies bool
}

var operations = []operation{
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
	{name: "alphablend", make: func(g *gen) *qxl.Drawable {
		d := g.drawable(qxl.DrawAlphaBlend)
		g.src(d, g.scaled(d))
		d.Alpha = uint8([...]uint32{0, 255, 255, g.Uint32N(256)}[g.IntN(4)])
		d.AlphaFlags = uint8(g.IntN(4))
		return d
	}},
	{name: "text", make: (*gen).text},
	{name: "stroke", raw: true, rare: 1, dies: true, make: func(g *gen) *qxl.Drawable { return g.stroke(false) }},
	{name: "curve", raw: true, rare: 1, dies: true, make: func(g *gen) *qxl.Drawable { return g.stroke(true) }},
	{name: "dash", raw: true, rare: 8, dies: true, make: (*gen).dash},
	{name: "composite", make: (*gen).composite},
	{name: "fill_a8", a8: true, raw: true, make: func(g *gen) *qxl.Drawable {
		d := g.drawable(qxl.DrawFill)
		d.Brush, d.Rop = qxl.Brush{Type: qxl.BrushSolid, Color: g.color(), Image: qxl.NoImage}, qxl.RopPut
		g.mask(d)
		return d
	}},
	{name: "copybits_a8", a8: true, raw: true, make: (*gen).copyBits},
	{name: "composite_a8", a8: true, make: (*gen).composite},
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
	g.src(d, false)
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

func (g *gen) text() *qxl.Drawable {
	d := g.drawable(qxl.DrawText)
	d.Rop = qxl.RopPut
	d.Brush = qxl.Brush{Type: qxl.BrushSolid, Color: g.color(), Image: qxl.NoImage}
	if g.target.Format == qxl.Surface16x565 {
		d.Brush.Color = -(d.Brush.Color & 1) // the reference reads others as 555
	}
	d.BackBrush = g.brush(d)
	if g.coin() {
		d.BackArea = g.box(int(g.target.Width), int(g.target.Height))
	}
	bits := 1
	d.Text.Flags = qxl.StringA1
	if g.coin() {
		bits, d.Text.Flags = 4, qxl.StringA4
	}
	for range g.between(1, 6) {
		gl := qxl.Glyph{
			Pos:    regions.Point{X: d.BBox.Left + int32(g.between(-4, 20)), Y: d.BBox.Top + int32(g.between(-4, 20))},
			Origin: regions.Point{X: int32(g.between(-2, 2)), Y: int32(g.between(-10, 2))},
			Width:  uint16(g.between(1, 14)), Height: uint16(g.between(1, 14)), Data: int32(len(d.Text.Data)),
		}
		d.Text.Data = append(d.Text.Data, g.bytes((int(gl.Width)*bits+7)/8*int(gl.Height))...)
		d.Text.Glyphs = append(d.Text.Glyphs, gl)
		if bits == 4 {
			break // overlapping glyphs of this depth are a known difference
		}
	}
	return d
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

// dash is a stroke with a style; lines of one segment, since the reference
// joins the pieces of others in its own way.
func (g *gen) dash() *qxl.Drawable {
	d := g.stroke(false)
	d.Rop = qxl.RopPut
	d.Line.Flags = qxl.LineStyled | uint8(g.IntN(2))*qxl.LineStartWithGap
	for range g.between(1, 6) {
		d.Line.Style = append(d.Line.Style, int32(g.between(16, 150)))
	}
	for i := range d.Segments {
		d.Segments[i].Count = 2
		d.Segments[i].Flags = qxl.PathBegin | qxl.PathEnd
	}
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
