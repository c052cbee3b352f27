// Package raster draws: it owns the canvases of a device's surfaces and decides
// when a drawable is executed on them.
//
//	drawable -> Add: current, linked in its surface's and the device's list
//	         -> Flush…, RenderOldest: executed oldest first, no longer current
//	         -> Drop: no longer current without having been executed
//
// Drawing is put off as long as nobody looks: most of what is drawn will be
// drawn over. Whatever is executed is executed after everything older on all
// surfaces, so that a drawable which reads another surface finds it as it was
// when the guest issued it. Canvases are the guest's surface memory itself.
package raster

import (
	"errors"
	"fmt"

	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/canvas"
	"github.com/spiceecs/spiceecs/regions"
	"github.com/spiceecs/spiceecs/systems/release"
)

// ErrNoSurface reports a surface that does not exist.
var ErrNoSurface = errors.New("no such surface")

// Raster is the render state of a device. It belongs to the device worker.
type Raster struct {
	scene     *components.Scene
	rel       *release.Releaser
	onSurface ecs.Links[components.Drawable]
	onDevice  ecs.Links[components.Drawable]
	canvases  []*canvas.Canvas
	sources   sources

	Drawn  uint64      // drawables executed
	Failed func(error) // told of drawables that could not be executed
}

// New returns a raster for the scene's surfaces.
func New(scene *components.Scene, rel *release.Releaser) *Raster {
	r := &Raster{
		scene:     scene,
		rel:       rel,
		onSurface: ecs.NewLinks(&scene.Drawables, func(d *components.Drawable) *ecs.Link { return &d.SurfaceLink }),
		onDevice:  ecs.NewLinks(&scene.Drawables, func(d *components.Drawable) *ecs.Link { return &d.DeviceLink }),
		canvases:  make([]*canvas.Canvas, len(scene.ByID)),
		Failed:    func(error) {},
	}
	r.sources.r = r
	return r
}

// CreateSurface makes mem the pixels of a new surface.
func (r *Raster) CreateSurface(s components.Surface, stride int32, mem []byte) error {
	if int64(s.ID) >= int64(len(r.canvases)) || r.canvases[s.ID] != nil {
		return fmt.Errorf("creating surface %d: id taken or out of range", s.ID)
	}
	c, err := canvas.Wrap(s.Format, int(s.Width), int(s.Height), int(stride), mem)
	if err != nil {
		return fmt.Errorf("creating surface %d: %w", s.ID, err)
	}
	r.canvases[s.ID] = c
	e, comp := r.scene.Surfaces.New()
	*comp = s
	r.scene.ByID[s.ID] = e
	return nil
}

// DestroySurface forgets a surface. It must have no current drawables, and
// none may read it.
func (r *Raster) DestroySurface(id uint32) {
	r.scene.World.Remove(r.scene.ByID[id])
	r.scene.ByID[id] = ecs.Entity{}
	r.canvases[id] = nil
}

// Canvas is the pixels of a surface as far as they have been drawn, or nil.
func (r *Raster) Canvas(id uint32) *canvas.Canvas {
	if int64(id) >= int64(len(r.canvases)) {
		return nil
	}
	return r.canvases[id]
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

// RenderOldest executes the device's oldest current drawable and reports
// whether there was one.
func (r *Raster) RenderOldest() bool {
	e := r.scene.Current.First
	if e.IsZero() {
		return false
	}
	d := r.scene.Drawables.Get(e)
	r.sources.err = nil
	if err := r.canvases[d.Surface].Draw(r.scene.Command(d), &r.sources); err != nil {
		r.Failed(fmt.Errorf("drawing on surface %d: %w", d.Surface, err))
	}
	r.Drawn++
	r.Drop(e)
	return true
}

// FlushAll executes everything.
func (r *Raster) FlushAll() {
	for r.RenderOldest() {
	}
}

// FlushSurface executes everything drawn on a surface.
func (r *Raster) FlushSurface(id uint32) {
	if s := r.scene.Surface(id); s != nil && !s.Current.Last.IsZero() {
		r.flushUntil(s.Current.Last)
	}
}

// flushUntil executes everything up to and including e.
func (r *Raster) flushUntil(e ecs.Entity) {
	for last := r.scene.Drawables.Get(e).Seq; ; {
		first := r.scene.Current.First
		if first.IsZero() || r.scene.Drawables.Get(first).Seq > last {
			return
		}
		r.RenderOldest()
	}
}

// DropSurface drops all current drawables of a surface, calling before with
// each of them first. Those on other surfaces that read this one are executed.
func (r *Raster) DropSurface(id uint32, before func(ecs.Entity)) {
	r.flushReaders(id)
	s := r.scene.Surface(id)
	for s != nil && s.Current.Len > 0 {
		e := s.Current.First
		before(e)
		r.Drop(e)
		s = r.scene.Surface(id)
	}
}

// flushReaders executes what reads a surface.
func (r *Raster) flushReaders(id uint32) {
	last := ecs.Entity{}
	for e := r.scene.Current.First; !e.IsZero(); e = r.onDevice.Next(e) {
		d := r.scene.Drawables.Get(e)
		if d.Surface != id && Reads(r.scene.Command(d), id) {
			last = e
		}
	}
	if !last.IsZero() {
		r.flushUntil(last)
	}
}

// Reads reports whether a command takes pixels from a surface.
func Reads(cmd *qxl.Drawable, id uint32) bool {
	for _, dep := range cmd.Deps {
		if dep >= 0 && uint32(dep) == id {
			return true
		}
	}
	for i := range cmd.Images {
		if cmd.Images[i].Type == qxl.ImageSurface && cmd.Images[i].Surface == id {
			return true
		}
	}
	return false
}

// Read appends part of a surface to dst, as far as it has been drawn.
func (r *Raster) Read(dst []byte, id uint32, area regions.Rect) []byte {
	return r.canvases[id].ReadRect(dst, area)
}

// sources gives the canvas what drawables refer to.
type sources struct {
	r   *Raster
	err error
}

// Surface returns another surface of the device.
func (s *sources) Surface(id uint32) *canvas.Canvas { return s.r.Canvas(id) }

// ErrCodec reports an image in a format the device cannot draw.
var ErrCodec = errors.New("no decoder for the guest's image")

// Decode decodes what a guest has compressed itself.
func (s *sources) Decode(im *qxl.Image) (*canvas.Pixmap, error) {
	return nil, fmt.Errorf("%w: type %d", ErrCodec, im.Type)
}
