package client

import (
	"fmt"

	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/canvas"
)

func (d *Display) createSurface(r *wire.Reader) error {
	id, width, height := r.U32(), r.U32(), r.U32()
	format, flags := qxl.SurfaceFormat(r.U32()), r.U32()
	if r.Err() != nil {
		return r.Err()
	}
	d.mu.Lock()
	err := d.addSurface(id, width, height, format, flags&wire.SurfaceFlagPrimary != 0)
	d.mu.Unlock()
	if err != nil {
		return fmt.Errorf("surface %d, %dx%d, format %d: %w", id, width, height, format, err)
	}
	return nil
}

// addSurface makes a black, transparent surface. An id in use is replaced, as a
// server does that has lost count with a client that reconnected.
func (d *Display) addSurface(id, width, height uint32, format qxl.SurfaceFormat, primary bool) error {
	if !format.Valid() || width < 1 || height < 1 || width > canvas.MaxSize || height > canvas.MaxSize {
		return wire.ErrMalformed
	}
	d.removeSurface(id)
	size := surfaceBytes(format, int(width), int(height))
	if len(d.surfaces) >= maxSurfaces || size > d.session.opts.Limits.Surfaces-d.bytes {
		return fmt.Errorf("%d surfaces of %d bytes before: %w", len(d.surfaces), d.bytes, ErrTooLarge)
	}
	c := canvas.New(format, int(width), int(height))
	d.surfaces[id] = c
	d.bytes += size
	if primary {
		d.primary, d.marked = c, false
	}
	return nil
}

// removeSurface reports whether there was one.
func (d *Display) removeSurface(id uint32) bool {
	c := d.surfaces[id]
	if c == nil {
		return false
	}
	delete(d.surfaces, id)
	d.bytes -= surfaceBytes(c.Format(), c.Width(), c.Height())
	if c == d.primary {
		d.primary, d.marked = nil, false
	}
	return true
}

func surfaceBytes(format qxl.SurfaceFormat, width, height int) int64 {
	return int64((format.Depth()*width+7)/8) * int64(height)
}

func (d *Display) destroySurface(r *wire.Reader) error {
	id := r.U32()
	if r.Err() != nil {
		return r.Err()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.removeSurface(id) {
		return fmt.Errorf("destroying surface %d: %w", id, ErrSurface)
	}
	return nil
}

// mode is how old servers create the primary surface.
func (d *Display) mode(r *wire.Reader) error {
	width, height, bits := r.U32(), r.U32(), r.U32()
	if r.Err() != nil {
		return r.Err()
	}
	format := qxl.Surface32xRGB
	switch bits {
	case 32:
	case 16:
		format = qxl.Surface16x555
	default:
		return fmt.Errorf("mode of %d bits: %w", bits, wire.ErrMalformed)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.addSurface(0, width, height, format, true)
}

// reset forgets all surfaces, palettes and streams.
func (d *Display) reset() {
	clear(d.palettes)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.endStreams()
	clear(d.surfaces)
	d.bytes, d.primary, d.marked = 0, nil, false
}
