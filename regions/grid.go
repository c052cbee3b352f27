package regions

import (
	"math/bits"
	"slices"
)

// The words of the dense form lie on borders that are the same for all regions:
// pixel x is in word x>>wordShift.
const wordShift = 6

// grid says which words of a line a dense table has.
type grid struct{ first, n int32 }

// gridOf are the words that rc, which must not be empty, touches.
func gridOf(rc Rect) grid {
	first := rc.Left >> wordShift
	return grid{first, (rc.Right-1)>>wordShift - first + 1}
}

// rasterize makes t the dense form of s on the grid g; pixels outside are left out,
// so rows of t may be empty.
func (g grid) rasterize(t *dense, s *sparse) {
	g.lines(t, s.rows)
	clear(t.cells)
	for i, w := range s.rows {
		paint(t.of(t.rows[i]), g.first, runsOf(s, w))
	}
}

// convert makes t the same as s, which is on the grid from, on the grid g; pixels
// outside are left out.
func (g grid) convert(t, s *dense, from grid) {
	if g == from {
		t.copy(s)
		return
	}
	g.lines(t, s.rows)
	before := min(max(from.first-g.first, 0), g.n)  // words of g left of s
	skip := min(max(g.first-from.first, 0), from.n) // words of s left of g
	for i, w := range s.rows {
		words := t.of(t.rows[i])
		clear(words[:before])
		rest := words[before:]
		clear(rest[copy(rest, s.of(w)[skip:]):])
	}
}

// lines makes t a table with the lines of rows and arbitrary words.
func (g grid) lines(t *dense, rows []row) {
	t.reset()
	n := int(g.n)
	t.cells = t.reserve(len(rows) * n)
	t.rows = slices.Grow(t.rows, len(rows))
	for i, w := range rows {
		t.rows = append(t.rows, row{w.top, w.bottom, uint32(i * n), uint32(i*n + n)})
	}
}

// vectorize makes t the sparse form of s, unless that has more than limit runs:
// then it returns false.
func (g grid) vectorize(t *sparse, s *dense, limit int) bool {
	t.reset()
	for _, w := range s.rows {
		lo := len(t.cells)
		words := s.of(w)
		for left, right := nextRun(words, 0); left >= 0; left, right = nextRun(words, right) {
			t.cells = append(t.cells, newRun(g.x(left), g.x(right)))
		}
		t.cells = append(t.cells, lineEnd)
		t.rows = append(t.rows, row{w.top, w.bottom, uint32(lo), uint32(len(t.cells))})
		if numRuns(t) > limit {
			return false
		}
	}
	return true
}

// move makes t the same as s, which is on the grid from, moved by (dx,dy) and on
// the grid g.
func (g grid) move(t, s *dense, from grid, dx, dy int32) {
	g.lines(t, s.rows)
	clear(t.cells)
	for i, w := range s.rows {
		t.rows[i].top += int16(dy)
		t.rows[i].bottom += int16(dy)
		words := s.of(w)
		for left, right := nextRun(words, 0); left >= 0; left, right = nextRun(words, right) {
			paint(t.of(t.rows[i]), g.first, []run{newRun(from.x(left)+dx, from.x(right)+dx)})
		}
	}
}

// x is the coordinate of the pixel that is bit i of a row.
func (g grid) x(i int) int32 { return g.first<<wordShift + int32(i) }

// extents is the smallest rectangle around the pixels of a dense table. A row is looked at only in the words that may make it larger.
func (g grid) extents(t *dense) Rect {
	if len(t.rows) == 0 {
		return Rect{}
	}
	l, r := int(g.n-1), 0 // the outermost words with pixels
	var lw, rw uint64     // the pixels in those words, of all rows
	for _, w := range t.rows {
		words := t.of(w)
		for i, word := range words[:l] {
			if word != 0 {
				l, lw = i, 0
				break
			}
		}
		for i := len(words) - 1; i > r; i-- {
			if words[i] != 0 {
				r, rw = i, 0
			}
		}
		lw |= words[l]
		rw |= words[r]
	}
	return Rect{
		g.x(l<<wordShift + bits.TrailingZeros64(lw)), int32(t.rows[0].top),
		g.x(r<<wordShift + bits.Len64(rw)), int32(t.rows[len(t.rows)-1].bottom),
	}
}

// runExtents is the smallest rectangle around the pixels of a sparse table, which
// all lie in bound.
func runExtents(t *sparse, bound Rect) Rect {
	if len(t.rows) == 0 {
		return Rect{}
	}
	left, right := int32(MaxCoord), int32(MinCoord)
	for _, w := range t.rows {
		left, right = min(left, t.cells[w.lo].left()), max(right, t.cells[w.hi-2].right())
		if left == bound.Left && right == bound.Right {
			break
		}
	}
	return Rect{left, int32(t.rows[0].top), right, int32(t.rows[len(t.rows)-1].bottom)}
}

// runsIn is the number of runs of a row.
func runsIn(words []uint64) int {
	n, before := 0, uint64(0)
	for _, w := range words {
		n += bits.OnesCount64(w &^ (w<<1 | before))
		before = w >> 63
	}
	return n
}

// A table of many runs costs less as words, one of few costs less as runs. In
// between it stays what it is.
const (
	denseRuns  = 10 // a row: at fewer, runs are quicker
	denseWords = 8  // words a run: at more, words take too much memory
)

// sparseRuns is how many runs a table of the extents ext with so many rows may
// have to be sparse.
func sparseRuns(ext Rect, rows int) int {
	return max(denseRuns*rows, rows*int(gridOf(ext).n)/denseWords)
}

// mayBeSparse reports whether a dense table of the extents ext seems to have no
// more than half of the runs that would make a sparse one dense. It looks at a few rows.
func mayBeSparse(ext Rect, t *dense) bool {
	const sample = 8
	step := (len(t.rows) + sample - 1) / sample
	rows, runs := 0, 0
	for i := 0; i < len(t.rows); i += step {
		rows++
		runs += runsIn(t.of(t.rows[i]))
	}
	return 2*runs <= sparseRuns(ext, rows)
}
