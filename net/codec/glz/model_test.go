package glz

import "github.com/spiceecs/spiceecs/net/codec/pixel"

// model decodes streams in the plainest way, a unit at a time, and never frees
// an image. Units are colours of 2 or 3 bytes and, in a plane of their own, alphas.
type model map[uint64]*modelImage

type modelImage struct {
	typ            pixel.Type
	colours, alpha [][]byte
}

// decode returns the pixels in the layout of the source image, or nil if the
// stream is bad or refers to an image before oldest or not in the model.
func (m model) decode(stream []byte) []byte {
	h, err := ParseHeader(stream)
	if err != nil {
		return nil
	}
	in := stream[headerSize:]
	img := &modelImage{typ: h.Type}
	literal, bias := 3, 0
	if h.Type == pixel.RGB16 {
		literal, bias = 2, 1
	}
	colours := func(i *modelImage) [][]byte { return i.colours }
	alpha := func(i *modelImage) [][]byte { return i.alpha }
	if img.colours, in = m.pass(h, in, literal, bias, colours); img.colours == nil {
		return nil
	}
	if h.Type == pixel.RGBA {
		if img.alpha, in = m.pass(h, in, 1, 2, alpha); img.alpha == nil {
			return nil
		}
	}
	if len(in) > 0 {
		return nil
	}
	m[h.ID] = img
	size := h.Type.BytesPerPixel()
	out := make([]byte, h.Size())
	for i, c := range img.colours {
		copy(out[size*i:], c)
		if h.Type == pixel.RGB16 {
			out[2*i], out[2*i+1] = c[1], c[0]
		}
		if h.Type == pixel.RGBA {
			out[4*i+3] = img.alpha[i][0]
		}
	}
	return out
}

func (m model) pass(h Header, in []byte, literal, bias int, plane func(*modelImage) [][]byte) (out [][]byte, rest []byte) {
	bad := false
	next := func() (v int) {
		if len(in) == 0 {
			bad = true
			return 0
		}
		v, in = int(in[0]), in[1:]
		return v
	}
	for len(out) < h.Units() && !bad {
		c := next()
		if c < 32 {
			for range c + 1 {
				unit := make([]byte, literal)
				for k := range unit {
					unit[k] = byte(next())
				}
				out = append(out, unit)
			}
			continue
		}
		length, offset, images := c>>5, c%16, 0
		for length >= 7 {
			e := next()
			if length += e; e < 255 {
				break
			}
		}
		offset += next() * 16
		b2 := next()
		if c/16%2 == 0 {
			images = b2 % 64
			for i := range b2 >> 6 {
				images += next() << (6 + 8*i)
			}
		} else {
			offset += b2 % 32 * 4096
			for i := range b2 >> 6 {
				images += next() << (8 * i)
			}
			if b2/32%2 == 1 {
				offset += next() << 17
			}
		}
		from := out
		if images > 0 {
			other := m[h.ID-uint64(images)]
			if images > int(h.HeadDistance) || other == nil || other.typ != h.Type {
				return nil, nil
			}
			from = plane(other)
		} else {
			offset = len(out) - offset - 1
		}
		for i := range length + bias {
			if images == 0 {
				from = out
			}
			if bad || offset+i < 0 || offset+i >= len(from) || len(out) >= h.Units() {
				return nil, nil
			}
			out = append(out, from[offset+i])
		}
	}
	if bad || len(out) != h.Units() {
		return nil, nil
	}
	return out, in
}
