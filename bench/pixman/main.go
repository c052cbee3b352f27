// Command pixman runs the operations of package regions and those of libpixman
// on the same sets of pixels, in turn, and prints a table: what an operation of
// ours takes, and the ratio of that to what pixman takes (less is better):
//
//	cd bench/pixman && go run .
//
// Each result is compared first: the lists of rectangles must be equal. The two
// questions (overlaps, contains) are asked of regions for which the answer takes
// a look at everything: that is the worst case for package regions, which stops
// at the first row that decides. Pixman has no such test; it is given what it
// offers for it, an intersection or difference and a look whether that is empty.
package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"github.com/spiceecs/spiceecs/regions"
)

var (
	rounds = flag.Int("rounds", 15, "measurements of each; the smallest counts")
	turns  = flag.Int("pairs", 0, "pairs of regions that take turns; 0 for as many as do not fit the branch predictor")
	slot   = flag.Duration("slot", 2*time.Millisecond, "length of one measurement")
)

func main() {
	flag.Parse()
	fmt.Println("| surface | sides up to | rectangles | union | subtract | intersect | overlaps | contains | set |")
	fmt.Println("|---|--:|--:|--:|--:|--:|--:|--:|--:|")
	for _, surface := range [][2]int32{{1920, 1080}, {7680, 4320}} {
		for _, side := range []int32{64, surface[0] / 10} {
			for _, n := range []int{1, 10, 30, 100, 1000} {
				compare(surface, side, n)
			}
		}
	}
}

// randomRects are n rectangles of up to side pixels on each side.
func randomRects(rnd *rand.Rand, n int, surface [2]int32, side int32) []regions.Rect {
	rs := make([]regions.Rect, n)
	for i := range rs {
		w, h := 1+rnd.Int32N(side), 1+rnd.Int32N(side)
		rs[i] = regions.XYWH(rnd.Int32N(surface[0]-w), rnd.Int32N(surface[1]-h), w, h)
	}
	return rs
}

// pairs is how many pairs of regions take turns: few would let the processor's
// branch predictor learn them by heart, as happens to 64 pairs of 30 rectangles,
// and make both sides up to twice as quick as they are on regions never seen.
func pairs(rectangles int) int {
	if *turns > 0 {
		return *turns
	}
	return min(max(64, 30000/rectangles), 1024)
}

// contest is one operation on both sides; each runs it a number of times.
type contest struct {
	name         string
	ours, theirs func(times int)
	// rects are the rectangles of our latest result, peer has those of pixman.
	rects func() []regions.Rect
	peer  *peer
}

func compare(surface [2]int32, side int32, n int) {
	rnd := rand.New(rand.NewPCG(uint64(surface[0]), uint64(n)))
	variants := pairs(n)
	a, b := make([]regions.Region, variants), make([]regions.Region, variants)
	apart, inside := make([]regions.Region, variants), make([]regions.Region, variants)
	made, madeApart, madeInside := make([]pair, variants), make([]pair, variants), make([]pair, variants)
	for i := range variants {
		as, bs := randomRects(rnd, n, surface, side), randomRects(rnd, n, surface, side)
		if n == 1 { // two that overlap
			bs[0] = as[0].Translate(as[0].Width()/2, as[0].Height()/2)
		}
		a[i].SetRects(as)
		b[i].SetRects(bs)
		apart[i].Copy(&b[i])
		apart[i].Subtract(&a[i])
		inside[i].Copy(&b[i])
		inside[i].Intersect(&a[i])
		made[i] = pair{as, bs}
		madeApart[i] = pair{as, apart[i].AppendRects(nil)}
		madeInside[i] = pair{as, inside[i].AppendRects(nil)}
	}
	both, aApart, aInside := newPeer(made), newPeer(madeApart), newPeer(madeInside)
	defer both.close()
	defer aApart.close()
	defer aInside.close()
	var r regions.Region
	combine := func(op func(r, a, b *regions.Region)) func(int) {
		return func(times int) {
			for i := range times {
				op(&r, &a[i%variants], &b[i%variants])
			}
		}
	}
	ask := func(o []regions.Region, query regions.Test) func(int) {
		return func(times int) {
			for i := range times {
				regions.RegionTest(&a[i%variants], &o[i%variants], query)
			}
		}
	}
	set := func(times int) {
		for i := range times {
			r.SetRects(made[i%variants].a)
		}
	}
	rects := func() []regions.Rect { return r.AppendRects(nil) }
	fmt.Printf("| %dx%d | %d | %d |", surface[0], surface[1], side, n)
	for _, c := range []contest{
		{"union", combine((*regions.Region).SetUnion), both.union, rects, both},
		{"subtract", combine((*regions.Region).SetDifference), both.subtract, rects, both},
		{"intersect", combine((*regions.Region).SetIntersection), both.intersect, rects, both},
		{"overlaps", ask(apart, regions.Shared), aApart.overlaps, nil, nil},
		{"contains", ask(inside, regions.RightExclusive), aInside.contains, nil, nil},
		{"set", set, both.set, rects, both},
	} {
		ours, theirs := c.measure()
		fmt.Printf(" %s (%.2f) |", duration(ours), ours/theirs)
	}
	fmt.Println()
}

// duration prints nanoseconds with a fitting unit.
func duration(ns float64) string {
	if ns < 10000 {
		return fmt.Sprintf("%.0f ns", ns)
	}
	return fmt.Sprintf("%.0f µs", ns/1000)
}

// measure returns the nanoseconds one operation takes on each side.
func (c *contest) measure() (ours, theirs float64) {
	c.ours(1)
	c.theirs(1)
	if c.rects != nil && !slices.Equal(c.rects(), c.peer.rects()) {
		fmt.Fprintf(os.Stderr, "%s: the results differ\n", c.name)
		os.Exit(1)
	}
	ours, theirs = best(c.ours, 0), best(c.theirs, 0)
	for range *rounds {
		ours = min(ours, best(c.ours, ours))
		theirs = min(theirs, best(c.theirs, theirs))
	}
	return ours, theirs
}

// best runs f for about a slot and returns the nanoseconds of one time; guess is
// what it took before, 0 if not known.
func best(f func(int), guess float64) float64 {
	times := 1
	if guess > 0 {
		times = max(1, int(float64(*slot)/guess))
	}
	for {
		start := time.Now()
		f(times)
		took := time.Since(start)
		if guess > 0 || took > *slot/4 {
			return float64(took) / float64(times)
		}
		times *= 2
	}
}
