package lz

import (
	"encoding/binary"

	"github.com/spiceecs/spiceecs/net/codec/pixel"
)

const (
	// fastIn is more than any operation reads, but for long lengths.
	fastIn = 4 * pixel.MaxLiterals
	// fastCopy is the longest match that is copied word by word.
	fastCopy = 128
	// fastOut is more than literals or such a match write, whole words that is.
	fastOut = max(4*pixel.MaxLiterals, fastCopy) + pixel.Slack
)

// widen2 makes two pixels with a pad byte of 0 at out[o:] of in[i:].
func widen2(out []byte, o int, in []byte, i int) {
	x := binary.LittleEndian.Uint64(in[i : i+8])
	binary.LittleEndian.PutUint64(out[o:o+8], x&0xffffff|x<<8&0x00ffffff00000000)
}

// copyWords copies n bytes from in to out, and up to 15 more, eight at a time.
func copyWords(out, in []byte, n int) {
	for o := 0; o < n; o += 8 {
		binary.LittleEndian.PutUint64(out[o:o+8], binary.LittleEndian.Uint64(in[o:o+8]))
	}
}

// decodeColours does what decodePass does for 32-bit colours, as long as input
// and output are far from their ends. It returns how far it came: everything
// behind that, and every complaint, is for decodePass.
func decodeColours(dst, src []byte, at, s int) (newAt, newS int) {
	for s+fastIn <= len(src) && at+fastOut <= len(dst) {
		c := int(src[s])
		if c < pixel.MaxLiterals {
			in, out := src[s+1:s+fastIn], dst[at:at+fastOut]
			widen2(out, 0, in, 0)
			widen2(out, 8, in, 6)
			for i, o := 12, 16; i <= 3*c; i, o = i+6, o+8 {
				widen2(out, o, in, i)
			}
			s += 1 + 3*(c+1)
			at += 4 * (c + 1)
			continue
		}
		m := match{c >> 5, c&31<<8 + int(src[s+1]) + 1, s + 2}
		if m.length == longLength || m.distance > maxNear {
			var ok bool
			if m, ok = readMatch(src, s+1, c); !ok {
				break
			}
		}
		n, period := 4*m.length, 4*m.distance
		if period > at || n > len(dst)-at {
			break
		}
		s = m.next
		ref := at - period
		switch {
		case n > fastCopy:
			pixel.CopyUnits(dst, at, ref, n)
		case period >= 16: // most often
			in, out := dst[ref:ref+fastOut], dst[at:at+fastOut]
			*(*[16]byte)(out) = *(*[16]byte)(in)
			*(*[16]byte)(out[16:]) = *(*[16]byte)(in[16:])
			for o := 32; o < n; o += 16 {
				*(*[16]byte)(out[o : o+16]) = *(*[16]byte)(in[o : o+16])
			}
		case period == 4:
			v := uint64(binary.LittleEndian.Uint32(dst[ref:])) * (1<<32 + 1)
			out := dst[at : at+n+8]
			for o := 0; o < n; o += 8 {
				binary.LittleEndian.PutUint64(out[o:], v)
			}
		default:
			copyWords(dst[at:at+fastOut], dst[ref:ref+fastOut], n)
		}
		at += n
	}
	return at, s
}
