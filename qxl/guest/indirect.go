package guest

import (
	"encoding/binary"

	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

// Sizes in bytes of structures inside indirect data.
const (
	rectSize      = 16
	segmentSize   = 8
	pointSize     = 8
	glyphSize     = 20
	transformSize = 24
)

var le = binary.LittleEndian

// AppendRects appends rectangles as a clip list has them: top, left, bottom, right.
func AppendRects(dst []byte, rects []regions.Rect) []byte {
	for _, r := range rects {
		dst = le.AppendUint32(dst, uint32(r.Top))
		dst = le.AppendUint32(dst, uint32(r.Left))
		dst = le.AppendUint32(dst, uint32(r.Bottom))
		dst = le.AppendUint32(dst, uint32(r.Right))
	}
	return dst
}

// AppendPath appends d's path: for each segment flags u32, count u32, points.
func AppendPath(dst []byte, d *qxl.Drawable) []byte {
	for _, s := range d.Segments {
		dst = le.AppendUint32(dst, uint32(s.Flags))
		dst = le.AppendUint32(dst, uint32(s.Count))
		for _, p := range d.Points[s.First : s.First+s.Count] {
			dst = le.AppendUint32(dst, uint32(p.X))
			dst = le.AppendUint32(dst, uint32(p.Y))
		}
	}
	return dst
}

func pathSize(d *qxl.Drawable) (n int) {
	for _, s := range d.Segments {
		n += segmentSize + pointSize*int(s.Count)
	}
	return n
}

// AppendString appends t's glyphs: for each two points, width and height u16,
// and the rows.
func AppendString(dst []byte, t *qxl.Text) []byte {
	for _, g := range t.Glyphs {
		dst = le.AppendUint32(dst, uint32(g.Pos.X))
		dst = le.AppendUint32(dst, uint32(g.Pos.Y))
		dst = le.AppendUint32(dst, uint32(g.Origin.X))
		dst = le.AppendUint32(dst, uint32(g.Origin.Y))
		dst = le.AppendUint16(dst, g.Width)
		dst = le.AppendUint16(dst, g.Height)
		dst = append(dst, t.Data[g.Data:int(g.Data)+glyphBytes(t, g)]...)
	}
	return dst
}

func stringSize(t *qxl.Text) (n int) {
	for _, g := range t.Glyphs {
		n += glyphSize + glyphBytes(t, g)
	}
	return n
}

func glyphBytes(t *qxl.Text, g qxl.Glyph) int {
	bpp := 8
	switch {
	case t.Flags&qxl.StringA1 != 0:
		bpp = 1
	case t.Flags&qxl.StringA4 != 0:
		bpp = 4
	}
	return int(g.Height) * ((int(g.Width)*bpp + 7) / 8)
}

// AppendInts appends words: a line's dashes, a transform.
func AppendInts(dst []byte, words []int32) []byte {
	for _, v := range words {
		dst = le.AppendUint32(dst, uint32(v))
	}
	return dst
}
