// Package pixel is what the LZ family of codecs (lz, glz, lz4) has in common:
// the image types and their header rules, and the way an image becomes the
// units a byte code is made of.
//
// An image is coded in one or two passes (Pass). A pass sees a plane of units:
//
//	chunks of guest memory -> Reader -> Pass.Stage -> plane of units -> byte code
//
// Units are bytes for palette, A8 and alpha data, 16-bit words for RGB16, and
// 32-bit words B,G,R,x for all other colours (RGB24 is widened while staging,
// so that one encoder loop serves it). Staging reads every byte of the source
// once, so that what a guest changes meanwhile cannot confuse an encoder.
//
// Planes are plain byte slices owned by the codec. They end in Slack readable
// bytes, and outputs in Slack writable ones, so that inner loops work on eight
// bytes at a time without looking for the end.
package pixel

import (
	"errors"
	"fmt"
)

// Type is the image type number of LZ and GLZ headers.
type Type uint32

// The image types. Palette types hold 8 or 2 pixels to the byte, or one; LE
// means that the lowest bits are the leftmost pixel.
const (
	PLT1LE Type = 1 + iota
	PLT1BE
	PLT4LE
	PLT4BE
	PLT8
	RGB16 // little-endian x1r5g5b5
	RGB24 // B,G,R
	RGB32 // B,G,R,x
	RGBA  // B,G,R,A
	XXXA  // as RGBA, but only the alpha bytes exist
	A8    // one byte of alpha
)

// MaxSize bounds an image: stride * height of a header may not exceed it.
const MaxSize = 1<<30 - 1

// ErrImage is wrapped by every complaint about an image's type or dimensions.
var ErrImage = errors.New("bad image")

// Palette tells whether t is one of the palette types.
func (t Type) Palette() bool { return t >= PLT1LE && t <= PLT8 }

// PixelsPerByte is 8, 2 or 1 for palette types, and 0 for all others.
func (t Type) PixelsPerByte() int {
	switch t {
	case PLT1LE, PLT1BE:
		return 8
	case PLT4LE, PLT4BE:
		return 2
	case PLT8:
		return 1
	}
	return 0
}

// BytesPerPixel is 1 to 4 for types with whole bytes, and 0 for palette types.
func (t Type) BytesPerPixel() int {
	switch t {
	case RGB16:
		return 2
	case RGB24:
		return 3
	case RGB32, RGBA, XXXA:
		return 4
	case A8:
		return 1
	}
	return 0
}

// Image describes the pixels of a stream, as the header does.
type Image struct {
	Type          Type
	Width, Height int  // pixels
	Stride        int  // bytes from line to line; see Check
	TopDown       bool // first line in memory is the top one
}

// New describes an image with the smallest stride that holds its lines.
func New(t Type, width, height int, topDown bool) Image {
	stride := width * t.BytesPerPixel()
	if ppb := t.PixelsPerByte(); ppb > 0 {
		stride = (width + ppb - 1) / ppb
	}
	return Image{Type: t, Width: width, Height: height, Stride: stride, TopDown: topDown}
}

// Size is the length of the image in bytes, Stride * Height.
func (im Image) Size() int { return im.Stride * im.Height }

// Check holds im to the rules of the header: a known type, at least one pixel,
// no padding in lines (palette lines may leave out an incomplete last byte),
// and no more than MaxSize bytes.
func (im Image) Check() error {
	if im.Type < PLT1LE || im.Type > A8 {
		return fmt.Errorf("%w: type %d", ErrImage, im.Type)
	}
	if im.Width <= 0 || im.Height <= 0 || im.Width > MaxSize*8 || im.Height > MaxSize {
		return fmt.Errorf("%w: %d x %d pixels", ErrImage, im.Width, im.Height)
	}
	least := im.Width * im.Type.BytesPerPixel()
	most := least
	if ppb := im.Type.PixelsPerByte(); ppb > 0 {
		least = im.Width / ppb
		most = (im.Width + ppb - 1) / ppb
	}
	if im.Stride <= 0 || im.Stride < least || im.Stride > most {
		return fmt.Errorf("%w: stride %d for %d pixels of type %d", ErrImage, im.Stride, im.Width, im.Type)
	}
	if im.Stride > MaxSize/im.Height {
		return fmt.Errorf("%w: %d lines of %d bytes", ErrImage, im.Height, im.Stride)
	}
	return nil
}
