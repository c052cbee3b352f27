package components

import (
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

// Drawable is a drawing command that is not finished with: it has not been
// drawn on its surface, or waits in a client's pipe, or both. Every such use is
// one reference; with the last one the guest gets its command back.
type Drawable struct {
	Seq     uint64     // order of arrival at the device, from 1
	Command ecs.Handle // Scene.Commands: the decoded command
	Encoded ecs.Handle // Scene.Encoded: its compressed images, a chain
	Looks   uint32     // what its images look like, 4 bits each, see package encode
	Surface uint32     // target
	BBox    regions.Rect
	Type    qxl.DrawType
	Effect  qxl.Effect
	Current bool   // not drawn on its surface yet: linked in the lists below
	Refs    int32  // being current, and one for each pipe item and unsent message
	Cost    int32  // bytes of guest memory held
	Mark    uint32 // of the last walk over the tree that came by

	// The current drawables of the surface and of the device, oldest first.
	SurfaceLink, DeviceLink ecs.Link

	// Pipe items that hold it, one for each client at most.
	Items ecs.List
}
