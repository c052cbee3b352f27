package display

import (
	"fmt"
	"math"

	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
	"github.com/spiceecs/spiceecs/systems/encode"
)

// Request is something that a VMM written in C asks of a worker: it names
// memory by addresses, and may or may not want to wait. Requests are carried
// out between two ticks, in the order in which they are made.
type Request func(*Worker) error

// Carry carries a request out and waits for it.
func (w *Worker) Carry(r Request) error { return w.do(func() error { return r(w) }) }

// CarryAsync has done called, on the worker's goroutine, when a request has
// been carried out. It reports false, and does not call done, if the worker has
// ended.
func (w *Worker) CarryAsync(r Request, done func(error)) bool {
	return w.loop.Post(func() { done(r(w)) })
}

// Requests without parameters.
var (
	DestroyPrimary  Request = (*Worker).destroyPrimary
	DestroySurfaces Request = (*Worker).destroySurfaces
	ResetSlots      Request = func(w *Worker) error { w.mem.Reset(); return nil }
	ResetCursor     Request = func(w *Worker) error { w.cursor.Reset(); return nil }
	FlushSurfaces   Request = func(w *Worker) error { w.flushRings(); w.Raster.FlushAll(); return nil }
	Start           Request = func(w *Worker) error { w.running = true; w.Ingest.Rearm(); return nil }
	Stop            Request = func(w *Worker) error { w.running = false; w.Raster.FlushAll(); return nil }
	// DriverUnload forgets that the driver configures its monitors.
	DriverUnload Request = func(w *Worker) error { w.driver = false; return nil }
)

// AddForeign makes a range of the process's addresses visible to commands.
func AddForeign(f qxl.Foreign) Request {
	return func(w *Worker) error { return w.mem.AddForeign(f) }
}

// DelSlot takes a slot's memory away.
func DelSlot(group, id uint32) Request {
	return func(w *Worker) error { return w.mem.DelSlot(group, id) }
}

// CreatePrimary makes the screen in the memory at a guest address.
func CreatePrimary(p qxl.PrimarySurface, addr qxl.PHYS, group uint32) Request {
	return func(w *Worker) (err error) {
		stride := max(int64(p.Stride), -int64(p.Stride))
		if p.Height > math.MaxInt32 || stride*int64(p.Height) > qxl.MaxBytes {
			return fmt.Errorf("creating the primary surface: %d lines of %d bytes", p.Height, stride)
		}
		if p.Memory, err = w.mem.Bytes(addr, int(stride*int64(p.Height)), group); err != nil {
			return fmt.Errorf("creating the primary surface: %w", err)
		}
		return w.createPrimary(p)
	}
}

// DestroySurface takes one surface away. The primary goes after every command
// that is already in the rings.
func DestroySurface(id uint32) Request {
	return func(w *Worker) error {
		if id == 0 {
			w.flushRings()
		}
		w.DestroySurface(id)
		return nil
	}
}

// UpdateArea draws an area and tells what changed in it. updated is called
// within the request.
func UpdateArea(surface uint32, area regions.Rect, clear bool, updated func([]regions.Rect)) Request {
	return func(w *Worker) error {
		dirty, err := w.updateArea(surface, area, clear, nil)
		if err != nil {
			return err
		}
		updated(dirty)
		return nil
	}
}

// Monitors reads the driver's monitors configuration, of at most limit heads
// where that is not 0.
func Monitors(addr qxl.PHYS, group uint32, limit int) Request {
	return func(w *Worker) error { return w.setMonitors(addr, group, limit) }
}

// LoadCommands carries commands out that bring back a saved device's surfaces
// and pointer. Surfaces have their content, and clients are not told of them.
func LoadCommands(cmds []qxl.Command) Request {
	return func(w *Worker) error {
		for i, c := range cmds {
			if err := w.loadCommand(c); err != nil {
				return fmt.Errorf("loading command %d: %w", i, err)
			}
		}
		return nil
	}
}

func (w *Worker) loadCommand(c qxl.Command) error {
	switch c.Type {
	case qxl.CommandCursor:
		var cmd qxl.CursorCommand
		err := w.dec.Cursor(&cmd, c)
		if err == nil {
			w.Cursor(&cmd)
		}
		w.Release.Resource(cmd.Resource)
		return err
	case qxl.CommandSurface:
		var cmd qxl.SurfaceCommand
		err := w.dec.Surface(&cmd, c)
		kept := false
		if err == nil {
			cmd.Flags |= qxl.SurfaceKeepData
			kept, err = w.Surface(&cmd)
		}
		if !kept {
			w.Release.Resource(cmd.Resource)
		}
		return err
	}
	return fmt.Errorf("command of type %d", c.Type)
}

// Images changes how images are compressed, for all clients. A setting that is
// 0 stays as it is.
func Images(c encode.Compression, jpeg, zlib encode.WAN) Request {
	return func(w *Worker) error {
		if c.Valid() {
			w.cfg.Compression = c
			for _, cl := range w.clients {
				if cl != nil {
					cl.state.Compression = c
				}
			}
		}
		if jpeg != 0 {
			w.cfg.JPEG = jpeg
		}
		if zlib != 0 {
			w.cfg.ZlibGLZ = zlib
		}
		return nil
	}
}
