package components

import (
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/regions"
)

// NodeKind says what a node of a render tree is.
type NodeKind uint8

// Kinds of nodes.
const (
	NodeDrawable NodeKind = iota + 1
	NodeContainer
	NodeShadow
)

// Node is a place in a surface's render tree. Drawables, containers and shadows
// have one. It fills a cache line, and is all that most steps of a walk look at.
type Node struct {
	Kind    NodeKind
	InTree  bool
	Opaque  bool // a drawable that hides what is below it
	Surface uint32
	Order   uint32            // z-order on the device: newer is larger
	Area    Area              // see below
	Listed  regions.SmallRect // where the tile index has it: at least the extents of Area

	Container ecs.Entity // that holds it, zero at the root
	Sibling   ecs.Link   // among what that holds
	Shadow    ecs.Entity // the newest of the areas that a drawable takes pixels from

	// Area of a drawable: its pixels that nothing newer is known to hide. Of a
	// container: where its contents lie. Of a shadow: pixels that its owner
	// reads, which must stay until it has been executed.
}

// Container holds a drawable that hides what is below it, its root, and
// everything that was drawn inside that.
type Container struct {
	Children ecs.List
}

// Shadow is an area that a drawable reads: the source of a copy on its own
// surface, or a part of another one. What is drawn over it later must not take
// away what lies below before the owner has been executed: this part is on hold.
type Shadow struct {
	Owner  ecs.Entity
	Next   ecs.Entity // the owner's next older one
	OnHold Area       // part of Area that newer drawing hides
	// Follows says that each pixel of the owner needs just the pixel of Area at
	// (DX,DY) from it, so that Area shrinks with the owner's.
	Follows bool
	DX, DY  int32
}
