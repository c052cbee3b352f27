package displaytest

import (
	"bytes"
	"fmt"

	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/canvas"
	"github.com/spiceecs/spiceecs/regions"
)

// canvases are surfaces by id. They are what drawables refer to.
type canvases map[uint32]*canvas.Canvas

// Surface makes canvases a canvas.Sources.
func (cs canvases) Surface(id uint32) *canvas.Canvas { return cs[id] }

// Decode decompresses what the guest has compressed.
func (canvases) Decode(im *qxl.Image) (*canvas.Pixmap, error) {
	out := *im
	if err := decodeQUIC(&out, im.Data.AppendTo(nil)); err != nil {
		return nil, err
	}
	return &canvas.Pixmap{
		Format: out.Format, TopDown: true, Width: int(out.X), Height: int(out.Y), Stride: int(out.Stride),
		Pix: out.Data.AppendTo(nil),
	}, nil
}

// copyOf returns a canvas with the same pixels.
func copyOf(c *canvas.Canvas) *canvas.Canvas {
	n := canvas.New(c.Format(), c.Width(), c.Height())
	for y := range c.Height() {
		copy(n.Row(y), c.Row(y))
	}
	return n
}

func (cs canvases) clone() canvases {
	n := canvases{}
	for id, c := range cs {
		n[id] = copyOf(c)
	}
	return n
}

// execute draws d. What a canvas refuses, it refuses everywhere.
func (cs canvases) execute(d *qxl.Drawable, limit *regions.Region) {
	if c := cs[d.Surface]; c != nil {
		_ = c.DrawRegion(d, cs, limit)
	}
}

// bitsOf are the bits of a pixel that mean something, by byte.
var bitsOf = map[qxl.SurfaceFormat][]byte{
	qxl.Surface1A: allBits, qxl.Surface8A: allBits, qxl.Surface16x555: {0xff, 0x7f}, qxl.Surface16x565: allBits,
	qxl.Surface32xRGB: {0xff, 0xff, 0xff, 0}, qxl.Surface32ARGB: allBits,
}

var allBits = []byte{0xff}

// equal reports whether two pixels are equal in bits.
func equal(a, b, bits []byte) bool {
	for i := range a {
		if (a[i]^b[i])&bits[i%len(bits)] != 0 {
			return false
		}
	}
	return true
}

func sameShape(got, want *canvas.Canvas) error {
	switch {
	case got == nil && want == nil:
		return nil
	case got == nil || want == nil:
		return fmt.Errorf("exists: %t, want %t", got != nil, want != nil)
	case got.Format() != want.Format() || got.Bounds() != want.Bounds():
		return fmt.Errorf("format %d, %v, want %d, %v", got.Format(), got.Bounds(), want.Format(), want.Bounds())
	}
	return nil
}

// differ describes the first pixel of area in which two surfaces differ.
func differ(got, want *canvas.Canvas, area regions.Rect) error {
	if err := sameShape(got, want); err != nil {
		return err
	}
	size := pixelSize(want.Format())
	for y := area.Top; y < area.Bottom; y++ {
		a, b := span(got, y, area.Left, area.Right), span(want, y, area.Left, area.Right)
		for at := 0; at < len(b); at += size {
			if a, b := a[at:at+size], b[at:at+size]; !bytes.Equal(a, b) {
				return fmt.Errorf("pixel (%d,%d) is %x, want %x", int(area.Left)+at/size, y, a, b)
			}
		}
	}
	return nil
}

// pixelSize is the size of a pixel in a span.
func pixelSize(f qxl.SurfaceFormat) int { return max(1, f.Depth()/8) }

// span is the pixels [left,right) of a line. Those of 1 bit are a byte each.
func span(c *canvas.Canvas, y, left, right int32) []byte {
	line := c.Row(int(y))
	if c.Format() != qxl.Surface1A {
		size := int32(pixelSize(c.Format()))
		return line[size*left : size*right]
	}
	out := make([]byte, 0, right-left)
	for x := left; x < right; x++ {
		out = append(out, -(line[x>>3] >> (x & 7) & 1))
	}
	return out
}

// painter is the naive truth: it executes every command at once.
type painter struct {
	canvases
	cmd qxl.Drawable
}

// accepts reports whether the engine must carry the command out: it has to name
// surfaces that exist, and stay inside its target.
func (p *painter) accepts(d *qxl.Drawable) bool {
	c := p.canvases[d.Surface]
	if c == nil || !c.Bounds().Contains(d.BBox) {
		return false
	}
	if a := d.SelfBitmapArea; d.SelfBitmap && (a.Empty() || !c.Bounds().Contains(a)) {
		return false
	}
	for _, dep := range d.Deps {
		if dep >= 0 && p.canvases[uint32(dep)] == nil {
			return false
		}
	}
	for i := range d.Images {
		if im := &d.Images[i]; im.Type == qxl.ImageSurface && p.canvases[im.Surface] == nil {
			return false
		}
	}
	return true
}

// draw executes a program's drawing command.
func (p *painter) draw(dr *Draw) {
	d := &p.cmd
	dr.drawable(d)
	if !p.accepts(d) {
		return
	}
	if d.SelfBitmap && d.Src == qxl.NoImage {
		p.selfBitmap(d)
	}
	p.execute(d, nil)
}

// selfBitmap makes a copy of the target the source.
func (p *painter) selfBitmap(d *qxl.Drawable) {
	c := p.canvases[d.Surface]
	formats := map[qxl.SurfaceFormat]qxl.BitmapFormat{
		qxl.Surface16x555: qxl.Bitmap16Bit, qxl.Surface32xRGB: qxl.Bitmap32Bit,
		qxl.Surface32ARGB: qxl.BitmapRGBA, qxl.Surface8A: qxl.Bitmap8BitA,
	}
	format, ok := formats[c.Format()]
	if !ok {
		return
	}
	a := d.SelfBitmapArea
	im, i := d.NewImage()
	im.Type, im.Format, im.BitFlags = qxl.ImageBitmap, format, qxl.BitmapTopDown
	im.X, im.Y = uint32(a.Width()), uint32(a.Height())
	im.Width, im.Height, im.Stride = im.X, im.Y, im.X*uint32(format.BitsPerPixel())/8
	im.Data.Append(c.ReadRect(nil, a))
	d.Src = i
}
