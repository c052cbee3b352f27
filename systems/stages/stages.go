package stages

import (
	"fmt"
	"log/slog"

	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/systems/ingest"
	"github.com/spiceecs/spiceecs/systems/pipe"
	"github.com/spiceecs/spiceecs/systems/raster"
	"github.com/spiceecs/spiceecs/systems/release"
	"github.com/spiceecs/spiceecs/systems/tree"
)

// Device is what the stages work for.
type Device interface {
	ingest.Sink
	// Need is called before a command is drawn, for each surface that it draws on
	// or reads; the surface need not exist. Clients that lack it get it now, as it
	// is without the command.
	Need(surface uint32)
	// Queue puts a drawable into the clients' pipes.
	Queue(e ecs.Entity)
	// QueueReverting takes drawable with out of the pipes in which it waits, and
	// puts e, which undoes it, into all others.
	QueueReverting(e, with ecs.Entity)
	// SurfaceCreated is called when there is a new, blank surface.
	SurfaceCreated(id uint32)
	// SurfaceDestroyed is called when a surface has gone, but not yet its memory.
	SurfaceDestroyed(id uint32)
}

// Stages are a device's.
type Stages struct {
	Scene   *components.Scene
	Release *release.Releaser
	Pipes   *pipe.Pipes
	Tree    *tree.Tree
	Raster  *raster.Raster
	Ingest  *ingest.Ingest

	device Device
	ring   qxl.Ring
	log    *slog.Logger
}

// New returns the stages of a device d with a ring, guest memory, and surface ids
// below surfaces.
func New(d Device, ring qxl.Ring, mem *qxl.Memory, surfaces int, log *slog.Logger) *Stages {
	s := &Stages{Scene: components.NewScene(surfaces), device: d, ring: ring, log: log}
	s.Release = release.New(s.Scene, ring.Release)
	s.Pipes = pipe.New(s.Scene, s.Release)
	s.Tree = tree.New(s.Scene, s)
	s.Release.Ending = s.Tree.Forget
	s.Raster = raster.New(s.Scene, s.Release, s.Tree)
	s.Ingest = ingest.New(s.Scene, ring, mem, s.Release, d, log)
	return s
}

// maxShadows is how many shadows there may be before the oldest drawables are
// executed. What is read is kept although it is hidden, and a long chain of copies
// within a window cuts its shadows to shreds, which soon costs each newcomer more
// than to execute it (BenchmarkCopiesWithin).
const maxShadows = 64

// Draw takes a drawable from the ring.
func (s *Stages) Draw(e ecs.Entity) {
	cmd := s.Scene.Command(s.Scene.Drawables.Get(e))
	if cmd.SelfBitmap {
		s.selfBitmap(cmd)
	}
	s.need(cmd)
	if s.Tree.Exhausted() {
		s.Raster.FlushAll()
		s.Tree.Restart()
	}
	switch res, with := s.Tree.Add(e); res {
	case tree.Ignored:
	case tree.Reverted:
		s.revert(e, with)
	default:
		s.Raster.Add(e)
		s.device.Queue(e)
		for s.Tree.Shadows() > maxShadows && s.Raster.RenderOldest() {
		}
	}
}

// revert deals with a drawable e that undoes an older one, with, which is current:
// the canvas and clients for which that still waits need neither, all others need e.
func (s *Stages) revert(e, with ecs.Entity) {
	s.Release.Ref(with)
	s.device.QueueReverting(e, with)
	s.Raster.Drop(with)
	s.Release.Unref(with)
}

// Hidden takes a drawable that cannot be seen any more from the canvas's list
// and from all pipes.
func (s *Stages) Hidden(e ecs.Entity) {
	s.Release.Ref(e)
	s.Pipes.RemoveDraw(e)
	if s.Scene.Drawables.Get(e).Current {
		s.Raster.Drop(e)
	}
	s.Release.Unref(e)
}

// need names the surfaces that a command needs.
func (s *Stages) need(cmd *qxl.Drawable) {
	for _, dep := range cmd.Deps {
		if dep >= 0 {
			s.device.Need(uint32(dep))
		}
	}
	for i := range cmd.Images {
		if im := &cmd.Images[i]; im.Type == qxl.ImageSurface {
			s.device.Need(im.Surface)
		}
	}
	s.device.Need(cmd.Surface)
}

// Update takes an update command from the ring.
func (s *Stages) Update(u *qxl.UpdateCommand) {
	if s.Scene.Surface(u.Surface) == nil {
		s.log.Debug("update of a surface that does not exist", "surface", u.Surface)
	} else {
		s.Raster.Update(u.Surface, u.Area)
	}
	// A guest that waits for an answer gets one in any case.
	s.ring.NotifyUpdate(u.UpdateID)
}

// Surface takes a surface command from the ring. A create command's resource
// is the surface's memory and is kept until the surface is destroyed.
func (s *Stages) Surface(c *qxl.SurfaceCommand) (kept bool, err error) {
	if c.Action == qxl.SurfaceDestroy {
		if c.Surface == 0 || s.Scene.Surface(c.Surface) == nil {
			return false, fmt.Errorf("%w: destroying %d", ingest.ErrSurface, c.Surface)
		}
		s.DestroySurface(c.Surface)
		return false, nil
	}
	if c.Surface == 0 {
		return false, fmt.Errorf("%w: creating the primary by command", ingest.ErrSurface)
	}
	surface := components.Surface{
		ID: c.Surface, Format: c.Format, Width: int32(c.Width), Height: int32(c.Height), Create: c.Resource,
	}
	if err := s.CreateSurface(surface, c.Stride, c.Memory, c.Flags); err != nil {
		return false, fmt.Errorf("%w: %w", ingest.ErrSurface, err)
	}
	if c.Flags&qxl.SurfaceKeepData == 0 {
		s.device.SurfaceCreated(c.Surface)
	}
	return true, nil
}

// CreateSurface makes a surface in guest memory, blank unless flags say that the
// memory's content stays. No client is told.
func (s *Stages) CreateSurface(surface components.Surface, stride int32, memory []byte, flags uint32) error {
	if err := s.Raster.CreateSurface(surface, stride, memory); err != nil {
		return err
	}
	s.Tree.CreateSurface(surface.ID, surface.Width, surface.Height)
	if flags&qxl.SurfaceKeepData == 0 {
		clear(memory)
	}
	return nil
}

// DestroySurface ends a surface, if there is one: what is still to be drawn on
// it will not be, and what reads it is drawn first.
func (s *Stages) DestroySurface(id uint32) {
	if s.Scene.Surface(id) == nil {
		return
	}
	s.Raster.FlushReaders(id)
	s.Raster.DropSurface(id)
	s.Tree.DestroySurface(id)
	create := s.Scene.Surface(id).Create
	s.Raster.DestroySurface(id)
	s.device.SurfaceDestroyed(id)
	s.Release.Resource(create)
}

// DestroyAll ends all surfaces.
func (s *Stages) DestroyAll() {
	// The primary goes last: what others read from it is drawn first.
	for id := len(s.Scene.ByID) - 1; id >= 0; id-- {
		s.DestroySurface(uint32(id))
	}
}

// Over reports whether drawables hold more of the guest's memory than held
// bytes, or all of the slab.
func (s *Stages) Over(held int64) bool { return s.Scene.Held > held || s.Scene.Full() }

// Bound executes the oldest drawables while they hold too much.
func (s *Stages) Bound(held int64) {
	for s.Over(held) && s.Raster.RenderOldest() {
	}
}

// selfBitmap gives a command the copy of its target's pixels that it asked for,
// as the source image where it has none.
func (s *Stages) selfBitmap(cmd *qxl.Drawable) {
	format := qxl.Bitmap32Bit
	switch s.Scene.Surface(cmd.Surface).Format {
	case qxl.Surface16x555:
		format = qxl.Bitmap16Bit
	case qxl.Surface32ARGB:
		format = qxl.BitmapRGBA
	case qxl.Surface8A:
		format = qxl.Bitmap8BitA
	case qxl.Surface1A, qxl.Surface16x565:
		return // the protocol has no image that carries these
	}
	if cmd.Src != qxl.NoImage {
		return
	}
	s.Raster.FlushSurface(cmd.Surface)
	area := cmd.SelfBitmapArea
	pix := s.Raster.Read(nil, cmd.Surface, area)
	im, i := cmd.NewImage()
	im.ID = s.Scene.NextImageID()
	im.Width, im.Height = uint32(area.Width()), uint32(area.Height())
	im.X, im.Y, im.Stride = im.Width, im.Height, uint32(len(pix))/im.Height
	im.Format, im.BitFlags = format, qxl.BitmapTopDown
	im.Data.Append(pix)
	cmd.Src = i
}

var _ tree.Consumers = (*Stages)(nil)
