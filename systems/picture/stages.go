package picture

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/replay"
	"github.com/spiceecs/spiceecs/regions"
	"github.com/spiceecs/spiceecs/systems/ingest"
	"github.com/spiceecs/spiceecs/systems/pipe"
	"github.com/spiceecs/spiceecs/systems/raster"
	"github.com/spiceecs/spiceecs/systems/release"
	"github.com/spiceecs/spiceecs/systems/tree"
)

// What a device has if nobody asks for anything else.
const (
	surfaces  = 1024
	heldBytes = 64 << 20 // bytes of guest memory held, before the oldest drawables are executed
	maxFlush  = 1 << 20  // commands taken at a time
)

// stages are the stages of a device, and one client that is only a pipe. They
// do their work inside of Wakeup, on the feeder's goroutine.
type stages struct {
	player *replay.Player
	mem    *qxl.Memory
	scene  *components.Scene
	rel    *release.Releaser
	pipes  *pipe.Pipes
	tree   *tree.Tree
	raster *raster.Raster
	ingest *ingest.Ingest

	client       client
	heat         *Heat
	numbers      Numbers
	firstFailure error
	stuck        func() // told when the guest's memory is full for good
}

// client is the simulated client.
type client struct {
	every     uint64 // commands after which it takes what waits; 0: there is none
	took      uint64 // times it did
	slot      int
	announced map[uint32]bool // surfaces it has, or has queued
}

func newStages(player *replay.Player, every uint64, log *slog.Logger) (*stages, error) {
	mem, err := qxl.NewMemory(qxl.MemoryConfig{Groups: 1, Slots: 8, GenBits: 8, IDBits: 8})
	if err != nil {
		return nil, err
	}
	s := &stages{player: player, mem: mem, scene: components.NewScene(surfaces), heat: new(Heat)}
	s.rel = release.New(s.scene, player.Release)
	s.pipes = pipe.New(s.scene, s.rel)
	s.tree = tree.New(s.scene, s)
	s.rel.Ending = s.tree.Forget
	s.raster = raster.New(s.scene, s.rel, s.tree)
	s.raster.Failed = s.failed
	s.ingest = ingest.New(s.scene, player, mem, s.rel, s, log)
	s.client = client{every: every, announced: map[uint32]bool{}}
	if every > 0 {
		s.client.slot = s.pipes.Open()
	}
	s.arm()
	return s, nil
}

// failed counts drawables that the canvas cannot draw, and keeps the first reason.
func (s *stages) failed(err error) {
	if s.numbers.Failed++; s.firstFailure == nil {
		s.firstFailure = err
	}
}

// arm makes the player wake the device at each command.
func (s *stages) arm() {
	s.player.RequestCommandNotification()
	s.player.RequestCursorNotification()
}

// Wakeup takes what is in the rings.
func (s *stages) Wakeup() {
	s.ingest.Flush(time.Time{}, maxFlush)
	for s.scene.Held > heldBytes && s.raster.RenderOldest() {
	}
	if c := &s.client; c.every > 0 && s.player.Stats().Commands/c.every > c.took {
		c.took = s.player.Stats().Commands / c.every
		s.take()
	}
	s.arm()
}

// take sends the client all that waits for it.
func (s *stages) take() {
	for {
		item, ok := s.pipes.Pop(s.client.slot)
		if !ok {
			return
		}
		switch item.Kind {
		case components.ItemDraw:
			s.numbers.Sent.Drawables++
			s.sent(s.scene.Command(s.scene.Drawables.Get(item.Drawable)))
			s.rel.Unref(item.Drawable)
		case components.ItemImage:
			s.numbers.Sent.Pixels += uint64(item.Area.Area())
			if item.Surface == 0 {
				s.heat.sent.add(item.Area)
			}
		}
	}
}

func (s *stages) sent(cmd *qxl.Drawable) {
	s.numbers.Sent.Pixels += s.heat.count(cmd, &s.heat.sent)
}

// AddMemSlot implements replay.Device.
func (s *stages) AddMemSlot(slot qxl.Slot) error { return s.mem.AddSlot(slot) }

// CreatePrimary implements replay.Device.
func (s *stages) CreatePrimary(p qxl.PrimarySurface) error {
	surface := components.Surface{Format: p.Format, Width: int32(p.Width), Height: int32(p.Height)}
	if err := s.raster.CreateSurface(surface, p.Stride, p.Memory); err != nil {
		return err
	}
	s.tree.CreateSurface(0, surface.Width, surface.Height)
	keep := p.Flags&qxl.SurfaceKeepData != 0
	if !keep {
		clear(p.Memory)
	}
	if s.client.every > 0 {
		s.take() // what is left for the primary surface before
	}
	s.heat.begin(int(p.Width), int(p.Height))
	s.announce(0, keep)
	return nil
}

// DestroyPrimary implements replay.Device.
func (s *stages) DestroyPrimary() error {
	s.destroySurface(0)
	return nil
}

// DestroySurfaces implements replay.Device.
func (s *stages) DestroySurfaces() error {
	// The primary goes last: what others read from it is drawn first.
	for id := len(s.scene.ByID) - 1; id >= 0; id-- {
		s.destroySurface(uint32(id))
	}
	return nil
}

// OOM executes everything, so that the guest gets memory back. What the client
// has not taken yet stays; it takes it when that is not enough.
func (s *stages) OOM() {
	before := s.rel.Released
	s.raster.FlushAll()
	if s.rel.Released == before && s.client.every > 0 {
		s.take()
	}
	if s.rel.Released == before {
		s.stuck()
	}
}

func (s *stages) destroySurface(id uint32) {
	if s.scene.Surface(id) == nil {
		return
	}
	s.raster.FlushReaders(id)
	s.raster.DropSurface(id)
	s.tree.DestroySurface(id)
	create := s.scene.Surface(id).Create
	s.raster.DestroySurface(id)
	delete(s.client.announced, id)
	s.rel.Resource(create)
}

// Surface implements ingest.Sink.
func (s *stages) Surface(c *qxl.SurfaceCommand) (kept bool, err error) {
	if c.Surface == 0 || c.Action == qxl.SurfaceDestroy && s.scene.Surface(c.Surface) == nil {
		return false, fmt.Errorf("%w: %d", ingest.ErrSurface, c.Surface)
	}
	if c.Action == qxl.SurfaceDestroy {
		s.destroySurface(c.Surface)
		return false, nil
	}
	surface := components.Surface{
		ID: c.Surface, Format: c.Format, Width: int32(c.Width), Height: int32(c.Height), Create: c.Resource,
	}
	if err := s.raster.CreateSurface(surface, c.Stride, c.Memory); err != nil {
		return false, fmt.Errorf("%w: %w", ingest.ErrSurface, err)
	}
	s.tree.CreateSurface(c.Surface, surface.Width, surface.Height)
	if c.Flags&qxl.SurfaceKeepData == 0 {
		clear(c.Memory)
		s.announce(c.Surface, false)
	}
	return true, nil
}

// announce queues a surface that the client does not have yet, with its content
// if it has any.
func (s *stages) announce(id uint32, content bool) {
	surface := s.scene.Surface(id)
	if s.client.every == 0 || s.client.announced[id] || surface == nil {
		return
	}
	s.client.announced[id] = true
	if content {
		area := regions.Rect{Right: surface.Width, Bottom: surface.Height}
		s.raster.FlushSurface(id)
		s.pipes.Append(s.client.slot, components.PipeItem{Kind: components.ItemImage, Surface: id, Area: area})
	}
}

// announceFor queues the surfaces that a command needs.
func (s *stages) announceFor(cmd *qxl.Drawable) {
	for _, dep := range cmd.Deps {
		if dep >= 0 {
			s.announce(uint32(dep), true)
		}
	}
	for i := range cmd.Images {
		if im := &cmd.Images[i]; im.Type == qxl.ImageSurface {
			s.announce(im.Surface, true)
		}
	}
	s.announce(cmd.Surface, true)
}

// Draw implements ingest.Sink.
func (s *stages) Draw(e ecs.Entity) {
	cmd := s.scene.Command(s.scene.Drawables.Get(e))
	s.numbers.Drawn.Drawables++
	s.numbers.Drawn.Pixels += s.heat.count(cmd, &s.heat.drawn)
	if cmd.SelfBitmap {
		s.selfBitmap(cmd)
	}
	s.announceFor(cmd)
	if s.tree.Exhausted() {
		s.raster.FlushAll()
		s.tree.Restart()
	}
	switch res, with := s.tree.Add(e); res {
	case tree.Ignored:
	case tree.Reverted:
		s.revert(e, with)
	default:
		s.raster.Add(e)
		s.queue(e)
		if res == tree.Barrier {
			s.raster.FlushAll()
		}
	}
}

func (s *stages) queue(e ecs.Entity) {
	if s.client.every > 0 {
		s.pipes.AppendDraw(s.client.slot, e)
	}
}

// revert deals with a drawable e that undoes an older one, with: whoever has
// not consumed that yet needs neither.
func (s *stages) revert(e, with ecs.Entity) {
	s.rel.Ref(with)
	if s.client.every > 0 && !s.pipes.RemoveFrom(s.client.slot, with) {
		s.queue(e)
	}
	if s.scene.Drawables.Get(with).Current {
		s.raster.Drop(with)
	} else {
		s.raster.Add(e)
	}
	s.rel.Unref(with)
}

// Hidden implements tree.Consumers.
func (s *stages) Hidden(e ecs.Entity) {
	s.rel.Ref(e)
	s.pipes.RemoveDraw(e)
	if s.scene.Drawables.Get(e).Current {
		s.raster.Drop(e)
	}
	s.rel.Unref(e)
}

// selfBitmap gives a command the copy of its target's pixels that it asked for.
func (s *stages) selfBitmap(cmd *qxl.Drawable) {
	format := qxl.Bitmap32Bit
	switch s.scene.Surface(cmd.Surface).Format {
	case qxl.Surface32xRGB:
	case qxl.Surface32ARGB:
		format = qxl.BitmapRGBA
	case qxl.Surface16x555:
		format = qxl.Bitmap16Bit
	case qxl.Surface8A:
		format = qxl.Bitmap8BitA
	default:
		return
	}
	if cmd.Src != qxl.NoImage {
		return
	}
	s.raster.FlushSurface(cmd.Surface)
	pix := s.raster.Read(nil, cmd.Surface, cmd.SelfBitmapArea)
	im, i := cmd.NewImage()
	im.ID = s.scene.NextImageID()
	im.Width, im.Height = uint32(cmd.SelfBitmapArea.Width()), uint32(cmd.SelfBitmapArea.Height())
	im.X, im.Y, im.Stride = im.Width, im.Height, uint32(len(pix))/im.Height
	im.Format, im.BitFlags = format, qxl.BitmapTopDown
	im.Data.Append(pix)
	cmd.Src = i
}

// Update implements ingest.Sink.
func (s *stages) Update(u *qxl.UpdateCommand) {
	if s.scene.Surface(u.Surface) != nil {
		s.raster.Update(u.Surface, u.Area)
	}
	s.player.NotifyUpdate(u.UpdateID)
}

// Cursor implements ingest.Sink. The pointer is no part of a picture.
func (*stages) Cursor(*qxl.CursorCommand) {}

// Room implements ingest.Sink.
func (*stages) Room() bool { return true }

var (
	_ ingest.Sink      = (*stages)(nil)
	_ tree.Consumers   = (*stages)(nil)
	_ replay.OOMDevice = (*stages)(nil)
)
