package canvas

import (
	"github.com/spiceecs/spiceecs/qxl"
)

// fillPainter combines the destination with the job's brush.
type fillPainter struct {
	j        *job
	rop      rop2
	template []byte // a line of the solid brush, if that replaces everything
	and, xor uint64 // else what the solid brush does
}

// drawFill paints the region through the mask.
func (j *job) drawFill(b *qxl.Brush, rop rop2) error {
	if err := j.openBrush(b, &j.tile); err != nil {
		return err
	}
	if err := j.openMask(); err != nil {
		return err
	}
	j.paintBrush(rop)
	return nil
}

// drawConst is BLACKNESS, WHITENESS or INVERS.
func (j *job) drawConst(rop rop2) error {
	return j.drawFill(&qxl.Brush{Type: qxl.BrushNone}, rop)
}

// paintBrush combines the region with the open brush.
func (j *job) paintBrush(rop rop2) { j.paint(j.brushPainter(rop)) }

// brushPainter is the painter of the open brush, for runs within the region.
func (j *job) brushPainter(rop rop2) painter {
	p := &j.fill
	*p = fillPainter{j: j, rop: rop}
	if j.brush.solid {
		p.and, p.xor = rop.constant(j.pixel(j.brush.word))
		if p.and == 0 {
			p.template = j.solidRow(uint32(p.xor))
		}
	}
	return p
}

func (p *fillPainter) span(y, x0, x1 int) {
	j := p.j
	dst := j.row(y, x0, x1)
	switch {
	case p.template != nil:
		copy(dst, p.template)
	case j.brush.solid:
		andXor(dst, p.and, p.xor)
	case p.rop == rop2Src:
		j.tileInto(dst, y, x0, x1-x0)
	default:
		p.rop.apply(dst, j.brushRow(y, x0, x1))
	}
	j.flush(y, x0, dst)
}
