package picture

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
)

// Measures of the heat picture, in pixels.
const (
	heatMargin = 28
	heatGap    = 28
	mapWidth   = 720 // of one map at most, unless the surface is much higher than wide
	leastWidth = 560 // of the room for a map and its title
	maxZoom    = 8   // of a small surface
	barHeight  = 14
)

// The palette: first what stands for "never" and for the page, then the greys of
// text on the page, then the heat.
const (
	colorPage  = 0
	colorNever = 1
	firstText  = 2
	textShades = 30
	firstHeat  = firstText + textShades
	heatShades = 256 - firstHeat
)

// ramp is the colours of heat from little to much, in equal steps: dark violet
// over red to light yellow, of even growing brightness.
var ramp = []color.RGBA{
	{0x2b, 0x0b, 0x57, 255}, {0x4a, 0x0c, 0x6b, 255}, {0x78, 0x1c, 0x6d, 255}, {0xa5, 0x2c, 0x60, 255}, {0xcf, 0x44, 0x46, 255},
	{0xed, 0x69, 0x25, 255}, {0xfb, 0x9b, 0x06, 255}, {0xf7, 0xd1, 0x3d, 255}, {0xfc, 0xff, 0xa4, 255},
}

func mix(a, b color.RGBA, t float64) color.RGBA {
	part := func(a, b uint8) uint8 { return uint8(math.Round(float64(a) + t*(float64(b)-float64(a)))) }
	return color.RGBA{part(a.R, b.R), part(a.G, b.G), part(a.B, b.B), 255}
}

func heatPalette() color.Palette {
	page, never, text := color.RGBA{0x12, 0x12, 0x17, 255}, color.RGBA{0x26, 0x27, 0x30, 255}, color.RGBA{0xec, 0xea, 0xe6, 255}
	p := make(color.Palette, 0, 256)
	p = append(p, page, never)
	for i := range textShades {
		p = append(p, mix(page, text, float64(i+1)/textShades))
	}
	for i := range heatShades {
		t := float64(i) / (heatShades - 1) * float64(len(ramp)-1)
		at := min(int(t), len(ramp)-2)
		p = append(p, mix(ramp[at], ramp[at+1], t-float64(at)))
	}
	return p
}

// scale turns counts into colours, by their logarithm up to most.
type scale struct{ most uint32 }

// place is where a count of at least 1 lies on the scale, from 0 to 1.
func (s scale) place(n uint32) float64 {
	if s.most <= 1 {
		return 1
	}
	return math.Log(float64(n)) / math.Log(float64(s.most))
}

func (s scale) color(n uint32) uint8 {
	if n == 0 {
		return colorNever
	}
	return uint8(firstHeat + int(math.Round(s.place(n)*(heatShades-1))))
}

// ErrEmpty reports that there is nothing to be seen.
var ErrEmpty = errors.New("there was no primary surface")

// heatMap is one of the two maps.
type heatMap struct {
	title  string
	sum    HeatCounts
	remark string
	cells  []uint32
}

// WritePNG draws both counts side by side, with one scale for both.
func (h *Heat) WritePNG(w io.Writer) error {
	if h.Width == 0 {
		return ErrEmpty
	}
	drawn, sent := h.Counts()
	remark := "there is no client"
	if h.Client > 0 {
		remark = percent(int64(sent.Pixels), int64(drawn.Pixels)) + " of what was drawn; it takes what waits after every " + count(h.Client, "command")
	}
	maps := [2]heatMap{{"drawn by the guest", drawn, "", h.Drawn()}, {"sent to the client", sent, remark, h.Sent()}}
	up, down := h.zoom()
	room := max(h.Width*up/down, leastWidth)
	height := (h.Height*up + down - 1) / down
	top := heatMargin + largeFace.height + 16 + 3*(smallFace.height+2) + 10
	p := &plot{
		Paletted: image.NewPaletted(image.Rect(0, 0, 2*heatMargin+2*room+heatGap, top+height+36+barHeight+2*smallFace.height+heatMargin), heatPalette()),
		scale:    scale{max(drawn.Most, sent.Most)},
	}
	p.text(largeFace, heatMargin, heatMargin, headline("How often each pixel was drawn and sent", h.Commands, h.Title), textShades)
	for i, m := range maps {
		x, y := heatMargin+i*(room+heatGap), heatMargin+largeFace.height+16
		p.text(smallFace, x, y, m.title, textShades)
		line := fmt.Sprintf("%s by %s, a pixel up to %s", pixels(m.sum.Pixels), count(m.sum.Drawables, "drawable"), count(uint64(m.sum.Most), "time"))
		p.text(smallFace, x, y+smallFace.height+2, line, textShades*7/10)
		p.text(smallFace, x, y+2*(smallFace.height+2), m.remark, textShades*7/10)
		p.cells(x, top, h, m.cells, up, down)
	}
	p.bar(heatMargin, top+height+30, 2*room+heatGap)
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(w, p.Paletted); err != nil {
		return fmt.Errorf("encoding the heat: %w", err)
	}
	return nil
}

// zoom is by how much the surface is magnified, and then reduced.
func (h *Heat) zoom() (up, down int) {
	side := max(h.Width, h.Height)
	if h.Width <= mapWidth && side <= 2*mapWidth {
		return min(maxZoom, max(1, mapWidth/side)), 1
	}
	return 1, max((h.Width+mapWidth-1)/mapWidth, (side+2*mapWidth-1)/(2*mapWidth))
}

// plot is a heat picture that is being drawn.
type plot struct {
	*image.Paletted
	scale scale
}

// text writes with a brightness up to shades.
func (p *plot) text(f face, x, y int, s string, shades int) {
	f.write(x, y, s, func(x, y int, coverage uint8) {
		if shade := int(coverage) * shades / 255; shade > 0 {
			p.SetColorIndex(x, y, uint8(firstText+shade-1))
		}
	})
}

// cells draws a map at x, y. Of the pixels that share a dot, the one with the
// largest count is seen.
func (p *plot) cells(x, y int, h *Heat, cells []uint32, up, down int) {
	for dy := range (h.Height*up + down - 1) / down {
		for dx := range (h.Width*up + down - 1) / down {
			n := uint32(0)
			for cy := dy * down / up; cy < min(h.Height, max((dy+1)*down/up, dy*down/up+1)); cy++ {
				for cx := dx * down / up; cx < min(h.Width, max((dx+1)*down/up, dx*down/up+1)); cx++ {
					n = max(n, cells[cy*h.Width+cx])
				}
			}
			p.SetColorIndex(x+dx, y+dy, p.scale.color(n))
		}
	}
}

// bar draws the scale at x, y.
func (p *plot) bar(x, y, width int) {
	const never = 40 // width of the part for what is not touched
	p.fill(image.Rect(x, y, x+never, y+barHeight), colorNever)
	p.text(smallFace, x, y+barHeight+6, "never", textShades*7/10)
	x, width = x+never+24, width-never-24
	for dx := range width {
		t := float64(dx) / float64(width-1)
		p.fill(image.Rect(x+dx, y, x+dx+1, y+barHeight), uint8(firstHeat+int(math.Round(t*(heatShades-1)))))
	}
	mark := func(n uint32, from, to int) (left, right int) {
		at, label := x+int(p.scale.place(n)*float64(width-1)), number(int(n))
		room := len(label) * smallFace.width
		left = min(max(at-room/2, x), x+width-room)
		if left < from || left+room > to {
			return to, from // no room
		}
		p.fill(image.Rect(at, y+barHeight, at+1, y+barHeight+5), firstText+textShades*6/10)
		p.text(smallFace, left, y+barHeight+6, label, textShades*7/10)
		return left, left + room
	}
	from := x
	to, _ := mark(p.scale.most, from, x+width)
	for _, n := range ticks(p.scale.most) {
		_, right := mark(n, from, to-smallFace.width)
		if right > from {
			from = right + smallFace.width
		}
	}
	p.text(smallFace, x+width-len(times)*smallFace.width, y+barHeight+6+smallFace.height, times, textShades*6/10)
}

const times = "times, logarithmic"

// ticks are the numbers 1, 2, 5, 10 … below most.
func ticks(most uint32) (all []uint32) {
	for step := uint64(1); step < uint64(most); step *= 10 {
		for _, f := range []uint64{1, 2, 5} {
			if f*step < uint64(most) {
				all = append(all, uint32(f*step))
			}
		}
	}
	return all
}

func (p *plot) fill(r image.Rectangle, c uint8) {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			p.SetColorIndex(x, y, c)
		}
	}
}
