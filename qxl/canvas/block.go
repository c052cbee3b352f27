package canvas

import "github.com/spiceecs/spiceecs/regions"

// blockPainter is a painter that may know how to paint a rectangle without
// going from run to run. If it does not, block reports false.
type blockPainter interface{ block(r regions.Rect) bool }

// block is the memory of a rectangle: n lines of size bytes each, stride apart,
// the first one at offset first.
type block struct {
	mem                    []byte
	first, stride, size, n int
}

// block returns the memory of r. Its pixels have whole bytes.
func (c *Canvas) block(r regions.Rect) block {
	px := c.pixelBytes()
	return block{
		mem: c.mem, first: c.top + int(r.Top)*c.stride + int(r.Left)*px, stride: c.stride,
		size: int(r.Width()) * px, n: int(r.Height()),
	}
}

// join makes lines without space between them one.
func (b *block) join() {
	switch b.size {
	case b.stride:
	case -b.stride:
		b.first += (b.n - 1) * b.stride
	default:
		return
	}
	b.size, b.n = b.size*b.n, 1
}

// line returns the memory of line i.
func (b *block) line(i int) []byte {
	off := b.first + i*b.stride
	return b.mem[off : off+b.size]
}

// templateBytes is how much a block is filled with at a time: with more, the
// runtime copies in another way, which is slower from near memory.
const templateBytes = 1 << 10

// block fills r with a brush that replaces everything.
func (p *fillPainter) block(r regions.Rect) bool {
	j := p.j
	if p.template == nil || j.c.format.Depth() < 8 {
		return false
	}
	b := j.c.block(r)
	b.join()
	if n := min(b.size, templateBytes); len(p.template) < n {
		p.template = j.solidPixels(uint32(p.xor), n)
	}
	piece := p.template[:min(len(p.template), templateBytes)]
	for i := range b.n {
		dst := b.line(i)
		if p.xor == 0 {
			clear(dst)
			continue
		}
		for len(dst) > 0 {
			dst = dst[copy(dst, piece):]
		}
	}
	return true
}

// block copies to r from memory that has the same layout.
func (p *copyPainter) block(r regions.Rect) bool {
	j, s := p.j, &p.j.img
	if p.opaque || p.scaled || p.rop != rop2Src || !s.raw() || s.flat == nil {
		return false
	}
	x, y := int(r.Left)+p.dx, int(r.Top)+p.dy
	if x < 0 || y < s.low || x+int(r.Width()) > s.width || y+int(r.Height()) > s.height {
		return false
	}
	dst := j.c.block(r)
	src := block{mem: s.flat, first: s.first + y*s.stride + x*j.c.pixelBytes(), stride: s.stride, size: dst.size, n: dst.n}
	if src.stride == dst.stride {
		src.join()
		dst.join()
	}
	for i := range dst.n {
		copy(dst.line(i), src.line(i))
	}
	return true
}
