package displaytest

import (
	"fmt"

	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/canvas"
	"github.com/spiceecs/spiceecs/qxl/guest"
)

// ring is the guest: its memory, and a display ring whose commands the painter
// executes in the moment the device takes them.
type ring struct {
	vram   *guest.VRAM
	asm    *guest.Assembler
	queued []queued
	blocks map[uint64][]byte // memory of each command not given back, by release id
	err    error             // first thing the device did wrong
	asked  uint32            // updates by command
	told   uint32
}

type queued struct {
	cmd   qxl.Command
	taken func()
}

// queue lays a command out in guest memory and puts it on the ring.
func (r *ring) queue(b *bench, s *Step) error {
	before := r.vram.Used()
	var c qxl.Command
	var err error
	var taken func()
	extra := 0
	switch s.Do {
	case DrawOne:
		s.Draw.drawable(&b.cmd)
		c, err = r.asm.Drawable(&b.cmd)
		taken = func() { b.truth.draw(s.Draw) }
	case UpdateCommand:
		r.asked++
		c, err = r.asm.Update(&qxl.UpdateCommand{Area: s.Area.Rect(), Surface: uint32(s.Surface), UpdateID: r.asked})
		taken = func() {}
	case Create:
		c, extra, taken, err = r.create(b, s)
	case Destroy:
		c, _, err = r.asm.DestroySurface(&qxl.SurfaceCommand{Surface: uint32(s.Surface)}, 0)
		taken = func() {
			if s.Surface != 0 {
				delete(b.truth.canvases, uint32(s.Surface))
			}
		}
	}
	if err != nil {
		return fmt.Errorf("queueing: %w", err)
	}
	slot := r.vram.Slot()
	at := uint64(c.Data) - slot.Start
	size := r.vram.Used() - before - extra
	mem := slot.Mem[at : at+uint64(size)]
	r.blocks[r.id(mem)] = mem
	r.queued = append(r.queued, queued{c, taken})
	return nil
}

// id is the release id of a command, which all commands begin with.
func (r *ring) id(mem []byte) uint64 {
	id := uint64(0)
	for i := range 8 {
		id |= uint64(mem[i]) << (8 * i)
	}
	return id
}

// create queues the creation of a surface. Its memory is never used again.
func (r *ring) create(b *bench, s *Step) (c qxl.Command, extra int, taken func(), err error) {
	format := qxl.SurfaceFormat(s.Format)
	stride := (s.Size[0]*int32(format.Depth()) + 7) / 8
	before := r.vram.Used()
	block, mem, err := r.vram.Alloc(int(stride * s.Size[1]))
	if err != nil {
		return c, 0, nil, err
	}
	extra = r.vram.Used() - before
	copy(mem, noise(s.Seed, len(mem)))
	cmd := qxl.SurfaceCommand{
		Surface: uint32(s.Surface), Action: qxl.SurfaceCreate, Format: format,
		Width: uint32(s.Size[0]), Height: uint32(s.Size[1]), Stride: stride,
	}
	if s.Keep {
		cmd.Flags = qxl.SurfaceKeepData
	}
	c, err = r.asm.CreateSurface(&cmd, block)
	return c, extra, func() {
		if s.Surface <= 0 || s.Surface >= Surfaces || b.truth.canvases[cmd.Surface] != nil {
			return
		}
		t := canvas.New(format, int(cmd.Width), int(cmd.Height))
		if s.Keep {
			for y := range t.Height() {
				copy(t.Row(y), mem[y*int(stride):])
			}
		}
		b.truth.canvases[cmd.Surface] = t
	}, err
}

// poison makes sure that nobody finds what was in memory that has been given back.
func poison(mem []byte) {
	for i := range mem {
		mem[i] = 0xe5
	}
}

// GetCommand hands the next command out.
func (r *ring) GetCommand(c *qxl.Command) bool {
	if len(r.queued) == 0 {
		return false
	}
	q := r.queued[0]
	r.queued = r.queued[1:]
	*c = q.cmd
	q.taken()
	return true
}

// RequestCommandNotification tells whether the ring is empty.
func (r *ring) RequestCommandNotification() bool { return len(r.queued) == 0 }

// GetCursorCommand never has one.
func (r *ring) GetCursorCommand(*qxl.Command) bool { return false }

// RequestCursorNotification tells that the ring is empty.
func (r *ring) RequestCursorNotification() bool { return true }

// Release takes a command's memory back.
func (r *ring) Release(res qxl.Resource) {
	mem, ok := r.blocks[res.ID]
	if !ok && r.err == nil {
		r.err = fmt.Errorf("resource %#x was released before, or never given", res.ID)
	}
	poison(mem)
	delete(r.blocks, res.ID)
	if err := r.vram.Release(res); err != nil && r.err == nil {
		r.err = err
	}
}

// NotifyUpdate takes the answer to an update command.
func (r *ring) NotifyUpdate(id uint32) {
	if r.told++; id != r.told && r.err == nil {
		r.err = fmt.Errorf("update %d is answered, want %d", id, r.told)
	}
}

// FlushResources has nothing that waits.
func (r *ring) FlushResources() bool { return false }

// finished checks that everything came back. What is still on the ring was
// never taken.
func (r *ring) finished() error {
	if r.err != nil {
		return r.err
	}
	if n := len(r.blocks) - len(r.queued); n != 0 {
		return fmt.Errorf("%d commands were not given back", n)
	}
	return nil
}
