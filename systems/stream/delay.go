package stream

import "time"

// Bounds of a Delay.
const (
	mostDelay  = 4 * time.Second
	goodMargin = 20 * time.Millisecond // a frame arrives that long before it is shown
	correction = 250 * time.Millisecond
	caution    = 150 * time.Millisecond // that frames get in addition when a line has become slower
	relaxTime  = 500 * time.Millisecond // in which the delay follows a smaller need
)

// Delay is how long after being painted frames of a stream are shown to a client. A
// client shows a frame at the time with which it is stamped, and one that arrives
// later not at all; so that has to be when the frame will have arrived, and should
// not be much more. What a frame needs on the way is told from what is known of the
// line, and put right by when the client says that frames arrived.
type Delay struct {
	delay time.Duration
	extra time.Duration // what the need has turned out to be wrong by
	at    time.Time     // when the newest frame was stamped
	last  uint32        // its stamp
	fresh uint32        // stamp of the first frame since the line or extra changed
	stale bool          // the line has changed since the newest frame
}

// Stamp returns when a frame is to be shown that is painted now and needs a time on
// the way. clock is the multimedia time now. Stamps never go back.
func (d *Delay) Stamp(now time.Time, clock uint32, need time.Duration) uint32 {
	want := min(max(need+need/4+d.extra, 0)+goodMargin, mostDelay)
	stale := d.stale || d.at.IsZero() || want > d.delay+goodMargin
	if want >= d.delay || d.at.IsZero() {
		d.delay = want
	} else {
		d.delay -= time.Duration(float64(d.delay-want) * min(1, now.Sub(d.at).Seconds()/relaxTime.Seconds()))
	}
	stamp := clock + uint32(d.delay.Milliseconds())
	if !d.at.IsZero() && int32(stamp-d.last) <= 0 {
		stamp = d.last + 1
	}
	stamp = max(1, stamp) // clients take 0 for none
	if d.at, d.last = now, stamp; stale {
		d.fresh, d.stale = stamp, false
	}
	return stamp
}

// Changed tells that the line has become slower: when frames arrive that are under
// way tells nothing of those to come. What these need is not known well at first, and
// a frame that is a little late is not shown at all, so they get more, until reports
// say that it is too much.
func (d *Delay) Changed() {
	d.stale = true
	if !d.at.IsZero() {
		d.extra = max(d.extra, caution)
	}
}

// Arrived takes from a client's report how long before its time a frame arrived;
// late ones are negative. Frames that were stamped before the last change tell
// nothing new.
func (d *Delay) Arrived(stamp uint32, margin time.Duration) {
	if d.stale || int32(stamp-d.fresh) < 0 {
		return
	}
	switch {
	case margin < goodMargin/2:
		d.extra += min(goodMargin-margin, correction)
	case margin > 2*goodMargin:
		d.extra -= min((margin-goodMargin)/2, correction)
	default:
		return
	}
	d.extra = min(max(d.extra, -mostDelay/4), mostDelay/2)
	d.fresh = d.last + 1
}
