package regions

import (
	"math/bits"
	"slices"
)

// sorter brings ids into descending order. Its working storage is kept.
type sorter struct{ words []uint64 }

// Below smallSort ids, comparing is quicker than setting up a bitmap.
const smallSort = 48

// descending sorts ids, which must be distinct.
//
// Live ids are close together, as they count up with time: then each sets its
// bit in a bitmap from the oldest to the newest, which is read back from the end.
func (s *sorter) descending(ids []uint32) {
	if len(ids) < 2 {
		return
	}
	low, high, sorted := ids[0], ids[0], true
	for i, id := range ids[1:] {
		sorted = sorted && id < ids[i]
		low, high = min(low, id), max(high, id)
	}
	words := int(high-low)/64 + 1
	switch {
	case sorted:
	case len(ids) < smallSort || words > 4*len(ids):
		slices.Sort(ids)
		slices.Reverse(ids)
	default:
		s.throughBitmap(ids, low, words)
	}
}

func (s *sorter) throughBitmap(ids []uint32, low uint32, words int) {
	if cap(s.words) < words {
		s.words = make([]uint64, words+words/2)
	}
	set := s.words[:words]
	clear(set)
	for _, id := range ids {
		set[(id-low)/64] |= 1 << ((id - low) % 64)
	}
	k := 0
	for w := words - 1; w >= 0; w-- {
		for word := set[w]; word != 0 && k < len(ids); k++ {
			b := 63 - bits.LeadingZeros64(word)
			word &^= 1 << b
			ids[k] = low + uint32(w*64+b)
		}
	}
}
