// Package glz encodes and decodes GLZ images: LZ whose references may reach
// into earlier images, within a window that one client shares over all its
// display channels.
//
//	pixels -> Dictionary.Reserve: id, room in the window    one at a time, under the lock
//	       -> Encoder.Stage: copy                           any number at a time
//	       -> Encoder.EncodePart: matches, stream           any number at a time, of staged images
//
// The Dictionary owns a copy of the pixels of every image in the window, so
// guest memory is free again as soon as Stage returns. Its ring holds a
// little more than the window: five bytes for each of its pixels. Whatever
// Stage overwrites no later stream refers to, and no running Encode can
// reach; rather than wait for one Reserve refuses with ErrBusy.
//
// The receiver frees images by what streams say about the oldest image still
// referred to. So every id that was reserved must be sent, exactly once, as
// the stream made for it: an image may not be turned into something else after
// Reserve.
package glz

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/spiceecs/spiceecs/net/codec/pixel"
)

// Image describes the pixels of a stream. Only RGB16, RGB24, RGB32 and RGBA
// can be shown by clients, and are accepted.
type Image = pixel.Image

const (
	headerSize = 33
	magic      = 0x20205a4c // as LZ
	version    = 0x00010001

	longLength = 7         // length that goes on in further bytes
	maxOffset  = 1<<25 - 1 // units, into an image or back in it
	maxBack    = 1<<24 - 1 // images, from the current one

	// MaxWindow is the largest window there can be, in pixels.
	MaxWindow = 1 << 25
)

// Errors callers decide on; what is returned wraps them.
var (
	// ErrShort is an image with fewer bytes than its dimensions ask for.
	ErrShort = errors.New("image data too short")
	// ErrTooLarge is an image that the window cannot hold. Encode it as LZ.
	ErrTooLarge = errors.New("image too large for the GLZ window")
	// ErrBusy says that images still being encoded occupy the room for a new
	// one. Nothing was reserved: encode this one as LZ.
	ErrBusy = errors.New("GLZ window in use by running encoders")
	// ErrLost says that an image will never arrive, because its channel has
	// ended, or that there is no such channel. Encode all images as LZ.
	ErrLost = errors.New("GLZ window has lost an image")
	// ErrCorrupt is a stream that is not well-formed.
	ErrCorrupt = errors.New("corrupt GLZ stream")
)

// MissingError is a reference to an image that has not arrived yet. Decode the
// stream again when it has.
type MissingError struct{ ID uint64 }

func (e MissingError) Error() string {
	return fmt.Sprintf("GLZ image %d has not arrived", e.ID)
}

// Header is what a stream says about itself.
type Header struct {
	Image
	ID uint64
	// HeadDistance is ID less the oldest id that this or any later image may
	// refer to.
	HeadDistance uint32
}

// MaxSize bounds the length of the stream of a valid image, header included.
func MaxSize(im Image) int {
	n := headerSize
	for _, p := range im.Type.Passes() {
		n += p.Worst(im.Units())
	}
	return n
}

// ParseHeader reads the header at the start of a stream. The image has passed
// Image.Check and is of a type that GLZ carries.
func ParseHeader(src []byte) (Header, error) {
	if len(src) < headerSize {
		return Header{}, fmt.Errorf("reading GLZ header: %w: %d bytes", ErrCorrupt, len(src))
	}
	be := binary.BigEndian
	if be.Uint32(src) != magic || be.Uint32(src[4:]) != version || src[8] > 31 {
		return Header{}, fmt.Errorf("reading GLZ header: %w: % x", ErrCorrupt, src[:9])
	}
	h := Header{
		Image: Image{
			Type:    pixel.Type(src[8] & 15),
			TopDown: src[8]&16 != 0,
			Width:   int(be.Uint32(src[9:])), Height: int(be.Uint32(src[13:])), Stride: int(be.Uint32(src[17:])),
		},
		ID:           be.Uint64(src[21:]),
		HeadDistance: be.Uint32(src[29:]),
	}
	if err := check(h.Image); err != nil {
		return Header{}, fmt.Errorf("reading GLZ header: %w", err)
	}
	if uint64(h.HeadDistance) > h.ID {
		return Header{}, fmt.Errorf("reading GLZ header: %w: image %d with a window of %d images",
			ErrCorrupt, h.ID, h.HeadDistance)
	}
	return h, nil
}

func appendHeader(dst []byte, h Header) []byte {
	be := binary.BigEndian
	kind := byte(h.Type)
	if h.TopDown {
		kind |= 16
	}
	dst = be.AppendUint32(dst, magic)
	dst = append(be.AppendUint32(dst, version), kind)
	dst = be.AppendUint32(dst, uint32(h.Width))
	dst = be.AppendUint32(dst, uint32(h.Height))
	dst = be.AppendUint32(dst, uint32(h.Stride))
	dst = be.AppendUint64(dst, h.ID)
	return be.AppendUint32(dst, h.HeadDistance)
}

func check(im Image) error {
	if im.Type < pixel.RGB16 || im.Type > pixel.RGBA {
		return fmt.Errorf("%w: type %d in GLZ", pixel.ErrImage, im.Type)
	}
	return im.Check()
}
