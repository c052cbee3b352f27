package drain

import (
	"testing"
	"time"
)

// TestLimiter reads 100 bytes at a time, as soon as it may, at 1,000 a second,
// with a second of silence in between.
func TestLimiter(t *testing.T) {
	for _, test := range []struct {
		burst time.Duration
		want  time.Duration // for the second half of the bytes
	}{
		{0, 0}, // all of the silence is made up for
		{300 * time.Millisecond, 700 * time.Millisecond}, // 300 bytes come at once
		{time.Millisecond, 999 * time.Millisecond},
	} {
		start := time.Unix(1000, 0)
		now := start
		l := limiter{rate: 1000, burst: test.burst}
		read := func() time.Duration {
			began := now
			for range 10 {
				now = now.Add(max(0, l.wait(now, 100)))
			}
			return now.Sub(began)
		}
		l.begin(now)
		if d := read(); d != time.Second {
			t.Errorf("burst %v: 1,000 bytes took %v", test.burst, d)
		}
		now = now.Add(time.Second)
		if d := read(); d != test.want {
			t.Errorf("burst %v: 1,000 bytes after a silence took %v, want %v", test.burst, d, test.want)
		}
	}
}
