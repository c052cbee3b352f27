package display

import (
	"errors"
	"fmt"
	"maps"

	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/record"
	"github.com/spiceecs/spiceecs/regions"
	"github.com/spiceecs/spiceecs/systems/encode"
	"github.com/spiceecs/spiceecs/systems/raster"
	"github.com/spiceecs/spiceecs/systems/tree"
)

// ErrArea reports an area that is empty or outside its surface.
var ErrArea = errors.New("area outside the surface")

// AddMemSlot makes guest memory visible to commands.
func (w *Worker) AddMemSlot(s qxl.Slot) error {
	return w.do(func() error { return w.mem.AddSlot(s) })
}

// DelMemSlot takes guest memory away again.
func (w *Worker) DelMemSlot(group, id uint32) error {
	return w.do(func() error { return w.mem.DelSlot(group, id) })
}

// ResetMemSlots takes all guest memory away.
func (w *Worker) ResetMemSlots() error {
	return w.do(func() error { w.mem.Reset(); return nil })
}

// CreatePrimary makes the screen. p.Memory belongs to the device until
// DestroyPrimary or DestroySurfaces has returned.
func (w *Worker) CreatePrimary(p qxl.PrimarySurface) error {
	return w.do(func() error { return w.createPrimary(p) })
}

// DestroyPrimary takes the screen away, after every command already in the rings.
func (w *Worker) DestroyPrimary() error { return w.do(w.destroyPrimary) }

func (w *Worker) destroyPrimary() error {
	w.flushRings()
	w.cfg.Recording.note(record.WorkerDestroyPrimary)
	if w.Scene.Surface(0) == nil {
		return fmt.Errorf("destroying the primary surface: %w", raster.ErrNoSurface)
	}
	w.DestroySurface(0)
	return nil
}

// DestroySurfaces takes all surfaces away, after every command already in the rings.
func (w *Worker) DestroySurfaces() error { return w.do(w.destroySurfaces) }

func (w *Worker) destroySurfaces() error {
	w.flushRings()
	w.cfg.Recording.note(record.WorkerDestroySurfaces)
	w.DestroyAll()
	for _, c := range w.clients {
		if c != nil && c.joined {
			w.Pipes.Append(c.slot, components.PipeItem{Kind: components.ItemInvalAllPalettes})
		}
	}
	return nil
}

// UpdateArea draws everything that can be seen in an area of a surface before it
// returns. It appends to dirty the rectangles that were drawn on since the last
// update with clear.
func (w *Worker) UpdateArea(surface uint32, area regions.Rect, clear bool, dirty []regions.Rect) ([]regions.Rect, error) {
	err := w.do(func() (err error) {
		dirty, err = w.updateArea(surface, area, clear, dirty)
		return err
	})
	return dirty, err
}

// UpdateAreaAsync is UpdateArea without the wait: done is called, on the
// worker's goroutine, when the area has been drawn or could not be. It reports
// false, and does not call done, if the worker has ended.
func (w *Worker) UpdateAreaAsync(surface uint32, area regions.Rect, clear bool, done func(dirty []regions.Rect, err error)) bool {
	return w.loop.Post(func() { done(w.updateArea(surface, area, clear, nil)) })
}

func (w *Worker) updateArea(surface uint32, area regions.Rect, clear bool, dirty []regions.Rect) ([]regions.Rect, error) {
	w.flushRings()
	w.cfg.Recording.note(record.WorkerUpdate)
	s := w.Scene.Surface(surface)
	if s == nil {
		return dirty, fmt.Errorf("updating surface %d: %w", surface, raster.ErrNoSurface)
	}
	if area.Empty() || !(regions.Rect{Right: s.Width, Bottom: s.Height}).Contains(area) {
		return dirty, fmt.Errorf("updating surface %d: %w: %v", surface, ErrArea, area)
	}
	w.Raster.Update(surface, area)
	return w.Raster.TakeDirty(surface, clear, dirty), nil
}

// FlushSurfaces draws everything that was issued.
func (w *Worker) FlushSurfaces() error {
	return w.do(func() error { w.flushRings(); w.Raster.FlushAll(); return nil })
}

// Start lets the guest run: its rings are served.
func (w *Worker) Start() error {
	return w.do(func() error { w.running = true; w.Ingest.Rearm(); return nil })
}

// Stop leaves the guest's rings alone, after drawing everything that was issued.
func (w *Worker) Stop() error {
	return w.do(func() error { w.running = false; w.Raster.FlushAll(); return nil })
}

// OOM gives back what can be given back to a guest that has run out of memory.
func (w *Worker) OOM() {
	w.loop.Post(func() {
		w.flushRings()
		w.cfg.Recording.note(record.WorkerOOM)
		if !w.cfg.Ring.FlushResources() {
			w.Raster.FlushAll()
			w.cfg.Ring.FlushResources()
		}
	})
}

// ResetCursor forgets the pointer.
func (w *Worker) ResetCursor() error {
	return w.do(func() error { w.cursor.Reset(); return nil })
}

// SetServerMouse says whether the guest moves the pointer, or the client.
func (w *Worker) SetServerMouse(server bool) {
	w.loop.Post(func() { w.cursor.SetServerMode(server) })
}

// SetCompression changes the image compression of all clients.
func (w *Worker) SetCompression(c encode.Compression) {
	w.loop.Post(func() {
		w.cfg.Compression = c
		for _, cl := range w.clients {
			if cl != nil {
				cl.state.Compression = c
			}
		}
	})
}

// SetMonitors reads the guest's monitors configuration and tells the clients.
func (w *Worker) SetMonitors(addr qxl.PHYS, group uint32, limit int) error {
	return w.do(func() error { return w.setMonitors(addr, group, limit) })
}

func (w *Worker) setMonitors(addr qxl.PHYS, group uint32, limit int) error {
	var m qxl.MonitorsConfig
	if err := w.dec.Monitors(&m, addr, group, limit); err != nil {
		return fmt.Errorf("reading the monitors configuration: %w", err)
	}
	w.monitors, w.driver = m, true
	for _, c := range w.clients {
		if c != nil && c.joined {
			w.Pipes.Append(c.slot, components.PipeItem{Kind: components.ItemMonitorsConfig})
		}
	}
	return nil
}

// DriverUnload forgets that the guest's driver configures its monitors.
func (w *Worker) DriverUnload() error {
	return w.do(func() error { w.driver = false; return nil })
}

// flushRings takes all commands that are in the rings, whether the clients keep
// up or not.
func (w *Worker) flushRings() {
	if !w.running {
		return
	}
	w.Ingest.Rearm()
	w.Ingest.Flush(w.cfg.Clock.Now(), maxFlush)
}

// Stats describes a worker.
type Stats struct {
	DisplayCommands, CursorCommands uint64
	Released                        uint64 // resources given back to the guest
	Drawn                           uint64 // drawables executed on their surface
	Refused                         map[string]uint64
	Clients                         int
	SentBytes                       int64
	HeldBytes                       int64 // guest memory held now
	Drawables, Current              int   // alive now, and of these not drawn yet
	Tree                            tree.Stats
	Queued                          int    // items in all pipes
	Unanswered                      int    // times that clients were asked what they have taken, and have not said yet
	Streams                         int    // videos that are being followed
	Frames                          uint64 // of videos, sent to clients
	Pictures                        uint64 // that were compressed for these
}

// Stats returns the counters.
func (w *Worker) Stats() (s Stats, err error) {
	err = w.do(func() error {
		in := w.Ingest.Stats()
		s = Stats{
			DisplayCommands: in.Display, CursorCommands: in.Cursor, Refused: maps.Clone(in.Refused),
			Released: w.Release.Released, Drawn: w.Raster.Drawn, SentBytes: w.bytes,
			Tree: w.Tree.Stats, HeldBytes: w.Scene.Held, Drawables: w.Scene.Commands.Len(), Current: int(w.Scene.Current.Len),
			Streams: w.streams.Live(), Frames: w.frames, Pictures: w.compressed,
		}
		for _, c := range w.clients {
			if c != nil {
				s.Clients++
				s.SentBytes += c.conn.SentBytes()
				s.Queued += w.Pipes.Len(c.slot)
				s.Unanswered += c.conn.Unanswered()
			}
		}
		return nil
	})
	return s, err
}
