package display

import (
	"time"

	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

// Pictures of videos that do not depend on those before them, which is MJPEG, are
// compressed once for all clients that are to be sent the same: of the same moment,
// area and quality. Qualities come in steps, so clients with good lines have the same.

// picture is the newest compressed picture of a stream.
type picture struct {
	shown   uint32 // Stream.Shown
	area    regions.Rect
	quality uint8
	result  ecs.Handle // Scene.Encoded; 0: there is none
}

func (p *picture) drop(scene *components.Scene) {
	scene.FreeEncoded(p.result)
	*p = picture{}
}

// planFrame plans a picture of where a stream is.
func (c *client) planFrame(now time.Time, s *components.Stream, a *agent) {
	if a.area.Empty() {
		return
	}
	item := components.PipeItem{
		Kind: components.ItemStreamFrame, Stream: s.ID, Primary: true, Area: a.area,
		Sized: a.area != a.dest, Stamp: c.stamp(now, a), Quality: uint8(a.rate.Quality()),
	}
	p := &c.w.pictures[s.ID]
	want := picture{s.Shown, a.area, item.Quality, p.result}
	if c.state.Video[s.ID] == nil && p.result != 0 && *p == want {
		a.waiting = false
		c.w.msg.PlanFrame(&c.state, &item, p.result)
		return
	}
	if !c.readFrame(&item) {
		return
	}
	a.waiting = false
	c.w.compressed++
	want.result = c.w.msg.PlanFrame(&c.state, &item, 0)
	if c.state.Video[s.ID] == nil && want.result != 0 {
		p.drop(c.w.Scene)
		c.w.encoder.Share(want.result)
		*p = want
	}
}

// readFrame gives a frame its pixels. It reports false if there is no room for them.
func (c *client) readFrame(item *components.PipeItem) bool {
	h, pix, ok := c.w.Scene.Pixels.Alloc()
	if !ok {
		return false
	}
	c.w.Raster.Update(0, item.Area)
	*pix = c.w.Raster.Read((*pix)[:0], 0, item.Area)
	format := c.w.Scene.Surface(0).Format
	if format == qxl.Surface16x565 {
		*pix, format = widen565(*pix), qxl.Surface32xRGB
	}
	item.Pixels, item.Format = h, uint32(format)
	return true
}
