package displaytest

import (
	"fmt"

	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/canvas"
	"github.com/spiceecs/spiceecs/regions"
)

// canvases are surfaces by id. They are what drawables refer to.
type canvases map[uint32]*canvas.Canvas

// Surface makes canvases a canvas.Sources.
func (cs canvases) Surface(id uint32) *canvas.Canvas { return cs[id] }

// Decode is never needed: all images are raw.
func (cs canvases) Decode(im *qxl.Image) (*canvas.Pixmap, error) {
	return nil, fmt.Errorf("image type %d", im.Type)
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

// differ describes the first pixel of area in which two surfaces differ.
func differ(got, want *canvas.Canvas, area regions.Rect) error {
	switch {
	case got == nil || want == nil:
		return fmt.Errorf("exists: %t, want %t", got != nil, want != nil)
	case got.Format() != want.Format() || got.Bounds() != want.Bounds():
		return fmt.Errorf("format %d, %v, want %d, %v", got.Format(), got.Bounds(), want.Format(), want.Bounds())
	}
	size := max(1, got.Format().Depth()/8)
	for y := area.Top; y < area.Bottom; y++ {
		a, b := got.Row(int(y)), want.Row(int(y))
		for i := size * int(area.Left); i < size*int(area.Right); i++ {
			if a[i] != b[i] {
				at := i / size * size
				return fmt.Errorf("pixel (%d,%d) is %x, want %x", at/size, y, a[at:at+size], b[at:at+size])
			}
		}
	}
	return nil
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
