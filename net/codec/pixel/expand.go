package pixel

import (
	"encoding/binary"
	"fmt"
)

// Expand32 converts decoded lines, in im's own layout, to 32-bit pixels
// B,G,R,x in dst (4 * Width * Height bytes, same line order). Palette types
// take their colours, 00RRGGBB, from palette; pixels that an incomplete line
// leaves out become 0. RGB32, RGBA and XXXA are copied, A8 goes to the fourth byte.
func Expand32(dst []byte, im Image, src []byte, palette []uint32) error {
	if err := im.Check(); err != nil {
		return fmt.Errorf("expanding to 32 bit: %w", err)
	}
	if len(src) < im.Size() || len(dst) < 4*im.Width*im.Height {
		return fmt.Errorf("expanding to 32 bit: %w: %d bytes into %d", ErrImage, len(src), len(dst))
	}
	for y := range im.Height {
		line := src[y*im.Stride : (y+1)*im.Stride]
		out := dst[y*im.Width*4 : (y+1)*im.Width*4]
		switch im.Type {
		case RGB16:
			expand555(out, line)
		case RGB24:
			stageWiden(out, line)
		case A8:
			for x, a := range line {
				out[4*x], out[4*x+1], out[4*x+2], out[4*x+3] = 0, 0, 0, a
			}
		case RGB32, RGBA, XXXA:
			copy(out, line)
		default:
			if err := expandPalette(out, im.Type, line, palette); err != nil {
				return fmt.Errorf("line %d: %w", y, err)
			}
		}
	}
	return nil
}

func expand555(dst, src []byte) {
	for len(src) >= 2 && len(dst) >= 4 {
		binary.LittleEndian.PutUint32(dst, widen555(uint32(binary.LittleEndian.Uint16(src))))
		src, dst = src[2:], dst[4:]
	}
}

// widen555 makes 8 bits of 5 by repeating the upper ones.
func widen555(v uint32) uint32 {
	r, g, b := v>>10&31, v>>5&31, v&31
	return (r<<3|r>>2)<<16 | (g<<3|g>>2)<<8 | b<<3 | b>>2
}

func expandPalette(dst []byte, t Type, line []byte, palette []uint32) error {
	ppb := t.PixelsPerByte()
	bits := 8 / ppb
	mask := byte(1<<bits - 1)
	littleEnd := t == PLT1LE || t == PLT4LE
	for x := range len(dst) / 4 {
		if x/ppb >= len(line) {
			clear(dst[4*x:])
			return nil
		}
		shift := x % ppb * bits
		if !littleEnd {
			shift = 8 - bits - shift
		}
		index := int(line[x/ppb] >> shift & mask)
		if ppb == 2 && len(palette) > 0 {
			index %= len(palette) // what clients do with short palettes of 16
		}
		if index >= len(palette) {
			return fmt.Errorf("%w: colour %d of a palette of %d", ErrImage, index, len(palette))
		}
		binary.LittleEndian.PutUint32(dst[4*x:], palette[index])
	}
	return nil
}
