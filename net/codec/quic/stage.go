package quic

import "encoding/binary"

// stage fills row from a line of pixels: the planes R, G and B in the bits 16,
// 8 and 0 of a word, 5-bit ones in the upper bits of their bytes.
func stage(row []uint32, line []byte, t Type) {
	switch t {
	case RGB16:
		for i := range row {
			v := uint32(binary.LittleEndian.Uint16(line[2*i : 2*i+2]))
			row[i] = v<<9&0xf80000 | v<<6&0xf800 | v<<3&0xf8
		}
	case RGB24:
		for i := range row {
			p := line[3*i : 3*i+3]
			row[i] = uint32(p[0]) | uint32(p[1])<<8 | uint32(p[2])<<16
		}
	default:
		for len(row) >= 8 && len(line) >= 32 {
			r, p := (*[8]uint32)(row), (*[32]byte)(line)
			r[0], r[1] = colours2(p[0:])
			r[2], r[3] = colours2(p[8:])
			r[4], r[5] = colours2(p[16:])
			r[6], r[7] = colours2(p[24:])
			row, line = row[8:], line[32:]
		}
		for i := range row {
			row[i] = binary.LittleEndian.Uint32(line[4*i:4*i+4]) & 0xffffff
		}
	}
}

// colours2 returns two pixels without their pad bytes.
func colours2(p []byte) (uint32, uint32) {
	v := binary.LittleEndian.Uint64(p) & 0x00ffffff00ffffff
	return uint32(v), uint32(v >> 32)
}

// stageBytes fills the row of a single plane: GRAY, or the alpha of RGBA.
func stageBytes(row, line []byte, t Type) {
	if t == GRAY {
		copy(row, line)
		return
	}
	line = line[:4*len(row)]
	for i := range row {
		row[i] = line[4*i+3]
	}
}

// unstage writes a row as pixels of the type it was coded as, with 0 for what
// has no plane.
func unstage(line []byte, row []uint32, t Type) {
	switch t {
	case RGB16:
		for i, v := range row {
			binary.LittleEndian.PutUint16(line[2*i:2*i+2], uint16(v>>9&0x7c00|v>>6&0x3e0|v>>3&0x1f))
		}
	case RGB24:
		for i, v := range row {
			p := line[3*i : 3*i+3]
			p[0], p[1], p[2] = byte(v), byte(v>>8), byte(v>>16)
		}
	default:
		line = line[:4*len(row)]
		for i, v := range row {
			binary.LittleEndian.PutUint32(line[4*i:4*i+4], v)
		}
	}
}

// unstage32 writes a row as 32-bit pixels whatever the type: 5-bit planes are
// widened by repeating their upper bits.
func unstage32(line []byte, row []uint32, t Type) {
	if t != RGB16 {
		unstage(line, row, RGB32)
		return
	}
	for i, v := range row {
		binary.LittleEndian.PutUint32(line[4*i:4*i+4], v|v>>5&0x070707)
	}
}

// unstageBytes writes the row of a single plane where stageBytes reads it.
func unstageBytes(line, row []byte, t Type) {
	if t == GRAY {
		copy(line, row)
		return
	}
	line = line[:4*len(row)]
	for i, v := range row {
		line[4*i+3] = v
	}
}

// unstageGray32 writes a row of GRAY as 32-bit pixels.
func unstageGray32(line, row []byte, _ Type) {
	for i, v := range row {
		binary.LittleEndian.PutUint32(line[4*i:4*i+4], uint32(v)*0x010101)
	}
}
