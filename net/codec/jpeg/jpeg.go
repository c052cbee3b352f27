// Package jpeg encodes and decodes the JPEG images and MJPEG frames of the
// protocol: baseline, 4:2:0, the example Huffman tables of the standard and its
// example quantisation tables scaled by quality as libjpeg does.
//
// There are two engines. The pure one is Go. The other is libjpeg-turbo, loaded
// at run time if the system has it (turbo_unsafe.go; no cgo, and nothing of it with the build tag purejpeg). Both use the same
// tables and sampling, their files differ in rounding only.
//
// The pure encoder takes an image by MCUs of 16 x 16 pixels:
//
//	chunks of guest memory -> lines.Source -> 16 lines -> blocks -> DCT -> quantise -> Huffman -> file
//
// Samples are not alone in a word: two blocks, the left and the right of a row,
// or Cb and Cr, are transformed at once, as the two halves of 64-bit words
// (lanes). An MCU of a single colour skips all of that. Images of other formats
// than BGRX, lines cut by chunks, and lines that end within an MCU are copied to
// a strip of 16 lines first; all others are read in place. What a guest changes
// meanwhile shows in the pixels only.
//
// A large image can be encoded in parts, by as many encoders, between which the
// file then has restart markers.
//
// An Encoder owns that strip (64 bytes per pixel of width) and its tables, and
// allocates nothing once it has them. With turbo it owns a buffer for the largest
// file there can be, 3 bytes per pixel.
package jpeg

import (
	"errors"
	"fmt"

	"github.com/spiceecs/spiceecs/net/codec/internal/lines"
)

// Format is the way pixels lie in memory.
type Format uint8

// The pixel formats.
const (
	BGRX  Format = 1 + iota // B,G,R,x or B,G,R,A
	BGR                     // B,G,R
	RGB16                   // little-endian x1r5g5b5
)

// size is the number of bytes of a pixel, 0 for an unknown format.
func (f Format) size() int {
	return [256]int{BGRX: 4, BGR: 3, RGB16: 2}[f]
}

// MaxDimension bounds width and height: what libjpeg takes.
const MaxDimension = 65500

// Image describes pixels in memory. Files know only width and height.
type Image struct {
	Format        Format
	Width, Height int  // pixels
	Stride        int  // bytes from line to line
	TopDown       bool // first line in memory is the top one
}

// NewImage describes an image without padding between its lines.
func NewImage(f Format, width, height int, topDown bool) Image {
	return Image{f, width, height, width * f.size(), topDown}
}

// Size is the length of the image in bytes, Stride * Height.
func (im Image) Size() int { return im.Stride * im.Height }

// Check holds the dimensions to what a file may have, and the stride to what a
// line needs.
func (im Image) Check() error {
	if im.Format.size() == 0 {
		return fmt.Errorf("%w: pixel format %d", ErrImage, im.Format)
	}
	if im.Width <= 0 || im.Height <= 0 || im.Width > MaxDimension || im.Height > MaxDimension {
		return fmt.Errorf("%w: %d x %d pixels", ErrImage, im.Width, im.Height)
	}
	if im.Stride < im.Width*im.Format.size() || im.Stride > 1<<31-1 {
		return fmt.Errorf("%w: stride %d for %d pixels of format %d", ErrImage, im.Stride, im.Width, im.Format)
	}
	return nil
}

// Errors callers decide on; what is returned wraps them.
var (
	// ErrImage is an image of an unknown format or of impossible dimensions, or
	// one that is not what a file holds.
	ErrImage = errors.New("bad image")
	// ErrShort is an image, or room for one, with fewer bytes than its
	// dimensions ask for.
	ErrShort = lines.ErrShort
	// ErrCorrupt is a file that is not well-formed, or not baseline JPEG.
	ErrCorrupt = errors.New("corrupt JPEG file")
)
