package main

// A frame's number is written into it in a strip of black and white squares: each
// bit, most significant first, as a square and its opposite, so that damage shows.
// The squares are two of JPEG's blocks wide and high: lossy codecs keep them.
const (
	square    = 16 // pixels
	bits      = 12
	maxFrames = 1 << bits
	contrast  = 64 // of 255 between a square and its opposite, at least
)

// Pix is a picture in rows of 4 bytes a pixel: blue, green, red and one unused.
type Pix struct {
	Width, Height int
	Data          []byte
}

// Stripe writes a number at the top and at the bottom.
func (p Pix) Stripe(number int) {
	for _, top := range []int{0, p.Height - square} {
		for i := range 2 * bits {
			white := number>>(bits-1-i/2)&1 != i&1
			p.fill(i*square, top, white)
		}
	}
}

func (p Pix) fill(left, top int, white bool) {
	v := byte(16)
	if white {
		v = 235
	}
	for y := top; y < top+square; y++ {
		row := p.Data[4*(y*p.Width+left):][:4*square]
		for i := range row {
			row[i] = v
		}
	}
}

// Number reads the older one of both numbers; false if one of them cannot be read.
func (p Pix) Number() (int, bool) {
	first, ok1 := p.read(0)
	second, ok2 := p.read(p.Height - square)
	return min(first, second), ok1 && ok2
}

func (p Pix) read(top int) (number int, ok bool) {
	for i := range bits {
		a, b := p.level(2*i*square, top), p.level((2*i+1)*square, top)
		if max(a-b, b-a) < contrast {
			return 0, false
		}
		number <<= 1
		if a > b {
			number |= 1
		}
	}
	return number, true
}

// level is the mean of green in a square's middle.
func (p Pix) level(left, top int) int {
	sum := 0
	for y := top + square/4; y < top+3*square/4; y++ {
		for x := left + square/4; x < left+3*square/4; x++ {
			sum += int(p.Data[4*(y*p.Width+x)+1])
		}
	}
	return sum / (square / 2 * square / 2)
}
