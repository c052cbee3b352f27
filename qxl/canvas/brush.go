package canvas

import (
	"fmt"

	"github.com/spiceecs/spiceecs/qxl"
)

// brush paints with one word, or with a tile whose corner lies at (x,y).
type brush struct {
	solid bool
	word  uint32
	tile  *source
	x, y  int
}

// openBrush makes b the brush that paints; its pattern, if it has one, is
// opened as tile. Without a type it is the word 0.
func (j *job) openBrush(b *qxl.Brush, tile *source) error {
	j.brush = brush{solid: true}
	switch b.Type {
	case qxl.BrushSolid:
		j.brush.word = b.Color
	case qxl.BrushPattern:
		if err := j.open(tile, b.Image, j.c.Bounds()); err != nil {
			return fmt.Errorf("brush: %w", err)
		}
		j.brush = brush{tile: tile, x: int(b.Pos.X), y: int(b.Pos.Y)}
	case qxl.BrushNone:
	default:
		return fmt.Errorf("%w: brush type %d", ErrDrawable, b.Type)
	}
	return nil
}

// pixel is the solid colour repeated over a word of 8 bytes.
func (j *job) pixel(word uint32) uint64 {
	switch j.c.format.Depth() {
	case 32:
		return uint64(word) | uint64(word)<<32
	case 16:
		return uint64(word&0xffff) * 0x0001000100010001
	case 8:
		return uint64(word&0xff) * 0x0101010101010101
	}
	return -uint64(word & 1)
}

// solidRow returns pixels of one word, as many as the widest run has.
func (j *job) solidRow(word uint32) []byte {
	return j.solidPixels(word, max(1, int(j.region.Extents().Width()))*j.c.pixelBytes())
}

// solidPixels returns n bytes of pixels of one word.
func (j *job) solidPixels(word uint32, n int) []byte {
	size := j.c.pixelBytes()
	j.solid = sized(j.solid, n)
	workLayout(j.c.format).putWord(j.solid, word)
	for done := size; done < len(j.solid); done *= 2 {
		copy(j.solid[done:], j.solid[:done])
	}
	return j.solid
}

// brushRow returns the pattern brush's pixels [x0,x1) of line y.
func (j *job) brushRow(y, x0, x1 int) []byte {
	size := j.c.pixelBytes()
	j.brushBuf = sized(j.brushBuf, (x1-x0)*size)
	j.tileInto(j.brushBuf, y, x0, x1-x0)
	return j.brushBuf
}

// tileInto sets dst to the n pixels of the tiled plane from (x,y) on.
func (j *job) tileInto(dst []byte, y, x, n int) {
	t, size := j.brush.tile, j.c.pixelBytes()
	ty := mod(y-j.brush.y, t.height)
	tx := mod(x-j.brush.x, t.width)
	for done := 0; done < n; tx = 0 {
		if done >= t.width { // whole periods are there already
			period := done / t.width * t.width
			done += copy(dst[done*size:n*size], dst[(done-period)*size:done*size]) / size
			continue
		}
		k := min(n-done, t.width-tx)
		t.rowInto(dst[done*size:(done+k)*size], tx, ty, k)
		done += k
	}
}

// mod is the remainder that is never negative.
func mod(a, n int) int {
	if a %= n; a < 0 {
		a += n
	}
	return a
}
