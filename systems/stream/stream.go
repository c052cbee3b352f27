// Package stream finds videos among what the guest draws, and decides how they
// are sent.
//
//	drawable -> Tracker.Watch: candidate? next frame of a stream? of a trace?
//	         -> Started, Frame: the area is video from here on
//	time     -> Tracker.Resting, Expired: it is none any more
//	line     -> Rate: how good the pictures are, and how many
//
// A video is an area of the screen. While it lasts clients are sent pictures of
// what the screen shows there, when they can take one, instead of what is drawn:
// whatever draws it, in whatever pieces, a client gets the newest picture and
// never waits for older ones. So a stream holds no guest memory, and a drawable
// that belongs to one goes back to the guest when it has been drawn.
//
// A sequence of drawables becomes a stream by the rules of the reference server:
// opaque copies to the screen, painted to the same place at intervals of at most
// 200 ms, become one with the 21st, if a fifth of them looked like photos.
// Beyond these rules a frame may also come from another surface, its place may
// vary by a few pixels, and the 8th is enough if all of them looked like photos.
//
// The Tracker belongs to the device's worker. It holds at most
// components.MaxStreams stream entities and a fixed number of traces, the
// beginnings of what may become streams. Watching a command that is no candidate
// costs a few comparisons; nothing allocates.
package stream

import (
	"time"

	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

// Rules of detection, those of the reference server where not said otherwise.
const (
	minArea       = 96 * 96                // pixels of a frame's source, in Filter
	traceGap      = 200 * time.Millisecond // between frames before there is a stream
	Timeout       = time.Second            // between frames of a stream; then it ends
	startFrames   = 20                     // that follow the first one
	sureFrames    = 7                      // as many if all of them look like photos; not the reference's
	gradualShare  = 0.2                    // of the frames have to look like photos
	gradualReset  = 100                    // frames without such a one begin a new count
	maxRate       = 30                     // frames a second
	ratePeriod    = 5 * time.Second        // over which the rate is counted
	maxGrowth     = 2                      // a frame around a stream's area is at most so much larger
	traces        = 64                     // the reference remembers 8
	Slack         = 8                      // pixels by which each edge may move; the reference has none
	restIntervals = 4                      // frame intervals without a frame are a rest
	minRest       = 300 * time.Millisecond
)

// Tracker follows the videos on a device's screen.
type Tracker struct {
	// Gradual tells whether the pixels of a candidate look like a photo. It is
	// asked once for each candidate that follows another one, in Filter.
	Gradual func(*qxl.Drawable) bool

	mode    Mode
	scene   *components.Scene
	streams [components.MaxStreams]ecs.Entity // by id, zero where there is none
	live    int
	traces  [traces]trace
	epoch   time.Time
}

// trace is a drawable that may be followed by others like it.
type trace struct {
	area          regions.Rect
	width, height int32 // of the source
	first, last   int64 // nanoseconds since the epoch
	frames        uint32
	gradual       uint32 // frames that looked like photos
	lastGradual   uint32 // number of the newest of these
}

// Event says what a drawable is to the streams.
type Event uint8

// Events.
const (
	None    Event = iota
	Frame         // it is the next frame of a stream
	Started       // it is the first frame of a new stream
)

// New returns a tracker that follows nothing yet.
func New(scene *components.Scene, mode Mode) *Tracker { return &Tracker{scene: scene, mode: mode} }

// SetMode changes what counts as a video from now on.
func (t *Tracker) SetMode(m Mode) { t.mode = m }

// Mode is what counts as a video.
func (t *Tracker) Mode() Mode { return t.mode }

// Live is the number of streams.
func (t *Tracker) Live() int { return t.live }

// Get returns a stream, or nil.
func (t *Tracker) Get(id uint8) *components.Stream {
	if t.streams[id].IsZero() {
		return nil
	}
	return t.scene.Streams.Get(t.streams[id])
}

// All yields the streams. The one it is at may end meanwhile.
func (t *Tracker) All(yield func(*components.Stream) bool) {
	if t.live == 0 {
		return
	}
	for id := range t.streams {
		if s := t.Get(uint8(id)); s != nil && !yield(s) {
			return
		}
	}
}

// Watch takes note of a drawable and says what it is to which stream, whose area
// is the drawable's box then.
func (t *Tracker) Watch(now time.Time, cmd *qxl.Drawable) (Event, *components.Stream) {
	width, height, ok := t.candidate(cmd)
	if !ok {
		return None, nil
	}
	at := t.at(now)
	for s := range t.All {
		if at-s.Last <= int64(Timeout) && continues(s.Area, cmd.BBox) {
			attach(s, at, cmd.BBox)
			return Frame, s
		}
	}
	tr := t.follow(at, cmd, width, height)
	if !tr.starts(t.mode) || t.live == components.MaxStreams {
		return None, nil
	}
	s := t.start(tr)
	*tr = trace{}
	return Started, s
}

// at is a time as streams and traces keep it.
func (t *Tracker) at(now time.Time) int64 {
	if t.epoch.IsZero() {
		t.epoch = now
	}
	return int64(now.Sub(t.epoch))
}

// candidate reports whether a drawable can be a frame, and the size of its source.
func (t *Tracker) candidate(cmd *qxl.Drawable) (width, height int32, ok bool) {
	if t.mode == Off || cmd.Surface != 0 || cmd.Effect != qxl.EffectOpaque ||
		cmd.Type != qxl.DrawCopy || cmd.Rop != qxl.RopPut || cmd.Mask.Image != qxl.NoImage {
		return 0, 0, false
	}
	im := cmd.Image(cmd.Src)
	if im == nil || im.Type != qxl.ImageBitmap && im.Type != qxl.ImageSurface || cmd.BBox.Empty() {
		return 0, 0, false
	}
	if t.mode == Filter && cmd.SrcArea.Area() < minArea {
		return 0, 0, false
	}
	return cmd.SrcArea.Width(), cmd.SrcArea.Height(), true
}

// near reports whether no edge is more than Slack away from the other box's.
func near(a, b regions.Rect) bool {
	within := func(x, y int32) bool { return x-y <= Slack && y-x <= Slack }
	return within(a.Left, b.Left) && within(a.Top, b.Top) && within(a.Right, b.Right) && within(a.Bottom, b.Bottom)
}

// continues reports whether a frame at box belongs to a stream at area: it lies
// there, or around it and is not much larger.
func continues(area, box regions.Rect) bool {
	return near(area, box) || box.Contains(area) && box.Area() <= maxGrowth*area.Area()
}

// follow adds a candidate to the trace that it continues, or begins a new one in
// place of the oldest.
func (t *Tracker) follow(at int64, cmd *qxl.Drawable, width, height int32) *trace {
	oldest := &t.traces[0]
	for i := range t.traces {
		tr := &t.traces[i]
		if !tr.area.Empty() && at-tr.last <= int64(traceGap) &&
			near(tr.area, cmd.BBox) && abs(tr.width-width) <= 2*Slack && abs(tr.height-height) <= 2*Slack {
			tr.add(t.mode == All || t.Gradual(cmd))
			tr.area, tr.width, tr.height, tr.last = cmd.BBox, width, height, at
			return tr
		}
		if tr.last < oldest.last {
			oldest = tr
		}
	}
	*oldest = trace{area: cmd.BBox, width: width, height: height, first: at, last: at}
	return oldest
}

func abs(x int32) int32 { return max(x, -x) }

// add counts a frame.
func (tr *trace) add(gradual bool) {
	tr.frames++
	if !gradual {
		return
	}
	if tr.frames-tr.lastGradual > gradualReset {
		tr.frames, tr.gradual = 1, 1
	} else {
		tr.gradual++
	}
	tr.lastGradual = tr.frames
}

func (tr *trace) starts(m Mode) bool {
	return tr.frames >= startFrames && float64(tr.gradual) >= gradualShare*float64(tr.frames) ||
		m == Filter && tr.frames >= sureFrames && tr.gradual == tr.frames
}

// start makes a stream of a trace. There is a free id.
func (t *Tracker) start(tr *trace) *components.Stream {
	id := 0
	for !t.streams[id].IsZero() {
		id++
	}
	e, s := t.scene.Streams.New()
	t.streams[id] = e
	t.live++
	*s = components.Stream{ID: uint8(id), Area: tr.area, Last: tr.last, Began: tr.last, Rate: maxRate}
	if d := tr.last - tr.first; d > 0 {
		s.Rate = rate(tr.frames, d)
	}
	return s
}

// rate is frames a second, of frames over d nanoseconds.
func rate(frames uint32, d int64) float32 {
	return min(max(float32(frames)*float32(time.Second)/float32(d), 1), maxRate)
}

// attach notes the next frame of a stream.
func attach(s *components.Stream, at int64, area regions.Rect) {
	s.Area, s.Last = area, at
	s.Count++
	if d := at - s.Began; d >= int64(ratePeriod) {
		s.Rate = rate(s.Count, d)
		s.Began, s.Count = at, 0
	}
}

// Rested is how long a stream has had no new frame, and after what time of that
// it rests: its picture may well stay.
func (t *Tracker) Rested(now time.Time, s *components.Stream) (since, rest time.Duration) {
	interval := time.Duration(float32(time.Second) / s.Rate)
	return time.Duration(t.at(now) - s.Last), min(max(minRest, restIntervals*interval), Timeout)
}

// End ends a stream; its id is free.
func (t *Tracker) End(id uint8) {
	t.scene.World.Remove(t.streams[id])
	t.streams[id] = ecs.Entity{}
	t.live--
}

// Reset ends all streams and forgets all traces.
func (t *Tracker) Reset() {
	for s := range t.All {
		t.End(s.ID)
	}
	t.traces = [traces]trace{}
}
