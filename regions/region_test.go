package regions

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// newRand prints its seed; put a seed that failed into it to repeat the run.
func newRand(t testing.TB) *rand.Rand {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

func TestOperationsAgainstModel(t *testing.T) {
	grids := []struct {
		name   string
		xs, ys []int32
	}{
		{"unit", unitGrid, unitGrid},
		{"sparse", sparseGrid, sparseGrid},
		{"wide", sparseGrid, unitGrid},
	}
	for _, g := range grids {
		t.Run(g.name, func(t *testing.T) {
			rnd := newRand(t)
			for range 300 {
				program := make([]byte, 60*instruction)
				for i := range program {
					program[i] = byte(rnd.Uint32())
				}
				newMachine(g.xs, g.ys).run(t, program)
			}
		})
	}
}

func FuzzOperations(f *testing.F) {
	f.Add(false, []byte{5, 0, 0xff, 0xff, 7, 0, 0x53, 0x53, 3, 0x10, 0, 0})
	f.Add(true, []byte{10, 1, 0x31, 0x31, 10, 1, 0x64, 0x31, 9, 0x12, 0x87, 0x11, 2, 0x10, 0, 0})
	f.Fuzz(func(t *testing.T, sparse bool, program []byte) {
		grid := unitGrid
		if sparse {
			grid = sparseGrid
		}
		newMachine(grid, grid).run(t, program[:min(len(program), 64*instruction)])
	})
}

// randomRects are n rectangles, each up to a tenth of the surface wide and high.
func randomRects(rnd *rand.Rand, n int, width, height int32) []Rect {
	rs := make([]Rect, n)
	for i := range rs {
		w, h := 1+rnd.Int32N(width/10), 1+rnd.Int32N(height/10)
		rs[i] = XYWH(rnd.Int32N(width-w), rnd.Int32N(height-h), w, h)
	}
	return rs
}

// pixels is a plain bitmap of a surface.
type pixels struct {
	width int32
	in    []bool
}

func paintAll(width, height int32, rs []Rect) pixels {
	p := pixels{width, make([]bool, width*height)}
	for _, rc := range rs {
		for y := rc.Top; y < rc.Bottom; y++ {
			for x := rc.Left; x < rc.Right; x++ {
				p.in[y*width+x] = true
			}
		}
	}
	return p
}

// TestManyRectangles compares operations on large regions with plain bitmaps.
func TestManyRectangles(t *testing.T) {
	const width, height = 700, 500
	rnd := newRand(t)
	ops := []struct {
		name string
		do   func(r, o *Region)
		bit  func(a, b bool) bool
	}{
		{"Union", (*Region).Union, func(a, b bool) bool { return a || b }},
		{"Subtract", (*Region).Subtract, func(a, b bool) bool { return a && !b }},
		{"Intersect", (*Region).Intersect, func(a, b bool) bool { return a && b }},
		{"Xor", (*Region).Xor, func(a, b bool) bool { return a != b }},
	}
	for _, n := range []int{2, 30, 400, 2000} {
		var a, b Region
		as, bs := randomRects(rnd, n, width, height), randomRects(rnd, n, width, height)
		a.SetRects(as)
		b.SetRects(bs)
		pa, pb := paintAll(width, height, as), paintAll(width, height, bs)
		for _, op := range ops {
			want := pixels{width, make([]bool, width*height)}
			for i := range want.in {
				want.in[i] = op.bit(pa.in[i], pb.in[i])
			}
			var got Region
			got.Copy(&a)
			op.do(&got, &b)
			if p := paintAll(width, height, got.AppendRects(nil)); !slices.Equal(p.in, want.in) {
				t.Fatalf("%s of %d rectangles is wrong", op.name, n)
			}
			var again Region
			again.SetRects(got.AppendRects(nil))
			if !again.Equal(&got) {
				t.Fatalf("%s of %d rectangles is not canonical", op.name, n)
			}
		}
	}
}

func TestTranslate(t *testing.T) {
	rnd := newRand(t)
	for range 2000 {
		var r, want Region
		rs := randomRects(rnd, 1+rnd.IntN(5), 200, 200)
		r.SetRects(rs)
		dx, dy := rnd.Int32N(70000)-35000, rnd.Int32N(70000)-35000
		for i := range rs {
			rs[i] = rs[i].Translate(dx, dy)
		}
		want.SetRects(rs)
		reform(&r, byte(rnd.IntN(2)))
		if r.Translate(dx, dy); !r.Equal(&want) || !slices.Equal(r.AppendRects(nil), want.AppendRects(nil)) {
			t.Fatalf("by %d,%d: got %v, want %v", dx, dy, r.AppendRects(nil), want.AppendRects(nil))
		}
	}
}

func TestExtremeCoordinates(t *testing.T) {
	const lo, hi = math.MinInt32, math.MaxInt32
	odd := []Rect{
		{lo, lo, hi, hi}, {hi, hi, lo, lo}, {lo, 0, hi, 1}, {0, lo, 1, hi}, {hi - 1, hi - 1, hi, hi},
		{lo, lo, lo + 1, lo + 1}, {5, 5, 5, 9}, {MaxCoord, 0, hi, hi}, {lo, lo, MinCoord, hi}, {40000, 0, 50000, 9},
	}
	for _, p := range odd {
		for _, q := range odd {
			var r, inside Region
			r.SetRects([]Rect{p, q})
			inside.SetRect(p.Intersect(plane))
			inside.UnionRect(q.Intersect(plane))
			if !r.Equal(&inside) || !plane.Contains(r.Extents()) {
				t.Errorf("%v and %v: %v", p, q, r.AppendRects(nil))
			}
			r.SubtractRect(p)
			r.IntersectRect(q)
			r.ContainsRect(p)
			r.OverlapsRect(q)
			r.ContainsPoint(p.Left, q.Top)
			r.Translate(p.Left, q.Bottom)
		}
	}
	var r Region
	r.SetRect(plane)
	r.SubtractRect(XYWH(3, 3, 1, 1))
	for _, d := range []int32{lo, hi} {
		var c Region
		c.Copy(&r)
		if c.Translate(d, 0); !c.Empty() {
			t.Errorf("moved by %d: %v", d, c.Extents())
		}
	}
	if r.ContainsRect(Rect{0, 0, hi, 1}) {
		t.Error("contains pixels outside the plane")
	}
}

// TestCrossingStripes joins upright stripes with level ones: few rows of many runs
// with many rows of few, whose union has far more runs than both.
func TestCrossingStripes(t *testing.T) {
	const n = 2500
	var upright, level []Rect
	for i := range int32(n) {
		upright = append(upright, XYWH(3*i, 0, 1, 3*n))
		level = append(level, XYWH(0, 3*i, 3*n, 1))
	}
	var r, o Region
	r.SetRects(upright)
	o.SetRects(level)
	r.Union(&o)
	if want := int64(5 * n * n); r.Area() != want {
		t.Errorf("area %d, want %d", r.Area(), want)
	}
	if r.Subtract(&o); r.NumRects() != n*n || r.Area() != 2*n*n {
		t.Errorf("without the level stripes: %d rectangles of %d pixels", r.NumRects(), r.Area())
	}
}

// TestSteadyStateAllocatesNothing runs every operation on regions whose storage
// has been through the pools once.
func TestSteadyStateAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes pools forget")
	}
	rnd := newRand(t)
	var a, b, c Region
	as, bs := randomRects(rnd, 40, 1920, 1080), randomRects(rnd, 40, 1920, 1080)
	dst := make([]Rect, 0, 10000)
	sum := int32(0)
	work := func() {
		a.SetRects(as)
		b.SetRects(bs)
		for _, op := range []func(r, o *Region){(*Region).Union, (*Region).Subtract, (*Region).Intersect, (*Region).Xor} {
			c.Copy(&a)
			op(&c, &b)
		}
		c.Translate(3, -4)
		c.UnionRect(as[0])
		c.SubtractRect(bs[0])
		c.IntersectRect(XYWH(100, 100, 1000, 800))
		dst = c.AppendRects(dst[:0])
		for rc := range c.Rects {
			sum += rc.Left
		}
		RegionTest(&a, &b, LeftExclusive|RightExclusive|Shared)
		a.ContainsRect(bs[1])
		a.OverlapsRect(bs[1])
		a.ContainsPoint(7, 8)
		c.Clear()
	}
	work()
	if n := testing.AllocsPerRun(200, work); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
