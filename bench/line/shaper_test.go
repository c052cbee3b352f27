package main

import (
	"testing"
	"time"
)

// TestShaper sends packets faster than the line carries them, which slows down in
// between.
func TestShaper(t *testing.T) {
	start := time.Unix(1, 0)
	slower := start.Add(10 * time.Millisecond)
	s := &Shaper{Delay: 50 * time.Millisecond, Queue: 20 * time.Millisecond, Rate: func(at time.Time) float64 {
		if at.Before(slower) {
			return 8e6 // 1 byte a microsecond
		}
		return 8e5
	}}
	packet := make([]byte, 1000-overhead)
	took := 0
	for range 100 {
		if s.Push(start, packet) {
			took++
		}
	}
	// Ten go in the first 10 ms, two more in the next 20: when the last one comes the
	// queue is just full.
	if took != 12 || s.Dropped != int64(88*len(packet)) {
		t.Fatalf("%d packets taken, %d bytes dropped", took, s.Dropped)
	}
	for i := range took {
		due := start.Add(s.Delay + time.Duration(min(i+1, 10))*time.Millisecond + time.Duration(max(0, i-9))*10*time.Millisecond)
		if data, wait := s.Pop(due.Add(-1)); data != nil || wait != 1 {
			t.Fatalf("packet %d comes too early, or in %v", i, wait)
		}
		if data, _ := s.Pop(due); data == nil {
			t.Fatalf("packet %d does not come after %v", i, due.Sub(start))
		}
	}
	if data, wait := s.Pop(start.Add(time.Hour)); data != nil || wait >= 0 || s.Passed != 12_000 {
		t.Errorf("more has come than was sent: %d bytes", s.Passed)
	}
	// An idle line saves nothing up.
	s.Push(start.Add(time.Minute), packet)
	if _, wait := s.Pop(start.Add(time.Minute)); wait != s.Delay+10*time.Millisecond {
		t.Errorf("a packet on an idle line takes %v", wait)
	}
}
