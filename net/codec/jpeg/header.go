package jpeg

import "encoding/binary"

// The markers used.
const (
	mSOF0 = 0xc0
	mSOF1 = 0xc1
	mSOF2 = 0xc2
	mDHT  = 0xc4
	mRST0 = 0xd0
	mRST7 = 0xd7
	mSOI  = 0xd8
	mEOI  = 0xd9
	mSOS  = 0xda
	mDQT  = 0xdb
	mDRI  = 0xdd
	mAPP0 = 0xe0
	mTEM  = 0x01
)

// appendHeader appends all that goes before the data of a file.
func appendHeader(dst []byte, im Image, luma, chroma *[64]uint8, restart int) []byte {
	dst = append(dst, 0xff, mSOI)
	dst = appendSegment(dst, mAPP0, 'J', 'F', 'I', 'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0)
	for i, table := range [...]*[64]uint8{luma, chroma} {
		var b [65]byte
		b[0] = uint8(i)
		for k, at := range &zigzag {
			b[1+k] = table[at]
		}
		dst = appendSegment(dst, mDQT, b[:]...)
	}
	w, h := im.Width, im.Height
	dst = appendSegment(dst, mSOF0, 8, byte(h>>8), byte(h), byte(w>>8), byte(w),
		3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1)
	for i := range huffmanSpecs {
		dst = huffmanSpecs[i].append(dst)
	}
	if restart > 0 {
		dst = appendSegment(dst, mDRI, byte(restart>>8), byte(restart))
	}
	return appendSegment(dst, mSOS, 3, 1, 0x00, 2, 0x11, 3, 0x11, 0, 63, 0)
}

func appendSegment(dst []byte, marker byte, data ...byte) []byte {
	dst = append(dst, 0xff, marker)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(data)+2))
	return append(dst, data...)
}

// append appends the segment that defines the table.
func (s *huffmanSpec) append(dst []byte) []byte {
	dst = append(dst, 0xff, mDHT)
	dst = binary.BigEndian.AppendUint16(dst, uint16(2+1+len(s.counts)+len(s.symbols)))
	dst = append(dst, s.class)
	dst = append(dst, s.counts[:]...)
	return append(dst, s.symbols...)
}
