package picture

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/spiceecs/spiceecs/regions"
)

// outline returns the boundary of canonical rectangles (as regions.Region yields
// them: in bands, runs of a band apart) as an SVG path of closed loops, the
// inside to the right of the way. Holes run the other way round.
func outline(dst []byte, rects []regions.Rect) []byte {
	if len(rects) == 1 {
		r := rects[0]
		return loop(dst, []regions.Point{{X: r.Left, Y: r.Top}, {X: r.Right, Y: r.Top}, {X: r.Right, Y: r.Bottom}, {X: r.Left, Y: r.Bottom}})
	}
	next := map[regions.Point][]regions.Point{}
	for _, r := range rects {
		next[regions.Point{X: r.Right, Y: r.Top}] = append(next[regions.Point{X: r.Right, Y: r.Top}], regions.Point{X: r.Right, Y: r.Bottom})
		next[regions.Point{X: r.Left, Y: r.Bottom}] = append(next[regions.Point{X: r.Left, Y: r.Bottom}], regions.Point{X: r.Left, Y: r.Top})
	}
	starts := horizontals(rects)
	for _, e := range starts {
		next[e.from] = append(next[e.from], e.to)
	}
	var points []regions.Point
	for _, e := range starts {
		points = points[:0]
		for at := e.from; len(next[at]) > 0; {
			ways := next[at]
			// Where two corners touch, either way closes a loop.
			to := ways[len(ways)-1]
			next[at] = ways[:len(ways)-1]
			points = append(points, at)
			at = to
		}
		if len(points) > 0 {
			dst = loop(dst, points)
		}
	}
	return dst
}

// edge is a horizontal part of a boundary.
type edge struct{ from, to regions.Point }

// horizontals finds the horizontal parts: tops and bottoms of rectangles, where
// they do not lie on each other.
func horizontals(rects []regions.Rect) (edges []edge) {
	type end struct{ y, x, step int32 }
	ends := make([]end, 0, 4*len(rects))
	for _, r := range rects {
		ends = append(ends, end{r.Top, r.Left, 1}, end{r.Top, r.Right, -1}, end{r.Bottom, r.Left, -1}, end{r.Bottom, r.Right, 1})
	}
	slices.SortFunc(ends, func(a, b end) int { return cmp.Or(cmp.Compare(a.y, b.y), cmp.Compare(a.x, b.x)) })
	sum := int32(0)
	for i, e := range ends {
		if i > 0 && sum != 0 && ends[i-1].x < e.x {
			a, b := regions.Point{X: ends[i-1].x, Y: e.y}, regions.Point{X: e.x, Y: e.y}
			if sum < 0 {
				a, b = b, a
			}
			edges = append(edges, edge{a, b})
		}
		sum += e.step
	}
	return edges
}

// loop appends a closed loop of horizontal and vertical lines. Corners that are
// none are left out.
func loop(dst []byte, points []regions.Point) []byte {
	corners := points[:0:0]
	for i, p := range points {
		before, after := points[(i+len(points)-1)%len(points)], points[(i+1)%len(points)]
		if (before.X == p.X) != (p.X == after.X) {
			corners = append(corners, p)
		}
	}
	for i, p := range corners {
		switch {
		case i == 0:
			dst = strconv.AppendInt(append(dst, 'M'), int64(p.X), 10)
			dst = strconv.AppendInt(append(dst, ' '), int64(p.Y), 10)
		case p.Y == corners[i-1].Y:
			dst = strconv.AppendInt(append(dst, 'h'), int64(p.X-corners[i-1].X), 10)
		default:
			dst = strconv.AppendInt(append(dst, 'v'), int64(p.Y-corners[i-1].Y), 10)
		}
	}
	return append(dst, 'z')
}
