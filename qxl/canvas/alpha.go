package canvas

import (
	"encoding/binary"

	"github.com/spiceecs/spiceecs/qxl"
)

// blendPainter puts a source with alpha on the destination.
type blendPainter struct {
	operand
	alpha  uint32
	layout layout // how the destination's words are read and written
}

// drawAlphaBlend keeps the source's own depth and never interpolates.
func (j *job) drawAlphaBlend() error {
	d := j.d
	src, err := j.openSource(qxl.ScaleNearest)
	if err != nil {
		return err
	}
	j.img.rawPalette()
	im := j.d.Image(d.Src)
	if im.Type == qxl.ImageSurface && d.AlphaFlags&qxl.AlphaSrcSurfaceHasAlpha != 0 && j.img.lay == layXRGB {
		j.img.lay = layARGB
	}
	p := &j.blend
	*p = blendPainter{operand: src, alpha: uint32(d.Alpha), layout: workLayout(j.c.format)}
	if p.layout == layXRGB && d.AlphaFlags&qxl.AlphaDestHasAlpha != 0 {
		p.layout = layARGB
	}
	if d.Alpha != 0 {
		j.paint(p)
	}
	return nil
}

func (p *blendPainter) span(y, x0, x1 int) {
	j, n := p.j, x1-x0
	j.argb[0] = sized(j.argb[0], n)
	src := j.argb[0]
	if p.scaled {
		j.scale.sampleARGB(src, y, x0)
	} else {
		j.img.rowARGB(src, x0+p.dx, y+p.dy)
	}
	if p.alpha != 255 {
		for i, v := range src {
			src[i] = mulAlpha(v, p.alpha)
		}
	}
	dst := j.row(y, x0, x1)
	j.overRow(dst, src, p.layout)
	j.flush(y, x0, dst)
}

// overRow puts src on dst, whose layout is lay. Where src is nothing at all, dst
// stays as it is, pad bits included: what is drawn must not depend on how much of
// it is.
func (j *job) overRow(dst []byte, src []uint32, lay layout) {
	if lay.bits() == 32 {
		for i, s := range src {
			p := dst[4*i : 4*i+4]
			if s>>24 == 255 {
				binary.LittleEndian.PutUint32(p, s)
			} else if s != 0 {
				d, a := binary.LittleEndian.Uint32(p), 255-s>>24
				binary.LittleEndian.PutUint32(p, addPair(s, mulPair(d, a))|addPair(s>>8, mulPair(d>>8, a))<<8)
			}
		}
		return
	}
	size := lay.bits() / 8
	for i := 0; i < len(src); i++ {
		from := i
		for i < len(src) && src[i] != 0 {
			i++
		}
		j.overRun(dst[size*from:size*i], src[from:i], lay)
	}
}

// overRun is overRow where src is something everywhere.
func (j *job) overRun(dst []byte, src []uint32, lay layout) {
	if len(src) == 0 {
		return
	}
	j.argb[1] = sized(j.argb[1], len(src))
	back := j.argb[1]
	lay.fetchARGB(back, dst, 0, nil)
	for i, s := range src {
		back[i] = over(s, back[i])
	}
	lay.storeARGB(dst, back)
}
