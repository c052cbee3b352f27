package regions

// The plane a region lives on. A pixel (x,y) belongs to it when both
// coordinates are in [MinCoord, MaxCoord). The widest surface has 32,767
// columns, so its right edge is still a coordinate, and every coordinate fits
// 16 bits.
const (
	MinCoord = -1 << 15
	MaxCoord = 1<<15 - 1
)

var plane = Rect{MinCoord, MinCoord, MaxCoord, MaxCoord}

// Region is a set of pixels. The zero value is the empty set.
//
// A Region owns storage, so it must not be copied by assignment: use Copy.
// It serves one goroutine at a time. Arguments may be the receiver itself.
// Pixels outside the plane ([MinCoord, MaxCoord) on both axes) are dropped on
// the way in.
type Region struct {
	_   noCopy
	ext Rect // smallest rectangle around all pixels; the zero Rect when empty

	// At most one is set; none when ext says it all: no pixel, or one rectangle.
	sparse *sparse
	dense  *dense
}

// noCopy makes go vet report copies of what embeds it.
type noCopy struct{}

func (*noCopy) Lock()   {}
func (*noCopy) Unlock() {}

// Empty reports whether r has no pixel.
func (r *Region) Empty() bool { return r.ext.Left == r.ext.Right }

// Extents is the smallest rectangle that covers r, the zero Rect when r is empty.
func (r *Region) Extents() Rect { return r.ext }

// IsRect reports whether r is exactly one rectangle.
func (r *Region) IsRect() bool { return r.isRect() && !r.Empty() }

// isRect reports whether r is exactly its extents: one rectangle, or empty.
func (r *Region) isRect() bool { return r.sparse == nil && r.dense == nil }

// Clear removes every pixel and hands the storage back for other regions.
func (r *Region) Clear() { r.setRect(Rect{}) }

// SetRect makes r the part of rc that lies on the plane.
func (r *Region) SetRect(rc Rect) { r.setRect(rc.Intersect(plane)) }

// setRect is SetRect for a rectangle that is zero or on the plane.
func (r *Region) setRect(rc Rect) {
	r.ext = rc
	r.dropSparse()
	r.dropDense()
}

func (r *Region) dropSparse() {
	if r.sparse != nil {
		sparsePool.release(r.sparse)
		r.sparse = nil
	}
}

func (r *Region) dropDense() {
	if r.dense != nil {
		densePool.release(r.dense)
		r.dense = nil
	}
}

// Copy makes r the same set as o.
func (r *Region) Copy(o *Region) {
	switch {
	case r == o:
	case o.sparse != nil:
		r.keepSparse(o.sparse, o.ext)
	case o.dense != nil:
		r.keepDense(gridOf(o.ext), o.dense, o.ext)
	default:
		r.setRect(o.ext)
	}
}

// keepSparse makes r the set that t says, in a table of its own.
func (r *Region) keepSparse(t *sparse, ext Rect) {
	r.dropDense()
	r.ext = ext
	r.sparse = sparsePool.fit(r.sparse, len(t.rows), len(t.cells))
	r.sparse.copy(t)
}

// keepDense makes r the set that t on the grid g says, in a table of its own.
func (r *Region) keepDense(g grid, t *dense, ext Rect) {
	r.dropSparse()
	r.ext = ext
	own := gridOf(ext)
	r.dense = densePool.fit(r.dense, len(t.rows), len(t.rows)*int(own.n))
	own.convert(r.dense, t, g)
}

// adoptSparse makes r the set that t says, of the extents ext, in the form that
// suits it best.
func (r *Region) adoptSparse(t *sparse, ext Rect) {
	switch {
	case numRuns(t) <= 1:
		r.setRect(ext)
	case numRuns(t) > sparseRuns(ext, len(t.rows)):
		r.dropSparse()
		r.ext = ext
		own := gridOf(ext)
		r.dense = densePool.fit(r.dense, len(t.rows), len(t.rows)*int(own.n))
		own.rasterize(r.dense, t)
	default:
		r.keepSparse(t, ext)
	}
}

// adoptDense makes r the set that w.words on the grid g says, of the extents ext,
// in the form that suits it best.
func (r *Region) adoptDense(g grid, w *workspace, ext Rect) {
	switch {
	case ext.Empty():
		r.setRect(ext)
	case mayBeSparse(ext, &w.words) && g.vectorize(&w.runs, &w.words, sparseRuns(ext, len(w.words.rows))):
		r.adoptSparse(&w.runs, ext)
	default:
		r.keepDense(g, &w.words, ext)
	}
}

// Translate moves r by (dx,dy). Pixels that would leave the plane are dropped.
func (r *Region) Translate(dx, dy int32) {
	if r.Empty() || dx == 0 && dy == 0 {
		return
	}
	r.IntersectRect(Rect{
		clamp(int64(MinCoord) - int64(dx)), clamp(int64(MinCoord) - int64(dy)),
		clamp(int64(MaxCoord) - int64(dx)), clamp(int64(MaxCoord) - int64(dy)),
	})
	if r.Empty() {
		return
	}
	ext := r.ext.Translate(dx, dy)
	switch {
	case r.sparse != nil:
		moveRuns(r.sparse, dx, dy)
		r.ext = ext
	case r.dense != nil:
		w := workspaces.Get().(*workspace)
		g := gridOf(ext)
		g.move(&w.words, r.dense, gridOf(r.ext), dx, dy)
		r.keepDense(g, &w.words, ext)
		workspaces.Put(w)
	default:
		r.ext = ext
	}
}

// moveRuns moves all pixels of t, which stay on the plane.
func moveRuns(t *sparse, dx, dy int32) {
	for i := range t.rows {
		t.rows[i].top += int16(dy)
		t.rows[i].bottom += int16(dy)
	}
	for i, c := range t.cells {
		if c != lineEnd {
			t.cells[i] = newRun(c.left()+dx, c.right()+dx)
		}
	}
}

func clamp(v int64) int32 { return int32(min(max(v, MinCoord), MaxCoord)) }

// Area is the number of pixels in r.
func (r *Region) Area() int64 {
	var sum int64
	for rc := range r.Rects {
		sum += rc.Area()
	}
	return sum
}

// NumRects is the length of what AppendRects appends.
func (r *Region) NumRects() int {
	switch {
	case r.Empty():
		return 0
	case r.isRect():
		return 1
	case r.sparse != nil:
		return numRuns(r.sparse)
	}
	n := 0
	for _, w := range r.dense.rows {
		n += runsIn(r.dense.of(w))
	}
	return n
}

// AppendRects appends the rectangles of r in their canonical form, which is the
// one pixman uses: sorted by top, then by left; runs as wide as they can be; all
// rectangles of a band share top and bottom; equal bands that touch are one. Two
// regions are the same set exactly when their lists are equal.
func (r *Region) AppendRects(dst []Rect) []Rect {
	for rc := range r.Rects {
		dst = append(dst, rc)
	}
	return dst
}

// Rects yields what AppendRects appends. r must not change meanwhile.
func (r *Region) Rects(yield func(Rect) bool) {
	switch {
	case r.sparse != nil:
		for _, w := range r.sparse.rows {
			for _, c := range runsOf(r.sparse, w) {
				if !yield(Rect{c.left(), int32(w.top), c.right(), int32(w.bottom)}) {
					return
				}
			}
		}
	case r.dense != nil:
		g := gridOf(r.ext)
		for _, w := range r.dense.rows {
			words := r.dense.of(w)
			for left, right := nextRun(words, 0); left >= 0; left, right = nextRun(words, right) {
				if !yield(Rect{g.x(left), int32(w.top), g.x(right), int32(w.bottom)}) {
					return
				}
			}
		}
	case !r.Empty():
		yield(r.ext)
	}
}
