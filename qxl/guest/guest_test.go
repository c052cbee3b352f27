package guest_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/guest"
	"github.com/spiceecs/spiceecs/qxl/record"
	"github.com/spiceecs/spiceecs/qxl/record/recordtest"
)

// side is a guest with the device's view of its memory.
type side struct {
	*guest.VRAM
	*guest.Assembler
	*qxl.Decoder
}

func newSide(t testing.TB, size int) side {
	v, err := guest.NewVRAM(size)
	if err != nil {
		t.Fatal(err)
	}
	m, err := qxl.NewMemory(qxl.MemoryConfig{Groups: 1, Slots: 1, GenBits: 8, IDBits: 8})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.AddSlot(v.Slot()); err != nil {
		t.Fatal(err)
	}
	return side{v, guest.NewAssembler(v), qxl.NewDecoder(m)}
}

// through assembles the command in ev, decodes it, and says how the two differ.
// The resource is what the engine would release.
func (s *side) through(t *testing.T, ev *record.Event, got *record.Event) (res qxl.Resource, diff string) {
	t.Helper()
	var c qxl.Command
	var err error
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("type %d, drawable type %d: %v", ev.Type, ev.Drawable.Type, err)
		}
	}
	switch qxl.CommandType(ev.Type) {
	case qxl.CommandDraw:
		c, err = s.Assembler.Drawable(&ev.Drawable)
		check(err)
		check(s.Decoder.Drawable(&got.Drawable, c))
		res, diff = got.Drawable.Resource, recordtest.Diff(&got.Drawable, &ev.Drawable)
	case qxl.CommandUpdate:
		c, err = s.Assembler.Update(&ev.Update)
		check(err)
		check(s.Decoder.Update(&got.Update, c))
		res, diff = got.Update.Resource, recordtest.Diff(&got.Update, &ev.Update)
	case qxl.CommandCursor:
		c, err = s.Assembler.Cursor(&ev.Cursor)
		check(err)
		check(s.Decoder.Cursor(&got.Cursor, c))
		res, diff = got.Cursor.Resource, recordtest.Diff(&got.Cursor, &ev.Cursor)
	case qxl.CommandMessage:
		c, err = s.Assembler.Message(&ev.Message)
		check(err)
		check(s.Decoder.Message(&got.Message, c))
		res, diff = got.Message.Resource, recordtest.Diff(&got.Message, &ev.Message)
	case qxl.CommandSurface:
		pixels, mem, err := s.Alloc(max(int(ev.Surface.Stride), -int(ev.Surface.Stride)) * int(ev.Surface.Height))
		check(err)
		if ev.Surface.Action == qxl.SurfaceDestroy {
			c, _, err = s.DestroySurface(&ev.Surface, pixels)
		} else {
			copy(mem, ev.Surface.Memory)
			ev.Surface.Memory = mem
			c, err = s.CreateSurface(&ev.Surface, pixels)
			defer s.Free(pixels)
		}
		check(err)
		check(s.Decoder.Surface(&got.Surface, c))
		res, diff = got.Surface.Resource, recordtest.Diff(&got.Surface, &ev.Surface)
	}
	if c.Type != qxl.CommandType(ev.Type) || c.Group != 0 || c.Flags != 0 || res.Data != c.Data {
		t.Fatalf("ring entry %+v for type %d, resource %+v", c, ev.Type, res)
	}
	return res, diff
}

// TestCommands lays out commands of every type and reads them as the device does.
func TestCommands(t *testing.T) {
	seed := rand.Uint64()
	rnd := recordtest.New(seed)
	s := newSide(t, 1<<20)
	var held []qxl.Resource
	var got record.Event
	for i := range 20000 {
		var ev record.Event
		rnd.Command(&ev)
		s.MaxChunk = rnd.IntN(3) * rnd.IntN(50)
		res, diff := s.through(t, &ev, &got)
		if diff != "" {
			t.Fatalf("seed %d: command %d, type %d: %s", seed, i, ev.Type, diff)
		}
		if held = append(held, res); len(held) > 8 {
			j := rnd.IntN(len(held))
			if err := s.Release(held[j]); err != nil {
				t.Fatalf("seed %d: command %d: release: %v", seed, i, err)
			}
			held = slices.Delete(held, j, j+1)
		}
	}
	for _, res := range held {
		if err := s.Release(res); err != nil {
			t.Fatal(err)
		}
	}
	if s.Used() != 0 {
		t.Fatalf("seed %d: %d bytes were never freed", seed, s.Used())
	}
}

// TestAtTheEnd puts commands in an arena that just holds them: what the device
// maps of each lies inside.
func TestAtTheEnd(t *testing.T) {
	seed := rand.Uint64()
	rnd := recordtest.New(seed)
	s := newSide(t, 1<<20)
	var got record.Event
	for i := range 2000 {
		var ev record.Event
		ev.Type = uint32(qxl.CommandDraw)
		rnd.Drawable(&ev.Drawable, qxl.DrawType(rnd.IntN(15)), &ev.Chunks)
		res, _ := s.through(t, &ev, &got)
		used := s.Used()
		if err := s.Release(res); err != nil {
			t.Fatal(err)
		}
		front, _, err := s.Alloc(1<<20 - used)
		if err != nil {
			t.Fatal(err)
		}
		res, diff := s.through(t, &ev, &got)
		if diff != "" || s.Used() != 1<<20 {
			t.Fatalf("seed %d: command %d: %d bytes used, %s", seed, i, s.Used(), diff)
		}
		if err := errors.Join(s.Release(res), s.Free(front)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFull(t *testing.T) {
	s := newSide(t, guest.MinSize)
	m := qxl.MessageCommand{Text: make([]byte, guest.MinSize)}
	if _, err := s.Assembler.Message(&m); !errors.Is(err, guest.ErrTooLarge) {
		t.Fatalf("too large: %v", err)
	}
	m.Text = m.Text[:guest.MinSize-32]
	c, err := s.Assembler.Message(&m)
	if err != nil {
		t.Fatalf("all of it: %v", err)
	}
	if _, err := s.Assembler.Update(&qxl.UpdateCommand{}); !errors.Is(err, guest.ErrFull) {
		t.Fatalf("full: %v", err)
	}
	var got qxl.MessageCommand
	for i := range m.Text {
		m.Text[i] = 'x'
	}
	if err := s.Decoder.Message(&got, c); err != nil || len(got.Text) != 0 {
		t.Fatalf("message: %d bytes, %v", len(got.Text), err)
	}
	if err := s.Release(got.Resource); err != nil {
		t.Fatal(err)
	}
	if err := s.Release(got.Resource); !errors.Is(err, guest.ErrNotAllocated) {
		t.Fatalf("second release: %v", err)
	}
	if _, err := s.Assembler.Update(&qxl.UpdateCommand{}); err != nil {
		t.Fatalf("after release: %v", err)
	}
	if err := s.Release(got.Resource); !errors.Is(err, guest.ErrNotAllocated) {
		t.Fatalf("stale release: %v", err)
	}
	for _, b := range []guest.Block{0, 99, 1 << 40, ^guest.Block(0)} {
		if err := s.Free(b); !errors.Is(err, guest.ErrNotAllocated) {
			t.Fatalf("free of %#x: %v", b, err)
		}
	}
}

// TestVRAM allocates and frees in any order and compares with a list of what is
// taken: no block overlaps another, blocks lie inside, and what is refused does
// not fit anywhere.
func TestVRAM(t *testing.T) {
	const size = 64 << 10
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 2))
	v, err := guest.NewVRAM(size)
	if err != nil {
		t.Fatal(err)
	}
	owner := make([]guest.Block, size/16) // who has each unit
	type taken struct {
		b   guest.Block
		mem []byte
	}
	var live []taken
	units := func(x taken) []guest.Block {
		at, err := v.Offset(x.b)
		if err != nil || &v.Slot().Mem[at] != &x.mem[0] {
			t.Fatalf("seed %d: block %#x is not at %d: %v", seed, x.b, at, err)
		}
		return owner[at/16 : (at+len(x.mem)+15)/16]
	}
	refused := 0
	for i := range 40_000 {
		if n := 1 + rnd.IntN(1<<rnd.IntN(15)); rnd.IntN(2) == 0 {
			b, mem, err := v.Alloc(n)
			if errors.Is(err, guest.ErrFull) {
				refused++
				if gap := longest(owner); gap >= 2*n {
					t.Fatalf("seed %d: step %d: %d bytes refused with %d in one gap", seed, i, n, gap)
				}
				continue
			}
			if err != nil || len(mem) != n {
				t.Fatalf("seed %d: step %d: %d bytes: %d, %v", seed, i, n, len(mem), err)
			}
			x := taken{b, mem}
			for _, o := range units(x) {
				if o != 0 {
					t.Fatalf("seed %d: step %d: overlaps block %#x", seed, i, o)
				}
			}
			fill(units(x), b)
			live = append(live, x)
		} else if len(live) > 0 {
			j := rnd.IntN(len(live))
			fill(units(live[j]), 0)
			if err := v.Free(live[j].b); err != nil {
				t.Fatalf("seed %d: step %d: %v", seed, i, err)
			}
			live[j] = live[len(live)-1]
			live = live[:len(live)-1]
		}
	}
	for _, x := range live {
		if err := v.Free(x.b); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := v.Alloc(size); err != nil || refused == 0 {
		t.Fatalf("seed %d: all of it after freeing everything: %v; %d refused before", seed, err, refused)
	}
}

func longest(owner []guest.Block) int {
	best, run := 0, 0
	for _, o := range owner {
		if run++; o != 0 {
			run = 0
		}
		best = max(best, run)
	}
	return best * 16
}

func fill(u []guest.Block, b guest.Block) {
	for i := range u {
		u[i] = b
	}
}

func TestSteadyStateAllocatesNothing(t *testing.T) {
	rnd := recordtest.New(3)
	s := newSide(t, 4<<20)
	var events [100]record.Event
	for i := range events {
		ev := &events[i]
		ev.Type = uint32(qxl.CommandDraw)
		rnd.Drawable(&ev.Drawable, qxl.DrawType(i%15), &ev.Chunks)
	}
	var got qxl.Drawable
	pass := func() {
		for i := range events {
			c, err := s.Assembler.Drawable(&events[i].Drawable)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Decoder.Drawable(&got, c); err != nil {
				t.Fatal(err)
			}
			if err := s.Release(got.Resource); err != nil {
				t.Fatal(err)
			}
		}
	}
	pass()
	if n := testing.AllocsPerRun(20, pass); n != 0 {
		t.Errorf("%v allocations for %d commands", n, len(events))
	}
}

func BenchmarkVRAM(b *testing.B) {
	v, err := guest.NewVRAM(64 << 20)
	if err != nil {
		b.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	var held [1024]guest.Block
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		j := rnd.IntN(len(held))
		if held[j] != 0 {
			if err := v.Free(held[j]); err != nil {
				b.Fatal(err)
			}
		}
		if held[j], _, err = v.Alloc(200 + rnd.IntN(20000)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFill(b *testing.B) {
	s := newSide(b, 4<<20)
	var d qxl.Drawable
	d.Reset()
	d.Type, d.Brush.Type, d.Rop = qxl.DrawFill, qxl.BrushSolid, qxl.RopPut
	d.BBox.Right, d.BBox.Bottom = 10, 10
	var got qxl.Drawable
	b.ReportAllocs()
	for b.Loop() {
		c, err := s.Assembler.Drawable(&d)
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Decoder.Drawable(&got, c); err != nil {
			b.Fatal(err)
		}
		if err := s.Release(got.Resource); err != nil {
			b.Fatal(err)
		}
	}
}
