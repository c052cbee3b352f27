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
