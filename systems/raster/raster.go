// Package raster draws: it owns the canvases of a device's surfaces and decides
// when a drawable is executed on them.
//
//	drawable -> Add: current, linked in its surface's and the device's list
//	         -> Update…, Flush…, RenderOldest: executed, no longer current
//	         -> Drop: no longer current without having been executed
//
// Drawing is put off as long as nobody looks: most of what is drawn will be
// drawn over. A drawable is executed only where the render tree says that it
// can still be seen, and only after those older ones whose pixels it needs, so
// that an update of a small area executes little. Canvases are the guest's
// surface memory itself.
package raster

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/qxl/canvas"
	"github.com/spiceecs/spiceecs/regions"
	"github.com/spiceecs/spiceecs/systems/release"
	"github.com/spiceecs/spiceecs/systems/tree"
)

// ErrNoSurface reports a surface that does not exist.
var ErrNoSurface = errors.New("no such surface")

// Raster is the render state of a device. It belongs to the device worker.
type Raster struct {
	scene     *components.Scene
	rel       *release.Releaser
	tree      *tree.Tree
	onSurface ecs.Links[components.Drawable]
	onDevice  ecs.Links[components.Drawable]
	surfaces  []*surface
	sources   sources

	mark  uint32 // of the last walk
	stack []ecs.Entity
	set   []pending
	area  regions.Region // scratch
	seen  regions.Region // scratch

	Drawn  uint64      // drawables executed
	Failed func(error) // told of drawables that could not be executed
}

// surface is what the raster knows of a surface.
type surface struct {
	canvas *canvas.Canvas
	dirty  regions.Region // drawn on since the guest last asked
}

// pending is a drawable that is going to be executed.
type pending struct {
	e   ecs.Entity
	seq uint64
}

// New returns a raster for the scene's surfaces.
func New(scene *components.Scene, rel *release.Releaser, t *tree.Tree) *Raster {
	r := &Raster{
		scene:     scene,
		rel:       rel,
		tree:      t,
		onSurface: ecs.NewLinks(&scene.Drawables, func(d *components.Drawable) *ecs.Link { return &d.SurfaceLink }),
		onDevice:  ecs.NewLinks(&scene.Drawables, func(d *components.Drawable) *ecs.Link { return &d.DeviceLink }),
		surfaces:  make([]*surface, len(scene.ByID)),
		Failed:    func(error) {},
	}
	r.sources.r = r
	return r
}

// CreateSurface makes mem the pixels of a new surface.
func (r *Raster) CreateSurface(s components.Surface, stride int32, mem []byte) error {
	if int64(s.ID) >= int64(len(r.surfaces)) || r.surfaces[s.ID] != nil {
		return fmt.Errorf("creating surface %d: id taken or out of range", s.ID)
	}
	c, err := canvas.Wrap(s.Format, int(s.Width), int(s.Height), int(stride), mem)
	if err != nil {
		return fmt.Errorf("creating surface %d: %w", s.ID, err)
	}
	r.surfaces[s.ID] = &surface{canvas: c}
	e, comp := r.scene.Surfaces.New()
	*comp = s
	r.scene.ByID[s.ID] = e
	return nil
}

// DestroySurface forgets a surface. Nothing on it may be current.
func (r *Raster) DestroySurface(id uint32) {
	r.scene.World.Remove(r.scene.ByID[id])
	r.scene.ByID[id] = ecs.Entity{}
	r.surfaces[id] = nil
}

// Canvas is the pixels of a surface as far as they have been drawn, or nil.
func (r *Raster) Canvas(id uint32) *canvas.Canvas {
	if int64(id) >= int64(len(r.surfaces)) || r.surfaces[id] == nil {
		return nil
	}
	return r.surfaces[id].canvas
}

// Add makes a drawable current; this is one reference.
func (r *Raster) Add(e ecs.Entity) {
	d := r.scene.Drawables.Get(e)
	d.Refs++
	d.Current = true
	r.onSurface.PushBack(&r.scene.Surface(d.Surface).Current, e)
	r.onDevice.PushBack(&r.scene.Current, e)
}

// Drop ends a drawable's being current.
func (r *Raster) Drop(e ecs.Entity) {
	d := r.scene.Drawables.Get(e)
	d.Current = false
	r.onSurface.Remove(&r.scene.Surface(d.Surface).Current, e)
	r.onDevice.Remove(&r.scene.Current, e)
	r.rel.Unref(e)
}

// DropSurface drops all current drawables of a surface.
func (r *Raster) DropSurface(id uint32) {
	for s := r.scene.Surface(id); s.Current.Len > 0; {
		r.Drop(s.Current.First)
	}
}

// RenderOldest executes the device's oldest current drawable and reports
// whether there was one. It needs nothing else: whatever is older is done.
func (r *Raster) RenderOldest() bool {
	e := r.scene.Current.First
	if e.IsZero() {
		return false
	}
	r.execute(e)
	return true
}

// FlushAll executes everything.
func (r *Raster) FlushAll() {
	for r.RenderOldest() {
	}
}

// FlushSurface executes everything drawn on a surface.
func (r *Raster) FlushSurface(id uint32) {
	s := r.scene.Surface(id)
	if s == nil || s.Current.Len == 0 {
		return
	}
	r.stack = r.stack[:0]
	for e := s.Current.First; !e.IsZero(); e = r.onSurface.Next(e) {
		r.stack = append(r.stack, e)
	}
	r.executeStack()
}

// Update executes what can be seen in an area of a surface.
func (r *Raster) Update(id uint32, area regions.Rect) {
	r.area.SetRect(area)
	r.stack = r.tree.OnArea(id, &r.area, r.stack[:0])
	r.executeStack()
}

// FlushReaders executes everything that reads a surface.
func (r *Raster) FlushReaders(id uint32) {
	r.stack = r.tree.Readers(id, r.stack[:0])
	r.executeStack()
}

// mostFound is how many drawables, for each current one, may be found to be needed
// by others, before looking further is dearer than executing all. Drawables that
// need all older ones would make it grow with the square of their number.
const mostFound = 16

// executeStack executes the drawables on the stack and all that has to be
// executed before them, oldest first.
func (r *Raster) executeStack() {
	r.mark++
	r.set = r.set[:0]
	limit := (int(r.scene.Current.Len) + 1) * mostFound
	for len(r.stack) > 0 {
		e := r.stack[len(r.stack)-1]
		r.stack = r.stack[:len(r.stack)-1]
		d := r.scene.Drawables.Get(e)
		if !d.Current || d.Mark == r.mark {
			continue
		}
		d.Mark = r.mark
		r.set = append(r.set, pending{e, d.Seq})
		had := len(r.stack)
		r.stack = r.tree.Before(e, r.stack)
		if limit -= len(r.stack) - had; limit < 0 {
			r.FlushAll()
			return
		}
	}
	slices.SortFunc(r.set, func(a, b pending) int { return cmp.Compare(a.seq, b.seq) })
	for _, p := range r.set {
		r.execute(p.e)
	}
}

// execute draws one drawable where it can be seen.
func (r *Raster) execute(e ecs.Entity) {
	d := r.scene.Drawables.Get(e)
	s, area := r.surfaces[d.Surface], r.tree.Area(e, &r.seen)
	if err := s.canvas.DrawRegion(r.scene.Command(d), &r.sources, area); err != nil {
		r.Failed(fmt.Errorf("drawing on surface %d: %w", d.Surface, err))
	}
	if area != nil {
		s.dirty.Union(area)
	}
	r.Drawn++
	r.Drop(e)
}

// TakeDirty appends the rectangles that were drawn on since the last TakeDirty
// with clear, or since the surface was created.
func (r *Raster) TakeDirty(id uint32, clear bool, dst []regions.Rect) []regions.Rect {
	dirty := &r.surfaces[id].dirty
	dst = dirty.AppendRects(dst)
	if clear {
		dirty.Clear()
	}
	return dst
}

// Read appends part of a surface to dst, as far as it has been drawn.
func (r *Raster) Read(dst []byte, id uint32, area regions.Rect) []byte {
	return r.surfaces[id].canvas.ReadRect(dst, area)
}
