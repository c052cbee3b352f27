package picture

import (
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

// Heat counts, for each pixel of the primary surface, how often the guest drew
// it and how often it was sent to the client: once for every drawable that may
// change it, for every message that does. It begins anew with each primary
// surface, and outlives it.
type Heat struct {
	Title         string // what was played
	Commands      uint64 // played so far
	Client        uint64 // commands after which the client takes what waits for it; 0: no client
	Width, Height int    // 0 if there never was a primary surface
	drawn, sent   layer
	area          regions.Region // scratch
	rects         []regions.Rect // scratch
}

// begin starts counting on a new surface.
func (h *Heat) begin(width, height int) {
	h.Width, h.Height = width, height
	h.drawn.begin(width, height)
	h.sent.begin(width, height)
}

// Drawn is how often each pixel was drawn, line by line.
func (h *Heat) Drawn() []uint32 { return h.drawn.counts() }

// Sent is how often each pixel was sent, line by line.
func (h *Heat) Sent() []uint32 { return h.sent.counts() }

// HeatCounts sums one of the two counts up. Most is that of a single pixel.
type HeatCounts struct {
	Count
	Most uint32 `json:"most"`
}

// Counts sums both up.
func (h *Heat) Counts() (drawn, sent HeatCounts) { return h.drawn.sum(), h.sent.sum() }

// count adds the pixels that a command may change to a layer, if it is for the
// primary surface, and returns their number.
func (h *Heat) count(cmd *qxl.Drawable, l *layer) uint64 {
	h.area.SetRect(cmd.BBox)
	if cmd.Clip.Type == qxl.ClipRects {
		h.rects = h.rects[:0]
		for _, r := range cmd.Clip.Rects {
			if r = r.Intersect(cmd.BBox); !r.Empty() {
				h.rects = append(h.rects, r)
			}
		}
		h.area.SetRects(h.rects)
	}
	if cmd.Surface == 0 {
		l.drawables++
		for r := range h.area.Rects {
			l.add(r)
		}
	}
	return uint64(h.area.Area())
}

// layer is a count for each pixel, as what it adds to its left neighbour's: a
// rectangle costs its height and not its area. Lines have one entry more than
// pixels.
type layer struct {
	width, height int
	drawables     uint64
	steps         []int32
}

func (l *layer) begin(width, height int) {
	l.width, l.height, l.drawables = width, height, 0
	l.steps = make([]int32, (width+1)*height)
}

// add counts a rectangle; what lies outside is left out.
func (l *layer) add(r regions.Rect) {
	r = r.Intersect(regions.Rect{Right: int32(l.width), Bottom: int32(l.height)})
	if r.Empty() {
		return
	}
	for y := r.Top; y < r.Bottom; y++ {
		line := l.steps[int(y)*(l.width+1):]
		line[r.Left]++
		line[r.Right]--
	}
}

// counts adds the steps up.
func (l *layer) counts() []uint32 {
	all := make([]uint32, 0, l.width*l.height)
	for y := range l.height {
		n := int32(0)
		for _, step := range l.steps[y*(l.width+1):][:l.width] {
			n += step
			all = append(all, uint32(n))
		}
	}
	return all
}

func (l *layer) sum() HeatCounts {
	c := HeatCounts{Count: Count{Drawables: l.drawables}}
	for _, n := range l.counts() {
		c.Pixels += uint64(n)
		c.Most = max(c.Most, n)
	}
	return c
}
