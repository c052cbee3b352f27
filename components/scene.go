package components

import (
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

// MaxPixelBuffer is the largest copy of pixels one pipe item holds.
const MaxPixelBuffer = 256 << 10

// Scene is a device's world with its stores and slabs.
type Scene struct {
	World      *ecs.World
	Drawables  ecs.Store[Drawable]
	Nodes      ecs.Store[Node]
	Containers ecs.Store[Container]
	Shadows    ecs.Store[Shadow]
	Items      ecs.Store[PipeItem]
	Surfaces   ecs.Store[Surface]
	Streams    ecs.Store[Stream]

	NewDrawable  ecs.Store2[Drawable, Node]
	NewContainer ecs.Store2[Node, Container]
	NewShadow    ecs.Store2[Node, Shadow]

	Commands *ecs.Slab[qxl.Drawable]   // decoded drawing commands
	Regions  *ecs.Slab[regions.Region] // of areas that are no rectangles
	Clips    *ecs.Slab[regions.Region] // of streams
	Encoded  *ecs.Slab[Encoded]
	Pixels   *ecs.Slab[[]byte] // copies of parts of surfaces, lines top-down

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
		World:      w,
		Drawables:  ecs.NewStore[Drawable](w),
		Nodes:      ecs.NewStore[Node](w),
		Containers: ecs.NewStore[Container](w),
		Shadows:    ecs.NewStore[Shadow](w),
		Items:      ecs.NewStore[PipeItem](w),
		Surfaces:   ecs.NewStore[Surface](w),
		Streams:    ecs.NewStore[Stream](w),

		NewDrawable:  ecs.NewStore2[Drawable, Node](w),
		NewContainer: ecs.NewStore2[Node, Container](w),
		NewShadow:    ecs.NewStore2[Node, Shadow](w),

		Commands: ecs.NewSlab[qxl.Drawable]("commands"),
		Regions:  ecs.NewSlab[regions.Region]("regions"),
		Clips:    ecs.NewSlab[regions.Region]("clips"),
		Encoded:  ecs.NewSlab[Encoded]("encoded"),
		Pixels:   ecs.NewSlab[[]byte]("pixels"),
		ByID:     make([]ecs.Entity, surfaces),
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

// keepBuffer is the largest buffer of encoded bytes that is kept for reuse.
const keepBuffer = 1 << 20

// FreeEncoded gives a chain of encoded images back, or says that one of those who
// share an image has no use for it any more.
func (s *Scene) FreeEncoded(h ecs.Handle) {
	for h != 0 {
		e := s.Encoded.Get(h)
		next := e.Next
		if e.Uses > 0 {
			e.Uses--
			h = next
			continue
		}
		if cap(e.Data) > keepBuffer {
			e.Data = nil
		}
		s.Encoded.Free(h)
		h = next
	}
}

// imageGroup marks the ids of images that the engine makes itself.
const imageGroup = 2

// NextImageID returns an id for an image of the engine's own.
func (s *Scene) NextImageID() uint64 {
	s.Images++
	return uint64(s.Images)<<32 | imageGroup
}

// nodeRegions bounds the areas that belong to one drawable: its own, two for each
// shadow, a container's, and exclusions under way.
const nodeRegions = 16

// Full reports that no further drawable is sure to find room in the slabs.
func (s *Scene) Full() bool {
	return s.Commands.Len() >= ecs.MaxSlots/4 || s.Regions.Len() >= ecs.MaxSlots-nodeRegions
}
