package pixel

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// Slack is the number of bytes behind a plane that may be read, and behind an
// output position that may be overwritten.
const Slack = 16

// MaxLiterals is the number of units one literal operation carries at most.
const MaxLiterals = 32

// Pass says how the units of one byte code look in its plane, and what they
// cost in the stream. It is immutable.
type Pass struct {
	Unit    int    // bytes of a unit in the plane: 1, 2 or 4
	Shift   uint   // its logarithm
	Literal int    // bytes of a literal in the stream: 1, 2 or 3
	Bias    int    // units a match has beyond the length it writes
	Mask    uint64 // the bits of eight plane bytes that count
	Key     uint64 // the same, for the few units a match is looked up by

	source int // bytes of a unit in the source image
	stage  func(dst, src []byte)
	put    func(out []byte, o int, plane []byte, from, to int) int
}

var (
	bytePass   = Pass{Unit: 1, Literal: 1, Bias: 2, Mask: ^uint64(0), Key: 1<<32 - 1, source: 1, stage: stageCopy, put: putBytes}
	alphaPass  = Pass{Unit: 1, Literal: 1, Bias: 2, Mask: ^uint64(0), Key: 1<<32 - 1, source: 4, stage: stageAlpha, put: putBytes}
	rgb16Pass  = Pass{Unit: 2, Shift: 1, Literal: 2, Bias: 1, Mask: ^uint64(0), Key: 1<<48 - 1, source: 2, stage: stageCopy, put: putWords}
	rgb24Pass  = Pass{Unit: 4, Shift: 2, Literal: 3, Bias: 0, Mask: 0x00ffffff00ffffff, Key: 0x00ffffff00ffffff, source: 3, stage: stageWiden, put: putColours}
	rgb32Pass  = Pass{Unit: 4, Shift: 2, Literal: 3, Bias: 0, Mask: 0x00ffffff00ffffff, Key: 0x00ffffff00ffffff, source: 4, stage: stageCopy, put: putColours}
	passesByte = []*Pass{&bytePass}

	passesOf = [...][]*Pass{
		PLT1LE: passesByte, PLT1BE: passesByte, PLT4LE: passesByte, PLT4BE: passesByte, PLT8: passesByte,
		RGB16: {&rgb16Pass}, RGB24: {&rgb24Pass}, RGB32: {&rgb32Pass}, RGBA: {&rgb32Pass, &alphaPass},
		XXXA: {&alphaPass}, A8: passesByte,
	}
)

// Passes lists the byte codes an image of a valid type is made of, in order.
func (t Type) Passes() []*Pass { return passesOf[t] }

// Units is the number of units of each pass: bytes for palette types, else pixels.
func (im Image) Units() int {
	if im.Type.Palette() {
		return im.Size()
	}
	return im.Width * im.Height
}

// Worst is the most bytes n units of this pass can take, as long as every
// match is at least one byte shorter than the literals it stands for: then the
// literal operation a match may cut in two costs no more than the match saves.
func (p *Pass) Worst(n int) int { return n*p.Literal + n/MaxLiterals + 1 }

// SourceSize is how many bytes of the source image n units are.
func (p *Pass) SourceSize(n int) int { return n * p.source }

// Stage fills the plane dst, a whole number of units long, from r. If r ends too
// early, the rest becomes 0, and it reports false.
func (p *Pass) Stage(dst []byte, r *Reader) bool {
	for len(dst) > 0 {
		src := r.Next(p.source, len(dst)/p.Unit)
		if src == nil {
			clear(dst)
			return false
		}
		n := len(src) / p.source * p.Unit
		p.stage(dst[:n], src)
		dst = dst[n:]
	}
	return true
}

func stageCopy(dst, src []byte) { copy(dst, src) }

func stageAlpha(dst, src []byte) {
	for len(dst) >= 4 && len(src) >= 16 {
		x, y := load(src, 0), load(src, 8)
		binary.LittleEndian.PutUint32(dst, uint32(x>>24&0xff|x>>48&0xff00|y>>8&0xff0000|y>>32&0xff000000))
		src, dst = src[16:], dst[4:]
	}
	for i := range dst {
		dst[i] = src[4*i+3]
	}
}

func stageWiden(dst, src []byte) {
	for len(src) >= 8 && len(dst) >= 8 {
		binary.LittleEndian.PutUint64(dst, widen(binary.LittleEndian.Uint64(src)))
		src, dst = src[6:], dst[8:]
	}
	for len(src) >= 3 && len(dst) >= 4 {
		dst[0], dst[1], dst[2], dst[3] = src[0], src[1], src[2], 0
		src, dst = src[3:], dst[4:]
	}
}

// widen makes two B,G,R,0 pixels of the first six bytes of x.
func widen(x uint64) uint64 { return x&0xffffff | x<<8&0x00ffffff00000000 }

// PutLiterals writes the units plane[from:to] as literal operations to out[o:],
// and returns the new o. Both slices have Slack bytes more than is used.
func (p *Pass) PutLiterals(out []byte, o int, plane []byte, from, to int) int {
	for step := MaxLiterals * p.Unit; from < to; {
		end := min(from+step, to)
		out[o] = byte((end-from)>>p.Shift - 1)
		o = p.put(out, o+1, plane, from, end)
		from = end
	}
	return o
}

func putBytes(out []byte, o int, plane []byte, from, to int) int {
	return o + copy(out[o:], plane[from:to])
}

// putWords writes 16-bit units high byte first.
func putWords(out []byte, o int, plane []byte, from, to int) int {
	const low = 0x00ff00ff00ff00ff
	end := o + to - from
	for ; from < to; from += 8 {
		x := binary.LittleEndian.Uint64(plane[from:])
		binary.LittleEndian.PutUint64(out[o:], x<<8&^low|x>>8&low)
		o += 8
	}
	return end
}

// putColours writes three of the four bytes of each unit.
func putColours(out []byte, o int, plane []byte, from, to int) int {
	end := o + (to-from)/4*3
	if to-from <= Slack { // most often: no loop to guess the length of
		x, y := load(plane, from), load(plane, from+8)
		binary.LittleEndian.PutUint64(out[o:], x&0xffffff|x>>8&0x0000ffffff000000)
		binary.LittleEndian.PutUint64(out[o+6:], y&0xffffff|y>>8&0x0000ffffff000000)
		return end
	}
	for ; from < to; from += 8 {
		x := binary.LittleEndian.Uint64(plane[from:])
		binary.LittleEndian.PutUint64(out[o:], x&0xffffff|x>>8&0x0000ffffff000000)
		o += 6
	}
	return end
}

// MatchLen is the number of bytes, up to end-at, that plane[ref:] and plane[at:]
// have in common under mask. Round it down to whole units. ref+end-at and end
// leave Slack bytes in the plane.
func MatchLen(plane []byte, ref, at, end int, mask uint64) int {
	n := end - at
	a, b := plane[ref:ref+n+Slack], plane[at:at+n+Slack]
	for i := 0; i < n; i += 16 {
		x, y := (load(a, i)^load(b, i))&mask, (load(a, i+8)^load(b, i+8))&mask
		if x|y != 0 { // one branch for both: how long a match is cannot be predicted
			if x == 0 {
				i += 8
				x = y
			}
			return min(i+bits.TrailingZeros64(x)>>3, n)
		}
		if i == farMatch {
			i = matchFar(a, b, i, n)
		}
	}
	return n
}

// farMatch is the length from which matches are measured by so many bytes at a time.
const farMatch = 256

// matchFar moves i, where a and b are the same for 16 bytes, on over what is
// the same in all bits: mostly that goes for those that do not count, too.
func matchFar(a, b []byte, i, n int) int {
	for i+farMatch <= n && bytes.Equal(a[i:i+farMatch], b[i:i+farMatch]) {
		i += farMatch
	}
	if i > farMatch {
		i -= 16
	}
	return i
}

func load(b []byte, i int) uint64 { return binary.LittleEndian.Uint64(b[i : i+8]) }

// MatchBack is the number of bytes, up to limit, that end before ref and before
// at and are equal under mask. Round it down to whole units.
func MatchBack(plane []byte, ref, at, limit int, mask uint64) int {
	limit = min(limit, ref, at)
	n := 0
	for n+8 <= limit {
		x := (binary.LittleEndian.Uint64(plane[ref-n-8:]) ^ binary.LittleEndian.Uint64(plane[at-n-8:])) & mask
		if x != 0 {
			return n + bits.LeadingZeros64(x)>>3
		}
		n += 8
	}
	return n
}
