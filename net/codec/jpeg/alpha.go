package jpeg

import (
	"fmt"

	"github.com/spiceecs/spiceecs/net/codec/lz"
)

// EncodeAlpha appends a JPEG_ALPHA image to dst: a file as Encode makes it,
// jpegSize bytes, then the fourth bytes of the pixels, without loss, as an LZ
// stream of type XXXA. im must be BGRX without padding between its lines. The
// container's TOP_DOWN flag has to be im.TopDown, for the LZ stream is in memory
// order while the file is in display order.
//
// The errors are those of Encode.
func (e *Encoder) EncodeAlpha(dst []byte, im Image, chunks [][]byte, quality int) (out []byte, jpegSize int, err error) {
	out, err = e.EncodeAlphaPart(dst, im, chunks, quality, 0, 1)
	if err != nil {
		return dst, 0, err
	}
	jpegSize = len(out) - len(dst)
	if out, err = e.EncodeAlphaPart(out, im, chunks, quality, 1, 1); err != nil {
		return dst, 0, err
	}
	return out, jpegSize, nil
}

// AlphaParts is the number of parts that a valid JPEG_ALPHA image has when it is
// divided into about that many strips. The first ones, Parts(im, strips), are the file.
func AlphaParts(im Image, strips int) int {
	return Parts(im, strips) + lz.Parts(im.alpha(), strips)
}

// EncodeAlphaPart appends one of AlphaParts(im, strips) parts of a JPEG_ALPHA image to
// dst, as EncodePart does for a file.
func (e *Encoder) EncodeAlphaPart(dst []byte, im Image, chunks [][]byte, quality, part, strips int) ([]byte, error) {
	if im.Format != BGRX || im.Stride != 4*im.Width {
		return dst, fmt.Errorf("encoding JPEG_ALPHA: %w: format %d, stride %d", ErrImage, im.Format, im.Stride)
	}
	if err := im.Check(); err != nil {
		return dst, fmt.Errorf("encoding JPEG_ALPHA: %w", err)
	}
	file := Parts(im, strips)
	if part < file {
		return e.EncodePart(dst, im, chunks, quality, part, strips)
	}
	out, err := e.alpha.EncodePart(dst, im.alpha(), chunks, part-file, strips)
	if err != nil {
		return dst, fmt.Errorf("encoding JPEG_ALPHA: %w: %w", ErrImage, err)
	}
	return out, nil
}

// DecodeAlpha decodes a JPEG_ALPHA image, the first jpegSize bytes of which are
// a file, into dst. im is as in Decode, but without padding; im.TopDown is the
// container's flag. What the LZ stream says of the image must agree with it.
//
// The errors are those of Decode.
func (d *Decoder) DecodeAlpha(dst []byte, im Image, src []byte, jpegSize int) error {
	if im.Stride != 4*im.Width {
		return fmt.Errorf("decoding JPEG_ALPHA: %w: stride %d", ErrImage, im.Stride)
	}
	if jpegSize < 0 || jpegSize > len(src) {
		return fmt.Errorf("decoding JPEG_ALPHA: %w: a file of %d in %d bytes", ErrCorrupt, jpegSize, len(src))
	}
	alpha, err := lz.ParseHeader(src[jpegSize:])
	if err != nil {
		return fmt.Errorf("decoding JPEG_ALPHA: %w: %w", ErrCorrupt, err)
	}
	if alpha != im.alpha() {
		return fmt.Errorf("decoding JPEG_ALPHA: %w: alpha is %+v, the image %+v", ErrCorrupt, alpha, im)
	}
	if err := d.Decode(dst, im, src[:jpegSize]); err != nil {
		return err
	}
	if _, err := lz.Decode(dst, src[jpegSize:]); err != nil {
		return fmt.Errorf("decoding JPEG_ALPHA: %w: %w", ErrCorrupt, err)
	}
	return nil
}

// alpha describes the LZ stream that goes with im.
func (im Image) alpha() lz.Image {
	return lz.Image{Type: lz.XXXA, Width: im.Width, Height: im.Height, Stride: im.Stride, TopDown: im.TopDown}
}
