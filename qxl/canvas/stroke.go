package canvas

import (
	"fmt"
	"sort"

	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

// stroke is the drawing of a path's lines, one pixel wide.
type stroke struct {
	j      *job
	brush  painter
	p      painter // of the lines' runs of pixels: brush, or &marks
	merge  bool    // a dashed polyline's pixels are collected in marks, to paint each once
	marks  marks
	limit  regions.Rect    // the region's extents
	points []regions.Point // the polyline so far, in pixels
	dash   dashes
}

// drawStroke flattens the path and draws every polyline of it with the brush.
// Where lines cross, the raster operation takes place twice, but not where the
// lines of one dashed polyline do. There is no back mode.
func (j *job) drawStroke() error {
	d := j.d
	for _, seg := range d.Segments {
		if seg.First < 0 || seg.Count < 0 || int64(seg.First)+int64(seg.Count) > int64(len(d.Points)) {
			return fmt.Errorf("%w: segment of points %d to %d of %d", ErrDrawable, seg.First, int64(seg.First)+int64(seg.Count), len(d.Points))
		}
	}
	if err := j.openBrush(&d.Brush, &j.tile); err != nil {
		return err
	}
	if j.region.Empty() {
		return nil
	}
	s := &j.stroke
	rop := fillRop(d.Rop)
	s.j, s.brush, s.limit = j, j.brushPainter(rop), j.region.Extents()
	s.p = s.brush
	s.dash.set(&d.Line)
	if s.merge = s.dash.on && !rop.idempotent(); s.merge {
		s.marks.reset(s.limit)
		s.p = &s.marks
	}
	s.points = s.points[:0]
	for _, seg := range d.Segments {
		s.segment(seg.Flags, d.Points[seg.First:seg.First+seg.Count])
	}
	s.flush()
	return nil
}

// segment continues the path.
func (s *stroke) segment(flags uint8, pts []qxl.PointFix) {
	if len(pts) == 0 {
		return
	}
	if flags&qxl.PathBegin != 0 {
		s.flush()
		s.lineTo(pts[0])
		pts = pts[1:]
	}
	if flags&qxl.PathBezier != 0 {
		for ; len(pts) >= 3; pts = pts[3:] {
			s.curveTo(pts[0], pts[1], pts[2])
		}
	} else {
		for _, p := range pts {
			s.lineTo(p)
		}
	}
	if flags&qxl.PathEnd == 0 {
		return
	}
	if flags&qxl.PathClose != 0 && len(s.points) > 0 {
		s.points = append(s.points, s.points[0])
	}
	s.flush()
}

// lineTo adds a point; fractions up to one half are rounded down.
func (s *stroke) lineTo(p qxl.PointFix) {
	s.points = append(s.points, regions.Point{X: pixelOf(p.X), Y: pixelOf(p.Y)})
}

func pixelOf(fix int32) int32 { return int32((int64(fix) + 7) >> 4) }

// maxDepth bounds the subdivision of a curve. What is out of sight matters for
// dashes, which it moves along, but no deeper than curves of the largest
// surface go.
const (
	maxDepth       = 20
	maxHiddenDepth = 8
)

// bezier is a curve's end, two control points, and other end.
type bezier [4]qxl.PointFix

// curveTo adds a Bézier curve from the last point on, as it was rounded to a
// pixel. It is halved until it is flat, or out of sight.
func (s *stroke) curveTo(a, b, c qxl.PointFix) {
	start := qxl.PointFix{}
	if n := len(s.points); n > 0 {
		start = qxl.PointFix{X: s.points[n-1].X << 4, Y: s.points[n-1].Y << 4}
	}
	s.subdivide(bezier{start, a, b, c}, 0)
}

func (s *stroke) subdivide(c bezier, depth int) {
	if depth == maxDepth || c.flat() || (!s.dash.on || depth == maxHiddenDepth) && s.hidden(&c) {
		s.lineTo(c[3])
		return
	}
	ab, bc, cd := middle(c[0], c[1]), middle(c[1], c[2]), middle(c[2], c[3])
	abc, bcd := middle(ab, bc), middle(bc, cd)
	m := middle(abc, bcd)
	s.subdivide(bezier{c[0], ab, abc, m}, depth+1)
	s.subdivide(bezier{m, bcd, cd, c[3]}, depth+1)
}

// middle halves the coordinates' sums, rounding towards 0.
func middle(a, b qxl.PointFix) qxl.PointFix {
	return qxl.PointFix{X: int32((int64(a.X) + int64(b.X)) / 2), Y: int32((int64(a.Y) + int64(b.Y)) / 2)}
}

// maxFlat is the extent in 28.4 fixed point beyond which no curve counts as
// flat: the products below would overflow.
const maxFlat = 1 << 17

// flat reports whether both control points lie within the square root of half
// a pixel of the chord. Products are kept in 28.4 fixed point: bits beyond are
// lost.
func (c *bezier) flat() bool {
	bx, by := delta(c[0], c[3])
	ax, ay := delta(c[0], c[1])
	cx, cy := delta(c[3], c[2])
	if max(bx, -bx, by, -by, ax, -ax, ay, -ay, cx, -cx, cy, -cy) >= maxFlat {
		return false
	}
	b2 := (bx*bx + by*by) >> 4
	a2 := (ax*ax + ay*ay) >> 4
	c2 := (cx*cx + cy*cy) >> 4
	if a2|b2|c2 == 0 {
		return true
	}
	ab := (ax*bx + ay*by) >> 4
	cb := (-cx*bx - cy*by) >> 4
	return (a2*b2-ab*ab)>>3 < b2 && (c2*b2-cb*cb)>>3 < b2
}

func delta(from, to qxl.PointFix) (x, y int64) {
	return int64(to.X) - int64(from.X), int64(to.Y) - int64(from.Y)
}

// hidden reports whether the curve's hull misses the region.
func (s *stroke) hidden(c *bezier) bool {
	l, t, r, b := c[0].X, c[0].Y, c[0].X, c[0].Y
	for _, p := range c[1:] {
		l, t, r, b = min(l, p.X), min(t, p.Y), max(r, p.X), max(b, p.Y)
	}
	return pixelOf(r) < s.limit.Left || pixelOf(l) >= s.limit.Right ||
		pixelOf(b) < s.limit.Top || pixelOf(t) >= s.limit.Bottom
}

// flush draws the polyline and empties it. Its last point stays undrawn.
func (s *stroke) flush() {
	if s.dash.on {
		s.dashLines()
		if s.merge {
			s.marks.take(s.brush)
		}
	} else {
		for i := 1; i < len(s.points); i++ {
			s.line(s.points[i-1], s.points[i])
		}
	}
	s.points = s.points[:0]
}

// axis is a line's course along one coordinate: n steps of sign from start on.
type axis struct {
	start, n, sign int
	lo, hi         int // where it is visible, half open
}

func newAxis(from, to int32, lo, hi int32) axis {
	a := axis{start: int(from), n: int(to) - int(from), sign: 1, lo: int(lo), hi: int(hi)}
	if a.n < 0 {
		a.n, a.sign = -a.n, -1
	}
	return a
}

// steps returns the range of steps, from first to before last, after which
// the coordinate is visible. It may reach beyond n.
func (a *axis) steps() (first, last int) {
	if a.sign > 0 {
		return a.lo - a.start, a.hi - a.start
	}
	return a.start - a.hi + 1, a.start - a.lo + 1
}

// line draws Bresenham's line without its last pixel. Ties go the way X11's
// software renderer has them: in the octants that lead up with y as the major
// axis, or left with y going up or x being the major axis, they stay back.
func (s *stroke) line(from, to regions.Point) {
	x := newAxis(from.X, to.X, s.limit.Left, s.limit.Right)
	y := newAxis(from.Y, to.Y, s.limit.Top, s.limit.Bottom)
	if x.n > y.n {
		bias := 0
		if x.sign < 0 {
			bias = 1
		}
		s.march(&x, &y, bias, false)
		return
	}
	bias := 0
	if y.sign < 0 {
		bias = 1
	}
	s.march(&y, &x, bias, true)
}

// march draws the visible pixels of a line: after k steps along the major
// axis there were (2*k*minor.n + major.n - bias) / (2*major.n) along the minor.
func (s *stroke) march(major, minor *axis, bias int, steep bool) {
	if major.n == 0 {
		return
	}
	first, last := major.steps()
	first, last = max(first, 0), min(last, major.n)
	lo, hi := minor.steps()
	if minor.n == 0 {
		if lo > 0 || hi <= 0 {
			return
		}
	} else {
		at := func(m int) int { return ceilDiv((2*m-1)*major.n+bias, 2*minor.n) }
		first, last = max(first, at(lo)), min(last, at(hi))
	}
	if first >= last {
		return
	}
	err := 2*first*minor.n + major.n - bias
	m, err := err/(2*major.n), err%(2*major.n)
	run := first
	for k := first; k < last; k++ {
		next := err + 2*minor.n
		turn := next >= 2*major.n
		if turn || steep || k+1 == last {
			s.pixels(major.start+major.sign*run, major.start+major.sign*k, minor.start+minor.sign*m, steep)
			run = k + 1
		}
		if turn {
			next -= 2 * major.n
			m++
		}
		err = next
	}
}

// ceilDiv is a/b rounded up; b is positive.
func ceilDiv(a, b int) int {
	q := a / b
	if a%b > 0 {
		q++
	}
	return q
}

// pixels paints a run along the major axis, both ends included.
func (s *stroke) pixels(a, b, minor int, steep bool) {
	if steep {
		s.run(a, minor, minor+1)
	} else {
		s.run(minor, min(a, b), max(a, b)+1)
	}
}

// run paints the part of [x0,x1) of line y that is in the region.
func (s *stroke) run(y, x0, x1 int) {
	boxes := s.j.boxes
	i := 0
	if len(boxes) > 1 {
		i = sort.Search(len(boxes), func(i int) bool { return int(boxes[i].Bottom) > y })
	}
	for ; i < len(boxes) && int(boxes[i].Top) <= y; i++ {
		a, b := max(x0, int(boxes[i].Left)), min(x1, int(boxes[i].Right))
		if y < int(boxes[i].Bottom) && a < b {
			s.p.span(y, a, b)
		}
	}
}
