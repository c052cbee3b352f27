package main

import (
	"testing"
	"time"
)

// TestPhase sums up a second in which two frames are shown: one painted at 0 and
// shown from 100 ms, one painted at 400 ms and shown from 600 ms.
func TestPhase(t *testing.T) {
	ms := time.Millisecond
	j := &Journal{
		frames:  []show{{100 * ms, 0, 0, 30}, {600 * ms, 400 * ms, 10, 40}},
		box:     []show{{at: 50 * ms, drawn: 0}, {at: 200 * ms, drawn: 100 * ms}, {at: 2000 * ms, drawn: 0}},
		traffic: []traffic{{0, 1000}, {900 * ms, 2_001_000}, {1100 * ms, 9_000_000}},
	}
	got := j.Phase("it", 0, time.Second)
	// Ages from 100 ms to 590 ms, then from 200 ms to 590 ms, every 10 ms: 90 of them.
	// The 45th is 370 ms (ten come once, the others twice), the 86th 570 ms.
	want := Phase{Name: "it", To: 1, Age50: .37, Age95: .57, Frames: 2, PSNR: 30, Megabytes: 2, Echo50: .05}
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if p := j.Phase("none", 0, 100*ms); p.Age50 != 0 || p.Frames != 0 {
		t.Errorf("before the first frame: %+v", p)
	}
	points := j.Points(0, 2*time.Second, 500*ms)
	if len(points) != 4 || points[0].Age != 0 || points[1].Age != .5 || points[2].Age != .6 || points[2].Frames != 2 || points[3].Frames != 1 {
		t.Errorf("points %+v", points)
	}
}
