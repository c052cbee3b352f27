package stream

import (
	"testing"
	"time"

	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

// guest paints candidates, and keeps the time.
type guest struct {
	*Tracker
	now     time.Time
	gradual bool // whether what is painted looks like a photo
	cmd     qxl.Drawable
}

func newGuest(mode Mode) *guest {
	g := &guest{Tracker: New(components.NewScene(1), mode), now: time.Unix(100, 0), gradual: true}
	g.Gradual = func(*qxl.Drawable) bool { return g.gradual }
	return g
}

// frame is a copy of a bitmap to a box.
func (g *guest) frame(box regions.Rect) *qxl.Drawable {
	d := &g.cmd
	d.Reset()
	d.Type, d.Effect, d.Rop, d.BBox = qxl.DrawCopy, qxl.EffectOpaque, qxl.RopPut, box
	d.SrcArea = regions.XYWH(0, 0, box.Width(), box.Height())
	im, i := d.NewImage()
	im.Type, im.X, im.Y = qxl.ImageBitmap, uint32(box.Width()), uint32(box.Height())
	d.Src, d.Mask.Image = i, qxl.NoImage
	return d
}

// paint paints frames to a box, each after a pause, until one starts a stream. It
// returns how many there were, or 0 if after most of them none had.
func (g *guest) paint(box regions.Rect, pause time.Duration, most int) int {
	for n := 1; n <= most; n++ {
		g.now = g.now.Add(pause)
		if e, _ := g.Watch(g.now, g.frame(box)); e == Started {
			return n
		}
	}
	return 0
}

var place = regions.XYWH(100, 50, 320, 240)

// TestStart checks the number of frames that make a stream, by the facts about the
// reference server: 20 that follow another one, at most 200 ms apart, of which a
// fifth look like photos; or 7, if all do.
func TestStart(t *testing.T) {
	for _, c := range []struct {
		name  string
		mode  Mode
		box   regions.Rect
		pause time.Duration
		start int
	}{
		{"video", Filter, place, 40 * time.Millisecond, 8},
		{"slowest", Filter, place, 200 * time.Millisecond, 8},
		{"too slow", Filter, place, 201 * time.Millisecond, 0},
		{"smallest", Filter, regions.XYWH(0, 0, 96, 96), 40 * time.Millisecond, 8},
		{"too small", Filter, regions.XYWH(0, 0, 96, 95), 40 * time.Millisecond, 0},
		{"too small, but all count", All, regions.XYWH(0, 0, 10, 10), 40 * time.Millisecond, 21},
		{"whole screen", Filter, regions.XYWH(0, 0, 1920, 1080), 40 * time.Millisecond, 8},
		{"off", Off, place, 40 * time.Millisecond, 0},
	} {
		if n := newGuest(c.mode).paint(c.box, c.pause, 60); n != c.start {
			t.Errorf("%s: a stream with frame %d, want %d", c.name, n, c.start)
		}
	}
}

// TestCandidate changes one thing at a time that a frame has to have.
func TestCandidate(t *testing.T) {
	for name, change := range map[string]func(*qxl.Drawable){
		"off-screen":       func(d *qxl.Drawable) { d.Surface = 1 },
		"effect":           func(d *qxl.Drawable) { d.Effect = qxl.EffectBlend },
		"operation":        func(d *qxl.Drawable) { d.Type = qxl.DrawBlend },
		"raster operation": func(d *qxl.Drawable) { d.Rop = qxl.RopXor },
		"no source":        func(d *qxl.Drawable) { d.Src = qxl.NoImage },
		"compressed":       func(d *qxl.Drawable) { d.Images[0].Type = qxl.ImageQUIC },
		"mask":             func(d *qxl.Drawable) { d.Mask.Image = 0 },
	} {
		g := newGuest(All)
		for range 40 {
			g.now = g.now.Add(40 * time.Millisecond)
			d := g.frame(place)
			change(d)
			if e, _ := g.Watch(g.now, d); e != None {
				t.Fatalf("%s: event %d", name, e)
			}
		}
	}
	g := newGuest(All)
	for n := range 21 {
		d := g.frame(place)
		d.Images[0].Type = qxl.ImageSurface
		if e, _ := g.Watch(g.now, d); (e == Started) != (n == 20) {
			t.Errorf("frame %d from a surface: event %d", n+1, e)
		}
	}
}

// TestGradual mixes frames that look like photos with others.
func TestGradual(t *testing.T) {
	start := func(photo func(n int) bool, most int) int {
		g := newGuest(Filter)
		for n := 1; n <= most; n++ {
			g.gradual = photo(n)
			g.now = g.now.Add(40 * time.Millisecond)
			if e, _ := g.Watch(g.now, g.frame(place)); e == Started {
				return n
			}
		}
		return 0
	}
	for _, c := range []struct {
		name  string
		photo func(n int) bool
		start int
	}{
		// The first one has nothing before it and is not looked at.
		{"a fifth", func(n int) bool { return n >= 2 && n <= 5 }, 21},
		{"less", func(n int) bool { return n <= 4 }, 0},
		{"none", func(int) bool { return false }, 0},
		// With 30 frames that do not count, 8 of 38 are the first fifth.
		{"late", func(n int) bool { return n > 31 }, 39},
		// After more than 100 the count begins anew with the next one; 7 are then all.
		{"very late", func(n int) bool { return n > 150 }, 157},
	} {
		if n := start(c.photo, 300); n != c.start {
			t.Errorf("%s: a stream with frame %d, want %d", c.name, n, c.start)
		}
	}
}

// TestFrames checks what continues a stream.
func TestFrames(t *testing.T) {
	for _, c := range []struct {
		name  string
		box   regions.Rect
		pause time.Duration
		want  Event
	}{
		{"same", place, 40 * time.Millisecond, Frame},
		{"after a second", place, time.Second, Frame},
		{"too late", place, time.Second + 1, None},
		{"around, twice as large", regions.XYWH(100, 50, 320, 480), 40 * time.Millisecond, Frame},
		{"around, larger", regions.XYWH(100, 50, 320, 481), 40 * time.Millisecond, None},
		{"shaking", place.Translate(8, -8), 40 * time.Millisecond, Frame},
		{"elsewhere", place.Translate(9, 0), 40 * time.Millisecond, None},
	} {
		g := newGuest(Filter)
		if g.paint(place, 40*time.Millisecond, 21) != 8 {
			t.Fatal("no stream")
		}
		g.now = g.now.Add(c.pause)
		e, s := g.Watch(g.now, g.frame(c.box))
		if e != c.want || e == Frame && s.Area != c.box {
			t.Errorf("%s: event %d, want %d; stream %+v", c.name, e, c.want, s)
		}
	}
}

// TestShaking has a video that never stays in one place become one stream.
func TestShaking(t *testing.T) {
	g := newGuest(Filter)
	started := 0
	for n := range int32(200) {
		g.now = g.now.Add(33 * time.Millisecond)
		e, _ := g.Watch(g.now, g.frame(place.Translate(n%3, n%5)))
		if e == Started {
			started++
		} else if started > 0 && e != Frame {
			t.Fatalf("frame %d is none of the stream", n)
		}
	}
	if started != 1 || g.Live() != 1 {
		t.Errorf("%d streams started, %d live", started, g.Live())
	}
}

// TestMany starts more streams than there can be, and ends one.
func TestMany(t *testing.T) {
	g := newGuest(All)
	box := func(i int) regions.Rect { return regions.XYWH(int32(i%10)*30, int32(i/10)*30, 20, 20) }
	for i := range components.MaxStreams {
		if g.paint(box(i), time.Millisecond, 21) != 21 {
			t.Fatalf("no stream %d", i)
		}
	}
	if n := g.paint(box(60), time.Millisecond, 100); n != 0 {
		t.Error("a stream too many")
	}
	g.End(7)
	if n := g.paint(box(60), time.Millisecond, 1); n != 1 || g.Get(7) == nil {
		t.Errorf("the free id is not taken by the next frame")
	}
	g.Reset()
	if g.Live() != 0 {
		t.Errorf("%d streams after all have ended", g.Live())
	}
}

// TestRate counts frames per second, and says when a stream rests.
func TestRate(t *testing.T) {
	g := newGuest(Filter)
	g.paint(place, 50*time.Millisecond, 21)
	s := g.Get(0)
	if s.Rate != 20 {
		t.Errorf("%v frames a second at the start, want 20", s.Rate)
	}
	for range 65 {
		g.paint(place, 100*time.Millisecond, 1)
	}
	if s.Rate != 10 {
		t.Errorf("%v frames a second after a while, want 10", s.Rate)
	}
	if since, rest := g.Rested(g.now.Add(time.Second/4), s); since != time.Second/4 || rest != 400*time.Millisecond {
		t.Errorf("frame %v ago, rest after %v", since, rest)
	}
}

func TestWatchAllocates(t *testing.T) {
	g := newGuest(Filter)
	g.paint(place, 20*time.Millisecond, 21)
	d := g.frame(place)
	if n := testing.AllocsPerRun(100, func() {
		g.now = g.now.Add(20 * time.Millisecond)
		g.Watch(g.now, d)
	}); n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
}

// BenchmarkWatch is the cost of a candidate that continues nothing, with all
// traces and streams in use.
func BenchmarkWatch(b *testing.B) {
	g := newGuest(All)
	for i := range components.MaxStreams {
		g.paint(regions.XYWH(int32(i)*30, 0, 20, 20), time.Microsecond, 21)
	}
	i := int32(0)
	for b.Loop() {
		i++
		g.cmd.BBox = regions.XYWH(i%100*30, 40+i/100%100*30, 20, 20)
		g.Watch(g.now, &g.cmd)
	}
}
