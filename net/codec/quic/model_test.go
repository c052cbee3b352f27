package quic

import (
	"encoding/binary"
	"testing"
)

// TestCodes reads every escape there is, and every short code, as the plain
// codec does, among them those of values beyond the depth.
func TestCodes(t *testing.T) {
	for _, f := range []*family{family5(), family8()} {
		for l := range f.depth {
			c := newCode(f.depth, uint(l))
			for high := range uint32(1) << 12 {
				for _, window := range []uint32{high << 20, high << (32 - c.zeros - c.escape), ^high} {
					v, n := c.decode(window)
					r := bitReader{src: binary.LittleEndian.AppendUint32(nil, window)}
					got := r.symbol(&f.codes[l])
					if r.bad != (v >= 1<<f.depth) || !r.bad && got != align(v, f.depth) || r.n != 32-int(n) {
						t.Fatalf("depth %d code %d, %032b: %d, bad %v, %d bits; plain %d, %d bits",
							f.depth, l, window, got, r.bad, 32-r.n, v, n)
					}
					if word, length := c.encode(v); !r.bad && (length != n || window>>(32-n) != word) {
						t.Fatalf("depth %d code %d: %d is %b, not %b", f.depth, l, v, word, window>>(32-n))
					}
				}
			}
		}
	}
}
