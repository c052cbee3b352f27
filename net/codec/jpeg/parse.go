package jpeg

import (
	"encoding/binary"
	"fmt"
)

// header is what there is to know of a file before it is decoded.
type header struct {
	width, height int
	tables        [4]huffmanTable // those the file defines before its data
}

// huffmanTable is a Huffman table a file defines. Its size is 0 if there is none.
type huffmanTable struct {
	segment [1 + 16 + 256]byte // as in a file: class and destination, counts, symbols
	size    int
}

func (t *huffmanTable) set(s *huffmanSpec) {
	t.segment[0] = s.class
	t.size = 17 + copy(t.segment[17:], s.symbols)
	copy(t.segment[1:17], s.counts[:])
}

// destinations are the tables of a baseline file, in the order of huffmanSpecs.
var destinations = [...]uint8{0x00, 0x10, 0x01, 0x11}

// parse reads a file up to the data of its first scan, and refuses what is not
// baseline JPEG of one or three components.
func (h *header) parse(file []byte) error {
	h.width = 0
	for i := range h.tables {
		h.tables[i].size = 0
	}
	if len(file) < 4 || file[0] != 0xff || file[1] != mSOI {
		return fmt.Errorf("%w: no start of image", ErrCorrupt)
	}
	for rest := file[2:]; ; {
		for len(rest) >= 2 && rest[0] == 0xff && rest[1] == 0xff {
			rest = rest[1:]
		}
		if len(rest) < 4 || rest[0] != 0xff {
			return fmt.Errorf("%w: no marker at byte %d", ErrCorrupt, len(file)-len(rest))
		}
		marker := rest[1]
		if marker >= mRST0 && marker <= mRST7 || marker == mTEM {
			rest = rest[2:]
			continue
		}
		n := int(binary.BigEndian.Uint16(rest[2:]))
		if n < 2 || n+2 > len(rest) {
			return fmt.Errorf("%w: segment %#x of %d bytes", ErrCorrupt, marker, n)
		}
		if err := h.segment(marker, rest[4:n+2]); err != nil {
			return err
		}
		if marker == mSOS {
			break
		}
		rest = rest[n+2:]
	}
	if h.width == 0 {
		return fmt.Errorf("%w: no frame header", ErrCorrupt)
	}
	return nil
}

func (h *header) segment(marker byte, data []byte) error {
	switch {
	case marker == mSOF0 || marker == mSOF1:
		return h.frame(data)
	case marker == mDHT:
		return h.huffman(data)
	case marker >= mSOF2 && marker <= 0xcf && marker != 0xc8 && marker != 0xcc || marker == mEOI:
		return fmt.Errorf("%w: not baseline: segment %#x", ErrCorrupt, marker)
	}
	return nil
}

func (h *header) frame(data []byte) error {
	if len(data) < 6 || data[0] != 8 || h.width != 0 {
		return fmt.Errorf("%w: bad frame header", ErrCorrupt)
	}
	h.height, h.width = int(binary.BigEndian.Uint16(data[1:])), int(binary.BigEndian.Uint16(data[3:]))
	if n := int(data[5]); n != 1 && n != 3 || len(data) != 6+3*n {
		return fmt.Errorf("%w: %d components", ErrCorrupt, n)
	}
	if h.width == 0 || h.height == 0 || h.width > MaxDimension || h.height > MaxDimension {
		return fmt.Errorf("%w: %d x %d pixels", ErrCorrupt, h.width, h.height)
	}
	return nil
}

// huffman reads the tables of a segment.
func (h *header) huffman(data []byte) error {
	for len(data) > 0 {
		size := 17
		if len(data) >= size {
			for _, n := range data[1:17] {
				size += int(n)
			}
		}
		if size > len(data) || size > 17+256 {
			return fmt.Errorf("%w: Huffman table of %d bytes", ErrCorrupt, size)
		}
		for i, class := range destinations {
			if class == data[0] {
				h.tables[i].size = copy(h.tables[i].segment[:], data[:size])
			}
		}
		data = data[size:]
	}
	return nil
}

// complete remembers the tables of a file, and returns it with those that it
// leaves out.
func (d *Decoder) complete(file []byte) []byte {
	h := &d.header
	missing := false
	for i := range h.tables {
		if h.tables[i].size > 0 {
			d.tables[i] = h.tables[i]
		} else {
			missing = true
		}
	}
	if !missing {
		return file
	}
	d.file = append(d.file[:0], file[:2]...)
	for i := range h.tables {
		if h.tables[i].size == 0 {
			t := &d.tables[i]
			d.file = appendSegment(d.file, mDHT, t.segment[:t.size]...)
		}
	}
	d.file = append(d.file, file[2:]...)
	return d.file
}
