// Package lz encodes and decodes LZ images (LZ_RGB, LZ_PLT, and the alpha half
// of JPEG_ALPHA): a header, then one byte code of literals and back references
// for each pass over the image (see package pixel; RGBA has two).
//
//	header  7 words, big-endian: magic, version, type, width, height, stride, top_down
//	literal c < 32: c+1 units follow
//	match   c >= 32: 3 bits of length, 13 or 16 bits of distance in units
//
// An Encoder owns its match table and a window of staged pixels, about 0.6 MiB
// in all whatever the size of the image, and allocates nothing once it has
// them. Streams have the reference's format, not its choice of matches.
// Decoding works in the caller's buffer and allocates nothing.
package lz

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/spiceecs/spiceecs/net/codec/pixel"
)

// Image describes the pixels of a stream: type, size, and direction of lines.
type Image = pixel.Image

// Type is an image type, 1 to 11.
type Type = pixel.Type

// The image types.
const (
	PLT1LE = pixel.PLT1LE
	PLT1BE = pixel.PLT1BE
	PLT4LE = pixel.PLT4LE
	PLT4BE = pixel.PLT4BE
	PLT8   = pixel.PLT8
	RGB16  = pixel.RGB16
	RGB24  = pixel.RGB24
	RGB32  = pixel.RGB32
	RGBA   = pixel.RGBA
	XXXA   = pixel.XXXA
	A8     = pixel.A8
)

const (
	headerSize = 28
	magic      = 0x20205a4c // "  ZL" in the order of the bytes
	version    = 0x00010001

	maxNear     = 8191                    // units a short reference reaches back
	maxDistance = maxNear + 1 + 1<<16 - 1 // and a long one
	longLength  = 7                       // length that goes on in further bytes
)

// Errors callers decide on; what is returned wraps them.
var (
	// ErrShort is an image with fewer bytes than its dimensions ask for.
	ErrShort = errors.New("image data too short")
	// ErrIncompressible says that a stream would outgrow Encoder.Limit.
	ErrIncompressible = errors.New("image does not compress below the limit")
	// ErrCorrupt is a stream that is not well-formed.
	ErrCorrupt = errors.New("corrupt LZ stream")
)

// MaxSize bounds the length of the stream of a valid image, header included.
func MaxSize(im Image) int {
	n := headerSize
	for _, p := range im.Type.Passes() {
		n += p.Worst(im.Units())
	}
	return n
}

// ParseHeader reads the description of the image at the start of a stream.
// What it returns has passed Image.Check: Size() is at most 1 GiB. A caller
// that decodes holds it to its own limit first.
func ParseHeader(src []byte) (Image, error) {
	if len(src) < headerSize {
		return Image{}, fmt.Errorf("reading header: %w: %d bytes", ErrCorrupt, len(src))
	}
	word := func(i int) uint32 { return binary.BigEndian.Uint32(src[4*i:]) }
	if word(0) != magic || word(1) != version || word(6) > 1 {
		return Image{}, fmt.Errorf("reading header: %w: magic %#x, version %#x, top_down %d",
			ErrCorrupt, word(0), word(1), word(6))
	}
	im := Image{
		Type:  Type(word(2)),
		Width: int(word(3)), Height: int(word(4)), Stride: int(word(5)),
		TopDown: word(6) == 1,
	}
	if err := im.Check(); err != nil {
		return Image{}, fmt.Errorf("reading header: %w", err)
	}
	return im, nil
}

func appendHeader(dst []byte, im Image) []byte {
	topDown := uint32(0)
	if im.TopDown {
		topDown = 1
	}
	for _, v := range [...]uint32{magic, version, uint32(im.Type), uint32(im.Width), uint32(im.Height), uint32(im.Stride), topDown} {
		dst = binary.BigEndian.AppendUint32(dst, v)
	}
	return dst
}
