package jpeg

import (
	"fmt"
	"slices"

	"github.com/spiceecs/spiceecs/net/codec/internal/lines"
	"github.com/spiceecs/spiceecs/net/codec/lz"
)

// Encoder turns images into files. New and NewPure make one. It
// holds nothing of an image between calls, and is not for concurrent use.
type Encoder struct {
	source  lines.Source
	quality int // that of the quantisers
	luma    quantiser
	chroma  quantiser
	strip   strip
	turbo   *turboEncoder // nil for the pure engine
	alpha   lz.Encoder
}

// maxRestart is the most MCUs a strip may have.
const maxRestart = 1<<16 - 1

// New returns an encoder that uses libjpeg-turbo if the system has it.
func New() *Encoder { return &Encoder{turbo: newTurboEncoder()} }

// NewPure returns an encoder in plain Go.
func NewPure() *Encoder { return &Encoder{} }

// Turbo tells whether e uses libjpeg-turbo.
func (e *Encoder) Turbo() bool { return e.turbo != nil }

// Encode appends the file of im, at a quality of 1 to 100, to dst. chunks are
// the bytes of the image in memory order, in any division, and may be longer
// than the image. They may even change meanwhile: the file stays well-formed.
//
// The errors are ErrImage and ErrShort; dst comes back unchanged then, up to
// its length.
func (e *Encoder) Encode(dst []byte, im Image, chunks [][]byte, quality int) ([]byte, error) {
	return e.EncodePart(dst, im, chunks, quality, 0, 1)
}

// Parts is the number of parts that the file of a valid image has when it is
// divided into about that many strips. More than one have restart markers
// between them.
func Parts(im Image, strips int) int {
	_, down := im.mcus()
	height := im.strip(strips)
	return (down + height - 1) / height
}

// mcus is the size of an image in MCUs.
func (im Image) mcus() (across, down int) { return (im.Width + 15) / 16, (im.Height + 15) / 16 }

// strip is the height in MCUs of each of some strips: that of the image if a
// restart interval would be too long.
func (im Image) strip(strips int) int {
	across, down := im.mcus()
	height := (down + strips - 1) / strips
	if height*across > maxRestart {
		return down
	}
	return height
}

// EncodePart appends one of Parts(im, strips) parts of the file of im to dst. The
// parts may be encoded in any order, by several encoders of the same engine at a
// time; one after the other they are the file. The errors are those of Encode.
func (e *Encoder) EncodePart(dst []byte, im Image, chunks [][]byte, quality, part, strips int) ([]byte, error) {
	if err := im.Check(); err != nil {
		return dst, fmt.Errorf("encoding JPEG: %w", err)
	}
	if err := e.source.Reset(chunks, im.Stride, im.Width*im.Format.size(), im.Height, im.TopDown); err != nil {
		return dst, fmt.Errorf("encoding JPEG: %w", err)
	}
	defer e.source.Release()
	if quality = min(max(quality, 1), 100); e.quality != quality {
		e.luma.set(&baseQuant[0], quality)
		e.chroma.set(&baseQuant[1], quality)
		e.quality = quality
	}
	across, down := im.mcus()
	height := im.strip(strips)
	from, end, out := part*height, min((part+1)*height, down), dst
	if part == 0 {
		restart := 0
		if height < down {
			restart = height * across
		}
		out = appendHeader(out, im, &e.luma.table, &e.chroma.table, restart)
	}
	if e.turbo != nil {
		var err error
		if out, err = e.turbo.encode(out, im, chunks, &e.source, quality, 16*from, min(16*end, im.Height)); err != nil {
			return out[:len(dst)], fmt.Errorf("encoding JPEG: %w", err)
		}
	} else {
		e.strip.encode(e, out, im, from, end)
		out = e.strip.take()
	}
	if end < down {
		return append(out, 0xff, mRST0+byte(part&7)), nil
	}
	return append(out, 0xff, mEOI), nil
}

// strip encodes rows of MCUs.
type strip struct {
	w      bitWriter
	source lines.Source
	lines  strip16
	mcu    mcu
	c      [6]coefficients
	dc     [3]int32 // of the block before

	// What an MCU of one colour has for DC, for the last such colour.
	colour uint32
	flat   [3]int32
	known  bool
}

// take returns what was written, and forgets it.
func (s *strip) take() []byte {
	out := s.w.out[:s.w.pos]
	s.w.out = nil
	s.source.Release()
	return out
}

// encode appends rows from to end of im to out.
func (s *strip) encode(e *Encoder, out []byte, im Image, from, end int) {
	s.w = bitWriter{out: out[:cap(out)], pos: len(out)}
	s.source = e.source
	s.dc, s.known = [3]int32{}, false
	across := (im.Width + 15) / 16
	for y := from; y < end; y++ {
		s.lines.load(&s.source, im, 16*y)
		for x := range across {
			if s.w.pos+worstMCU+8 > len(s.w.out) {
				grown := slices.Grow(s.w.out[:s.w.pos], worstMCU+8)
				s.w.out = grown[:cap(grown)]
			}
			s.encodeMCU(e, 64*x)
		}
	}
	s.w.finish()
}

// encodeMCU writes the MCU that begins at byte x of the lines.
func (s *strip) encodeMCU(e *Encoder, x int) {
	rows := &s.lines.rows
	if colour, ok := flat(rows, x); ok {
		s.encodeFlat(e, colour)
		return
	}
	s.mcu.convert(rows, x)
	s.mcu.upper.transform()
	s.mcu.lower.transform()
	s.mcu.chroma.transform()
	e.luma.quantise(&s.mcu.upper, &s.c[0], &s.c[1])
	e.luma.quantise(&s.mcu.lower, &s.c[2], &s.c[3])
	e.chroma.quantise(&s.mcu.chroma, &s.c[4], &s.c[5])
	for i := range s.c {
		s.put(&s.c[i], s.c[i].dc(), max(i-3, 0))
	}
}

// encodeFlat writes an MCU of one colour: all of its blocks have only a DC.
func (s *strip) encodeFlat(e *Encoder, colour uint32) {
	if !s.known || s.colour != colour {
		l := uint64(colour)
		y := luminance(l) & 0xff
		cb, cr := chrominance(l>>16&0xff*4, l>>8&0xff*4, l&0xff*4)
		s.flat = [3]int32{e.luma.flat(y), e.chroma.flat(cb & 0xff), e.chroma.flat(cr & 0xff)}
		s.colour, s.known = colour, true
	}
	for i := range 6 {
		s.put(&empty, s.flat[max(i-3, 0)], max(i-3, 0))
	}
}

// empty is a block without AC coefficients.
var empty coefficients

// put writes a block of component 0 to 2.
func (s *strip) put(c *coefficients, dc int32, component int) {
	tables := 2 * min(component, 1)
	s.w.block(c, dc-s.dc[component], &huffmans[tables], &huffmans[tables+1])
	s.dc[component] = dc
}

// strip16 is the lines of a row of MCUs as 32-bit pixels, from the top line on,
// in place or in pixels. They are as long as a whole number of MCUs; what an
// image lacks at the right and at the bottom repeats its last column and line.
type strip16 struct {
	rows    [16][]byte
	pixels  []byte
	scratch []byte
}

func (l *strip16) load(source *lines.Source, im Image, y int) {
	size := (im.Width + 15) / 16 * 64
	if len(l.pixels) < 16*size {
		l.pixels = make([]byte, 16*size)
		l.scratch = make([]byte, size)
	}
	for i := range l.rows {
		if y+i >= im.Height {
			l.rows[i] = l.rows[i-1]
			continue
		}
		row := l.pixels[i*size : (i+1)*size]
		line := source.Line(y+i, l.scratch)
		if len(line) == size && im.Format == BGRX && &line[0] != &l.scratch[0] {
			l.rows[i] = line
			continue
		}
		widen(row[:4*im.Width], line, im.Format)
		for x := 4 * im.Width; x < size; x += 4 {
			copy(row[x:x+4], row[x-4:x])
		}
		l.rows[i] = row
	}
}
