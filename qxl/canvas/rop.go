package canvas

import (
	"encoding/binary"

	"github.com/spiceecs/spiceecs/qxl"
)

// rop2 is a raster operation of two operands as its truth table: bit 3 is the
// result for source 0 and destination 0, bit 2 for 0 and 1, bit 1 for 1 and 0,
// bit 0 for 1 and 1. This is also X11's numbering.
type rop2 uint8

const (
	rop2Clear  rop2 = 0b0000
	rop2Src    rop2 = 0b0011 // the source's own truth table
	rop2Dst    rop2 = 0b0101
	rop2Invert rop2 = 0b1010
	rop2Set    rop2 = 0b1111
)

// decodeRop reads a raster operation descriptor, of which the first bit set in
// the order below counts; none at all is a plain copy. The inversion bits that
// belong to the command's operands are given by invSrc and invDst.
func decodeRop(rop, invSrc, invDst uint16) rop2 {
	s, d := rop2Src, rop2Dst
	if rop&invSrc != 0 {
		s = ^s & 15
	}
	if rop&invDst != 0 {
		d = ^d & 15
	}
	var r rop2
	switch {
	case rop&qxl.RopPut != 0:
		r = s
	case rop&qxl.RopOr != 0:
		r = s | d
	case rop&qxl.RopAnd != 0:
		r = s & d
	case rop&qxl.RopXor != 0:
		r = s ^ d
	case rop&qxl.RopBlackness != 0:
		return rop2Clear
	case rop&qxl.RopWhiteness != 0:
		return rop2Set
	case rop&qxl.RopInvers != 0:
		return rop2Invert
	default:
		return rop2Src
	}
	if rop&qxl.RopInversRes != 0 {
		r = ^r & 15
	}
	return r
}

// fillRop is for operations whose source operand is a brush.
func fillRop(rop uint16) rop2 { return decodeRop(rop, qxl.RopInversBrush, qxl.RopInversDest) }

// copyRop is for operations whose source operand is an image.
func copyRop(rop uint16) rop2 { return decodeRop(rop, qxl.RopInversSrc, qxl.RopInversDest) }

// opaqueRop combines a brush with an image that already is the destination.
func opaqueRop(rop uint16) rop2 { return decodeRop(rop, qxl.RopInversBrush, qxl.RopInversSrc) }

// idempotent reports whether doing it twice is the same as once: no source bit
// flips the destination's.
func (r rop2) idempotent() bool { return r>>2 != 0b10 && r&0b11 != 0b10 }

// ones is a word of the lowest bit of v.
func ones(v rop2) uint64 { return -uint64(v & 1) }

// terms is a rop2 as what it does with the destination where the source is 0
// and where it is 1: keep the bits of and, then flip those of xor.
type terms struct{ and0, xor0, and1, xor1 uint64 }

func (r rop2) terms() terms {
	return terms{
		and0: ones(r>>3 ^ r>>2), xor0: ones(r >> 3),
		and1: ones(r>>1 ^ r), xor1: ones(r >> 1),
	}
}

func (t *terms) eval(s, d uint64) uint64 {
	return (d&t.and0^t.xor0)&^s | (d&t.and1^t.xor1)&s
}

// apply sets dst to r of src and dst, which are equally long.
func (r rop2) apply(dst, src []byte) {
	if r == rop2Src {
		copy(dst, src)
		return
	}
	t := r.terms()
	src = src[:len(dst)]
	for len(dst) >= 8 && len(src) >= 8 {
		v := t.eval(binary.LittleEndian.Uint64(src), binary.LittleEndian.Uint64(dst))
		binary.LittleEndian.PutUint64(dst, v)
		dst, src = dst[8:], src[8:]
	}
	for i := range dst {
		dst[i] = byte(t.eval(uint64(src[i]), uint64(dst[i])))
	}
}

// constant turns a rop2 whose source is the fixed word s into what is kept of
// the destination and what is flipped then.
func (r rop2) constant(s uint64) (and, xor uint64) {
	t := r.terms()
	return t.and0&^s | t.and1&s, t.xor0&^s | t.xor1&s
}

// andXor sets dst to dst&and^xor, the words being repeated from dst's start.
func andXor(dst []byte, and, xor uint64) {
	le := binary.LittleEndian
	for ; len(dst) >= 32; dst = dst[32:] {
		le.PutUint64(dst, le.Uint64(dst)&and^xor)
		le.PutUint64(dst[8:], le.Uint64(dst[8:])&and^xor)
		le.PutUint64(dst[16:], le.Uint64(dst[16:])&and^xor)
		le.PutUint64(dst[24:], le.Uint64(dst[24:])&and^xor)
	}
	for ; len(dst) >= 8; dst = dst[8:] {
		le.PutUint64(dst, le.Uint64(dst)&and^xor)
	}
	for i := range dst {
		dst[i] = dst[i]&byte(and>>(8*i)) ^ byte(xor>>(8*i))
	}
}

// rop3 is a raster operation of three operands: bit 4*P+2*S+D is the result
// for pattern P, source S and destination D.
type rop3 uint8

// split gives the two-operand operations for pattern 0 and pattern 1.
func (r rop3) split() (p0, p1 terms) {
	table := func(n rop3) rop2 { // n's bit 2*S+D becomes bit 3-(2*S+D)
		return rop2(n>>3&1 | n>>2&1<<1 | n>>1&1<<2 | n&1<<3)
	}
	return table(r).terms(), table(r >> 4).terms()
}

// apply sets dst to r of pat, src and dst, which are equally long.
func (r rop3) apply(dst, src, pat []byte) {
	t0, t1 := r.split()
	src, pat = src[:len(dst)], pat[:len(dst)]
	for len(dst) >= 8 && len(src) >= 8 && len(pat) >= 8 {
		s, d := binary.LittleEndian.Uint64(src), binary.LittleEndian.Uint64(dst)
		p := binary.LittleEndian.Uint64(pat)
		binary.LittleEndian.PutUint64(dst, t0.eval(s, d)&^p|t1.eval(s, d)&p)
		dst, src, pat = dst[8:], src[8:], pat[8:]
	}
	for i := range dst {
		s, d, p := uint64(src[i]), uint64(dst[i]), uint64(pat[i])
		dst[i] = byte(t0.eval(s, d)&^p | t1.eval(s, d)&p)
	}
}
