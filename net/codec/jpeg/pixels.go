package jpeg

import "encoding/binary"

// widen makes a line of 32-bit pixels.
func widen(dst, line []byte, f Format) {
	switch f {
	case BGRX:
		copy(dst, line)
	case BGR:
		for len(line) >= 3 && len(dst) >= 4 {
			dst[0], dst[1], dst[2], dst[3] = line[0], line[1], line[2], 0
			line, dst = line[3:], dst[4:]
		}
	case RGB16:
		for len(line) >= 2 && len(dst) >= 4 {
			v := uint32(binary.LittleEndian.Uint16(line))
			v = v<<9&0xf80000 | v<<6&0xf800 | v<<3&0xf8
			binary.LittleEndian.PutUint32(dst, v|v>>5&0x070707)
			line, dst = line[2:], dst[4:]
		}
	}
}
