package spiceecs_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/spiceecs/spiceecs"
	"github.com/spiceecs/spiceecs/bench/drain"
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/net/client"
	"github.com/spiceecs/spiceecs/net/codec/gst"
	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/canvas"
	"github.com/spiceecs/spiceecs/qxl/guest"
	"github.com/spiceecs/spiceecs/regions"
)

// studio is a guest that paints videos, on a device whose clock it moves, and
// clients that watch. truth is what the guest's surfaces show.
type studio struct {
	t      testing.TB
	addr   string
	clock  *ecs.ManualClock
	device *spiceecs.Device
	ring   *ring
	asm    *guest.Assembler
	truth  map[uint32]*canvas.Canvas

	display *client.Display // of the newest client
	frames  atomic.Uint64   // that all clients have shown
	codec   atomic.Uint32   // of the newest frame
}

const studioWidth, studioHeight = 640, 400

// newStudio returns a studio with a client that has some capabilities; nil: all.
func newStudio(t testing.TB, o spiceecs.DeviceOptions, caps wire.Caps) *studio {
	t.Helper()
	s := emptyStudio(t, o)
	s.watch(caps)
	s.settle()
	return s
}

func emptyStudio(t testing.TB, o spiceecs.DeviceOptions) *studio {
	t.Helper()
	vram, err := guest.NewVRAM(64 << 20)
	noError(t, err)
	s := &studio{
		t: t, clock: ecs.NewManualClock(time.Unix(1000, 0)), ring: &ring{commands: make(chan qxl.Command, 512), vram: vram},
		asm: guest.NewAssembler(vram), truth: map[uint32]*canvas.Canvas{},
	}
	server, err := spiceecs.New(spiceecs.Options{NoPassword: true, Clock: s.clock})
	noError(t, err)
	t.Cleanup(func() { noError(t, server.Close()) })
	o.Ring = s.ring
	s.device, err = server.AddDevice(o)
	noError(t, err)
	noError(t, s.device.AddMemSlot(vram.Slot()))
	noError(t, s.device.CreatePrimary(qxl.PrimarySurface{
		Width: studioWidth, Height: studioHeight, Stride: 4 * studioWidth, Format: qxl.Surface32xRGB,
		Memory: make([]byte, 4*studioWidth*studioHeight),
	}))
	s.truth[0] = canvas.New(qxl.Surface32xRGB, studioWidth, studioHeight)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	noError(t, err)
	go func() { noError(t, server.Serve(l)) }()
	s.addr = l.Addr().String()
	return s
}

// watch connects a client.
func (s *studio) watch(caps wire.Caps) {
	s.t.Helper()
	session, err := dial(s.t, s.addr, client.Options{
		Channels: []wire.ChannelType{wire.ChannelDisplay}, GStreamer: true, Caps: caps,
		OnFrame: func(_ *client.Display, f client.Frame) {
			s.codec.Store(uint32(f.Codec))
			s.frames.Add(1)
		},
	})
	noError(s.t, err)
	s.t.Cleanup(func() { session.Close() })
	s.display = session.Display(0)
}

// Surface implements canvas.Sources.
func (s *studio) Surface(id uint32) *canvas.Canvas { return s.truth[id] }

// Decode implements canvas.Sources.
func (s *studio) Decode(*qxl.Image) (*canvas.Pixmap, error) { return nil, errors.New("not a bitmap") }

// draw has the guest draw something.
func (s *studio) draw(d *qxl.Drawable) {
	s.t.Helper()
	s.ring.push(s.asm.Drawable(d))
	noError(s.t, s.truth[d.Surface].Draw(d, s))
}

// settle waits until everything drawn so far has been taken and sent. Meanwhile the
// clock stands still, but for the moment that large drawables wait for: it goes on
// when nothing else does.
func (s *studio) settle() {
	s.t.Helper()
	s.device.Wakeup()
	const still = 5 // looks without a change
	left, same, last := 35*time.Millisecond, 0, [4]uint64{}
	eventually(s.t, func() error {
		st, err := s.device.Stats()
		now := [...]uint64{uint64(len(s.ring.commands)), uint64(st.Queued + st.Unanswered), st.Frames, s.frames.Load()}
		if same++; now != last {
			same, last = 0, now
		}
		if err == nil && st.Queued > 0 && left > 0 && same >= still {
			left -= 5 * time.Millisecond
			s.clock.Advance(5 * time.Millisecond)
			s.device.Wakeup()
		}
		select {
		case <-s.display.Done():
			s.t.Fatalf("the display ends: %v", s.display.Err())
		default:
		}
		if err != nil || len(s.ring.commands) > 0 || st.Queued+st.Unanswered > 0 || st.Clients == 0 || st.Frames != s.frames.Load() {
			return fmt.Errorf("%d commands wait, %d items are queued, %d frames were sent, %d shown: %w",
				len(s.ring.commands), st.Queued, st.Frames, s.frames.Load(), err)
		}
		return nil
	})
}

// pass lets time go by.
func (s *studio) pass(d time.Duration) {
	s.t.Helper()
	s.clock.Advance(d)
	s.settle()
}

// wantExact lets the screen rest for two seconds, and wants it exact then.
func (s *studio) wantExact() {
	s.t.Helper()
	for range 20 {
		s.pass(100 * time.Millisecond)
	}
	s.shows(regions.XYWH(0, 0, studioWidth, studioHeight))
}

// shows wants an area of the client's screen exact now.
func (s *studio) shows(area regions.Rect) {
	s.t.Helper()
	eventually(s.t, func() error {
		img, err := s.display.Snapshot()
		if err != nil {
			return err
		}
		for y := int(area.Top); y < int(area.Bottom); y++ {
			for x, row := int(area.Left), s.truth[0].Row(y); x < int(area.Right); x++ {
				want, got := binary.LittleEndian.Uint32(row[4*x:])&0xffffff, img.RGBAAt(x, y)
				if want != uint32(got.R)<<16|uint32(got.G)<<8|uint32(got.B) {
					return fmt.Errorf("pixel %d,%d is %v, want %06x", x, y, got, want)
				}
			}
		}
		return nil
	})
}

// sent is how many messages with a number the client has got.
func (s *studio) sent(msg uint16) uint64 { return s.display.Stats().ByMessage[msg] }

// put is an opaque drawing of part of an image to a box.
func put(surface uint32, box, from regions.Rect, im qxl.Image) *qxl.Drawable {
	d := fill(box, 0)
	d.Surface, d.Type, d.Brush, d.SrcArea = surface, qxl.DrawCopy, qxl.Brush{Image: qxl.NoImage}, from
	d.Images, d.Src = append(d.Images, im), 0
	return d
}

// photo is picture n of a video that looks like photos, or like text.
func photo(w, h int32, n int, text bool) (im qxl.Image) {
	pix := make([]byte, 4*w*h)
	for y := range int(h) {
		for x := range int(w) {
			at := 4 * (y*int(w) + x)
			if text {
				pix[at] = byte((x*7+y*13+n)%5/4) * 255
				continue
			}
			for c := range 3 {
				v := (x*(c+1) + y*(3-c) + 5*n) % 512
				pix[at+c] = byte(min(v, 511-v))
			}
		}
	}
	im.Type, im.Format, im.BitFlags = qxl.ImageBitmap, qxl.Bitmap32Bit, qxl.BitmapTopDown
	im.Width, im.Height, im.X, im.Y, im.Stride = uint32(w), uint32(h), uint32(w), uint32(h), uint32(4*w)
	im.Data.Append(pix)
	return im
}

// film is a way to paint a video.
type film struct {
	name  string
	mode  string // of streaming; "": filter
	pause func(n int) time.Duration
	paint func(s *studio, n int)
	most  int // streams that it may become, at least one unless 0
	fixed int // likewise, with frames of a fixed size; 0: not tried
}

var films = []film{
	{name: "in place", most: 1, paint: func(s *studio, n int) { s.picture(regions.XYWH(50, 40, 320, 240), n) }},
	{name: "whole screen", most: 1, paint: func(s *studio, n int) { s.picture(regions.XYWH(0, 0, studioWidth, studioHeight), n) }},
	{name: "shaking", most: 1, fixed: 2, paint: func(s *studio, n int) {
		s.picture(regions.XYWH(50+int32(n%3), 40+int32(n%5), 320, 240), n)
	}},
	{name: "size changes a little", most: 1, fixed: 2, paint: func(s *studio, n int) {
		s.picture(regions.XYWH(50, 40, 320+int32(n%4), 240-int32(n%3)), n)
	}},
	{name: "wanders", most: 1, fixed: 1, paint: func(s *studio, n int) {
		s.picture(regions.XYWH(20+int32(n), 40+int32(n)/2, 320, 240), n)
	}},
	{name: "grows once", most: 1, fixed: 2, paint: func(s *studio, n int) {
		box := regions.XYWH(50, 40, 320, 240)
		if n > 40 {
			box = regions.XYWH(40, 20, 400, 300)
		}
		s.picture(box, n)
	}},
	{name: "pauses", most: 1, pause: func(n int) time.Duration {
		if n%10 == 9 {
			return 700 * time.Millisecond
		}
		return 40 * time.Millisecond
	}, paint: func(s *studio, n int) { s.picture(regions.XYWH(50, 40, 320, 240), n) }},
	{name: "from an off-screen surface", most: 1, paint: func(s *studio, n int) { s.offscreen(regions.XYWH(50, 40, 320, 240), 0, n) }},
	{name: "from alternating surfaces, under a window", most: 1, paint: func(s *studio, n int) {
		s.offscreen(regions.XYWH(50, 40, 320, 240), uint32(n%2), n)
		s.draw(fill(regions.XYWH(10, 10, 100, 100), uint32(n)))
	}},
	{name: "in strips", most: 3, paint: func(s *studio, n int) {
		for i := range int32(3) {
			s.picture(regions.XYWH(50, 40+i*100, 320, 100), n+int(i))
		}
	}},
	{name: "text", paint: func(s *studio, n int) {
		s.draw(put(0, regions.XYWH(50, 40, 320, 240), regions.XYWH(0, 0, 320, 240), photo(320, 240, n, true)))
	}},
	{name: "text, all", mode: "all", most: 1, paint: func(s *studio, n int) {
		s.draw(put(0, regions.XYWH(50, 40, 320, 240), regions.XYWH(0, 0, 320, 240), photo(320, 240, n, true)))
	}},
	{name: "small", paint: func(s *studio, n int) { s.picture(regions.XYWH(50, 40, 95, 95), n) }},
	{name: "small, all", mode: "all", most: 1, paint: func(s *studio, n int) { s.picture(regions.XYWH(50, 40, 31, 17), n) }},
	{name: "off", mode: "off", paint: func(s *studio, n int) { s.picture(regions.XYWH(50, 40, 320, 240), n) }},
}

func (s *studio) picture(box regions.Rect, n int) {
	s.draw(put(0, box, regions.XYWH(0, 0, box.Width(), box.Height()), photo(box.Width(), box.Height(), n, false)))
}

// offscreen paints a picture on another surface, and shows it from there.
func (s *studio) offscreen(box regions.Rect, which uint32, n int) {
	id, w, h := 1+which, box.Width(), box.Height()
	if s.truth[id] == nil {
		block, mem, err := s.ring.vram.Alloc(int(4 * w * h))
		noError(s.t, err)
		clear(mem)
		s.ring.push(s.asm.CreateSurface(&qxl.SurfaceCommand{
			Surface: id, Format: qxl.Surface32xRGB, Width: uint32(w), Height: uint32(h), Stride: 4 * w,
		}, block))
		s.truth[id] = canvas.New(qxl.Surface32xRGB, int(w), int(h))
	}
	whole := regions.XYWH(0, 0, w, h)
	s.draw(put(id, whole, whole, photo(w, h, n, false)))
	s.draw(put(0, box, whole, qxl.Image{Type: qxl.ImageSurface, Width: uint32(w), Height: uint32(h), Surface: id}))
}

// TestVideo has a guest paint videos in many ways. Each becomes a stream, and no
// more than it has to; the client is shown most of the frames, and the exact picture
// two seconds after the last one.
func TestVideo(t *testing.T) {
	for i, f := range films {
		if i%everyFilm != 0 {
			continue
		}
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			newStudio(t, spiceecs.DeviceOptions{StreamingVideo: f.mode}, nil).film(f, f.most)
		})
	}
}

// TestVideoFixed has videos painted in many ways that are sent as frames of a fixed
// size: those of an encoder, or for a client that knows no other. Such a stream
// begins anew once, with a margin, when its place changes.
func TestVideoFixed(t *testing.T) {
	for i, f := range films {
		if f.fixed == 0 || i%everyFilm != 0 {
			continue
		}
		t.Run("vp8/"+f.name, func(t *testing.T) {
			t.Parallel()
			needVP8(t)
			s := newStudio(t, spiceecs.DeviceOptions{VideoCodecs: "gstreamer:vp8"}, nil)
			if s.film(f, f.fixed); s.codec.Load() != wire.VideoVP8 {
				t.Errorf("the codec is %d", s.codec.Load())
			}
		})
		t.Run("old client/"+f.name, func(t *testing.T) {
			t.Parallel()
			if f.name == "wanders" {
				t.Skip("a video that goes far needs frames with a place of their own")
			}
			newStudio(t, spiceecs.DeviceOptions{}, wire.NewCaps(wire.CapDisplayMultiCodec, wire.CapDisplayCodecMJPEG)).film(f, f.fixed)
		})
	}
}

func needVP8(t *testing.T) {
	t.Helper()
	if err := errors.Join(gst.Load(), gst.Decodes(gst.VP8)); err != nil {
		t.Skip(err)
	}
}

// film paints a film, which may become so many streams.
func (s *studio) film(f film, most int) {
	s.t.Helper()
	for n := range filmFrames {
		f.paint(s, n)
		pause := 40 * time.Millisecond
		if f.pause != nil {
			pause = f.pause(n)
		}
		s.pass(pause)
	}
	created := int(s.sent(wire.MsgDisplayStreamCreate))
	if created > most || most > 0 && created == 0 {
		s.t.Errorf("%d streams, want 1 to %d", created, most)
	}
	if shown := s.frames.Load(); most > 0 && shown < filmFrames/2 {
		s.t.Errorf("only %d frames of %d were shown", shown, filmFrames)
	}
	s.wantExact()
	eventually(s.t, func() error {
		if ended := int(s.sent(wire.MsgDisplayStreamDestroy)); ended != created {
			return fmt.Errorf("%d streams began, %d ended", created, ended)
		}
		return nil
	})
}

// TestVideoPreference has a client prefer codecs while it watches a video.
func TestVideoPreference(t *testing.T) {
	needVP8(t)
	s := newStudio(t, spiceecs.DeviceOptions{}, nil)
	n := 0
	for _, want := range []uint8{wire.VideoMJPEG, wire.VideoVP8, wire.VideoMJPEG} {
		noError(t, s.display.PreferVideoCodecs(want))
		for before := s.frames.Load(); s.frames.Load() < before+20 || s.codec.Load() != uint32(want); n++ {
			if n > 500 {
				t.Fatalf("frames have codec %d, want %d", s.codec.Load(), want)
			}
			s.picture(regions.XYWH(50, 40, 320, 240), n)
			s.pass(40 * time.Millisecond)
		}
	}
	if created := s.sent(wire.MsgDisplayStreamCreate); created != 3 {
		t.Errorf("%d streams for 3 codecs", created)
	}
	s.wantExact()
}

// TestVideoClipped has a video show less of itself from some frame on: what the
// stream leaves is sent exactly at once, while the rest goes on.
func TestVideoClipped(t *testing.T) {
	s := newStudio(t, spiceecs.DeviceOptions{}, nil)
	box := regions.XYWH(50, 40, 320, 240)
	for n := range 42 {
		d := put(0, box, regions.XYWH(0, 0, 320, 240), photo(320, 240, n, false))
		if n >= 40 {
			d.Clip = qxl.Clip{Type: qxl.ClipRects, Rects: []regions.Rect{regions.XYWH(50, 40, 160, 240)}}
		}
		s.draw(d)
		s.pass(40 * time.Millisecond)
	}
	if created, ended := s.sent(wire.MsgDisplayStreamCreate), s.sent(wire.MsgDisplayStreamDestroy); created != 1 || ended != 0 {
		t.Fatalf("%d streams began, %d ended", created, ended)
	}
	s.shows(regions.XYWH(210, 40, 160, 240))
	s.wantExact()
}

// TestVideoShared has two clients watch a video: what is sent to both is compressed
// once. The second comes later, and both are shown the exact picture in the end.
func TestVideoShared(t *testing.T) {
	s := newStudio(t, spiceecs.DeviceOptions{}, nil)
	first := s.display
	paint := func(n int) {
		s.picture(regions.XYWH(50, 40, 320, 240), n)
		s.pass(40 * time.Millisecond)
	}
	for n := range 20 {
		paint(n)
	}
	s.watch(nil)
	s.settle()
	before, err := s.device.Stats()
	noError(t, err)
	for n := range 100 {
		paint(n)
	}
	after, err := s.device.Stats()
	noError(t, err)
	frames, pictures := after.Frames-before.Frames, after.Pictures-before.Pictures
	// A slow machine leaves frames out, or has one client leave one out.
	if frames < 100 || pictures > frames/2+10 {
		t.Errorf("%d pictures were compressed for %d frames", pictures, frames)
	}
	s.wantExact()
	s.display = first
	s.wantExact()
}

// BenchmarkVideoClients is the processor time of a frame of a video on the whole
// screen, for some clients that decode nothing. What more clients than none cost is
// that of compressing and sending.
func BenchmarkVideoClients(b *testing.B) {
	for clients := range 4 {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) { benchmarkVideo(b, clients) })
	}
}

func benchmarkVideo(b *testing.B, clients int) {
	s := emptyStudio(b, spiceecs.DeviceOptions{})
	caps := wire.NewCaps(wire.CapDisplaySizedStream, wire.CapDisplayMultiCodec, wire.CapDisplayCodecMJPEG)
	for range clients {
		c, err := drain.Dial(drain.Options{Addr: s.addr, Caps: caps})
		noError(b, err)
		b.Cleanup(c.Close)
	}
	box := regions.XYWH(0, 0, studioWidth, studioHeight)
	var frames []*qxl.Drawable
	for n := range 16 {
		frames = append(frames, put(0, box, box, photo(studioWidth, studioHeight, n, false)))
	}
	shown := uint64(0)
	paint := func(n int) {
		s.ring.push(s.asm.Drawable(frames[n%len(frames)]))
		s.clock.Advance(40 * time.Millisecond)
		s.device.Wakeup()
		before := shown
		for range 100 { // a client whose socket is full is not sent each frame
			time.Sleep(200 * time.Microsecond)
			st, err := s.device.Stats()
			noError(b, err)
			if shown = st.Frames; len(s.ring.commands) == 0 && shown >= before+uint64(clients) {
				break
			}
		}
	}
	n := 0
	for ; n < 40; n++ {
		paint(n)
	}
	begin, before := processorTime(b), shown
	for b.Loop() {
		paint(n)
		n++
	}
	b.ReportMetric(float64(shown-before)/float64(b.N), "sent/frame")
	b.ReportMetric(float64(processorTime(b)-begin)/1e6/float64(b.N), "cpu-ms/frame")
}

func processorTime(tb testing.TB) time.Duration {
	var u syscall.Rusage
	noError(tb, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
