package display

import (
	"time"

	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/regions"
)

// A guest may redraw a large part of the screen more often than is worth sending.
// What has been sent to a client within a moment is therefore noted, and a large
// drawable over it waits for the moment's end, together with all that is behind
// it; most likely something newer hides it by then. When the guest pauses for longer
// than it did of late, nothing will: the wait is over. Drawing elsewhere and small
// drawing, such as the echo of a key, never waits.

const (
	frameTime  = 33 * time.Millisecond // of a video; more is for streams
	frameBytes = 256 << 10             // of guest memory: a drawable that may wait
)

// frame is what a client has been sent of the screen since some time.
type frame struct {
	end  time.Time
	area regions.Region
}

// large reports whether a drawable repaints a large part of the screen.
func large(d *components.Drawable) bool { return d.Surface == 0 && d.Cost >= frameBytes }

// wait is how long a drawable has to wait.
func (f *frame) wait(now time.Time, d *components.Drawable) time.Duration {
	if !large(d) {
		return 0
	}
	if !now.Before(f.end) || !f.area.OverlapsRect(d.BBox) {
		return 0
	}
	return f.end.Sub(now)
}

// add notes a drawable that is being sent.
func (f *frame) add(now time.Time, d *components.Drawable) {
	if !large(d) {
		return
	}
	if !now.Before(f.end) {
		f.area.Clear()
		f.end = now.Add(frameTime)
	}
	f.area.UnionRect(d.BBox)
}

// pace is how often the guest repaints large parts of the screen.
type pace struct {
	last time.Time     // when it did
	gap  time.Duration // between two times, of late: a shorter one halves it
}

func (p *pace) add(now time.Time, d *components.Drawable) {
	if large(d) {
		p.gap = max(min(now.Sub(p.last), frameTime), p.gap/2)
		p.last = now
	}
}

// pauses is after what time the guest pauses, if it repaints nothing until then.
func (p *pace) pauses(now time.Time) time.Duration { return p.last.Add(3 * p.gap).Sub(now) }
