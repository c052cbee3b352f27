package quic

import (
	"encoding/binary"
	"math/bits"
)

// encodeBytes writes row y of the single plane.
func (e *Encoder) encodeBytes(y int) {
	r, g := &e.bytes, &e.single
	if y == 0 {
		copy(r.above[1:], r.row)
	}
	width := len(r.row) - 1
	for i := 0; i < width; {
		n := g.nextSpan(width - i)
		g.encodeByteSpan(&e.w, r, i, i+n, firstRun(y, width))
		g.endSpan(n)
		i += n
	}
}

// encodeByteSpan is encodeSpan for a single plane.
func (g *group) encodeByteSpan(w *bitWriter, r *byteRows, i, end, firstRun int) {
	above, row, symbols := r.above[:end+1], r.row[:end+1], r.symbols[:end+1]
	for i < end {
		at := byteResiduals(symbols, above, row, i, firstRun)
		for i+g.wait < at {
			stop := i + g.wait + 1
			g.putByteSymbols(w, symbols[i:stop+1])
			g.planes[0].update(g.family, symbols[stop-1], symbols[stop], thresholds[g.step&7])
			g.wait = g.draw()
			i = stop
		}
		g.putByteSymbols(w, symbols[i:at+1])
		g.wait -= at - i
		if i = at; i < end {
			n := byteRunLength(row[i+1:], row[i])
			w.putRun(&g.mel, n)
			firstRun = max(firstRun, i+1)
			i += n
		}
	}
}

// byteResiduals is residuals for a single plane.
func byteResiduals(symbols, above, row []byte, i, firstRun int) int {
	left, aboveLeft := row[i], above[i]
	change := left ^ row[max(i-1, 0)]
	above, row, symbols = above[i+1:], row[i+1:], symbols[i+1:]
	above, symbols = above[:len(row)], symbols[:len(row)]
	firstRun -= i
	for j, x := range row {
		up := above[j]
		if change|(up^aboveLeft) == 0 && j >= firstRun {
			return i + j
		}
		s := int8(x - (left&up + (left^up)>>1))
		symbols[j] = byte(s<<1 ^ s>>7)
		change, left, aboveLeft = x^left, x, up
	}
	return i + len(row)
}

// putByteSymbols is putSymbols for a single plane.
func (g *group) putByteSymbols(w *bitWriter, symbols []byte) {
	after := &g.planes[0].after
	codes := after[symbols[0]]
	for _, v := range symbols[1:] {
		c := codes.put[v]
		codes = after[v]
		w.put(c, int(c&63))
	}
}

// runLength is the number of pixels at the start of row that equal v.
func runLength(row []uint32, v uint32) int {
	n, pattern := 0, uint64(v)<<32|uint64(v)
	for ; n+8 <= len(row); n += 8 {
		r := (*[8]uint32)(row[n:])
		if d := pair(r, 0) ^ pattern; d != 0 {
			return n + bits.TrailingZeros64(d)>>5
		}
		if d := pair(r, 2) ^ pattern; d != 0 {
			return n + 2 + bits.TrailingZeros64(d)>>5
		}
		if d := pair(r, 4) ^ pattern; d != 0 {
			return n + 4 + bits.TrailingZeros64(d)>>5
		}
		if d := pair(r, 6) ^ pattern; d != 0 {
			return n + 6 + bits.TrailingZeros64(d)>>5
		}
	}
	for n < len(row) && row[n] == v {
		n++
	}
	return n
}

// pair is two words as one.
func pair(r *[8]uint32, i int) uint64 { return uint64(r[i]) | uint64(r[i+1])<<32 }

// byteRunLength is runLength for bytes.
func byteRunLength(row []byte, v byte) int {
	n, pattern := 0, uint64(v)*0x0101010101010101
	for len(row) >= 8 {
		if x := binary.LittleEndian.Uint64(row) ^ pattern; x != 0 {
			return n + bits.TrailingZeros64(x)>>3
		}
		n += 8
		row = row[8:]
	}
	for i, x := range row {
		if x != v {
			return n + i
		}
	}
	return n + len(row)
}
