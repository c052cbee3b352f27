package canvas

import "github.com/spiceecs/spiceecs/regions"

// marks is a set of pixels within an area, a bit each, lines of whole words.
type marks struct {
	bits        []uint64
	words       int // in a line
	area        regions.Rect
	top, bottom int // the lines that may have marks
}

// reset makes m an empty set within area.
func (m *marks) reset(area regions.Rect) {
	m.area, m.words = area, (int(area.Width())+63)/64
	m.bits = sized(m.bits, m.words*int(area.Height()))
	clear(m.bits)
	m.top, m.bottom = int(area.Bottom), int(area.Top)
}

// span marks the pixels [x0,x1) of line y, which lie in the area.
func (m *marks) span(y, x0, x1 int) {
	m.top, m.bottom = min(m.top, y), max(m.bottom, y+1)
	line := m.line(y)
	for x := x0 - int(m.area.Left); x < x1-int(m.area.Left); x++ {
		line[x>>6] |= 1 << (x & 63)
	}
}

func (m *marks) line(y int) []uint64 {
	i := (y - int(m.area.Top)) * m.words
	return m.bits[i : i+m.words]
}

// take hands every run of marked pixels to p, top line first, and empties m.
func (m *marks) take(p painter) {
	for y := m.top; y < m.bottom; y++ {
		line := m.line(y)
		n := int(m.area.Width())
		for x := 0; x < n; {
			if line[x>>6] == 0 {
				x = (x | 63) + 1
				continue
			}
			from := x
			for x < n && line[x>>6]>>(x&63)&1 != 0 {
				x++
			}
			if x > from {
				p.span(y, from+int(m.area.Left), x+int(m.area.Left))
			} else {
				x++
			}
		}
		clear(line)
	}
	m.top, m.bottom = int(m.area.Bottom), int(m.area.Top)
}
