package components

import (
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/qxl"
)

// MaxPixelBuffer is the largest copy of pixels one pipe item holds.
const MaxPixelBuffer = 256 << 10

// Scene is a device's world with its stores and slabs.
type Scene struct {
	World     *ecs.World
	Drawables ecs.Store[Drawable]
	Items     ecs.Store[PipeItem]
	Surfaces  ecs.Store[Surface]

	Commands *ecs.Slab[qxl.Drawable] // decoded drawing commands
	Pixels   *ecs.Slab[[]byte]       // copies of parts of surfaces, lines top-down

	ByID    []ecs.Entity // surface entity of each id, zero where there is none
	Current ecs.List     // drawables of the device not drawn yet, oldest first
	Seq     uint64       // of the newest drawable
	Images  uint32       // of the engine's own images, for their ids
	Held    int64        // bytes of guest memory that drawables hold
}

// NewScene returns an empty scene for surface ids below surfaces.
func NewScene(surfaces int) *Scene {
	w := ecs.NewWorld()
	return &Scene{
		World:     w,
		Drawables: ecs.NewStore[Drawable](w),
		Items:     ecs.NewStore[PipeItem](w),
		Surfaces:  ecs.NewStore[Surface](w),
		Commands:  ecs.NewSlab[qxl.Drawable]("commands"),
		Pixels:    ecs.NewSlab[[]byte]("pixels"),
		ByID:      make([]ecs.Entity, surfaces),
	}
}

// Surface returns the surface with this id, or nil.
func (s *Scene) Surface(id uint32) *Surface {
	if int64(id) >= int64(len(s.ByID)) || s.ByID[id].IsZero() {
		return nil
	}
	return s.Surfaces.Get(s.ByID[id])
}

// Command returns a drawable's decoded command.
func (s *Scene) Command(d *Drawable) *qxl.Drawable { return s.Commands.Get(d.Command) }

// imageGroup marks the ids of images that the engine makes itself.
const imageGroup = 2

// NextImageID returns an id for an image of the engine's own.
func (s *Scene) NextImageID() uint64 {
	s.Images++
	return uint64(s.Images)<<32 | imageGroup
}
