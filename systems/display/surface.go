package display

import (
	"encoding/binary"
	"fmt"

	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
	"github.com/spiceecs/spiceecs/systems/ingest"
)

// Surface takes a surface command from the ring. A create command's resource
// is the surface's memory and is kept until the surface is destroyed.
func (w *Worker) Surface(s *qxl.SurfaceCommand) (kept bool, err error) {
	if s.Action == qxl.SurfaceDestroy {
		if s.Surface == 0 || w.scene.Surface(s.Surface) == nil {
			return false, fmt.Errorf("%w: destroying %d", ingest.ErrSurface, s.Surface)
		}
		w.destroySurface(s.Surface)
		return false, nil
	}
	if s.Surface == 0 {
		return false, fmt.Errorf("%w: creating the primary by command", ingest.ErrSurface)
	}
	surface := components.Surface{
		ID: s.Surface, Format: s.Format, Width: int32(s.Width), Height: int32(s.Height), Create: s.Resource,
	}
	if err := w.raster.CreateSurface(surface, s.Stride, s.Memory); err != nil {
		return false, fmt.Errorf("%w: %w", ingest.ErrSurface, err)
	}
	w.tree.CreateSurface(s.Surface, surface.Width, surface.Height)
	if s.Flags&qxl.SurfaceKeepData == 0 {
		clear(s.Memory)
		w.announceAll(s.Surface)
	}
	return true, nil
}

// createPrimary makes the screen.
func (w *Worker) createPrimary(p qxl.PrimarySurface) error {
	if w.scene.Surface(0) != nil {
		return fmt.Errorf("creating the primary surface: there is one")
	}
	surface := components.Surface{Format: p.Format, Width: int32(p.Width), Height: int32(p.Height)}
	if p.Width > 1<<15 || p.Height > 1<<15 {
		return fmt.Errorf("creating the primary surface: %dx%d is too large", p.Width, p.Height)
	}
	if err := w.raster.CreateSurface(surface, p.Stride, p.Memory); err != nil {
		return err
	}
	w.tree.CreateSurface(0, surface.Width, surface.Height)
	if p.Flags&qxl.SurfaceKeepData == 0 {
		clear(p.Memory)
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
		w.pipes.Append(c.slot, components.PipeItem{Kind: components.ItemMonitorsConfig})
	}
	w.pipes.Append(c.slot, components.PipeItem{Kind: components.ItemMark})
}

// destroySurface ends a surface, if there is one: what is still to be drawn on
// it will not be, what reads it is drawn first, and clients drop theirs after
// everything that was queued before.
func (w *Worker) destroySurface(id uint32) {
	if w.scene.Surface(id) == nil {
		return
	}
	w.raster.FlushReaders(id)
	w.raster.DropSurface(id)
	w.tree.DestroySurface(id)
	create := w.scene.Surface(id).Create
	w.raster.DestroySurface(id)
	for _, c := range w.clients {
		if c != nil && c.announced.has(id) {
			c.announced.clear(id)
			delete(c.behind, id)
			w.pipes.Append(c.slot, components.PipeItem{Kind: components.ItemSurfaceDestroy, Surface: id})
		}
	}
	w.rel.Resource(create)
	if id == 0 {
		w.cursor.Reset()
		w.primaryChanged(Primary{})
	}
}

// announceAll tells all clients of a new, blank surface.
func (w *Worker) announceAll(id uint32) {
	for _, c := range w.clients {
		if c != nil && c.joined {
			w.announce(c, id, false)
		}
	}
}

// announceFor tells a client of the surfaces that a command needs, with what
// they show before the command.
func (w *Worker) announceFor(c *client, cmd *qxl.Drawable) {
	for _, dep := range cmd.Deps {
		if dep >= 0 {
			w.announce(c, uint32(dep), true)
		}
	}
	for i := range cmd.Images {
		if im := &cmd.Images[i]; im.Type == qxl.ImageSurface {
			w.announce(c, im.Surface, true)
		}
	}
	w.announce(c, cmd.Surface, true)
}

// announce queues a surface that a client does not have yet, with its content
// if it has any.
func (w *Worker) announce(c *client, id uint32, content bool) {
	if c.announced.has(id) {
		return
	}
	s := w.scene.Surface(id)
	if s == nil {
		return
	}
	c.announced.set(id)
	w.pipes.Append(c.slot, components.PipeItem{
		Kind: components.ItemSurfaceCreate, Surface: id, Primary: id == 0,
		Width: uint32(s.Width), Height: uint32(s.Height), Format: uint32(s.Format),
	})
	if content {
		w.raster.FlushSurface(id)
		s = w.scene.Surface(id)
		c.queueArea(id, regions.Rect{Right: s.Width, Bottom: s.Height})
	}
}

// queueArea queues copies of part of a surface, in bands that are small enough not
// to hold up what is queued behind them for long.
func (c *client) queueArea(id uint32, area regions.Rect) {
	s := c.w.scene.Surface(id)
	format := s.Format
	if format == qxl.Surface1A {
		// The protocol has no image that carries one.
		return
	}
	rows := max(1, components.MaxPixelBuffer/(int32(format.Depth()/8)*area.Width()))
	for top := area.Top; top < area.Bottom; top += rows {
		band := area
		band.Top, band.Bottom = top, min(area.Bottom, top+rows)
		h, pix, ok := c.w.scene.Pixels.Alloc()
		if !ok {
			c.conn.Close(fmt.Errorf("sending surface %d: too many pixel buffers", id))
			return
		}
		*pix = c.w.raster.Read((*pix)[:0], id, band)
		itemFormat := format
		if format == qxl.Surface16x565 {
			*pix, itemFormat = widen565(*pix), qxl.Surface32xRGB
		}
		c.w.pipes.Append(c.slot, components.PipeItem{
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

// selfBitmap gives a command the copy of its target's pixels that it asked for,
// as the source image where it has none.
func (w *Worker) selfBitmap(cmd *qxl.Drawable) {
	s := w.scene.Surface(cmd.Surface)
	format, flags := qxl.Bitmap32Bit, uint8(0)
	switch s.Format {
	case qxl.Surface16x555:
		format = qxl.Bitmap16Bit
	case qxl.Surface32ARGB:
		format = qxl.BitmapRGBA
	case qxl.Surface8A:
		format = qxl.Bitmap8BitA
	case qxl.Surface1A, qxl.Surface16x565:
		return
	}
	if cmd.Src != qxl.NoImage {
		return
	}
	w.raster.FlushSurface(cmd.Surface)
	area := cmd.SelfBitmapArea
	pix := w.raster.Read(nil, cmd.Surface, area)
	im, i := cmd.NewImage()
	im.ID, im.Flags = w.scene.NextImageID(), flags
	im.Width, im.Height = uint32(area.Width()), uint32(area.Height())
	im.X, im.Y, im.Stride = im.Width, im.Height, uint32(len(pix))/im.Height
	im.Format, im.BitFlags = format, qxl.BitmapTopDown
	im.Data.Append(pix)
	cmd.Src = i
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

var _ ingest.Sink = (*Worker)(nil)
var _ ecs.System = stage{}
