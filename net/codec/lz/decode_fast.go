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

// decodeColours does what decodePass does for 32-bit colours, as long as input
// and output are far from their ends. It returns how far it came: everything
// behind that, and every complaint, is for decodePass.
func decodeColours(dst, src []byte, at, s int) (newAt, newS int) {
	for s+fastIn <= len(src) && at+fastOut <= len(dst) {
		c := int(src[s])
		if c < pixel.MaxLiterals {
			in, out := src[s+1:s+fastIn], dst[at:at+fastOut]
			for i, o := 0, 0; i <= 3*c; i, o = i+6, o+8 {
				x := binary.LittleEndian.Uint64(in[i:])
				binary.LittleEndian.PutUint64(out[o:], x&0xffffff|x<<8&0x00ffffff00000000)
			}
			s += 1 + 3*(c+1)
			at += 4 * (c + 1)
			continue
		}
		m, ok := readMatch(src, s+1, c)
		n, period := 4*m.length, 4*m.distance
		if !ok || period > at || n > len(dst)-at {
			break
		}
		s = m.next
		ref := at - period
		switch {
		case n > fastCopy:
			pixel.CopyUnits(dst, at, ref, n)
		case period == 4:
			v := uint64(binary.LittleEndian.Uint32(dst[ref:])) * (1<<32 + 1)
			out := dst[at : at+n+8]
			for o := 0; o < n; o += 8 {
				binary.LittleEndian.PutUint64(out[o:], v)
			}
		default:
			for o := 0; o < n; o += 8 {
				binary.LittleEndian.PutUint64(dst[at+o:], binary.LittleEndian.Uint64(dst[ref+o:]))
			}
		}
		at += n
	}
	return at, s
}
