package regions

import "sync"

// Union adds the pixels of o to r.
func (r *Region) Union(o *Region) {
	switch {
	case r == o || o.Empty() || r.isRect() && r.ext.Contains(o.ext):
	case r.Empty() || o.isRect() && o.ext.Contains(r.ext):
		r.Copy(o)
	default:
		r.combine(opOr, o, r.ext.Union(o.ext))
	}
}

// UnionRect adds the pixels of rc to r.
func (r *Region) UnionRect(rc Rect) {
	o := Region{ext: rc.Intersect(plane)}
	r.Union(&o)
}

// Subtract removes the pixels of o from r.
func (r *Region) Subtract(o *Region) {
	switch {
	case !r.ext.Overlaps(o.ext):
	case r == o || o.isRect() && o.ext.Contains(r.ext):
		r.setRect(Rect{})
	case r.isRect() && o.isRect():
		r.cut(o.ext)
	default:
		r.combine(opMinus, o, r.ext)
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
func (r *Region) Intersect(o *Region) {
	common := r.ext.Intersect(o.ext)
	switch {
	case r.isRect() && o.isRect():
		r.ext = common
	case r == o || o.isRect() && common == r.ext:
	case common.Empty():
		r.setRect(common)
	case r.isRect() && common == o.ext:
		r.Copy(o)
	default:
		r.combine(opAnd, o, common)
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
	common.Copy(r)
	common.Intersect(o)
	r.Union(o)
	r.Subtract(&common)
	common.Clear()
}

// combine makes r the result of the operation on r and o, which have pixels, and
// both together are more than one rectangle. bound is where the result can be; of
// a union, its extents.
func (r *Region) combine(op op, o *Region, bound Rect) {
	w := workspaces.Get().(*workspace)
	if r.dense == nil && o.dense == nil {
		w.left.runs, w.right.runs = r.runs(&w.left.one), o.runs(&w.right.one)
		sweep(&w.runs, op, mergeRuns[op], &w.left.runs, &w.right.runs)
		if op != opOr {
			bound = runExtents(&w.runs, bound)
		}
		r.adoptSparse(&w.runs, bound)
	} else {
		g := gridOf(bound)
		sweep(&w.words, op, mergeWords[op], r.onGrid(g, &w.left), o.onGrid(g, &w.right))
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
