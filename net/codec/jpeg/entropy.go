package jpeg

import (
	"encoding/binary"
	"math/bits"
)

// coefficients is a quantised block in zigzag order. Only those with a bit in
// nonzero are valid.
type coefficients struct {
	nonzero uint64
	v       [64]int32
}

// quantise divides the low lanes of b into lo and the high ones into hi.
func (q *quantiser) quantise(b *block, lo, hi *coefficients) {
	b[0] -= bothLanes * (64 * 128)
	const top = 1 << 63
	var inLow, inHigh uint64 // where coefficients exceed the limit, row by row
	for i, c := range b {
		limit := q.limit[i]
		out := (c + limit) | (limit - c) // the signs of both lanes
		inLow = inLow>>1 | out<<32&top
		inHigh = inHigh>>1 | out&top
	}
	lo.nonzero, hi.nonzero = 0, 0
	for ; inLow != 0; inLow &= inLow - 1 {
		i := bits.TrailingZeros64(inLow) & 63
		lo.set(i, q.divide(i, low(b[i])))
	}
	for ; inHigh != 0; inHigh &= inHigh - 1 {
		i := bits.TrailingZeros64(inHigh) & 63
		hi.set(i, q.divide(i, high(b[i])))
	}
}

// divide quantises coefficient i.
func (q *quantiser) divide(i int, c int32) int32 {
	return int32((int64(c)*q.recip[i] + 1<<(recipBits-1)) >> recipBits)
}

// set makes v coefficient i, counted row by row.
func (c *coefficients) set(i int, v int32) {
	if v != 0 {
		k := unzigzag[i] & 63
		c.v[k] = v
		c.nonzero |= 1 << k
	}
}

// dc is the first coefficient.
func (c *coefficients) dc() int32 {
	if c.nonzero&1 == 0 {
		return 0
	}
	return c.v[0]
}

// worstMCU bounds the bytes an MCU takes: 6 blocks of 64 coefficients of at
// most 27 bits, each byte of which may need another behind it.
const worstMCU = 6 * 64 * 27 / 8 * 2

// bitWriter appends bits to out, which has room for them.
type bitWriter struct {
	out []byte // up to its capacity
	pos int
	acc uint64 // the last n bits are still to be written
	n   uint   // below 32
}

// put appends the low n <= 32 bits of v, above which there are none.
func (w *bitWriter) put(v uint32, n uint) {
	w.acc = w.acc<<(n&63) | uint64(v)
	if w.n += n; w.n >= 32 {
		w.n -= 32
		w.word(uint32(w.acc >> (w.n & 63)))
	}
}

// word appends 4 bytes, with a 0 behind each that is 0xff.
func (w *bitWriter) word(v uint32) {
	if (^v-0x01010101)&v&0x80808080 == 0 { // no byte of ^v is 0
		binary.BigEndian.PutUint32(w.out[w.pos:], v)
		w.pos += 4
		return
	}
	for range 4 {
		w.byte(byte(v >> 24))
		v <<= 8
	}
}

func (w *bitWriter) byte(b byte) {
	w.out[w.pos] = b
	w.pos++
	if b == 0xff {
		w.out[w.pos] = 0
		w.pos++
	}
}

// finish fills the last byte with ones.
func (w *bitWriter) finish() {
	w.put(1<<7-1, 7)
	for w.n >= 8 {
		w.n -= 8
		w.byte(byte(w.acc >> w.n))
	}
	w.acc, w.n = 0, 0
}

// signed returns the bits that stand for v within its category, the number of
// bits of its magnitude.
func signed(v int32) (word uint32, category uint) {
	sign := v >> 31
	category = uint(bits.Len32(uint32((v ^ sign) - sign)))
	return uint32(v+sign) & (1<<category - 1), category
}

// block appends a block. diff is how its DC differs from the block before.
func (w *bitWriter) block(c *coefficients, diff int32, dc, ac *huffman) {
	word, n := signed(diff)
	code := dc[n]
	w.put(code>>5<<n|word, uint(code&31)+n)
	last := 0
	for rest := c.nonzero &^ 1; rest != 0; rest &= rest - 1 {
		k := bits.TrailingZeros64(rest) & 63
		run := k - last - 1
		for ; run > 15; run -= 16 {
			code = ac[0xf0]
			w.put(code>>5, uint(code&31))
		}
		word, n = signed(c.v[k])
		code = ac[uint8(run<<4)|uint8(n)]
		w.put(code>>5<<n|word, uint(code&31)+n)
		last = k
	}
	if last < 63 {
		code = ac[0]
		w.put(code>>5, uint(code&31))
	}
}

// flat returns the DC of a block of 64 samples v.
func (q *quantiser) flat(v uint64) int32 {
	return q.divide(0, int32(64*v)-64*128)
}
