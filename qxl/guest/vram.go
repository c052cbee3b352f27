package guest

import (
	"errors"
	"fmt"
	"sync"

	"github.com/spiceecs/spiceecs/qxl"
)

const (
	// DefaultSize is the arena's size where none is asked for.
	DefaultSize = 256 << 20
	// MinSize is the smallest arena: the largest command structure and some.
	MinSize = 4 << 10
	// MaxSize keeps offsets inside the narrowest addresses in use.
	MaxSize = 32 << 30

	unit = 16 // bytes that blocks are a multiple of

	// start is the guest offset of the arena, so that no block is at address 0.
	start = 1 << 20
)

var (
	// ErrFull means that the memory is there but taken: try again after a release.
	ErrFull = errors.New("guest: video memory is full")
	// ErrTooLarge means that the whole arena would not do.
	ErrTooLarge = errors.New("guest: larger than video memory")
	// ErrNotAllocated means that a block is freed twice, or never was one.
	ErrNotAllocated = errors.New("guest: block is not allocated")
)

// Block names allocated memory. No two blocks ever share a name while one of
// them is allocated, and a freed one's is not used again for 2^32 allocations.
type Block uint64

func (b Block) index() int32 { return int32(uint32(b)) }

// VRAM is a guest's video memory.
type VRAM struct {
	mem  []byte
	base uint64 // guest offset of mem[0]

	mu   sync.Mutex
	heap heap
}

// NewVRAM makes an arena of size bytes, or of DefaultSize for 0.
func NewVRAM(size int) (*VRAM, error) {
	if size == 0 {
		size = DefaultSize
	}
	if size < MinSize || size > MaxSize {
		return nil, fmt.Errorf("guest: %d bytes of video memory, want %d to %d", size, MinSize, MaxSize)
	}
	return MapVRAM(make([]byte, size), start)
}

// MapVRAM makes an arena of the memory mem, which guest addresses know at the
// offset base.
func MapVRAM(mem []byte, base uint64) (*VRAM, error) {
	if len(mem) < MinSize || len(mem) > MaxSize {
		return nil, fmt.Errorf("guest: %d bytes of video memory, want %d to %d", len(mem), MinSize, MaxSize)
	}
	v := &VRAM{mem: mem[:len(mem)&^(unit-1)], base: base}
	v.heap.init(uint32(len(v.mem) / unit))
	return v, nil
}

// Slot is the memory slot through which the commands' addresses resolve: group,
// id and generation 0.
func (v *VRAM) Slot() qxl.Slot { return qxl.Slot{Start: v.base, Mem: v.mem} }

// Used is the number of bytes in allocated blocks.
func (v *VRAM) Used() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return int(v.heap.used) * unit
}

// Alloc takes size bytes, whose content is undefined. The error is ErrFull or
// ErrTooLarge.
func (v *VRAM) Alloc(size int) (Block, []byte, error) {
	b, mem, _, err := v.alloc(size)
	return b, mem, err
}

// alloc is Alloc that tells the guest address as well.
func (v *VRAM) alloc(size int) (Block, []byte, qxl.PHYS, error) {
	units := (uint64(max(size, 1)) + unit - 1) / unit
	if size < 0 || units > uint64(v.heap.total) {
		return 0, nil, 0, fmt.Errorf("%w: %d bytes of %d", ErrTooLarge, size, len(v.mem))
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	i := v.heap.alloc(uint32(units))
	if i == 0 {
		return 0, nil, 0, ErrFull
	}
	b := &v.heap.blocks[i]
	at := int(b.at) * unit
	return Block(uint64(b.generation)<<32 | uint64(i)), v.mem[at : at+size : at+size], qxl.PHYS(v.base + uint64(at)), nil
}

// Free gives a block back, and the one attached to it.
func (v *VRAM) Free(b Block) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	i, err := v.lookup(b)
	if err != nil {
		return err
	}
	if j := v.heap.blocks[i].companion; j != 0 {
		v.heap.blocks[i].companion = 0
		v.heap.free(j)
	}
	v.heap.free(i)
	return nil
}

// Release frees the block of an assembled command.
func (v *VRAM) Release(r qxl.Resource) error { return v.Free(Block(r.ID)) }

// attach makes b be freed with the block to.
func (v *VRAM) attach(to, b Block) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	i, err := v.lookup(to)
	if err != nil {
		return err
	}
	j, err := v.lookup(b)
	if err != nil {
		return err
	}
	v.heap.blocks[i].companion = j
	return nil
}

// Address is the guest address of an allocated block.
func (v *VRAM) Address(b Block) (qxl.PHYS, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	i, err := v.lookup(b)
	if err != nil {
		return 0, err
	}
	return qxl.PHYS(v.base + uint64(v.heap.blocks[i].at)*unit), nil
}

func (v *VRAM) lookup(b Block) (int32, error) {
	i := b.index()
	if i <= 0 || int(i) >= len(v.heap.blocks) {
		return 0, ErrNotAllocated
	}
	if e := &v.heap.blocks[i]; !e.taken || e.generation != uint32(b>>32) {
		return 0, ErrNotAllocated
	}
	return i, nil
}
