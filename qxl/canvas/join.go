package canvas

import "math"

// miterLimit is the least squared sine of half the angle of a mitred corner:
// X11's limit of 11 degrees.
var miterLimit = math.Pow(math.Sin(5.5*math.Pi/180), 2)

// miterReach is more than a mitre's extent in pixels: half the line's width
// divided by the root of miterLimit.
const miterReach = 5

// join draws the mitred corner between two consecutive drawn pieces, which meet
// at (out.x,out.y); a bevel if it is too sharp. Where pixels are not merged, the
// reference thinks of the corner's own pixel only: it leaves the corner alone
// if one of the pieces draws that.
func (s *stroke) join(in, out *dashedLine) {
	turn := in.dx*out.dy - in.dy*out.dx
	open := in.rightward() && !out.rightward()
	if turn == 0 || !open && !s.merge {
		return
	}
	if open {
		s.dot(int(out.x), int(out.y))
	}
	if (1+(in.dx*out.dx+in.dy*out.dy)/(in.length*out.length))/2 < miterLimit {
		return // a bevel has no other pixel
	}
	side := math.Copysign(2, turn)
	for y := -miterReach; y <= miterReach; y++ {
		for x := -miterReach; x <= miterReach; x++ {
			v := offset{float64(x), float64(y)}
			if v != (offset{}) && v.along(in) >= 0 && v.along(out) <= 0 &&
				side*v.across(in) < in.length && side*v.across(out) < out.length {
				s.dot(int(out.x)+x, int(out.y)+y)
			}
		}
	}
}

// offset is a place relative to the end of a line.
type offset struct{ x, y float64 }

// along is the distance in the line's direction, multiplied by its length.
func (v offset) along(l *dashedLine) float64 { return v.x*l.dx + v.y*l.dy }

// across is the distance to the line's left, multiplied by its length.
func (v offset) across(l *dashedLine) float64 { return v.x*l.dy - v.y*l.dx }

// rightward reports whether the line leads right, or straight down.
func (l *dashedLine) rightward() bool { return l.dx > 0 || l.dx == 0 && l.dy > 0 }

// dot draws one pixel.
func (s *stroke) dot(x, y int) {
	if x >= int(s.limit.Left) && x < int(s.limit.Right) {
		s.run(y, x, x+1)
	}
}
