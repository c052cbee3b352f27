package guest

import (
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

// aligned rounds n up to where the next structure may begin.
func aligned(n int) int { return (n + 7) &^ 7 }

// size adds up what a command needs. The order of the parts matters only to
// what the last one is rounded up to.
type size int

// take is a structure of n bytes.
func (s *size) take(n int) { *s = size(aligned(int(*s)) + n) }

// list is a chunk list of n bytes behind head bytes of its structure, in
// pieces of at most piece bytes.
func (s *size) list(head, n, piece int) {
	s.take(head + chunkSize)
	for piece > 0 && n > piece {
		*s += size(piece)
		s.take(chunkSize)
		n -= piece
	}
	*s += size(n)
}

// blob is a chunk list with the chunks of b.
func (s *size) blob(head int, b *qxl.Blob) {
	s.take(head + chunkSize)
	for i, c := range b.Chunks {
		if i > 0 {
			s.take(chunkSize)
		}
		*s += size(len(c))
	}
}

// image is an image with its palette and pixels. A reader maps imageSize bytes
// even of a QUIC image without data: that is what one is rounded up to.
func (s *size) image(im *qxl.Image) {
	switch {
	case im.Type == qxl.ImageQUIC:
		s.blob(quicHead, &im.Data)
	case im.Type == qxl.ImageBitmap:
		s.take(imageSize)
		if im.HasPalette {
			s.take(paletteSize + 4*len(im.Palette.Entries))
		}
		if im.BitFlags&qxl.BitmapDirect != 0 {
			s.take(im.Data.Size)
		} else {
			s.blob(0, &im.Data)
		}
	default:
		s.take(imageSize)
	}
}

// drawable is a whole drawing command.
func (s *size) drawable(d *qxl.Drawable, piece int) {
	s.take(drawableSize)
	if d.Clip.Type == qxl.ClipRects {
		s.list(clipSize, rectSize*len(d.Clip.Rects), piece)
	}
	for _, i := range [...]int8{d.Src, d.Mask.Image, d.Brush.Image, d.BackBrush.Image} {
		if im := d.Image(i); im != nil {
			s.image(im)
		}
	}
	switch d.Type {
	case qxl.DrawStroke:
		s.list(pathHeadSize, pathSize(d), piece)
		s.take(4 * len(d.Line.Style))
	case qxl.DrawText:
		s.list(stringHead, stringSize(&d.Text), piece)
	case qxl.DrawComposite:
		if d.CompositeFlags&qxl.CompositeHasSrcTransform != 0 {
			s.take(transformSize)
		}
		if d.CompositeFlags&qxl.CompositeHasMaskTransf != 0 {
			s.take(transformSize)
		}
	}
}

// rec is a packed structure in guest memory; fields are given by byte offset.
type rec []byte

func (r rec) u8(at int, v uint8)      { r[at] = v }
func (r rec) u16(at int, v uint16)    { le.PutUint16(r[at:], v) }
func (r rec) u32(at int, v uint32)    { le.PutUint32(r[at:], v) }
func (r rec) u64(at int, v uint64)    { le.PutUint64(r[at:], v) }
func (r rec) phys(at int, v qxl.PHYS) { le.PutUint64(r[at:], uint64(v)) }
func (r rec) i32(at int, v int32)     { le.PutUint32(r[at:], uint32(v)) }

func (r rec) bool(at int, v bool) {
	if v {
		r[at] = 1
	}
}

func (r rec) point(at int, p regions.Point) {
	r.i32(at, p.X)
	r.i32(at+4, p.Y)
}

func (r rec) rect(at int, q regions.Rect) {
	r.i32(at, q.Top)
	r.i32(at+4, q.Left)
	r.i32(at+8, q.Bottom)
	r.i32(at+12, q.Right)
}

func (r rec) point16(at int, p regions.Point) {
	r.u16(at, uint16(p.X))
	r.u16(at+2, uint16(p.Y))
}
