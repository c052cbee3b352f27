package marshal

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/canvas"
	"github.com/spiceecs/spiceecs/regions"
)

const lossyW, lossyH = 28, 22

// pair is the surfaces as they should be, or as a client has them.
type pair [2]*canvas.Canvas

func (p *pair) Surface(id uint32) *canvas.Canvas { return p[id] }

func (p *pair) Decode(*qxl.Image) (*canvas.Pixmap, error) { return nil, errors.New("compressed") }

// lossyWorld draws the same commands exactly and, where an image may lose
// pixels, roughly.
type lossyWorld struct {
	t             *testing.T
	rng           *rand.Rand
	exact, client pair
	lossy         lossy
	seen          map[string]int
}

func (w *lossyWorld) rect() regions.Rect {
	x, y := w.rng.Int32N(lossyW), w.rng.Int32N(lossyH)
	if w.rng.IntN(8) == 0 {
		return regions.XYWH(0, 0, lossyW, lossyH)
	}
	return regions.XYWH(x, y, 1+w.rng.Int32N(lossyW-x), 1+w.rng.Int32N(lossyH-y))
}

// image adds a source: a surface, or a bitmap large enough for all areas.
func (w *lossyWorld) image(d *qxl.Drawable, format qxl.BitmapFormat) int8 {
	im, i := d.NewImage()
	if w.rng.IntN(3) == 0 && format != qxl.Bitmap1BitBE {
		im.Type, im.Surface = qxl.ImageSurface, w.rng.Uint32N(2)
		return i
	}
	im.Type, im.Format, im.BitFlags = qxl.ImageBitmap, format, qxl.BitmapTopDown
	im.Width, im.Height, im.X, im.Y = lossyW, lossyH, lossyW, lossyH
	im.Stride = uint32(lossyW*format.BitsPerPixel()+7) / 8
	pix := make([]byte, im.Stride*im.Y)
	for k := range pix {
		pix[k] = byte(w.rng.Uint32())
	}
	im.Data.Append(pix)
	return i
}

func (w *lossyWorld) brush(d *qxl.Drawable) qxl.Brush {
	if w.rng.IntN(2) == 0 {
		return qxl.Brush{Type: qxl.BrushSolid, Image: qxl.NoImage, Color: w.rng.Uint32() & 0xffffff}
	}
	return qxl.Brush{Type: qxl.BrushPattern, Image: w.image(d, qxl.Bitmap32Bit), Pos: regions.Point{X: w.rng.Int32N(9), Y: w.rng.Int32N(9)}}
}

var lossyRops = []uint16{
	qxl.RopPut, qxl.RopPut, qxl.RopPut, qxl.RopOr, qxl.RopAnd, qxl.RopXor, qxl.RopInvers, qxl.RopXor | qxl.RopInversRes,
	qxl.RopPut | qxl.RopInversSrc, qxl.RopBlackness, qxl.RopWhiteness, qxl.RopOr | qxl.RopInversDest, qxl.RopPut | qxl.RopInversBrush,
}

var lossyTypes = []qxl.DrawType{
	qxl.DrawFill, qxl.DrawOpaque, qxl.DrawCopy, qxl.DrawCopy, qxl.DrawCopy, qxl.DrawCopyBits, qxl.DrawBlend, qxl.DrawBlackness,
	qxl.DrawWhiteness, qxl.DrawInvers, qxl.DrawRop3, qxl.DrawTransparent, qxl.DrawAlphaBlend, qxl.DrawComposite, qxl.DrawStroke,
}

// command makes a random command.
func (w *lossyWorld) command() *qxl.Drawable {
	d := &qxl.Drawable{}
	d.Reset()
	d.Type, d.Effect, d.Surface, d.BBox = lossyTypes[w.rng.IntN(len(lossyTypes))], qxl.EffectOpaque, w.rng.Uint32N(2), w.rect()
	if w.rng.IntN(3) == 0 {
		d.Clip.Type = qxl.ClipRects
		for range 1 + w.rng.IntN(3) {
			d.Clip.Rects = append(d.Clip.Rects, w.rect())
		}
	}
	d.Rop, d.Scale = lossyRops[w.rng.IntN(len(lossyRops))], uint8(w.rng.IntN(2))
	d.SrcArea = regions.XYWH(w.rng.Int32N(lossyW-d.BBox.Width()+1), w.rng.Int32N(lossyH-d.BBox.Height()+1), d.BBox.Width(), d.BBox.Height())
	if w.rng.IntN(4) == 0 {
		d.SrcArea = w.rect()
	}
	masked := w.rng.IntN(4) == 0
	switch d.Type {
	case qxl.DrawFill:
		d.Brush = w.brush(d)
	case qxl.DrawOpaque, qxl.DrawRop3:
		d.Src = w.image(d, qxl.Bitmap32Bit)
		d.Brush = w.brush(d)
		d.Rop3 = byte(w.rng.Uint32())
	case qxl.DrawCopy, qxl.DrawBlend:
		d.Src = w.image(d, qxl.Bitmap32Bit)
	case qxl.DrawCopyBits:
		d.SrcPos = regions.Point{X: w.rng.Int32N(lossyW - d.BBox.Width() + 1), Y: w.rng.Int32N(lossyH - d.BBox.Height() + 1)}
		masked = false
	case qxl.DrawTransparent:
		d.Src = w.image(d, qxl.Bitmap32Bit)
		d.TrueColor = w.rng.Uint32() & 0xffffff
		masked = false
	case qxl.DrawAlphaBlend:
		d.Src, d.Alpha = w.image(d, qxl.BitmapRGBA), byte(w.rng.Uint32())
		masked = false
	case qxl.DrawComposite:
		d.Src = w.image(d, qxl.BitmapRGBA)
		d.CompositeFlags = []uint32{1, 3, 12}[w.rng.IntN(3)]
		masked = false
	case qxl.DrawStroke:
		w.stroke(d)
		masked = false
	}
	if masked {
		d.Mask.Image = w.image(d, qxl.Bitmap1BitBE)
	}
	return d
}

// stroke makes the command a line across its box.
func (w *lossyWorld) stroke(d *qxl.Drawable) {
	d.Brush = w.brush(d)
	d.BackRop = d.Rop
	at := func(x, y int32) qxl.PointFix { return qxl.PointFix{X: x << 4, Y: y << 4} }
	d.Points = []qxl.PointFix{at(d.BBox.Left, d.BBox.Top), at(d.BBox.Right-1, d.BBox.Bottom-1)}
	d.Segments = []qxl.PathSegment{{Flags: 3, Count: 2}}
}

// rough returns the command with a source that lost pixels.
func (w *lossyWorld) rough(d *qxl.Drawable) *qxl.Drawable {
	out := *d
	out.Images = append([]qxl.Image{}, d.Images...)
	im := &out.Images[d.Src]
	pix := im.Data.AppendTo(nil)
	for i := range pix {
		if i%4 != 3 {
			pix[i] ^= byte(1 + w.rng.IntN(15))
		}
	}
	im.Data = qxl.Blob{}
	im.Data.Append(pix)
	return &out
}

// paint draws a command on one side.
func (w *lossyWorld) paint(p *pair, d *qxl.Drawable) {
	if err := p[d.Surface].Draw(d, p); err != nil {
		w.t.Fatalf("%+v: %v", d, err)
	}
}

// step sends a random command, as the engine does.
func (w *lossyWorld) step() {
	d := w.command()
	if w.lossy.conflict(d) {
		w.seen["conflict"]++
		w.paint(&w.exact, d)
		w.refine(d.Surface, d.BBox)
		return
	}
	im := d.Image(d.Src)
	w.send(d, im != nil && im.Type == qxl.ImageBitmap && mayBeLossy(d) && w.rng.IntN(2) == 0)
}

// send sends a command, whose source image may have lost pixels.
func (w *lossyWorld) send(d *qxl.Drawable, lossySource bool) {
	if lossySource {
		w.seen["lossy"]++
		w.paint(&w.client, w.rough(d))
	} else {
		w.paint(&w.client, d)
	}
	w.paint(&w.exact, d)
	var box regions.Region
	if box.SetRect(d.BBox); d.Clip.Type == qxl.ClipRects {
		box.SetRects(d.Clip.Rects)
		box.IntersectRect(d.BBox)
	}
	w.lossy.sent(d, lossySource, &box)
	w.check(d)
}

// refine sends exact pixels.
func (w *lossyWorld) refine(surface uint32, area regions.Rect) {
	for y := area.Top; y < area.Bottom; y++ {
		from, to := int(4*area.Left), int(4*area.Right)
		copy(w.client[surface].Row(int(y))[from:to], w.exact[surface].Row(int(y))[from:to])
	}
	var box regions.Region
	box.SetRect(area)
	w.lossy.remove(surface, &box)
}

// check holds every pixel that the client has only roughly to the region.
func (w *lossyWorld) check(d *qxl.Drawable) {
	for id := range uint32(2) {
		for y := range lossyH {
			for x := range lossyW {
				a := binary.LittleEndian.Uint32(w.exact[id].Row(y)[4*x:]) & 0xffffff
				b := binary.LittleEndian.Uint32(w.client[id].Row(y)[4*x:]) & 0xffffff
				if a == b {
					continue
				}
				w.seen["rough pixel"]++
				if !w.lossy.on(id, regions.XYWH(int32(x), int32(y), 1, 1)) {
					w.t.Fatalf("pixel (%d,%d) of surface %d is %06x, not %06x, and counts as exact, after %+v", x, y, id, b, a, d)
				}
			}
		}
	}
}

// TestLossyRegions draws random commands of all kinds on exact surfaces and on
// those of a client that gets lossy images: all that differs is in the lossy
// regions, whatever was read, copied and combined.
func TestLossyRegions(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	seen := map[string]int{}
	for run := range 150 {
		w := &lossyWorld{t: t, rng: rand.New(rand.NewPCG(seed, uint64(run))), lossy: lossy{}, seen: seen}
		for id := range 2 {
			w.exact[id], w.client[id] = canvas.New(qxl.Surface32xRGB, lossyW, lossyH), canvas.New(qxl.Surface32xRGB, lossyW, lossyH)
		}
		for range 60 {
			w.step()
			if w.rng.IntN(20) == 0 {
				w.refine(w.rng.Uint32N(2), w.rect())
			}
			if len(w.lossy) == 0 {
				seen["all exact"]++
			}
		}
		for id := range uint32(2) {
			w.refine(id, regions.XYWH(0, 0, lossyW, lossyH))
		}
		if len(w.lossy) > 0 {
			t.Fatalf("lossy after all was refined: %v", w.lossy)
		}
	}
	t.Logf("%v", seen)
	for _, what := range []string{"conflict", "lossy", "rough pixel", "all exact"} {
		if seen[what] < 100 {
			t.Errorf("only %d times %s", seen[what], what)
		}
	}
}

// TestLossyNeighbours scales an area that is exact up, right beside a lossy one: the
// pixels at its edges are mixed with their neighbours, and become rough.
func TestLossyNeighbours(t *testing.T) {
	w := &lossyWorld{t: t, rng: rand.New(rand.NewPCG(1, 2)), lossy: lossy{}, seen: map[string]int{}}
	for id := range 2 {
		w.exact[id], w.client[id] = canvas.New(qxl.Surface32xRGB, lossyW, lossyH), canvas.New(qxl.Surface32xRGB, lossyW, lossyH)
	}
	inside := regions.XYWH(8, 8, 8, 6)
	var around regions.Region
	around.SetRect(regions.XYWH(0, 0, lossyW, lossyH))
	around.SubtractRect(inside)
	for y := range lossyH {
		for x := range lossyW {
			v := w.rng.Uint32() & 0xffffff
			binary.LittleEndian.PutUint32(w.exact[0].Row(y)[4*x:], v)
			if around.OverlapsRect(regions.XYWH(int32(x), int32(y), 1, 1)) {
				v ^= 0x0f0f0f
			}
			binary.LittleEndian.PutUint32(w.client[0].Row(y)[4*x:], v)
		}
	}
	w.lossy.add(0, &around)
	d := &qxl.Drawable{}
	d.Reset()
	d.Type, d.Effect, d.Surface, d.BBox = qxl.DrawCopy, qxl.EffectOpaque, 1, regions.XYWH(2, 2, 20, 15)
	d.Rop, d.Scale, d.SrcArea = qxl.RopPut, qxl.ScaleInterpolate, inside
	im, i := d.NewImage()
	im.Type, im.Surface, d.Src = qxl.ImageSurface, 0, i
	w.send(d, false)
	if seen := w.seen["rough pixel"]; int64(seen) <= around.Area() {
		t.Error("no pixel of the copy is rough")
	}
}
