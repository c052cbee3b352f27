package stream

import (
	"testing"
	"time"
)

// TestDelay has frames take a time on the way that is not the one thought. They
// arrive in time, and not much before, after a few reports.
func TestDelay(t *testing.T) {
	now, clock := time.Unix(5, 0), uint32(60_000)
	var d Delay
	for _, way := range []time.Duration{5, 300, 40, 900, 5} {
		way *= time.Millisecond
		margin := time.Duration(0)
		for i := range 400 { // frames
			now, clock = now.Add(40*time.Millisecond), clock+40
			before := d.last
			stamp := d.Stamp(now, clock, 30*time.Millisecond)
			if int32(stamp-before) <= 0 {
				t.Fatalf("frame stamped %d after one stamped %d", stamp, before)
			}
			if margin = time.Duration(int32(stamp-clock))*time.Millisecond - way; i%5 == 0 {
				d.Arrived(stamp, margin)
			}
		}
		if margin < 0 || margin > 2*goodMargin+time.Millisecond {
			t.Errorf("frames that take %v arrive %v before their time", way, margin)
		}
	}
}

// TestDelayNeed has the line get slower, as is known: the next frame has all the
// time that it needs and some more, and reports of those under way, which are late,
// change nothing. Reports of later ones take away what is too much.
func TestDelayNeed(t *testing.T) {
	now, clock := time.Unix(5, 0), ^uint32(200) // which wraps
	var d Delay
	old := d.Stamp(now, clock, 10*time.Millisecond)
	d.Changed()
	d.Arrived(old, -time.Second)
	now, clock = now.Add(time.Second), clock+1000
	if delay := time.Duration(int32(d.Stamp(now, clock, 400*time.Millisecond)-clock)) * time.Millisecond; delay < 400*time.Millisecond+caution || delay > 550*time.Millisecond+caution {
		t.Errorf("a frame that needs 400ms is shown after %v", delay)
	}
	d.Arrived(old, -time.Second)
	const need = 10 * time.Millisecond
	var delay time.Duration
	for range 10 { // reports
		now, clock = now.Add(time.Second), clock+1000
		stamp := d.Stamp(now, clock, need)
		delay = time.Duration(int32(stamp-clock)) * time.Millisecond
		d.Arrived(stamp, delay-need)
	}
	if delay > 60*time.Millisecond {
		t.Errorf("a frame that needs %v is shown after %v", need, delay)
	}
}
