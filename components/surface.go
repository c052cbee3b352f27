package components

import (
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/qxl"
)

// Surface is an area that is drawn on: the primary (id 0), which is the
// screen, or an off-screen one.
type Surface struct {
	ID            uint32
	Format        qxl.SurfaceFormat
	Width, Height int32
	Create        qxl.Resource // of the create command; zero for the primary
	Current       ecs.List     // drawables not drawn yet, oldest first
}
