package canvas

import (
	"errors"
	"fmt"
	"hash/fnv"

	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

// MaxSize is the largest width and height of a canvas or image, in pixels.
const MaxSize = regions.MaxCoord

// ErrGeometry reports a canvas whose format, size, stride and memory do not fit
// together.
var ErrGeometry = errors.New("canvas: bad geometry")

// Canvas is a surface's pixels: height lines of width pixels in one of the
// surface formats, in memory that belongs to whoever made the canvas.
type Canvas struct {
	format        qxl.SurfaceFormat
	width, height int
	stride        int // bytes from a line to the one below; negative: bottom-up
	top           int // offset of the top line in mem
	mem           []byte
}

// New makes a canvas of zeroed memory, top line first, without padding between
// lines. Like Wrap it refuses impossible geometry, but by a panic: the sizes
// must be the program's own.
func New(format qxl.SurfaceFormat, width, height int) *Canvas {
	stride := lineBytes(format.Depth(), width)
	var mem []byte
	if checkSize(format, width, height) == nil {
		mem = make([]byte, stride*height)
	}
	c, err := Wrap(format, width, height, stride, mem)
	if err != nil {
		panic(err)
	}
	return c
}

// Wrap makes a canvas of mem, whose first byte is the lowest address. A
// negative stride says that the first line in memory is the bottom one. mem
// holds at least |stride|*(height-1) bytes and one more line.
func Wrap(format qxl.SurfaceFormat, width, height, stride int, mem []byte) (*Canvas, error) {
	if err := checkSize(format, width, height); err != nil {
		return nil, err
	}
	line := lineBytes(format.Depth(), width)
	size := max(stride, -stride)
	if size < line || size > len(mem) || size*(height-1)+line > len(mem) {
		return nil, fmt.Errorf("%w: stride %d, %d lines in %d bytes", ErrGeometry, stride, height, len(mem))
	}
	c := &Canvas{format: format, width: width, height: height, stride: stride, mem: mem}
	if stride < 0 {
		c.top = size * (height - 1)
	}
	return c, nil
}

func checkSize(format qxl.SurfaceFormat, width, height int) error {
	if !format.Valid() {
		return fmt.Errorf("%w: format %d", ErrGeometry, format)
	}
	if width < 1 || height < 1 || width > MaxSize || height > MaxSize {
		return fmt.Errorf("%w: %dx%d", ErrGeometry, width, height)
	}
	return nil
}

// Format is the pixel layout.
func (c *Canvas) Format() qxl.SurfaceFormat { return c.format }

// Width is the number of pixels in a line.
func (c *Canvas) Width() int { return c.width }

// Height is the number of lines.
func (c *Canvas) Height() int { return c.height }

// Stride is the distance from a line to the one below it, in bytes.
func (c *Canvas) Stride() int { return c.stride }

// Bounds is the canvas' rectangle; its corner is (0,0).
func (c *Canvas) Bounds() regions.Rect {
	return regions.Rect{Right: int32(c.width), Bottom: int32(c.height)}
}

// Row is the memory of line y, 0 being the top one, without padding.
func (c *Canvas) Row(y int) []byte {
	off := c.top + y*c.stride
	return c.mem[off : off+lineBytes(c.format.Depth(), c.width)]
}

// ReadRect appends the part of the canvas that lies in r to dst, top line
// first, each line a whole number of bytes, without padding between lines.
func (c *Canvas) ReadRect(dst []byte, r regions.Rect) []byte {
	r = r.Intersect(c.Bounds())
	depth := c.format.Depth()
	if depth >= 8 {
		for y := r.Top; y < r.Bottom; y++ {
			dst = append(dst, c.Row(int(y))[int(r.Left)*depth/8:int(r.Right)*depth/8]...)
		}
		return dst
	}
	for y := r.Top; y < r.Bottom; y++ {
		row, n := c.Row(int(y)), len(dst)
		dst = append(dst, make([]byte, lineBytes(1, int(r.Width())))...)
		for x := r.Left; x < r.Right; x++ {
			if row[x>>3]>>(x&7)&1 != 0 {
				i := int(x - r.Left)
				dst[n+i>>3] |= 1 << (i & 7)
			}
		}
	}
	return dst
}

// Hash is a fingerprint (64-bit FNV-1a) of the visible pixels from the top
// line down, with the undefined pad bytes of 32_xRGB and pad bits of 16_555
// taken as 0.
func (c *Canvas) Hash() uint64 {
	h := fnv.New64a()
	buf := make([]byte, 0, lineBytes(c.format.Depth(), c.width))
	for y := range c.height {
		buf = append(buf[:0], c.Row(y)...)
		switch c.format {
		case qxl.Surface32xRGB:
			for i := 3; i < len(buf); i += 4 {
				buf[i] = 0
			}
		case qxl.Surface16x555:
			for i := 1; i < len(buf); i += 2 {
				buf[i] &= 0x7f
			}
		}
		h.Write(buf)
	}
	return h.Sum64()
}

// lineBytes is the whole number of bytes that n pixels take.
func lineBytes(bits, n int) int { return (bits*n + 7) / 8 }
