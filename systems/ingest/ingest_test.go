package ingest_test

import (
	"errors"
	"log/slog"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/guest"
	"github.com/spiceecs/spiceecs/regions"
	"github.com/spiceecs/spiceecs/systems/ingest"
	"github.com/spiceecs/spiceecs/systems/release"
)

// rig is a guest, its rings, and a sink that notes what arrives.
type rig struct {
	t      *testing.T
	vram   *guest.VRAM
	asm    *guest.Assembler
	scene  *components.Scene
	ingest *ingest.Ingest

	display, cursor []qxl.Command
	looked          int  // how often the display ring was asked for a command
	asked           int  // how often for a notification
	filled          bool // the ring gets a command just before the next notification

	room  int // display commands that may still come
	keep  bool
	bad   error // what the sink says to surface commands
	got   []string
	given int
}

func newRig(t *testing.T) *rig {
	t.Helper()
	v, err := guest.NewVRAM(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, vram: v, asm: guest.NewAssembler(v), scene: components.NewScene(3), room: 1 << 20}
	rel := release.New(r.scene, r.Release)
	r.ingest = ingest.New(r.scene, r, memory(t, v), rel, r, slog.New(slog.DiscardHandler))
	for id := range uint32(2) {
		e, s := r.scene.Surfaces.New()
		*s = components.Surface{ID: id, Format: qxl.Surface32xRGB, Width: 100, Height: 50}
		r.scene.ByID[id] = e
	}
	return r
}

func take(ring *[]qxl.Command, c *qxl.Command) bool {
	if len(*ring) == 0 {
		return false
	}
	*c, *ring = (*ring)[0], (*ring)[1:]
	return true
}

func (r *rig) GetCommand(c *qxl.Command) bool       { r.looked++; return take(&r.display, c) }
func (r *rig) GetCursorCommand(c *qxl.Command) bool { return take(&r.cursor, c) }
func (r *rig) RequestCommandNotification() bool {
	if r.asked++; r.filled {
		r.filled = false
		r.fill(regions.XYWH(0, 0, 1, 1))
	}
	return len(r.display) == 0
}
func (r *rig) RequestCursorNotification() bool { return len(r.cursor) == 0 }
func (r *rig) NotifyUpdate(uint32)             {}
func (r *rig) FlushResources() bool            { return false }

// Release fails the test for what was never given, or twice.
func (r *rig) Release(res qxl.Resource) {
	if r.given++; r.vram.Release(res) != nil {
		r.t.Errorf("%v is given back, but was not out", res)
	}
}

func (r *rig) Draw(e ecs.Entity) {
	d := r.scene.Drawables.Get(e)
	if r.got = append(r.got, "draw"); d.Refs != 1 || d.Seq == 0 || r.scene.Held < int64(d.Cost) || d.BBox != r.scene.Command(d).BBox {
		r.t.Errorf("a drawable arrives as %+v", *d)
	}
	r.room--
}
func (r *rig) Update(*qxl.UpdateCommand) { r.got = append(r.got, "update"); r.room-- }
func (r *rig) Surface(*qxl.SurfaceCommand) (bool, error) {
	r.got = append(r.got, "surface")
	return r.keep, r.bad
}
func (r *rig) Cursor(*qxl.CursorCommand) { r.got = append(r.got, "cursor") }
func (r *rig) Room() bool                { return r.room > 0 }

func (r *rig) must(c qxl.Command, err error) qxl.Command {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
	return c
}

// drawable queues a command on the display ring.
func (r *rig) drawable(change func(d *qxl.Drawable)) {
	r.t.Helper()
	var d qxl.Drawable
	d.Reset()
	d.Type, d.BBox, d.Rop, d.Brush.Type = qxl.DrawFill, regions.XYWH(1, 2, 3, 4), qxl.RopPut, qxl.BrushSolid
	change(&d)
	r.display = append(r.display, r.must(r.asm.Drawable(&d)))
}

func (r *rig) fill(box regions.Rect) { r.drawable(func(d *qxl.Drawable) { d.BBox = box }) }

// TestRefusals: what a guest may not do is counted by reason, given back once,
// and does not keep what follows from arriving.
func TestRefusals(t *testing.T) {
	surface := func(id uint32) func(*qxl.Drawable) {
		return func(d *qxl.Drawable) {
			d.Type, d.SrcArea = qxl.DrawCopy, regions.XYWH(0, 0, 3, 4)
			im, i := d.NewImage()
			im.Type, im.Surface, d.Src = qxl.ImageSurface, id, i
		}
	}
	tests := []struct {
		name   string
		queue  func(r *rig)
		reason string // empty: not refused, but there is nothing to draw
		lost   bool   // nothing names what would have to be given back
	}{
		{"target", func(r *rig) { r.drawable(func(d *qxl.Drawable) { d.Surface = 2 }) }, ingest.ErrSurface.Error(), false},
		{"target out of range", func(r *rig) { r.drawable(func(d *qxl.Drawable) { d.Surface = 1 << 31 }) }, ingest.ErrSurface.Error(), false},
		{"dependency", func(r *rig) { r.drawable(func(d *qxl.Drawable) { d.Deps[1] = 2 }) }, ingest.ErrSurface.Error(), false},
		{"source", func(r *rig) { r.drawable(surface(2)) }, ingest.ErrSurface.Error(), false},
		{"right", func(r *rig) { r.fill(regions.XYWH(98, 0, 3, 1)) }, ingest.ErrBox.Error(), false},
		{"bottom", func(r *rig) { r.fill(regions.XYWH(0, 48, 1, 3)) }, ingest.ErrBox.Error(), false},
		{"self bitmap", func(r *rig) {
			r.drawable(func(d *qxl.Drawable) { d.SelfBitmap, d.SelfBitmapArea = true, regions.XYWH(90, 0, 11, 1) })
		}, ingest.ErrBox.Error(), false},
		{"no self bitmap", func(r *rig) {
			r.drawable(func(d *qxl.Drawable) { d.SelfBitmap, d.SelfBitmapArea = true, regions.XYWH(9, 0, 0, 1) })
		}, ingest.ErrBox.Error(), false},
		{"operation", func(r *rig) {
			r.fill(regions.XYWH(0, 0, 1, 1))
			r.vram.Slot().Mem[uint64(r.display[0].Data)-r.vram.Slot().Start+13] = 99
		}, qxl.ReasonDrawType.String(), false},
		{"address", func(r *rig) { r.display = append(r.display, qxl.Command{Type: qxl.CommandDraw, Data: 1 << 40}) }, qxl.ReasonRange.String(), true},
		{"command", func(r *rig) { r.display = append(r.display, qxl.Command{Type: qxl.CommandCursor}) }, ingest.ErrCommand.Error(), true},
		{"update", func(r *rig) {
			r.display = append(r.display, r.must(r.asm.Update(&qxl.UpdateCommand{Area: regions.XYWH(3, 3, 0, 0)})))
		}, qxl.ReasonUpdateArea.String(), false},
		{"surface", func(r *rig) {
			r.bad = ingest.ErrSurface
			c, _, err := r.asm.DestroySurface(&qxl.SurfaceCommand{Surface: 7}, 0)
			r.display = append(r.display, r.must(c, err))
		}, ingest.ErrSurface.Error(), false},
		{"something else", func(r *rig) {
			r.bad = errors.New("whatever")
			c, _, err := r.asm.DestroySurface(&qxl.SurfaceCommand{Surface: 7}, 0)
			r.display = append(r.display, r.must(c, err))
		}, "other", false},
		{"cursor ring", func(r *rig) { r.cursor = append(r.cursor, qxl.Command{Type: qxl.CommandDraw}) }, ingest.ErrCommand.Error(), true},
		{"cursor", func(r *rig) {
			r.cursor = append(r.cursor, r.must(r.asm.Cursor(&qxl.CursorCommand{Action: 77})))
		}, qxl.ReasonCursorAction.String(), false},
		{"empty box", func(r *rig) { r.fill(regions.XYWH(5, 5, 0, 3)) }, "", false},
		{"no operation", func(r *rig) { r.drawable(func(d *qxl.Drawable) { d.Type = qxl.DrawNOP }) }, "", false},
		{"clipped away", func(r *rig) {
			r.drawable(func(d *qxl.Drawable) {
				d.Clip = qxl.Clip{Type: qxl.ClipRects, Rects: []regions.Rect{regions.XYWH(50, 2, 3, 4)}}
			})
		}, "", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := newRig(t)
			test.queue(r)
			r.fill(regions.XYWH(0, 0, 100, 50))
			r.ingest.Run(time.Unix(100, 0), 100)
			want := map[string]uint64{}
			if test.reason != "" {
				want[test.reason] = 1
			}
			if got := r.ingest.Stats().Refused; !maps.Equal(got, want) {
				t.Errorf("refused %v, want %v", got, want)
			}
			if r.got[len(r.got)-1] != "draw" || slices.Contains(r.got[:len(r.got)-1], "draw") {
				t.Errorf("the sink got %v", r.got)
			}
			if given := 2; test.lost && r.given != given-1 || !test.lost && r.given != given {
				t.Errorf("%d commands were given back", r.given)
			}
			if r.vram.Used() != 0 || r.scene.Commands.Len() != 0 || r.scene.Held != 0 {
				t.Errorf("left: %d bytes out, %d commands, %d bytes held", r.vram.Used(), r.scene.Commands.Len(), r.scene.Held)
			}
		})
	}
}

// TestKept gives a surface's creation back only if the sink does not keep it.
func TestKept(t *testing.T) {
	for _, keep := range []bool{false, true} {
		r := newRig(t)
		r.keep = keep
		b, _, err := r.vram.Alloc(4 * 100 * 50)
		if err != nil {
			t.Fatal(err)
		}
		c := qxl.SurfaceCommand{Surface: 1, Format: qxl.Surface32xRGB, Width: 100, Height: 50, Stride: 400}
		r.display = append(r.display, r.must(r.asm.CreateSurface(&c, b)))
		r.ingest.Run(time.Unix(100, 0), 10)
		if (r.given == 0) != keep || len(r.got) != 1 {
			t.Errorf("kept: %t, %d given back", keep, r.given)
		}
	}
}

// TestBackPressure takes display commands while there is room, and pointer
// commands always.
func TestBackPressure(t *testing.T) {
	r := newRig(t)
	r.room = 2
	for range 5 {
		r.fill(regions.XYWH(0, 0, 1, 1))
		r.cursor = append(r.cursor, r.must(r.asm.Cursor(&qxl.CursorCommand{Action: qxl.CursorHide})))
	}
	if wait := r.ingest.Run(time.Unix(100, 0), 100); wait <= 0 {
		t.Errorf("wants to be called again in %v although there is no room", wait)
	}
	if len(r.display) != 3 || len(r.cursor) != 0 {
		t.Errorf("%d display and %d cursor commands are left, want 3 and 0", len(r.display), len(r.cursor))
	}
	if r.ingest.Flush(time.Unix(100, 0), 2); len(r.display) != 1 {
		t.Errorf("%d are left after flushing two", len(r.display))
	}
	if s := r.ingest.Stats(); s.Display != 4 || s.Cursor != 5 {
		t.Errorf("counted %d and %d", s.Display, s.Cursor)
	}
}

// TestBudget comes back at once for what one run does not take.
func TestBudget(t *testing.T) {
	r := newRig(t)
	for range 5 {
		r.fill(regions.XYWH(0, 0, 1, 1))
	}
	if wait := r.ingest.Run(time.Unix(100, 0), 3); wait != 0 || len(r.display) != 2 {
		t.Errorf("%d are left, called again in %v", len(r.display), wait)
	}
}

// TestPolling: an empty ring is looked at once more after a short while, then the guest has
// to tell; who is woken by something else looks, too. As the guest may tell late, its ring is
// looked at for a while all the same, until it has told in time.
func TestPolling(t *testing.T) {
	r := newRig(t)
	now := time.Unix(100, 0)
	run := func(looked, asked int) time.Duration {
		t.Helper()
		r.looked, r.asked = 0, 0
		wait := r.ingest.Run(now, 100)
		if r.looked != looked || r.asked != asked {
			t.Fatalf("looked %d and asked %d times, want %d and %d", r.looked, r.asked, looked, asked)
		}
		return wait
	}
	// idle runs until the ring is not to be looked at any more.
	idle := func() (waited time.Duration) {
		t.Helper()
		if waited = run(1, 0); waited <= 0 || waited > 10*time.Millisecond {
			t.Errorf("looks again in %v", waited)
		}
		for wait := run(1, 1); wait != ecs.Idle; wait = run(1, 0) {
			if waited += wait; waited > time.Second {
				t.Fatal("looks for ever")
			}
		}
		return waited
	}
	waited := idle()
	if waited < 200*time.Millisecond {
		t.Errorf("looks no more after %v at the ring of a guest that may tell late", waited)
	}
	for range 10 {
		r.ingest.Rearm()
		if again := idle(); again > waited {
			t.Errorf("looks for %v at the ring of a guest that tells in time, before for %v", again, waited)
		} else {
			waited = again
		}
	}
	if waited > 10*time.Millisecond {
		t.Errorf("still looks for %v", waited)
	}
	r.fill(regions.XYWH(0, 0, 1, 1)) // found by chance
	run(2, 0)
	run(1, 1)
	if waited := run(1, 0); waited == ecs.Idle {
		t.Error("looks no more at the ring of a guest that has told late")
	}
	r.ingest.Rearm()
	run(1, 0)
	r.filled = true // between the look and the request
	run(3, 1)
	if len(r.got) != 2 {
		t.Errorf("the sink got %v", r.got)
	}
}

// TestSteadyState allocates nothing for a drawable that the sink does not want.
func TestSteadyState(t *testing.T) {
	r := newRig(t)
	now := time.Unix(100, 0)
	r.fill(regions.XYWH(0, 0, 5, 5))
	given := 0
	rel := release.New(r.scene, func(qxl.Resource) { given++ })
	in := ingest.New(r.scene, looping{r, r.display[0]}, memory(t, r.vram), rel, r, slog.New(slog.DiscardHandler))
	r.got = make([]string, 0, 1<<14)
	if n := testing.AllocsPerRun(500, func() { in.Run(now, 4) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if given == 0 {
		t.Error("nothing was done")
	}
}

// looping is a ring with the same command over and over.
type looping struct {
	*rig
	c qxl.Command
}

func (l looping) GetCommand(c *qxl.Command) bool { *c = l.c; return true }

// memory resolves the addresses of v.
func memory(t *testing.T, v *guest.VRAM) *qxl.Memory {
	mem, err := qxl.NewMemory(qxl.MemoryConfig{Groups: 1, Slots: 1, GenBits: 8, IDBits: 8})
	if err == nil {
		err = mem.AddSlot(v.Slot())
	}
	if err != nil {
		t.Fatal(err)
	}
	return mem
}
