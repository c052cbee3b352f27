package display

import (
	"time"

	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

// A client that does not keep up is not sent what it missed, but what there is
// to see now. What waits in its pipe is folded into the areas that it changes,
// and from then on so is all drawing; pictures of these areas are sent at the
// line's pace, each as it is when its turn comes. When none are left the client
// gets drawing commands again. A client behind costs one region for each of its
// surfaces, whatever the guest does.
//
// So what a client that takes nothing costs is bounded: what is planned and not
// sent holds planBytes of the guest's memory and the next picture of each video;
// its pipe holds what came within lagAfter, at most pipeItems and pipeBytes, and
// when a surface is shown for the first time a copy of that; and there are the
// kernel's buffer and the client's caches, which package encode bounds. On a screen
// of 1280x800 that is at most 48 MB of the server's own: 24 MB for a GLZ window of
// 4 million pixels and as many pixmaps as a client may keep, 16 MB for pixels
// copied and compressed (four screens), 8 MB for messages and the kernel. After
// Config.StallTimeout it is dropped.
//
// What a client has is exact outside these areas at all times: every drawable
// adds what it may change, and a picture takes away just what it shows.

// lagAfter is how long an item may wait in a pipe before the client counts as
// being behind.
const lagAfter = 250 * time.Millisecond

// defaultStall is how long a client may take nothing before it is dropped.
const defaultStall = 30 * time.Second

// Bounds of what is sent in one go to a client behind, and of what is sent to one
// that is not as one drawable.
const (
	leastPiece = 64 << 10 // bytes of pixels
	pieceTime  = 100 * time.Millisecond
	heavyTime  = 250 * time.Millisecond
	guess      = 4 // times smaller, pixels get
	mostPieces = 64
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
	queued, waiting := c.w.Pipes.Oldest(c.slot)
	if !waiting && len(c.behind) == 0 && !c.conn.Blocked() {
		return ecs.Idle
	}
	stalled := c.conn.Stalled(now)
	if stalled >= c.w.cfg.StallTimeout {
		c.conn.Close(errStalled)
		return ecs.Idle
	}
	next := c.w.cfg.StallTimeout - stalled
	if waiting {
		if wait := lagAfter - now.Sub(queued); wait > 0 {
			return min(next, wait)
		}
		c.fall(nil)
	}
	return next
}

// fall folds everything that waits for the client, and an item that was just
// taken from its pipe, into the areas where it is behind.
func (c *client) fall(popped *components.PipeItem) {
	if c.behind == nil {
		c.behind = behind{}
	}
	if popped != nil {
		c.missed(popped)
		c.w.Pipes.Release(popped)
	}
	c.w.Pipes.TakeDraws(c.slot, c.missed)
}

// missed notes what an item would have changed. It may have been meant for an
// earlier surface with the same id, of another size.
func (c *client) missed(item *components.PipeItem) {
	area := item.Area
	if item.Kind == components.ItemDraw {
		area = c.w.Scene.Drawables.Get(item.Drawable).BBox
	}
	if s := c.w.Scene.Surface(item.Surface); s != nil && c.announced.has(item.Surface) {
		c.miss(item.Surface, area.Intersect(regions.Rect{Right: s.Width, Bottom: s.Height}))
	}
}

// miss notes that the client does not have an area as it is now.
func (c *client) miss(surface uint32, area regions.Rect) {
	c.behind.add(surface, area)
	if surface == 0 && c.w.streams.Live() > 0 {
		if c.uncover(c.behind[0]); c.behind[0].Empty() {
			delete(c.behind, 0)
		}
	}
}

// draw gives a drawable to the client, one way or the other.
func (c *client) draw(e ecs.Entity) {
	d := c.w.Scene.Drawables.Get(e)
	if d.Surface == 0 && c.w.streams.Live() > 0 && c.drawnOver(c.w.Tree.Area(e, &c.w.seen), d.Effect == qxl.EffectOpaque) {
		return
	}
	if len(c.behind) == 0 {
		c.w.Pipes.AppendDraw(c.slot, e)
	} else if c.announced.has(d.Surface) {
		c.miss(d.Surface, d.BBox)
	}
}

// heavy tells that a drawable takes the line so long that something newer should
// have the chance to go first, at a guess of how its pixels compress.
func (c *client) heavy(d *components.Drawable) bool {
	rate := c.conn.Throughput()
	return rate > 0 && float64(d.Cost) > heavyTime.Seconds()*guess*rate
}

// piece is how many bytes of pixels a client behind is sent in one go.
func (c *client) piece() int64 {
	return min(max(int64(pieceTime.Seconds()*guess*c.conn.Throughput()), leastPiece), planBytes)
}

// catchUp queues pictures of some of the areas where the client is behind, of
// about budget bytes.
func (c *client) catchUp(budget int64) {
	for n, least := 0, budget/8; n < mostPieces && budget > least; n++ {
		id, area, ok := c.nextArea(budget)
		if !ok {
			return
		}
		budget -= c.bytesOf(id, area)
		c.w.Raster.Update(id, area)
		c.queueArea(id, area)
		if r := c.behind[id]; r != nil {
			if r.SubtractRect(area); r.Empty() {
				delete(c.behind, id)
			}
		}
	}
}

// nextArea picks what is sent next, of the surface with the lowest id, which is
// the screen if that is behind.
func (c *client) nextArea(budget int64) (id uint32, area regions.Rect, ok bool) {
	for s, r := range c.behind {
		if (!ok || s < id) && c.w.Scene.Surface(s) != nil && !r.Empty() {
			id, ok = s, true
		}
	}
	if !ok {
		clear(c.behind)
		return 0, area, false
	}
	var near regions.Rect
	if id == 0 {
		x, y := c.w.cursor.Position()
		near = regions.Rect{Left: x - pointerReach, Top: y - pointerReach, Right: x + pointerReach, Bottom: y + pointerReach}
	}
	pixels := 8 * budget / int64(c.w.Scene.Surface(id).Format.Depth())
	return id, c.order.next(c.behind[id], near, max(1, pixels)), true
}

func (c *client) bytesOf(id uint32, area regions.Rect) int64 {
	depth := int64(c.w.Scene.Surface(id).Format.Depth())
	return max(1, area.Area()*depth/8)
}
