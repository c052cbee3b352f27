// Package testimage makes pictures for the tests and benchmarks of the codecs:
// by code, so that they are the same everywhere, and of the kinds that codecs
// tell apart.
package testimage

import (
	"math/bits"
	"math/rand/v2"

	"github.com/spiceecs/spiceecs/net/codec/pixel"
)

// Kinds are the names Bytes knows.
var Kinds = []string{"flat", "noise", "few", "stripes", "desktop", "photo"}

// Bytes makes the bytes of an image, random within its kind. Desktop and photo
// pictures are drawn in 32 bit and their bytes taken as whatever type im has.
func Bytes(rng *rand.Rand, kind string, im pixel.Image) []byte {
	b := make([]byte, im.Size())
	switch kind {
	case "flat":
		v := rng.Uint32()
		for i := range b {
			b[i] = byte(v >> (i % 4 * 8))
		}
	case "noise":
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
	case "few":
		for i := range b {
			b[i] = byte(rng.IntN(3)) * 7
		}
	case "stripes":
		period := 1 + rng.IntN(3*max(im.Stride, 1))
		for i := range b {
			if b[i] = byte(rng.Uint32()); i >= period && rng.IntN(200) > 0 {
				b[i] = b[i-period]
			}
		}
	case "desktop":
		copy(b, Desktop(max(1, (im.Stride+3)/4), im.Height, rng.Uint64()))
	case "photo":
		copy(b, Photo(max(1, (im.Stride+3)/4), im.Height, rng.Uint64()))
	}
	return b
}

// Split cuts b into pieces+1 consecutive chunks at random places; some may be empty.
func Split(rng *rand.Rand, b []byte, pieces int) [][]byte {
	var chunks [][]byte
	for range pieces {
		n := rng.IntN(len(b) + 1)
		chunks = append(chunks, b[:n])
		b = b[n:]
	}
	return append(chunks, b)
}

// Desktop draws windows with frames, title bars, lines of text and icons over
// a background, as 32-bit pixels with a pad byte of 0xff.
func Desktop(width, height int, seed uint64) []byte {
	rng := rand.New(rand.NewPCG(seed, 2))
	c := &canvas{width, height, make([]byte, 4*width*height)}
	c.fill(0, 0, width, height, 0x2e3440)
	glyphs := newGlyphs(rng)
	for range 7 {
		w, h := width/3+rng.IntN(width/3+1), height/3+rng.IntN(height/3+1)
		x, y := rng.IntN(width+1), rng.IntN(height+1)
		x, y = x-w/3, y-h/4
		c.fill(x, y, w, h, 0x808080)
		c.shade(x+1, y+1, w-2, 20, 0x3050a0)
		c.fill(x+1, y+21, w-2, h-22, 0xffffff)
		for line := y + 26; line+14 < y+h; line += 16 {
			c.text(rng, glyphs, x+6, line, x+w-10-rng.IntN(w/2+1))
		}
		for range 2 {
			c.icon(rng, x+10+rng.IntN(w+1), y+30+rng.IntN(h+1))
		}
	}
	c.shade(0, height-24, width, 24, 0xc0c0c8)
	return c.pix
}

// Photo makes soft shapes with the texture of a scene and the noise of a camera,
// as 32-bit pixels. It is about as hard on lossless codecs, and on JPEG, as a
// camera's picture scaled to the size of a screen.
func Photo(width, height int, seed uint64) []byte {
	rng := rand.New(rand.NewPCG(seed, 3))
	pix := make([]byte, 4*width*height)
	layers := []*texture{
		newTexture(rng, width, height, 256, 90), newTexture(rng, width, height, 64, 50),
		newTexture(rng, width, height, 16, 40), newTexture(rng, width, height, 4, 60),
	}
	var tint [3]*texture // shared brightness, and some colour of each
	for k := range tint {
		tint[k] = newTexture(rng, width, height, 160, 60)
	}
	for y := range height {
		for x := range width {
			light := float32(110)
			for _, l := range layers {
				light += l.at(x, y)
			}
			noise := rng.Uint64()
			for k := range 3 {
				grain := bits.OnesCount64(noise>>(21*k)&(1<<21-1)) - 10
				v := light + tint[k].at(x, y) + float32(grain)*2.2
				pix[4*(y*width+x)+k] = byte(min(max(v, 0), 255))
			}
			pix[4*(y*width+x)+3] = 0xff
		}
	}
	return pix
}

// texture is random heights at the corners of cells, and what lies between.
type texture struct {
	cell, across int
	corners      []float32
}

func newTexture(rng *rand.Rand, width, height, cell int, strength float32) *texture {
	t := &texture{cell: cell, across: width/cell + 2}
	t.corners = make([]float32, t.across*(height/cell+2))
	for i := range t.corners {
		t.corners[i] = strength * (rng.Float32() - 0.5)
	}
	return t
}

func (t *texture) at(x, y int) float32 {
	c := t.corners[y/t.cell*t.across+x/t.cell:]
	fx, fy := float32(x%t.cell)/float32(t.cell), float32(y%t.cell)/float32(t.cell)
	above, below := c[0]+(c[1]-c[0])*fx, c[t.across]+(c[t.across+1]-c[t.across])*fx
	return above + (below-above)*fy
}

type canvas struct {
	width, height int
	pix           []byte
}

func (c *canvas) set(x, y int, rgb uint32) {
	if x >= 0 && y >= 0 && x < c.width && y < c.height {
		p := c.pix[4*(y*c.width+x):]
		p[0], p[1], p[2], p[3] = byte(rgb), byte(rgb>>8), byte(rgb>>16), 0xff
	}
}

func (c *canvas) fill(x, y, w, h int, rgb uint32) {
	for j := y; j < y+h; j++ {
		for i := x; i < x+w; i++ {
			c.set(i, j, rgb)
		}
	}
}

// shade fills with lines that grow lighter downwards.
func (c *canvas) shade(x, y, w, h int, rgb uint32) {
	for j := range h {
		c.fill(x, y+j, w, 1, rgb+uint32(j)*0x020202)
	}
}

// glyph is a letter with grey edges, 7 by 13.
type glyph [13][7]byte

func newGlyphs(rng *rand.Rand) []glyph {
	glyphs := make([]glyph, 60)
	for g := range glyphs {
		for range 4 { // strokes
			x, y := 1+rng.IntN(5), 2+rng.IntN(9)
			dx, dy := rng.IntN(2), rng.IntN(2)
			for range 3 + rng.IntN(4) {
				glyphs[g][min(y, 12)][min(x, 6)] = 255
				if glyphs[g][min(y, 12)][min(x+1, 6)] == 0 {
					glyphs[g][min(y, 12)][min(x+1, 6)] = byte(60 * (1 + rng.IntN(3)))
				}
				x, y = x+dx, y+1-dx+dy
			}
		}
	}
	return glyphs
}

func (c *canvas) text(rng *rand.Rand, glyphs []glyph, x, y, end int) {
	for ; x+7 < end; x += 7 {
		if rng.IntN(6) == 0 {
			continue
		}
		for j, row := range &glyphs[rng.IntN(len(glyphs))] {
			for i, v := range row {
				if v > 0 {
					c.set(x+i, y+j, 0x010101*uint32(255-v))
				}
			}
		}
	}
}

// icon is a round shape in a gradient with some texture.
func (c *canvas) icon(rng *rand.Rand, x, y int) {
	base := rng.Uint32() & 0x7f7f7f
	for j := range 48 {
		for i := range 48 {
			if d := (i-24)*(i-24) + (j-24)*(j-24); d < 24*24 {
				c.set(x+i, y+j, base+uint32(d/8)*0x010101+uint32(rng.IntN(4)))
			}
		}
	}
}
