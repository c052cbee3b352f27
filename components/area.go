package components

import (
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/regions"
)

// Area is a set of pixels of a node, empty when zero. Most are one rectangle, which
// needs no more than the Area itself; any other has a region in Scene.Regions, which
// the Area owns: it must be freed, and a copy must not be used after a change.
type Area struct {
	extents regions.SmallRect
	shape   ecs.Handle // zero where extents says it all
}

// RectArea is the Area of a rectangle on the plane.
func RectArea(rc regions.Rect) Area { return Area{extents: rc.Small()} }

// Extents is the smallest rectangle around all pixels.
func (a Area) Extents() regions.Rect { return a.extents.Rect() }

// Empty reports whether there are no pixels.
func (a Area) Empty() bool { return a.extents == regions.SmallRect{} }

// IsRect reports whether a is exactly its extents.
func (a Area) IsRect() bool { return a.shape == 0 }

// Region is what a stands for: its own region, or scratch, which is made so. What is
// done to it counts after SetArea only.
func (s *Scene) Region(a Area, scratch *regions.Region) *regions.Region {
	if a.shape != 0 {
		return s.Regions.Get(a.shape)
	}
	scratch.SetRect(a.Extents())
	return scratch
}

// SetArea makes a the set r, which may be its own region, and then must not be used
// any more.
func (s *Scene) SetArea(a *Area, r *regions.Region) {
	a.extents = r.Extents().Small()
	if r.Empty() || r.IsRect() {
		s.freeShape(a)
		return
	}
	if a.shape == 0 {
		a.shape, _, _ = s.Regions.Alloc()
	}
	s.Regions.Get(a.shape).Copy(r)
}

// FreeArea makes a empty.
func (s *Scene) FreeArea(a *Area) {
	a.extents = regions.SmallRect{}
	s.freeShape(a)
}

func (s *Scene) freeShape(a *Area) {
	if a.shape != 0 {
		s.Regions.Free(a.shape)
		a.shape = 0
	}
}
