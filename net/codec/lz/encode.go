package lz

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/spiceecs/spiceecs/net/codec/pixel"
)

const (
	tableBits = 14
	// fill is how many staged bytes are encoded at a time.
	fill = 1 << 18
	// history is how many bytes before them references may reach.
	history = maxDistance * 4
	// patience is the number of misses after which the search starts to skip,
	// by one unit more each time, up to maxSkip units.
	patience = 32
	maxSkip  = 8
	// farSize is the length of a reference with a long distance.
	farSize = 4
)

// Encoder turns images into streams. The zero value is ready. It holds nothing
// of an image between calls, and is not for concurrent use.
type Encoder struct {
	// Limit, if not 0, is the length a stream may have: Encode gives up with
	// ErrIncompressible when it sees it exceeded.
	Limit int

	reader pixel.Reader
	window []byte // staged units: up to history bytes already encoded, then new ones
	pass   *pixel.Pass

	// table maps the hash of the units at a place to the place itself, in bytes
	// on a clock that runs on over all passes and images: what an earlier pass
	// left behind lies before window[0], so that nothing needs clearing.
	table [1 << tableBits]uint32
	clock uint32 // the place of window[0]
}

// Encode appends the stream of im to dst. chunks are the bytes of the image in
// memory order, in any division, and may be longer than the image. They may
// even change meanwhile: the stream stays well-formed, and each byte of it
// shows the image as it was at some moment.
//
// The errors are pixel.ErrImage, ErrShort and ErrIncompressible; dst comes back
// unchanged then, up to its length.
func (e *Encoder) Encode(dst []byte, im Image, chunks [][]byte) ([]byte, error) {
	out, err := dst, im.Check()
	if err != nil {
		return dst, fmt.Errorf("encoding LZ: %w", err)
	}
	for part := range Parts(im, 1) {
		if out, err = e.encodePart(out, len(dst), im, chunks, part, 1); err != nil {
			return out[:len(dst)], err
		}
	}
	return out, nil
}

// Parts is the number of parts that an image of a valid type has when each of
// its passes is divided into strips.
func Parts(im Image, strips int) int { return strips * len(im.Type.Passes()) }

// EncodePart appends one of Parts(im, strips) parts of the stream of im to dst.
// The parts may be encoded in any order, by several encoders at a time; one
// after the other they are the stream. No reference goes from strip to strip,
// so strips should be much longer than references reach: 64 KiB and more.
//
// Limit holds for each part. The errors are those of Encode.
func (e *Encoder) EncodePart(dst []byte, im Image, chunks [][]byte, part, strips int) ([]byte, error) {
	return e.encodePart(dst, len(dst), im, chunks, part, strips)
}

// encodePart is EncodePart for a stream, or part, that began at base.
func (e *Encoder) encodePart(dst []byte, base int, im Image, chunks [][]byte, part, strips int) ([]byte, error) {
	if err := im.Check(); err != nil {
		return dst, fmt.Errorf("encoding LZ: %w", err)
	}
	if n := pixel.Total(chunks); n < im.Size() {
		return dst, fmt.Errorf("encoding LZ: %w: %d of %d bytes", ErrShort, n, im.Size())
	}
	defer e.reader.Release()
	out := dst
	if part == 0 {
		out = appendHeader(out, im)
	}
	e.pass = im.Type.Passes()[part/strips]
	units, strip := im.Units(), part%strips
	from, to := units*strip/strips, units*(strip+1)/strips
	e.reader.Reset(chunks)
	e.reader.Skip(e.pass.SourceSize(from))
	out, ok := e.encodeUnits(out, base, to-from)
	if !ok {
		return out[:len(dst)], errLimit
	}
	return out, nil
}

// errLimit is made once: that an image does not compress is no rare event.
var errLimit = fmt.Errorf("encoding LZ: %w", ErrIncompressible)

// encodeUnits appends the byte code of the reader's next units to out, whose
// stream starts at base. It reports false as soon as that exceeds the limit.
func (e *Encoder) encodeUnits(out []byte, base, units int) ([]byte, bool) {
	left := units * e.pass.Unit
	e.begin(left)
	at := 0
	for left > 0 {
		at = e.slide(at)
		n := min(left, fill)
		e.pass.Stage(e.window[at:at+n], &e.reader)
		out = slices.Grow(out, e.pass.Worst(n/e.pass.Unit)+pixel.Slack)
		o := e.encodeSpan(out[:cap(out)], len(out), at, at+n)
		out = out[:o]
		at += n
		left -= n
		if e.Limit > 0 && o-base > e.Limit {
			break
		}
	}
	// Also of what was given up the table holds places, which may be no multiples
	// of the next pass's units.
	e.clock += uint32(at)
	return out, e.Limit <= 0 || len(out)-base <= e.Limit
}

// begin makes the window large enough for a pass of n bytes and sets the clock
// so that everything in the table lies before the pass.
func (e *Encoder) begin(n int) {
	if need := min(n, history+fill) + pixel.Slack; len(e.window) < need {
		e.window = make([]byte, need)
	}
	if e.clock == 0 || uint64(e.clock)+uint64(n) >= 1<<32 {
		clear(e.table[:])
		e.clock = 1
	}
}

// slide makes room for new units after the at bytes that have been encoded,
// keeping as many as references may reach. It returns where the new ones go.
func (e *Encoder) slide(at int) int {
	if at <= history {
		return at
	}
	drop := at - history
	copy(e.window, e.window[drop:at])
	e.clock += uint32(drop)
	return history
}

// encodeSpan writes the operations for window[at:end] to out[o:], and returns
// the new o. out has room for the worst case.
func (e *Encoder) encodeSpan(out []byte, o, at, end int) int {
	p := e.pass
	anchor := at // first unit not yet written
	for {
		found, ref := e.find(at, end)
		if ref < 0 {
			break
		}
		back := 0
		if found > anchor {
			back = pixel.MatchBack(e.window, ref, found, found-anchor, p.Mask) &^ (p.Unit - 1)
		}
		n := pixel.MatchLen(e.window, ref, found, end, p.Mask)&^(p.Unit-1) + back
		found -= back
		ref -= back
		units, distance := n>>(p.Shift&3), (found-ref)>>(p.Shift&3)
		if distance > maxNear && units*p.Literal <= farSize { // the key is longer than Bias
			at = found + back + p.Unit
			continue
		}
		if found > anchor {
			o = p.PutLiterals(out, o, e.window, anchor, found)
		}
		o = putMatch(out, o, units-p.Bias, distance-1)
		anchor = found + n
		at = anchor
	}
	return p.PutLiterals(out, o, e.window, anchor, end)
}

// find looks for the next place in window[at:end] that repeats an earlier one
// over the units of the key, and returns both, or a ref of -1. The longer it
// finds nothing the fewer places it looks at.
func (e *Encoder) find(at, end int) (found, ref int) {
	var (
		window = e.window
		key    = e.pass.Key
		unit   = e.pass.Unit
		reach  = maxDistance * unit
		clock  = e.clock
	)
	if at == 0 {
		at = unit
	}
	for skip := patience; at+8 <= end; skip++ {
		v := binary.LittleEndian.Uint64(window[at:]) & key
		if binary.LittleEndian.Uint64(window[at-unit:])&key == v {
			return at, at - unit
		}
		h := v * 0x9e3779b97f4a7c15 >> (64 - tableBits)
		now := clock + uint32(at)
		distance := int(now - e.table[h])
		e.table[h] = now
		if distance <= min(at, reach) && distance > 0 && binary.LittleEndian.Uint64(window[at-distance:])&key == v {
			return at, at - distance
		}
		at += min(skip/patience, maxSkip-skip&1) * unit
	}
	return at, -1
}

// putMatch writes a reference: length and distance as the code has them, that
// is without bias and counted from 0.
func putMatch(out []byte, o, length, distance int) int {
	near := min(distance, maxNear)
	out[o] = byte(min(length, longLength)<<5 | near>>8)
	o++
	if length -= longLength; length >= 0 {
		for ; length >= 255; length -= 255 {
			out[o] = 255
			o++
		}
		out[o] = byte(length)
		o++
	}
	out[o] = byte(near)
	o++
	if near == maxNear {
		binary.BigEndian.PutUint16(out[o:], uint16(distance-maxNear))
		o += 2
	}
	return o
}
