package main

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/record"
	"github.com/spiceecs/spiceecs/regions"
)

// tinyRecording has one of most things, over two seconds.
func tinyRecording(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := record.NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	ts := uint64(5_000_000_000)
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		ts += 100_000_000
	}
	check(w.Worker(ts, record.WorkerAddMemSlot, nil))
	check(w.Worker(ts, record.WorkerCreatePrimary, &qxl.PrimarySurface{
		Width: 16, Height: 2, Stride: 64, Format: qxl.Surface32xRGB, Memory: make([]byte, 128),
	}))
	check(w.Surface(ts, &qxl.SurfaceCommand{Surface: 1, Format: qxl.Surface32ARGB, Width: 200, Height: 100, Stride: 800}))
	check(w.Surface(ts, &qxl.SurfaceCommand{Surface: 2, Format: qxl.Surface8A, Width: 20, Height: 300, Stride: 20}))
	check(w.Surface(ts, &qxl.SurfaceCommand{Surface: 1, Action: qxl.SurfaceDestroy}))
	check(w.Surface(ts, &qxl.SurfaceCommand{Surface: 3, Format: qxl.Surface8A, Width: 20, Height: 30, Stride: 20}))
	check(w.Cursor(ts, &qxl.CursorCommand{Action: qxl.CursorMove, X: 3}))
	check(w.Message(ts, &qxl.MessageCommand{Text: []byte("hello")}))
	check(w.Update(ts, &qxl.UpdateCommand{Area: regions.XYWH(0, 0, 4, 4)}))

	d := new(qxl.Drawable)
	d.Reset()
	d.Type, d.BBox, d.Effect, d.Rop = qxl.DrawFill, regions.XYWH(0, 0, 5, 5), qxl.EffectOpaque, qxl.RopPut
	d.Brush = qxl.Brush{Type: qxl.BrushSolid, Color: 1, Image: qxl.NoImage}
	for range 10 {
		check(w.Draw(ts, d))
	}
	for _, size := range []uint32{1, 4, 5, 300} {
		d.Reset()
		d.Type, d.BBox, d.Rop = qxl.DrawCopy, regions.XYWH(0, 0, 5, 5), qxl.RopPut
		im, i := d.NewImage()
		*im = qxl.Image{
			ID: 1, Type: qxl.ImageBitmap, Width: size, Height: size, Format: qxl.Bitmap32Bit,
			BitFlags: qxl.BitmapDirect, X: size, Y: size, Stride: 4 * size,
		}
		im.Data.Append(make([]byte, 4*size*size))
		d.Src = i
		check(w.Draw(ts, d))
	}
	check(w.Worker(ts, record.WorkerClose, nil))
	check(w.Flush())
	return b.Bytes()
}

func TestInspect(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tiny.rec")
	if err := os.WriteFile(file, tinyRecording(t), 0o644); err != nil {
		t.Fatal(err)
	}
	_, text, _ := spiceecs(t, "inspect", file)
	code, js, stderr := spiceecs(t, "inspect", "--json", file)
	if code != exitOK || stderr != "" {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	var c contents
	if err := json.Unmarshal([]byte(js), &c); err != nil {
		t.Fatal(err)
	}
	// Counted by hand from tinyRecording.
	if c.Events != 24 || c.Seconds != 2.3 || c.Commands["draw"] != 14 || c.Draws["fill"] != 10 || c.Effects["opaque"] != 10 ||
		c.Worker["create primary"] != 1 || c.Cursors["move"] != 1 || c.Surfaces.Created != 3 || c.Surfaces.Destroyed != 1 ||
		c.Surfaces.Peak != 2 || c.Surfaces.MaxWidth != 200 || c.Surfaces.MaxHeight != 300 {
		t.Errorf("contents %+v", c)
	}
	if got := *c.Bitmaps["32 bit"]; got != (imageCount{4, 1 + 16 + 25 + 90000, 4 * 90042}) {
		t.Errorf("bitmaps %+v", got)
	}
	if want := [sizeClasses]uint64{0: 2, 1: 1, 7: 1}; c.ImageSizes != want {
		t.Errorf("image sizes %v, want %v", c.ImageSizes, want)
	}
	golden(t, "inspect.txt", strings.ReplaceAll(text, file, "tiny.rec"))
	golden(t, "inspect.json", strings.ReplaceAll(js, file, "tiny.rec"))
}

func TestInspectCut(t *testing.T) {
	data := tinyRecording(t)
	file := filepath.Join(t.TempDir(), "cut.rec")
	if err := os.WriteFile(file, data[:len(data)-100], 0o644); err != nil {
		t.Fatal(err)
	}
	code, _, stderr := spiceecs(t, "inspect", file)
	if code != exitFailure || !strings.Contains(stderr, "ends in the middle of an event") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

// TestTimeline compares with the list of all times.
func TestTimeline(t *testing.T) {
	var line timeline
	times := []uint64{1e9, 1e9, 1e9 + 5, 0, 2e9, 1e9 + 63_999_999, 7e9, 1e9 + 64_000_000, math.MaxUint64}
	for i, ts := range times {
		line.add(ts)
		var want [timelineBins]uint64
		for _, ts := range times[:i+1] {
			want[(max(ts, 1e9)-1e9)/line.width]++
		}
		if line.bins != want {
			t.Errorf("after %d events: bins %v, want %v", i+1, line.bins, want)
		}
		if slices.Max(line.bins[line.used:]) != 0 && line.used < timelineBins || line.bins[line.used-1] == 0 {
			t.Errorf("after %d events: %d bins are used: %v", i+1, line.used, line.bins)
		}
	}
}

func TestPlot(t *testing.T) {
	got := plot([]uint64{0, 1, 8, 16, 1000, 500}, 2)
	if want := []string{"    █", " ▁▁▁██"}; !slices.Equal(got, want) {
		t.Errorf("plot %q, want %q", got, want)
	}
	if got := plot([]uint64{0}, 1); got[0] != "" {
		t.Errorf("plot of nothing: %q", got)
	}
}

func TestSizeClass(t *testing.T) {
	for _, pixels := range []uint32{0, 1, 15, 16, 17, 64, 65, 256, 257, 1 << 20, 1<<20 + 1, 1 << 24, 1<<24 + 1, math.MaxUint32} {
		want := 0
		for want < sizeClasses-1 && uint64(pixels) > uint64(16)<<(2*want) {
			want++
		}
		if got := sizeClass(pixels, 1); got != want {
			t.Errorf("%d pixels: class %d, want %d", pixels, got, want)
		}
	}
}

func TestByteCount(t *testing.T) {
	for n, want := range map[uint64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 3 << 19: "1.5 MiB", math.MaxUint64: "16.0 EiB"} {
		if got := byteCount(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}
