package quic

import "sync"

// family holds what the fast paths look up, for planes of one depth. They use
// symbols aligned to the top of a byte: a 5-bit symbol v is v<<3, plus 7 if v is
// odd, which is what the arithmetic on bytes gives by itself.
type family struct {
	mask    uint32 // bits of a pixel that are used
	depth   int
	context [256]uint8
	codes   [8]codeTable // by code number
	// costs holds the lengths of a symbol's codes in the form of counters.
	costs [256][8]uint32
	// fresh are the counters of a new context. The low 3 bits of a counter are
	// 7-l, so that the smallest is that of the best code; there are always 8,
	// the last of which repeat that of the largest l there is.
	fresh [8]uint32
}

const lookBits = 10

// codeTable is one code, looked up from both sides.
type codeTable struct {
	code
	depth int
	// put holds the bits of each symbol's code, from the top, and their number.
	put [256]uint64
	// get holds, for the next lookBits bits of a stream, the symbol, and above
	// it the length of its code; or 0 if the code is longer.
	get [1 << lookBits]uint16
}

var (
	family5 = sync.OnceValue(func() *family { return newFamily(5, 0xf8f8f8) })
	family8 = sync.OnceValue(func() *family { return newFamily(8, 0xffffff) })
)

func (t Type) family() *family {
	if t == RGB16 {
		return family5()
	}
	return family8()
}

func newFamily(depth int, mask uint32) *family {
	f := &family{mask: mask, depth: depth}
	shift := 8 - depth
	for i := range 8 {
		l := min(i, depth-1)
		c := newCode(depth, uint(l))
		t := &f.codes[i]
		t.code, t.depth = c, depth
		f.fresh[i] = uint32(7 - l)
		for aligned := range 256 {
			v := uint32(aligned >> shift)
			word, n := c.encode(v)
			f.context[aligned] = uint8(context(v, depth))
			t.put[aligned] = uint64(word)<<(64-n) | uint64(n)
			f.costs[aligned][i] = uint32(n) << 3
			if n <= lookBits {
				at := int(word) << (lookBits - n)
				for j := range 1 << (lookBits - n) {
					t.get[at+j] = uint16(align(v, depth)) | uint16(n)<<8
				}
			}
		}
	}
	return f
}

// align makes a symbol of the fast paths.
func align(v uint32, depth int) uint32 { return v<<(8-depth) | -(v&1)&0xff>>depth }

// group is the state of planes coded together, three or one.
type group struct {
	*family
	wait   int   // pixels until the next model update
	drawn  uint8 // place in the random table
	step   int
	left   int // pixels until the next step
	mel    uint8
	planes [3]plane
}

// plane is the adaptive model of one plane.
type plane struct {
	// after holds the codes that follow each symbol: best, spread over the
	// symbols of a context.
	after [256]*codeTable
	best  [8]uint8
	count [8][8]uint32
}

// reset prepares n planes for a new image.
func (g *group) reset(f *family, n int) {
	g.family = f
	g.wait, g.drawn, g.step, g.left, g.mel = 0, 0, 0, stepPixels, 0
	for i := range g.planes[:n] {
		p := &g.planes[i]
		for k := range p.count {
			p.count[k] = f.fresh
			p.best[k] = uint8(f.depth - 1)
		}
		for s := range p.after {
			p.after[s] = &f.codes[f.depth-1]
		}
	}
}

// draw returns the pixels to wait from one model update to the next.
func (g *group) draw() int {
	v := random[g.drawn]
	g.drawn++
	return int(v & (1<<(g.step&7) - 1))
}

// update counts the symbols v of three planes, which came behind the symbols before.
func (g *group) update(before, v uint32) {
	threshold := thresholds[g.step&7]
	g.planes[0].update(g.family, uint8(before>>16), uint8(v>>16), threshold)
	g.planes[1].update(g.family, uint8(before>>8), uint8(v>>8), threshold)
	g.planes[2].update(g.family, uint8(before), uint8(v), threshold)
}

// update counts the symbol v, which came behind the symbol before.
func (p *plane) update(f *family, before, v uint8, threshold uint32) {
	k := f.context[before] & 7
	c, cost := &p.count[k], &f.costs[v]
	c0, c1, c2, c3 := c[0]+cost[0], c[1]+cost[1], c[2]+cost[2], c[3]+cost[3]
	c4, c5, c6, c7 := c[4]+cost[4], c[5]+cost[5], c[6]+cost[6], c[7]+cost[7]
	c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7] = c0, c1, c2, c3, c4, c5, c6, c7
	least := min(min(min(c0, c1), min(c2, c3)), min(min(c4, c5), min(c6, c7)))
	if best := uint8(7 - least&7); best != p.best[k] {
		p.best[k] = best
		p.spread(f, k)
	}
	if least>>3 > threshold {
		for l, n := range c {
			c[l] = n>>4<<3 | n&7
		}
	}
}

// spread enters the best code of context k for all of its symbols.
func (p *plane) spread(f *family, k uint8) {
	from, to := 1<<k-1, 1<<(k+1)-1
	if int(k) == f.depth-1 {
		to = 1 << f.depth
	}
	from, to = from<<(8-f.depth), to<<(8-f.depth)
	codes := &f.codes[p.best[k]]
	for s := from; s < to; s++ {
		p.after[s] = codes
	}
}

// nextSpan returns how many of the rem columns left in a row come before the
// model changes, or all.
func (g *group) nextSpan(rem int) int {
	if g.step < steps {
		return min(rem, g.left)
	}
	return rem
}

// endSpan counts n pixels and changes the model if it is time.
func (g *group) endSpan(n int) {
	if g.step == steps {
		return
	}
	if g.left -= n; g.left == 0 {
		g.step++
		g.left = stepPixels
	}
}
