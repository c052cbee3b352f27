package displaytest

import (
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/systems/encode"
)

// Source is where a generator takes its decisions from; a *rand.Rand is one.
type Source interface {
	// IntN is a number below n.
	IntN(n int) int
}

// Bytes is a Source that reads decisions from a fuzzer's input, and has an end.
type Bytes struct{ Data []byte }

// IntN takes a byte, or two for a large n. At the end it is 0.
func (b *Bytes) IntN(n int) int {
	v := 0
	for range 1 + n>>8 {
		if len(b.Data) > 0 {
			v, b.Data = v<<8|int(b.Data[0]), b.Data[1:]
		}
	}
	return v % n
}

// generator knows as much of the program so far as it takes to go on sensibly.
type generator struct {
	Source
	surfaces [Surfaces]generated
	clients  [3]bool
	recent   []Draw
	films    []Draw
	images   []Image
	compress bool // clients are sent compressed images
	timed    bool // clients have lines, and time passes
	p        Program
	cmd      qxl.Drawable
}

// generated is a surface that exists, if it has a size.
type generated struct {
	size   Point
	format qxl.SurfaceFormat
}

// Generate makes a program of some steps.
func Generate(src Source, steps int) Program {
	g := &generator{Source: src, compress: src.IntN(4) > 0, timed: src.IntN(3) == 0}
	if g.IntN(8) > 0 {
		g.createPrimary()
	}
	for len(g.p) < steps {
		if b, ok := src.(*Bytes); ok && len(b.Data) == 0 {
			break
		}
		g.step()
	}
	return g.p
}

func (g *generator) add(s Step) { g.p = append(g.p, s) }

// step adds one step. The numbers are how often each kind comes.
func (g *generator) step() {
	kinds := [...]struct {
		weight int
		make   func()
	}{
		{300, g.draw},
		{30, g.update},
		{8, g.film},
		{4, func() { g.add(Step{Do: Rest, Count: g.IntN(3)}) }},
		{50, g.send},
		{50, g.sent},
		{12, g.joinOrLeave},
		{12, g.createOrDestroy},
		{3, func() { g.add(Step{Do: Flush}) }},
		{3, func() { g.add(Step{Do: Restart}) }},
		{3, func() {
			g.add(Step{Do: Rate, Client: g.client(), Count: []int{0, 100, 1500, 5000, 20000, 200000, 2000000}[g.IntN(7)]})
		}},
		{4, func() { g.add(Step{Do: Lag, Client: g.client()}) }},
		{4, func() { g.add(Step{Do: Bound, Count: []int{1, 600, 3000, 20000, 1 << 30}[g.IntN(5)]}) }},
		{6, func() { g.add(Step{Do: Advance, Count: []int{1, 30, 100, 250, 400, 1000, 3000, 31000}[g.IntN(8)]}) }},
		{2, func() { g.add(Step{Do: Settle}) }},
		{2, func() { g.add(Step{Do: Monitors, Count: g.IntN(50)}) }},
		{2, g.primary},
		{1, g.destroyAll},
	}
	n := 0
	for _, k := range kinds {
		n += k.weight
	}
	n = g.IntN(n)
	for _, k := range kinds {
		if n -= k.weight; n < 0 {
			k.make()
			break
		}
	}
	if g.timed && g.IntN(2) == 0 {
		g.add(Step{Do: Advance, Count: 1 + g.IntN([]int{60, 500}[g.IntN(2)])})
	}
}

func (g *generator) size() Point { return Point{int32(16 + g.IntN(49)), int32(12 + g.IntN(37))} }

func (g *generator) createPrimary() {
	s := &g.surfaces[0]
	s.size, s.format = g.size(), qxl.Surface32xRGB
	if g.IntN(10) == 0 {
		rare := [...]qxl.SurfaceFormat{qxl.Surface16x555, qxl.Surface16x555, qxl.Surface16x565, qxl.Surface8A, qxl.Surface1A}
		s.format = rare[g.IntN(len(rare))]
	}
	g.add(Step{Do: Primary, Size: s.size, Format: int(s.format), Keep: g.IntN(3) == 0, Seed: g.IntN(1 << 16)})
}

func (g *generator) primary() {
	if g.surfaces[0].size == (Point{}) {
		g.createPrimary()
		return
	}
	g.surfaces[0] = generated{}
	g.add(Step{Do: DestroyPrimary})
}

func (g *generator) destroyAll() {
	clear(g.surfaces[:])
	g.add(Step{Do: DestroyAll})
	g.createPrimary()
}

func (g *generator) createOrDestroy() {
	id := 1 + g.IntN(Surfaces-1)
	s := &g.surfaces[id]
	if s.size != (Point{}) {
		*s = generated{}
		g.add(Step{Do: Destroy, Surface: id})
		return
	}
	formats := [...]qxl.SurfaceFormat{
		qxl.Surface32xRGB, qxl.Surface32xRGB, qxl.Surface32ARGB, qxl.Surface16x555, qxl.Surface8A, qxl.Surface16x565,
		qxl.Surface1A, qxl.Surface1A,
	}
	s.size, s.format = g.size(), formats[g.IntN(len(formats))]
	g.add(Step{Do: Create, Surface: id, Size: s.size, Format: int(s.format), Keep: g.IntN(3) == 0, Seed: g.IntN(1 << 16)})
}

func (g *generator) joinOrLeave() {
	n := g.IntN(len(g.clients))
	if g.clients[n] = !g.clients[n]; g.clients[n] {
		g.add(Step{Do: Join, Client: n, Join: g.options()})
		if g.IntN(4) > 0 {
			g.rate(n)
		}
	} else {
		do := Leave
		if g.IntN(2) == 0 {
			do = Hangup
		}
		g.add(Step{Do: do, Client: n})
	}
}

// rate is how fast a client reads from now on.
func (g *generator) rate(client int) {
	g.add(Step{Do: Rate, Client: client, Count: []int{0, 100, 1500, 5000, 20000, 200000, 2000000}[g.IntN(7)]})
}

// options is what a client may be like.
func (g *generator) options() *JoinOptions {
	compression := encode.Off
	if g.compress {
		compression += encode.Compression(g.IntN(7))
	}
	return &JoinOptions{
		Compression: compression, LZ4: g.IntN(2) == 0, Monitors: g.IntN(2) == 0, Slow: g.IntN(2) == 0,
		Pixmaps: []int{0, 500, 3000, 1 << 20}[g.IntN(4)], Window: []int{0, 1500, 8000, 1 << 18}[g.IntN(4)],
		Line: g.timed || g.IntN(2) == 0, Ack: []uint32{0, leastWindow, 5, 10}[g.IntN(4)], Buffer: []int{0, 1, 20000}[g.IntN(3)],
		Sized: g.IntN(2) == 0, Reports: g.IntN(2) == 0, NoVideo: g.IntN(10) == 0, Refuses: g.IntN(10) == 0,
	}
}

// client picks one that there is, if there is one.
func (g *generator) client() int {
	n := g.IntN(len(g.clients))
	for range g.clients {
		if g.clients[n] {
			break
		}
		n = (n + 1) % len(g.clients)
	}
	return n
}

func (g *generator) send() {
	g.add(Step{Do: Send, Client: g.client(), Count: 1 + g.IntN([]int{2, 8, 100}[g.IntN(3)])})
}

func (g *generator) sent() {
	g.add(Step{Do: Sent, Client: g.client(), Count: 1 + g.IntN([]int{10, 1000, 50000}[g.IntN(3)])})
}

func (g *generator) update() {
	id := g.surface()
	do := Update
	if g.IntN(4) == 0 {
		do = UpdateCommand
	}
	g.add(Step{Do: do, Surface: id, Area: g.box(g.surfaces[id].size), Count: g.IntN(2)})
}

// film makes a video, or goes on with one.
func (g *generator) film() {
	if g.surfaces[0].size == (Point{}) {
		return
	}
	count, every := 1+g.IntN(25), []int{0, 10, 33, 33, 90, 180}[g.IntN(6)]
	if n := len(g.films); n > 0 && g.IntN(2) == 0 {
		d := g.films[g.IntN(n)]
		g.add(Step{Do: Film, Draw: &d, Count: count, Every: every})
		return
	}
	d := Draw{Box: g.wide(0)}
	size := Point{d.Box[2] - d.Box[0], d.Box[3] - d.Box[1]}
	d.Type, d.Effect, d.Rop, d.Scale = qxl.DrawCopy, qxl.EffectOpaque, qxl.RopPut, qxl.ScaleNearest
	d.Src, d.SrcArea = &Image{Format: qxl.Bitmap32Bit, Size: size, Seed: g.IntN(1 << 16)}, Box{0, 0, size[0], size[1]}
	if g.IntN(4) == 0 {
		d.Clip = append(d.Clip, g.box(g.surfaces[0].size), g.box(g.surfaces[0].size))
	}
	g.films = append(g.films, d)
	g.add(Step{Do: Film, Draw: &d, Count: count + 21, Every: every})
}

// surface picks one that there is, mostly the screen, which is also the answer
// where there is none.
func (g *generator) surface() int {
	if g.IntN(2) == 0 {
		return 0
	}
	id := g.IntN(Surfaces)
	for range Surfaces {
		if g.surfaces[id].size != (Point{}) {
			return id
		}
		id = (id + 1) % Surfaces
	}
	return 0
}

// box is a rectangle that is not empty, inside size. Coarse ones are frequent,
// so that areas are equal, or touch, or contain each other.
func (g *generator) box(size Point) Box {
	if size == (Point{}) {
		return Box{0, 0, 1, 1}
	}
	var b Box
	grid := []int32{1, 4, 8}[g.IntN(3)]
	for i := range int32(2) {
		cells := max(1, int(size[i]/grid))
		from := g.IntN(cells)
		to := from + 1 + g.IntN(cells-from)
		b[i], b[i+2] = int32(from)*grid, int32(to)*grid
		if g.IntN(8) == 0 {
			b[i] = 0
		}
		if g.IntN(8) == 0 || b[i+2] > size[i] {
			b[i+2] = size[i]
		}
	}
	return b
}

// wide is a rectangle on a surface, often all of it.
func (g *generator) wide(id int) Box {
	if size := g.surfaces[id].size; g.IntN(2) == 0 && size != (Point{}) {
		return Box{0, 0, size[0], size[1]}
	}
	return g.box(g.surfaces[id].size)
}

// wild is a rectangle that may stick out of size.
func (g *generator) wild(size Point) Box {
	b := g.box(size)
	for i := range b {
		if g.IntN(4) == 0 {
			b[i] = max(0, b[i]+int32(g.IntN(17)-8))
		}
	}
	b[2], b[3] = max(b[2], b[0]+1), max(b[3], b[1]+1)
	return b
}
