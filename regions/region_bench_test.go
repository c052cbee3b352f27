package regions

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// BenchmarkRegion runs operations on regions made of n rectangles each; bench/pixman
// has the same next to libpixman. The pairs of regions take turns, so that the
// processor's branch predictor does not learn one by heart.
func BenchmarkRegion(b *testing.B) {
	const variants = 64
	ops := []struct {
		name string
		do   func(r, x, y *Region)
	}{
		{"Union", (*Region).SetUnion},
		{"Subtract", (*Region).SetDifference},
		{"Intersect", (*Region).SetIntersection},
		{"Test", func(r, x, y *Region) { RegionTest(x, y, RightExclusive|Shared) }},
	}
	for _, surface := range [][2]int32{{1920, 1080}, {7680, 4320}} {
		for _, n := range []int{1, 10, 30, 100, 1000} {
			rnd := rand.New(rand.NewPCG(1, uint64(n)))
			var x, y [variants]Region
			for i := range variants {
				x[i].SetRects(randomRects(rnd, n, surface[0], surface[1]))
				y[i].SetRects(randomRects(rnd, n, surface[0], surface[1]))
			}
			for _, op := range ops {
				b.Run(fmt.Sprintf("%s/%dx%d/%d", op.name, surface[0], surface[1], n), func(b *testing.B) {
					var r Region
					b.ReportAllocs()
					for i := 0; b.Loop(); i++ {
						op.do(&r, &x[i%variants], &y[i%variants])
					}
				})
			}
		}
	}
}

// BenchmarkSetRects builds regions of n rectangles.
func BenchmarkSetRects(b *testing.B) {
	for _, n := range []int{2, 10, 100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			rs := randomRects(rand.New(rand.NewPCG(1, 2)), n, 1920, 1080)
			var r Region
			b.ReportAllocs()
			for b.Loop() {
				r.SetRects(rs)
			}
		})
	}
}
