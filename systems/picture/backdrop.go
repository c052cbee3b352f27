package picture

import (
	"encoding/binary"
	"image"
	"image/color"

	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/canvas"
)

// maxBackdrop bounds a backdrop's width and height in pixels.
const maxBackdrop = 800

// backdrops copies what the surfaces show now.
func (s *sim) backdrops(t *Tree) {
	for i := range t.Surfaces {
		if c := s.Raster.Canvas(t.Surfaces[i].ID); c != nil {
			t.Surfaces[i].Backdrop = backdrop(c)
		}
	}
}

// backdrop reduces a canvas to a grey picture: each of its pixels is the mean of
// a square of the canvas's.
func backdrop(c *canvas.Canvas) *image.Gray {
	factor := max(1, (max(c.Width(), c.Height())+maxBackdrop-1)/maxBackdrop)
	w, h := (c.Width()+factor-1)/factor, (c.Height()+factor-1)/factor
	img := image.NewGray(image.Rect(0, 0, w, h))
	sums, counts := make([]uint32, w), make([]uint32, w)
	for y := range h {
		clear(sums)
		clear(counts)
		for line := y * factor; line < min((y+1)*factor, c.Height()); line++ {
			row := c.Row(line)
			for x := range c.Width() {
				sums[x/factor] += uint32(grey(c.Format(), row, x))
				counts[x/factor]++
			}
		}
		for x := range w {
			img.SetGray(x, y, color.Gray{Y: uint8(sums[x] / counts[x])})
		}
	}
	return img
}

// grey is the brightness of pixel x of a line; transparent ones are white.
func grey(f qxl.SurfaceFormat, row []byte, x int) uint8 {
	switch f {
	case qxl.Surface1A:
		return 255 - row[x/8]>>(x%8)&1*255
	case qxl.Surface8A:
		return 255 - row[x]
	case qxl.Surface16x555, qxl.Surface16x565:
		p, bits := binary.LittleEndian.Uint16(row[2*x:]), 5
		if f == qxl.Surface16x565 {
			bits = 6
		}
		b, g, r := p&31<<3, p>>5<<(16-bits)>>8, p>>(5+bits)&31<<3
		return luma(uint8(r), uint8(g), uint8(b))
	}
	y := luma(row[4*x+2], row[4*x+1], row[4*x])
	if f == qxl.Surface32ARGB {
		// Colours are multiplied with alpha already.
		return uint8(min(255, int(y)+255-int(row[4*x+3])))
	}
	return y
}

func luma(r, g, b uint8) uint8 { return uint8((299*int(r) + 587*int(g) + 114*int(b)) / 1000) }
