package client

import (
	"encoding/binary"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/net/client/clienttest"
	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/canvas"
	"github.com/spiceecs/spiceecs/regions"
)

func TestDisplayInit(t *testing.T) {
	for _, tc := range []struct {
		opts    Options
		ramHint uint32
		cache   uint64
		window  uint32
	}{
		{Options{}, 0, 20 << 20, 3 << 20},
		{Options{}, 64 << 20, 20 << 20, 8 << 20},
		{Options{}, 1 << 30, 20 << 20, 16 << 20},
		{Options{CacheSize: 1000, GLZWindow: 500}, 0, 1000, 500},
		{Options{GLZWindow: -1}, 0, 20 << 20, 0},
	} {
		srv, _ := connect(t, clienttest.Config{Channels: []clienttest.Key{display0}, RAMHint: tc.ramHint}, tc.opts)
		c := srv.Channel(wire.ChannelDisplay, 0)
		r := wire.NewReader(c.Init)
		cacheID, cache, glzID, window := r.U8(), r.U64(), r.U8(), r.U32()
		if len(c.Init) != 14 || cacheID != 1 || glzID != 1 || cache != tc.cache || window != tc.window {
			t.Errorf("INIT % x, want cache %d, window %d", c.Init, tc.cache, tc.window)
		}
		if !c.Caps.Has(wire.CapDisplayLZ4) || !c.Caps.Has(wire.CapDisplayCodecMJPEG) {
			t.Errorf("display capabilities %x", c.Caps)
		}
	}
}

func TestSurfaces(t *testing.T) {
	c, d := connectDisplay(t, Options{Limits: Limits{Surfaces: 64*48*4 + 100*100*4 + 100}})
	sendSurface(c, 3, 100, 100, qxl.Surface32ARGB, 0)
	c.Send(wire.MsgDisplayMark, nil)
	c.Sync()
	if got := d.Surfaces(); len(got) != 2 || !slices.Contains(got, 3) || !d.Marked() {
		t.Fatalf("surfaces %v, marked %v", got, d.Marked())
	}
	red := fill(regions.XYWH(0, 0, 50, 50), 0xffff0000)
	red.Surface = 3
	c.Draw(red)
	from := copyImage(qxl.Image{Type: qxl.ImageSurface, Surface: 3, Width: 100, Height: 100}, 0, 0)
	from.BBox, from.SrcArea = regions.XYWH(10, 20, 5, 6), regions.XYWH(47, 47, 5, 6)
	c.Draw(from)
	c.Sync()
	wantPixel(t, d, 12, 22, 0xff0000)
	wantPixel(t, d, 13, 22, 0)
	if img, err := d.SurfaceSnapshot(3); err != nil || img.RGBAAt(49, 49).R != 255 || img.RGBAAt(50, 49).R != 0 {
		t.Errorf("surface 3 is wrong: %v", err)
	}
	c.Send(wire.MsgDisplaySurfaceDestroy, func(w *wire.Writer) { w.U32(3) })
	sendSurface(c, 4, 100, 100, qxl.Surface16x565, 0) // there is room again
	sendSurface(c, 0, 10, 10, qxl.Surface32xRGB, wire.SurfaceFlagPrimary)
	c.Sync()
	if img := snapshot(t, d); img.Rect.Dx() != 10 || d.Marked() {
		t.Errorf("after re-creation: %v, marked %v", img.Rect, d.Marked())
	}
	c.Send(wire.MsgDisplayReset, nil)
	c.Sync()
	if _, err := d.Snapshot(); !errors.Is(err, ErrNoPicture) || len(d.Surfaces()) != 0 {
		t.Errorf("after reset: %v, %v", err, d.Surfaces())
	}
	if _, err := d.SurfaceSnapshot(4); !errors.Is(err, ErrSurface) {
		t.Errorf("snapshot of nothing: %v", err)
	}
}

func TestMode(t *testing.T) {
	c, d := connectDisplay(t, Options{})
	mode := func(bits uint32) {
		c.Send(wire.MsgDisplayMode, func(w *wire.Writer) { w.U32(20); w.U32(10); w.U32(bits) })
	}
	mode(16)
	c.Draw(fill(regions.XYWH(0, 0, 20, 10), 0x7c00))
	c.Sync()
	wantPixel(t, d, 19, 9, 0xff0000)
	mode(8)
	wantEnd(t, d, wire.ErrMalformed)
}

// TestSurfaceFormats checks how surfaces that a picture cannot show directly
// are shown.
func TestSurfaceFormats(t *testing.T) {
	for _, tc := range []struct {
		format qxl.SurfaceFormat
		color  uint32
		want   uint32
	}{
		{qxl.Surface32xRGB, 0x12345678, 0x345678}, {qxl.Surface32ARGB, 0x12345678, 0x345678},
		{qxl.Surface16x555, 0x7fff, 0xffffff}, {qxl.Surface16x555, 0x0421, 0x080808},
		{qxl.Surface16x565, 0x0821, 0x080408}, {qxl.Surface8A, 0x55, 0x555555}, {qxl.Surface1A, 1, 0xffffff},
	} {
		c := canvas.New(tc.format, 9, 2)
		d := fill(regions.XYWH(8, 1, 1, 1), tc.color)
		if err := c.Draw(d, nil); err != nil {
			t.Fatal(err)
		}
		img := render(c)
		for y := range 2 {
			for x := range 9 {
				want := uint32(0)
				if x == 8 && y == 1 {
					want = tc.want
				}
				p := img.RGBAAt(x, y)
				if got := uint32(p.R)<<16 | uint32(p.G)<<8 | uint32(p.B); got != want || p.A != 255 {
					t.Errorf("format %d, pixel (%d,%d): %06x, alpha %d, want %06x", tc.format, x, y, got, p.A, want)
				}
			}
		}
	}
}

func TestHash(t *testing.T) {
	c := canvas.New(qxl.Surface32xRGB, 1, 2)
	if err := c.Draw(fill(regions.XYWH(0, 1, 1, 1), 0x010203), nil); err != nil {
		t.Fatal(err)
	}
	want := uint64(1469598103934665603)
	for _, b := range []byte{0, 0, 0, 1, 2, 3} {
		want = (want ^ uint64(b)) * 1099511628211
	}
	if got := Hash(render(c)); got != want {
		t.Errorf("hash %016x, want %016x", got, want)
	}
}

func TestMonitors(t *testing.T) {
	c, d := connectDisplay(t, Options{})
	c.Send(wire.MsgDisplayMonitorsConfig, func(w *wire.Writer) {
		w.U16(2)
		w.U16(4)
		for i := range uint32(14) {
			w.U32(i)
		}
	})
	c.Sync()
	heads, limit := d.Heads()
	if want := []Head{{0, 1, 2, 3, 4, 5, 6}, {7, 8, 9, 10, 11, 12, 13}}; !slices.Equal(heads, want) || limit != 4 {
		t.Errorf("heads %v of %d", heads, limit)
	}
	c.Send(wire.MsgDisplayMonitorsConfig, func(w *wire.Writer) { w.U16(maxHeads + 1); w.U16(0) })
	wantEnd(t, d, ErrTooLarge)
}

// TestCallbacks checks what is told about changes.
func TestCallbacks(t *testing.T) {
	type area struct {
		surface uint32
		rect    regions.Rect
	}
	areas, draws := make(chan area, 10), make(chan qxl.DrawType, 10)
	c, _ := connectDisplay(t, Options{
		OnInvalidate: func(d *Display, surface uint32, r regions.Rect) { areas <- area{surface, r} },
		OnDraw: func(d *Display, dr *qxl.Drawable) {
			if _, err := d.Snapshot(); err != nil { // no lock is held
				t.Error(err)
			}
			draws <- dr.Type
		},
	})
	c.Draw(fill(regions.XYWH(60, -5, 10, 10), 1))
	c.Sync()
	if got := <-areas; got != (area{0, regions.XYWH(60, 0, 4, 5)}) {
		t.Errorf("area %v", got)
	}
	if got := <-draws; got != qxl.DrawFill {
		t.Errorf("draw %v", got)
	}
}

func TestDisplayErrors(t *testing.T) {
	words := func(v ...uint32) []byte {
		var b []byte
		for _, x := range v {
			b = binary.LittleEndian.AppendUint32(b, x)
		}
		return b
	}
	elsewhere := fill(regions.XYWH(0, 0, 1, 1), 1)
	elsewhere.Surface = 77
	for name, tc := range map[string]struct {
		msg  uint16
		body []byte
		want error
	}{
		"surface of no width":   {wire.MsgDisplaySurfaceCreate, words(1, 0, 5, 32, 0), wire.ErrMalformed},
		"surface of no format":  {wire.MsgDisplaySurfaceCreate, words(1, 5, 5, 33, 0), wire.ErrMalformed},
		"surface far too wide":  {wire.MsgDisplaySurfaceCreate, words(1, 1<<31, 1<<31, 32, 0), wire.ErrMalformed},
		"surface too large":     {wire.MsgDisplaySurfaceCreate, words(1, canvas.MaxSize, canvas.MaxSize, 32, 0), ErrTooLarge},
		"short surface":         {wire.MsgDisplaySurfaceCreate, words(1, 5, 5, 32), wire.ErrShort},
		"unknown surface":       {wire.MsgDisplaySurfaceDestroy, words(9), ErrSurface},
		"short destroy":         {wire.MsgDisplaySurfaceDestroy, []byte{0}, wire.ErrShort},
		"draw elsewhere":        {wire.MsgDisplayDrawFill, drawBody(elsewhere), ErrSurface},
		"short draw":            {wire.MsgDisplayDrawCopy, make([]byte, 40), wire.ErrShort},
		"short mode":            {wire.MsgDisplayMode, words(1, 1), wire.ErrShort},
		"short monitors":        {wire.MsgDisplayMonitorsConfig, words(1, 0), wire.ErrShort},
		"short inval":           {wire.MsgDisplayInvalList, []byte{2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}, wire.ErrShort},
		"short palette":         {wire.MsgDisplayInvalPalette, words(1), wire.ErrShort},
		"GL":                    {wire.MsgDisplayGLDraw, words(0, 0, 1, 1), ErrUnknown},
		"unknown":               {65535, nil, ErrUnknown},
		"wait, then inval":      {wire.MsgDisplayInvalAllPixmaps, []byte{1, 2}, wire.ErrShort},
		"missing image":         {wire.MsgDisplayDrawCopy, drawBody(copyImage(qxl.Image{ID: 1, Type: qxl.ImageFromCache, Width: 1, Height: 1}, 0, 0)), ErrCache},
		"no stream":             {wire.MsgDisplayStreamData, words(3, 0, 0), ErrStream},
		"no stream to report":   {wire.MsgDisplayStreamActivateRep, words(3, 0, 0, 0), ErrStream},
		"a stream id too high":  {wire.MsgDisplayStreamCreate, streamBody(64, 1, nil), ErrStream},
		"an unannounced codec":  {wire.MsgDisplayStreamCreate, streamBody(1, 3, nil), ErrStream},
		"a stream without clip": {wire.MsgDisplayStreamCreate, streamBody(1, 1, nil)[:50], wire.ErrShort},
	} {
		t.Run(name, func(t *testing.T) {
			c, d := connectDisplay(t, Options{})
			c.SendBytes(tc.msg, tc.body)
			wantEnd(t, d, tc.want)
		})
	}
}

// drawBody is the body of a drawing message.
func drawBody(d *qxl.Drawable) []byte {
	var w wire.Writer
	w.Draw(d, d.Images)
	return join(w.Buffers(nil))[wire.MiniHeaderSize:]
}

func TestSurfaceCount(t *testing.T) {
	c, d := connectDisplay(t, Options{})
	for id := uint32(1); id <= maxSurfaces; id++ {
		sendSurface(c, id, 1, 1, qxl.Surface8A, 0)
	}
	wantEnd(t, d, ErrTooLarge)
	if n := len(d.Surfaces()); n != maxSurfaces {
		t.Errorf("%d surfaces", n)
	}
}

// TestWaitQuiet moves the clock by hand.
func TestWaitQuiet(t *testing.T) {
	clock := ecs.NewManualClock(time.Unix(1000, 0))
	armed := make(chan time.Duration, 8)
	c, d := connectDisplay(t, Options{Clock: clockSpy{clock, armed}})
	c.Sync()
	result := make(chan error, 1)
	go func() { result <- d.WaitQuiet(t.Context(), time.Second) }()
	// A surface alone is nothing to look at.
	c.Send(wire.MsgDisplayMark, nil)
	c.Sync()
	if got := <-armed; got != time.Second {
		t.Errorf("waits %v", got)
	}
	clock.Advance(600 * time.Millisecond)
	c.Draw(fill(regions.XYWH(0, 0, 1, 1), 1))
	c.Sync()
	clock.Advance(400 * time.Millisecond)
	if got := <-armed; got != 600*time.Millisecond {
		t.Errorf("after a change, waits %v", got)
	}
	select {
	case err := <-result:
		t.Fatalf("quiet too early: %v", err)
	default:
	}
	clock.Advance(600 * time.Millisecond)
	if err := <-result; err != nil {
		t.Error(err)
	}
	if err := d.WaitQuiet(canceled(t), time.Second); err != nil { // it is quiet already
		t.Error(err)
	}
	if err := d.WaitQuiet(canceled(t), time.Hour); err == nil {
		t.Error("an ended context does not end the waiting")
	}
	c.Close()
	if err := d.WaitQuiet(t.Context(), time.Hour); err == nil {
		t.Error("the display's end does not end the waiting")
	}
}

// clockSpy tells how long is waited for.
type clockSpy struct {
	ecs.Clock
	armed chan time.Duration
}

func (c clockSpy) AfterFunc(d time.Duration, f func()) func() bool {
	stop := c.Clock.AfterFunc(d, f)
	c.armed <- d
	return stop
}

func TestPreferences(t *testing.T) {
	c, d := connectDisplay(t, Options{})
	if err := errors.Join(d.PreferCompression(6), d.PreferVideoCodecs(2, 1)); err != nil {
		t.Fatal(err)
	}
	if got := c.Expect(wire.MsgcDisplayPrefCompression); !slices.Equal(got, []byte{6}) {
		t.Errorf("compression % x", got)
	}
	if got := c.Expect(wire.MsgcDisplayPrefVideoCodec); !slices.Equal(got, []byte{2, 2, 1}) {
		t.Errorf("video codecs % x", got)
	}
}

func TestStats(t *testing.T) {
	c, d := connectDisplay(t, Options{})
	for range 3 {
		c.Draw(copyImage(bitmap(1, 2, 2, flat(2, 2, 7)), 0, 0))
	}
	c.Sync()
	st := d.Stats()
	if st.Messages != 5 || st.ByMessage[wire.MsgDisplayDrawCopy] != 3 || st.Images[qxl.ImageBitmap] != (ImageStats{3, 12, 48}) {
		t.Errorf("%+v", st)
	}
	// SURFACE_CREATE, 3 DRAW_COPY with base, copy, image and pixels, and PING.
	if want := uint64(5*6 + 20 + 3*(21+36+36+16) + 12); st.Bytes != want {
		t.Errorf("%d bytes, want %d", st.Bytes, want)
	}
}
