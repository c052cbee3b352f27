package client

import (
	"bufio"
	"bytes"
	"context"
	"image/color"
	"io"
	"net"
	"testing"
	"time"

	"github.com/spiceecs/spiceecs/net/codec/pixel"
	"github.com/spiceecs/spiceecs/net/codec/quic"
	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

// script is a net.Conn that gives what a server sends and swallows answers.
type script struct{ io.Reader }

func (script) Write(p []byte) (int, error)      { return len(p), nil }
func (script) Close() error                     { return nil }
func (script) LocalAddr() net.Addr              { return nil }
func (script) RemoteAddr() net.Addr             { return nil }
func (script) SetDeadline(time.Time) error      { return nil }
func (script) SetReadDeadline(time.Time) error  { return nil }
func (script) SetWriteDeadline(time.Time) error { return nil }

// offline makes a session of a single channel that reads the given bytes.
func offline(data []byte, k channelKey) (*Session, *conn) {
	s := &Session{channels: make(map[channelKey]*conn)}
	s.opts = Options{
		Log: quietLog, CacheSize: 1 << 16, GLZWindow: 1 << 16,
		Limits: Limits{Message: 1 << 20, Image: 1 << 16, Surfaces: 1 << 20},
	}.complete()
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	s.main.session = s
	s.images.init(s)
	s.glz.init(s)
	c := s.newChannel(k)
	c.nc, c.mini = script{}, true
	c.r = bufio.NewReader(bytes.NewReader(data))
	s.channels[k] = c
	return s, c
}

// FuzzDisplay gives a display any sequence of messages, after a surface, a
// palette, a cached image and a stream have been set up.
func FuzzDisplay(f *testing.F) {
	for _, d := range seedDrawables(f) {
		f.Add(message(wire.DrawMessage(d.Type), drawBody(d)))
	}
	jpg := encodeJPEG(f, 16, 16, ramp)
	frame := append([]byte{0, 0, 0, 0, 0, 0, 0, 0, byte(len(jpg)), byte(len(jpg) >> 8), 0, 0}, jpg...)
	for msg, body := range map[uint16][]byte{
		wire.MsgSetAck: {1, 0, 0, 0, 2, 0, 0, 0}, wire.MsgPing: make([]byte, 12),
		wire.MsgWaitForChannels: {1, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0}, wire.MsgNotify: make([]byte, 30),
		wire.MsgList:              {1, 0, 6, 0, 0, 0, 105, 0, 3, 0, 0, 0, 1, 0, 1, 7, 0, 0, 0, 0, 0, 0, 0},
		wire.MsgDisplayStreamData: frame, wire.MsgDisplayStreamClip: make([]byte, 5),
		wire.MsgDisplayStreamDestroy: make([]byte, 4), wire.MsgDisplayStreamActivateRep: make([]byte, 16),
		wire.MsgDisplayInvalAllPixmaps: {0}, wire.MsgDisplayMonitorsConfig: make([]byte, 32), wire.MsgDisplayReset: nil,
		wire.MsgDisplaySurfaceCreate: {1, 0, 0, 0, 9, 0, 0, 0, 9, 0, 0, 0, 80, 0, 0, 0, 0, 0, 0, 0},
	} {
		f.Add(message(msg, body))
	}
	setup := fuzzSetup()
	f.Fuzz(func(t *testing.T, data []byte) {
		s, c := offline(append(setup[:len(setup):len(setup)], data...), channelKey{typ: wire.ChannelDisplay})
		if err := c.run(); err == nil {
			t.Error("the end of the data is no error")
		}
		d := s.displays[0]
		var size int64
		for _, surface := range d.surfaces {
			size += surfaceBytes(surface.Format(), surface.Width(), surface.Height())
		}
		if size != d.bytes || size > s.opts.Limits.Surfaces {
			t.Errorf("surfaces of %d bytes, counted %d", size, d.bytes)
		}
		var pixels int64
		for _, im := range s.images.items {
			pixels += im.pixels()
		}
		if pixels != s.images.pixels || pixels > s.images.limit {
			t.Errorf("cached images of %d pixels, counted %d", pixels, s.images.pixels)
		}
	})
}

// message is a whole message with a mini header.
func message(msg uint16, body []byte) []byte {
	var w wire.Writer
	w.Begin(msg)
	w.Bytes(body)
	w.End()
	return join(w.Buffers(nil))
}

func fuzzSetup() []byte {
	var w wire.Writer
	for id, format := range []qxl.SurfaceFormat{qxl.Surface32xRGB, qxl.Surface32ARGB, qxl.Surface16x555} {
		w.Begin(wire.MsgDisplaySurfaceCreate)
		for _, v := range [...]uint32{uint32(id), 40, 30, uint32(format), wire.SurfaceFlagPrimary} {
			w.U32(v)
		}
		w.End()
	}
	im := bitmap(7, 8, 1, []byte{0xa5})
	im.Format, im.Stride, im.BitFlags, im.HasPalette = qxl.Bitmap1BitBE, 1, wire.BitmapPalCacheMe, true
	im.Palette, im.Flags = qxl.Palette{Unique: 9, Entries: []uint32{1, 2}}, qxl.ImageCacheMe
	d := copyImage(im, 0, 0)
	w.Draw(d, d.Images)
	w.Begin(wire.MsgDisplayStreamCreate)
	w.Bytes(streamBody(0, wire.VideoMJPEG, nil))
	w.End()
	return join(w.Buffers(nil))
}

// seedDrawables are drawables of every operation, and images of every type.
func seedDrawables(t testing.TB) []*qxl.Drawable {
	const w, h = 16, 8
	box := regions.XYWH(2, 2, w, h)
	pix := gradient(w, h)
	mono := bitmap(3, w, h, make([]byte, 2*h))
	mono.Format, mono.Stride = qxl.Bitmap1BitLE, 2
	var all []*qxl.Drawable
	for op := qxl.DrawFill; op <= qxl.DrawComposite; op++ {
		d := drawable(op, box)
		d.Clip = qxl.Clip{Type: qxl.ClipRects, Rects: []regions.Rect{regions.XYWH(0, 0, 9, 9)}}
		d.Images = []qxl.Image{bitmap(1, w, h, pix), bitmap(2, w, h, pix), mono}
		d.Src, d.SrcArea, d.Rop3, d.Alpha = 0, regions.XYWH(0, 0, w, h), 0x96, 99
		d.Brush = qxl.Brush{Type: qxl.BrushPattern, Image: 1}
		d.Mask = qxl.Mask{Image: 2}
		d.Points = []qxl.PointFix{{X: 16, Y: 16}, {X: 100, Y: 50}, {X: 30, Y: 90}}
		d.Segments = []qxl.PathSegment{{Flags: qxl.PathBegin | qxl.PathEnd, Count: 3}}
		d.Line = qxl.LineAttr{Flags: qxl.LineStyled, Style: []int32{32, 16}}
		d.Text = qxl.Text{Flags: qxl.StringA8, Glyphs: []qxl.Glyph{{Pos: regions.Point{X: 3, Y: 3}, Width: 2, Height: 2}}, Data: []byte{1, 2, 3, 255}}
		d.CompositeFlags = 3 | qxl.CompositeHasMask | qxl.CompositeHasSrcTransform
		d.SrcTransform = qxl.Transform{1 << 15, 0, 0, 0, 1 << 16, 0}
		all = append(all, d)
	}
	jpg := encodeJPEG(t, w, h, func(x, y int) color.Color { return color.Gray{byte(x * y)} })
	alpha := compressed(qxl.ImageJPEGAlpha, 5, w, h, append(jpg[:len(jpg):len(jpg)], encodeLZ(t, pixel.New(pixel.XXXA, w, h, true), pix)...))
	alpha.Part, alpha.BitFlags = uint32(len(jpg)), alphaTopDown
	plt := compressed(qxl.ImageLZPalette, 6, w, h, encodeLZ(t, pixel.New(pixel.PLT8, w, h, true), pix[:w*h]))
	plt.HasPalette, plt.BitFlags, plt.Palette.Unique = true, wire.BitmapPalFromCache, 9
	for _, im := range []qxl.Image{
		compressed(qxl.ImageLZRGB, 4, w, h, encodeLZ(t, pixel.New(pixel.RGBA, w, h, false), pix)), plt, alpha,
		compressed(qxl.ImageJPEG, 8, w, h, jpg),
		compressed(qxl.ImageQUIC, 9, w, h, encodeQUIC(t, quic.New(quic.RGBA, w, h, true), pix)), {ID: 7, Type: qxl.ImageFromCache}, {Type: qxl.ImageSurface, Surface: 1},
	} {
		im.Flags = qxl.ImageCacheMe
		all = append(all, copyImage(im, 1, 1))
	}
	return all
}

// FuzzOthers gives the main, cursor and inputs channels any messages.
func FuzzOthers(f *testing.F) {
	f.Add(uint8(wire.ChannelCursor), message(wire.MsgCursorInit, make([]byte, 40)))
	f.Add(uint8(wire.ChannelInputs), message(wire.MsgInputsInit, []byte{1, 0}))
	f.Add(uint8(wire.ChannelMain), append(message(wire.MsgMainInit, make([]byte, 32)), message(wire.MsgMainName, []byte{2, 0, 0, 0, 'a', 0})...))
	f.Fuzz(func(t *testing.T, kind uint8, data []byte) {
		k := channelKey{typ: wire.ChannelType(kind)}
		if k.typ != wire.ChannelCursor && k.typ != wire.ChannelInputs {
			k.typ = wire.ChannelCursor
		}
		s, c := offline(data, k)
		if wire.ChannelType(kind) == wire.ChannelMain {
			s.opts.Channels = []wire.ChannelType{}
			c.handler, s.main.conn = &s.main, c
		}
		if err := c.run(); err == nil {
			t.Error("the end of the data is no error")
		}
	})
}
