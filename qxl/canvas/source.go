package canvas

import (
	"encoding/binary"
	"fmt"

	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

// Pixmap is a decoded image: Height lines of Width pixels, Stride bytes apart,
// at Pix; the top line comes first if TopDown, else last. Formats without
// alpha are opaque. Palette holds the colours of indexed formats, as words of
// the target canvas' format; indices beyond it are colour 0.
type Pixmap struct {
	Format        qxl.BitmapFormat
	TopDown       bool
	Width, Height int
	Stride        int
	Pix           []byte
	Palette       []uint32
}

// source is an image, pixmap or surface as lines of pixels. Memory may be in
// pieces and may change while it is read; only its size is relied upon.
type source struct {
	lay           layout
	work          layout // the layout of the canvas drawn on
	width, height int
	stride        int // negative: bottom-up; first is then the last line in memory
	first         int // offset of the top line
	low           int // lines above this one are not there
	highBits      bool

	flat   []byte   // all of the memory, or nil:
	chunks [][]byte // in pieces
	at     int      // the piece that was read last,
	atOff  int      // and its offset

	words [256]uint32 // palette as words of the canvas' format
	argb  [256]uint32 // and as opaque colours

	lineBuf  []byte   // a line that was in pieces
	wide     []uint32 // a run on its way from one layout to another
	snapshot []byte   // what was on the canvas before the draw
}

// release drops the references to pixel memory, and copies too big to keep.
func (s *source) release() {
	s.flat, s.chunks = nil, nil
	if cap(s.snapshot) > keepBytes {
		s.snapshot = nil
	}
}

// keepBytes is the size up to which a copy's storage is recycled.
const keepBytes = 16 << 20

// decodeImage is the first step of open: the pixels of a compressed image.
func (j *job) decodeImage(im *qxl.Image) (*Pixmap, error) {
	switch im.Type {
	case qxl.ImageBitmap, qxl.ImageSurface:
		return nil, nil
	}
	if j.sources == nil {
		return nil, fmt.Errorf("%w: nobody decodes type %d", ErrImage, im.Type)
	}
	p, err := j.sources.Decode(im)
	if err != nil {
		return nil, err
	}
	if p == nil {
		return nil, fmt.Errorf("%w: type %d was decoded to nothing", ErrImage, im.Type)
	}
	return p, nil
}

// open makes s the image with index i of the drawable. area is the part that
// will be read; it matters where the image is the canvas itself.
func (j *job) open(s *source, i int8, area regions.Rect) error {
	im := j.d.Image(i)
	if im == nil {
		return fmt.Errorf("%w: none given", ErrImage)
	}
	s.work = workLayout(j.c.format)
	s.highBits = im.Flags&qxl.ImageHighBitsSet != 0
	switch im.Type {
	case qxl.ImageBitmap:
		return s.openBitmap(im)
	case qxl.ImageSurface:
		if j.sources != nil {
			if from := j.sources.Surface(im.Surface); from != nil {
				s.openCanvas(from, j.c, area)
				return nil
			}
		}
		return fmt.Errorf("%w: %d", ErrSurface, im.Surface)
	}
	p, err := j.decodeImage(im)
	if err != nil {
		return err
	}
	return s.openPixmap(p)
}

func (s *source) openBitmap(im *qxl.Image) error {
	if im.Stride > 1<<31-1 || im.X > MaxSize || im.Y > MaxSize {
		return fmt.Errorf("%w: %dx%d, stride %d", ErrImage, im.X, im.Y, im.Stride)
	}
	if err := s.shape(im.Format, int(im.X), int(im.Y), int(im.Stride), im.BitFlags&qxl.BitmapTopDown != 0, im.Data.Size); err != nil {
		return err
	}
	s.chunks, s.flat = im.Data.Chunks, nil
	s.at, s.atOff = 0, 0
	if len(s.chunks) == 1 {
		s.flat = s.chunks[0]
	} else if im.Data.Size < minChunk*len(s.chunks) {
		s.flatten()
	}
	s.setPalette(im.Palette.Entries)
	return nil
}

func (s *source) openPixmap(p *Pixmap) error {
	if err := s.shape(p.Format, p.Width, p.Height, p.Stride, p.TopDown, len(p.Pix)); err != nil {
		return err
	}
	s.flat, s.chunks = p.Pix, nil
	s.setPalette(p.Palette)
	return nil
}

// shape checks and sets the geometry of memory of size bytes.
func (s *source) shape(f qxl.BitmapFormat, width, height, stride int, topDown bool, size int) error {
	lay, ok := bitmapLayout(f)
	line := 0
	if ok {
		line = lineBytes(lay.bits(), width)
	}
	if !ok || width < 1 || height < 1 || width > MaxSize || height > MaxSize ||
		stride < line || stride > 1<<31-1 || stride*(height-1)+line > size {
		return fmt.Errorf("%w: format %d, %dx%d, stride %d, %d bytes", ErrImage, f, width, height, stride, size)
	}
	s.lay, s.width, s.height, s.stride, s.first, s.low = lay, width, height, stride, 0, 0
	if !topDown {
		s.first, s.stride = stride*(height-1), -stride
	}
	return nil
}

// openCanvas makes s the surface from. When that is the canvas being drawn on,
// s is a copy of area.
func (s *source) openCanvas(from, to *Canvas, area regions.Rect) {
	s.lay = surfaceLayout(from.format)
	s.width, s.height, s.stride, s.first, s.low = from.width, from.height, from.stride, from.top, 0
	s.flat, s.chunks, s.highBits = from.mem, nil, false
	if from != to {
		return
	}
	// Interpolation looks at the pixels next to the area, too.
	area.Left, area.Top, area.Right, area.Bottom = area.Left-1, area.Top-1, area.Right+1, area.Bottom+1
	area = area.Intersect(from.Bounds())
	if area.Empty() {
		return
	}
	size := max(s.stride, -s.stride)
	top, bottom := int(area.Top), int(area.Bottom)
	s.stride, s.first, s.low = size, -top*size, top
	s.snapshot = s.snapshot[:0]
	for y := top; y < bottom; y++ {
		row := from.Row(y)
		s.snapshot = append(s.snapshot, row...)
		s.snapshot = append(s.snapshot, make([]byte, size-len(row))...)
	}
	s.flat, s.height = s.snapshot, bottom
}

func (s *source) setPalette(entries []uint32) {
	if !s.lay.indexed() {
		return
	}
	n := min(1<<s.lay.bits(), len(entries))
	for i, e := range entries[:n] {
		s.words[i], s.argb[i] = e, s.work.wordARGB(e)
	}
	clear(s.words[n:])
	for i := n; i < len(s.argb); i++ {
		s.argb[i] = s.work.wordARGB(0)
	}
}

// minChunk is the mean size of pieces, in bytes, below which looking for the
// right one costs more than putting all of them together first.
const minChunk = 256

// flatten makes the pieces one.
func (s *source) flatten() {
	if s.flat != nil {
		return
	}
	s.snapshot = s.snapshot[:0]
	for _, c := range s.chunks {
		s.snapshot = append(s.snapshot, c...)
	}
	s.flat = s.snapshot
}

// rawPalette takes palette entries for a canvas with alpha as they are, instead
// of opaque.
func (s *source) rawPalette() {
	if s.lay.indexed() && s.work == layARGB {
		s.argb = s.words
	}
}

// bytes returns n bytes from offset off on.
func (s *source) bytes(off, n int) []byte {
	if s.flat != nil {
		return s.flat[off : off+n]
	}
	for off < s.atOff {
		s.at--
		s.atOff -= len(s.chunks[s.at])
	}
	for off >= s.atOff+len(s.chunks[s.at]) {
		s.atOff += len(s.chunks[s.at])
		s.at++
	}
	off -= s.atOff
	if piece := s.chunks[s.at]; off+n <= len(piece) {
		return piece[off : off+n]
	}
	s.lineBuf = sized(s.lineBuf, n)
	got := copy(s.lineBuf, s.chunks[s.at][off:])
	for i := s.at + 1; got < n; i++ {
		got += copy(s.lineBuf[got:], s.chunks[i])
	}
	return s.lineBuf
}

// pixels returns the memory of n pixels from (x,y) on, and the position of the
// first one in it, for layouts of less than a byte. All of them are inside.
func (s *source) pixels(x, y, n int) (line []byte, x0 int) {
	bits := s.lay.bits()
	from := x * bits / 8
	to := lineBytes(bits, x+n)
	return s.bytes(s.first+y*s.stride+from, to-from), x - from*8/bits
}

// inside returns the part of the n pixels from (x,y) on that the source has,
// as the half-open range [a,b) of them.
func (s *source) inside(x, y, n int) (a, b int) {
	if y < s.low || y >= s.height {
		return 0, 0
	}
	a, b = max(0, -x), min(n, s.width-x)
	if a >= b {
		return 0, 0
	}
	return a, b
}

// colours is how what row returns is read as colours: sources keep their own
// kind of 32-bit words, with or without alpha, whichever kind the canvas has.
func (s *source) colours() layout {
	switch {
	case s.work.bits() != 32:
		return s.work
	case s.lay == layARGB:
		return layARGB
	}
	return layXRGB
}

// raw reports whether the source's pixels are the canvas' words as they are.
func (s *source) raw() bool {
	switch s.lay {
	case layXRGB:
		return !s.highBits && s.work.bits() == 32
	case layARGB:
		return s.work.bits() == 32
	case lay555, lay565, lay8A:
		return s.lay == s.work
	}
	return false
}

// row returns n pixels from (x,y) on in the canvas' layout; those outside the
// source are 0. The result is buf or the source's own memory, only to be read.
func (s *source) row(buf []byte, x, y, n int) []byte {
	size := s.work.bits() / 8
	if a, b := s.inside(x, y, n); a == 0 && b == n && s.raw() {
		line, _ := s.pixels(x, y, n)
		return line
	}
	s.rowInto(buf[:n*size], x, y, n)
	return buf[:n*size]
}

// rowInto is row with the result always in dst.
func (s *source) rowInto(dst []byte, x, y, n int) {
	size := s.work.bits() / 8
	a, b := s.inside(x, y, n)
	clear(dst[:a*size])
	clear(dst[b*size:])
	if a == b {
		return
	}
	dst = dst[a*size : b*size]
	line, x0 := s.pixels(x+a, y, b-a)
	switch {
	case s.raw():
		copy(dst, line)
	case s.lay == lay24 && size == 4:
		line = line[3*x0:]
		for i := range b - a {
			p := line[3*i : 3*i+3]
			binary.LittleEndian.PutUint32(dst[4*i:4*i+4], uint32(p[0])|uint32(p[1])<<8|uint32(p[2])<<16)
		}
	case s.lay.indexed():
		s.lookup(dst, line, x0, b-a)
	default:
		s.wide = sized(s.wide, b-a)
		s.lay.fetchARGB(s.wide, line, x0, nil)
		if s.work.bits() == 32 { // 16 bits widen to words with a pad of 255, 24 bits above to 0
			layARGB.storeARGB(dst, s.wide)
		} else {
			s.work.storeARGB(dst, s.wide)
		}
	}
	if s.highBits && s.work.bits() == 32 && s.lay != layARGB {
		for i := 3; i < len(dst); i += 4 {
			dst[i] = 0xff
		}
	}
}

// lookup is rowInto for indexed layouts: palette entries are raw words.
func (s *source) lookup(dst, line []byte, x0, n int) {
	size := s.work.bits() / 8
	switch {
	case s.lay == lay8P && size == 4:
		for i, v := range line[x0 : x0+n] {
			binary.LittleEndian.PutUint32(dst[4*i:4*i+4], s.words[v])
		}
		return
	case size == 4:
		for i := range n {
			binary.LittleEndian.PutUint32(dst[4*i:4*i+4], s.words[s.lay.index(line, x0+i)])
		}
		return
	}
	for i := range n {
		s.work.putWord(dst[i*size:], s.words[s.lay.index(line, x0+i)])
	}
}

// rowARGB sets dst to the pixels from (x,y) on as premultiplied colours in the
// source's own depth; those outside are transparent.
func (s *source) rowARGB(dst []uint32, x, y int) {
	a, b := s.inside(x, y, len(dst))
	clear(dst[:a])
	clear(dst[b:])
	if a == b {
		return
	}
	line, x0 := s.pixels(x+a, y, b-a)
	s.lay.fetchARGB(dst[a:b], line, x0, &s.argb)
}

// pixelARGB is rowARGB for one pixel, which is inside. The source is flat.
func (s *source) pixelARGB(x, y int) uint32 {
	line := s.flat[s.first+y*s.stride:]
	switch s.lay {
	case layARGB:
		return binary.LittleEndian.Uint32(line[4*x:])
	case layXRGB:
		return binary.LittleEndian.Uint32(line[4*x:]) | 0xff000000
	}
	var one [1]uint32
	s.lay.fetchARGB(one[:], line, x, &s.argb)
	return one[0]
}
