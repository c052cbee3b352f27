// Package quic encodes and decodes QUIC images: lossless, each pixel predicted
// from its left and upper neighbours, the errors written in adaptive
// Golomb-Rice codes, with runs of equal pixels where a neighbourhood is flat.
//
//	header   5 words: "QUIC", version, type, width, height
//	payload  rows from top to bottom; for RGBA the colours of a row, then its alpha
//	end      zero bits up to a word, and one word more
//
// All words are little-endian; bits fill them from the top. Encoders of this
// format have no choices to make: streams are the same, byte for byte, as those
// of any other encoder.
//
// Data flows line by line, and so an Encoder or Decoder owns two rows of pixels
// and the adaptive state (group), and an Encoder the words of a row: at most 40
// bytes per pixel of a line and 16 KiB, whatever the height. Code tables, some
// 80 KiB, are made once and shared:
//
//	chunks of guest memory -> lines.Source -> stage -> row -> span -> bits
//	bits -> span -> row -> unstage -> lines of the caller
//
// In a row, a pixel is one word with a plane in each of its three lower bytes;
// 5-bit planes use the upper bits of their bytes, so that one inner loop serves
// all types with three planes. GRAY and alpha have byte rows and a loop of
// their own. A line of the source is read exactly once: pixels that a guest
// changes meanwhile give another image, but always a well-formed stream.
//
// plain.go holds the same codec in its plainest form, for all types and planes
// alike; it is slow, and there for tests to hold the fast paths to.
package quic

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/spiceecs/spiceecs/net/codec/internal/lines"
)

// Type is the image type number of QUIC headers.
type Type uint32

// The image types, and how their pixels lie in memory.
const (
	GRAY  Type = 1 + iota // one byte
	RGB16                 // little-endian x1r5g5b5
	RGB24                 // B,G,R
	RGB32                 // B,G,R,x
	RGBA                  // B,G,R,A
)

// BytesPerPixel is 1 to 4, or 0 for an unknown type.
func (t Type) BytesPerPixel() int {
	switch t {
	case GRAY:
		return 1
	case RGB16:
		return 2
	case RGB24:
		return 3
	case RGB32, RGBA:
		return 4
	}
	return 0
}

// MaxPixels bounds width * height of an image.
const MaxPixels = 512<<20 - 1

const (
	magic      = 0x43495551 // "QUIC" in the order of the bytes
	version    = 0
	headerSize = 20
	longest    = 26 // bits of a code
)

// Errors callers decide on; what is returned wraps them.
var (
	// ErrImage is an image of an unknown type or of impossible dimensions.
	ErrImage = errors.New("bad image")
	// ErrShort is an image, or room for one, with fewer bytes than its
	// dimensions ask for.
	ErrShort = lines.ErrShort
	// ErrIncompressible says that a stream would outgrow Encoder.Limit.
	ErrIncompressible = errors.New("image does not compress below the limit")
	// ErrCorrupt is a stream that is not well-formed.
	ErrCorrupt = errors.New("corrupt QUIC stream")
)

// Image describes pixels in memory. Streams know only the first three fields.
type Image struct {
	Type          Type
	Width, Height int  // pixels
	Stride        int  // bytes from line to line
	TopDown       bool // first line in memory is the top one
}

// New describes an image without padding between its lines.
func New(t Type, width, height int, topDown bool) Image {
	return Image{t, width, height, width * t.BytesPerPixel(), topDown}
}

// Size is the length of the image in bytes, Stride * Height.
func (im Image) Size() int { return im.Stride * im.Height }

// lineSize is the number of bytes of a line that hold pixels.
func (im Image) lineSize() int { return im.Width * im.Type.BytesPerPixel() }

// Check holds the type and dimensions to what a header may say, and the stride
// to what a line needs.
func (im Image) Check() error {
	if im.Type < GRAY || im.Type > RGBA {
		return fmt.Errorf("%w: type %d", ErrImage, im.Type)
	}
	if im.Width <= 0 || im.Height <= 0 || im.Width > MaxPixels/im.Height {
		return fmt.Errorf("%w: %d x %d pixels", ErrImage, im.Width, im.Height)
	}
	if im.Stride < im.lineSize() || im.Stride > 1<<31-1 {
		return fmt.Errorf("%w: stride %d for %d pixels of type %d", ErrImage, im.Stride, im.Width, im.Type)
	}
	return nil
}

// ParseHeader reads the description of the image at the start of a stream:
// without padding, top line first. What it returns has passed Check. A caller
// that decodes holds its size, up to 2 GiB, to a limit of its own first.
func ParseHeader(src []byte) (Image, error) {
	if len(src) < headerSize {
		return Image{}, fmt.Errorf("reading header: %w: %d bytes", ErrCorrupt, len(src))
	}
	word := func(i int) uint32 { return binary.LittleEndian.Uint32(src[4*i:]) }
	if word(0) != magic || word(1) != version {
		return Image{}, fmt.Errorf("reading header: %w: magic %#x, version %#x", ErrCorrupt, word(0), word(1))
	}
	im := New(Type(word(2)), int(word(3)), int(word(4)), true)
	if err := im.Check(); err != nil {
		return Image{}, fmt.Errorf("reading header: %w", err)
	}
	return im, nil
}

func appendHeader(dst []byte, im Image) []byte {
	for _, v := range [...]uint32{magic, version, uint32(im.Type), uint32(im.Width), uint32(im.Height)} {
		dst = binary.LittleEndian.AppendUint32(dst, v)
	}
	return dst
}
