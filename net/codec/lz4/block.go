package lz4

import (
	"encoding/binary"

	"github.com/spiceecs/spiceecs/net/codec/pixel"
)

const (
	tableBits = 13
	maxOffset = 1<<16 - 1
	// A match may not begin in the last margin bytes of a block, nor reach into
	// the last tail bytes: the format wants it so. Between them there is room
	// for the shortest match, which the key of the matcher makes sure of too.
	margin   = 12
	tail     = 5
	shortest = 4
	// patience is the number of misses after which the search starts to skip,
	// by one pixel more each time, up to maxSkip pixels.
	patience = 32
	maxSkip  = 16
)

// bound is the most bytes a block of n bytes can take, and what may be
// overwritten behind them.
func bound(n int) int { return n + n/255 + 16 + 2*pixel.Slack }

// matcher finds repetitions in one block at a time. Matches begin and end at
// the borders of pixels, which is where images repeat themselves: that makes it
// several times faster than looking at each byte, and loses next to nothing.
type matcher struct {
	block []byte // and Slack bytes behind it
	step  int    // bytes of a pixel
	key   uint64 // the bits of eight bytes that hold whole pixels, two or more

	// table maps the hash of the pixels at a place to the place, on a clock
	// that runs on over all blocks: what an earlier block left behind lies
	// before this one, so that nothing needs clearing.
	table [1 << tableBits]uint32
	clock uint32 // the place of block[0]
}

// begin prepares for a block. bytes is its length and size that of a pixel.
func (m *matcher) begin(block []byte, size int) {
	m.block, m.step, m.key = block, size, ^uint64(0)
	if size == 3 {
		m.key = 1<<48 - 1
	}
	if m.clock == 0 || uint64(m.clock)+uint64(2*len(block)) >= 1<<32 {
		clear(m.table[:])
		m.clock = 1
	}
}

// compress writes the LZ4 block of the first n bytes to out[o:], which has room
// for the bound, and returns the new o.
func (m *matcher) compress(out []byte, o, n int) int {
	anchor, at := 0, 0 // anchor is the first byte not yet written
	for {
		found, ref := m.find(at, n)
		if ref < 0 {
			break
		}
		back := pixel.MatchBack(m.block, ref, found, found-anchor, ^uint64(0))
		size := pixel.MatchLen(m.block, ref, found, n-tail, ^uint64(0))
		back, size = m.whole(back), m.whole(size)
		o = m.sequence(out, o, anchor, found-back, size+back, found-ref)
		anchor = found + size
		at = anchor
	}
	m.clock += uint32(n)
	return m.literals(out, o, anchor, n, 0)
}

// whole rounds n down to whole pixels.
func (m *matcher) whole(n int) int {
	if m.step == 3 {
		return n - n%3
	}
	return n &^ (m.step - 1)
}

// find looks for the next place from at on that repeats an earlier one over
// the pixels of the key, and returns both, or a ref of -1. The longer it finds
// nothing the fewer places it looks at.
func (m *matcher) find(at, n int) (found, ref int) {
	block, key, step, clock := m.block, m.key, m.step, m.clock
	if at == 0 {
		at = step
	}
	for skip := patience; at <= n-margin; skip++ {
		v := binary.LittleEndian.Uint64(block[at:]) & key
		if binary.LittleEndian.Uint64(block[at-step:])&key == v {
			return at, at - step
		}
		h := v * 0x9e3779b97f4a7c15 >> (64 - tableBits)
		now := clock + uint32(at)
		distance := int(now - m.table[h])
		m.table[h] = now
		if distance <= min(at, maxOffset) && distance > 0 && binary.LittleEndian.Uint64(block[at-distance:])&key == v {
			return at, at - distance
		}
		at += min(skip/patience, maxSkip-skip&1) * step
	}
	return at, -1
}

// sequence writes the literals block[from:to] and a match of size bytes.
func (m *matcher) sequence(out []byte, o, from, to, size, offset int) int {
	length := size - shortest
	o = m.literals(out, o, from, to, min(length, 15))
	binary.LittleEndian.PutUint16(out[o:], uint16(offset))
	o += 2
	if length >= 15 {
		o = putLength(out, o, length-15)
	}
	return o
}

// literals writes a token, whose low half is given, and the literals block[from:to].
func (m *matcher) literals(out []byte, o, from, to, low int) int {
	n := to - from
	out[o] = byte(min(n, 15)<<4 | low)
	o++
	if n >= 15 {
		o = putLength(out, o, n-15)
	}
	if n > 2*pixel.Slack {
		copy(out[o:], m.block[from:to])
		return o + n
	}
	for i := 0; i < n; i += 8 {
		binary.LittleEndian.PutUint64(out[o+i:], binary.LittleEndian.Uint64(m.block[from+i:]))
	}
	return o + n
}

func putLength(out []byte, o, n int) int {
	for ; n >= 255; n -= 255 {
		out[o] = 255
		o++
	}
	out[o] = byte(n)
	return o + 1
}
