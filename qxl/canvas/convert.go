package canvas

import (
	"encoding/binary"

	"github.com/spiceecs/spiceecs/qxl"
)

// layout is how pixels lie in a line. Words are little endian.
type layout uint8

const (
	lay1LE  layout = iota // palette; bit 0 is the leftmost pixel
	lay1BE                // palette; bit 7 is the leftmost pixel
	lay4LE                // palette; low half first
	lay4BE                // palette; high half first
	lay8P                 // palette
	lay1A                 // alpha; bit 0 is the leftmost pixel
	lay8A                 // alpha
	layW1                 // alpha 0 or 255 in a byte: how 1-bit canvases are worked on
	lay555                // x1 r5 g5 b5
	lay565                // r5 g6 b5
	lay24                 // bytes b, g, r
	layXRGB               // x8 r8 g8 b8
	layARGB               // a8 r8 g8 b8, premultiplied
)

var layoutBits = [...]int{
	lay1LE: 1, lay1BE: 1, lay4LE: 4, lay4BE: 4, lay8P: 8, lay1A: 1, lay8A: 8, layW1: 8,
	lay555: 16, lay565: 16, lay24: 24, layXRGB: 32, layARGB: 32,
}

// bits is the size of a pixel.
func (l layout) bits() int { return layoutBits[l] }

// opaque reports whether pixels have no alpha.
func (l layout) opaque() bool {
	switch l {
	case lay1A, lay8A, layW1, layARGB:
		return false
	}
	return true
}

// indexed reports whether pixels go through a palette.
func (l layout) indexed() bool { return l <= lay8P }

var bitmapLayouts = [...]layout{
	qxl.Bitmap1BitLE: lay1LE, qxl.Bitmap1BitBE: lay1BE, qxl.Bitmap4BitLE: lay4LE, qxl.Bitmap4BitBE: lay4BE,
	qxl.Bitmap8Bit: lay8P, qxl.Bitmap16Bit: lay555, qxl.Bitmap24Bit: lay24, qxl.Bitmap32Bit: layXRGB,
	qxl.BitmapRGBA: layARGB, qxl.Bitmap8BitA: lay8A,
}

// bitmapLayout is the layout of a bitmap format; ok is false for an unknown one.
func bitmapLayout(f qxl.BitmapFormat) (l layout, ok bool) {
	if f.BitsPerPixel() == 0 {
		return 0, false
	}
	return bitmapLayouts[f], true
}

// surfaceLayout is the layout of a surface in memory.
func surfaceLayout(f qxl.SurfaceFormat) layout {
	switch f {
	case qxl.Surface1A:
		return lay1A
	case qxl.Surface8A:
		return lay8A
	case qxl.Surface16x555:
		return lay555
	case qxl.Surface16x565:
		return lay565
	case qxl.Surface32ARGB:
		return layARGB
	}
	return layXRGB
}

// workLayout is the layout of the rows that painters see, see job.row.
func workLayout(f qxl.SurfaceFormat) layout {
	if f == qxl.Surface1A {
		return layW1
	}
	return surfaceLayout(f)
}

// index is the palette index of pixel x.
func (l layout) index(line []byte, x int) byte {
	switch l {
	case lay1LE:
		return line[x>>3] >> (x & 7) & 1
	case lay1BE:
		return line[x>>3] >> (7 - x&7) & 1
	case lay4LE:
		return line[x>>1] >> (4 * (x & 1)) & 15
	case lay4BE:
		return line[x>>1] >> (4 - 4*(x&1)) & 15
	}
	return line[x]
}

func expand555(v uint32) uint32 {
	r, g, b := v>>10&31, v>>5&31, v&31
	return 0xff000000 | (r<<3|r>>2)<<16 | (g<<3|g>>2)<<8 | (b<<3 | b>>2)
}

func expand565(v uint32) uint32 {
	r, g, b := v>>11&31, v>>5&63, v&31
	return 0xff000000 | (r<<3|r>>2)<<16 | (g<<2|g>>4)<<8 | (b<<3 | b>>2)
}

func reduce555(v uint32) uint16 { return uint16(v>>9&0x7c00 | v>>6&0x03e0 | v>>3&0x001f) }
func reduce565(v uint32) uint16 { return uint16(v>>8&0xf800 | v>>5&0x07e0 | v>>3&0x001f) }

// fetchARGB sets dst to the pixels of line from x on as premultiplied a8r8g8b8.
// Layouts without alpha are opaque, those without colour black. palette is
// used by indexed layouts.
func (l layout) fetchARGB(dst []uint32, line []byte, x int, palette *[256]uint32) {
	switch l {
	case layARGB:
		line = line[4*x:]
		for i := range dst {
			dst[i] = binary.LittleEndian.Uint32(line[4*i:])
		}
	case layXRGB:
		line = line[4*x:]
		for i := range dst {
			dst[i] = binary.LittleEndian.Uint32(line[4*i:]) | 0xff000000
		}
	case lay24:
		line = line[3*x:]
		for i := range dst {
			p := line[3*i : 3*i+3]
			dst[i] = 0xff000000 | uint32(p[2])<<16 | uint32(p[1])<<8 | uint32(p[0])
		}
	case lay555:
		line = line[2*x:]
		for i := range dst {
			dst[i] = expand555(uint32(binary.LittleEndian.Uint16(line[2*i:])))
		}
	case lay565:
		line = line[2*x:]
		for i := range dst {
			dst[i] = expand565(uint32(binary.LittleEndian.Uint16(line[2*i:])))
		}
	case lay8A, layW1:
		for i := range dst {
			dst[i] = uint32(line[x+i]) << 24
		}
	case lay1A:
		for i := range dst {
			dst[i] = uint32(-(line[(x+i)>>3] >> ((x + i) & 7) & 1)) << 24
		}
	default:
		for i := range dst {
			dst[i] = palette[l.index(line, x+i)]
		}
	}
}

// storeARGB writes premultiplied a8r8g8b8 pixels to dst, which is in one of
// the layouts of job.row. Colours are truncated; the pad of xRGB becomes 0.
func (l layout) storeARGB(dst []byte, src []uint32) {
	switch l {
	case layARGB:
		for i, v := range src {
			binary.LittleEndian.PutUint32(dst[4*i:], v)
		}
	case layXRGB:
		for i, v := range src {
			binary.LittleEndian.PutUint32(dst[4*i:], v&0x00ffffff)
		}
	case lay555:
		for i, v := range src {
			binary.LittleEndian.PutUint16(dst[2*i:], reduce555(v))
		}
	case lay565:
		for i, v := range src {
			binary.LittleEndian.PutUint16(dst[2*i:], reduce565(v))
		}
	case lay8A:
		for i, v := range src {
			dst[i] = byte(v >> 24)
		}
	case layW1:
		for i, v := range src {
			dst[i] = -byte(v >> 31)
		}
	}
}

// shownOn is the layout whose colours a bitmap of layout l has on a canvas of
// layout work: the canvas' own, but on 32 bits alpha stays or stays away. What
// has alpha only is black.
func (l layout) shownOn(work layout) layout {
	switch {
	case work.bits() != 32:
		return work
	case l == layARGB:
		return layARGB
	}
	return layXRGB
}

// reduceARGB is v as a canvas of layout l would show it.
func (l layout) reduceARGB(v uint32) uint32 {
	switch l {
	case lay555:
		return expand555(uint32(reduce555(v)))
	case lay565:
		return expand565(uint32(reduce565(v)))
	case layXRGB:
		return v | 0xff000000
	}
	return v
}

// depths are the numbers of bits of blue, green and red.
func (l layout) depths() [3]uint {
	switch l {
	case lay555:
		return [3]uint{5, 5, 5}
	case lay565:
		return [3]uint{5, 6, 5}
	}
	return [3]uint{8, 8, 8}
}

// putWord writes one raw word of the canvas' format as a pixel of layout l.
func (l layout) putWord(dst []byte, word uint32) {
	switch l.bits() {
	case 32:
		binary.LittleEndian.PutUint32(dst, word)
	case 16:
		binary.LittleEndian.PutUint16(dst, uint16(word))
	default:
		if l == layW1 {
			word = -(word & 1)
		}
		dst[0] = byte(word)
	}
}

// wordARGB is a raw word of the canvas' format as an opaque colour, or as
// alpha where the format has nothing else.
func (l layout) wordARGB(word uint32) uint32 {
	switch l {
	case lay555:
		return expand555(word)
	case lay565:
		return expand565(word)
	case lay8A:
		return word << 24
	case layW1:
		return -(word & 1) & 0xff000000
	}
	return word | 0xff000000
}
