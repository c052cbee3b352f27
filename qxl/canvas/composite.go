package canvas

import (
	"fmt"

	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

// composer applies an X Render operator to the destination.
type composer struct {
	j         *job
	src, mask sampler
	hasMask   bool
	component bool    // the mask has an alpha for every component
	over      bool    // the operator is the usual one
	combine   combine // the operator in 8-bit arithmetic, or nil:
	wide      wideOp  // in floating point
	rows      [2][]wide
	layout    layout // how the destination's words are read and written
}

// sampler reads an image at transformed positions.
type sampler struct {
	src       *source
	x, y      int // the image's coordinates at the canvas' origin
	transform *qxl.Transform
	linear    bool
	repeat    uint8
	shown     layout // whose colours the samples have
	reduce    bool   // they are not the source's own
}

// Repeat modes of a sampler.
const (
	repeatNone = iota
	repeatNormal
	repeatPad
	repeatReflect
)

// Filters of a composite that do not interpolate; all others do.
const (
	filterFast    = 0
	filterNearest = 3
)

// drawComposite is X Render's composite request with the canvas as destination.
func (j *job) drawComposite() error {
	d := j.d
	p := &j.compose
	*p = composer{j: j, rows: p.rows, layout: workLayout(j.c.format), component: d.CompositeFlags&qxl.CompositeComponentAlpha != 0}
	if err := p.openSampler(&p.src, &j.img, d.Src, qxl.CompositeSrcFilterShift, qxl.CompositeSrcRepeatShift); err != nil {
		return err
	}
	if d.CompositeFlags&qxl.CompositeSourceOpaque != 0 && j.img.lay == layARGB &&
		d.Image(d.Src).Type == qxl.ImageSurface {
		j.img.lay = layXRGB
	}
	p.src.x, p.src.y = int(d.SrcPos.X)-int(d.BBox.Left), int(d.SrcPos.Y)-int(d.BBox.Top)
	if d.CompositeFlags&qxl.CompositeHasSrcTransform != 0 {
		p.src.transform = &d.SrcTransform
	}
	if p.hasMask = d.Mask.Image != qxl.NoImage; p.hasMask {
		if err := p.openSampler(&p.mask, &j.alpha, d.Mask.Image, qxl.CompositeMaskFilterShift, qxl.CompositeMaskRepeatShift); err != nil {
			return fmt.Errorf("mask: %w", err)
		}
		p.mask.x, p.mask.y = int(d.MaskPos.X)-int(d.BBox.Left), int(d.MaskPos.Y)-int(d.BBox.Top)
		if d.CompositeFlags&qxl.CompositeHasMaskTransf != 0 {
			p.mask.transform = &d.MaskTransform
		}
	}
	srcOpaque := p.src.opaque(d.BBox) && (!p.hasMask || !p.component && p.mask.opaque(d.BBox))
	op := simplify(uint8(d.CompositeFlags), srcOpaque, p.layout.opaque())
	if p.combine, p.wide = operator(op, p.component && p.hasMask); p.combine == nil && p.wide == nil {
		return fmt.Errorf("%w: operator %#x", ErrDrawable, op)
	}
	p.over = op == opOver && !p.hasMask
	j.paint(p)
	return nil
}

// openSampler opens image i with the filter and repeat mode at the given bits
// of the flags.
func (p *composer) openSampler(s *sampler, src *source, i int8, filterShift, repeatShift uint) error {
	if err := p.j.open(src, i, p.j.c.Bounds()); err != nil {
		return err
	}
	src.flatten()
	flags := p.j.d.CompositeFlags
	filter := flags >> filterShift & 7
	*s = sampler{
		src: src, repeat: uint8(flags >> repeatShift & 3), linear: filter != filterFast && filter != filterNearest,
		shown: src.lay,
	}
	if p.j.d.Image(i).Type != qxl.ImageSurface {
		s.shown = src.lay.shownOn(src.work)
	}
	s.reduce = s.shown != src.lay && (s.shown.bits() < 32 || !src.lay.opaque())
	return nil
}

// opaque reports whether every sample for the pixels of box is opaque.
func (s *sampler) opaque(box regions.Rect) bool {
	if !s.shown.opaque() {
		return false
	}
	if s.repeat != repeatNone {
		return true
	}
	x0, y0, x1, y1 := s.extents(box)
	if s.linear && s.transform != nil {
		return x0-0x8000 >= 0 && y0-0x8000 >= 0 && x1+0x8000 < s.src.width<<16 && y1+0x8000 < s.src.height<<16
	}
	return x0-1 >= 0 && y0-1 >= 0 && x1-1 < s.src.width<<16 && y1-1 < s.src.height<<16
}

// extents are the extreme positions, in 16.16 fixed point, of the samples for
// the pixels of box.
func (s *sampler) extents(box regions.Rect) (x0, y0, x1, y1 int) {
	for i, x := range [2]int32{box.Left, box.Right - 1} {
		for k, y := range [2]int32{box.Top, box.Bottom - 1} {
			fx, fy := s.position(int(x)+s.x, int(y)+s.y)
			if i == 0 && k == 0 {
				x0, y0, x1, y1 = fx, fy, fx, fy
			}
			x0, y0, x1, y1 = min(x0, fx), min(y0, fy), max(x1, fx), max(y1, fy)
		}
	}
	return x0, y0, x1, y1
}

// position is the centre of pixel (x,y) transformed, in 16.16 fixed point.
func (s *sampler) position(x, y int) (fx, fy int) {
	t := s.transform
	if t == nil {
		return x<<16 + 0x8000, y<<16 + 0x8000
	}
	return (int(t[0])*(2*x+1)+int(t[1])*(2*y+1)+1)>>1 + int(t[2]),
		(int(t[3])*(2*x+1)+int(t[4])*(2*y+1)+1)>>1 + int(t[5])
}

func (p *composer) span(y, x0, x1 int) {
	dst := p.j.row(y, x0, x1)
	if p.combine != nil {
		p.narrowSpan(dst, y, x0, x1)
	} else {
		p.wideSpan(dst, y, x0, x1)
	}
	p.j.flush(y, x0, dst)
}

// narrowSpan combines pixels in 8-bit arithmetic.
func (p *composer) narrowSpan(dst []byte, y, x0, x1 int) {
	j, n := p.j, x1-x0
	for i := range j.argb {
		j.argb[i] = sized(j.argb[i], n)
	}
	src, mask, back := j.argb[0], j.argb[1], j.argb[2]
	p.src.rowARGB(src, x0, y)
	if p.over {
		j.overRow(dst, src, p.layout)
		return
	}
	if p.hasMask {
		p.mask.rowARGB(mask, x0, y)
	}
	p.layout.fetchARGB(back, dst, 0, nil)
	for i, s := range src {
		m := alphas(s)
		if p.hasMask && p.component {
			m, s = mulAlpha(mask[i], s>>24), mulEach(s, mask[i])
		} else if p.hasMask {
			s = mulAlpha(s, mask[i]>>24)
			m = alphas(s)
		}
		back[i] = p.combine(s, m, back[i])
	}
	p.layout.storeARGB(dst, back)
}

// rowARGB sets dst to the samples for the canvas' pixels from (x,y) on.
func (s *sampler) rowARGB(dst []uint32, x, y int) {
	x, y = x+s.x, y+s.y
	if s.transform == nil {
		if s.repeat == repeatNone && !s.reduce {
			s.src.rowARGB(dst, x, y)
			return
		}
		for i := range dst {
			dst[i] = s.at(x+i, y)
		}
		return
	}
	fx, fy := s.position(x, y)
	for i := range dst {
		if s.linear {
			dst[i] = s.between(fx-0x8000, fy-0x8000)
		} else {
			dst[i] = s.at((fx-1)>>16, (fy-1)>>16)
		}
		fx += int(s.transform[0])
		fy += int(s.transform[3])
	}
}

// between interpolates at a position in 16.16 fixed point, counted from the
// centre of the first pixel.
func (s *sampler) between(fx, fy int) uint32 {
	x, y := fx>>16, fy>>16
	return bilinear(s.at(x, y), s.at(x+1, y), s.at(x, y+1), s.at(x+1, y+1), uint32(fx>>9)&127, uint32(fy>>9)&127)
}

// at is the pixel (x,y) of the repeated image.
func (s *sampler) at(x, y int) uint32 {
	w, h := s.src.width, s.src.height
	if uint(x) >= uint(w) || uint(y) >= uint(h) {
		switch s.repeat {
		case repeatNone:
			return 0
		case repeatNormal:
			x, y = mod(x, w), mod(y, h)
		case repeatPad:
			x, y = max(0, min(x, w-1)), max(0, min(y, h-1))
		case repeatReflect:
			x, y = reflect(x, w), reflect(y, h)
		}
	}
	v := s.src.pixelARGB(x, y)
	if s.reduce {
		v = s.shown.reduceARGB(v)
	}
	return v
}

// reflect maps x into [0,n) as if every other copy were mirrored.
func reflect(x, n int) int {
	if x = mod(x, 2*n); x >= n {
		return 2*n - 1 - x
	}
	return x
}
