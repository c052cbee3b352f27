package tree_test

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
	"github.com/spiceecs/spiceecs/systems/release"
	"github.com/spiceecs/spiceecs/systems/tree"
)

// bench is a tree with one surface and a single consumer, which takes the oldest
// drawable whenever there are more than limit.
type bench struct {
	scene   *components.Scene
	rel     *release.Releaser
	tree    *tree.Tree
	limit   int
	waiting ecs.List
	order   ecs.Links[components.Drawable]
}

func newBench(width, height int32, limit int) *bench {
	b := &bench{scene: components.NewScene(1), limit: limit}
	b.rel = release.New(b.scene, func(qxl.Resource) {})
	b.tree = tree.New(b.scene, b)
	b.rel.Ending = b.tree.Forget
	b.order = ecs.NewLinks(&b.scene.Drawables, func(d *components.Drawable) *ecs.Link { return &d.DeviceLink })
	b.tree.CreateSurface(0, width, height)
	return b
}

// Hidden is the consumer being told that it need not look any more.
func (b *bench) Hidden(e ecs.Entity) {
	b.order.Remove(&b.waiting, e)
	b.rel.Unref(e)
}

// add makes a drawable and hands it to the tree.
func (b *bench) add(typ qxl.DrawType, effect qxl.Effect, box regions.Rect, from regions.Point) {
	h, cmd, _ := b.scene.Commands.Alloc()
	cmd.Reset()
	cmd.Type, cmd.Effect, cmd.BBox, cmd.SrcPos = typ, effect, box, from
	e, d, _ := b.scene.NewDrawable.New()
	b.scene.Seq++
	d.Seq, d.Command, d.Refs = b.scene.Seq, h, 2
	d.BBox, d.Type, d.Effect = box, typ, effect
	b.order.PushBack(&b.waiting, e)
	b.tree.Add(e)
	b.rel.Unref(e)
	for int(b.waiting.Len) > b.limit {
		b.Hidden(b.waiting.First)
	}
	if b.tree.Exhausted() {
		b.tree.Restart()
	}
}

// workload adds one drawable per call.
type workload func(b *bench) func()

// spread puts small opaque rectangles on a grid over the whole screen, each
// time in the place that has waited longest.
func spread(b *bench) func() {
	const w, h = 6, 3
	cols, rows := int32(1920/w), int32(1080/h)
	step := max(1, cols*rows/int32(b.limit))
	i := int32(0)
	return func() {
		cell := i * step % (cols * rows)
		i++
		b.add(qxl.DrawFill, qxl.EffectOpaque, regions.XYWH(cell%cols*w, cell/cols*h, w, h), regions.Point{})
	}
}

// translucent stacks windows that hide nothing anywhere on the screen.
func translucent(b *bench) func() {
	rnd := rand.New(rand.NewPCG(1, 2))
	return func() {
		w, h := 100+rnd.Int32N(300), 100+rnd.Int32N(200)
		box := regions.XYWH(rnd.Int32N(1920-w), rnd.Int32N(1080-h), w, h)
		b.add(qxl.DrawFill, qxl.EffectBlend, box, regions.Point{})
	}
}

// cascades stacks opaque windows one pixel to the right of and below each
// other, so that two edges of every one can be seen.
func cascades(b *bench) func() {
	const size, length, stacks = 48, 500, 490
	i := int32(0)
	return func() {
		n, at := i/length%stacks, i%length
		i++
		x, y := n%70*100+at, n/70*548+at
		b.add(qxl.DrawFill, qxl.EffectOpaque, regions.XYWH(x, y, size, size), regions.Point{})
	}
}

// scrolls keeps windows of 24 lines scrolling in turn, line by line: a copy of
// the window onto itself and a new line, which leave a history of both behind.
func scrolls(b *bench) func() {
	const width, lines = 60, 24
	cols := int32(1920 / width)
	windows := max(1, int32(b.limit)/(2*lines))
	i := int32(0)
	return func() {
		n := i / 2 % windows
		win := regions.XYWH(n%cols*width, n/cols*lines, width, lines)
		if i%2 == 0 {
			from := regions.Point{X: win.Left, Y: win.Top + 1}
			b.add(qxl.DrawCopyBits, qxl.EffectOpaque, regions.XYWH(win.Left, win.Top, width, lines-1), from)
		} else {
			b.add(qxl.DrawFill, qxl.EffectOpaque, regions.XYWH(win.Left, win.Bottom-1, width, 1), regions.Point{})
		}
		i++
	}
}

var workloads = []struct {
	name          string
	width, height int32
	run           workload
}{
	{"spread", 1920, 1080, spread},
	{"translucent", 1920, 1080, translucent},
	{"cascades", 7680, 4320, cascades},
	{"scrolls", 1920, 2160, scrolls},
}

// BenchmarkAdd adds a drawable among n that are alive. The cost must not depend
// on n.
func BenchmarkAdd(b *testing.B) {
	for _, w := range workloads {
		for _, n := range []int{1_000, 10_000, 100_000} {
			b.Run(fmt.Sprintf("%s/live=%d", w.name, n), func(b *testing.B) {
				t := newBench(w.width, w.height, n)
				step := w.run(t)
				for range 2*n + 1_000 {
					step()
				}
				b.ReportAllocs()
				began := cpuTime(b)
				for b.Loop() {
					step()
				}
				b.ReportMetric(float64(cpuTime(b)-began)/float64(b.N), "cpu-ns/op")
				b.ReportMetric(float64(t.waiting.Len), "live")
			})
		}
	}
}

// cpuTime is what the process has used of its processors. On a shared machine it
// varies less than the time of day.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// TestAddAllocatesNothing once storage has grown to what is needed.
func TestAddAllocatesNothing(t *testing.T) {
	if raceEnabled || ecs.Invariants {
		t.Skip("the race detector and the checks of the invariants build allocate")
	}
	for _, w := range workloads {
		b := newBench(w.width, w.height, 1_000)
		step := w.run(b)
		for range 20_000 {
			step()
		}
		if n := testing.AllocsPerRun(2_000, step); n != 0 {
			t.Errorf("%s: %v allocations per drawable", w.name, n)
		}
	}
}
