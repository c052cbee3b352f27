package raster_test

import (
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/canvas"
	"github.com/spiceecs/spiceecs/regions"
	"github.com/spiceecs/spiceecs/systems/raster"
	"github.com/spiceecs/spiceecs/systems/release"
	"github.com/spiceecs/spiceecs/systems/tree"
)

// rig is a device without clients: what is not current is gone.
type rig struct {
	t      testing.TB
	scene  *components.Scene
	rel    *release.Releaser
	tree   *tree.Tree
	raster *raster.Raster
	failed []error
}

const width, height = 64, 64

func newRig(t testing.TB) *rig {
	r := &rig{t: t, scene: components.NewScene(3)}
	r.rel = release.New(r.scene, func(qxl.Resource) {})
	r.tree = tree.New(r.scene, r)
	r.rel.Ending = r.tree.Forget
	r.raster = raster.New(r.scene, r.rel, r.tree)
	r.raster.Failed = func(err error) { r.failed = append(r.failed, err) }
	for id := range uint32(2) {
		s := components.Surface{ID: id, Format: qxl.Surface32xRGB, Width: width, Height: height}
		if err := r.raster.CreateSurface(s, 4*width, make([]byte, 4*width*height)); err != nil {
			t.Fatal(err)
		}
		r.tree.CreateSurface(id, width, height)
	}
	return r
}

func (r *rig) Hidden(e ecs.Entity) {
	if r.scene.Drawables.Get(e).Current {
		r.raster.Drop(e)
	}
}

func (r *rig) add(change func(*qxl.Drawable)) {
	h, cmd, _ := r.scene.Commands.Alloc()
	cmd.Reset()
	cmd.Type, cmd.Effect, cmd.Rop, cmd.Brush.Type = qxl.DrawFill, qxl.EffectOpaque, qxl.RopPut, qxl.BrushSolid
	change(cmd)
	e, d, _ := r.scene.NewDrawable.New()
	r.scene.Seq++
	d.Seq, d.Command, d.Refs = r.scene.Seq, h, 1
	d.Surface, d.BBox, d.Type, d.Effect = cmd.Surface, cmd.BBox, cmd.Type, cmd.Effect
	r.tree.Add(e)
	r.raster.Add(e)
	r.rel.Unref(e)
}

func (r *rig) fill(surface uint32, box regions.Rect, color uint32) {
	r.add(func(d *qxl.Drawable) { d.Surface, d.BBox, d.Brush.Color = surface, box, color })
}

func (r *rig) copy(box regions.Rect, x, y int32) {
	r.add(func(d *qxl.Drawable) { d.Type, d.BBox, d.SrcPos = qxl.DrawCopyBits, box, regions.Point{X: x, Y: y} })
}

// drawn checks how many drawables have been executed since last asked.
func (r *rig) drawn(want uint64) {
	r.t.Helper()
	if r.raster.Drawn != want {
		r.t.Errorf("%d drawables were executed, want %d", r.raster.Drawn, want)
	}
	r.raster.Drawn = 0
}

// pixel checks one pixel as far as it has been drawn.
func (r *rig) pixel(surface uint32, x, y int32, want uint32) {
	r.t.Helper()
	if got := binary.LittleEndian.Uint32(r.raster.Read(nil, surface, regions.XYWH(x, y, 1, 1))); got != want {
		r.t.Errorf("pixel (%d,%d) of surface %d is %06x, want %06x", x, y, surface, got, want)
	}
}

// TestHiddenIsNotDrawn executes only what is left of a pile.
func TestHiddenIsNotDrawn(t *testing.T) {
	r := newRig(t)
	for i := range uint32(1000) {
		r.fill(0, regions.XYWH(0, 0, width, height), i)
	}
	r.raster.FlushAll()
	r.drawn(1)
	r.pixel(0, 5, 5, 999)
	if r.scene.Current.Len != 0 || r.scene.Commands.Len() != 0 {
		t.Errorf("%d drawables are current, %d alive", r.scene.Current.Len, r.scene.Commands.Len())
	}
}

// TestPile executes drawables each of which needs all older ones, in a time that
// does not grow with the square of their number: that would be minutes.
func TestPile(t *testing.T) {
	r := newRig(t)
	const pile = 100_000
	for range pile {
		r.add(func(d *qxl.Drawable) {
			d.BBox, d.Effect, d.Rop, d.Brush.Color = regions.XYWH(3, 3, 1, 1), qxl.EffectBlend, qxl.RopXor, 0xffffff
		})
	}
	r.fill(0, regions.XYWH(3, 4, 1, 1), 7)
	r.raster.Update(0, regions.XYWH(3, 3, 1, 1))
	r.drawn(pile + 1)
	r.pixel(0, 3, 3, 0)
	r.pixel(0, 3, 4, 7)
}

// TestUpdateDrawsLittle executes what shows in the area, and what that needs.
func TestUpdateDrawsLittle(t *testing.T) {
	r := newRig(t)
	for y := range int32(8) {
		for x := range int32(8) {
			r.fill(0, regions.XYWH(8*x, 8*y, 8, 8), uint32(8*y+x+1))
		}
	}
	r.raster.Update(0, regions.XYWH(7, 7, 2, 1))
	r.drawn(2)
	r.pixel(0, 7, 7, 1)
	r.pixel(0, 8, 7, 2)
	r.pixel(0, 7, 8, 0)

	// A copy needs its source, as it was, and nothing else.
	r.copy(regions.XYWH(0, 32, 8, 8), 56, 56)
	r.fill(0, regions.XYWH(56, 56, 8, 8), 0xffffff)
	r.raster.Update(0, regions.XYWH(0, 32, 1, 1))
	r.drawn(2)
	r.pixel(0, 0, 32, 64)

	// What overwrites a source waits for who reads it.
	r.copy(regions.XYWH(0, 40, 8, 8), 56, 48)
	r.fill(0, regions.XYWH(56, 48, 8, 8), 0xeeeeee)
	r.raster.Update(0, regions.XYWH(56, 48, 8, 8))
	r.drawn(3)
	r.pixel(0, 0, 40, 56)
	r.pixel(0, 56, 48, 0xeeeeee)

	r.raster.FlushSurface(0)
	r.drawn(64 - 2 - 1 - 1 - 2 + 1) // not the two that were covered by copies
	r.pixel(0, 63, 63, 0xffffff)
}

// TestOtherSurfaces executes across surfaces, in order.
func TestOtherSurfaces(t *testing.T) {
	r := newRig(t)
	from := func(box, area regions.Rect) {
		r.add(func(d *qxl.Drawable) {
			d.Type, d.BBox, d.SrcArea, d.Src = qxl.DrawCopy, box, area, 0
			im, _ := d.NewImage()
			im.Type, im.Surface = qxl.ImageSurface, 1
		})
	}
	r.fill(1, regions.XYWH(0, 0, 8, 8), 1)
	r.fill(1, regions.XYWH(8, 0, 8, 8), 2)
	from(regions.XYWH(0, 0, 8, 8), regions.XYWH(0, 0, 8, 8))
	r.fill(1, regions.XYWH(0, 0, 8, 8), 3)
	from(regions.XYWH(8, 0, 8, 8), regions.XYWH(0, 0, 8, 8))
	r.raster.Update(0, regions.XYWH(0, 0, 1, 1))
	r.drawn(2)
	r.pixel(0, 0, 0, 1)
	r.raster.FlushReaders(1)
	r.drawn(2)
	r.pixel(0, 8, 0, 3)
	if r.raster.RenderOldest(); r.scene.Current.Len != 0 {
		t.Errorf("%d drawables are current", r.scene.Current.Len)
	}
	r.pixel(1, 8, 0, 2)
}

// TestDirty tells where was drawn, since the guest last took note.
func TestDirty(t *testing.T) {
	r := newRig(t)
	a, b, c := regions.XYWH(0, 0, 4, 4), regions.XYWH(10, 0, 4, 4), regions.XYWH(20, 20, 4, 4)
	r.fill(0, a, 1)
	r.fill(0, b, 2)
	r.fill(0, c, 3)
	dirty := func(clear bool, want ...regions.Rect) {
		t.Helper()
		if got := r.raster.TakeDirty(0, clear, nil); !slices.Equal(got, want) {
			t.Errorf("dirty %v, want %v", got, want)
		}
	}
	dirty(false)
	r.raster.Update(0, a.Union(b))
	dirty(false, a, b)
	dirty(true, a, b)
	dirty(false)
	r.raster.FlushAll()
	dirty(true, c)
}

// TestFailure tells of what cannot be drawn, and goes on.
func TestFailure(t *testing.T) {
	r := newRig(t)
	r.add(func(d *qxl.Drawable) { d.Type, d.BBox = qxl.DrawCopy, regions.XYWH(0, 0, 1, 1) })
	r.fill(0, regions.XYWH(5, 5, 1, 1), 7)
	r.raster.FlushAll()
	if len(r.failed) != 1 || !errors.Is(r.failed[0], canvas.ErrImage) {
		t.Errorf("failed: %v", r.failed)
	}
	r.pixel(0, 5, 5, 7)
}

// TestSurfaces refuses ids and memory that do not fit.
func TestSurfaces(t *testing.T) {
	r := newRig(t)
	s := components.Surface{ID: 1, Format: qxl.Surface32xRGB, Width: 4, Height: 4}
	if r.raster.CreateSurface(s, 16, make([]byte, 64)) == nil {
		t.Error("a second surface with the same id")
	}
	s.ID = 3
	if r.raster.CreateSurface(s, 16, make([]byte, 64)) == nil {
		t.Error("an id out of range")
	}
	s.ID = 2
	if r.raster.CreateSurface(s, 16, make([]byte, 63)) == nil || r.scene.Surface(2) != nil {
		t.Error("too little memory")
	}
	r.raster.DestroySurface(1)
	if r.raster.Canvas(1) != nil || r.raster.Canvas(77) != nil || r.scene.Surface(1) != nil {
		t.Error("a surface that is gone is still there")
	}
}

// TestSteadyState allocates nothing for drawing and updating.
func TestSteadyState(t *testing.T) {
	if raceEnabled || ecs.Invariants {
		t.Skip("the race detector and the checks of the invariants build allocate")
	}
	r := newRig(t)
	i := uint32(0)
	step := func() {
		i++
		r.fill(0, regions.XYWH(int32(i%8)*8, 0, 8, 8), i)
		r.copy(regions.XYWH(0, 16, width, 8), 0, 17)
		r.raster.Update(0, regions.XYWH(0, 0, width, height))
	}
	for range 100 {
		step()
	}
	if n := testing.AllocsPerRun(500, step); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
