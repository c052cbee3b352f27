package display

import (
	"time"

	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/regions"
)

// A client that does not keep up is not sent what it missed, but what there is
// to see now. What waits in its pipe is folded into the areas that it changes,
// and from then on so is all drawing; pictures of these areas are sent at the
// line's pace, each as it is when its turn comes. When none are left the client
// gets drawing commands again. A client behind costs one region for each of its
// surfaces, whatever the guest does.
//
// What a client has is exact outside these areas at all times: every drawable
// adds what it may change, and a picture takes away just what it shows.

// lagAfter is how long an item may wait in a pipe before the client counts as
// being behind.
const lagAfter = 250 * time.Millisecond

// stallTimeout is how long a client may take nothing before it is dropped.
const stallTimeout = 30 * time.Second

// Bounds of what is sent in one go to a client behind, in bytes of pixels. They
// aim at a tenth of a second of the line, at a guess of how pixels compress.
const (
	leastPiece  = 64 << 10
	pieceFactor = 0.4 // seconds of the line's bytes
	mostPieces  = 64
)

// behind is where a client does not have the newest pixels, by surface.
type behind map[uint32]*regions.Region

func (b behind) add(surface uint32, area regions.Rect) {
	r := b[surface]
	if r == nil {
		r = new(regions.Region)
		b[surface] = r
	}
	r.UnionRect(area)
}

// watch looks after a client that takes too little. It returns after what time
// it wants to look again.
func (c *client) watch(now time.Time) time.Duration {
	queued, waiting := c.w.pipes.Oldest(c.slot)
	if c.conn.Blocked() {
		if now.Sub(c.conn.LastProgress()) >= stallTimeout {
			c.conn.Close(errStalled)
			return ecs.Idle
		}
	}
	if !waiting {
		return ecs.Idle
	}
	if wait := lagAfter - now.Sub(queued); wait > 0 {
		return wait
	}
	c.fall(nil)
	return stallTimeout
}

// fall folds everything that waits for the client, and an item that was just
// taken from its pipe, into the areas where it is behind.
func (c *client) fall(popped *components.PipeItem) {
	if c.behind == nil {
		c.behind = behind{}
	}
	if popped != nil {
		c.missed(popped)
		c.w.pipes.Release(popped)
	}
	c.w.pipes.TakeDraws(c.slot, c.missed)
}

// missed notes what an item would have changed. It may have been meant for an
// earlier surface with the same id, of another size.
func (c *client) missed(item *components.PipeItem) {
	area := item.Area
	if item.Kind == components.ItemDraw {
		area = c.w.scene.Drawables.Get(item.Drawable).BBox
	}
	if s := c.w.scene.Surface(item.Surface); s != nil && c.announced.has(item.Surface) {
		c.behind.add(item.Surface, area.Intersect(regions.Rect{Right: s.Width, Bottom: s.Height}))
	}
}

// draw gives a drawable to the client, one way or the other.
func (c *client) draw(e ecs.Entity) {
	if len(c.behind) == 0 {
		c.w.pipes.AppendDraw(c.slot, e)
		return
	}
	if d := c.w.scene.Drawables.Get(e); c.announced.has(d.Surface) {
		c.behind.add(d.Surface, d.BBox)
	}
}

// piece is how many bytes of pixels a client behind is sent in one go.
func (c *client) piece() int64 {
	return min(max(int64(pieceFactor*c.conn.Throughput()), leastPiece), planBytes)
}

// catchUp queues pictures of some of the areas where the client is behind, of
// about budget bytes.
func (c *client) catchUp(budget int64) {
	for n := 0; n < mostPieces && budget > 0; n++ {
		id, area, ok := c.nextArea(budget)
		if !ok {
			return
		}
		budget -= c.bytesOf(id, area)
		c.w.raster.Update(id, area)
		c.queueArea(id, area)
		if r := c.behind[id]; r != nil {
			if r.SubtractRect(area); r.Empty() {
				delete(c.behind, id)
			}
		}
	}
}

// nextArea picks what is sent next: of the surface with the lowest id, which is
// the screen if that is behind, the smallest rectangle first, since small
// changes are what a user waits for. A large one is cut to the budget.
func (c *client) nextArea(budget int64) (id uint32, area regions.Rect, ok bool) {
	for s, r := range c.behind {
		if (!ok || s < id) && c.w.scene.Surface(s) != nil && !r.Empty() {
			id, ok = s, true
		}
	}
	if !ok {
		clear(c.behind)
		return 0, area, false
	}
	for r := range c.behind[id].Rects {
		if area.Empty() || r.Area() < area.Area() {
			area = r
		}
	}
	if bytes := c.bytesOf(id, area); bytes > budget {
		rows := max(1, int32(int64(area.Height())*budget/bytes))
		area.Bottom = area.Top + rows
	}
	return id, area, true
}

func (c *client) bytesOf(id uint32, area regions.Rect) int64 {
	depth := int64(c.w.scene.Surface(id).Format.Depth())
	return max(1, area.Area()*depth/8)
}
