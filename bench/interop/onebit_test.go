package interop

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"testing"

	"github.com/spiceecs/spiceecs/net/client"
	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/canvas"
	"github.com/spiceecs/spiceecs/regions"
)

// TestOneBitSurface has clients that join late be sent a surface of one bit per
// pixel, which no image can carry. It is used as a mask, so that what they have of
// it shows on their screens: our own client's and the reference client's.
func TestOneBitSurface(t *testing.T) {
	realclient.need(t)
	const width, height, bits, lines = 320, 200, 203, 117
	d, addr, joined := drive(t, width, height)
	options := client.Options{Log: slog.New(slog.DiscardHandler), Channels: []wire.ChannelType{wire.ChannelDisplay}}
	before := dial(t, addr, options)
	await(t, "the first client's joining", joined)
	pix := make([]byte, (bits+7)/8*lines)
	rnd := rand.New(rand.NewPCG(1, 1))
	for i := range pix {
		pix[i] = byte(rnd.Uint32())
	}
	d.surface(1, qxl.Surface1A, bits, lines, pix)
	d.draw(filled(1, regions.Rect{Left: 11, Top: 7, Right: 75, Bottom: 40}, 0))
	d.draw(filled(1, regions.Rect{Left: 50, Top: 30, Right: 99, Bottom: 60}, 0xffffffff))

	// What the screen will show is known before anybody is asked to show it.
	last := masked(1, regions.Rect{Left: 30, Top: 20, Right: 30 + bits, Bottom: 20 + lines})
	plan := painted{0: canvas.New(qxl.Surface32xRGB, width, height), 1: d.painted[1]}
	d.check(plan[0].Draw(last, plan))
	want := (&driver{painted: plan}).shows()

	looked := make(chan func() seen, 1)
	go func() { looked <- look(t, addr, want) }()
	await(t, "the reference client's joining", joined)
	late := dial(t, addr, options)
	await(t, "the late client's joining", joined)
	d.draw(last)
	if got := d.shows(); got != want {
		t.Fatalf("the plan is %s, what is drawn %s", want, got)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	becomes(ctx, t, before, want)
	becomes(ctx, t, late, want)
	wantPicture(t, await(t, "the picture", looked)(), want)
}

func filled(surface uint32, box regions.Rect, color uint32) *qxl.Drawable {
	d := new(qxl.Drawable)
	d.Reset()
	d.Type, d.Effect, d.Surface, d.BBox, d.Rop = qxl.DrawFill, qxl.EffectOpaque, surface, box, qxl.RopPut
	d.Brush.Type, d.Brush.Color = qxl.BrushSolid, color
	return d
}

// masked paints a gradient to the screen where a surface has its bits set.
func masked(surface uint32, box regions.Rect) *qxl.Drawable {
	d := new(qxl.Drawable)
	d.Reset()
	d.Type, d.Effect, d.BBox = qxl.DrawComposite, qxl.EffectBlend, box
	const over = 3
	d.CompositeFlags = over | qxl.CompositeHasMask
	im, i := d.NewImage()
	w, h := uint32(box.Width()), uint32(box.Height())
	im.Type, im.Format, im.BitFlags = qxl.ImageBitmap, qxl.BitmapRGBA, qxl.BitmapTopDown
	im.Width, im.Height, im.X, im.Y, im.Stride = w, h, w, h, 4*w
	pix := make([]byte, 4*w*h)
	for p := range pix {
		pix[p] = byte(p/4%int(w)) | byte(-(p % 4 / 3))
	}
	im.Data.Append(pix)
	d.Src = i
	m, j := d.NewImage()
	m.Type, m.Surface = qxl.ImageSurface, surface
	d.Mask.Image = j
	return d
}
