package canvas

import (
	"math"

	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

// dashes divide a line into drawn and skipped pieces. The lengths, in pixels
// along the line, are used in turn and over again; those with even numbers are
// drawn.
type dashes struct {
	on    bool
	list  []float64
	total float64
	start float64 // where in the list a polyline begins
}

// set reads a line's style, of which a length's fraction up to one half is
// rounded down. A line that starts with a gap begins with the second length.
func (d *dashes) set(line *qxl.LineAttr) {
	d.on, d.start, d.total, d.list = false, 0, 0, d.list[:0]
	if line.Flags&qxl.LineStyled == 0 || len(line.Style) == 0 {
		return
	}
	d.on = true
	for _, v := range line.Style {
		d.list = append(d.list, float64(max(0, pixelOf(v))))
	}
	if line.Flags&qxl.LineStartWithGap != 0 {
		d.list = append(d.list[1:], d.list[0])
		d.start = d.list[0]
	}
	for _, v := range d.list {
		d.total += v
	}
}

// dashLines draws the drawn pieces of the polyline, each a rectangle along the
// line and one pixel wide. The list goes on from one line to the next.
func (s *stroke) dashLines() {
	if s.dash.total == 0 {
		return
	}
	at := s.dash.start
	for i := 1; i < len(s.points); i++ {
		l := newDashedLine(s.points[i-1], s.points[i])
		s.dashLine(&l, at)
		at = math.Mod(at+l.length, s.dash.total)
	}
}

// dashLine draws line l, whose beginning is at the given place of the list.
func (s *stroke) dashLine(l *dashedLine, at float64) {
	first, last := l.visible(s.limit)
	if first >= last {
		return
	}
	pos := math.Floor((first+at)/s.dash.total)*s.dash.total - at // where a list begins
	for pos < last {
		for i, v := range s.dash.list {
			from, to := max(pos, 0), min(pos+v, l.length)
			if i&1 == 0 && from < to {
				s.dashPiece(l, from, to)
			}
			pos += v
		}
	}
}

// dashPiece draws the part of l between two distances from its beginning.
func (s *stroke) dashPiece(l *dashedLine, from, to float64) {
	half := math.Abs(l.dx) / (2 * l.length)
	y0, y1 := l.y+from*l.dy/l.length, l.y+to*l.dy/l.length
	top := max(math.Ceil(min(y0, y1)-half), float64(s.limit.Top))
	bottom := min(math.Floor(max(y0, y1)+half), float64(s.limit.Bottom-1))
	for y := top; y <= bottom; y++ {
		a0, a1 := l.along(y, from, to)
		w0, w1 := l.across(y)
		x0 := max(a0, w0, float64(s.limit.Left))
		x1 := min(a1, w1, float64(s.limit.Right))
		if x0 < x1 {
			s.run(int(y), int(x0), int(x1))
		}
	}
}

// dashedLine is a line between two pixels' centres.
type dashedLine struct {
	x, y, dx, dy, length float64
}

func newDashedLine(from, to regions.Point) dashedLine {
	l := dashedLine{x: float64(from.X), y: float64(from.Y)}
	l.dx, l.dy = float64(to.X)-l.x, float64(to.Y)-l.y
	l.length = math.Sqrt(l.dx*l.dx + l.dy*l.dy)
	return l
}

// visible returns the distances from the line's beginning between which it may
// lie in limit.
func (l *dashedLine) visible(limit regions.Rect) (first, last float64) {
	if l.length == 0 {
		return 0, 0
	}
	first, last = math.Inf(1), math.Inf(-1)
	for _, x := range [2]int32{limit.Left - 1, limit.Right} {
		for _, y := range [2]int32{limit.Top - 1, limit.Bottom} {
			u := ((float64(x)-l.x)*l.dx + (float64(y)-l.y)*l.dy) / l.length
			first, last = min(first, u), max(last, u)
		}
	}
	return max(first, 0), min(last, l.length)
}

// along returns the columns [x0,x1) of row y whose distance along the line is
// in [from,to), or (from,to] for a line that leads left or straight up.
func (l *dashedLine) along(y, from, to float64) (x0, x1 float64) {
	rest := (y - l.y) * l.dy
	switch {
	case l.dx > 0:
		return l.x + math.Ceil((from*l.length-rest)/l.dx), l.x + math.Ceil((to*l.length-rest)/l.dx)
	case l.dx < 0:
		return l.x + math.Ceil((to*l.length-rest)/l.dx), l.x + math.Ceil((from*l.length-rest)/l.dx)
	}
	u := rest / l.length
	if l.dy > 0 && from <= u && u < to || l.dy < 0 && from < u && u <= to {
		return math.Inf(-1), math.Inf(1)
	}
	return 0, 0
}

// across returns the columns [x0,x1) of row y that are nearer to the line than
// half a pixel. No pixel's centre is just as far.
func (l *dashedLine) across(y float64) (x0, x1 float64) {
	mid, half := (y-l.y)*l.dx, l.length/2
	switch {
	case l.dy > 0:
		return l.x + math.Ceil((mid-half)/l.dy), l.x + math.Ceil((mid+half)/l.dy)
	case l.dy < 0:
		return l.x + math.Ceil((mid+half)/l.dy), l.x + math.Ceil((mid-half)/l.dy)
	case y == l.y:
		return math.Inf(-1), math.Inf(1)
	}
	return 0, 0
}
