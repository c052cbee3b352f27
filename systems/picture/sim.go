package picture

import (
	"log/slog"
	"time"

	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/replay"
	"github.com/spiceecs/spiceecs/regions"
	"github.com/spiceecs/spiceecs/systems/stages"
)

// What a device has if nobody asks for anything else.
const (
	surfaces  = 1024
	heldBytes = 64 << 20 // bytes of guest memory held, before the oldest drawables are executed
	maxFlush  = 1 << 20  // commands taken at a time
)

// sim is the stages of a device, and one client that is only a pipe. They
// do their work inside of Wakeup, on the feeder's goroutine.
type sim struct {
	*stages.Stages
	player *replay.Player
	mem    *qxl.Memory

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

func newSim(player *replay.Player, every uint64, log *slog.Logger) (*sim, error) {
	mem, err := qxl.NewMemory(qxl.MemoryConfig{Groups: 1, Slots: 8, GenBits: 8, IDBits: 8})
	if err != nil {
		return nil, err
	}
	s := &sim{player: player, mem: mem, heat: new(Heat)}
	s.Stages = stages.New(s, player, mem, surfaces, log)
	s.Raster.Failed = s.failed
	s.client = client{every: every, announced: map[uint32]bool{}}
	if every > 0 {
		s.client.slot = s.Pipes.Open()
	}
	s.arm()
	return s, nil
}

// failed counts drawables that the canvas cannot draw, and keeps the first reason.
func (s *sim) failed(err error) {
	if s.numbers.Failed++; s.firstFailure == nil {
		s.firstFailure = err
	}
}

// arm makes the player wake the device at each command.
func (s *sim) arm() {
	s.player.RequestCommandNotification()
	s.player.RequestCursorNotification()
}

// Wakeup takes what is in the rings.
func (s *sim) Wakeup() {
	s.Ingest.Flush(time.Time{}, maxFlush)
	s.Bound(heldBytes)
	if c := &s.client; c.every > 0 && s.player.Stats().Commands/c.every > c.took {
		c.took = s.player.Stats().Commands / c.every
		s.take()
	}
	s.arm()
}

// take sends the client all that waits for it.
func (s *sim) take() {
	for {
		item, ok := s.Pipes.Pop(s.client.slot)
		if !ok {
			return
		}
		switch item.Kind {
		case components.ItemDraw:
			s.numbers.Sent.Drawables++
			s.sent(s.Scene.Command(s.Scene.Drawables.Get(item.Drawable)))
			s.Release.Unref(item.Drawable)
		case components.ItemImage:
			s.numbers.Sent.Pixels += uint64(item.Area.Area())
			if item.Surface == 0 {
				s.heat.sent.add(item.Area)
			}
		}
	}
}

func (s *sim) sent(cmd *qxl.Drawable) {
	s.numbers.Sent.Pixels += s.heat.count(cmd, &s.heat.sent)
}

// AddMemSlot implements replay.Device.
func (s *sim) AddMemSlot(slot qxl.Slot) error { return s.mem.AddSlot(slot) }

// CreatePrimary implements replay.Device.
func (s *sim) CreatePrimary(p qxl.PrimarySurface) error {
	surface := components.Surface{Format: p.Format, Width: int32(p.Width), Height: int32(p.Height)}
	if err := s.CreateSurface(surface, p.Stride, p.Memory, p.Flags); err != nil {
		return err
	}
	if s.client.every > 0 {
		s.take() // what is left for the primary surface before
	}
	s.heat.begin(int(p.Width), int(p.Height))
	s.announce(0, p.Flags&qxl.SurfaceKeepData != 0)
	return nil
}

// DestroyPrimary implements replay.Device.
func (s *sim) DestroyPrimary() error {
	s.DestroySurface(0)
	return nil
}

// DestroySurfaces implements replay.Device.
func (s *sim) DestroySurfaces() error {
	s.DestroyAll()
	return nil
}

// OOM executes everything, so that the guest gets memory back. What the client
// has not taken yet stays; it takes it when that is not enough.
func (s *sim) OOM() {
	before := s.Release.Released
	s.Raster.FlushAll()
	if s.Release.Released == before && s.client.every > 0 {
		s.take()
	}
	if s.Release.Released == before {
		s.stuck()
	}
}

// SurfaceCreated implements stages.Device.
func (s *sim) SurfaceCreated(id uint32) { s.announce(id, false) }

// SurfaceDestroyed implements stages.Device.
func (s *sim) SurfaceDestroyed(id uint32) { delete(s.client.announced, id) }

// announce queues a surface that the client does not have yet, with its content
// if it has any.
func (s *sim) announce(id uint32, content bool) {
	surface := s.Scene.Surface(id)
	if s.client.every == 0 || s.client.announced[id] || surface == nil {
		return
	}
	s.client.announced[id] = true
	if content {
		area := regions.Rect{Right: surface.Width, Bottom: surface.Height}
		s.Raster.FlushSurface(id)
		s.Pipes.Append(s.client.slot, components.PipeItem{Kind: components.ItemImage, Surface: id, Area: area})
	}
}

// Draw takes a drawable from the ring, and counts what the guest draws.
func (s *sim) Draw(e ecs.Entity) {
	s.numbers.Drawn.Drawables++
	s.numbers.Drawn.Pixels += s.heat.count(s.Scene.Command(s.Scene.Drawables.Get(e)), &s.heat.drawn)
	s.Stages.Draw(e)
}

// Need implements stages.Device.
func (s *sim) Need(surface uint32) { s.announce(surface, true) }

// Queue implements stages.Device.
func (s *sim) Queue(e ecs.Entity) {
	if s.client.every > 0 {
		s.Pipes.AppendDraw(s.client.slot, e)
	}
}

// QueueReverting implements stages.Device.
func (s *sim) QueueReverting(e, with ecs.Entity) {
	if s.client.every > 0 && !s.Pipes.RemoveFrom(s.client.slot, with) {
		s.Queue(e)
	}
}

// Cursor implements ingest.Sink. The pointer is no part of a picture.
func (*sim) Cursor(*qxl.CursorCommand) {}

// Room implements ingest.Sink.
func (*sim) Room() bool { return true }

var (
	_ stages.Device    = (*sim)(nil)
	_ replay.OOMDevice = (*sim)(nil)
)
