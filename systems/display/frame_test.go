package display

import (
	"testing"
	"time"

	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/regions"
)

// TestFrame draws over what was sent a moment ago: only what is large, on the
// screen, and over it has to wait, and not for longer than the moment.
func TestFrame(t *testing.T) {
	const large, small = frameBytes, frameBytes - 1
	whole := regions.Rect{Right: 1000, Bottom: 1000}
	left, right := regions.Rect{Right: 500, Bottom: 1000}, regions.Rect{Left: 500, Right: 1000, Bottom: 1000}
	type drawn struct {
		after   time.Duration // the beginning
		surface uint32
		cost    int32
		area    regions.Rect
		wait    time.Duration // or it is sent
	}
	for name, test := range map[string][]drawn{
		"elsewhere": {{0, 0, large, left, 0}, {0, 0, large, right, 0}, {frameTime - 1, 0, large, whole, 1}},
		"small":     {{0, 0, large, whole, 0}, {1, 0, small, left, 0}, {2, 0, large, left, frameTime - 2}},
		"off-screen": {{0, 1, large, whole, 0}, {0, 1, large, whole, 0}, {0, 0, large, whole, 0},
			{1, 1, large, whole, 0}},
		"next moment": {{0, 0, large, left, 0}, {frameTime, 0, large, left, 0}, {frameTime + 1, 0, large, left, frameTime - 1},
			{frameTime + 1, 0, large, right, 0}, {2 * frameTime, 0, large, whole, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			var f frame
			begin := time.Unix(1, 0)
			for i, d := range test {
				now := begin.Add(d.after)
				drawable := components.Drawable{Surface: d.surface, Cost: d.cost, BBox: d.area}
				if wait := f.wait(now, &drawable); wait != d.wait {
					t.Fatalf("drawing %d waits %v, want %v", i, wait, d.wait)
				}
				if d.wait == 0 {
					f.add(now, &drawable)
				}
			}
		})
	}
}

// TestPace has a guest repaint the screen at a steady pace, in two parts each time, and
// then as fast as it can: it pauses when three times the time between two has passed.
func TestPace(t *testing.T) {
	const interval = 16 * time.Millisecond
	var p pace
	now, whole := time.Unix(1, 0), components.Drawable{Cost: frameBytes}
	p.add(now, &whole)
	if got := p.pauses(now); got != 3*frameTime {
		t.Errorf("before anything is known of it, it pauses after %v", got)
	}
	for range 8 {
		now = now.Add(interval)
		p.add(now, &whole)
		p.add(now.Add(time.Millisecond), &whole)
	}
	if got := p.pauses(now.Add(time.Millisecond)); got < interval || got > 3*interval {
		t.Errorf("repainting every %v, it pauses after %v", interval, got)
	}
	for range 8 {
		now = now.Add(time.Millisecond)
		p.add(now, &whole)
	}
	if got := p.pauses(now); got != 3*time.Millisecond {
		t.Errorf("repainting every millisecond, it pauses after %v", got)
	}
	p.add(now.Add(time.Millisecond), &components.Drawable{Cost: frameBytes - 1})
	if got := p.pauses(now); got != 3*time.Millisecond {
		t.Errorf("after small drawing it pauses after %v", got)
	}
}
