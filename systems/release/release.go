// Package release is the end of a drawable's way: every stage that needs it
// holds a reference, and with the last one the guest's command goes back
// through the ring and the slab slot is recycled.
//
//	tree, pipes, batches being sent -> Unref -> Ring.Release, slab, world
package release

import (
	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/qxl"
)

// Releaser counts references to drawables. It belongs to the device worker.
type Releaser struct {
	scene *components.Scene
	give  func(qxl.Resource)

	// Ending, if set, is told of a drawable that nobody needs any more, just
	// before it is gone.
	Ending   func(ecs.Entity)
	Released uint64 // resources given back so far
}

// New returns a releaser that hands resources to give.
func New(scene *components.Scene, give func(qxl.Resource)) *Releaser {
	return &Releaser{scene: scene, give: give}
}

// Ref adds a reference.
func (r *Releaser) Ref(e ecs.Entity) { r.scene.Drawables.Get(e).Refs++ }

// Unref drops a reference. With the last one the drawable is gone.
func (r *Releaser) Unref(e ecs.Entity) {
	d := r.scene.Drawables.Get(e)
	if d.Refs--; d.Refs > 0 {
		return
	}
	if r.Ending != nil {
		r.Ending(e)
		d = r.scene.Drawables.Get(e)
	}
	res := r.scene.Command(d).Resource
	r.scene.Held -= int64(d.Cost)
	r.scene.FreeEncoded(d.Encoded)
	r.scene.Commands.Free(d.Command)
	r.scene.World.Remove(e)
	r.Resource(res)
}

// Resource gives a command that is no drawable back.
func (r *Releaser) Resource(res qxl.Resource) {
	if res == (qxl.Resource{}) {
		return
	}
	r.Released++
	r.give(res)
}
