package quic

import (
	"fmt"

	"github.com/spiceecs/spiceecs/net/codec/internal/lines"
)

// Encoder turns images into streams. The zero value is ready. It holds nothing
// of an image between calls, and is not for concurrent use.
type Encoder struct {
	// Limit, if not 0, is the length a stream may have: Encode gives up with
	// ErrIncompressible when it sees it exceeded.
	Limit int

	source  lines.Source
	scratch []byte
	state
	w bitWriter
}

// Encode appends the stream of im to dst. chunks are the bytes of the image in
// memory order, in any division, and may be longer than the image. They may
// even change meanwhile: the stream stays well-formed, and shows each pixel as
// it was at some moment.
//
// The errors are ErrImage, ErrShort and ErrIncompressible; dst comes back
// unchanged then, up to its length.
func (e *Encoder) Encode(dst []byte, im Image, chunks [][]byte) ([]byte, error) {
	if err := im.Check(); err != nil {
		return dst, fmt.Errorf("encoding QUIC: %w", err)
	}
	size := im.lineSize()
	if err := e.source.Reset(chunks, im.Stride, size, im.Height, im.TopDown); err != nil {
		return dst, fmt.Errorf("encoding QUIC: %w", err)
	}
	defer e.source.Release()
	if len(e.scratch) < size {
		e.scratch = make([]byte, size)
	}
	out := appendHeader(dst, im)
	out = e.encodeRows(out, len(dst), im)
	e.w.finish()
	out = e.w.flush(out)
	if e.Limit > 0 && len(out)-len(dst) > e.Limit {
		return out[:len(dst)], errLimit
	}
	return out, nil
}

// errLimit is made once: that an image does not compress is no rare event.
var errLimit = fmt.Errorf("encoding QUIC: %w", ErrIncompressible)

// encodeRows appends all rows to out, whose stream starts at base, or those up
// to the one with which it exceeds the limit.
func (e *Encoder) encodeRows(out []byte, base int, im Image) []byte {
	t := im.Type
	e.w.reset(im)
	e.state.reset(im)
	for y := range im.Height {
		line := e.source.Line(y, e.scratch)
		if t.colours() {
			e.pixels.next(y)
			stage(e.pixels.row[1:], line, t)
			e.encodeColours(y)
		}
		if t.single() {
			e.bytes.next(y)
			stageBytes(e.bytes.row[1:], line, t)
			e.encodeBytes(y)
		}
		out = e.w.flush(out)
		if e.Limit > 0 && len(out)-base > e.Limit {
			break
		}
	}
	return out
}

// encodeColours writes row y of the three planes.
func (e *Encoder) encodeColours(y int) {
	r, g := &e.pixels, &e.colour
	if y == 0 {
		copy(r.above[1:], r.row)
	}
	width := len(r.row) - 1
	for i := 0; i < width; {
		n := g.nextSpan(width - i)
		g.encodeSpan(&e.w, r, i, i+n, firstRun(y, width))
		g.endSpan(n)
		i += n
	}
}

// encodeSpan writes columns i to end, within which nothing but the model
// changes.
func (g *group) encodeSpan(w *bitWriter, r *colourRows, i, end, firstRun int) {
	above, row, symbols := r.above[:end+1], r.row[:end+1], r.symbols[:end+1]
	for i < end {
		at := findRun(above, row, i, firstRun)
		residuals(symbols, above, row, i, at, g.mask)
		for i+g.wait < at {
			stop := i + g.wait + 1
			g.putSymbols(w, symbols[i:stop+1])
			g.update(symbols[stop-1], symbols[stop])
			g.wait = g.draw()
			i = stop
		}
		g.putSymbols(w, symbols[i:at+1])
		g.wait -= at - i
		if i = at; i < end {
			n := runLength(row[i+1:], row[i])
			w.putRun(&g.mel, n)
			firstRun = max(firstRun, i+1)
			i += n
		}
	}
}

// findRun returns the first column from i on in which a run may begin, but none
// before firstRun: where the two pixels before and the two above are equal.
func findRun(above, row []uint32, i, firstRun int) int {
	i = max(i, firstRun)
	if i >= len(row)-1 {
		return len(row) - 1
	}
	left, aboveLeft := row[i], above[i]
	change := left ^ row[i-1]
	above, row = above[i+1:], row[i+1:]
	above = above[:len(row)]
	for j, x := range row {
		up := above[j]
		if change|(up^aboveLeft) == 0 {
			return i + j
		}
		change, left, aboveLeft = x^left, x, up
	}
	return i + len(row)
}

// residuals computes the symbols of columns i to end.
func residuals(symbols, above, row []uint32, i, end int, mask uint32) {
	mask2 := uint64(mask)<<32 | uint64(mask)
	for ; i+8 <= end; i += 8 {
		l, u, x, s := (*[8]uint32)(row[i:]), (*[8]uint32)(above[i+1:]), (*[8]uint32)(row[i+1:]), (*[8]uint32)(symbols[i+1:])
		s[0], s[1] = residual2(pair(x, 0), pair(l, 0), pair(u, 0), mask2)
		s[2], s[3] = residual2(pair(x, 2), pair(l, 2), pair(u, 2), mask2)
		s[4], s[5] = residual2(pair(x, 4), pair(l, 4), pair(u, 4), mask2)
		s[6], s[7] = residual2(pair(x, 6), pair(l, 6), pair(u, 6), mask2)
	}
	for ; i < end; i++ {
		symbols[i+1], _ = residual2(uint64(row[i+1]), uint64(row[i]), uint64(above[i+1]), mask2)
	}
}

// residual2 makes the symbols of two pixels: each byte its difference from the
// mean of left and above, the sign moved to the lowest bit.
func residual2(x, left, above, mask uint64) (uint32, uint32) {
	const low, high = 0x00010101_00010101, 0x00808080_00808080
	const most, most2 = high - low, 2 * (high - low) // 7 bits of each byte
	p := (left&above + (left^above)&most2>>1) & mask
	s := ((x | high) - p&most) ^ (x^^p)&high
	v := s<<1&most2 ^ (s>>7&low)*0xff
	return uint32(v), uint32(v >> 32)
}

// putSymbols appends the codes of the symbols from [1] on, each of which
// depends on the symbol before it.
func (g *group) putSymbols(w *bitWriter, symbols []uint32) {
	var (
		afterR, afterG, afterB = &g.planes[0].after, &g.planes[1].after, &g.planes[2].after
		acc, pending           = w.acc, w.n
		words, pos             = w.words, w.pos
		v                      = symbols[0]
		codesR, codesG, codesB = afterR[uint8(v>>16)], afterG[uint8(v>>8)], afterB[uint8(v)]
	)
	for _, v := range symbols[1:] {
		c0, c1, c2 := codesR.put[uint8(v>>16)], codesG.put[uint8(v>>8)], codesB.put[uint8(v)]
		codesR, codesG, codesB = afterR[uint8(v>>16)], afterG[uint8(v>>8)], afterB[uint8(v)]
		n := (c0 + c1 + c2) & 0xff
		if n > 32 { // rare: more than the accumulator takes at once
			w.acc, w.n, w.pos = acc, pending, pos
			w.putCodes(c0, c1, c2)
			acc, pending, pos = w.acc, w.n, w.pos
			continue
		}
		acc |= (c0 | c1>>(c0&63) | c2>>((c0+c1)&63)) &^ 0xff >> (pending & 63)
		words[pos] = uint32(acc >> 32)
		pending += int(n)
		full := pending & 32
		acc <<= full & 63
		pos += full >> 5
		pending &= 31
	}
	w.acc, w.n, w.pos = acc, pending, pos
}
