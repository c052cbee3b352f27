package regions

import (
	"cmp"
	"math/bits"
	"slices"
	"sync"
)

// SetRects makes r the union of rs, which may overlap, be empty, and come in any
// order. Lists that are sorted from top to bottom take least time.
func (r *Region) SetRects(rs []Rect) {
	switch len(rs) {
	case 0:
		r.setRect(Rect{})
	case 1:
		r.SetRect(rs[0])
	default:
		b := builders.Get().(*builder)
		b.load(rs)
		b.build(r)
		builders.Put(b)
	}
}

// builder is the working storage of SetRects.
//
// The rectangles, sorted by top, are cut into pieces of at most pieceSize. A
// sweep makes a region of each, which takes up to pieceSize steps for each row.
// The regions of the pieces are joined two and two, those two and two, and so
// on: what overlaps is merged early, so the time depends on the result more than
// on how many rectangles lie above each other.
type builder struct {
	boxes  []box // sorted by top
	active []box // those on the current lines, sorted by left
	out    sparse
	joined [32]Region // [k] holds 2^k pieces or none
}

const pieceSize = 128

// box is a rectangle on the plane.
type box struct{ left, top, right, bottom int16 }

var builders = sync.Pool{New: func() any { return new(builder) }}

func (b *builder) load(rs []Rect) {
	b.boxes = b.boxes[:0]
	for _, rc := range rs {
		if rc = rc.Intersect(plane); !rc.Empty() {
			b.boxes = append(b.boxes, box{int16(rc.Left), int16(rc.Top), int16(rc.Right), int16(rc.Bottom)})
		}
	}
	slices.SortFunc(b.boxes, func(p, q box) int { return cmp.Compare(p.top, q.top) })
}

// build makes r the union of b.boxes.
func (b *builder) build(r *Region) {
	todo, pieces := b.boxes, 0
	for len(todo) > pieceSize {
		b.sweep(todo[:pieceSize])
		todo = todo[pieceSize:]
		r.adoptSparse(&b.out, runExtents(&b.out))
		k := bits.TrailingZeros(^uint(pieces))
		for i := range b.joined[:k] {
			r.Union(&b.joined[i])
			b.joined[i].Clear()
		}
		b.joined[k].Copy(r)
		pieces++
	}
	b.sweep(todo)
	r.adoptSparse(&b.out, runExtents(&b.out))
	for i := range b.joined[:bits.Len(uint(pieces))] {
		r.Union(&b.joined[i])
		b.joined[i].Clear()
	}
}

// sweep makes b.out the union of todo, which is sorted by top. It goes down the lines at which one
// of them begins or ends, and makes one row between each two of these.
func (b *builder) sweep(todo []box) {
	b.active = b.active[:0]
	b.out.reset()
	y := int16(MinCoord)
	for len(todo) > 0 || len(b.active) > 0 {
		if len(b.active) == 0 {
			y = todo[0].top
		}
		for len(todo) > 0 && todo[0].top == y {
			b.enter(todo[0])
			todo = todo[1:]
		}
		end := int16(MaxCoord)
		if len(todo) > 0 {
			end = todo[0].top
		}
		y = b.line(y, end)
	}
}

// enter makes a box active.
func (b *builder) enter(x box) {
	b.active = append(b.active, x)
	i := len(b.active) - 1
	for ; i > 0 && b.active[i-1].left > x.left; i-- {
		b.active[i] = b.active[i-1]
	}
	b.active[i] = x
}

// line makes the row that starts at y, of the active boxes, and returns where it
// ends: at end, or where the first of them does. Those that end there leave.
func (b *builder) line(y, end int16) int16 {
	for _, x := range b.active {
		end = min(end, x.bottom)
	}
	room := b.out.reserve(len(b.active))
	n, kept := 0, 0
	now := run{b.active[0].left, b.active[0].right}
	for _, x := range b.active {
		if x.left > now.right {
			room[n] = now
			n++
			now = run{x.left, x.right}
		}
		now.right = max(now.right, x.right)
		if x.bottom > end {
			b.active[kept] = x
			kept++
		}
	}
	room[n] = now
	b.active = b.active[:kept]
	b.out.commit(y, end, n+1)
	return end
}
