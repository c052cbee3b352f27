package canvas

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

// scaler samples an area of a source at the pixels of a box. Positions are in
// 16.16 fixed point and steps are rounded down, as X Render has it: pixel i of
// the box reads position (i + 1/2) * step from the area's corner on.
type scaler struct {
	src          *source
	stepX, stepY int
	orgX, orgY   int // the area's corner
	left, top    int // the box's corner
	linear       bool
	from         layout        // how the canvas' words are read as colours
	pad          uint32        // what nearest samples get in addition
	lines        [2]scaledLine // the lines read last, even and odd ones
	out          []uint32      // interpolated colours
}

// scaledLine is a line of the source, wholly converted.
type scaledLine struct {
	y     int
	valid bool
	raw   []byte   // for sampling, in the canvas' layout
	argb  []uint32 // for interpolating
}

// open prepares to sample area of src at box. Mode is the drawable's; every
// other value than nearest interpolates. The pads of words without alpha are
// sampled like colours.
func (s *scaler) open(src *source, area, box regions.Rect, mode uint8) error {
	if area.Empty() || !plane.Contains(area) {
		return fmt.Errorf("%w: source area %v", ErrDrawable, area)
	}
	s.src = src
	s.stepX = int(area.Width()) << 16 / int(box.Width())
	s.stepY = int(area.Height()) << 16 / int(box.Height())
	s.orgX, s.orgY = int(area.Left)<<16, int(area.Top)<<16
	s.left, s.top = int(box.Left), int(box.Top)
	s.linear = mode != qxl.ScaleNearest
	s.lines[0].valid, s.lines[1].valid = false, false
	s.from, s.pad = src.work, 0
	if src.work == layXRGB {
		s.from = layARGB
	}
	return nil
}

// snapped puts the area's corner on a whole number of steps, as the ternary
// raster operations have it: they scale the plane and then cut the area out.
func (s *scaler) snapped(area, box regions.Rect) {
	snap := func(at, from, to int32, step int) int {
		return int(math.Floor(float64(at)/(float64(from)/float64(to))+.5)) * step
	}
	s.orgX = snap(area.Left, area.Width(), box.Width(), s.stepX)
	s.orgY = snap(area.Top, area.Height(), box.Height(), s.stepY)
}

// opaque makes samples of words without alpha opaque.
func (s *scaler) opaque() {
	if s.from = s.src.colours(); s.from == layXRGB {
		s.pad = 0xff000000
	}
}

// position is where pixel i of the box reads, for one axis.
func position(i, step, org int) int { return ((2*i+1)*step+1)>>1 + org }

// line returns line y of the source, which has it.
func (s *scaler) line(y int) *scaledLine {
	l := &s.lines[y&1]
	if l.valid && l.y == y {
		return l
	}
	src := s.src
	l.y, l.valid = y, true
	l.raw = sized(l.raw, src.width*src.work.bits()/8)
	src.rowInto(l.raw, 0, y, src.width)
	if s.linear {
		l.argb = sized(l.argb, src.width)
		s.from.fetchARGB(l.argb, l.raw, 0, nil)
	}
	return l
}

// rowInto sets dst to the samples for the canvas' pixels [x0,x1) of line y, in
// the canvas' layout. Samples outside the source are 0.
func (s *scaler) rowInto(dst []byte, y, x0, x1 int) {
	if s.linear {
		s.out = sized(s.out, x1-x0)
		s.interpolate(s.out, y, x0)
		s.src.work.storeARGB(dst, s.out)
		return
	}
	sy := (position(y-s.top, s.stepY, s.orgY) - 1) >> 16
	if sy < 0 || sy >= s.src.height {
		clear(dst)
		return
	}
	raw, width := s.line(sy).raw, s.src.width
	switch s.src.work.bits() {
	case 32:
		for i := range x1 - x0 {
			v := uint32(0)
			if sx := (position(x0+i-s.left, s.stepX, s.orgX) - 1) >> 16; sx >= 0 && sx < width {
				v = binary.LittleEndian.Uint32(raw[4*sx:]) | s.pad
			}
			binary.LittleEndian.PutUint32(dst[4*i:], v)
		}
	case 16:
		mask := uint16(0xffff)
		if s.src.work == lay555 {
			mask = 0x7fff
		}
		for i := range x1 - x0 {
			v := uint16(0)
			if sx := (position(x0+i-s.left, s.stepX, s.orgX) - 1) >> 16; sx >= 0 && sx < width {
				v = binary.LittleEndian.Uint16(raw[2*sx:]) & mask
			}
			binary.LittleEndian.PutUint16(dst[2*i:], v)
		}
	default:
		for i := range dst {
			dst[i] = 0
			if sx := (position(x0+i-s.left, s.stepX, s.orgX) - 1) >> 16; sx >= 0 && sx < width {
				dst[i] = raw[sx]
			}
		}
	}
}

// sampleARGB sets dst to the nearest samples from column x0 of line y on, in
// the source's own depth.
func (s *scaler) sampleARGB(dst []uint32, y, x0 int) {
	sy := (position(y-s.top, s.stepY, s.orgY) - 1) >> 16
	if sy < 0 || sy >= s.src.height {
		clear(dst)
		return
	}
	l := &s.lines[0]
	if !l.valid || l.y != sy {
		l.y, l.valid = sy, true
		l.argb = sized(l.argb, s.src.width)
		s.src.rowARGB(l.argb, 0, sy)
	}
	for i := range dst {
		dst[i] = 0
		if sx := (position(x0+i-s.left, s.stepX, s.orgX) - 1) >> 16; sx >= 0 && sx < len(l.argb) {
			dst[i] = l.argb[sx]
		}
	}
}

// interpolate is bilinear filtering between pixel centres with weights of 7
// bits; neighbours outside the source count as transparent.
func (s *scaler) interpolate(dst []uint32, y, x0 int) {
	vy := position(y-s.top, s.stepY, s.orgY) - 0x8000
	top, bottom := s.argbLine(vy>>16), s.argbLine(vy>>16+1)
	wy := uint32(vy>>9) & 127
	for i := range dst {
		vx := position(x0+i-s.left, s.stepX, s.orgX) - 0x8000
		tl, tr := neighbours(top, vx>>16)
		bl, br := neighbours(bottom, vx>>16)
		dst[i] = bilinear(tl, tr, bl, br, uint32(vx>>9)&127, wy)
	}
}

// neighbours are the pixels x and x+1 of a line, transparent outside it.
func neighbours(line []uint32, x int) (l, r uint32) {
	if uint(x) < uint(len(line)) {
		l = line[x]
	}
	if uint(x+1) < uint(len(line)) {
		r = line[x+1]
	}
	return l, r
}

// argbLine is line y in colours, nil outside the source.
func (s *scaler) argbLine(y int) []uint32 {
	if y < 0 || y >= s.src.height {
		return nil
	}
	return s.line(y).argb
}

// bilinear mixes four neighbours; wx and wy (0 to 127) are the weights, in
// 1/128, of the right and of the bottom ones.
func bilinear(tl, tr, bl, br, wx, wy uint32) uint32 {
	down := uint64(wy)
	even := (mixPair(tl, tr, wx)*(128-down) + mixPair(bl, br, wx)*down) >> 14
	odd := (mixPair(tl>>8, tr>>8, wx)*(128-down) + mixPair(bl>>8, br>>8, wx)*down) >> 14
	return uint32(even)&255 | uint32(odd)&255<<8 | uint32(even>>32)&255<<16 | uint32(odd>>32)&255<<24
}

// mixPair mixes the components in bits 0-7 and 16-23, and puts the results,
// times 128, into the halves of the result.
func mixPair(l, r, wx uint32) uint64 {
	v := l&evenBytes*(128-wx) + r&evenBytes*wx
	return uint64(v&0xffff) | uint64(v>>16)<<32
}
