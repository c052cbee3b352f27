package testimage

import (
	"bytes"
	"math/rand/v2"
)

// Page draws lines of letters, which are the same for all seeds, in 32-bit pixels: what
// a server is sent all day, and quick to make.
func Page(w, h int, seed uint64) []byte {
	rng := rand.New(rand.NewPCG(1, 1))
	pix := bytes.Repeat([]byte{0xf0, 0xf0, 0xf0, 0}, w*h)
	glyphs := make([]byte, 40*7*12)
	for i := range glyphs {
		glyphs[i] = byte(max(rng.IntN(6)-3, 0) * 100)
	}
	rng = rand.New(rand.NewPCG(seed, 1))
	for y := 4; y+12 < h; y += 16 {
		for x, end := 10+rng.IntN(w/4), w-rng.IntN(w/2); x+7 < end; x += 8 {
			g := glyphs[rng.IntN(40)*7*12:]
			for i := range 7 * 12 {
				at := 4 * ((y+i/7)*w + x + i%7)
				pix[at], pix[at+1], pix[at+2] = 0xf0-g[i], 0xf0-g[i], 0xf0-g[i]
			}
		}
	}
	return pix
}

// Scene draws soft colours with the noise of a camera, in 32-bit pixels.
func Scene(w, h int, seed uint64) []byte {
	rng := rand.New(rand.NewPCG(seed, 2))
	pix := make([]byte, 4*w*h)
	for i := range w * h {
		x, y, noise := i%w, i/w, rng.Uint32()
		pix[4*i] = byte(x*y>>13) + byte(noise&7)
		pix[4*i+1] = byte((x+y)>>4) + byte(noise>>8&7)
		pix[4*i+2] = byte((x-y)>>5) + byte(noise>>16&7)
	}
	return pix
}
