package record

import (
	"encoding/binary"

	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

// Sizes in bytes of structures inside a guest's indirect data.
const (
	rectSize      = 16
	segmentSize   = 8
	pointSize     = 8
	glyphSize     = 20
	transformSize = 24
)

var le = binary.LittleEndian

func i32At(p []byte) int32 { return int32(le.Uint32(p)) }

func (s *scanner) clipRects(c *qxl.Clip, n uint32, p []byte) {
	if uint64(n)*rectSize != uint64(len(p)) {
		s.failf("%d clip rectangles in %d bytes", n, len(p))
		return
	}
	for ; len(p) > 0; p = p[rectSize:] {
		c.Rects = append(c.Rects, regions.Rect{Top: i32At(p), Left: i32At(p[4:]), Bottom: i32At(p[8:]), Right: i32At(p[12:])})
	}
}

// path decodes segments until no header with data behind it is left.
func (s *scanner) path(d *qxl.Drawable, p []byte) {
	for len(p) > segmentSize {
		flags, n := le.Uint32(p), le.Uint32(p[4:])
		p = p[segmentSize:]
		if uint64(n)*pointSize > uint64(len(p)) {
			s.failf("path segment of %d points in %d bytes", n, len(p))
			return
		}
		d.Segments = append(d.Segments, qxl.PathSegment{Flags: uint8(flags), First: int32(len(d.Points)), Count: int32(n)})
		for ; n > 0; n-- {
			d.Points = append(d.Points, qxl.PointFix{X: i32At(p), Y: i32At(p[4:])})
			p = p[pointSize:]
		}
	}
}

func (s *scanner) style(l *qxl.LineAttr, n int, p []byte) {
	if len(p) != 4*n {
		s.failf("line style of %d dashes in %d bytes", n, len(p))
		return
	}
	for ; len(p) > 0; p = p[4:] {
		l.Style = append(l.Style, i32At(p))
	}
}

func (s *scanner) transform(t *qxl.Transform, p []byte) {
	if len(p) != transformSize {
		s.failf("transform in %d bytes", len(p))
		return
	}
	for i := range t {
		t[i] = i32At(p[4*i:])
	}
}

// glyphs decodes a string of length glyphs, whose depth is in flags. Text.Data is
// the whole string.
func (s *scanner) glyphs(t *qxl.Text, length int, flags uint16, p []byte) {
	bpp := 0
	switch flags & (qxl.StringA1 | qxl.StringA4 | qxl.StringA8) {
	case qxl.StringA1:
		bpp = 1
	case qxl.StringA4:
		bpp = 4
	case qxl.StringA8:
		bpp = 8
	default:
		s.failf("string flags %#x", flags)
		return
	}
	t.Flags = uint8(flags)
	t.Data = append(t.Data, p...)
	at := 0
	for ; length > 0 && at+glyphSize <= len(p); length-- {
		h := p[at:]
		at += glyphSize
		g := qxl.Glyph{
			Pos:    regions.Point{X: i32At(h), Y: i32At(h[4:])},
			Origin: regions.Point{X: i32At(h[8:]), Y: i32At(h[12:])},
			Width:  le.Uint16(h[16:]), Height: le.Uint16(h[18:]),
			Data: int32(at),
		}
		n := int64(g.Height) * ((int64(g.Width)*int64(bpp) + 7) / 8)
		if n > int64(len(p)-at) {
			s.failf("glyph of %dx%d pixels in %d bytes", g.Width, g.Height, len(p)-at)
			return
		}
		at += int(n)
		t.Glyphs = append(t.Glyphs, g)
	}
	if length != 0 || at != len(p) {
		s.failf("string lacks %d glyphs and has %d bytes more", length, len(p)-at)
	}
}
