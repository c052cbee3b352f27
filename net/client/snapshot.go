package client

import (
	"encoding/binary"
	"errors"
	"image"

	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/canvas"
	"github.com/spiceecs/spiceecs/regions"
)

// ErrNoPicture says that a display has no primary surface at the moment.
var ErrNoPicture = errors.New("the display shows nothing")

// Snapshot copies the primary surface. All pixels are opaque.
func (d *Display) Snapshot() (*image.RGBA, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.primary == nil {
		return nil, ErrNoPicture
	}
	return render(d.primary), nil
}

// SurfaceSnapshot copies any surface, as Snapshot does.
func (d *Display) SurfaceSnapshot(id uint32) (*image.RGBA, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.surfaces[id]
	if c == nil {
		return nil, ErrSurface
	}
	return render(c), nil
}

// ReadArea copies part of the primary surface, in rows of width pixels of 4 bytes:
// blue, green, red and one that means nothing. The area must lie on the surface.
func (d *Display) ReadArea(dst []byte, area regions.Rect) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.primary == nil || !d.primary.Bounds().Contains(area) {
		return dst, ErrNoPicture
	}
	for y := area.Top; y < area.Bottom; y++ {
		row := d.primary.Row(int(y))
		for x := area.Left; x < area.Right; x++ {
			dst = binary.LittleEndian.AppendUint32(dst, pixelRGB(d.primary.Format(), row, int(x)))
		}
	}
	return dst, nil
}

// Surfaces lists the ids of all surfaces.
func (d *Display) Surfaces() []uint32 {
	d.mu.Lock()
	defer d.mu.Unlock()
	ids := make([]uint32, 0, len(d.surfaces))
	for id := range d.surfaces {
		ids = append(ids, id)
	}
	return ids
}

// render converts a canvas to opaque RGBA.
func render(c *canvas.Canvas) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, c.Width(), c.Height()))
	for y := range c.Height() {
		row, out := c.Row(y), img.Pix[y*img.Stride:]
		for x := range c.Width() {
			rgb := pixelRGB(c.Format(), row, x)
			out[4*x], out[4*x+1], out[4*x+2], out[4*x+3] = byte(rgb>>16), byte(rgb>>8), byte(rgb), 0xff
		}
	}
	return img
}

// pixelRGB is pixel x of a line as 0xRRGGBB; alpha-only surfaces are grey.
func pixelRGB(format qxl.SurfaceFormat, row []byte, x int) uint32 {
	switch format {
	case qxl.Surface16x555:
		v := uint32(binary.LittleEndian.Uint16(row[2*x:]))
		return widen5(v>>10)<<16 | widen5(v>>5)<<8 | widen5(v)
	case qxl.Surface16x565:
		v := uint32(binary.LittleEndian.Uint16(row[2*x:]))
		return widen5(v>>11)<<16 | (v>>5&63<<2|v>>9&3)<<8 | widen5(v)
	case qxl.Surface8A:
		return uint32(row[x]) * 0x010101
	case qxl.Surface1A:
		return uint32(row[x/8]>>(x%8)&1) * 0xffffff
	}
	return binary.LittleEndian.Uint32(row[4*x:])
}

// widen5 makes 8 bits of the lowest 5.
func widen5(v uint32) uint32 {
	v &= 31
	return v<<3 | v>>2
}

// Parameters of Hash.
const (
	hashBasis = 1469598103934665603
	hashPrime = 1099511628211
)

// Hash is a fingerprint of a picture: FNV-1a over the bytes R, G, B of every
// pixel, rows from the top down, starting from 1469598103934665603.
func Hash(img *image.RGBA) uint64 {
	h := uint64(hashBasis)
	for y := range img.Rect.Dy() {
		row := img.Pix[y*img.Stride:][:4*img.Rect.Dx()]
		for i := 0; i < len(row); i += 4 {
			h = (h ^ uint64(row[i])) * hashPrime
			h = (h ^ uint64(row[i+1])) * hashPrime
			h = (h ^ uint64(row[i+2])) * hashPrime
		}
	}
	return h
}
