package regions

import (
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

// box is a rectangle on the plane: its top, left, right and bottom in 16 bits each,
// counted from MinCoord, the top in the highest. So boxes sort by top, then by left,
// and one is compared as a whole.
type box uint64

func newBox(rc Rect) box {
	return box(rc.Top-MinCoord)<<48 | box(newRun(rc.Left, rc.Right))<<16 | box(rc.Bottom-MinCoord)
}

func (x box) top() int16    { return int16(x>>48 ^ 1<<15) }
func (x box) bottom() int16 { return int16(uint16(x) ^ 1<<15) }

// run is the run that the box has in its lines.
func (x box) run() run { return run(x >> 16) }

var builders = sync.Pool{New: func() any { return new(builder) }}

func (b *builder) load(rs []Rect) {
	b.boxes = b.boxes[:0]
	for _, rc := range rs {
		if rc = rc.Intersect(plane); !rc.Empty() {
			b.boxes = append(b.boxes, newBox(rc))
		}
	}
	slices.Sort(b.boxes)
}

// build makes r the union of b.boxes.
func (b *builder) build(r *Region) {
	todo, pieces := b.boxes, 0
	for len(todo) > pieceSize {
		b.sweep(todo[:pieceSize])
		todo = todo[pieceSize:]
		r.adoptSparse(&b.out, runExtents(&b.out, plane))
		k := bits.TrailingZeros(^uint(pieces))
		for i := range b.joined[:k] {
			r.Union(&b.joined[i])
			b.joined[i].Clear()
		}
		b.joined[k].Copy(r)
		pieces++
	}
	b.sweep(todo)
	r.adoptSparse(&b.out, runExtents(&b.out, plane))
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
			y = todo[0].top()
		}
		for len(todo) > 0 && todo[0].top() == y {
			b.enter(todo[0])
			todo = todo[1:]
		}
		end := int16(MaxCoord)
		if len(todo) > 0 {
			end = todo[0].top()
		}
		y = b.line(y, end)
	}
}

// enter makes a box active.
func (b *builder) enter(x box) {
	b.active = append(b.active, x)
	i := len(b.active) - 1
	for ; i > 0 && b.active[i-1].run() > x.run(); i-- {
		b.active[i] = b.active[i-1]
	}
	b.active[i] = x
}

// line makes the row that starts at y, of the active boxes, and returns where it
// ends: at end, or where the first of them does. Those that end there leave.
func (b *builder) line(y, end int16) int16 {
	for _, x := range b.active {
		end = min(end, x.bottom())
	}
	room := b.out.reserve(len(b.active) + 1)
	n, kept := 0, 0
	left := b.active[0].run() >> 16
	right := left
	for _, x := range b.active { // as orRuns does
		next := x.run()
		n += btoi(next>>16 > right)
		if next>>16 > right {
			left = next >> 16
		}
		right = max(right, next&0xffff)
		room[n] = left<<16 | right
		b.active[kept] = x
		kept += btoi(x.bottom() > end)
	}
	room[n+1] = lineEnd
	b.active = b.active[:kept]
	b.out.commit(y, end, n+2)
	return end
}
