package quic

import (
	"encoding/binary"
	"slices"
)

// bitWriter fills words from their top bit, for one row of an image.
type bitWriter struct {
	words []uint32 // room for the longest row
	pos   int      // words filled
	acc   uint64   // the last n bits are still to be written
	n     int      // below 32
}

// reset empties w and makes room for a row: at most a code of 26 bits and an
// empty run of 16 for each plane of each pixel, what is left of the row before,
// and the end of the stream.
func (w *bitWriter) reset(im Image) {
	planes := 4
	if size := (im.Width*planes*(longest+16))/32 + 8; len(w.words) < size {
		w.words = make([]uint32, size)
	}
	w.pos, w.acc, w.n = 0, 0, 0
}

// put appends the low n <= 32 bits of v, above which there are none.
func (w *bitWriter) put(v uint64, n int) {
	w.acc |= v &^ 0xff >> (w.n & 63)
	w.words[w.pos] = uint32(w.acc >> 32)
	w.n += n
	full := w.n & 32
	w.acc <<= full & 63
	w.pos += full >> 5
	w.n &= 31
}

// putCodes appends codes as a codeTable has them.
func (w *bitWriter) putCodes(codes ...uint64) {
	for _, c := range codes {
		w.put(c, int(c&63))
	}
}

// putRun appends the length of a run, and moves the state of the run coder.
func (w *bitWriter) putRun(mel *uint8, n int) {
	m := *mel & 31
	for n >= 1<<(runBits[m]&15) {
		n -= 1 << (runBits[m] & 15)
		w.put(1<<63, 1)
		if m < 31 {
			m++
		}
	}
	w.put(uint64(n)<<(63-runBits[m]), int(runBits[m])+1)
	if m > 0 {
		m--
	}
	*mel = m
}

// finish pads the last word and adds the empty one.
func (w *bitWriter) finish() {
	w.put(0, -w.n&31)
	w.put(0, 32)
}

// flush appends the full words to dst.
func (w *bitWriter) flush(dst []byte) []byte {
	n := len(dst)
	dst = slices.Grow(dst, 4*w.pos)[:n+4*w.pos]
	out := dst[n:]
	for i, v := range w.words[:w.pos] {
		binary.LittleEndian.PutUint32(out[4*i:4*i+4], v)
	}
	w.pos = 0
	return dst
}

// bitReader reads words from their top bit. Behind the end of src it reads
// zeros.
type bitReader struct {
	src []byte
	pos int    // bytes read, a multiple of 4
	acc uint64 // the next n bits, from the top; zeros below
	n   int    // below 64
	bad bool   // something was read that no encoder writes
}

// refill adds a word to acc, which holds n < 32 bits.
func (r *bitReader) refill(acc uint64, n int) (uint64, int) {
	if r.pos+4 <= len(r.src) {
		acc |= uint64(binary.LittleEndian.Uint32(r.src[r.pos:])) << (32 - uint(n)&31)
	}
	r.pos += 4
	return acc, n + 32
}

// overrun tells whether more was read than there is.
func (r *bitReader) overrun() bool { return r.pos*8-r.n > len(r.src)/4*32 }

// symbol reads a symbol in one code.
func (r *bitReader) symbol(t *codeTable) uint32 {
	if r.n < 32 {
		r.acc, r.n = r.refill(r.acc, r.n)
	}
	if e := uint32(t.get[r.acc>>(64-lookBits)]); e != 0 {
		r.acc <<= e >> 8 & 63
		r.n -= int(e >> 8)
		return e & 0xff
	}
	v, n := t.decode(uint32(r.acc >> 32))
	r.acc <<= n & 63
	r.n -= int(n)
	if v >= 1<<t.depth {
		r.bad = true
		return 0
	}
	return align(v, t.depth)
}

// run reads the length of a run, which may be up to limit, and moves the state
// of the run coder.
func (r *bitReader) run(mel *uint8, limit int) int {
	m, n := *mel&31, 0
	for {
		if r.n < 32 {
			r.acc, r.n = r.refill(r.acc, r.n)
		}
		one := r.acc >> 63
		r.acc <<= 1
		r.n--
		if one == 0 {
			break
		}
		if n += 1 << (runBits[m] & 15); n > limit {
			r.bad = true
			return limit
		}
		if m < 31 {
			m++
		}
	}
	k := uint(runBits[m] & 15)
	n += int(r.acc >> 1 >> (63 - k))
	r.acc <<= k
	r.n -= int(k)
	if m > 0 {
		m--
	}
	*mel = m
	if n > limit {
		r.bad = true
		return limit
	}
	return n
}
