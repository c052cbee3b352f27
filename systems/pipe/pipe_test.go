package pipe_test

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/systems/pipe"
	"github.com/spiceecs/spiceecs/systems/release"
)

// rig is a channel whose drawables only the pipes and the test hold.
type rig struct {
	scene *components.Scene
	rel   *release.Releaser
	pipes *pipe.Pipes
	given []uint64
}

func newRig() *rig {
	r := &rig{scene: components.NewScene(1)}
	r.rel = release.New(r.scene, func(res qxl.Resource) { r.given = append(r.given, res.ID) })
	r.pipes = pipe.New(r.scene, r.rel)
	return r
}

// draw makes a drawable to which the caller holds a reference.
func (r *rig) draw(id uint64) ecs.Entity {
	h, cmd, _ := r.scene.Commands.Alloc()
	cmd.Reset()
	cmd.Resource.ID = id
	e, d, _ := r.scene.NewDrawable.New()
	d.Seq, d.Command, d.Cost, d.Refs = id, h, 10, 1
	r.scene.Held += 10
	return e
}

func (r *rig) image(slot int, id uint32) {
	h, pix, _ := r.scene.Pixels.Alloc()
	*pix = append((*pix)[:0], 1, 2, 3, 4)
	r.pipes.Append(slot, components.PipeItem{Kind: components.ItemImage, Surface: id, Pixels: h, Bytes: 4})
}

// model is what the pipes should hold: by slot, the ids of drawables, or minus
// those of images.
type model map[int][]int

func (r *rig) check(t *testing.T, m model) {
	t.Helper()
	images, drawables, most := 0, map[int]bool{}, 0
	for s := range m {
		var got []int
		for _, item := range r.pipes.Items(s) {
			if item.Kind == components.ItemImage {
				images++
				got = append(got, -int(item.Surface))
				continue
			}
			id := int(r.scene.Drawables.Get(item.Drawable).Seq)
			drawables[id] = true
			got = append(got, id)
		}
		if !slices.Equal(got, m[s]) || r.pipes.Len(s) != len(got) {
			t.Fatalf("pipe %d: %v (%d), want %v", s, got, r.pipes.Len(s), m[s])
		}
		most = max(most, len(got))
	}
	if items, bytes := r.pipes.Longest(); items != most || (bytes == 0) != (most == 0) {
		t.Fatalf("longest: %d items, %d bytes, want %d items", items, bytes, most)
	}
	if r.scene.Pixels.Len() != images || r.scene.Commands.Len() != len(drawables) {
		t.Fatalf("%d buffers, %d drawables, want %d and %d", r.scene.Pixels.Len(), r.scene.Commands.Len(), images, len(drawables))
	}
	if r.scene.Held != int64(10*len(drawables)) {
		t.Fatalf("%d bytes held by %d drawables", r.scene.Held, len(drawables))
	}
}

// TestModel holds the pipes against plain lists for random operations. No
// drawable outlives its last item, and none ends before.
func TestModel(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))
	r, m := newRig(), model{}
	alive := map[int]ecs.Entity{}
	slot := func() int {
		all := slices.Sorted(maps.Keys(m))
		if len(all) == 0 {
			return -1
		}
		return all[rnd.IntN(len(all))]
	}
	for id := 1; id < 3000; id++ {
		s := slot()
		switch k := rnd.IntN(12); {
		case k == 0 || s < 0:
			s := r.pipes.Open()
			if m[s] != nil {
				t.Fatalf("slot %d is in use", s)
			}
			m[s] = []int{}
		case k == 1:
			r.pipes.Close(s)
			delete(m, s)
		case k < 6:
			e := r.draw(uint64(id))
			for s := range m {
				if rnd.IntN(3) > 0 {
					r.pipes.AppendDraw(s, e)
					m[s] = append(m[s], id)
					alive[id] = e
				}
			}
			r.rel.Unref(e)
		case k < 8:
			r.image(s, uint32(id))
			m[s] = append(m[s], -id)
		case k == 8:
			pop(t, r, m, s)
		case k == 9:
			r.pipes.TakeDraws(s, func(item *components.PipeItem) {
				if item.Kind == components.ItemDraw && !r.scene.World.Alive(item.Drawable) {
					t.Error("taken too late")
				}
			})
			m[s] = m[s][:0]
		default:
			for id, e := range alive {
				if r.scene.World.Alive(e) {
					remove(t, r, m, s, id, e, k == 10)
				}
				delete(alive, id)
				break
			}
		}
		r.check(t, m)
	}
}

// pop takes the oldest item and lets go of it.
func pop(t *testing.T, r *rig, m model, s int) {
	item, ok := r.pipes.Pop(s)
	if ok != (len(m[s]) > 0) {
		t.Fatalf("popped: %t, %d in the pipe", ok, len(m[s]))
	}
	if ok {
		m[s] = m[s][1:]
		r.pipes.Release(&item)
	}
}

// remove takes a drawable out of one pipe, or of all.
func remove(t *testing.T, r *rig, m model, s, id int, e ecs.Entity, all bool) {
	r.rel.Ref(e)
	if all {
		r.pipes.RemoveDraw(e)
		for s := range m {
			m[s] = slices.DeleteFunc(m[s], func(i int) bool { return i == id })
		}
	} else {
		was := slices.Contains(m[s], id)
		if got := r.pipes.RemoveFrom(s, e); got != was {
			t.Fatalf("removed from pipe %d: %t, want %t", s, got, was)
		}
		m[s] = slices.DeleteFunc(m[s], func(i int) bool { return i == id })
	}
	r.rel.Unref(e)
}

// TestOldest tells since when the oldest item waits.
func TestOldest(t *testing.T) {
	r := newRig()
	s := r.pipes.Open()
	if _, ok := r.pipes.Oldest(s); ok {
		t.Error("an empty pipe has an oldest item")
	}
	start := time.Unix(100, 0)
	for i := range 3 {
		r.pipes.Now = start.Add(time.Duration(i) * time.Second)
		r.image(s, uint32(i))
	}
	for i := range 3 {
		at, ok := r.pipes.Oldest(s)
		if want := start.Add(time.Duration(i) * time.Second); !ok || !at.Equal(want) {
			t.Errorf("oldest is of %v, want %v", at, want)
		}
		item, _ := r.pipes.Pop(s)
		r.pipes.Release(&item)
	}
}

// TestSteadyState allocates nothing for a drawable that passes through two pipes.
func TestSteadyState(t *testing.T) {
	r := newRig()
	a, b := r.pipes.Open(), r.pipes.Open()
	step := func() {
		e := r.draw(1)
		r.pipes.AppendDraw(a, e)
		r.pipes.AppendDraw(b, e)
		r.rel.Unref(e)
		item, _ := r.pipes.Pop(a)
		r.pipes.Release(&item)
		r.rel.Ref(e)
		r.pipes.RemoveDraw(e)
		r.rel.Unref(e)
		r.given = r.given[:0]
	}
	if n := testing.AllocsPerRun(1000, step); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
