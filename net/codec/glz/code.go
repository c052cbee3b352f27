package glz

// A reference is 3 to 7 bytes and those of a long length:
//
//	c   length 3 bits, F, offset[3:0]
//	    while the length is 7 and more: bytes to add, the last one below 255
//	b1  offset[11:4]
//	b2  F = 0: n 2 bits, images[5:0]; n bytes: images[13:6], [21:14], [29:22]
//	    F = 1: n 2 bits, G, offset[16:12]; n bytes: images[7:0], [15:8], [23:16]; if G: offset[24:17]
//
// images is how many images back the reference goes. At 0 the offset is the
// distance less one, else it counts from the first unit of that image.
const (
	nearOffset   = 1 << 12 // below it F is 0
	middleOffset = 1 << 17 // below it G is 0
)

// reference is the operation to copy units from elsewhere.
type reference struct {
	length int // units without the bias of the pass
	offset int // units
	images int
}

// imageBytes is n: how many bytes of the number of images follow b2.
func (r reference) imageBytes() int {
	images := r.images
	if r.offset < nearOffset {
		images >>= 6
	}
	n := 0
	for ; images > 0; images >>= 8 {
		n++
	}
	return n
}

// cost is the length of r in the stream, without what a long length adds.
func (r reference) cost() int {
	if r.offset >= middleOffset {
		return 4 + r.imageBytes()
	}
	return 3 + r.imageBytes()
}

// put writes r to out[o:] and returns the new o.
func (r reference) put(out []byte, o int) int {
	n := r.imageBytes()
	c := min(r.length, longLength)<<5 | r.offset&15
	b2, images := n<<6|r.images&63, r.images>>6
	if r.offset >= nearOffset {
		c |= 16
		b2, images = n<<6|r.offset>>12&31, r.images
	}
	if r.offset >= middleOffset {
		b2 |= 32
	}
	out[o] = byte(c)
	o++
	if left := r.length - longLength; left >= 0 {
		for ; left >= 255; left -= 255 {
			out[o] = 255
			o++
		}
		out[o] = byte(left)
		o++
	}
	out[o], out[o+1] = byte(r.offset>>4), byte(b2)
	o += 2
	for ; n > 0; n-- {
		out[o] = byte(images)
		images >>= 8
		o++
	}
	if r.offset >= middleOffset {
		out[o] = byte(r.offset >> 17)
		o++
	}
	return o
}

// readReference reads the rest of a reference whose control byte c was
// src[s-1], and returns where it ends. It reports false if src ends first.
func readReference(src []byte, s, c int) (r reference, next int, ok bool) {
	r.length, r.offset = c>>5, c&15
	for more := r.length == longLength; more; s++ {
		if s >= len(src) {
			return r, s, false
		}
		r.length += int(src[s])
		more = src[s] == 255
	}
	if len(src)-s < 2 {
		return r, s, false
	}
	r.offset |= int(src[s]) << 4
	b2 := int(src[s+1])
	s += 2
	far := c&16 != 0
	extended := far && b2&32 != 0
	need := b2 >> 6
	if extended {
		need++
	}
	if len(src)-s < need {
		return r, s, false
	}
	shift := 0
	if far {
		r.offset |= b2 & 31 << 12
	} else {
		r.images, shift = b2&63, 6
	}
	for range b2 >> 6 {
		r.images |= int(src[s]) << shift
		shift += 8
		s++
	}
	if extended {
		r.offset |= int(src[s]) << 17
		s++
	}
	return r, s, true
}
