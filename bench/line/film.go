package main

import (
	"math"
	"math/rand/v2"
)

// Film is a video: a landscape that looks like a photo moves past, and things
// move in front of it. Frames are made from their numbers, so that anybody can
// tell what a frame should look like.
type Film struct {
	Width, Height int
	back, front   Pix // textures
}

const textureWide, textureHigh = 2048, 1024

// NewFilm makes a film, always the same.
func NewFilm(width, height int) *Film {
	rnd := rand.New(rand.NewPCG(1, 2))
	f := &Film{Width: width, Height: height}
	f.back = texture(rnd, [3]float64{150, 120, 90}, .5)
	f.front = texture(rnd, [3]float64{70, 110, 160}, .6)
	return f
}

// texture is a repeating picture of noise whose coarse parts are the strong ones,
// as they are in photos, in shades of a colour.
func texture(rnd *rand.Rand, tint [3]float64, falloff float64) Pix {
	light := noise(rnd, 8, falloff)
	hue := noise(rnd, 4, falloff)
	p := Pix{textureWide, textureHigh, make([]byte, 4*textureWide*textureHigh)}
	for i := range light {
		for c := range 3 {
			v := tint[c] + 90*light[i] + 40*hue[i]*float64(c-1)
			p.Data[4*i+c] = byte(min(max(v, 0), 255))
		}
	}
	return p
}

// noise sums octaves of random values on ever finer grids, smoothly joined.
func noise(rnd *rand.Rand, octaves int, falloff float64) []float64 {
	sum := make([]float64, textureWide*textureHigh)
	for o := range octaves {
		step := 256 >> o
		strength := math.Pow(2, -falloff*float64(o))
		w, h := textureWide/step, textureHigh/step
		grid := make([]float64, w*h)
		for i := range grid {
			grid[i] = strength * (2*rnd.Float64() - 1)
		}
		for y := range textureHigh {
			y0, fy := y/step, smooth(y%step, step)
			up, down := grid[y0*w:][:w], grid[(y0+1)%h*w:][:w]
			for x := range textureWide {
				x0, fx := x/step, smooth(x%step, step)
				x1 := (x0 + 1) % w
				a := up[x0] + fx*(up[x1]-up[x0])
				b := down[x0] + fx*(down[x1]-down[x0])
				sum[y*textureWide+x] += a + fy*(b-a)
			}
		}
	}
	return sum
}

func smooth(i, n int) float64 {
	t := float64(i) / float64(n)
	return t * t * (3 - 2*t)
}

// Frame draws a frame into data, which is used again if it is large enough.
func (f *Film) Frame(number int, data []byte) Pix {
	if len(data) < 4*f.Width*f.Height {
		data = make([]byte, 4*f.Width*f.Height)
	}
	p := Pix{f.Width, f.Height, data[:4*f.Width*f.Height]}
	t := float64(number)
	f.back.tile(p, 3*number, int(40+30*math.Sin(t/31)), func(x, y int) bool { return true })
	for i := range 3 {
		phase := t/20 + 2.1*float64(i)
		cx := float64(f.Width) * (.5 + .4*math.Cos(phase*(.7+.2*float64(i))))
		cy := float64(f.Height) * (.5 + .3*math.Sin(phase))
		r := float64(f.Height) * (.12 + .05*float64(i))
		f.front.tile(p, 600*i-4*number, 300*i, func(x, y int) bool {
			dx, dy := float64(x)-cx, float64(y)-cy
			return dx*dx+dy*dy < r*r
		})
	}
	p.Stripe(number)
	return p
}

// tile fills the pixels of to that are wanted with a texture that begins at (dx,dy).
func (p Pix) tile(to Pix, dx, dy int, want func(x, y int) bool) {
	for y := range to.Height {
		row := p.Data[4*p.Width*((y+dy)%p.Height):][:4*p.Width]
		out := to.Data[4*to.Width*y:][:4*to.Width]
		for x := range to.Width {
			if want(x, y) {
				from := ((x+dx)%p.Width + p.Width) % p.Width
				copy(out[4*x:4*x+4], row[4*from:4*from+4])
			}
		}
	}
}

// PSNR compares two pictures of the same size, in decibels.
func PSNR(a, b Pix) float64 {
	sum := 0
	for i := 0; i < len(a.Data); i += 4 {
		for c := range 3 {
			d := int(a.Data[i+c]) - int(b.Data[i+c])
			sum += d * d
		}
	}
	if sum == 0 {
		return 99
	}
	return 10 * math.Log10(255*255*3*float64(len(a.Data)/4)/float64(sum))
}
