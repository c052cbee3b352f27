package lz4

import (
	"bytes"
	"encoding/binary"
	"math/bits"

	"github.com/spiceecs/spiceecs/net/codec/pixel"
)

const (
	tableBits = 13
	maxOffset = 1<<16 - 1
	shortest  = 4
	// The format wants a match to begin 12 bytes before the end of a block, and
	// to end 5 bytes before it. These are further away from it, so that nothing
	// behind the block is read.
	margin = 32
	tail   = 8
	// patience is the number of misses after which the search starts to skip,
	// by one pixel more each time, up to maxSkip pixels.
	patience = 32
	maxSkip  = 256
	// far is the length from which matches are measured by so many bytes at a time.
	far = 256 + 8
	// slack is what may be overwritten behind a block.
	slack = 32
)

// bound is the most bytes a block of n bytes can take, and what may be
// overwritten behind them.
func bound(n int) int { return n + n/255 + 16 + slack }

// matcher finds repetitions in one block at a time. Matches begin and end at
// the borders of pixels, which is where images repeat themselves: that makes it
// several times faster than looking at each byte, and loses next to nothing.
type matcher struct {
	block []byte
	step  int    // bytes of a pixel
	rest  uint64 // the bits of the second eight bytes that belong to the first four pixels
	skip  int    // misses since the last match, in this block or before

	// table maps the hash of four pixels at a place to the place, on a clock that
	// runs on over all blocks, and further: what an earlier block left behind is
	// too far away for a match, so that nothing needs clearing.
	table [1 << tableBits]uint32
	clock uint32 // the place of block[0]
}

// begin prepares for an image with pixels of size bytes.
func (m *matcher) begin(size int) {
	m.step, m.skip = size, patience
	m.rest = 1<<(32*(size-2)&63) - 1
	if size == 4 {
		m.rest = ^uint64(0)
	}
}

// compress writes the LZ4 block of block to out[o:], which has room for the
// bound, and returns the new o. Should someone change the block meanwhile, a
// decoder will find another picture, but still a picture.
func (m *matcher) compress(out []byte, o int, block []byte) int {
	n := len(block)
	if m.block = block; m.clock == 0 || uint64(m.clock)+uint64(n)+2*maxOffset >= 1<<32 {
		clear(m.table[:])
		m.clock = maxOffset + 1
	}
	step, rest, clock, skip := m.step, m.rest, m.clock, m.skip
	anchor := 0 // the first byte not yet written
	for at := step; at <= n-margin; {
		v := load(block, at)
		h := (v*0x9e3779b97f4a7c15 ^ load(block, at+8)&rest*0xc2b2ae3d27d4eb4f) >> (64 - tableBits)
		now := clock + uint32(at)
		offset := int(now - m.table[h])
		m.table[h] = now
		if offset > maxOffset || load(block, at-step) == v {
			offset = step
		}
		if load(block, at-offset) != v {
			at += min(skip/patience, maxSkip-skip&1) * step
			skip++
			continue
		}
		skip = patience
		size, start := m.whole(m.matchLen(at-offset, at, n-tail)), at
		at += size
		if anchor < start {
			start -= m.whole(pixel.MatchBack(block, start-offset, start, start-anchor, ^uint64(0)))
		}
		if length := at - start - shortest; anchor == start && length < 255+15 { // most often
			out[o] = byte(min(length, 15))
			binary.LittleEndian.PutUint32(out[o+1:o+5], uint32(offset|(length-15)<<16))
			o += 3
			if length >= 15 {
				o++
			}
		} else {
			o = m.sequence(out, o, anchor, start, length, offset)
		}
		anchor = at
	}
	m.clock, m.skip = clock+uint32(n)+maxOffset+1, skip
	return m.literals(out, o, anchor, n, 0)
}

func load(b []byte, i int) uint64 { return binary.LittleEndian.Uint64(b[i : i+8]) }

// whole rounds n down to whole pixels.
func (m *matcher) whole(n int) int {
	if m.step == 3 {
		return n - n%3
	}
	return n &^ (m.step - 1)
}

// matchLen is how much, up to end, is the same at ref and at, where the first
// eight bytes are. Each branch covers 16 bytes: how long a match is cannot be
// predicted.
func (m *matcher) matchLen(ref, at, end int) int {
	n := end - at
	a, b := m.block[ref:ref+n], m.block[at:at+n]
	i := 8
	for ; i <= n-16; i += 16 {
		x, y := load(a, i)^load(b, i), load(a, i+8)^load(b, i+8)
		if x|y != 0 {
			if x == 0 {
				i += 8
				x = y
			}
			return i + bits.TrailingZeros64(x)>>3
		}
		if i == far {
			for i += 16; i <= n-far && bytes.Equal(a[i:i+far], b[i:i+far]); i += far {
			}
			i -= 16
		}
	}
	for i < n && a[i] == b[i] {
		i++
	}
	return i
}

// sequence writes the literals block[from:to] and a match of length+shortest bytes.
func (m *matcher) sequence(out []byte, o, from, to, length, offset int) int {
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
	if n <= 16 && from+16 <= len(m.block) {
		// Without a length to guess. What is too much will be overwritten.
		*(*[16]byte)(out[o:]) = *(*[16]byte)(m.block[from:])
		return o + n
	}
	return o + copy(out[o:], m.block[from:to])
}

func putLength(out []byte, o, n int) int {
	for ; n >= 255; n -= 255 {
		out[o] = 255
		o++
	}
	out[o] = byte(n)
	return o + 1
}
