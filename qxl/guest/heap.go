package guest

import "math/bits"

// heap divides a range of units into blocks. It is a two-level segregated fit:
// free blocks are listed by size class, 16 classes for each power of two, and
// two levels of bitmaps find the first class that surely fits. Allocating and
// freeing take constant time in any order; neighbours that are free are always
// joined.
//
// Blocks are entries of one table, linked by index in the order of addresses
// and, while free, in a list of their class. Index 0 means none.
type heap struct {
	blocks []block
	spare  int32 // list of unused table entries, by next
	first  uint64
	second [levels]uint16
	lists  [levels][classes]int32
	used   uint32 // units
	total  uint32
}

type block struct {
	at, size           uint32 // units
	prev, next         int32  // by address
	prevFree, nextFree int32
	generation         uint32 // counts frees, so that a stale Block is recognised
	companion          int32  // block freed with this one
	taken              bool
}

const (
	classBits = 4
	classes   = 1 << classBits
	levels    = 32 - classBits + 1
)

// class is the list for blocks of the given size.
func class(size uint32) (level, slot int) {
	if size < classes {
		return 0, int(size)
	}
	n := bits.Len32(size)
	return n - classBits, int(size >> (n - 1 - classBits) & (classes - 1))
}

func (h *heap) init(units uint32) {
	*h = heap{blocks: make([]block, 1, 1024), total: units}
	i := h.entry()
	h.blocks[i].size = units
	h.list(i)
}

// alloc returns a block of at least size units, or 0.
func (h *heap) alloc(size uint32) int32 {
	i := h.find(size)
	if i == 0 {
		return 0
	}
	h.unlist(i)
	if rest := h.blocks[i].size - size; rest > 0 {
		j := h.entry()
		b, r := &h.blocks[i], &h.blocks[j]
		r.at, r.size, r.prev, r.next = b.at+size, rest, i, b.next
		h.blocks[b.next].prev = j // entry 0 takes what belongs to nobody
		b.size, b.next = size, j
		h.list(j)
	}
	h.blocks[i].taken = true
	h.used += size
	return i
}

// free gives a taken block back.
func (h *heap) free(i int32) {
	b := &h.blocks[i]
	h.used -= b.size
	b.taken = false
	b.generation++
	if j := b.next; j != 0 && !h.blocks[j].taken {
		h.unlist(j)
		h.join(i, j)
	}
	if j := b.prev; j != 0 && !h.blocks[j].taken {
		h.unlist(j)
		h.join(j, i)
		i = j
	}
	h.list(i)
}

// join makes one block of i and its next neighbour j, whose entry is recycled.
func (h *heap) join(i, j int32) {
	b, r := &h.blocks[i], &h.blocks[j]
	b.size += r.size
	b.next = r.next
	h.blocks[r.next].prev = i
	*r = block{next: h.spare, generation: r.generation}
	h.spare = j
}

// find prefers a block that was in use before, and so is in memory: first some of
// the class that size itself belongs to, then the first class all of whose
// blocks fit, then more of the former.
func (h *heap) find(size uint32) int32 {
	const few, many = 4, 64
	if i := h.search(size, few); i != 0 {
		return i
	}
	up := size
	if n := bits.Len32(size); n > classBits {
		up = size + 1<<(n-1-classBits) - 1
	}
	if up >= size {
		level, slot := class(up)
		if m := h.second[level] >> slot << slot; m != 0 {
			return h.lists[level][bits.TrailingZeros16(m)]
		}
		if m := h.first >> (level + 1) << (level + 1); m != 0 {
			level = bits.TrailingZeros64(m)
			return h.lists[level][bits.TrailingZeros16(h.second[level])]
		}
	}
	return h.search(size, many)
}

// search looks for a block that fits among the first of size's own class.
func (h *heap) search(size uint32, tries int) int32 {
	level, slot := class(size)
	i := h.lists[level][slot]
	for ; i != 0 && tries > 0; tries-- {
		if h.blocks[i].size >= size {
			return i
		}
		i = h.blocks[i].nextFree
	}
	return 0
}

func (h *heap) list(i int32) {
	b := &h.blocks[i]
	level, slot := class(b.size)
	head := &h.lists[level][slot]
	b.prevFree, b.nextFree = 0, *head
	h.blocks[*head].prevFree = i
	*head = i
	h.second[level] |= 1 << slot
	h.first |= 1 << level
}

func (h *heap) unlist(i int32) {
	b := &h.blocks[i]
	if b.nextFree != 0 {
		h.blocks[b.nextFree].prevFree = b.prevFree
	}
	if b.prevFree != 0 {
		h.blocks[b.prevFree].nextFree = b.nextFree
		return
	}
	level, slot := class(b.size)
	h.lists[level][slot] = b.nextFree
	if b.nextFree != 0 {
		return
	}
	if h.second[level] &^= 1 << slot; h.second[level] == 0 {
		h.first &^= 1 << level
	}
}

// entry returns an unused table entry, with its generation.
func (h *heap) entry() int32 {
	if i := h.spare; i != 0 {
		h.spare = h.blocks[i].next
		h.blocks[i].next = 0
		return i
	}
	h.blocks = append(h.blocks, block{})
	return int32(len(h.blocks) - 1)
}
