package canvas

import (
	"fmt"

	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

// mask limits the region to the set bits of a 1-bit image. What lies outside
// the image is excluded, also when the bits are inverted.
type mask struct {
	on     bool
	src    source
	dx, dy int // from canvas to mask coordinates
	flip   byte
}

// openMask takes the drawable's mask into account; without one it does nothing.
func (j *job) openMask() error {
	d, m := j.d, &j.mask
	if d.Mask.Image == qxl.NoImage {
		return nil
	}
	if err := j.open(&m.src, d.Mask.Image, j.c.Bounds()); err != nil {
		return fmt.Errorf("mask: %w", err)
	}
	switch m.src.lay {
	case lay1LE, lay1BE, lay1A:
	default:
		return fmt.Errorf("mask: %w: layout is not one bit", ErrImage)
	}
	m.dx = int(d.Mask.Pos.X) - int(d.BBox.Left)
	m.dy = int(d.Mask.Pos.Y) - int(d.BBox.Top)
	m.flip = 0
	if d.Mask.Flags&qxl.MaskInvers != 0 {
		m.flip = 0xff
	}
	m.on = true
	inside := regions.Rect{
		Left: clampCoord(-m.dx), Top: clampCoord(-m.dy),
		Right: clampCoord(m.src.width - m.dx), Bottom: clampCoord(m.src.height - m.dy),
	}
	j.region.IntersectRect(inside)
	j.list()
	return nil
}

func clampCoord(v int) int32 {
	return int32(max(regions.MinCoord, min(regions.MaxCoord, v)))
}

// runs hands the runs of set bits in [x0,x1) of line y to p. The mask covers
// all of them.
func (m *mask) runs(p painter, y, x0, x1 int) {
	line, bit := m.src.pixels(x0+m.dx, y+m.dy, x1-x0)
	reverse := 0
	if m.src.lay == lay1BE {
		reverse = 7
	}
	x := x0
	skip := func(want byte) {
		for x < x1 {
			at := bit + x - x0
			b := line[at>>3] ^ m.flip
			if at&7 == 0 && b == want && x+8 <= x1 {
				x += 8
			} else if b>>(at&7^reverse)&1 == want&1 {
				x++
			} else {
				return
			}
		}
	}
	for x < x1 {
		skip(0)
		from := x
		skip(0xff)
		if from < x {
			p.span(y, from, x)
		}
	}
}
