package canvas

import (
	"encoding/binary"

	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

// operand is a drawable's source image as lines over the destination: placed
// pixel by pixel, or sampled when its area is not as large as the box.
type operand struct {
	j      *job
	dx, dy int // from canvas to image coordinates
	scaled bool
}

// openSource opens the drawable's source image, to be sampled as mode says.
func (j *job) openSource(mode uint8) (operand, error) {
	d := j.d
	if err := j.open(&j.img, d.Src, d.SrcArea); err != nil {
		return operand{}, err
	}
	op := operand{
		j:  j,
		dx: int(d.SrcArea.Left) - int(d.BBox.Left),
		dy: int(d.SrcArea.Top) - int(d.BBox.Top),
	}
	if j.region.Empty() || sameSize(d.SrcArea, d.BBox) {
		return op, nil
	}
	op.scaled = true
	return op, j.scale.open(&j.img, d.SrcArea, d.BBox, mode)
}

func sameSize(a, b regions.Rect) bool {
	return int64(a.Right)-int64(a.Left) == int64(b.Right)-int64(b.Left) &&
		int64(a.Bottom)-int64(a.Top) == int64(b.Bottom)-int64(b.Top)
}

// row returns the operand's pixels [x0,x1) of line y in the canvas' layout.
func (o *operand) row(y, x0, x1 int) []byte {
	j := o.j
	j.srcBuf = sized(j.srcBuf, (x1-x0)*j.c.pixelBytes())
	if o.scaled {
		j.scale.rowInto(j.srcBuf, y, x0, x1)
		return j.srcBuf
	}
	return j.img.row(j.srcBuf, x0+o.dx, y+o.dy, x1-x0)
}

// rowInto is row with the result in dst.
func (o *operand) rowInto(dst []byte, y, x0, x1 int) {
	if o.scaled {
		o.j.scale.rowInto(dst, y, x0, x1)
		return
	}
	o.j.img.rowInto(dst, x0+o.dx, y+o.dy, x1-x0)
}

// copyPainter combines the destination with an image, or replaces it by one
// and then combines that with the brush.
type copyPainter struct {
	operand
	rop    rop2
	opaque bool
	and    uint64
	xor    uint64
}

// drawCopy is COPY and BLEND, which differ only in what the driver declares.
func (j *job) drawCopy() error {
	src, err := j.openSource(j.d.Scale)
	if err != nil {
		return err
	}
	if err := j.openMask(); err != nil {
		return err
	}
	j.copy = copyPainter{operand: src, rop: copyRop(j.d.Rop)}
	if src.scaled && j.copy.rop == rop2Src {
		j.scale.opaque()
	}
	j.paint(&j.copy)
	return nil
}

// drawOpaque copies the image without regard to the raster operation, which
// then combines the brush with it.
func (j *job) drawOpaque() error {
	src, err := j.openSource(j.d.Scale)
	if err != nil {
		return err
	}
	if err := j.openBrush(&j.d.Brush, &j.tile); err != nil {
		return err
	}
	if err := j.openMask(); err != nil {
		return err
	}
	if src.scaled {
		j.scale.opaque()
	}
	p := &j.copy
	*p = copyPainter{operand: src, rop: opaqueRop(j.d.Rop), opaque: true}
	if j.brush.solid {
		p.and, p.xor = p.rop.constant(j.pixel(j.brush.word))
	}
	j.paint(p)
	return nil
}

func (p *copyPainter) span(y, x0, x1 int) {
	j := p.j
	dst := j.row(y, x0, x1)
	switch {
	case p.opaque && j.brush.solid:
		p.rowInto(dst, y, x0, x1)
		andXor(dst, p.and, p.xor)
	case p.opaque:
		p.rowInto(dst, y, x0, x1)
		p.rop.apply(dst, j.brushRow(y, x0, x1))
	case p.rop == rop2Src:
		p.rowInto(dst, y, x0, x1)
	default:
		p.rop.apply(dst, p.row(y, x0, x1))
	}
	j.flush(y, x0, dst)
}

// rop3Painter combines destination, image and brush.
type rop3Painter struct {
	operand
	rop     rop3
	pattern []byte // a line of the solid brush
}

func (j *job) drawRop3() error {
	src, err := j.openSource(j.d.Scale)
	if err != nil {
		return err
	}
	if err := j.openBrush(&j.d.Brush, &j.tile); err != nil {
		return err
	}
	if err := j.openMask(); err != nil {
		return err
	}
	if src.scaled {
		j.scale.snapped(j.d.SrcArea, j.d.BBox)
	}
	p := &j.rop3
	*p = rop3Painter{operand: src, rop: rop3(j.d.Rop3)}
	if j.brush.solid {
		p.pattern = j.solidRow(j.brush.word)
	}
	j.paint(p)
	return nil
}

func (p *rop3Painter) span(y, x0, x1 int) {
	j := p.j
	dst := j.row(y, x0, x1)
	pat := p.pattern
	if !j.brush.solid {
		pat = j.brushRow(y, x0, x1)
	}
	p.rop.apply(dst, p.row(y, x0, x1), pat)
	j.flush(y, x0, dst)
}

// keyPainter copies every pixel of an image but those of the key's colour.
type keyPainter struct {
	operand
	key uint32
}

// drawTransparent compares raw words, of which 32-bit ones have 24 bits of colour.
func (j *job) drawTransparent() error {
	src, err := j.openSource(qxl.ScaleNearest)
	if err != nil {
		return err
	}
	p := &j.key
	*p = keyPainter{operand: src}
	switch key := j.d.TrueColor; j.c.format {
	case qxl.Surface16x555:
		p.key = uint32(reduce555(key))
	case qxl.Surface16x565:
		p.key = uint32(reduce565(key))
	case qxl.Surface8A, qxl.Surface1A:
	default:
		p.key = key & 0xffffff
	}
	j.paint(p)
	return nil
}

func (p *keyPainter) span(y, x0, x1 int) {
	dst, src := p.j.row(y, x0, x1), p.row(y, x0, x1)
	switch p.j.c.pixelBytes() {
	case 4:
		for i := 0; i+4 <= len(dst); i += 4 {
			if v := binary.LittleEndian.Uint32(src[i:]); v&0xffffff != p.key {
				binary.LittleEndian.PutUint32(dst[i:], v)
			}
		}
	case 2:
		for i := 0; i+2 <= len(dst); i += 2 {
			if v := binary.LittleEndian.Uint16(src[i:]); uint32(v) != p.key {
				binary.LittleEndian.PutUint16(dst[i:], v)
			}
		}
	default:
		for i, v := range src {
			if uint32(v) != p.key {
				dst[i] = v
			}
		}
	}
	p.j.flush(y, x0, dst)
}
