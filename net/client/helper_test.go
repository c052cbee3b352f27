package client

import (
	"context"
	"errors"
	"image"
	"io"
	"log/slog"
	"testing"

	"github.com/spiceecs/spiceecs/net/client/clienttest"
	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

var quietLog = slog.New(slog.NewTextHandler(io.Discard, nil))

var (
	display0 = clienttest.Key{Type: wire.ChannelDisplay}
	display1 = clienttest.Key{Type: wire.ChannelDisplay, ID: 1}
	cursor0  = clienttest.Key{Type: wire.ChannelCursor}
	inputs0  = clienttest.Key{Type: wire.ChannelInputs}
)

// connect starts a server with the given channels and connects to it.
func connect(t *testing.T, cfg clienttest.Config, opts Options) (*clienttest.Server, *Session) {
	t.Helper()
	srv := clienttest.New(t, cfg)
	if opts.Log == nil {
		opts.Log = quietLog
	}
	s, err := Dial(t.Context(), srv.Addr(), opts)
	if err != nil {
		t.Fatalf("Dial: %v", err)
	}
	t.Cleanup(s.Close)
	return srv, s
}

// connectDisplay connects to a server with one display, which has a primary
// surface of 64x48 pixels.
func connectDisplay(t *testing.T, opts Options) (*clienttest.Conn, *Display) {
	t.Helper()
	srv, s := connect(t, clienttest.Config{Channels: []clienttest.Key{display0}}, opts)
	c := srv.Channel(wire.ChannelDisplay, 0)
	sendSurface(c, 0, 64, 48, qxl.Surface32xRGB, wire.SurfaceFlagPrimary)
	return c, s.Display(0)
}

func sendSurface(c *clienttest.Conn, id, w, h uint32, format qxl.SurfaceFormat, flags uint32) {
	c.Send(wire.MsgDisplaySurfaceCreate, func(o *wire.Writer) {
		for _, v := range [...]uint32{id, w, h, uint32(format), flags} {
			o.U32(v)
		}
	})
}

// drawable is an empty drawing operation on an area of the primary surface.
func drawable(t qxl.DrawType, box regions.Rect) *qxl.Drawable {
	d := new(qxl.Drawable)
	d.Reset()
	d.Type, d.BBox, d.Rop = t, box, qxl.RopPut
	return d
}

func fill(box regions.Rect, color uint32) *qxl.Drawable {
	d := drawable(qxl.DrawFill, box)
	d.Brush = qxl.Brush{Type: qxl.BrushSolid, Color: color, Image: qxl.NoImage}
	return d
}

// copyImage draws the whole of an image at (x,y).
func copyImage(im qxl.Image, x, y int32) *qxl.Drawable {
	w, h := int32(im.Width), int32(im.Height)
	d := drawable(qxl.DrawCopy, regions.XYWH(x, y, w, h))
	d.SrcArea = regions.XYWH(0, 0, w, h)
	d.Src, d.Images = 0, []qxl.Image{im}
	return d
}

// bitmap is a raw 32-bit image, top line first.
func bitmap(id uint64, w, h int, pix []byte) qxl.Image {
	im := qxl.Image{
		ID: id, Type: qxl.ImageBitmap, Format: qxl.Bitmap32Bit, BitFlags: wire.BitmapTopDown,
		Width: uint32(w), Height: uint32(h), X: uint32(w), Y: uint32(h), Stride: uint32(4 * w),
	}
	im.Data.Append(pix)
	return im
}

// stream is a compressed image.
func compressed(t qxl.ImageType, id uint64, w, h int, data []byte) qxl.Image {
	im := qxl.Image{ID: id, Type: t, Width: uint32(w), Height: uint32(h)}
	im.Data.Append(data)
	return im
}

// flat is w*h pixels B,G,R,x of one colour 0xXXRRGGBB.
func flat(w, h int, color uint32) []byte {
	var pix []byte
	for range w * h {
		pix = append(pix, byte(color), byte(color>>8), byte(color>>16), byte(color>>24))
	}
	return pix
}

// gradient is w*h pixels B,G,R,0, all of them different as far as that goes.
func gradient(w, h int) []byte {
	var pix []byte
	for i := range w * h {
		pix = append(pix, byte(7*i), byte(3*i+i>>6), byte(i), 0)
	}
	return pix
}

func snapshot(t *testing.T, d *Display) *image.RGBA {
	t.Helper()
	img, err := d.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// wantPixel checks a pixel of the primary surface against 0xRRGGBB.
func wantPixel(t *testing.T, d *Display, x, y int, want uint32) {
	t.Helper()
	p := snapshot(t, d).RGBAAt(x, y)
	if got := uint32(p.R)<<16 | uint32(p.G)<<8 | uint32(p.B); got != want {
		t.Errorf("pixel (%d,%d) is %06x, want %06x", x, y, got, want)
	}
}

// wantPixels checks an area at (x0,y0) against lines of B,G,R,x.
func wantPixels(t *testing.T, d *Display, x0, y0, w, h int, pix []byte) {
	t.Helper()
	img := snapshot(t, d)
	for i := range w * h {
		p := img.RGBAAt(x0+i%w, y0+i/w)
		if p.B != pix[4*i] || p.G != pix[4*i+1] || p.R != pix[4*i+2] {
			t.Fatalf("pixel (%d,%d) is %02x%02x%02x, want %02x%02x%02x", x0+i%w, y0+i/w,
				p.R, p.G, p.B, pix[4*i+2], pix[4*i+1], pix[4*i])
		}
	}
}

// wantEnd waits for the display to end with an error.
func wantEnd(t *testing.T, d *Display, want error) {
	t.Helper()
	select {
	case <-d.Done():
	case <-t.Context().Done():
		t.Fatal("the display goes on")
	}
	if !errors.Is(d.Err(), want) {
		t.Errorf("display ended with %v, want %v", d.Err(), want)
	}
}

func canceled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
