package ecs

import (
	"math/rand/v2"
	"testing"
)

func newRand(t testing.TB) *rand.Rand {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// stale checks that h names nothing, or in the invariants build panics.
func stale[T any](t *testing.T, s *Slab[T], h Handle) {
	t.Helper()
	for name, use := range map[string]func() bool{
		"Get": func() bool { return s.Get(h) == nil }, "Free": func() bool { return !s.Free(h) },
	} {
		func() {
			defer func() {
				if r := recover(); (r != nil) != Invariants {
					t.Errorf("%s of a stale handle panicked: %v", name, r)
				}
			}()
			if !use() {
				t.Errorf("%s accepts a stale handle", name)
			}
		}()
	}
}

// TestSlab holds a slab against a map, for random events.
func TestSlab(t *testing.T) {
	rnd := newRand(t)
	s := NewSlab[uint64]("test")
	live := map[Handle]uint64{}
	var gone []Handle
	for range 20000 {
		if grow := len(live) < 1000 && rnd.IntN(5) < 3; grow || len(live) == 0 {
			h, v, ok := s.Alloc()
			if _, taken := live[h]; !ok || h == 0 || taken {
				t.Fatalf("Alloc: handle %#x, %v, taken %v", h, ok, taken)
			}
			*v = rnd.Uint64()
			live[h] = *v
			continue
		}
		for h, want := range live { // any one
			if v := s.Get(h); v == nil || *v != want {
				t.Fatalf("handle %#x: %v, want %d", h, v, want)
			}
			if !s.Free(h) {
				t.Fatalf("Free of %#x", h)
			}
			delete(live, h)
			gone = append(gone, h)
			break
		}
		if s.Len() != len(live) {
			t.Fatalf("%d live, want %d", s.Len(), len(live))
		}
	}
	for h, want := range live {
		if v := s.Get(h); v == nil || *v != want {
			t.Fatalf("handle %#x: %v, want %d", h, v, want)
		}
	}
	for _, h := range gone[len(gone)-200:] {
		if _, again := live[h]; !again {
			stale(t, s, h)
		}
	}
}

func TestSlabZeroAndForeignHandles(t *testing.T) {
	s := NewSlab[int]("test")
	if s.Get(0) != nil || s.Free(0) {
		t.Error("the zero handle names something")
	}
	stale(t, s, 1)
	h, _, _ := s.Alloc()
	stale(t, s, h+1)            // never allocated
	stale(t, s, h|chunkSize<<4) // beyond the end
	stale(t, s, h^1<<indexBits) // free generation
	stale(t, s, h+2<<indexBits) // future generation
	if s.Get(h) == nil {
		t.Error("a good handle names nothing")
	}
}

// TestSlabReuse: a freed slot comes back first, with its value and storage.
func TestSlabReuse(t *testing.T) {
	s := NewSlab[[]byte]("test")
	_, _, _ = s.Alloc()
	h, v, _ := s.Alloc()
	*v = make([]byte, 10, 100)
	s.Free(h)
	h2, v2, _ := s.Alloc()
	if v2 != v || cap(*v2) != 100 || h2 == h {
		t.Errorf("slot %p of %#x became %p of %#x", v, h, v2, h2)
	}
	if n := testing.AllocsPerRun(100, func() {
		h, _, _ := s.Alloc()
		s.Free(h)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestSlabAddresses: growing moves nothing.
func TestSlabAddresses(t *testing.T) {
	s := NewSlab[int]("test")
	h, v, _ := s.Alloc()
	for range 10 * chunkSize {
		s.Alloc()
	}
	if s.Get(h) != v {
		t.Error("a value has moved")
	}
}

// TestSlabGenerations: a handle is noticed to be stale until the generations of
// its slot, of which every other one is in use, have gone around.
func TestSlabGenerations(t *testing.T) {
	s := NewSlab[int]("test")
	first, _, _ := s.Alloc()
	s.Free(first)
	for life := range (genMask+1)/2 - 1 {
		h, _, _ := s.Alloc()
		if h == first || h == 0 || h.index() != first.index() {
			t.Fatalf("life %d: handle %#x", life, h)
		}
		if life%100 == 0 {
			stale(t, s, first)
		}
		s.Free(h)
	}
	if h, _, _ := s.Alloc(); h != first {
		t.Errorf("handle %#x after all generations, want %#x", h, first)
	}
}

func TestSlabLimit(t *testing.T) {
	s := NewSlab[byte]("test")
	var last Handle
	for i := range MaxSlots {
		h, _, ok := s.Alloc()
		if !ok {
			t.Fatalf("full after %d values", i)
		}
		last = h
	}
	if h, v, ok := s.Alloc(); ok || h != 0 || v != nil {
		t.Errorf("one too many: %#x", h)
	}
	s.Free(last)
	if _, _, ok := s.Alloc(); !ok {
		t.Error("still full")
	}
}

func BenchmarkSlabAllocFree(b *testing.B) {
	s := NewSlab[[64]byte]("test")
	for b.Loop() {
		h, _, _ := s.Alloc()
		s.Free(h)
	}
}

func BenchmarkSlabGet(b *testing.B) {
	s := NewSlab[[64]byte]("test")
	h, _, _ := s.Alloc()
	for b.Loop() {
		s.Get(h)[0]++
	}
}
