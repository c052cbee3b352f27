package canvas

import (
	"math/rand/v2"
	"testing"

	"github.com/spiceecs/spiceecs/qxl"
)

// bitOp is what a descriptor says for one bit, written from its definition.
func bitOp(rop uint16, invS, invD uint16, s, d bool) bool {
	s0, d0 := s, d
	if rop&invS != 0 {
		s = !s
	}
	if rop&invD != 0 {
		d = !d
	}
	var r bool
	switch {
	case rop&qxl.RopPut != 0:
		r = s
	case rop&qxl.RopOr != 0:
		r = s || d
	case rop&qxl.RopAnd != 0:
		r = s && d
	case rop&qxl.RopXor != 0:
		r = s != d
	case rop&qxl.RopBlackness != 0:
		return false
	case rop&qxl.RopWhiteness != 0:
		return true
	case rop&qxl.RopInvers != 0:
		return !d0
	default:
		return s0
	}
	return r != (rop&qxl.RopInversRes != 0)
}

func bit(v bool) byte {
	if v {
		return 1
	}
	return 0
}

func TestDecodeRop(t *testing.T) {
	for rop := range uint16(1 << 11) {
		got := decodeRop(rop, qxl.RopInversSrc, qxl.RopInversDest)
		for i := range 4 {
			s, d := i&2 != 0, i&1 != 0
			want := bitOp(rop, qxl.RopInversSrc, qxl.RopInversDest, s, d)
			if (got>>(3-i)&1 == 1) != want {
				t.Fatalf("descriptor %#x is %04b: wrong for source %t and destination %t", rop, got, s, d)
			}
		}
	}
}

// noise is n random bytes.
func noise(r *rand.Rand, n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(r.Uint32())
	}
	return p
}

func TestRop2(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for op := range rop2(16) {
		for n := range 40 {
			src, dst := noise(r, n), noise(r, n)
			want := make([]byte, n)
			for i := range want {
				for b := range 8 {
					at := src[i]>>b&1<<1 | dst[i]>>b&1
					want[i] |= byte(op>>(3-at)&1) << b
				}
			}
			word := r.Uint64()
			filled, wantFilled := append([]byte(nil), dst...), make([]byte, n)
			for i := range wantFilled {
				for b := range 8 {
					at := byte(word>>(i%8*8+b)&1<<1) | dst[i]>>b&1
					wantFilled[i] |= byte(op>>(3-at)&1) << b
				}
			}
			op.apply(dst, src)
			andXor2(filled, op, word)
			if string(dst) != string(want) || string(filled) != string(wantFilled) {
				t.Fatalf("operation %04b on %d bytes is wrong", op, n)
			}
		}
	}
}

func andXor2(dst []byte, op rop2, word uint64) {
	and, xor := op.constant(word)
	andXor(dst, and, xor)
}

func TestRop3(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for op := range 256 {
		for _, n := range []int{0, 1, 7, 8, 9, 31} {
			pat, src, dst := noise(r, n), noise(r, n), noise(r, n)
			want := make([]byte, n)
			for i := range want {
				for b := range 8 {
					at := pat[i]>>b&1<<2 | src[i]>>b&1<<1 | dst[i]>>b&1
					want[i] |= byte(op) >> at & 1 << b
				}
			}
			rop3(op).apply(dst, src, pat)
			if string(dst) != string(want) {
				t.Fatalf("operation %#02x on %d bytes is wrong", op, n)
			}
		}
	}
}

func TestPixelArithmetic(t *testing.T) {
	for a := range uint32(256) {
		for b := range uint32(256) {
			want := (2*a*b + 255) / (2 * 255)
			if mul8(a, b) != want {
				t.Fatalf("mul8(%d,%d) = %d, want %d", a, b, mul8(a, b), want)
			}
			p := a | b<<8 | 255<<16 | (255-a)<<24
			if mulAlpha(p, b) != mulEach(p, b*0x01010101) {
				t.Fatalf("mulAlpha and mulEach differ for %08x and %d", p, b)
			}
			if got := add(a|b<<8, b|b<<8|a<<24); got != min(a+b, 255)|min(2*b, 255)<<8|a<<24 {
				t.Fatalf("sum of %d and %d is %08x", a, b, got)
			}
		}
	}
}
