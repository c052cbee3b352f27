// Package lz4 encodes and decodes LZ4 images: two bytes of header, then LZ4
// blocks that together hold the lines of the image in memory order.
//
//	u8 top_down | u8 bitmap format | blocks: u32 size, big-endian, then that many bytes
//
// Width and height are not part of a stream; they come from the image that
// carries it. The Encoder makes independent blocks of up to BlockSize bytes, so
// pieces of an image can be encoded on several cores and joined. The decoder
// takes blocks of any size that refer to up to 64 KiB of the output before them.
//
// Blocks are read where they lie, in the memory of a guest. One that changes it
// meanwhile gets a picture that never was, but the stream stays well-formed: each
// length is found once and then written. An Encoder owns the compressor's table
// and, for images that lie in pieces, a copy of one block.
package lz4

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/pierrec/lz4/v4"

	"github.com/spiceecs/spiceecs/net/codec/pixel"
)

const (
	// BlockSize is the most image bytes the encoder puts into a block.
	BlockSize = 256 << 10

	headerSize = 2
	prefixSize = 4
	window     = 64 << 10
)

// Errors callers decide on; what is returned wraps them.
var (
	// ErrShort is an image with fewer bytes than its dimensions ask for.
	ErrShort = errors.New("image data too short")
	// ErrIncompressible says that a stream would outgrow Encoder.Limit.
	ErrIncompressible = errors.New("image does not compress below the limit")
	// ErrCorrupt is a stream that is not well-formed, or not of that size.
	ErrCorrupt = errors.New("corrupt LZ4 stream")
)

// Encoder turns images into streams. The zero value is ready. It holds nothing
// of an image between calls, and is not for concurrent use.
type Encoder struct {
	// Limit, if not 0, is the length a stream may have: Encode gives up with
	// ErrIncompressible when it sees it exceeded.
	Limit int

	reader  pixel.Reader
	block   []byte // of images whose blocks do not lie in one chunk
	matcher matcher
}

// MaxSize bounds the length of the stream of an image of size bytes.
func MaxSize(size int) int {
	blocks := (size + BlockSize - 1) / BlockSize
	return headerSize + blocks*(prefixSize+bound(BlockSize))
}

// Encode appends the stream of im to dst: a type with whole pixels (RGB16,
// RGB24, RGB32, RGBA; all bytes are kept, the pad byte too). chunks are the
// bytes of the image in memory order, in any division, and may be longer than
// the image.
//
// The errors are pixel.ErrImage, ErrShort and ErrIncompressible; dst comes back
// unchanged then, up to its length.
func (e *Encoder) Encode(dst []byte, im pixel.Image, chunks [][]byte) ([]byte, error) {
	return e.EncodePart(dst, im, chunks, 0, 1)
}

// EncodePart appends one of a number of parts of the stream of im to dst. The
// parts may be encoded in any order, by several encoders at a time; one after
// the other they are the stream.
//
// Limit holds for each part. The errors are those of Encode.
func (e *Encoder) EncodePart(dst []byte, im pixel.Image, chunks [][]byte, part, parts int) ([]byte, error) {
	if err := check(im.Type, im.Check()); err != nil {
		return dst, fmt.Errorf("encoding LZ4: %w", err)
	}
	if n := pixel.Total(chunks); n < im.Size() {
		return dst, fmt.Errorf("encoding LZ4: %w: %d of %d bytes", ErrShort, n, im.Size())
	}
	out := dst
	if part == 0 {
		topDown := byte(0)
		if im.TopDown {
			topDown = 1
		}
		out = append(out, topDown, byte(im.Type))
	}
	pixels, size := im.Units(), im.Type.BytesPerPixel()
	from, to := pixels*part/parts*size, pixels*(part+1)/parts*size
	e.reader.Reset(chunks)
	defer e.reader.Release()
	e.reader.Skip(from)
	e.matcher.begin(size)
	for left := to - from; left > 0; {
		n := min(left, BlockSize)
		block := e.reader.Next(1, n)
		if len(block) < n {
			block = e.join(block, n)
		}
		out = e.appendBlock(out, block)
		if e.Limit > 0 && len(out)-len(dst) > e.Limit {
			return out[:len(dst)], errLimit
		}
		left -= n
	}
	return out, nil
}

// errLimit is made once: that an image does not compress is no rare event.
var errLimit = fmt.Errorf("encoding LZ4: %w", ErrIncompressible)

// join stages n bytes, of which the reader has given the first few.
func (e *Encoder) join(block []byte, n int) []byte {
	if e.block == nil {
		e.block = make([]byte, BlockSize)
	}
	for at := copy(e.block, block); at < n; {
		at += copy(e.block[at:], e.reader.Next(1, n-at))
	}
	return e.block[:n]
}

// appendBlock compresses a block.
func (e *Encoder) appendBlock(out, block []byte) []byte {
	out = slices.Grow(out, prefixSize+bound(len(block)))
	at := len(out) + prefixSize
	end := e.matcher.compress(out[:cap(out)], at, block)
	binary.BigEndian.PutUint32(out[at-prefixSize:at], uint32(end-at))
	return out[:end]
}

// ParseHeader reads the pixel type and the direction of the lines.
func ParseHeader(src []byte) (t pixel.Type, topDown bool, err error) {
	if len(src) < headerSize || src[0] > 1 {
		return 0, false, fmt.Errorf("reading LZ4 header: %w: % x", ErrCorrupt, src[:min(len(src), headerSize)])
	}
	if err := check(pixel.Type(src[1]), nil); err != nil {
		return 0, false, fmt.Errorf("reading LZ4 header: %w", err)
	}
	return pixel.Type(src[1]), src[0] == 1, nil
}

// Decode decodes the stream src into dst, which must have exactly the size of
// the image. Blocks that are empty, refer to what is not there, or do not fill
// dst exactly give ErrCorrupt; dst then holds whatever had been decoded.
func Decode(dst, src []byte) error {
	if _, _, err := ParseHeader(src); err != nil {
		return err
	}
	at := 0
	for src = src[headerSize:]; len(src) > 0; {
		if len(src) < prefixSize {
			return fmt.Errorf("decoding LZ4: %w: %d bytes left", ErrCorrupt, len(src))
		}
		size := binary.BigEndian.Uint32(src)
		src = src[prefixSize:]
		if uint64(size) > uint64(len(src)) || at == len(dst) {
			return fmt.Errorf("decoding LZ4: %w: block of %d bytes, %d left, for byte %d of %d",
				ErrCorrupt, size, len(src), at, len(dst))
		}
		n, err := lz4.UncompressBlockWithDict(src[:size], dst[at:], dst[max(0, at-window):at])
		if err != nil || n == 0 {
			return fmt.Errorf("decoding LZ4: %w: block of %d bytes for byte %d of %d: %v",
				ErrCorrupt, size, at, len(dst), err)
		}
		src = src[size:]
		at += n
	}
	if at != len(dst) {
		return fmt.Errorf("decoding LZ4: %w: %d bytes of %d", ErrCorrupt, at, len(dst))
	}
	return nil
}

func check(t pixel.Type, err error) error {
	if err != nil {
		return err
	}
	if t < pixel.RGB16 || t > pixel.RGBA {
		return fmt.Errorf("%w: type %d in LZ4", pixel.ErrImage, t)
	}
	return nil
}
