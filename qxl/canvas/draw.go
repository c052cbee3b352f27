package canvas

import (
	"errors"
	"fmt"
	"sync"

	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

// Errors of Draw; the canvas is unchanged.
var (
	ErrDrawable = errors.New("canvas: bad drawable") // a value that no canvas can obey
	ErrImage    = errors.New("canvas: bad image")    // missing, too short, or of an unusable layout
	ErrSurface  = errors.New("canvas: unknown source surface")
)

// Sources resolves what a drawable refers to besides raw bitmaps.
type Sources interface {
	// Surface returns the canvas of a surface, nil for an unknown one.
	Surface(id uint32) *Canvas
	// Decode returns the pixels of an image of any type but ImageBitmap and
	// ImageSurface. The result stays the Sources' and valid until the draw ends.
	Decode(im *qxl.Image) (*Pixmap, error)
}

// Draw applies d to c. Only pixels inside d's box, clip list and mask change,
// in no other way than d says, whatever values it holds.
//
// Every compressed image that d's operation uses is given to src.Decode exactly
// once, even if nothing of it shows, since decoders keep history.
func (c *Canvas) Draw(d *qxl.Drawable, src Sources) error {
	return c.DrawRegion(d, src, nil)
}

// DrawRegion is Draw, but only pixels inside limit change. A nil limit is none.
func (c *Canvas) DrawRegion(d *qxl.Drawable, src Sources, limit *regions.Region) error {
	j := jobs.Get().(*job)
	j.c, j.d, j.sources = c, d, src
	err := j.draw(limit)
	j.release()
	jobs.Put(j)
	if err != nil {
		return fmt.Errorf("draw type %d: %w", d.Type, err)
	}
	return nil
}

var jobs = sync.Pool{New: func() any { return new(job) }}

// job is one draw in progress, with the storage that draws recycle.
type job struct {
	c       *Canvas
	d       *qxl.Drawable
	sources Sources

	region regions.Region // where d draws, apart from the mask
	clip   regions.Region // the union of d's clip list
	boxes  []regions.Rect // region's rectangles
	mask   mask

	img      source // the drawable's source image
	tile     source // the (fore) brush's pattern
	backTile source // the back brush's pattern
	alpha    source // a composite's mask image
	scale    scaler
	brush    brush // the one that paints

	dstBuf, srcBuf, brushBuf, solid []byte
	argb                            [3][]uint32

	fill    fillPainter
	copy    copyPainter
	rop3    rop3Painter
	key     keyPainter
	blend   blendPainter
	text    textPainter
	stroke  stroke
	compose composer
}

// release drops every reference to what is not the job's own.
func (j *job) release() {
	j.c, j.d, j.sources = nil, nil, nil
	j.compose.src.transform, j.compose.mask.transform = nil, nil
	for _, s := range []*source{&j.img, &j.tile, &j.backTile, &j.alpha, &j.mask.src} {
		s.release()
	}
}

// painter paints the pixels [x0,x1) of line y, which lie inside the canvas.
type painter interface{ span(y, x0, x1 int) }

// paint hands every run of the destination region to p.
func (j *job) paint(p painter) {
	b, _ := p.(blockPainter)
	for _, r := range j.boxes {
		if b != nil && !j.mask.on && b.block(r) {
			continue
		}
		for y := int(r.Top); y < int(r.Bottom); y++ {
			if j.mask.on {
				j.mask.runs(p, y, int(r.Left), int(r.Right))
			} else {
				p.span(y, int(r.Left), int(r.Right))
			}
		}
	}
}

// plane is where a drawable's box may lie.
var plane = regions.Rect{
	Left: regions.MinCoord, Top: regions.MinCoord,
	Right: regions.MaxCoord, Bottom: regions.MaxCoord,
}

// begin computes the destination region, apart from the mask.
func (j *job) begin(limit *regions.Region) error {
	d := j.d
	if !plane.Contains(d.BBox) {
		return fmt.Errorf("%w: box %v", ErrDrawable, d.BBox)
	}
	j.region.SetRect(d.BBox.Intersect(j.c.Bounds()))
	if d.Clip.Type == qxl.ClipRects {
		j.clip.SetRects(d.Clip.Rects)
		j.region.Intersect(&j.clip)
	}
	if limit != nil {
		j.region.Intersect(limit)
	}
	j.mask.on = false
	j.list()
	return nil
}

// list makes boxes the rectangles of region.
func (j *job) list() { j.boxes = j.region.AppendRects(j.boxes[:0]) }

func (j *job) draw(limit *regions.Region) error {
	if err := j.begin(limit); err != nil {
		return err
	}
	d := j.d
	switch d.Type {
	case qxl.DrawNOP:
		return nil
	case qxl.DrawFill:
		return j.drawFill(&d.Brush, fillRop(d.Rop))
	case qxl.DrawOpaque:
		return j.drawOpaque()
	case qxl.DrawCopy, qxl.DrawBlend:
		return j.drawCopy()
	case qxl.DrawCopyBits:
		j.drawCopyBits()
		return nil
	case qxl.DrawBlackness:
		return j.drawConst(rop2Clear)
	case qxl.DrawWhiteness:
		return j.drawConst(rop2Set)
	case qxl.DrawInvers:
		return j.drawConst(rop2Invert)
	case qxl.DrawRop3:
		return j.drawRop3()
	case qxl.DrawStroke:
		return j.drawStroke()
	case qxl.DrawText:
		return j.drawText()
	case qxl.DrawTransparent:
		return j.drawTransparent()
	case qxl.DrawAlphaBlend:
		return j.drawAlphaBlend()
	case qxl.DrawComposite:
		return j.drawComposite()
	}
	return fmt.Errorf("%w: unknown type", ErrDrawable)
}

// row returns the pixels [x0,x1) of line y for reading and writing. Canvases
// of 1 bit show them as bytes, 0 or 255; flush writes those back.
func (j *job) row(y, x0, x1 int) []byte {
	line := j.c.Row(y)
	switch j.c.format.Depth() {
	case 32:
		return line[4*x0 : 4*x1]
	case 16:
		return line[2*x0 : 2*x1]
	case 8:
		return line[x0:x1]
	}
	j.dstBuf = sized(j.dstBuf, x1-x0)
	for i := range j.dstBuf {
		x := x0 + i
		j.dstBuf[i] = -(line[x>>3] >> (x & 7) & 1)
	}
	return j.dstBuf
}

// flush ends the changes to what row returned.
func (j *job) flush(y, x0 int, row []byte) {
	if j.c.format != qxl.Surface1A {
		return
	}
	line := j.c.Row(y)
	for i, v := range row {
		x := x0 + i
		bit := byte(1) << (x & 7)
		line[x>>3] = line[x>>3]&^bit | v&bit
	}
}

// pixelBytes is the size of a pixel in what row returns.
func (c *Canvas) pixelBytes() int { return max(1, c.format.Depth()/8) }

// sized returns b with length n, and any content.
func sized[T any](b []T, n int) []T {
	if cap(b) < n {
		return make([]T, n, n+n/4)
	}
	return b[:n]
}
