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
		return dst, fmt.Errorf("encoding QUIC: %w: %w", ErrShort, err)
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
		return dst, fmt.Errorf("encoding QUIC: %w: %d bytes", ErrIncompressible, e.Limit)
	}
	return out, nil
}

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
		at := residuals(symbols, above, row, i, firstRun, g.mask)
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

// residuals computes the symbols from column i on up to where a run may begin,
// but not before firstRun. It returns the column it came to.
func residuals(symbols, above, row []uint32, i, firstRun int, mask uint32) int {
	left, aboveLeft := row[i], above[i]
	change := left ^ row[max(i-1, 0)] // from the pixel two to the left
	above, row, symbols = above[i+1:], row[i+1:], symbols[i+1:]
	above, symbols = above[:len(row)], symbols[:len(row)]
	firstRun -= i
	for j, x := range row {
		up := above[j]
		if change|(up^aboveLeft) == 0 && j >= firstRun {
			return i + j
		}
		p := (left&up + (left^up)&0xfefefe>>1) & mask
		s := ((x | 0x808080) - p&0x7f7f7f) ^ (x^^p)&0x808080
		symbols[j] = s<<1&0xfefefe ^ (s>>7&0x010101)*0xff
		change, left, aboveLeft = x^left, x, up
	}
	return i + len(row)
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
