package lz

// modelDecode decodes a stream in the plainest way: one pass after the other
// into slices of units, unit by unit. It returns nil for a bad stream.
func modelDecode(stream []byte) []byte {
	im, err := ParseHeader(stream)
	if err != nil {
		return nil
	}
	in := stream[headerSize:]
	units := im.Width * im.Height
	if im.Type.Palette() {
		units = im.Stride * im.Height
	}
	out := make([]byte, im.Stride*im.Height)
	colours := map[Type]int{RGB16: 2, RGB24: 3, RGB32: 3, RGBA: 3, XXXA: 0}
	size, coloured := colours[im.Type]
	if !coloured {
		size = 1
	}
	bias := map[int]int{1: 2, 2: 1, 3: 0}
	if size > 0 {
		plane, rest := modelPass(in, units, size, bias[size])
		if plane == nil {
			return nil
		}
		in = rest
		for i, u := range plane {
			switch im.Type {
			case RGB16:
				out[2*i], out[2*i+1] = u[1], u[0]
			case RGB32, RGBA:
				copy(out[4*i:], u)
			default:
				copy(out[size*i:], u)
			}
		}
	}
	if im.Type == RGBA || im.Type == XXXA {
		plane, rest := modelPass(in, units, 1, 2)
		if plane == nil {
			return nil
		}
		in = rest
		for i, u := range plane {
			out[4*i+3] = u[0]
		}
	}
	if len(in) > 0 {
		return nil
	}
	return out
}

func modelPass(in []byte, units, size, bias int) (plane [][]byte, rest []byte) {
	next := func() (v int) {
		if len(in) == 0 {
			return -1 << 40
		}
		v, in = int(in[0]), in[1:]
		return v
	}
	for len(plane) < units {
		c := next()
		if c < 0 {
			return nil, nil
		}
		if c < 32 {
			for range c + 1 {
				if len(in) < size {
					return nil, nil
				}
				plane, in = append(plane, in[:size]), in[size:]
			}
			continue
		}
		length := c >> 5
		for e := 255; length >= 7 && e == 255; {
			e = next()
			length += e
		}
		low := next()
		distance := (c&31)<<8 + low
		if distance == 8191 {
			distance = 8191 + next()<<8
			distance += next()
		}
		if length < 0 || distance < 0 || distance+1 > len(plane) {
			return nil, nil
		}
		for range length + bias {
			plane = append(plane, plane[len(plane)-distance-1])
		}
	}
	if len(plane) != units {
		return nil, nil
	}
	return plane, in
}
