package jpeg

import "encoding/binary"

// mcu is the samples of 16 x 16 pixels: the upper two luma blocks, the lower
// two, and Cb with Cr. All samples are 0 to 255.
type mcu struct {
	upper, lower, chroma block
}

// The weights of the colours in luma and chroma (JFIF), in units of 2^-16.
const (
	yR, yG, yB    = 19595, 38470, 7471
	cbR, cbG, cbB = 11059, 21709, 32768
	crR, crG, crB = 32768, 27439, 5329
)

const (
	byteLanes  = 0x000000ff_000000ff
	bothLanes  = 0x00000001_00000001
	lowLane    = 0x00000000_ffffffff
	colourMask = 0x00ffffff_00ffffff
)

// convert fills m from the 64 bytes of 16 lines that begin at byte x.
func (m *mcu) convert(rows *[16][]byte, x int) {
	for y := 0; y < 8; y += 2 {
		convertPair((*[16]lanes)(m.upper[y*8:]), (*[8]lanes)(m.chroma[y*4:]), rows[y][x:x+64], rows[y+1][x:x+64])
		convertPair((*[16]lanes)(m.lower[y*8:]), (*[8]lanes)(m.chroma[32+y*4:]), rows[8+y][x:x+64], rows[9+y][x:x+64])
	}
}

// convertPair makes, of 16 pixels in each of two lines, two rows of two luma
// blocks and one row of chroma.
func convertPair(luma *[16]lanes, chroma *[8]lanes, above, below []byte) {
	above, below = above[:64], below[:64]
	for i := 0; i < 4; i++ {
		a0, a1 := leftRight(above, i)
		b0, b1 := leftRight(below, i)
		b := a0&byteLanes + a1&byteLanes + b0&byteLanes + b1&byteLanes
		g := a0>>8&byteLanes + a1>>8&byteLanes + b0>>8&byteLanes + b1>>8&byteLanes
		r := a0>>16&byteLanes + a1>>16&byteLanes + b0>>16&byteLanes + b1>>16&byteLanes
		luma[2*i], luma[2*i+1] = luminance(a0), luminance(a1)
		luma[8+2*i], luma[9+2*i] = luminance(b0), luminance(b1)
		cb, cr := chrominance(r, g, b)
		chroma[i] = cb&lowLane | cr<<32
		chroma[4+i] = cb>>32 | cr&^lowLane
	}
}

// leftRight returns the pixels 2i and 2i+1 of the left 8 pixels, each with its
// counterpart of the right 8 in the high lane.
func leftRight(line []byte, i int) (even, odd lanes) {
	left, right := binary.LittleEndian.Uint64(line[8*i:]), binary.LittleEndian.Uint64(line[32+8*i:])
	return left&lowLane | right<<32, left>>32 | right&^lowLane
}

// luminance returns Y of two pixels.
func luminance(p lanes) lanes {
	return (p&byteLanes*yB + p>>8&byteLanes*yG + p>>16&byteLanes*yR + bothLanes<<15) >> 16 & byteLanes
}

// chrominance returns Cb and Cr of two pixels, from sums over four.
func chrominance(r, g, b lanes) (cb, cr lanes) {
	const offset = bothLanes * (128<<18 + 1<<17 - 1)
	cb = (b*cbB - g*cbG - r*cbR + offset) >> 18 & byteLanes
	cr = (r*crR - g*crG - b*crB + offset) >> 18 & byteLanes
	return cb, cr
}

// flat tells whether the 64 bytes of 16 lines that begin at byte x are pixels
// of one colour, and which.
func flat(rows *[16][]byte, x int) (colour uint32, ok bool) {
	first := binary.LittleEndian.Uint64(rows[0][x:]) & lowLane
	first |= first << 32
	for _, row := range rows {
		p := row[x : x+64]
		d := (binary.LittleEndian.Uint64(p) ^ first) | (binary.LittleEndian.Uint64(p[8:]) ^ first) |
			(binary.LittleEndian.Uint64(p[16:]) ^ first) | (binary.LittleEndian.Uint64(p[24:]) ^ first) |
			(binary.LittleEndian.Uint64(p[32:]) ^ first) | (binary.LittleEndian.Uint64(p[40:]) ^ first) |
			(binary.LittleEndian.Uint64(p[48:]) ^ first) | (binary.LittleEndian.Uint64(p[56:]) ^ first)
		if d&colourMask != 0 {
			return 0, false
		}
	}
	return uint32(first) & 0xffffff, true
}
