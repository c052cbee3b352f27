package picture

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

const side = 24 // of the squares that random shapes lie in

func random(t *testing.T) *rand.Rand {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 1))
}

func rect(rnd *rand.Rand) regions.Rect {
	x, y := rnd.Int32N(side), rnd.Int32N(side)
	return regions.XYWH(x, y, 1+rnd.Int32N(side-x), 1+rnd.Int32N(side-y))
}

// TestOutline fills outlines by counting how often they go round each pixel.
func TestOutline(t *testing.T) {
	rnd := random(t)
	for range 3000 {
		var r regions.Region
		for range rnd.IntN(9) {
			rc := rect(rnd)
			if rnd.IntN(3) > 0 {
				r.UnionRect(rc)
			} else {
				r.SubtractRect(rc)
			}
		}
		if rnd.IntN(2) == 0 {
			for range 20 {
				r.UnionRect(regions.XYWH(rnd.Int32N(side), rnd.Int32N(side), 1, 1)) // corners that touch
			}
		}
		path := string(outline(nil, r.AppendRects(nil)))
		turns := winding(t, path)
		for y := range int32(side) {
			for x := range int32(side) {
				want := 0
				if r.ContainsPoint(x, y) {
					want = 1
				}
				if turns[y][x] != want {
					t.Fatalf("%s: goes %d times round %d,%d, want %d; region %v", path, turns[y][x], x, y, want, r.AppendRects(nil))
				}
			}
		}
		if strings.Count(path, "h")+strings.Count(path, "v") > 0 && collinear(path) {
			t.Fatalf("%s: needless corners", path)
		}
	}
}

// winding reads a path of lines and says how often it goes round each pixel.
func winding(t *testing.T, path string) (turns [side][side]int) {
	var x, y, x0, y0 int
	number := func() int {
		n, sign, i := 0, 1, 0
		for ; i < len(path) && (path[i] == '-' || path[i] == ' ' || path[i] >= '0' && path[i] <= '9'); i++ {
			if path[i] == ' ' {
				i++
				break
			}
			if path[i] == '-' {
				sign = -1
			} else {
				n = 10*n + int(path[i]-'0')
			}
		}
		path = path[i:]
		return sign * n
	}
	vertical := func(to int) {
		for at := min(y, to); at < max(y, to); at++ {
			for right := x; right < side; right++ {
				if to < y {
					turns[at][right]++
				} else {
					turns[at][right]--
				}
			}
		}
		y = to
	}
	for path != "" {
		c := path[0]
		path = path[1:]
		switch c {
		case 'M':
			x = number()
			y = number()
			x0, y0 = x, y
		case 'h':
			x += number()
		case 'v':
			vertical(y + number())
		case 'z':
			if x == x0 {
				vertical(y0)
			} else if y != y0 {
				t.Fatalf("a loop closes aslant")
			}
			x, y = x0, y0
		}
	}
	return turns
}

// collinear reports whether two lines of one direction follow each other.
func collinear(path string) bool {
	last := rune(0)
	for _, c := range path {
		switch c {
		case 'h', 'v':
			if c == last {
				return true
			}
			last = c
		case 'M':
			last = 0
		}
	}
	return false
}

// TestHeatCounts compares with counting pixel by pixel.
func TestHeatCounts(t *testing.T) {
	rnd := random(t)
	var h Heat
	h.begin(side, side-5)
	want := make([]uint32, side*(side-5))
	var pixels, drawables uint64
	for range 500 {
		cmd := new(qxl.Drawable)
		cmd.BBox, cmd.Surface = rect(rnd).Translate(rnd.Int32N(5)-2, rnd.Int32N(5)-2), rnd.Uint32N(2)
		if rnd.IntN(2) == 0 {
			cmd.Clip.Type = qxl.ClipRects
			for range rnd.IntN(4) {
				cmd.Clip.Rects = append(cmd.Clip.Rects, rect(rnd))
			}
		}
		n := uint64(0)
		for y := int32(-3); y < side+3; y++ {
			for x := int32(-3); x < side+3; x++ {
				in := func(r regions.Rect) bool { return r.Contains(regions.XYWH(x, y, 1, 1)) }
				if !in(cmd.BBox) || cmd.Clip.Type == qxl.ClipRects && !slices.ContainsFunc(cmd.Clip.Rects, in) {
					continue
				}
				n++
				if x >= 0 && y >= 0 && x < side && y < side-5 && cmd.Surface == 0 {
					want[y*side+x]++
					pixels++
				}
			}
		}
		if cmd.Surface == 0 {
			drawables++
		}
		if got := h.count(cmd, &h.drawn); got != n {
			t.Fatalf("%+v: %d pixels, want %d", cmd.BBox, got, n)
		}
	}
	drawn, sent := h.Counts()
	if !slices.Equal(h.Drawn(), want) || drawn != (HeatCounts{Count{drawables, pixels}, slices.Max(want)}) || sent != (HeatCounts{}) {
		t.Errorf("counts differ: %+v, want %d drawables, %d pixels, at most %d", drawn, drawables, pixels, slices.Max(want))
	}
}

func TestPercent(t *testing.T) {
	for _, c := range []struct {
		part, whole int64
		want        string
	}{{0, 0, "100 %"}, {0, 5, "0 %"}, {1, 1000, "<1 %"}, {999, 1000, "99 %"}, {1000, 1000, "100 %"}, {3, 2, "150 %"}} {
		if got := percent(c.part, c.whole); got != c.want {
			t.Errorf("%d of %d: %s, want %s", c.part, c.whole, got, c.want)
		}
	}
}

func TestNumber(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1234567: "-1,234,567", -100: "-100"} {
		if got := number(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}
