package display

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
	"github.com/spiceecs/spiceecs/systems/encode"
	"github.com/spiceecs/spiceecs/systems/raster"
	"github.com/spiceecs/spiceecs/systems/stream"
)

// Where a stream shows, its clip, a client is sent pictures of the screen and
// hardly any drawing commands. What is opaque and not a frame takes its pixels
// out of the clip and is sent as always; what is not opaque is in the next
// picture. An area that leaves the clip in any other way is sent exactly, as
// everything does when the video rests or ends.
//
// So a client's pixels are certain outside three areas: where it is behind, what
// it has only roughly, and the clips.

// errStreamReport reports a stream id that cannot be.
var errStreamReport = errors.New("report of a stream that cannot be")

// agent is a stream as one client is sent it.
type agent struct {
	on      bool
	refused bool           // the client cannot show it
	dest    regions.Rect   // its place, as the client was told when it began
	area    regions.Rect   // what frames show
	loose   bool           // its place changes: frames of a fixed size show a margin around it
	clip    regions.Region // when what waits in the pipe has been sent
	waiting bool           // the screen shows something newer than what was sent
	video   uint8          // codec
	unique  uint32         // in the client's reports
	rate    stream.Rate
	delay   stream.Delay
}

// frame deals with a drawable that is a frame of a stream. It reports whether it
// is one. There are none on surfaces without colours.
func (w *Worker) frame(e ecs.Entity) bool {
	d := w.Scene.Drawables.Get(e)
	if w.Scene.Surface(d.Surface).Format.Depth() < 16 {
		return false
	}
	event, s := w.streams.Watch(w.Pipes.Now, w.Scene.Command(d))
	if event == stream.None {
		return false
	}
	s.Shown++
	area := w.Tree.Area(e, &w.seen)
	for _, c := range w.clients {
		if c == nil || !c.joined {
			continue
		}
		if !c.plays(s.ID) || !c.show(s, area) {
			c.draw(e)
		}
	}
	return true
}

// show makes area show the stream. It reports false if the stream cannot be encoded
// for the client.
func (c *client) show(s *components.Stream, area *regions.Region) bool {
	a := c.agents[s.ID]
	if a == nil {
		a = new(agent)
		c.agents[s.ID] = a
	}
	a.waiting = true
	visible := c.w.onScreen(s.Area)
	if a.on && !c.follow(s.ID, a, visible) {
		a.loose = true
		c.endStream(s.ID)
	}
	if !a.on {
		if visible.Empty() {
			return true
		}
		if !c.begin(s, a, visible) {
			return false
		}
		a.clip.Copy(area)
		c.queueStream(components.PipeItem{
			Kind: components.ItemStreamCreate, Stream: s.ID, Area: a.dest, Format: uint32(a.video), Stamp: a.unique,
		}, a)
	} else if !a.clip.Equal(area) {
		var left regions.Region
		left.SetDifference(&a.clip, area)
		a.clip.Copy(area)
		c.queueStream(components.PipeItem{Kind: components.ItemStreamClip, Stream: s.ID}, a)
		c.exact(&left)
	}
	if r := c.behind[0]; r != nil {
		if r.Subtract(area); r.Empty() {
			delete(c.behind, 0)
		}
	}
	return true
}

// begin begins a stream at the client, whose frames show an area. It reports false if
// there is no codec.
func (c *client) begin(s *components.Stream, a *agent, area regions.Rect) bool {
	if a.area = area; a.loose {
		a.area = c.w.onScreen(area.Grow(stream.Slack))
	}
	if a.video = c.openVideo(s, a.area); a.video == 0 {
		return false
	}
	if c.w.cfg.TellTime != nil {
		c.w.cfg.TellTime(c.id)
	}
	a.on, a.dest, a.unique, a.rate, a.delay = true, a.area, rand.Uint32(), stream.Rate{}, stream.Delay{}
	return true
}

// maxShrink is how much larger than a video with a margin its frames are at most.
const maxShrink = 2

// follow has the frames of a stream show another area. It reports whether that can
// be done without a new stream: encoders have frames of one size.
func (c *client) follow(id uint8, a *agent, area regions.Rect) bool {
	sized := c.caps.Has(wire.CapDisplaySizedStream)
	same := a.area.Width() == area.Width() && a.area.Height() == area.Height()
	switch {
	case a.area == area:
	case sized && (same || c.state.Video[id] == nil):
		a.area = area
	default:
		return a.area.Contains(area) && a.area.Area() <= maxShrink*area.Grow(stream.Slack).Area()
	}
	return true
}

// onScreen is the part of an area that is on the screen.
func (w *Worker) onScreen(area regions.Rect) regions.Rect {
	screen := w.Scene.Surface(0)
	return area.Intersect(regions.Rect{Right: screen.Width, Bottom: screen.Height})
}

// queueStream queues an item with the agent's clip.
func (c *client) queueStream(item components.PipeItem, a *agent) {
	h, clip, ok := c.w.Scene.Clips.Alloc()
	if !ok {
		c.conn.Close(fmt.Errorf("stream %d: too many clips", item.Stream))
		return
	}
	clip.Copy(&a.clip)
	item.Clip = h
	c.w.Pipes.Append(c.slot, item)
}

// drawnOver tells of an area of the screen that is drawn on, not by a stream.
// It reports whether the client will see that in pictures of streams.
func (c *client) drawnOver(area *regions.Region, opaque bool) (seen bool) {
	for s := range c.w.streams.All {
		a := c.agents[s.ID]
		if a == nil || !a.on || !a.clip.Overlaps(area) {
			continue
		}
		if opaque {
			a.clip.Subtract(area)
			c.queueStream(components.PipeItem{Kind: components.ItemStreamClip, Stream: s.ID}, a)
		} else {
			a.waiting = true
			s.Shown++
			seen = seen || a.clip.Contains(area)
		}
	}
	return seen
}

// uncover takes an area out of what a client behind needs, that streams show.
func (c *client) uncover(r *regions.Region) {
	for s := range c.w.streams.All {
		if a := c.agents[s.ID]; a != nil && a.on {
			r.Subtract(&a.clip)
		}
	}
}

// exact has an area of the screen sent exactly that a stream does not show any
// more.
func (c *client) exact(area *regions.Region) {
	for r := range area.Rects {
		if len(c.behind) > 0 {
			c.behind.add(0, r)
			continue
		}
		c.w.Raster.Update(0, r)
		c.queueArea(0, r)
	}
}

// restStream leaves a stream's picture as it is on the screen.
func (c *client) restStream(id uint8) {
	a := c.agents[id]
	if a == nil || !a.on || a.clip.Empty() {
		return
	}
	var left regions.Region
	left.Copy(&a.clip)
	a.clip.Clear()
	a.waiting = false
	c.queueStream(components.PipeItem{Kind: components.ItemStreamClip, Stream: id}, a)
	c.exact(&left)
}

// endStream ends a stream at the client.
func (c *client) endStream(id uint8) {
	if a := c.agents[id]; a != nil && a.on {
		c.restStream(id)
		a.on = false
		c.closeVideo(id)
		c.w.Pipes.Append(c.slot, components.PipeItem{Kind: components.ItemStreamDestroy, Stream: id})
	}
}

// endStream ends a stream everywhere.
func (w *Worker) endStream(id uint8) {
	for _, c := range w.clients {
		if c != nil {
			c.endStream(id)
			c.agents[id] = nil
		}
	}
	w.pictures[id].drop(w.Scene)
	w.streams.End(id)
}

// endStreams ends all streams.
func (w *Worker) endStreams() {
	for s := range w.streams.All {
		w.endStream(s.ID)
	}
	w.streams.Reset()
}

// loseScreen ends all streams of a screen that is going away.
func (w *Worker) loseScreen() {
	for _, c := range w.clients {
		if c == nil {
			continue
		}
		for _, a := range c.agents {
			if a != nil {
				a.clip.Clear() // nobody will see what it shows
			}
		}
	}
	w.endStreams()
}

// SetStreaming changes what counts as a video.
func (w *Worker) SetStreaming(m stream.Mode) { w.loop.Post(func() { w.setStreaming(m) }) }

// Streaming is SetStreaming as a request.
func Streaming(m stream.Mode) Request {
	return func(w *Worker) error { w.setStreaming(m); return nil }
}

func (w *Worker) setStreaming(m stream.Mode) {
	if w.streams.SetMode(m); m == stream.Off {
		w.endStreams()
	}
}

// streamStage looks after streams that get no frames.
func (w *Worker) streamStage(now time.Time) time.Duration {
	next := ecs.Idle
	for s := range w.streams.All {
		since, rest := w.streams.Rested(now, s)
		switch {
		case since >= stream.Timeout:
			w.endStream(s.ID)
		case since >= rest:
			for _, c := range w.clients {
				if c != nil {
					c.restStream(s.ID)
				}
			}
			next = min(next, stream.Timeout-since)
		default:
			next = min(next, rest-since)
		}
	}
	return next
}

// planFrames plans the newest pictures of all streams whose turn it is, as many as
// said at most. It returns after what time it is the turn of another one, and how
// many more may be planned.
func (c *client) planFrames(now time.Time, most int) (next time.Duration, left int) {
	next = ecs.Idle
	for s := range c.w.streams.All {
		a := c.agents[s.ID]
		if a == nil || !a.waiting || most == 0 {
			continue
		}
		if clip := c.w.msg.Shown(&c.state, s.ID, a.unique); clip == nil || clip.Empty() {
			continue
		}
		if wait := c.pace(now, s, a); wait > 0 {
			next = min(next, wait)
			continue
		}
		c.planFrame(now, s, a)
		most--
	}
	return next, most
}

// framesSent learns from the frames that were written how large they get.
func (c *client) framesSent() {
	now := c.w.cfg.Clock.Now()
	for _, f := range c.state.Frames {
		if a := c.agents[f.Stream]; f.Bytes == 0 {
			c.failed(f.Stream)
		} else if a != nil {
			c.w.frames++
			a.rate.Sent(now, f.Bytes)
		}
	}
	c.state.Frames = c.state.Frames[:0]
}

// stamp is when the client is to show the next frame of a stream: as soon as it
// will have come.
func (c *client) stamp(now time.Time, a *agent) uint32 {
	if c.w.cfg.MultimediaTime == nil {
		return 1
	}
	return a.delay.Stamp(now, c.w.cfg.MultimediaTime(), c.conn.Delay(a.rate.Expected()))
}

// lineSlower tells all streams that what they know of the line is out of date.
func (c *client) lineSlower() {
	for s := range c.w.streams.All {
		if a := c.agents[s.ID]; a != nil {
			a.delay.Changed()
		}
	}
}

// bandwidth is the bytes a second that a stream may take of the client's line: its
// share, by area, of most of what the line carries; 0 while that is not known.
func (c *client) bandwidth(s *components.Stream) float64 {
	rate := c.conn.Throughput()
	if rate == 0 {
		return 0
	}
	all := int64(0)
	for o := range c.w.streams.All {
		all += o.Area.Area()
	}
	return streamShare * rate * float64(s.Area.Area()) / float64(max(all, 1))
}

// streamShare is the part of the line that all streams may take together.
const streamShare = 0.8

// report takes what a client tells of a stream.
func (c *client) report(r *wire.Reader) error {
	id, unique := r.U32(), r.U32()
	r.U32() // multimedia times of the first and the last frame
	last := r.U32()
	frames, drops, margin := r.U32(), r.U32(), r.I32()
	r.U32()
	if err := r.Err(); err != nil {
		return err
	}
	if id >= components.MaxStreams {
		return fmt.Errorf("%w: %d", errStreamReport, id)
	}
	a := c.agents[id]
	if a == nil || !a.on || a.unique != unique {
		return nil
	}
	if frames == 0 && drops == wire.CannotPlay {
		a.refused = true
		c.endStream(uint8(id))
		return nil
	}
	a.delay.Arrived(last, time.Duration(margin)*time.Millisecond)
	return nil
}

// gradual tells whether what a drawable copies looks like a photo.
func (w *Worker) gradual(cmd *qxl.Drawable) bool {
	im := cmd.Image(cmd.Src)
	if im.Type == qxl.ImageBitmap {
		return encode.Graduality(im) != encode.GradualityLow
	}
	source := w.Scene.Surface(im.Surface)
	area := cmd.SrcArea
	if source == nil || source.Format.Depth() != 32 ||
		!(regions.Rect{Right: source.Width, Bottom: source.Height}).Contains(area) {
		return false
	}
	w.Raster.Update(im.Surface, area)
	return encode.Graduality(w.sample.of(w.Raster, im.Surface, area)) != encode.GradualityLow
}

// sample is a recycled copy of part of a surface.
type sample struct {
	pix []byte
	im  qxl.Image
}

// of copies an area of a surface with 32 bits a pixel.
func (s *sample) of(r *raster.Raster, surface uint32, area regions.Rect) *qxl.Image {
	s.pix = r.Read(s.pix[:0], surface, area)
	s.im.Format, s.im.X, s.im.Y = qxl.Bitmap32Bit, uint32(area.Width()), uint32(area.Height())
	s.im.Stride = 4 * s.im.X
	s.im.Data.Reset()
	s.im.Data.Append(s.pix)
	return &s.im
}
