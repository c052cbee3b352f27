package display

import (
	"testing"

	"github.com/spiceecs/spiceecs/regions"
)

func region(rs ...regions.Rect) *regions.Region {
	r := new(regions.Region)
	r.SetRects(rs)
	return r
}

// TestOrderSmall has small changes go first, and first of all at the pointer.
func TestOrderSmall(t *testing.T) {
	large := regions.XYWH(0, 0, 1000, 500)
	at := regions.XYWH(590, 690, 60, 20) // the pointer's
	tiny := regions.XYWH(10, 600, 20, 10)
	other := regions.XYWH(10, 720, 60, 20)
	var o order
	r := region(large, at, tiny, other)
	for i, want := range []regions.Rect{at, tiny, other, regions.XYWH(0, 0, 1000, 10)} {
		got := o.next(r, regions.XYWH(580, 650, 100, 100), 10000)
		if got != want {
			t.Fatalf("part %d is %v, want %v", i, got, want)
		}
		r.SubtractRect(got)
	}
}

// TestOrderFair has all of a screen change all the time. Every line is sent within
// two rounds, and in every other piece the pointer's surroundings.
func TestOrderFair(t *testing.T) {
	const width, height, lines = 1280, 800, 16
	near := regions.XYWH(600, 700, 192, 192)
	screen := region(regions.XYWH(0, 0, width, height))
	var o order
	sent, pointed := new(regions.Region), 0
	for range 2 * height / lines {
		r := o.next(screen, near, width*lines)
		if r.Area() > width*lines {
			t.Fatalf("%v is too large", r)
		}
		if near.Contains(r) {
			pointed++
		}
		sent.UnionRect(r)
	}
	if !sent.Equal(screen) || pointed != height/lines {
		t.Errorf("%d of %d pixels sent, %d pieces at the pointer", sent.Area(), screen.Area(), pointed)
	}
}

// TestOrderLine sends at least a line, however little is allowed.
func TestOrderLine(t *testing.T) {
	var o order
	if got := o.next(region(regions.XYWH(5, 5, 100, 100)), regions.Rect{}, 1); got != regions.XYWH(5, 5, 100, 1) {
		t.Errorf("sent %v", got)
	}
}
