package display

import (
	"encoding/binary"
	"fmt"

	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
	"github.com/spiceecs/spiceecs/systems/stages"
)

// createPrimary makes the screen.
func (w *Worker) createPrimary(p qxl.PrimarySurface) error {
	if w.Scene.Surface(0) != nil {
		return fmt.Errorf("creating the primary surface: there is one")
	}
	surface := components.Surface{Format: p.Format, Width: int32(p.Width), Height: int32(p.Height)}
	if p.Width > 1<<15 || p.Height > 1<<15 {
		return fmt.Errorf("creating the primary surface: %dx%d is too large", p.Width, p.Height)
	}
	w.cfg.Recording.primary(p) // before it is blanked
	if err := w.CreateSurface(surface, p.Stride, p.Memory, p.Flags); err != nil {
		return err
	}
	w.monitors.Heads = append(w.monitors.Heads[:0], qxl.Head{Width: p.Width, Height: p.Height})
	w.monitors.MaxAllowed = max(w.monitors.MaxAllowed, 1)
	for _, c := range w.clients {
		if c != nil && c.joined {
			// A driver that configures its monitors is going to do so now.
			w.showPrimary(c, p.Flags&qxl.SurfaceKeepData != 0, !w.driver)
		}
	}
	w.cursor.Init()
	w.primaryChanged(Primary{Active: true, Width: int32(p.Width), Height: int32(p.Height), MouseMode: p.MouseMode})
	return nil
}

func (w *Worker) primaryChanged(p Primary) {
	if w.cfg.PrimaryChanged != nil {
		w.cfg.PrimaryChanged(p)
	}
}

// showPrimary queues the screen for a client: the surface, what it shows, which
// monitors show it, and that it may be shown.
func (w *Worker) showPrimary(c *client, content, monitors bool) {
	w.announce(c, 0, content)
	if monitors {
		w.Pipes.Append(c.slot, components.PipeItem{Kind: components.ItemMonitorsConfig})
	}
	w.Pipes.Append(c.slot, components.PipeItem{Kind: components.ItemMark})
}

// SurfaceDestroyed has clients drop a surface, after everything that was queued
// before.
func (w *Worker) SurfaceDestroyed(id uint32) {
	if id == 0 {
		w.loseScreen()
	}
	for _, c := range w.clients {
		if c != nil && c.announced.has(id) {
			c.announced.clear(id)
			delete(c.behind, id)
			w.Pipes.Append(c.slot, components.PipeItem{Kind: components.ItemSurfaceDestroy, Surface: id})
		}
	}
	if id == 0 {
		w.cursor.Reset()
		w.primaryChanged(Primary{})
	}
}

// SurfaceCreated tells all clients of a new, blank surface.
func (w *Worker) SurfaceCreated(id uint32) {
	for _, c := range w.clients {
		if c != nil && c.joined {
			w.announce(c, id, false)
		}
	}
}

// announce queues a surface that a client does not have yet, with its content
// if it has any.
func (w *Worker) announce(c *client, id uint32, content bool) {
	if c.announced.has(id) {
		return
	}
	s := w.Scene.Surface(id)
	if s == nil {
		return
	}
	c.announced.set(id)
	w.Pipes.Append(c.slot, components.PipeItem{
		Kind: components.ItemSurfaceCreate, Surface: id, Primary: id == 0,
		Width: uint32(s.Width), Height: uint32(s.Height), Format: uint32(s.Format),
	})
	if content {
		w.Raster.FlushSurface(id)
		s = w.Scene.Surface(id)
		c.queueArea(id, regions.Rect{Right: s.Width, Bottom: s.Height})
	}
}

// queueArea queues copies of part of a surface, in bands that are small enough not
// to hold up what is queued behind them for long.
func (c *client) queueArea(id uint32, area regions.Rect) {
	s := c.w.Scene.Surface(id)
	format := s.Format
	line := (int32(format.Depth())*area.Width() + 7) / 8
	rows := max(1, components.MaxPixelBuffer/line)
	for top := area.Top; top < area.Bottom; top += rows {
		band := area
		band.Top, band.Bottom = top, min(area.Bottom, top+rows)
		h, pix, ok := c.w.Scene.Pixels.Alloc()
		if !ok {
			c.conn.Close(fmt.Errorf("sending surface %d: too many pixel buffers", id))
			return
		}
		*pix = c.w.Raster.Read((*pix)[:0], id, band)
		itemFormat := format
		if format == qxl.Surface16x565 {
			*pix, itemFormat = widen565(*pix), qxl.Surface32xRGB
		}
		c.w.Pipes.Append(c.slot, components.PipeItem{
			Kind: components.ItemImage, Surface: id, Primary: id == 0 || itemFormat != format, Area: band, Pixels: h,
			Format: uint32(itemFormat), Bytes: int32(len(*pix)),
		})
	}
}

// widen565 turns 5-6-5 pixels, for which there is no bitmap format, into xRGB.
func widen565(pix []byte) []byte {
	out := make([]byte, 0, 2*len(pix))
	for i := 0; i+1 < len(pix); i += 2 {
		p := uint32(binary.LittleEndian.Uint16(pix[i:]))
		r, g, b := p>>11&31, p>>5&63, p&31
		out = binary.LittleEndian.AppendUint32(out, (r<<3|r>>2)<<16|(g<<2|g>>4)<<8|b<<3|b>>2)
	}
	return out
}

// bits is a growing set of small numbers.
type bits []uint64

func (b bits) has(n uint32) bool { return int(n/64) < len(b) && b[n/64]>>(n%64)&1 != 0 }

func (b *bits) set(n uint32) {
	for int(n/64) >= len(*b) {
		*b = append(*b, 0)
	}
	(*b)[n/64] |= 1 << (n % 64)
}

func (b bits) clear(n uint32) { b[n/64] &^= 1 << (n % 64) }

var _ stages.Device = (*Worker)(nil)
var _ ecs.System = stage{}
