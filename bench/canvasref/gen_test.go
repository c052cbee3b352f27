package canvasref

import (
	"math/rand/v2"

	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

// gen makes random commands that the reference accepts.
type gen struct {
	*rand.Rand
	target, source qxl.SurfaceCommand // what is drawn on, and what images may refer to
	anyDepth       bool               // they may, even if it has another depth than the target
	onlyBitmaps    bool               // images do not refer to the source
}

func newGen(seed uint64, alpha qxl.SurfaceFormat) *gen {
	g := &gen{Rand: rand.New(rand.NewPCG(seed, 0xca9fa5))}
	formats := [...]qxl.SurfaceFormat{qxl.Surface16x555, qxl.Surface16x565, qxl.Surface32xRGB, qxl.Surface32xRGB, qxl.Surface32ARGB}
	format := formats[g.IntN(len(formats))]
	if alpha != 0 {
		format = [...]qxl.SurfaceFormat{qxl.Surface32xRGB, qxl.Surface32ARGB, alpha}[g.IntN(3)]
	}
	g.target = g.surface(1, format)
	other := format
	if format.Depth() == 32 && g.coin() {
		other = qxl.Surface32ARGB ^ qxl.Surface32xRGB ^ format
	}
	if alpha != 0 {
		other = alpha
	}
	g.source = g.surface(2, other)
	return g
}

func (g *gen) coin() bool { return g.IntN(2) == 0 }

// between returns a number in [a,b].
func (g *gen) between(a, b int) int { return a + g.IntN(b-a+1) }

func (g *gen) bytes(n int) []byte {
	p := make([]byte, n)
	g.fill(p)
	return p
}

// fill is noise, or few different bytes so that neighbours are often equal.
func (g *gen) fill(p []byte) {
	few := [...]byte{0, 255, byte(g.Uint32()), byte(g.Uint32())}
	noise := g.coin()
	for i := range p {
		if noise {
			p[i] = byte(g.Uint32())
		} else {
			p[i] = few[g.IntN(len(few))]
		}
	}
}

func (g *gen) surface(id uint32, format qxl.SurfaceFormat) qxl.SurfaceCommand {
	c := qxl.SurfaceCommand{
		Surface: id, Action: qxl.SurfaceCreate, Flags: qxl.SurfaceKeepData, Format: format,
		Width: uint32(g.between(1, 60)), Height: uint32(g.between(1, 50)),
	}
	line := (int(c.Width)*format.Depth() + 31) / 32 * 4
	c.Stride = int32(line + 4*g.IntN(3))
	c.Memory = g.bytes(int(c.Stride) * int(c.Height))
	if g.coin() {
		c.Stride = -c.Stride
	}
	if format == qxl.Surface32ARGB {
		premultiply(c.Memory)
	}
	return c
}

// premultiply makes the words of p valid premultiplied pixels.
func premultiply(p []byte) {
	for ; len(p) >= 4; p = p[4:] {
		for i := range 3 {
			p[i] = byte(uint(p[i]) * uint(p[3]) / 255)
		}
	}
}

// box is a part of a width x height area.
func (g *gen) box(width, height int) regions.Rect {
	w, h := g.between(1, width), g.between(1, height)
	x, y := g.between(0, width-w), g.between(0, height-h)
	return regions.XYWH(int32(x), int32(y), int32(w), int32(h))
}

func (g *gen) clip(d *qxl.Drawable) {
	if g.coin() {
		return
	}
	d.Clip.Type = qxl.ClipRects
	for range g.between(1, 5) {
		r := g.box(int(g.target.Width), int(g.target.Height))
		d.Clip.Rects = append(d.Clip.Rects, r.Translate(int32(g.between(-5, 5)), int32(g.between(-5, 5))))
	}
}

// drawable starts an operation.
func (g *gen) drawable(t qxl.DrawType) *qxl.Drawable {
	d := &qxl.Drawable{}
	d.Reset()
	d.Type, d.Surface = t, 1
	d.BBox = g.box(int(g.target.Width), int(g.target.Height))
	g.clip(d)
	return d
}

// bitmap adds an image of the given format and at least the given size.
func (g *gen) bitmap(d *qxl.Drawable, f qxl.BitmapFormat, width, height int) int8 {
	im, i := d.NewImage()
	im.ID = g.Uint64()
	im.Type, im.Format = qxl.ImageBitmap, f
	im.X, im.Y = uint32(width), uint32(height)
	im.Width, im.Height = im.X, im.Y
	im.Stride = uint32((width*f.BitsPerPixel()+31)/32*4 + 4*g.IntN(2))
	if g.coin() {
		im.BitFlags |= qxl.BitmapTopDown
	}
	if f == qxl.Bitmap32Bit && g.IntN(4) == 0 {
		im.Flags |= qxl.ImageHighBitsSet
	}
	data := g.bytes(int(im.Stride) * height)
	if f == qxl.BitmapRGBA {
		premultiply(data)
	}
	if f.Indexed() {
		g.palette(im, data)
	}
	g.chunks(im, data)
	return i
}

// chunks divides an image's data at any place.
func (g *gen) chunks(im *qxl.Image, data []byte) {
	if g.coin() {
		im.BitFlags |= qxl.BitmapDirect
		im.Data.Append(data)
		return
	}
	for len(data) > 0 {
		n := g.between(1, len(data))
		if g.IntN(3) > 0 {
			n = min(len(data), g.between(1, 3)*int(im.Stride))
		}
		im.Data.Append(data[:n])
		data = data[n:]
	}
}

// palette gives im a palette that has all colours of its data.
func (g *gen) palette(im *qxl.Image, data []byte) {
	n := 1 << im.Format.BitsPerPixel()
	if im.Format == qxl.Bitmap8Bit {
		n = g.between(1, 256)
		for i := range data {
			data[i] = byte(int(data[i]) % n)
		}
	}
	im.HasPalette = true
	im.Palette.Unique = g.Uint64()
	for range n {
		im.Palette.Entries = append(im.Palette.Entries, g.color())
	}
}

// color is a word of the target's format.
func (g *gen) color() uint32 {
	v := g.Uint32()
	if g.IntN(4) == 0 {
		v = -uint32(g.IntN(2))
	}
	if g.target.Format.Depth() == 16 {
		v &= 0xffff
	}
	if g.target.Format == qxl.Surface16x555 {
		v &= 0x7fff
	}
	return v
}

// colourFormats are what the reference can use as a picture.
func (g *gen) colourFormats() []qxl.BitmapFormat {
	if g.target.Format.Depth() <= 8 {
		return []qxl.BitmapFormat{qxl.Bitmap16Bit, qxl.Bitmap24Bit, qxl.Bitmap32Bit, qxl.BitmapRGBA, qxl.Bitmap8BitA, qxl.Bitmap8BitA}
	}
	f := []qxl.BitmapFormat{qxl.Bitmap16Bit, qxl.Bitmap24Bit, qxl.Bitmap32Bit, qxl.BitmapRGBA, qxl.Bitmap32Bit, qxl.BitmapRGBA, qxl.Bitmap8BitA}
	if g.target.Format != qxl.Surface16x565 {
		f = append(f, qxl.Bitmap1BitBE, qxl.Bitmap4BitBE, qxl.Bitmap8Bit)
	}
	return f
}

// image adds a picture of at least the given size, a bitmap or a surface.
func (g *gen) image(d *qxl.Drawable, width, height int) (i int8, w, h int) {
	usable := g.anyDepth || g.source.Format.Depth() == g.target.Format.Depth()
	if usable && !g.onlyBitmaps && g.IntN(4) == 0 && int(g.source.Width) >= width && int(g.source.Height) >= height {
		return g.imageOf(d, &g.source), int(g.source.Width), int(g.source.Height)
	}
	formats := g.colourFormats()
	w, h = width+g.IntN(6), height+g.IntN(6)
	return g.bitmap(d, formats[g.IntN(len(formats))], w, h), w, h
}

// imageOf adds surface s as an image.
func (g *gen) imageOf(d *qxl.Drawable, s *qxl.SurfaceCommand) int8 {
	im, i := d.NewImage()
	im.ID, im.Type, im.Surface = g.Uint64(), qxl.ImageSurface, s.Surface
	im.Width, im.Height = s.Width, s.Height
	d.Deps[0] = int32(s.Surface)
	d.DepRects[0] = regions.Rect{Right: int32(s.Width), Bottom: int32(s.Height)}
	return i
}

// src gives d a source; scaled ones are of any size.
func (g *gen) src(d *qxl.Drawable, scaled bool) {
	w, h := int(d.BBox.Width()), int(d.BBox.Height())
	if scaled {
		w, h = g.between(1, 2*w), g.between(1, 2*h)
	}
	i, iw, ih := g.image(d, w, h)
	d.Src = i
	d.SrcArea = regions.XYWH(int32(g.between(0, iw-w)), int32(g.between(0, ih-h)), int32(w), int32(h))
}

func (g *gen) mask(d *qxl.Drawable) {
	if g.IntN(3) > 0 {
		return
	}
	f := qxl.Bitmap1BitBE
	if g.coin() {
		f = qxl.Bitmap1BitLE
	}
	w, h := g.between(1, int(d.BBox.Width())+10), g.between(1, int(d.BBox.Height())+10)
	d.Mask.Image = g.bitmap(d, f, w, h)
	im := d.Image(d.Mask.Image)
	im.HasPalette, im.Palette.Entries = false, nil
	d.Mask.Pos = regions.Point{X: int32(g.IntN(10)), Y: int32(g.IntN(10))}
	if g.coin() {
		d.Mask.Flags = qxl.MaskInvers
	}
}

func (g *gen) brush(d *qxl.Drawable) qxl.Brush {
	if d.Type == qxl.DrawFill && g.IntN(8) == 0 {
		return qxl.Brush{Type: qxl.BrushNone, Image: qxl.NoImage}
	}
	if g.coin() {
		return g.solid()
	}
	i, _, _ := g.image(d, g.between(1, 12), g.between(1, 12))
	return qxl.Brush{Type: qxl.BrushPattern, Image: i, Pos: regions.Point{X: int32(g.between(-20, 40)), Y: int32(g.between(-20, 40))}}
}

func (g *gen) solid() qxl.Brush {
	return qxl.Brush{Type: qxl.BrushSolid, Color: g.color(), Image: qxl.NoImage}
}

// rop is a raster operation with any inversions.
func (g *gen) rop() uint16 {
	if g.coin() {
		return qxl.RopPut
	}
	ops := [...]uint16{qxl.RopPut, qxl.RopOr, qxl.RopAnd, qxl.RopXor, qxl.RopBlackness, qxl.RopWhiteness, qxl.RopInvers}
	inv := uint16(g.Uint32()) & (qxl.RopInversSrc | qxl.RopInversBrush | qxl.RopInversDest | qxl.RopInversRes)
	return ops[g.IntN(len(ops))] | inv
}

// scaled decides that a source is scaled, and how.
func (g *gen) scaled(d *qxl.Drawable) bool {
	d.Scale = uint8(g.IntN(2))
	return g.IntN(3) == 0
}
