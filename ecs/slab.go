package ecs

import "fmt"

// A Handle names a slot of a Slab together with the slot's generation at the
// time it was allocated, so that a handle that outlived its value is noticed.
// The zero Handle names nothing.
type Handle uint32

const (
	indexBits = 22
	indexMask = 1<<indexBits - 1
	genMask   = 1<<(32-indexBits) - 1
	chunkBits = 8
	chunkSize = 1 << chunkBits

	// MaxSlots is how many values a Slab can hold at once.
	MaxSlots = indexMask
)

func (h Handle) index() uint32 { return uint32(h) & indexMask }
func (h Handle) gen() uint32   { return uint32(h) >> indexBits }

// Slab holds values of one type at stable addresses and hands out handles to
// them. A freed slot keeps its value, storage of slices included, for the next
// Alloc, which therefore allocates nothing in the steady state. Chunks of 256
// slots are added as needed and never given back; at most MaxSlots values live.
type Slab[T any] struct {
	name   string
	chunks [][]T
	gens   []uint16 // generation of each slot; odd while it is in use
	free   []uint32
	live   int
}

// NewSlab returns an empty slab. name appears in the panics of the invariants
// build.
func NewSlab[T any](name string) *Slab[T] { return &Slab[T]{name: name} }

// Alloc returns a free slot with its last value, and its handle. ok is false
// when MaxSlots values are live.
func (s *Slab[T]) Alloc() (h Handle, v *T, ok bool) {
	if len(s.free) == 0 && !s.grow() {
		return 0, nil, false
	}
	i := s.free[len(s.free)-1]
	s.free = s.free[:len(s.free)-1]
	s.gens[i] = (s.gens[i] + 1) & genMask
	s.live++
	return Handle(uint32(s.gens[i])<<indexBits | i), s.at(i), true
}

// grow adds a chunk. Slot 0 is never used, so that no handle is zero.
func (s *Slab[T]) grow() bool {
	n := uint32(len(s.gens))
	if n+chunkSize > indexMask+1 {
		return false
	}
	s.chunks = append(s.chunks, make([]T, chunkSize))
	s.gens = append(s.gens, make([]uint16, chunkSize)...)
	for i := n + chunkSize - 1; i > n; i-- {
		s.free = append(s.free, i)
	}
	if n > 0 {
		s.free = append(s.free, n)
	}
	return true
}

func (s *Slab[T]) at(i uint32) *T { return &s.chunks[i>>chunkBits][i&(chunkSize-1)] }

// Get returns the value that h names, or nil if h is zero or stale. In the
// invariants build a stale handle panics.
func (s *Slab[T]) Get(h Handle) *T {
	i := h.index()
	if h == 0 {
		return nil
	}
	if i >= uint32(len(s.gens)) || uint32(s.gens[i]) != h.gen() || h.gen()&1 == 0 {
		if Invariants {
			panic(fmt.Sprintf("slab %s: stale handle %#x", s.name, uint32(h)))
		}
		return nil
	}
	return s.at(i)
}

// Free gives the slot of h back and reports whether h named one. In the
// invariants build a stale handle panics.
func (s *Slab[T]) Free(h Handle) bool {
	if s.Get(h) == nil {
		return false
	}
	i := h.index()
	s.gens[i] = (s.gens[i] + 1) & genMask
	s.free = append(s.free, i)
	s.live--
	return true
}

// Len is the number of live values.
func (s *Slab[T]) Len() int { return s.live }
