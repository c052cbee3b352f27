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
	list  []int
	total int
	start int // where in the list a polyline begins
}

// set reads a line's style, of which a length's fraction up to one half is
// rounded down, and 8 bits are left then, as in X11. A line that starts with a
// gap begins with the second length. Lengths of 0 only do not divide a line.
func (d *dashes) set(line *qxl.LineAttr) {
	d.on, d.start, d.total, d.list = false, 0, 0, d.list[:0]
	if line.Flags&qxl.LineStyled == 0 || len(line.Style) == 0 {
		return
	}
	for _, v := range line.Style {
		d.list = append(d.list, int(uint8(pixelOf(v))))
	}
	if line.Flags&qxl.LineStartWithGap != 0 {
		d.list = append(d.list[1:], d.list[0])
		d.start = d.list[0]
	}
	for _, v := range d.list {
		d.total += v
	}
	d.on = d.total > 0
}

// dashPlace is a place in the list of lengths: pixels, of which there are at
// most as many as the length has, into length number i.
type dashPlace struct{ i, off int }

// dashLines draws the drawn pieces of the polyline, each a rectangle along the
// line and one pixel wide, and the corners between those that go on around one.
// The list goes on from one line to the next, at a whole number of pixels.
func (s *stroke) dashLines() {
	begin := s.dash.begin()
	at := begin
	var first, last dashedLine
	for i := 1; i < len(s.points); i++ {
		l := newDashedLine(s.points[i-1], s.points[i])
		if l.length == 0 {
			continue
		}
		if last.length == 0 {
			first = l
		} else if at.i&1 == 0 && at.off > 0 && at.off < s.dash.list[at.i] {
			s.join(&last, &l)
		}
		at = s.dash.next(at)
		s.dashLine(&l, at)
		at = s.dash.step(at, l.length)
		last = l
	}
	if last.length > 0 && begin.i&1 == 0 && s.dash.ends(at) && s.points[0] == s.points[len(s.points)-1] {
		s.join(&last, &first)
	}
}

// begin returns the place where polylines begin.
func (d *dashes) begin() (at dashPlace) {
	for at.off = d.start; at.off >= d.list[at.i]; at.i = (at.i + 1) % len(d.list) {
		at.off -= d.list[at.i]
	}
	return at
}

// ends reports whether the piece that ends at a place is drawn.
func (d *dashes) ends(at dashPlace) bool {
	at = d.next(at)
	return (at.i&1 == 0) == (at.off > 0)
}

// next turns the end of a length into the beginning of the next one.
func (d *dashes) next(at dashPlace) dashPlace {
	if at.off > 0 && at.off == d.list[at.i] {
		return dashPlace{i: (at.i + 1) % len(d.list)}
	}
	return at
}

// step returns the place a line's length behind another. A line that ends
// where a length does, exactly, leads to the beginning of the next one.
func (d *dashes) step(at dashPlace, length float64) dashPlace {
	pixels := math.Ceil(length)
	rest := at.off + int(pixels)
	for _, v := range d.list[:at.i] {
		rest += v
	}
	rest = (rest-1)%d.total + 1
	i := 0
	for rest > d.list[i] {
		rest -= d.list[i]
		i++
	}
	if rest == d.list[i] && pixels == length {
		return dashPlace{i: (i + 1) % len(d.list)}
	}
	return dashPlace{i, rest}
}

// maxSum is how far from a line's beginning, in pixels, steps are added one by
// one. No surface has pixels beyond.
const maxSum = 2 * MaxSize

// dashLine draws line l, whose beginning is at the given place of the list.
//
// Where a piece ends is the sum of steps with the corner of the line's left
// side as the first term. The sum's rounding errors decide about pixels that
// lie just on the edge between two pieces, so they are the reference's: after
// lengths of 0 the first piece may begin a little off the line's beginning, but
// not one that takes up all of the line.
func (s *stroke) dashLine(l *dashedLine, at dashPlace) {
	first, last := l.visible(s.limit)
	if first >= last {
		return
	}
	i, rest := at.i, float64(s.dash.list[at.i]-at.off)
	x, y := .5/l.length*l.dy, -.5/l.length*l.dx
	pos, from := 0., 0.
	if total := float64(s.dash.total); first > maxSum {
		pos = math.Floor(first/total-1) * total
		x, y = x+pos*l.dx/l.length, y+pos*l.dy/l.length
	}
	for pos < last {
		only := pos == 0
		pos += rest
		to := l.dx*l.dx + l.dy*l.dy
		if pos < l.length {
			x += rest * l.dx / l.length
			y += rest * l.dy / l.length
			to = x*l.dx + y*l.dy
		} else if only {
			from = 0
		}
		if i&1 == 0 && from < to && pos >= first {
			s.dashPiece(l, from, to)
		}
		from = to
		i = (i + 1) % len(s.dash.list)
		rest = float64(s.dash.list[i])
	}
}

// dashPiece draws the part of l between two distances from its beginning,
// both multiplied by its length.
func (s *stroke) dashPiece(l *dashedLine, from, to float64) {
	half := math.Abs(l.dx) / (2 * l.length)
	slope := l.dy / (l.length * l.length)
	y0, y1 := l.y+from*slope, l.y+to*slope
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

// along returns the columns [x0,x1) of row y whose distance along the line,
// multiplied by its length, is in [from,to), or (from,to] for a line that leads left or straight up.
func (l *dashedLine) along(y, from, to float64) (x0, x1 float64) {
	rest := (y - l.y) * l.dy
	switch {
	case l.dx > 0:
		return l.x + math.Ceil((from-rest)/l.dx), l.x + math.Ceil((to-rest)/l.dx)
	case l.dx < 0:
		return l.x + math.Ceil((to-rest)/l.dx), l.x + math.Ceil((from-rest)/l.dx)
	}
	u := rest
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
