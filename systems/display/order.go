package display

import "github.com/spiceecs/spiceecs/regions"

// What is within pointerReach pixels of the pointer counts as smaller than it is,
// by pointerWeight.
const (
	pointerReach  = 96
	pointerWeight = 16
)

// order is the order in which a client behind is sent what it lacks. Small changes
// go first, those near the pointer before others, since they are what a user waits
// for. What is too large is sent in pieces, in turn from where the pointer is and
// from where the last piece ended, so that every part has its turn however often
// all of it changes.
type order struct {
	sweep   int32 // line where the last piece ended
	pointed bool  // the last piece was where the pointer is
}

// next returns the part of an area, which is not empty, that is sent next: at most
// so many pixels, or one line.
func (o *order) next(lacks *regions.Region, near regions.Rect, pixels int64) regions.Rect {
	var small, first, below, pointer regions.Rect
	least := int64(0)
	for r := range lacks.Rects {
		weight := r.Area()
		if weight > pixels {
			if first.Empty() {
				first = r
			}
			if below.Empty() && r.Bottom > o.sweep {
				below = r
				below.Top = max(r.Top, o.sweep)
			}
			if pointer.Empty() {
				pointer = r.Intersect(near)
			}
			continue
		}
		if r.Overlaps(near) {
			weight /= pointerWeight
		}
		if small.Empty() || weight < least {
			small, least = r, weight
		}
	}
	if !small.Empty() {
		return small
	}
	if o.pointed = !o.pointed && !pointer.Empty(); o.pointed {
		return top(pointer, pixels)
	}
	if below.Empty() {
		below = first
	}
	below = top(below, pixels)
	o.sweep = below.Bottom
	return below
}

// top is as many lines of a rectangle as have so many pixels, at least one.
func top(r regions.Rect, pixels int64) regions.Rect {
	lines := max(1, pixels/int64(r.Width()))
	r.Bottom = int32(min(int64(r.Bottom), int64(r.Top)+lines))
	return r
}
