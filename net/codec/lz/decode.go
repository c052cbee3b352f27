package lz

import (
	"encoding/binary"
	"fmt"

	"github.com/spiceecs/spiceecs/net/codec/pixel"
)

// Decode decodes the stream src into dst, which must hold the image as its
// header describes it: Height lines of Stride bytes, in memory order.
//
// The fourth byte of RGB32 pixels becomes 0. XXXA touches only the fourth byte
// of each pixel. A stream that refers to what is not there, does not fill the
// image exactly, or goes on behind it gives ErrCorrupt; dst then holds whatever
// had been decoded.
func Decode(dst, src []byte) (Image, error) {
	im, err := ParseHeader(src)
	if err != nil {
		return im, fmt.Errorf("decoding LZ: %w", err)
	}
	if len(dst) < im.Size() {
		return im, fmt.Errorf("decoding LZ: %w: %d bytes for an image of %d", ErrShort, len(dst), im.Size())
	}
	dst = dst[:im.Size():im.Size()]
	s, ok := headerSize, true
	for _, l := range pixel.Layouts(im.Type) {
		if s, ok = decodePass(dst, src, s, l); !ok {
			break
		}
	}
	if !ok || s != len(src) {
		return im, fmt.Errorf("decoding LZ: %w: near byte %d of %d", ErrCorrupt, s, len(src))
	}
	return im, nil
}

// decodePass runs the operations of src[s:] until dst is full. It returns the
// place behind the last one, and false if an operation does not fit.
func decodePass(dst, src []byte, s int, l *pixel.Layout) (int, bool) {
	at := 0
	if l.Colours() {
		at, s = decodeColours(dst, src, at, s)
	}
	for at < len(dst) {
		if s >= len(src) {
			return s, false
		}
		c := int(src[s])
		s++
		if c < pixel.MaxLiterals {
			n := (c + 1) * l.Literal
			end := at + (c+1)*l.Unit
			if n > len(src)-s || end > len(dst) {
				return s, false
			}
			l.Unpack(dst, at, end, src, s)
			s += n
			at = end
			continue
		}
		m, ok := readMatch(src, s, c)
		s = m.next
		n, ref := (m.length+l.Bias)*l.Unit, at-m.distance*l.Unit
		if !ok || n > len(dst)-at || ref < 0 {
			return s, false
		}
		l.Copy(dst, at, ref, n)
		at += n
	}
	return s, true
}

// match is one reference: a length without bias, and a distance, in units.
type match struct{ length, distance, next int }

// readMatch reads the rest of a reference whose control byte c was src[s-1].
// It reports false if src ends within it.
func readMatch(src []byte, s, c int) (match, bool) {
	m := match{length: c >> 5, next: len(src)}
	if m.length == longLength {
		for {
			if s >= len(src) {
				return m, false
			}
			e := src[s]
			s++
			m.length += int(e)
			if e != 255 {
				break
			}
		}
	}
	if s >= len(src) {
		return m, false
	}
	d := c&31<<8 | int(src[s])
	s++
	if d == maxNear {
		if len(src)-s < 2 {
			return m, false
		}
		d += int(binary.BigEndian.Uint16(src[s:]))
		s += 2
	}
	m.distance, m.next = d+1, s
	return m, true
}
