package quic

import (
	"encoding/binary"
	"fmt"
)

// plain is the codec as the format defines it: every plane by itself, every bit
// by itself, one procedure for encoder and decoder, which differ only in what
// they do with a symbol and a run (plainCoder).
type plain struct {
	depth  int
	groups []*plainGroup
	coder  plainCoder
}

// plainGroup is the state of planes coded together.
type plainGroup struct {
	planes []*plainPlane
	wait   int // pixels until the next model update
	drawn  int // entries of the random table used
	step   int
	left   int // pixels until the next step
	mel    int // state of the run coder
}

type plainPlane struct {
	above, row []uint32
	symbols    []uint32 // of the pixels coded last in each column; [0] is left of the first
	count      [8][8]uint32
	best       [8]int
}

type plainCoder interface {
	// symbol writes the symbol of x, predicted as p, with code c, or reads it
	// and sets x. It returns the symbol.
	symbol(c code, depth int, x *uint32, p uint32) uint32
	// run writes or reads how many pixels from i on repeat the one before i.
	run(g *plainGroup, i, end int) int
}

func newPlain(t Type, width int, coder plainCoder) *plain {
	c := &plain{depth: 8, coder: coder}
	sizes := map[Type][]int{GRAY: {1}, RGB16: {3}, RGB24: {3}, RGB32: {3}, RGBA: {3, 1}}[t]
	if t == RGB16 {
		c.depth = 5
	}
	for _, n := range sizes {
		g := &plainGroup{left: stepPixels}
		for range n {
			p := &plainPlane{above: make([]uint32, width), row: make([]uint32, width), symbols: make([]uint32, width+1)}
			for k := range p.best {
				p.best[k] = c.depth - 1
			}
			g.planes = append(g.planes, p)
		}
		c.groups = append(c.groups, g)
	}
	return c
}

// codeRow codes row y of all groups, the pixels of which are in the planes.
func (c *plain) codeRow(y, width int) error {
	for _, g := range c.groups {
		for _, p := range g.planes {
			p.symbols[0] = 0
			if y > 0 {
				p.symbols[0] = p.symbols[1]
			}
		}
		i := 0
		for g.step < steps && g.left <= width-i {
			if !c.span(g, y, i, i+g.left) {
				return fmt.Errorf("%w: run too long in row %d", ErrCorrupt, y)
			}
			i += g.left
			g.step++
			g.left = stepPixels
		}
		if i < width && !c.span(g, y, i, width) {
			return fmt.Errorf("%w: run too long in row %d", ErrCorrupt, y)
		}
		g.left -= width - i
	}
	return nil
}

// span codes columns i to end, within which nothing but the model changes. It
// reports false if a run that was read goes beyond end.
func (c *plain) span(g *plainGroup, y, i, end int) bool {
	runStart := 0
	for i < end {
		if y > 0 && i > 2 && i != runStart && g.flat(i) {
			runStart = i
			n := c.coder.run(g, i, end)
			if n > end-i {
				return false
			}
			for _, p := range g.planes {
				for j := i; j < i+n; j++ {
					p.row[j] = p.row[i-1]
				}
			}
			i += n
			continue
		}
		for _, p := range g.planes {
			v := c.coder.symbol(p.code(c.depth, i), c.depth, &p.row[i], p.predict(y, i))
			p.symbols[i+1] = v
		}
		if g.wait--; g.wait < 0 {
			for _, p := range g.planes {
				p.update(c.depth, i, thresholds[g.step])
			}
			g.wait = int(random[g.drawn&255] & (1<<g.step - 1))
			g.drawn++
		}
		i++
	}
	return true
}

// flat tells whether a run may begin in column i.
func (g *plainGroup) flat(i int) bool {
	for _, p := range g.planes {
		if p.above[i-1] != p.above[i] || p.row[i-1] != p.row[i-2] {
			return false
		}
	}
	return true
}

// code is the one that column i takes: the best in the context of its left symbol.
func (p *plainPlane) code(depth, i int) code {
	return newCode(depth, uint(p.best[context(p.symbols[i], depth)]))
}

func (p *plainPlane) predict(y, i int) uint32 {
	switch {
	case y == 0 && i == 0:
		return 0
	case y == 0:
		return p.row[i-1]
	case i == 0:
		return p.above[0]
	}
	return (p.row[i-1] + p.above[i]) / 2
}

// update counts what the symbol of column i takes in each code. Of equally
// good codes the one with the most low bits is best.
func (p *plainPlane) update(depth, i int, threshold uint32) {
	k := context(p.symbols[i], depth)
	count := p.count[k][:depth]
	best := 0
	for l := range count {
		_, length := newCode(depth, uint(l)).encode(p.symbols[i+1])
		count[l] += uint32(length)
		if count[l] <= count[best] {
			best = l
		}
	}
	p.best[k] = best
	if count[best] > threshold {
		for l := range count {
			count[l] /= 2
		}
	}
}

// residual makes a symbol of the difference of x and its prediction p: small
// for small differences, odd for negative ones.
func residual(depth int, x, p uint32) uint32 {
	top := uint32(1)<<depth - 1
	s := (x - p) & top
	if s <= top/2 {
		return 2 * s
	}
	return 2*(top-s) + 1
}

// restore is the inverse of residual.
func restore(depth int, v, p uint32) uint32 {
	top := uint32(1)<<depth - 1
	s := v / 2
	if v%2 == 1 {
		s = top - v/2
	}
	return (s + p) & top
}

// plainWriter collects single bits.
type plainWriter struct{ bits []byte }

func (w *plainWriter) put(v uint32, n uint) {
	for ; n > 0; n-- {
		w.bits = append(w.bits, byte(v>>(n-1)&1))
	}
}

func (w *plainWriter) symbol(c code, depth int, x *uint32, p uint32) uint32 {
	v := residual(depth, *x, p)
	w.put(c.encode(v))
	return v
}

func (w *plainWriter) run(g *plainGroup, i, end int) int {
	length := 0
	for i+length < end && g.repeats(i+length) {
		length++
	}
	n := length
	for ; n >= 1<<runBits[g.mel]; g.mel = min(g.mel+1, 31) {
		n -= 1 << runBits[g.mel]
		w.put(1, 1)
	}
	w.put(uint32(n), 1+uint(runBits[g.mel]))
	g.mel = max(g.mel-1, 0)
	return length
}

// repeats tells whether column i equals the one before it.
func (g *plainGroup) repeats(i int) bool {
	for _, p := range g.planes {
		if p.row[i] != p.row[i-1] {
			return false
		}
	}
	return true
}

// plainReader reads single bits of words; behind their end it reads zeros.
type plainReader struct {
	src []byte
	at  int // bits read
	bad bool
}

func (r *plainReader) word(i int) uint64 {
	if i*4+4 > len(r.src) {
		return 0
	}
	return uint64(binary.LittleEndian.Uint32(r.src[i*4:]))
}

// peek returns the next 32 bits.
func (r *plainReader) peek() uint32 {
	w := r.at / 32
	return uint32((r.word(w)<<32 | r.word(w+1)) << (r.at % 32) >> 32)
}

func (r *plainReader) symbol(c code, depth int, x *uint32, p uint32) uint32 {
	v, n := c.decode(r.peek())
	r.at += int(n)
	if v >= 1<<depth {
		v, r.bad = 0, true
	}
	*x = restore(depth, v, p)
	return v
}

func (r *plainReader) run(g *plainGroup, i, end int) int {
	n := 0
	for r.peek()>>31 == 1 && n <= end-i {
		n += 1 << runBits[g.mel]
		g.mel = min(g.mel+1, 31)
		r.at++
	}
	k := int(runBits[g.mel])
	n += int(uint64(r.peek()) << 1 >> (32 - k) & (1<<k - 1))
	r.at += 1 + k
	g.mel = max(g.mel-1, 0)
	return n
}

// at is the place of plane p of pixel x in row y (in display order), and the
// lowest of its bits there.
func (im Image) at(p, x, y int) (offset, shift int) {
	if !im.TopDown {
		y = im.Height - 1 - y
	}
	offset = y*im.Stride + x*im.Type.BytesPerPixel()
	switch {
	case im.Type == RGB16:
		return offset, 10 - 5*p
	case p < 3 && im.Type != GRAY:
		return offset + 2 - p, 0
	}
	return offset + p, 0
}

// plainEncode makes the stream of a valid image.
func plainEncode(im Image, pixels []byte) []byte {
	w := &plainWriter{}
	c := newPlain(im.Type, im.Width, w)
	for y := range im.Height {
		c.eachPlane(func(i int, p *plainPlane) {
			p.above, p.row = p.row, p.above
			for x := range p.row {
				at, shift := im.at(i, x, y)
				v := uint32(pixels[at])
				if im.Type == RGB16 {
					v = uint32(binary.LittleEndian.Uint16(pixels[at:])) >> shift & 31
				}
				p.row[x] = v
			}
		})
		_ = c.codeRow(y, im.Width) // only runs that are read can be too long
	}
	w.put(0, uint(-len(w.bits)&31)+32)
	out := appendHeader(nil, im)
	for i := 0; i < len(w.bits); i += 32 {
		word := uint32(0)
		for _, b := range w.bits[i : i+32] {
			word = word<<1 | uint32(b)
		}
		out = binary.LittleEndian.AppendUint32(out, word)
	}
	return out
}

// plainDecode decodes a stream to pixels as ParseHeader describes them.
func plainDecode(src []byte) (Image, []byte, error) {
	im, err := ParseHeader(src)
	if err != nil {
		return im, nil, err
	}
	r := &plainReader{src: src[headerSize:]}
	c := newPlain(im.Type, im.Width, r)
	pixels := make([]byte, im.Size())
	for y := range im.Height {
		c.eachPlane(func(_ int, p *plainPlane) { p.above, p.row = p.row, p.above })
		if err := c.codeRow(y, im.Width); err != nil {
			return im, nil, err
		}
		if r.bad || r.at > len(r.src)/4*32 {
			return im, nil, fmt.Errorf("%w: in row %d", ErrCorrupt, y)
		}
		c.eachPlane(func(i int, p *plainPlane) {
			for x, v := range p.row {
				at, shift := im.at(i, x, y)
				if im.Type == RGB16 {
					v = v<<shift | uint32(binary.LittleEndian.Uint16(pixels[at:]))
					binary.LittleEndian.PutUint16(pixels[at:], uint16(v))
					continue
				}
				pixels[at] = byte(v)
			}
		})
	}
	return im, pixels, nil
}

// eachPlane calls do for all planes in the order of coding.
func (c *plain) eachPlane(do func(i int, p *plainPlane)) {
	i := 0
	for _, g := range c.groups {
		for _, p := range g.planes {
			do(i, p)
			i++
		}
	}
}
