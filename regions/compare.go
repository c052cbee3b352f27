package regions

// Test is a set of questions about two regions, or of answers.
type Test uint8

// What RegionTest can find out. The values are bits.
const (
	LeftExclusive  Test = 1 << iota // some pixel is only in the left region
	RightExclusive                  // some pixel is only in the right region
	Shared                          // some pixel is in both
)

// swap exchanges left and right.
func (t Test) swap() Test {
	return t&Shared | t&LeftExclusive<<1 | t&RightExclusive>>1
}

// RegionTest returns those bits of query that are true of the two regions. It is
// exact, and stops after the row that shows the last of the bits asked for to be true.
//
// With left a new drawable and right its sibling, and Shared set: neither
// exclusive bit means equal, no RightExclusive means the sibling is covered, no
// LeftExclusive means the new one lies inside the sibling.
func RegionTest(left, right *Region, query Test) Test {
	common := left.ext.Intersect(right.ext)
	found := testRects(left.ext, right.ext, common)
	if left.isRect() && right.isRect() || common.Empty() {
		return query & found
	}
	// A side that sticks out of the other's extents has a pixel there. A side
	// that does not has all its pixels in what the extents have in common, so
	// it is enough to look there. That there are common pixels is not known.
	if found &^= Shared; found&query == query {
		return query
	}
	c := comparison{query, found}
	switch {
	case left.dense != nil && right.dense != nil:
		c.denseDense(left, right, common)
	case left.dense != nil:
		c.query, c.found = query.swap(), found.swap()
		c.sparseDense(right, left, common)
		c.found = c.found.swap()
	case right.dense != nil:
		c.sparseDense(left, right, common)
	default:
		c.sparseSparse(left, right, common)
	}
	return query & c.found
}

func testRects(a, b, common Rect) (found Test) {
	if common != a {
		found |= LeftExclusive
	}
	if common != b {
		found |= RightExclusive
	}
	if !common.Empty() {
		found |= Shared
	}
	return found
}

// comparison is a RegionTest under way.
type comparison struct{ query, found Test }

// wants reports whether t is asked for and not known yet.
func (c *comparison) wants(t Test) bool { return c.query&^c.found&t != 0 }

// done reports whether all is known that is asked for.
func (c *comparison) done() bool { return c.found&c.query == c.query }

// walk goes down the lines that the extents of a and b have in common. It calls
// both with the rows of lines on which either side has pixels, and tells c of
// pixels on lines that only one side has. It stops when c is done.
func (c *comparison) walk(a, b []row, common Rect, both func(ra, rb row)) {
	y, end := int16(common.Top), int16(common.Bottom)
	i, j := below(a, y), below(b, y)
	for y < end && !c.done() {
		ra, rb := a[i], b[j]
		ta, tb := max(ra.top, y), max(rb.top, y)
		switch {
		case ta < tb:
			c.found |= LeftExclusive
			for y = min(tb, end); y < end && a[i].bottom <= y; {
				i++
			}
		case tb < ta:
			c.found |= RightExclusive
			for y = min(ta, end); y < end && b[j].bottom <= y; {
				j++
			}
		default:
			both(ra, rb)
			y = min(ra.bottom, rb.bottom)
			i += btoi(ra.bottom == y)
			j += btoi(rb.bottom == y)
		}
	}
}

func (c *comparison) sparseSparse(left, right *Region, common Rect) {
	var l, r single
	a, b := left.runs(&l), right.runs(&r)
	c.walk(a.rows, b.rows, common, func(ra, rb row) {
		ca, cb := a.of(ra), b.of(rb)
		if c.wants(Shared) && shareRuns(ca, cb) {
			c.found |= Shared
		}
		if c.wants(LeftExclusive) && !coverRuns(cb, ca) {
			c.found |= LeftExclusive
		}
		if c.wants(RightExclusive) && !coverRuns(ca, cb) {
			c.found |= RightExclusive
		}
	})
}

func (c *comparison) sparseDense(left, right *Region, common Rect) {
	var l single
	a, b := left.runs(&l), right.dense
	g := gridOf(right.ext)
	from, to := int(common.Left-g.x(0)), int(common.Right-g.x(0))
	c.walk(a.rows, b.rows, common, func(ra, rb row) {
		c.testMixed(runsOf(&a, ra), b.of(rb), from, to, int(g.x(0)))
	})
}

func (c *comparison) denseDense(left, right *Region, common Rect) {
	a, b := left.dense, right.dense
	g := gridOf(common)
	atA, atB := uint32(g.first-gridOf(left.ext).first), uint32(g.first-gridOf(right.ext).first)
	c.walk(a.rows, b.rows, common, func(ra, rb row) {
		c.testWords(a.cells[ra.lo+atA:][:g.n], b.cells[rb.lo+atB:])
	})
}

// These go along two lines in the way of the merges of runs.

// shareRuns reports whether two lines have a common pixel.
func shareRuns(a, b []run) bool {
	i, shared := 0, 0
	for k := range len(a) + len(b) - 3 {
		p, q := a[i], b[k-i]
		shared |= btoi(max(p, q)>>16 < min(p&0xffff, q&0xffff))
		i += btoi(p&0xffff <= q&0xffff)
	}
	return shared != 0
}

// coverRuns reports whether a line has all pixels of b: then each run of b lies
// in the first run of a that reaches as far right.
func coverRuns(a, b []run) bool {
	i, out := 0, 0
	for k := range len(a) + len(b) - 2 {
		p, q := a[i], b[k-i]
		short := btoi(p&0xffff < q&0xffff)
		out |= btoi(q>>16 < p>>16) &^ short
		i += short
	}
	return out == 0
}

// testMixed finds what the runs a and the words b say between the bits from and
// to of b, the first of which is pixel x.
func (c *comparison) testMixed(a []run, b []uint64, from, to, x int) {
	for _, r := range a {
		left, right := max(int(r.left())-x, from), min(int(r.right())-x, to)
		if left >= right {
			continue
		}
		if some, _ := look(b, from, left); some {
			c.found |= RightExclusive
		}
		some, all := look(b, left, right)
		if some {
			c.found |= Shared
		}
		if !all {
			c.found |= LeftExclusive
		}
		from = right
	}
	if some, _ := look(b, from, to); some {
		c.found |= RightExclusive
	}
}

// look reports whether some of the bits [from,to) are set, and whether all are.
func look(words []uint64, from, to int) (some, all bool) {
	if from >= to {
		return false, true
	}
	i, j := from>>wordShift, (to-1)>>wordShift
	head, tail := ^uint64(0)<<(from&63), ^uint64(0)>>(-to&63)
	if i == j {
		mask := head & tail
		return words[i]&mask != 0, words[i]|^mask == ^uint64(0)
	}
	or, and := words[i]&head|words[j]&tail, (words[i]|^head)&(words[j]|^tail)
	for _, w := range words[i+1 : j] {
		or |= w
		and &= w
	}
	return or != 0, and == ^uint64(0)
}

// testWords finds what the words a and as many of b say.
func (c *comparison) testWords(a, b []uint64) {
	var left, right, shared uint64
	b = b[:len(a)]
	for i, w := range a {
		v := b[i]
		left |= w &^ v
		right |= v &^ w
		shared |= v & w
	}
	if left != 0 {
		c.found |= LeftExclusive
	}
	if right != 0 {
		c.found |= RightExclusive
	}
	if shared != 0 {
		c.found |= Shared
	}
}

// Equal reports whether r and o are the same set.
func (r *Region) Equal(o *Region) bool {
	switch {
	case r == o:
		return true
	case r.ext != o.ext || r.isRect() != o.isRect():
		return false
	case r.sparse != nil && o.sparse != nil:
		return r.sparse.equal(o.sparse)
	case r.dense != nil && o.dense != nil:
		return r.dense.equal(o.dense)
	case r.isRect():
		return true
	}
	return r.Contains(o) && o.Contains(r)
}

// Overlaps reports whether r and o share a pixel.
func (r *Region) Overlaps(o *Region) bool { return RegionTest(r, o, Shared) != 0 }

// OverlapsRect reports whether r has a pixel in rc.
func (r *Region) OverlapsRect(rc Rect) bool {
	o := Region{ext: rc.Intersect(plane)}
	return r.Overlaps(&o)
}

// Contains reports whether every pixel of o is in r.
func (r *Region) Contains(o *Region) bool { return RegionTest(r, o, RightExclusive) == 0 }

// ContainsRect reports whether every pixel of rc is in r; it is false when rc
// sticks out of the plane.
func (r *Region) ContainsRect(rc Rect) bool {
	o := Region{ext: rc.Intersect(plane)}
	return plane.Contains(rc) && r.Contains(&o)
}

// ContainsPoint reports whether the pixel (x,y) is in r.
func (r *Region) ContainsPoint(x, y int32) bool {
	return x < MaxCoord && y < MaxCoord && r.OverlapsRect(Rect{x, y, x + 1, y + 1})
}
