package client

import (
	"time"

	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

// With Options.Timed a frame of a video is shown when the multimedia clock reaches
// its time:
//
//	frame -> late: dropped; otherwise it waits behind the stream's other frames
//	timer of the oldest one -> shown; of the next ones those that are late by now are
//	         dropped, and the timer is that of the first that is not
//	clock set back, or ahead by more than clockJump -> the timer is set anew
//
// The reference client does so, too. All of it is guarded by the display's mutex.

const (
	clockJump   = 500 // ms
	mostWaiting = 256 // frames of a stream; the oldest ones beyond that are dropped
)

// playlist is the frames of a stream that wait for their time.
type playlist struct {
	frames []timedFrame // oldest first
	turn   int          // of the timer; an older one that fires has nothing to do
	armed  bool         // for frames[0]
}

// timedFrame is a decoded frame.
type timedFrame struct {
	Frame
	dr *qxl.Drawable
}

// shown tells of a frame that has been shown.
func (d *Display) shown(f timedFrame) {
	if on := d.session.opts.OnFrame; on != nil {
		f.Clip = &f.dr.Clip
		on(d, f.Frame)
	}
}

// late is how long ago a multimedia time was; negative: it is yet to come.
func (d *Display) late(at uint32) time.Duration {
	return time.Duration(int32(d.session.MMTime()-at)) * time.Millisecond
}

// await lets a frame wait for its time.
func (d *Display) await(s *stream, f timedFrame) {
	if d.late(f.Time) > 0 {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if s.play.frames = append(s.play.frames, f); len(s.play.frames) > mostWaiting {
		s.play.pop()
		s.play.armed = false
	}
	d.arm(s)
}

// arm sets the timer for the oldest frame that is not late.
func (d *Display) arm(s *stream) {
	p := &s.play
	for !p.armed && len(p.frames) > 0 {
		late := d.late(p.frames[0].Time)
		if late > 0 {
			p.pop()
			continue
		}
		p.armed = true
		p.turn++
		turn := p.turn
		d.session.opts.Clock.AfterFunc(-late, func() { d.playNext(s, turn) })
	}
}

func (p *playlist) pop() {
	copy(p.frames, p.frames[1:])
	p.frames[len(p.frames)-1] = timedFrame{}
	p.frames = p.frames[:len(p.frames)-1]
}

// stop drops all frames.
func (p *playlist) stop() { *p = playlist{turn: p.turn + 1} }

// playNext shows the oldest frame, unless the timer that calls it is an old one.
func (d *Display) playNext(s *stream, turn int) {
	d.mu.Lock()
	p := &s.play
	if p.turn != turn || !p.armed {
		d.mu.Unlock()
		return
	}
	f := p.frames[0]
	dr := f.dr
	p.pop()
	p.armed = false
	var shown regions.Rect
	if c := d.surfaces[dr.Surface]; c != nil {
		s.clipTo(dr)
		if err := c.Draw(dr, d.surfaces); err == nil {
			shown = dr.BBox.Intersect(c.Bounds())
		} else {
			d.session.opts.Log.Warn("a frame cannot be shown", "error", err)
		}
	}
	d.arm(s)
	d.mu.Unlock()
	d.touch(dr.Surface, shown)
	if !shown.Empty() {
		d.shown(f)
	}
}

// clockSet sets all timers anew: the multimedia clock has jumped.
func (d *Display) clockSet() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range d.streams {
		s.play.armed = false
		d.arm(s)
	}
}
