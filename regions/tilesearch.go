package regions

import "math/bits"

// Item is a listed item: its id, and the ref it was inserted with.
type Item struct{ ID, Ref uint32 }

// Newest appends to dst the newest items whose id is less than below and whose
// extents overlap rc, at most limit, in descending order of id.
//
// It merges the lists of the tiles that rc touches, from their ends. That costs
// the entries in them that are newer than the last item found, however many
// older ones there are.
func (t *TileIndex) Newest(rc Rect, below uint32, limit int, dst []Item) []Item {
	if rc = t.clip(rc); rc.Empty() || limit <= 0 {
		return dst
	}
	limits := limitsOf(rc)
	h := t.heads[:0]
	for i := range t.levels {
		if l := &t.levels[i]; l.entries > 0 {
			h = l.appendHeads(h, rc, limits, below)
		}
	}
	t.heads = h // for its storage
	for i := len(h)/2 - 1; i >= 0; i-- {
		h.sink(i)
	}
	for last := below; len(h) > 0; h = h.advance(limits) {
		// An item of several tiles comes from each in turn.
		if e := h[0].newest(); e.id != last && e.box.atMost(limits) {
			dst = append(dst, Item{e.id, e.ref})
			last = e.id
			if limit--; limit == 0 {
				break
			}
		}
	}
	return dst
}

// head is the entries of a tile that a search has not dealt with, at least one.
type head struct{ items []entry }

func (h *head) newest() *entry { return &h.items[len(h.items)-1] }

// heads is a heap: each head's newest entry is at least as new as that of the
// two at twice its index plus one and two.
type heads []head

// appendHeads appends what the tiles that rc touches have below an id.
func (l *level) appendHeads(h heads, rc Rect, limits lanes, below uint32) heads {
	s := l.span(rc)
	for y := s.top; y <= s.bottom; y++ {
		for i := s.left / 64; i <= s.right/64; i++ {
			row := l.occupied[y][i]
			if i == s.left/64 {
				row &= ^uint64(0) << (s.left % 64)
			}
			if i == s.right/64 {
				row &= ^uint64(0) >> (63 - s.right%64)
			}
			for ; row != 0; row &= row - 1 {
				items := l.list[y*l.cols+i*64+bits.TrailingZeros64(row)].items()
				n, _ := find(items, below)
				if items = skip(items[:n], limits); len(items) > 0 {
					h = append(h, head{items})
				}
			}
		}
	}
	return h
}

// mostSkipped is how many entries are skipped before other lists have their turn:
// these may hold what is looked for, and all that is older than that can stay unread.
const mostSkipped = 32

// skip leaves out entries at the end that are outside, as a lane exceeds limits.
func skip(items []entry, limits lanes) []entry {
	n := len(items)
	for stop := max(0, n-mostSkipped); n > stop && !items[n-1].box.atMost(limits); {
		n--
	}
	return items[:n]
}

// advance goes on from the newest entry of all to the next.
func (h heads) advance(limits lanes) heads {
	top := &h[0]
	top.items = skip(top.items[:len(top.items)-1], limits)
	if len(top.items) == 0 {
		last := len(h) - 1
		h[0] = h[last]
		h = h[:last]
	}
	h.sink(0)
	return h
}

// sink moves the head at i down to where it belongs.
func (h heads) sink(i int) {
	for {
		c := 2*i + 1
		if c >= len(h) {
			return
		}
		if c+1 < len(h) && h[c+1].newest().id > h[c].newest().id {
			c++
		}
		if h[c].newest().id <= h[i].newest().id {
			return
		}
		h[i], h[c] = h[c], h[i]
		i = c
	}
}
