package display

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
	"github.com/spiceecs/spiceecs/systems/raster"
	"github.com/spiceecs/spiceecs/systems/tree"
)

// Sim is a device worker that is driven by hand, on the caller's goroutine, and
// to which nothing happens by itself. Tests use it to stop between any two steps
// and look.
//
// Nothing is sent to its clients. Send marshals what waits for one into a batch,
// and Sent says that the batch has left.
type Sim struct {
	// The worker's state, to be looked at.
	Scene  *components.Scene
	Tree   *tree.Tree
	Raster *raster.Raster

	w       *Worker
	joined  uint32     // clients so far
	batches []simBatch // by pipe slot

	// Drawables up to these may wait in pipes without being in the tree: what
	// came before z-order began anew, and before a surface was found replaced.
	restarted uint64
	replaced  []uint64
	surfaces  []ecs.Entity // as they were found last
}

// simBatch is what a client is being sent, with what is kept alive for it.
type simBatch struct {
	wire.Writer
	drawables []ecs.Entity
	buffers   int
}

func (b *simBatch) reset() {
	b.Reset()
	b.drawables, b.buffers = b.drawables[:0], 0
}

// simItem is what an item counts for when a client behind is sent pictures, in
// bytes of pixels. It is little, so that small surfaces go in many pieces.
const simItem = 256

// ErrSlot reports a client that does not exist.
var ErrSlot = errors.New("no such client")

// NewSim returns a device with guest memory mem.
func NewSim(cfg Config, mem qxl.Slot) (*Sim, error) {
	w, err := New(cfg)
	if err != nil {
		return nil, err
	}
	if err := w.mem.AddSlot(mem); err != nil {
		return nil, err
	}
	return &Sim{
		Scene: w.scene, Tree: w.tree, Raster: w.raster, w: w,
		replaced: make([]uint64, cfg.Surfaces), surfaces: make([]ecs.Entity, cfg.Surfaces),
	}, nil
}

// Close ends all clients and surfaces.
func (s *Sim) Close() {
	for i := range s.batches {
		s.batches[i].reset()
	}
	s.w.shutdown()
}

// Tick takes up to budget commands of each ring, as far as there is room.
func (s *Sim) Tick(budget int) {
	s.w.ingest.Rearm()
	s.w.ingest.Run(s.w.cfg.Clock.Now(), budget)
	s.bound()
}

func (s *Sim) bound() { s.w.boundStage(s.w.cfg.Clock.Now()) }

// CreatePrimary is Worker.CreatePrimary.
func (s *Sim) CreatePrimary(p qxl.PrimarySurface) error { return s.w.createPrimary(p) }

// Carry carries a request out.
func (s *Sim) Carry(r Request) error {
	defer s.bound()
	return r(s.w)
}

// UpdateArea is Worker.UpdateArea.
func (s *Sim) UpdateArea(surface uint32, area regions.Rect, clear bool) ([]regions.Rect, error) {
	defer s.bound()
	return s.w.updateArea(surface, area, clear, nil)
}

// Restart begins the z-order anew, as happens when its numbers run out.
func (s *Sim) Restart() {
	s.w.raster.FlushAll()
	s.w.tree.Restart()
	s.restarted = s.Scene.Seq
}

// SetBound changes how much guest memory drawables may hold.
func (s *Sim) SetBound(bytes int64) {
	s.w.cfg.HeldBytes = bytes
	s.bound()
}

// Join connects a client that keeps no images, and returns its slot.
func (s *Sim) Join() (slot int, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("joining: %w", err)
	}
	unix.Close(fds[1]) // it is never written to
	s.joined++
	if err := s.w.connectDisplay(Connection{FD: fds[0], Client: s.joined, MiniHeader: true}); err != nil {
		return 0, fmt.Errorf("joining: %w", err)
	}
	for slot = range s.w.clients {
		if c := s.w.clients[slot]; c != nil && c.id == s.joined {
			break
		}
	}
	for slot >= len(s.batches) {
		s.batches = append(s.batches, simBatch{})
	}
	s.batches[slot].reset()
	hello := binary.LittleEndian.AppendUint64([]byte{1}, 0)
	hello = append(hello, 1, 0, 0, 0, 0)
	return slot, s.w.clients[slot].Message(nil, wire.MsgcDisplayInit, hello)
}

func (s *Sim) client(slot int) (*client, error) {
	if slot < 0 || slot >= len(s.w.clients) || s.w.clients[slot] == nil {
		return nil, fmt.Errorf("%w: %d", ErrSlot, slot)
	}
	return s.w.clients[slot], nil
}

// Leave takes a client off the device.
func (s *Sim) Leave(slot int) error {
	c, err := s.client(slot)
	if err == nil {
		c.conn.Close(ErrStopped)
		s.batches[slot].reset()
	}
	return err
}

// Send marshals up to n items of a client's pipe into its batch.
func (s *Sim) Send(slot, n int) error {
	c, err := s.client(slot)
	if err != nil {
		return err
	}
	if s.w.pipes.Len(slot) == 0 && len(c.behind) > 0 {
		c.catchUp(int64(n) * simItem)
	}
	b := &s.batches[slot]
	for ; n > 0; n-- {
		item, ok := s.w.pipes.Pop(slot)
		if !ok {
			break
		}
		if !s.w.msg.Plan(&c.state, &item) {
			c.fall(&item)
			continue
		}
		switch item.Kind {
		case components.ItemDraw:
			b.drawables = append(b.drawables, item.Drawable)
		case components.ItemImage:
			b.buffers++
		}
	}
	s.w.encoder.Run()
	s.w.msg.Emit(&b.Writer, &c.state, c.monitorsConfig)
	return nil
}

// Batch is what a client is being sent. What it refers to may change only
// after Sent.
func (s *Sim) Batch(slot int) *wire.Writer { return &s.batches[slot].Writer }

// Sent tells that a client's batch has left. It must not be looked at later.
func (s *Sim) Sent(slot int) error {
	c, err := s.client(slot)
	if err == nil {
		s.batches[slot].reset()
		s.w.msg.Sent(&c.state)
	}
	return err
}

// Lag makes a client count as one that does not keep up.
func (s *Sim) Lag(slot int) error {
	c, err := s.client(slot)
	if err == nil {
		c.fall(nil)
	}
	return err
}

// Behind is where a client will not have the newest pixels of a surface when it
// has been sent what waits; nil: nowhere.
func (s *Sim) Behind(slot int, surface uint32) *regions.Region {
	return s.w.clients[slot].behind[surface]
}

// Items yields what waits for a client, oldest first.
func (s *Sim) Items(slot int) func(yield func(ecs.Entity, *components.PipeItem) bool) {
	return s.w.pipes.Items(slot)
}

// Knows reports whether a client has a surface, or will when it has been sent
// what waits.
func (s *Sim) Knows(slot int, surface uint32) bool { return s.w.clients[slot].announced.has(surface) }
