package jpeg

import (
	"bytes"
	"fmt"
	"image"
	stdjpeg "image/jpeg"
)

// Decoder turns files into images. NewDecoder and NewPureDecoder make one. Use
// one for all frames of an MJPEG stream, in order: it remembers the Huffman
// tables that later frames may leave out. It is not for concurrent use.
type Decoder struct {
	turbo  *turboDecoder   // nil for the pure engine
	header header          // of the file at hand
	tables [4]huffmanTable // those to use where a file has none
	file   []byte          // a file to which tables were added
	reader bytes.Reader
}

// NewDecoder returns a decoder that uses libjpeg-turbo if the system has it.
func NewDecoder() *Decoder {
	d := NewPureDecoder()
	d.turbo = newTurboDecoder()
	return d
}

// NewPureDecoder returns a decoder that uses the standard library's.
func NewPureDecoder() *Decoder {
	d := &Decoder{}
	for i := range d.tables {
		d.tables[i].set(&huffmanSpecs[i])
	}
	return d
}

// Turbo tells whether d uses libjpeg-turbo.
func (d *Decoder) Turbo() bool { return d.turbo != nil }

// ParseHeader returns the size of the image in a baseline file, in pixels. A
// caller that decodes holds it to a limit of its own first.
func ParseHeader(file []byte) (width, height int, err error) {
	var h header
	if err := h.parse(file); err != nil {
		return 0, 0, fmt.Errorf("reading JPEG header: %w", err)
	}
	return h.width, h.height, nil
}

// Decode decodes a file into dst, as im says: BGRX, the pad bytes of which
// become 0, and the dimensions of the file (see ParseHeader). A frame without
// Huffman tables takes those of the frames before, or the standard's.
//
// The errors are ErrImage, ErrShort, and ErrCorrupt for files that are damaged,
// incomplete or not baseline JPEG; dst then holds whatever had been decoded.
// The memory used is in proportion to the image, which dst has to hold first.
func (d *Decoder) Decode(dst []byte, im Image, file []byte) error {
	h := &d.header
	err := h.parse(file)
	if err != nil {
		return fmt.Errorf("decoding JPEG: %w", err)
	}
	if err := im.Check(); err != nil {
		return fmt.Errorf("decoding JPEG: %w", err)
	}
	if im.Format != BGRX || im.Width != h.width || im.Height != h.height {
		return fmt.Errorf("decoding JPEG: %w: %d x %d, for %d x %d of format %d", ErrImage,
			h.width, h.height, im.Width, im.Height, im.Format)
	}
	if need := (im.Height-1)*im.Stride + 4*im.Width; len(dst) < need {
		return fmt.Errorf("decoding JPEG: %w: %d bytes for an image of %d", ErrShort, len(dst), need)
	}
	file = d.complete(file)
	if d.turbo == nil {
		err = d.decode(dst, im, file)
	} else if err = d.turbo.decode(dst, im, file); err == nil {
		clearPad(dst, im)
	}
	if err != nil {
		return fmt.Errorf("decoding JPEG: %w", err)
	}
	return nil
}

// decode is the pure engine.
func (d *Decoder) decode(dst []byte, im Image, file []byte) error {
	d.reader.Reset(file)
	defer d.reader.Reset(nil)
	m, err := stdjpeg.Decode(&d.reader)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if m.Bounds() != image.Rect(0, 0, im.Width, im.Height) {
		return fmt.Errorf("%w: %v pixels", ErrCorrupt, m.Bounds())
	}
	for y := range im.Height {
		line := im.line(dst, y)
		switch m := m.(type) {
		case *image.YCbCr:
			fromYCbCr(line, m, y)
		case *image.Gray:
			for x, v := range m.Pix[m.PixOffset(0, y):][:im.Width] {
				p := line[4*x : 4*x+4]
				p[0], p[1], p[2], p[3] = v, v, v, 0
			}
		default:
			return fmt.Errorf("%w: colours of type %T", ErrCorrupt, m)
		}
	}
	return nil
}

// line is line y of im in dst, counted from the top.
func (im Image) line(dst []byte, y int) []byte {
	if !im.TopDown {
		y = im.Height - 1 - y
	}
	return dst[y*im.Stride:][:4*im.Width]
}

// fromYCbCr converts a line. It goes by JFIF, in units of 2^-16.
func fromYCbCr(line []byte, m *image.YCbCr, y int) {
	luma := m.Y[m.YOffset(0, y):][:len(line)/4]
	step := m.COffset(2, y) - m.COffset(0, y) // 2 samples, or 1, for 2 pixels
	if m.SubsampleRatio == image.YCbCrSubsampleRatio411 || m.SubsampleRatio == image.YCbCrSubsampleRatio410 {
		step = 0
	}
	c := m.COffset(0, y)
	for x, v := range luma {
		at := c + x
		switch step {
		case 0:
			at = c + x/4
		case 1:
			at = c + x/2
		}
		l, cb, cr := int32(v)<<16+1<<15, int32(m.Cb[at])-128, int32(m.Cr[at])-128
		p := line[4*x : 4*x+4]
		p[0] = clamp((l + 116130*cb) >> 16)
		p[1] = clamp((l - 22554*cb - 46802*cr) >> 16)
		p[2] = clamp((l + 91881*cr) >> 16)
		p[3] = 0
	}
}

func clamp(v int32) byte {
	if uint32(v) > 255 {
		v = ^v >> 31
	}
	return byte(v)
}

func clearPad(dst []byte, im Image) {
	for y := range im.Height {
		line := im.line(dst, y)
		for x := 3; x < len(line); x += 4 {
			line[x] = 0
		}
	}
}
