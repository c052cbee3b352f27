package canvas

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

var allFormats = []qxl.SurfaceFormat{
	qxl.Surface1A, qxl.Surface8A, qxl.Surface16x555, qxl.Surface16x565, qxl.Surface32xRGB, qxl.Surface32ARGB,
}

// word reads the raw pixel (x,y), slowly.
func (c *Canvas) word(x, y int) (v uint32) {
	row, depth := c.Row(y), c.format.Depth()
	if depth == 1 {
		return uint32(row[x/8] >> (x % 8) & 1)
	}
	for i := depth / 8; i > 0; i-- {
		v = v<<8 | uint32(row[x*depth/8+i-1])
	}
	return v
}

// model draws fills, copies and ternary operations one pixel at a time.
type model struct {
	c      *Canvas
	before [][]uint32
	d      *qxl.Drawable
	src    *Canvas // the source surface, of the same format
	tile   *Canvas
	mask   func(x, y int) bool
}

// want is what pixel (x,y) has to be after the drawable.
func (m *model) want(x, y int) uint32 {
	d, old := m.d, m.before[y][x]
	if !contains(d.BBox, x, y) || !m.mask(x-int(d.BBox.Left)+int(d.Mask.Pos.X), y-int(d.BBox.Top)+int(d.Mask.Pos.Y)) {
		return old
	}
	if d.Clip.Type == qxl.ClipRects {
		in := false
		for _, r := range d.Clip.Rects {
			in = in || contains(r, x, y)
		}
		if !in {
			return old
		}
	}
	var src, brush uint32
	if d.Src != qxl.NoImage {
		sx, sy := x-int(d.BBox.Left)+int(d.SrcArea.Left), y-int(d.BBox.Top)+int(d.SrcArea.Top)
		src = m.src.word(sx, sy)
	}
	switch d.Brush.Type {
	case qxl.BrushSolid:
		brush = d.Brush.Color
	case qxl.BrushPattern:
		tx, ty := x-int(d.Brush.Pos.X), y-int(d.Brush.Pos.Y)
		for ; tx < 0; tx += m.tile.width {
		}
		for ; ty < 0; ty += m.tile.height {
		}
		brush = m.tile.word(tx%m.tile.width, ty%m.tile.height)
	}
	var out uint32
	for b := range m.c.format.Depth() {
		s, p, o := src>>b&1 != 0, brush>>b&1 != 0, old>>b&1 != 0
		var v bool
		switch d.Type {
		case qxl.DrawFill:
			v = bitOp(d.Rop, qxl.RopInversBrush, qxl.RopInversDest, p, o)
		case qxl.DrawCopy, qxl.DrawBlend:
			v = bitOp(d.Rop, qxl.RopInversSrc, qxl.RopInversDest, s, o)
		case qxl.DrawOpaque:
			v = bitOp(d.Rop, qxl.RopInversBrush, qxl.RopInversSrc, p, s)
		case qxl.DrawRop3:
			v = d.Rop3>>(bit(p)<<2|bit(s)<<1|bit(o))&1 != 0
		case qxl.DrawWhiteness:
			v = true
		case qxl.DrawInvers:
			v = !o
		}
		out |= uint32(bit(v)) << b
	}
	return out
}

func contains(r regions.Rect, x, y int) bool {
	return x >= int(r.Left) && x < int(r.Right) && y >= int(r.Top) && y < int(r.Bottom)
}

// world makes random canvases and drawables for the model.
type world struct {
	*rand.Rand
	canvases map[uint32]*Canvas
}

func (w *world) Surface(id uint32) *Canvas { return w.canvases[id] }

func (w *world) Decode(*qxl.Image) (*Pixmap, error) { return nil, fmt.Errorf("nothing to decode") }

func (w *world) between(a, b int) int { return a + w.IntN(b-a+1) }

// canvas is one of noise, top-down or bottom-up, with padding.
func (w *world) canvas(f qxl.SurfaceFormat, width, height int) *Canvas {
	stride := lineBytes(f.Depth(), width) + w.IntN(5)
	mem := noise(w.Rand, stride*height)
	if w.IntN(2) == 0 {
		stride = -stride
	}
	c, err := Wrap(f, width, height, stride, mem)
	if err != nil {
		panic(err)
	}
	return c
}

func (w *world) rect(width, height int) regions.Rect {
	x, y := w.between(-5, width), w.between(-5, height)
	return regions.XYWH(int32(x), int32(y), int32(w.between(0, width)), int32(w.between(0, height)))
}

// surfaceImage adds an image that refers to a canvas.
func surfaceImage(d *qxl.Drawable, id uint32) int8 {
	im, i := d.NewImage()
	im.Type, im.Surface = qxl.ImageSurface, id
	return i
}

// maskImage gives d a mask of noise and returns what it lets through.
func (w *world) maskImage(d *qxl.Drawable) func(x, y int) bool {
	im, i := d.NewImage()
	im.Type, im.Format = qxl.ImageBitmap, qxl.Bitmap1BitBE
	if w.IntN(2) == 0 {
		im.Format = qxl.Bitmap1BitLE
	}
	im.X, im.Y = uint32(w.between(1, 50)), uint32(w.between(1, 40))
	im.Stride = (im.X+7)/8 + uint32(w.IntN(3))
	data := noise(w.Rand, int(im.Stride*im.Y))
	for rest := data; len(rest) > 0; {
		n := w.between(1, len(rest))
		im.Data.Append(rest[:n])
		rest = rest[n:]
	}
	im.BitFlags = uint8(w.IntN(2)) * qxl.BitmapTopDown
	d.Mask = qxl.Mask{Image: i, Flags: uint8(w.IntN(2)), Pos: regions.Point{X: int32(w.between(-5, 9)), Y: int32(w.between(-5, 9))}}
	flags, format, width, height, stride := im.BitFlags, im.Format, int(im.X), int(im.Y), int(im.Stride)
	invers := d.Mask.Flags&qxl.MaskInvers != 0
	return func(x, y int) bool {
		if x < 0 || y < 0 || x >= width || y >= height {
			return false
		}
		if flags&qxl.BitmapTopDown == 0 {
			y = height - 1 - y
		}
		shift := x & 7
		if format == qxl.Bitmap1BitBE {
			shift = 7 - shift
		}
		return (data[y*stride+x/8]>>shift&1 != 0) != invers
	}
}

func TestModel(t *testing.T) {
	types := []qxl.DrawType{qxl.DrawFill, qxl.DrawCopy, qxl.DrawBlend, qxl.DrawOpaque, qxl.DrawRop3, qxl.DrawBlackness, qxl.DrawWhiteness, qxl.DrawInvers}
	for seed := range uint64(3000) {
		w := &world{Rand: rand.New(rand.NewPCG(seed, 7))}
		f := allFormats[w.IntN(len(allFormats))]
		c := w.canvas(f, w.between(1, 40), w.between(1, 30))
		m := &model{c: c, d: new(qxl.Drawable), mask: func(int, int) bool { return true }}
		m.src, m.tile = w.canvas(f, c.width+60, c.height+60), w.canvas(f, w.between(1, 9), w.between(1, 9))
		w.canvases = map[uint32]*Canvas{2: m.src, 3: m.tile}
		d := m.d
		d.Reset()
		d.Type = types[w.IntN(len(types))]
		d.BBox, d.Rop, d.Rop3 = w.rect(c.width, c.height), uint16(w.Uint32()), uint8(w.Uint32())
		if w.IntN(2) == 0 {
			d.Clip.Type = qxl.ClipRects
			for range w.IntN(6) {
				d.Clip.Rects = append(d.Clip.Rects, w.rect(c.width, c.height))
			}
		}
		switch d.Type {
		case qxl.DrawCopy, qxl.DrawBlend, qxl.DrawOpaque, qxl.DrawRop3:
			d.Src = surfaceImage(d, 2)
			d.SrcArea = regions.XYWH(int32(w.IntN(15)), int32(w.IntN(15)), d.BBox.Width(), d.BBox.Height())
		}
		switch d.Type {
		case qxl.DrawFill, qxl.DrawOpaque, qxl.DrawRop3:
			d.Brush = qxl.Brush{Type: qxl.BrushType(w.IntN(3)), Color: w.Uint32(), Image: qxl.NoImage}
			if d.Brush.Type == qxl.BrushPattern {
				d.Brush.Image = surfaceImage(d, 3)
				d.Brush.Pos = regions.Point{X: int32(w.between(-90, 90)), Y: int32(w.between(-90, 90))}
			}
		}
		if w.IntN(2) == 0 {
			m.mask = w.maskImage(d)
		}
		m.check(t, seed, w)
	}
}

// check draws and compares every pixel.
func (m *model) check(t *testing.T, seed uint64, src Sources) {
	t.Helper()
	c := m.c
	for y := range c.height {
		row := make([]uint32, c.width)
		for x := range row {
			row[x] = c.word(x, y)
		}
		m.before = append(m.before, row)
	}
	if err := c.Draw(m.d, src); err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	for y := range c.height {
		for x := range c.width {
			if got, want := c.word(x, y), m.want(x, y); got != want {
				t.Fatalf("seed %d: format %d, drawable %+v: pixel (%d,%d) was %#x, is %#x, want %#x",
					seed, c.format, m.d, x, y, m.before[y][x], got, want)
			}
		}
	}
}

func TestCopyBitsIsACopyThroughATemporary(t *testing.T) {
	for seed := range uint64(2000) {
		w := &world{Rand: rand.New(rand.NewPCG(seed, 8))}
		c := w.canvas(allFormats[w.IntN(len(allFormats))], w.between(1, 40), w.between(1, 30))
		d := new(qxl.Drawable)
		d.Reset()
		d.Type, d.BBox = qxl.DrawCopyBits, w.rect(c.width, c.height)
		d.SrcPos = regions.Point{X: d.BBox.Left + int32(w.between(-9, 9)), Y: d.BBox.Top + int32(w.between(-9, 9))}
		if w.IntN(2) == 0 {
			d.Clip.Type = qxl.ClipRects
			for range w.IntN(9) {
				d.Clip.Rects = append(d.Clip.Rects, w.rect(c.width/2, c.height/2).Translate(int32(w.IntN(20)), int32(w.IntN(20))))
			}
		}
		dx, dy := int(d.SrcPos.X-d.BBox.Left), int(d.SrcPos.Y-d.BBox.Top)
		old := make(map[[2]int]uint32)
		for y := range c.height {
			for x := range c.width {
				old[[2]int{x, y}] = c.word(x, y)
			}
		}
		if err := c.Draw(d, nil); err != nil {
			t.Fatal(err)
		}
		for y := range c.height {
			for x := range c.width {
				want, in := old[[2]int{x, y}], d.Clip.Type == qxl.ClipNone
				for _, r := range d.Clip.Rects {
					in = in || contains(r, x, y)
				}
				if from, ok := old[[2]int{x + dx, y + dy}]; ok && in && contains(d.BBox, x, y) {
					want = from
				}
				if got := c.word(x, y); got != want {
					t.Fatalf("seed %d: %+v: pixel (%d,%d) is %#x, want %#x", seed, d, x, y, got, want)
				}
			}
		}
	}
}
