package canvas

// Arithmetic on premultiplied a8r8g8b8 pixels, two components at a time, as X
// Render's 8-bit combiners define it.

// mul8 is a*b/255, rounded.
func mul8(a, b uint32) uint32 {
	t := a*b + 128
	return (t + t>>8) >> 8
}

const evenBytes = 0x00ff00ff

// mulPair multiplies the components in bits 0-7 and 16-23 of v by a.
func mulPair(v, a uint32) uint32 {
	t := v&evenBytes*a + 0x00800080
	return (t + t>>8&evenBytes) >> 8 & evenBytes
}

// addPair adds such components; sums beyond 255 are 255.
func addPair(v, w uint32) uint32 {
	t := v&evenBytes + w&evenBytes
	t |= 0x01000100 - t>>8&evenBytes
	return t & evenBytes
}

// mulAlpha multiplies all components of p by a.
func mulAlpha(p, a uint32) uint32 { return mulPair(p, a) | mulPair(p>>8, a)<<8 }

// mulEach multiplies p by m, component by component.
func mulEach(p, m uint32) uint32 {
	return mul8(p&255, m&255) | mul8(p>>8&255, m>>8&255)<<8 |
		mul8(p>>16&255, m>>16&255)<<16 | mul8(p>>24, m>>24)<<24
}

// add adds all components, saturating.
func add(p, q uint32) uint32 { return addPair(p, q) | addPair(p>>8, q>>8)<<8 }

// over puts s on d.
func over(s, d uint32) uint32 {
	switch s >> 24 {
	case 255:
		return s
	case 0:
		if s == 0 {
			return d
		}
	}
	return add(s, mulAlpha(d, 255-s>>24))
}
