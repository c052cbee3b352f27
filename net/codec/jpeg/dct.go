package jpeg

// lanes holds two numbers of 32 bits, low + high<<32, where a negative low
// borrows from the high one. Sums, differences and multiples of lanes are those
// of both numbers, with nothing to be done between the two; only at the end
// does each have to fit.
type lanes = uint64

// low and high take the numbers out again.
func low(l lanes) int32  { return int32(l) }
func high(l lanes) int32 { return int32((l - uint64(int64(int32(l)))) >> 32) }

// block is two blocks of 8 x 8, row by row.
type block [64]lanes

// The constants of the transform, in units of 1/one: cos(4pi/16), cos(6pi/16),
// cos(2pi/16)-cos(6pi/16) and cos(2pi/16)+cos(6pi/16). With this unit all of
// them are whole numbers to within 0.03%, and coefficients of 8-bit samples stay
// below 2^30 without any rounding on the way.
const (
	one = 290
	c4  = 205
	c6  = 111
	c2m = 157
	c2p = 379
)

// transform makes the DCT of both blocks in place, by the factorisation of
// Arai, Agui and Nakajima. Coefficient (u,v) is left at a scale of its own (see
// quantiser.set); samples are 0 to 255, so that only (0,0) shows their offset.
func (b *block) transform() {
	for i := 0; i < 64; i += 8 {
		r := b[i : i+8 : i+8]
		r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7] = dct8(r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7])
	}
	for i := range 8 {
		b[i], b[8+i], b[16+i], b[24+i], b[32+i], b[40+i], b[48+i], b[56+i] =
			dct8(b[i], b[8+i], b[16+i], b[24+i], b[32+i], b[40+i], b[48+i], b[56+i])
	}
}

// dct8 transforms 8 samples. Outputs 0 and 4 are at scale 1, others at one.
func dct8(x0, x1, x2, x3, x4, x5, x6, x7 lanes) (y0, y1, y2, y3, y4, y5, y6, y7 lanes) {
	s0, s1, s2, s3 := x0+x7, x1+x6, x2+x5, x3+x4
	d0, d1, d2, d3 := x0-x7, x1-x6, x2-x5, x3-x4

	e0, e1, e2, e3 := s0+s3, s1+s2, s1-s2, (s0-s3)*one
	z := (e2 + s0 - s3) * c4
	y0, y4, y2, y6 = e0+e1, e0-e1, e3+z, e3-z

	o0, o1, o2 := d3+d2, (d2+d1)*c4, d1+d0
	z5 := (o0 - o2) * c6
	z2, z4 := o0*c2m+z5, o2*c2p+z5
	p, m := d0*one+o1, d0*one-o1
	return y0, p + z4, y2, m - z2, y4, m + z2, y6, p - z4
}
