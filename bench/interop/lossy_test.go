package interop

import (
	"bytes"
	"context"
	"image"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spiceecs/spiceecs"
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/net/client"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

const (
	// leastPSNR is how near a lossy picture has to be to the exact one, in dB.
	leastPSNR = 32
	// rest is after how long a quiet line must have made it exact.
	rest = 2 * time.Second
)

// TestLossy plays recordings with lossy images to our own client. When all has
// been sent the picture is good, and exact where it was sent without loss; after
// a rest it is exact everywhere. Meanwhile the server's clock stands still, as
// nothing is refined before the line has been idle for a while.
func TestLossy(t *testing.T) {
	for _, r := range rows(t) {
		if r.commands != "end" && !matrix {
			continue
		}
		for _, compression := range []string{"quic", "auto_glz", "auto_lz"} {
			if compression == "auto_lz" && !matrix {
				continue
			}
			t.Run(r.name()+"/"+compression, func(t *testing.T) {
				t.Parallel()
				r.lossy(t, compression)
			})
		}
	}
}

func (r row) lossy(t *testing.T, compression string) {
	clock := &stopClock{}
	clock.stop()
	var p provenance
	all, session := screens(t, r, 1, clock,
		spiceecs.DeviceOptions{ImageCompression: compression, JPEG: "always", StreamingVideo: "off"}, client.Options{OnDraw: p.draw})
	d := session.Display(0)
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	if err := all[0].player.Run(ctx, all[0].device); err != nil {
		t.Fatal(err)
	}
	clock.empty(ctx, t, all[0].device)
	if err := d.WaitQuiet(ctx, idle); err != nil {
		t.Fatal(err)
	}
	rough, err := d.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	exact := p.pixels()
	clock.advance(rest)
	becomes(ctx, t, d, r.hash)
	want, err := d.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	q := compare(rough, want, exact)
	t.Logf("%d JPEG images; before the refinement %.1f dB, of %d pixels %d right, %d sent without loss",
		jpegs(d), q.psnr, q.all, q.right, exact.Area())
	if q.psnr < leastPSNR {
		t.Errorf("the lossy picture has %.1f dB, want %d", q.psnr, leastPSNR)
	}
	if len(q.wrongly) > 0 {
		t.Errorf("%d pixels were sent without loss and are not exact: %v", len(q.wrongly), q.wrongly[:min(9, len(q.wrongly))])
	}
}

// stopClock is the system's clock, but its hands are held.
type stopClock struct {
	ecs.SystemClock
	hands atomic.Pointer[time.Time]
}

func (c *stopClock) Now() time.Time { return *c.hands.Load() }

func (c *stopClock) stop() {
	now := time.Now()
	c.hands.Store(&now)
}

func (c *stopClock) advance(d time.Duration) {
	now := c.hands.Load().Add(d)
	c.hands.Store(&now)
}

// empty lets the hands go on, by less than refinement waits for, until nothing
// waits for the client any more, and it has confirmed what is under way: it would
// look as if the line were slow when the hands move.
func (c *stopClock) empty(ctx context.Context, t *testing.T, d *spiceecs.Device) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		stats, err := d.Stats()
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case stats.Queued > 0:
			c.advance(50 * time.Millisecond)
			d.Wakeup()
		case stats.Unanswered == 0:
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%d items wait", stats.Queued)
		}
	}
}

// jpegs is how many lossy images a display has been sent.
func jpegs(d *client.Display) uint64 {
	images := d.Stats().Images
	return images[qxl.ImageJPEG].Count + images[qxl.ImageJPEGAlpha].Count
}

// provenance tells of a screen which pixels can only be exact: those that were
// painted last with what came without loss. It goes by the client's messages
// alone. What it does not know counts as rough.
type provenance struct {
	mu     sync.Mutex
	exact  regions.Region
	unsure uint64 // images so far that may have been rough
}

// draw follows a drawing message.
func (p *provenance) draw(d *client.Display, dr *qxl.Drawable) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.unsure
	p.unsure = jpegs(d) + d.Stats().Images[qxl.ImageFromCache].Count
	if dr.Surface != 0 {
		return
	}
	var box regions.Region
	if box.SetRect(dr.BBox); dr.Clip.Type == qxl.ClipRects {
		box.SetRects(dr.Clip.Rects)
		box.IntersectRect(dr.BBox)
	}
	plain := dr.Rop == qxl.RopPut && dr.Mask.Image == qxl.NoImage
	solid := plain && dr.Brush.Type == qxl.BrushSolid
	src := dr.Image(dr.Src)
	switch {
	case dr.Type == qxl.DrawFill && solid, dr.Type == qxl.DrawCopy && plain && src.Type == qxl.ImageBitmap && p.unsure == before:
		p.exact.Union(&box)
	case (dr.Type == qxl.DrawText || dr.Type == qxl.DrawStroke) && dr.Brush.Type == qxl.BrushSolid && p.unsure == before:
		// Rough pixels stay rough, exact ones exact.
	case dr.Type == qxl.DrawCopyBits:
		dx, dy := dr.BBox.Left-dr.SrcPos.X, dr.BBox.Top-dr.SrcPos.Y
		var moved regions.Region
		moved.Copy(&p.exact)
		moved.Translate(dx, dy)
		moved.Intersect(&box)
		p.exact.Subtract(&box)
		p.exact.Union(&moved)
	default:
		p.exact.Subtract(&box)
	}
}

// pixels is what can only be exact so far.
func (p *provenance) pixels() *regions.Region {
	p.mu.Lock()
	defer p.mu.Unlock()
	var r regions.Region
	r.Copy(&p.exact)
	return &r
}

// quality is how near a picture is to the one that is wanted.
type quality struct {
	psnr    float64 // dB
	right   int     // pixels
	all     int
	wrongly []image.Point // pixels that differ where they must not
}

// compare compares two pictures, which must be the same in an area.
func compare(got, want *image.RGBA, exact *regions.Region) (q quality) {
	sum := 0.0
	q.all = len(want.Pix) / 4
	for i := range q.all {
		a, b := got.Pix[4*i:4*i+4], want.Pix[4*i:4*i+4]
		if bytes.Equal(a, b) {
			q.right++
			continue
		}
		for k := range 3 {
			d := float64(a[k]) - float64(b[k])
			sum += d * d
		}
		if at := image.Pt(i%want.Rect.Dx(), i/want.Rect.Dx()); exact.ContainsPoint(int32(at.X), int32(at.Y)) {
			q.wrongly = append(q.wrongly, at)
		}
	}
	q.psnr = 10 * math.Log10(255*255/max(sum/float64(3*q.all), 1e-9))
	return q
}
