package interop

import (
	"context"
	"image"
	"io"
	"log/slog"
	"math"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spiceecs/spiceecs"
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/net/client"
	"github.com/spiceecs/spiceecs/net/codec/gst"
	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/replay"
	"github.com/spiceecs/spiceecs/regions"
)

// leastVideoPSNR is how near a frame of a video has to be to what the screen
// showed, in dB.
const leastVideoPSNR = 30

// videoCodecs are all of the protocol.
var videoCodecs = []struct {
	name   string
	number uint8
}{
	{"mjpeg", wire.VideoMJPEG}, {"vp8", wire.VideoVP8}, {"vp9", wire.VideoVP9},
	{"h264", wire.VideoH264}, {"h265", wire.VideoH265},
}

// TestVideo plays recordings with a video at their pace, in every codec, to the
// reference client and our own. Each frame that ours shows is compared with the
// screen as it was when the frame was taken; in the end both show the exact picture.
func TestVideo(t *testing.T) {
	realclient.need(t)
	for _, trace := range []string{"clip", "video"} {
		if _, ok := recording(t, trace); !ok {
			continue
		}
		for _, codec := range videoCodecs {
			t.Run(trace+"/"+codec.name, func(t *testing.T) {
				if codec.number != wire.VideoMJPEG {
					needCodec(t, gst.Codec(codec.number))
				}
				f := film(t, end(t, trace), spiceecs.DeviceOptions{VideoCodecs: "gstreamer:" + codec.name + ";spice:mjpeg"})
				if n := f.streams(); n == 0 {
					t.Error("there was no stream")
				}
				f.wantFrames(codec.number)
			})
		}
	}
}

// TestVideoMissing has a server prefer codecs whose encoders are not installed: it
// says so once for each, and sends MJPEG.
func TestVideoMissing(t *testing.T) {
	if err := gst.Load(); err != nil {
		t.Skip(err)
	}
	none := t.TempDir()
	t.Setenv("GST_PLUGIN_SYSTEM_PATH_1_0", none)
	t.Setenv("GST_REGISTRY_1_0", filepath.Join(none, "registry.bin"))
	r := end(t, "clip")
	addr, stop := serveUntil(t, "--recording", r.recording, "--wait-client", "--loop=false", "--video-codecs", "gstreamer:h264;gstreamer:vp8")
	var frames [wire.VideoH265 + 1]atomic.Int64
	d := dial(t, addr, client.Options{
		Log: slog.New(slog.DiscardHandler), GStreamer: true, OnFrame: func(_ *client.Display, f client.Frame) { frames[f.Codec].Add(1) },
	})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	becomes(ctx, t, d, r.hash)
	for codec := range frames {
		if n := frames[codec].Load(); n > 0 != (codec == wire.VideoMJPEG) {
			t.Errorf("%d frames of codec %d", n, codec)
		}
	}
	log := stop()
	if n := strings.Count(log, "video codec not used"); n != 2 {
		t.Errorf("%d lines about missing codecs, want 2:\n%s", n, log)
	}
}

// TestVideoSettings plays the recording with a video in other modes.
func TestVideoSettings(t *testing.T) {
	realclient.need(t)
	t.Run("all", func(t *testing.T) {
		t.Parallel()
		if f := film(t, end(t, "clip"), spiceecs.DeviceOptions{StreamingVideo: "all"}); f.streams() == 0 {
			t.Error("there was no stream")
		}
	})
	t.Run("off", func(t *testing.T) {
		t.Parallel()
		if f := film(t, end(t, "clip"), spiceecs.DeviceOptions{StreamingVideo: "off"}); f.streams() != 0 {
			t.Error("there was a stream")
		}
	})
}

// needCodec skips the test where GStreamer does not do a codec.
func needCodec(t *testing.T, c gst.Codec) {
	t.Helper()
	if err := gst.Load(); err != nil {
		t.Skip(err)
	}
	if err := gst.Decodes(c); err != nil {
		t.Skip(err)
	}
	e, err := gst.NewEncoder(c, gst.Format{Width: 64, Height: 64, FPS: 25, BitRate: 1 << 20})
	if err != nil {
		t.Skip(err)
	}
	e.Close()
}

// filmed is what our client was shown of a recording.
type filmed struct {
	t       *testing.T
	row     row
	ring    *timedRing
	display *client.Display
	mu      sync.Mutex
	count   int // frames
	looks   []*shownFrame
}

// lookEvery is at how many frames the picture is looked at: a client that did at each
// would be a slow one.
const lookEvery = 4

// shownFrame is a frame of a video as our client showed it.
type shownFrame struct {
	client.Frame
	area    regions.Region // where it shows
	picture *image.RGBA    // of the whole screen
}

// film plays a recording at its pace to the reference client and ours, until both
// show its end.
func film(t *testing.T, r row, o spiceecs.DeviceOptions) *filmed {
	t.Helper()
	player, err := replay.New(func() (io.ReadCloser, error) { return os.Open(r.file()) }, replay.Options{Pace: replay.Recorded})
	if err != nil {
		t.Fatal(err)
	}
	clock := &bornClock{born: time.Now()}
	server, err := spiceecs.New(spiceecs.Options{NoPassword: true, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	clock.runs.Store(true)
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	f := &filmed{t: t, row: r, ring: &timedRing{Player: player, clock: clock}}
	joined := make(chan uint32, 2)
	o.Ring, o.OnDisplay = f.ring, func(id uint32) { joined <- id }
	device, err := server.AddDevice(o)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(l) }()

	f.display = dial(t, l.Addr().String(), client.Options{
		Log: slog.New(slog.DiscardHandler), Channels: []wire.ChannelType{wire.ChannelDisplay}, GStreamer: true, OnFrame: f.shown,
	})
	looked := make(chan func() seen, 1)
	go func() { looked <- look(t, l.Addr().String(), r.hash) }()
	for range 2 {
		await(t, "the clients' joining", joined)
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	if err := player.Run(ctx, device); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	becomes(ctx, t, f.display, r.hash)
	t.Logf("exact %.2f s after the last command", time.Since(began).Seconds())
	wantPicture(t, await(t, "the picture", looked)(), r.hash)
	return f
}

// shown notes a frame now and then.
func (f *filmed) shown(d *client.Display, frame client.Frame) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.count++; f.count%lookEvery != 1 {
		return
	}
	s := &shownFrame{Frame: frame}
	s.area.SetRect(frame.Dest)
	if frame.Clip.Type == qxl.ClipRects {
		s.area.SetRects(frame.Clip.Rects)
		s.area.IntersectRect(frame.Dest)
	}
	s.Clip = nil
	if s.area.Empty() {
		return
	}
	var err error
	if s.picture, err = d.Snapshot(); err != nil {
		f.t.Error(err)
		return
	}
	f.looks = append(f.looks, s)
}

// streams is how many there were. All of them must have ended.
func (f *filmed) streams() uint64 {
	sent := f.display.Stats().ByMessage
	n := sent[wire.MsgDisplayStreamCreate]
	if ended := sent[wire.MsgDisplayStreamDestroy]; ended > n || n-ended > 1 {
		f.t.Errorf("%d streams began, %d ended", n, ended)
	}
	return n
}

// stampAhead is how much later than it was taken a frame may be stamped, in ms: with
// when it will have arrived, by what the server knows of a busy machine.
const stampAhead = 100

// wantFrames compares the frames with the screen as it was when each was taken, which
// is known by its time, to some ms; the most similar of the screens of these counts.
func (f *filmed) wantFrames(codec uint8) {
	f.t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	tr, lowest, sum, bytes := newTruth(f.t, f.row), math.Inf(1), 0.0, 0
	for i, s := range f.looks {
		if s.Codec != codec {
			f.t.Fatalf("frame %d has codec %d, want %d", i, s.Codec, codec)
		}
		first, last := f.ring.before(s.Time-stampAhead), f.ring.before(s.Time+1)
		best := math.Inf(-1)
		for n := max(first, tr.at); n <= last; n++ {
			tr.after(n)
			best = max(best, tr.psnr(s.picture, &s.area))
		}
		if best < leastVideoPSNR {
			f.t.Errorf("frame %d, of %d to %d commands: %.1f dB", i, first, last, best)
		}
		lowest = min(lowest, best)
		sum += best
		bytes += s.Bytes
	}
	n := len(f.looks)
	f.t.Logf("%d frames, of those looked at %d bytes each, lowest %.1f dB, mean %.1f dB",
		f.count, bytes/max(n, 1), lowest, sum/float64(max(n, 1)))
	if f.count < 20 || n < 5 {
		f.t.Errorf("only %d frames were shown", f.count)
	}
}

// bornTime is what a new server's multimedia time is.
const bornTime = time.Minute

// bornClock is the system's clock, which stands still at first.
type bornClock struct {
	ecs.SystemClock
	born time.Time
	runs atomic.Bool
}

func (c *bornClock) Now() time.Time {
	if !c.runs.Load() {
		return c.born
	}
	return time.Now()
}

// timedRing notes when the device takes commands, in the server's multimedia time.
type timedRing struct {
	*replay.Player
	clock *bornClock
	mu    sync.Mutex
	taken []uint32
}

// GetCommand implements qxl.Ring.
func (r *timedRing) GetCommand(c *qxl.Command) bool {
	ok := r.Player.GetCommand(c)
	if ok {
		r.mu.Lock()
		r.taken = append(r.taken, uint32((bornTime + r.clock.Now().Sub(r.clock.born)).Milliseconds()))
		r.mu.Unlock()
	}
	return ok
}

// before is how many commands had been taken before a time.
func (r *timedRing) before(at uint32) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for n < len(r.taken) && r.taken[n] < at {
		n++
	}
	return n
}
