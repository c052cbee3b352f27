package replay

import (
	"sync/atomic"

	"github.com/spiceecs/spiceecs/qxl"
)

type counters struct {
	commands, skipped, released, updates, passes atomic.Uint64
	fed                                          [qxl.CommandSurface + 1]atomic.Uint64
}

// Stats counts what a Player did so far.
type Stats struct {
	Commands uint64 // read from the recording
	Draw, Update, Cursor, Message,
	Surface uint64 // fed to the device
	Skipped  uint64 // commands without effect: no operation, or on surfaces that do not exist
	Released uint64 // given back by the device
	Updates  uint64 // update commands that the device reported as done
	Passes   uint64 // times the recording was begun
}

// Fed is the number of commands fed.
func (s Stats) Fed() uint64 { return s.Draw + s.Update + s.Cursor + s.Message + s.Surface }

// Stats may be called from any goroutine.
func (p *Player) Stats() Stats {
	c := &p.count
	return Stats{
		Commands: c.commands.Load(),
		Draw:     c.fed[qxl.CommandDraw].Load(),
		Update:   c.fed[qxl.CommandUpdate].Load(),
		Cursor:   c.fed[qxl.CommandCursor].Load(),
		Message:  c.fed[qxl.CommandMessage].Load(),
		Surface:  c.fed[qxl.CommandSurface].Load(),
		Skipped:  c.skipped.Load(),
		Released: c.released.Load(),
		Updates:  c.updates.Load(),
		Passes:   c.passes.Load(),
	}
}

// GetCommand implements qxl.Ring.
func (p *Player) GetCommand(c *qxl.Command) bool { return p.pop(&p.display, c) }

// GetCursorCommand implements qxl.Ring.
func (p *Player) GetCursorCommand(c *qxl.Command) bool { return p.pop(&p.cursor, c) }

// RequestCommandNotification implements qxl.Ring.
func (p *Player) RequestCommandNotification() bool { return p.display.arm() }

// RequestCursorNotification implements qxl.Ring.
func (p *Player) RequestCursorNotification() bool { return p.cursor.arm() }

// pop wakes the feeder where it may be waiting for: at half of the queue, so
// that it then has something to do, and at its end.
func (p *Player) pop(q *queue, c *qxl.Command) bool {
	if !q.pop(c) {
		return false
	}
	if p.waiting.Load() == forQueue {
		if n := q.len(); n == len(q.ring)/2 || n == 0 {
			p.rouse(forQueue)
		}
	}
	return true
}

// Release implements qxl.Ring.
func (p *Player) Release(r qxl.Resource) {
	if p.vram.Release(r) != nil {
		return // not ours, or released before
	}
	p.surfaces.released(r.ID)
	p.count.released.Add(1)
	p.rouse(forRelease)
}

// NotifyUpdate implements qxl.Ring.
func (p *Player) NotifyUpdate(uint32) { p.count.updates.Add(1) }

// FlushResources implements qxl.Ring. Resources are taken back as they are
// released, so that it only tells whether any came since memory was full.
func (p *Player) FlushResources() bool {
	n := p.count.released.Load()
	return n > p.oomMark.Swap(n)
}
