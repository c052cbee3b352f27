package canvas

import (
	"fmt"

	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

// textPainter puts the fore brush on the destination through the glyphs'
// coverage, which is a byte for each pixel of box.
type textPainter struct {
	j        *job
	box      regions.Rect
	coverage []byte
	color    uint32 // of a solid brush
}

// drawText fills the back area and then draws the glyphs. Fore mode and back
// mode have no say: text is always put.
func (j *job) drawText() error {
	d := j.d
	bits, err := glyphBits(&d.Text)
	if err != nil {
		return err
	}
	if err := j.openBrush(&d.BackBrush, &j.backTile); err != nil && !d.BackArea.Empty() {
		return err
	}
	back := j.brush
	if err := j.openBrush(&d.Brush, &j.tile); err != nil {
		return err
	}
	if !d.BackArea.Empty() {
		j.fillBack(back)
	}
	if d.Brush.Type == qxl.BrushNone {
		return nil
	}
	p := &j.text
	p.j, p.color = j, workLayout(j.c.format).wordARGB(j.brush.word)|0xff000000
	p.cover(&d.Text, bits, j.region.Extents())
	j.region.IntersectRect(p.box)
	j.list()
	j.paint(p)
	return nil
}

// fillBack paints the back area, within the region, with brush b.
func (j *job) fillBack(b brush) {
	fore := j.brush
	j.brush = b
	j.clip.Copy(&j.region)
	j.region.IntersectRect(j.d.BackArea)
	j.list()
	j.paintBrush(rop2Src)
	j.region.Copy(&j.clip)
	j.list()
	j.brush = fore
}

// glyphBits is the depth of a string's glyphs, all of which lie within its data.
func glyphBits(t *qxl.Text) (int, error) {
	var bits int
	switch t.Flags & (qxl.StringA1 | qxl.StringA4 | qxl.StringA8) {
	case qxl.StringA1:
		bits = 1
	case qxl.StringA4:
		bits = 4
	case qxl.StringA8:
		bits = 8
	default:
		return 0, fmt.Errorf("%w: string flags %#x", ErrDrawable, t.Flags)
	}
	for i := range t.Glyphs {
		g := &t.Glyphs[i]
		size := int64(lineBytes(bits, int(g.Width))) * int64(g.Height)
		if g.Data < 0 || int64(g.Data)+size > int64(len(t.Data)) {
			return 0, fmt.Errorf("%w: glyph %d of %d bytes at %d of %d", ErrDrawable, i, size, g.Data, len(t.Data))
		}
	}
	return bits, nil
}

// glyphBox is where a glyph lies, as far as it is within limit.
func glyphBox(g *qxl.Glyph, limit regions.Rect) (x, y int, visible regions.Rect) {
	x = int(g.Pos.X) + int(g.Origin.X)
	y = int(g.Pos.Y) + int(g.Origin.Y)
	visible = regions.Rect{
		Left: clampCoord(x), Top: clampCoord(y),
		Right: clampCoord(x + int(g.Width)), Bottom: clampCoord(y + int(g.Height)),
	}
	return x, y, visible.Intersect(limit)
}

// cover computes the coverage of all glyphs within limit. Where they overlap,
// the greater one counts.
func (p *textPainter) cover(t *qxl.Text, bits int, limit regions.Rect) {
	p.box = regions.Rect{}
	for i := range t.Glyphs {
		_, _, visible := glyphBox(&t.Glyphs[i], limit)
		p.box = p.box.Union(visible)
	}
	width := int(p.box.Width())
	p.coverage = sized(p.coverage, width*int(p.box.Height()))
	clear(p.coverage)
	for i := range t.Glyphs {
		g := &t.Glyphs[i]
		left, top, r := glyphBox(g, p.box)
		stride := lineBytes(bits, int(g.Width))
		for y := int(r.Top); y < int(r.Bottom); y++ {
			up := int(g.Height) - 1 - (y - top) // lines are stored bottom-up
			line := t.Data[int(g.Data)+up*stride:][:stride]
			at := (y-int(p.box.Top))*width + int(r.Left-p.box.Left)
			coverLine(p.coverage[at:at+int(r.Width())], line, bits, int(r.Left)-left)
		}
	}
}

// coverLine raises dst to the alpha of a glyph's line from pixel x on. The
// leftmost pixel is in a byte's highest bits; four bits mean 0 to 240.
func coverLine(dst, line []byte, bits, x int) {
	switch bits {
	case 1:
		for i := range dst {
			dst[i] |= -(line[(x+i)>>3] >> (7 - (x+i)&7) & 1)
		}
	case 4:
		for i := range dst {
			dst[i] = max(dst[i], line[(x+i)>>1]>>(4-4*((x+i)&1))&15<<4)
		}
	default:
		for i := range dst {
			dst[i] = max(dst[i], line[x+i])
		}
	}
}

func (p *textPainter) span(y, x0, x1 int) {
	j := p.j
	at := (y-int(p.box.Top))*int(p.box.Width()) + x0 - int(p.box.Left)
	coverage := p.coverage[at : at+x1-x0]
	j.argb[0] = sized(j.argb[0], x1-x0)
	src := j.argb[0]
	if j.brush.solid {
		for i := range src {
			src[i] = p.color
		}
	} else {
		j.brush.tile.colours().fetchARGB(src, j.brushRow(y, x0, x1), 0, nil)
	}
	for i, a := range coverage {
		src[i] = mulAlpha(src[i], uint32(a))
	}
	dst := j.row(y, x0, x1)
	j.overRow(dst, src, workLayout(j.c.format))
	j.flush(y, x0, dst)
}
