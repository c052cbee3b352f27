package regions

import "sync"

// The three operations come in two forms: in place, and with a result apart from
// both operands, which saves to copy one first. r may be an operand in these, too.

// Union adds the pixels of o to r.
func (r *Region) Union(o *Region) { r.SetUnion(r, o) }

// SetUnion makes r the pixels of a and those of b.
func (r *Region) SetUnion(a, b *Region) {
	switch {
	case a == b || b.Empty() || a.isRect() && a.ext.Contains(b.ext):
		r.Copy(a)
	case a.Empty() || b.isRect() && b.ext.Contains(a.ext):
		r.Copy(b)
	default:
		r.combine(opOr, a, b, a.ext.Union(b.ext))
	}
}

// UnionRect adds the pixels of rc to r.
func (r *Region) UnionRect(rc Rect) {
	o := Region{ext: rc.Intersect(plane)}
	r.Union(&o)
}

// Subtract removes the pixels of o from r.
func (r *Region) Subtract(o *Region) { r.SetDifference(r, o) }

// SetDifference makes r the pixels of a that are not in b.
func (r *Region) SetDifference(a, b *Region) {
	switch {
	case !a.ext.Overlaps(b.ext):
		r.Copy(a)
	case a == b || b.isRect() && b.ext.Contains(a.ext):
		r.setRect(Rect{})
	case a.isRect() && b.isRect():
		hole := b.ext
		r.setRect(a.ext)
		r.cut(hole)
	default:
		r.combine(opMinus, a, b, a.ext)
	}
}

// cut is Subtract for two rectangles that overlap, the most common case. What is
// left are up to three rows: above, beside and below o. If that is on one side of o
// only, it is a rectangle; else its extents are those of r.
func (r *Region) cut(o Rect) {
	a := r.ext
	o = o.Intersect(a)
	above, below := o.Top > a.Top, o.Bottom < a.Bottom
	before, behind := o.Left > a.Left, o.Right < a.Right
	if btoi(above)+btoi(below)+btoi(before)+btoi(behind) == 1 {
		switch {
		case above:
			r.ext.Bottom = o.Top
		case below:
			r.ext.Top = o.Bottom
		case before:
			r.ext.Right = o.Left
		default:
			r.ext.Left = o.Right
		}
		return
	}
	t := sparsePool.fit(nil, 3, 7)
	t.reset()
	wide := newRun(a.Left, a.Right)
	if above {
		t.cells = append(t.cells, wide, lineEnd)
		t.rows = append(t.rows, row{int16(a.Top), int16(o.Top), 0, 2})
	}
	lo := uint32(len(t.cells))
	if before {
		t.cells = append(t.cells, newRun(a.Left, o.Left))
	}
	if behind {
		t.cells = append(t.cells, newRun(o.Right, a.Right))
	}
	if before || behind {
		t.cells = append(t.cells, lineEnd)
		t.rows = append(t.rows, row{int16(o.Top), int16(o.Bottom), lo, uint32(len(t.cells))})
		lo = uint32(len(t.cells))
	}
	if below {
		t.cells = append(t.cells, wide, lineEnd)
		t.rows = append(t.rows, row{int16(o.Bottom), int16(a.Bottom), lo, lo + 2})
	}
	r.sparse = t
}

// SubtractRect removes the pixels of rc from r.
func (r *Region) SubtractRect(rc Rect) {
	o := Region{ext: rc.Intersect(plane)}
	r.Subtract(&o)
}

// Intersect removes the pixels that are not in o from r.
func (r *Region) Intersect(o *Region) { r.SetIntersection(r, o) }

// SetIntersection makes r the pixels that are in both a and b.
func (r *Region) SetIntersection(a, b *Region) {
	common := a.ext.Intersect(b.ext)
	switch {
	case common.Empty() || a.isRect() && b.isRect():
		r.setRect(common)
	case a == b || b.isRect() && common == a.ext:
		r.Copy(a)
	case a.isRect() && common == b.ext:
		r.Copy(b)
	default:
		r.combine(opAnd, a, b, common)
	}
}

// IntersectRect removes the pixels outside rc from r.
func (r *Region) IntersectRect(rc Rect) {
	o := Region{ext: rc.Intersect(plane)}
	r.Intersect(&o)
}

// Xor makes r the pixels that are in exactly one of r and o.
func (r *Region) Xor(o *Region) {
	if r == o {
		r.setRect(Rect{})
		return
	}
	var common Region
	common.SetIntersection(r, o)
	r.Union(o)
	r.Subtract(&common)
	common.Clear()
}

// combine makes r the result of the operation on a and b, which have pixels, and
// both together are more than one rectangle. bound is where the result can be; of
// a union, its extents.
func (r *Region) combine(op op, a, b *Region, bound Rect) {
	w := workspaces.Get().(*workspace)
	if a.dense == nil && b.dense == nil {
		w.left.runs, w.right.runs = a.runs(&w.left.one), b.runs(&w.right.one)
		sweep(&w.runs, op, mergeRuns[op], &w.left.runs, &w.right.runs)
		if op != opOr {
			bound = runExtents(&w.runs, bound)
		}
		r.adoptSparse(&w.runs, bound)
	} else {
		g := gridOf(bound)
		sweep(&w.words, op, mergeWords[op], a.onGrid(g, &w.left), b.onGrid(g, &w.right))
		if op != opOr {
			bound = g.extents(&w.words)
		}
		r.adoptDense(g, w, bound)
	}
	workspaces.Put(w)
}

// workspace is what an operation works with. The garbage collector takes unused
// ones away, so one huge result is not kept for long.
type workspace struct {
	runs        sparse // results
	words       dense
	left, right operand
}

// operand is room for the form of an operand that an operation needs.
type operand struct {
	one   single
	runs  sparse
	words dense
}

var workspaces = sync.Pool{New: func() any { return new(workspace) }}

// single is room for the sparse form of one rectangle.
type single struct {
	rows [1]row
	runs [2]run
}

// runs is the sparse table of r, which is not dense and has pixels. It may be in
// s, and is for reading only.
func (r *Region) runs(s *single) sparse {
	if r.sparse != nil {
		return *r.sparse
	}
	s.rows[0] = row{int16(r.ext.Top), int16(r.ext.Bottom), 0, 2}
	s.runs = [2]run{newRun(r.ext.Left, r.ext.Right), lineEnd}
	return sparse{s.rows[:], s.runs[:]}
}

// onGrid is the dense table of r, which has pixels, on the grid g, without what
// is outside. It may be in tmp, and is for reading only.
func (r *Region) onGrid(g grid, tmp *operand) *dense {
	switch {
	case r.dense == nil:
		tmp.runs = r.runs(&tmp.one)
		g.rasterize(&tmp.words, &tmp.runs)
	case g != gridOf(r.ext):
		g.convert(&tmp.words, r.dense, gridOf(r.ext))
	default:
		return r.dense
	}
	return &tmp.words
}
