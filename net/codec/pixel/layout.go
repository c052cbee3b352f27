package pixel

import "encoding/binary"

// Layout is a Pass seen by a decoder: how the units of one byte code lie in a
// decoded image. It is immutable.
type Layout struct {
	Unit    int // bytes from unit to unit in the image
	Literal int // bytes of a literal in the stream
	Bias    int // units a match has beyond the length it writes
	form    form
}

type form uint8

const (
	formBytes   form = iota // literals are copied
	formWords               // 16 bit, big-endian in the stream
	formColours             // 3 bytes, to which a 0 is added
	formAlpha               // the last byte of 4, the others stay
	formWiden               // 16 bit, big-endian, widened to 32
)

var (
	byteLayout   = Layout{Unit: 1, Literal: 1, Bias: 2}
	rgb16Layout  = Layout{Unit: 2, Literal: 2, Bias: 1, form: formWords}
	rgb24Layout  = Layout{Unit: 3, Literal: 3}
	colourLayout = Layout{Unit: 4, Literal: 3, form: formColours}
	alphaLayout  = Layout{Unit: 4, Literal: 1, Bias: 2, form: formAlpha}
	widenLayout  = Layout{Unit: 4, Literal: 2, Bias: 1, form: formWiden}
	layoutsByte  = []*Layout{&byteLayout}
	layoutsWiden = []*Layout{&widenLayout}

	layoutsOf = [...][]*Layout{
		PLT1LE: layoutsByte, PLT1BE: layoutsByte, PLT4LE: layoutsByte, PLT4BE: layoutsByte, PLT8: layoutsByte,
		RGB16: {&rgb16Layout}, RGB24: {&rgb24Layout}, RGB32: {&colourLayout}, RGBA: {&colourLayout, &alphaLayout},
		XXXA: {&alphaLayout}, A8: layoutsByte,
	}
)

// Layouts lists, for a valid type, the byte codes of an image in its own
// layout, in order.
func Layouts(t Type) []*Layout { return layoutsOf[t] }

// Layouts32 lists the byte codes of an RGB16, RGB24, RGB32 or RGBA image that
// is decoded to 32-bit pixels.
func Layouts32(t Type) []*Layout {
	switch t {
	case RGB16:
		return layoutsWiden
	case RGB24:
		return layoutsOf[RGB32]
	}
	return layoutsOf[t]
}

// Colours tells whether units are 32-bit colours that come as three bytes.
func (l *Layout) Colours() bool { return l.form == formColours }

// Unpack decodes the literals src[s:] into dst[at:end], a whole number of
// units. The caller has made sure that both are there.
func (l *Layout) Unpack(dst []byte, at, end int, src []byte, s int) {
	switch l.form {
	case formColours:
		unpackColours(dst, at, end, src, s)
	case formAlpha:
		for at += 3; at < end; at += 4 {
			dst[at] = src[s]
			s++
		}
	case formWords:
		for ; at < end; at += 2 {
			dst[at], dst[at+1] = src[s+1], src[s]
			s += 2
		}
	case formWiden:
		for ; at < end; at += 4 {
			binary.LittleEndian.PutUint32(dst[at:], widen555(uint32(src[s])<<8|uint32(src[s+1])))
			s += 2
		}
	default:
		copy(dst[at:end], src[s:])
	}
}

func unpackColours(dst []byte, at, end int, src []byte, s int) {
	in, out := src[s:], dst[at:end]
	i, o := 0, 0
	for ; o+8 <= len(out) && i+8 <= len(in); i, o = i+6, o+8 {
		binary.LittleEndian.PutUint64(out[o:o+8], widen(binary.LittleEndian.Uint64(in[i:i+8])))
	}
	for ; o+4 <= len(out); i, o = i+3, o+4 {
		out[o], out[o+1], out[o+2], out[o+3] = in[i], in[i+1], in[i+2], 0
	}
}

// Copy repeats n bytes of whole units from dst[ref:] at dst[at:], unit by unit:
// what it writes it may read again. ref < at and at+n <= len(dst).
func (l *Layout) Copy(dst []byte, at, ref, n int) {
	if l.form != formAlpha {
		CopyUnits(dst, at, ref, n)
		return
	}
	if at-ref == 4 {
		for i, v := at+3, dst[ref+3]; i < at+n; i += 4 {
			dst[i] = v
		}
		return
	}
	for i := 3; i < n; i += 4 {
		dst[at+i] = dst[ref+i]
	}
}

// CopyFrom copies n bytes of whole units from another image, src[ref:], to dst[at:].
func (l *Layout) CopyFrom(dst []byte, at int, src []byte, ref, n int) {
	if l.form != formAlpha {
		copy(dst[at:at+n], src[ref:])
		return
	}
	for i := 3; i < n; i += 4 {
		dst[at+i] = src[ref+i]
	}
}

// CopyUnits repeats n bytes from dst[ref:] at dst[at:], where ref < at, in
// rising order: with n > at-ref it repeats its own output. It may write up to
// eight bytes more, inside dst.
func CopyUnits(dst []byte, at, ref, n int) {
	const short = 64
	period := at - ref
	if n <= short && at+n+8 <= len(dst) {
		if period == 4 {
			v := uint64(binary.LittleEndian.Uint32(dst[ref:]))
			v |= v << 32
			for end := at + n; at < end; at += 8 {
				binary.LittleEndian.PutUint64(dst[at:], v)
			}
			return
		}
		if period >= 8 {
			for end := at + n; at < end; at, ref = at+8, ref+8 {
				binary.LittleEndian.PutUint64(dst[at:], binary.LittleEndian.Uint64(dst[ref:]))
			}
			return
		}
	}
	for end := at + n; at < end; {
		at += copy(dst[at:end], dst[ref:at])
	}
}
