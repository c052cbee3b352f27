package stream

import (
	"testing"
	"time"
)

// line sends frames of which the best take full bytes, over a line of so many
// bytes a second, for a while. It returns how many were sent, and the last quality.
func line(r *Rate, full, bandwidth float64, guest float32, seconds int) (frames, quality int) {
	now := r.last
	if now.IsZero() {
		now = time.Unix(9, 0)
	}
	for range seconds * 1000 {
		now = now.Add(time.Millisecond)
		if r.Plan(now, bandwidth, guest) > 0 || now.Sub(r.last) < time.Duration(float64(time.Second)/float64(guest)) {
			continue
		}
		quality = r.Quality()
		r.Sent(now, int(full*qualities[r.level].size))
		frames++
	}
	return frames, quality
}

// TestRateFollows checks what is left of a video as the line gets worse, and that
// the line carries it.
func TestRateFollows(t *testing.T) {
	const full = 50e3
	for _, c := range []struct {
		bandwidth        float64
		frames, low, top int // frames in 10 s, and the quality
	}{
		{0, 250, 80, 80},
		{2e6, 250, 80, 80},
		{900e3, 200, 60, 80},
		{400e3, 120, 40, 80},
		{180e3, 80, 20, 50},
		{30e3, 10, 20, 40},
		{1e3, 5, 20, 20},
	} {
		r := new(Rate)
		line(r, full, c.bandwidth, 25, 5)
		frames, quality := line(r, full, c.bandwidth, 25, 10)
		if frames < c.frames-3 || quality < c.low || quality > c.top {
			t.Errorf("%v bytes/s: %d frames in 10 s of quality %d, want %d, %d to %d",
				c.bandwidth, frames, quality, c.frames, c.low, c.top)
		}
		size := 0.0
		for _, q := range qualities {
			if q.quality == quality {
				size = full * q.size
			}
		}
		if sent := float64(frames) * size; c.bandwidth >= 30e3 && sent > 10.5*c.bandwidth {
			t.Errorf("%v bytes/s: %.0f bytes sent in 10 s", c.bandwidth, sent)
		}
	}
}

// TestRateRecovers changes the line under a stream.
func TestRateRecovers(t *testing.T) {
	r := new(Rate)
	line(r, 50e3, 2e6, 25, 2)
	if _, q := line(r, 50e3, 100e3, 25, 2); q > 40 {
		t.Errorf("quality %d two seconds after the line got bad", q)
	}
	if n, q := line(r, 50e3, 2e6, 25, 2); q != 80 || n < 48 {
		t.Errorf("quality %d and %d frames in the two seconds after the line recovered", q, n)
	}
}
