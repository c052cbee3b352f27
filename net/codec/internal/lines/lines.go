// Package lines gives access to the lines of an image that lies in chunks of
// memory, in display order: line 0 is the top one, whichever way the image is
// stored.
//
// A Source refers to the caller's chunks and owns nothing but its place in
// them. The chunks may be memory of a guest that writes meanwhile: nothing is
// decided on what they contain, and a line has the same length whenever it is
// asked for.
package lines

import (
	"errors"
	"fmt"
)

// MaxStride bounds the distance of lines, in bytes.
const MaxStride = 1<<31 - 1

// Errors of Reset; what it returns wraps them.
var (
	// ErrShort is an image with fewer bytes than its dimensions ask for.
	ErrShort = errors.New("image data too short")
	// ErrStride is a stride that does not hold a line, or more than MaxStride.
	ErrStride = errors.New("bad stride")
)

// Source is an image in chunks. The zero value has no lines.
type Source struct {
	chunks  [][]byte
	index   int // the chunk last used
	base    int // its place in the image, in bytes
	stride  int // bytes from line to line
	size    int // bytes of a line that count
	height  int
	topDown bool
}

// Reset makes s the image of height lines in chunks, consecutive bytes in
// memory order; each line begins stride bytes after the one before and holds
// size bytes of pixels. The last line may lack its padding. If topDown is
// false, the bottom line is the first in memory.
func (s *Source) Reset(chunks [][]byte, stride, size, height int, topDown bool) error {
	if size <= 0 || stride < size || stride > MaxStride || height <= 0 || height > MaxStride {
		return fmt.Errorf("%w: %d bytes for %d lines of %d", ErrStride, stride, height, size)
	}
	total := 0
	for _, c := range chunks {
		total += len(c)
	}
	if need := (height-1)*stride + size; total < need {
		return fmt.Errorf("%w: %d of %d bytes", ErrShort, total, need)
	}
	*s = Source{chunks: chunks, stride: stride, size: size, height: height, topDown: topDown}
	return nil
}

// Release forgets the chunks.
func (s *Source) Release() { *s = Source{} }

// Line returns line y, 0 <= y < height, as it lies in memory, or assembles it
// in scratch, which has room for a line, if it is cut by the end of a chunk.
func (s *Source) Line(y int, scratch []byte) []byte {
	at := s.seek(y)
	if c := s.chunks[s.index]; at+s.size <= len(c) {
		return c[at : at+s.size : at+s.size]
	}
	n := copy(scratch[:s.size], s.chunks[s.index][at:])
	for i := s.index + 1; n < s.size; i++ {
		n += copy(scratch[n:s.size], s.chunks[i])
	}
	return scratch[:s.size]
}

// seek moves to the chunk in which line y begins and returns where.
func (s *Source) seek(y int) int {
	if !s.topDown {
		y = s.height - 1 - y
	}
	at := y * s.stride
	for at < s.base {
		s.index--
		s.base -= len(s.chunks[s.index])
	}
	for at-s.base >= len(s.chunks[s.index]) {
		s.base += len(s.chunks[s.index])
		s.index++
	}
	return at - s.base
}
