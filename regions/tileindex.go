package regions

import (
	"math/bits"
	"slices"
)

// TileIndex finds which of a surface's items lie in a rectangle.
//
// The surface is cut into square tiles several times over: level 0 has tiles of
// 32x32 pixels, and each further level has tiles four times as wide and high. An
// item is listed in the tiles it touches, at the finest level where these are at
// most maxTiles, so a full-screen item costs no more than a small one. A list
// holds, sorted by id, the items' rectangles beside the ids: a query reads a few
// short arrays from front to back and meets only true neighbours.
//
// The index belongs to one goroutine. Its memory is bounded by maxTiles entries
// of 16 bytes for each item (times four, as lists shrink late), and 32 bytes for
// each 32x32 pixels of the surface once an item was there.
type TileIndex struct {
	width, height int32
	levels        []level
	order         sorter
	found         []uint64 // by Newest
}

const (
	tileShift  = 5 // log2 of the width of a level 0 tile
	levelShift = 2 // log2 of how much wider the tiles of the next level are
	maxTiles   = 16
)

// level is one division of the surface into tiles, which are numbered by row.
type level struct {
	shift    uint // log2 of the tile width
	cols     int
	rows     int
	entries  int        // in all lists together
	list     []list     // by tile; nil until the first insertion
	occupied [][]uint64 // by tile row: a bit for each tile whose list is not empty
}

// entry is an item in a tile's list.
type entry struct {
	id, ref                  uint32
	left, top, right, bottom int16
}

// list is the items of a tile, sorted by id, ascending: buf[head:]. Items come
// at the end and mostly go near one of the ends.
type list struct {
	buf  []entry
	head int
}

func (l *list) items() []entry { return l.buf[l.head:] }

// NewTileIndex makes an empty index for a surface of width x height pixels, each
// at most MaxCoord.
func NewTileIndex(width, height int32) *TileIndex {
	t := &TileIndex{width: min(max(width, 0), MaxCoord), height: min(max(height, 0), MaxCoord)}
	for shift := uint(tileShift); ; shift += levelShift {
		last := span{0, 0, int(t.width-1) >> shift, int(t.height-1) >> shift}
		t.levels = append(t.levels, level{shift: shift, cols: last.right + 1, rows: last.bottom + 1})
		if last.tiles() <= maxTiles {
			return t
		}
	}
}

// span is a range of tiles, all ends included.
type span struct{ left, top, right, bottom int }

func (s span) tiles() int { return (s.right - s.left + 1) * (s.bottom - s.top + 1) }

// span is the tiles of l that rc, which must not be empty, touches.
func (l *level) span(rc Rect) span {
	return span{int(rc.Left) >> l.shift, int(rc.Top) >> l.shift, int(rc.Right-1) >> l.shift, int(rc.Bottom-1) >> l.shift}
}

// clip is the part of rc on the surface.
func (t *TileIndex) clip(rc Rect) Rect { return rc.Intersect(Rect{0, 0, t.width, t.height}) }

// place is where an item of the extents rc, which must not be empty, is listed.
func (t *TileIndex) place(rc Rect) (*level, span) {
	l := &t.levels[0]
	s := l.span(rc)
	for i := 1; i < len(t.levels) && s.tiles() > maxTiles; i++ {
		l = &t.levels[i]
		s = l.span(rc)
	}
	return l, s
}

// Insert lists the item with the extents rc. What lies outside the surface does
// not count; an item with nothing on it is not listed. Ids are cheapest to insert
// in ascending order, which is the order of time.
func (t *TileIndex) Insert(id uint32, rc Rect) { t.Put(id, 0, rc) }

// Put is Insert for an item that Newest will report with ref, a number that is
// the caller's own.
func (t *TileIndex) Put(id, ref uint32, rc Rect) {
	if rc = t.clip(rc); rc.Empty() {
		return
	}
	l, s := t.place(rc)
	if l.list == nil {
		l.allocate()
	}
	e := entry{id, ref, int16(rc.Left), int16(rc.Top), int16(rc.Right), int16(rc.Bottom)}
	for y := s.top; y <= s.bottom; y++ {
		for x := s.left; x <= s.right; x++ {
			l.insert(x, y, e)
		}
	}
}

// Remove takes away the item that was inserted, or moved to, with the extents rc.
// To remove an item that is not listed there does nothing.
func (t *TileIndex) Remove(id uint32, rc Rect) {
	if rc = t.clip(rc); rc.Empty() {
		return
	}
	l, s := t.place(rc)
	if l.entries == 0 {
		return
	}
	for y := s.top; y <= s.bottom; y++ {
		for x := s.left; x <= s.right; x++ {
			l.remove(x, y, id)
		}
	}
}

// Move changes the extents of an item from old to now.
func (t *TileIndex) Move(id uint32, old, now Rect) {
	if old == now {
		return
	}
	ref := t.ref(id, t.clip(old))
	t.Remove(id, old)
	t.Put(id, ref, now)
}

// ref is what an item with the extents rc was put with, 0 if it is not listed.
func (t *TileIndex) ref(id uint32, rc Rect) uint32 {
	if rc.Empty() {
		return 0
	}
	if l, s := t.place(rc); l.entries > 0 {
		items := l.list[s.top*l.cols+s.left].items()
		if i, known := find(items, id); known {
			return items[i].ref
		}
	}
	return 0
}

// Item is a listed item: its id, and the ref it was put with.
type Item struct{ ID, Ref uint32 }

// Newest appends to dst the newest items whose id is less than below and whose
// extents overlap rc, at most limit, in descending order of id. It costs the
// tiles that rc touches and limit, not the number of older items.
func (t *TileIndex) Newest(rc Rect, below uint32, limit int, dst []Item) []Item {
	if rc = t.clip(rc); rc.Empty() {
		return dst
	}
	t.found = t.found[:0]
	for i := range t.levels {
		if l := &t.levels[i]; l.entries > 0 {
			l.visit(rc, func(items []entry, first Rect) {
				t.found = appendNewest(t.found, items, rc, first, below, limit)
			})
		}
	}
	// An item is one word, its id on top: words sort as ids do.
	slices.Sort(t.found)
	for i := len(t.found) - 1; i >= max(0, len(t.found)-limit); i-- {
		dst = append(dst, Item{uint32(t.found[i] >> 32), uint32(t.found[i])})
	}
	return dst
}

// Query appends to dst the ids of the items whose extents overlap rc, newest
// first: in descending order, each once.
func (t *TileIndex) Query(rc Rect, dst []uint32) []uint32 {
	if rc = t.clip(rc); rc.Empty() {
		return dst
	}
	n := len(dst)
	for i := range t.levels {
		if l := &t.levels[i]; l.entries > 0 {
			dst = l.query(rc, dst)
		}
	}
	t.order.descending(dst[n:])
	return dst
}

func (l *level) allocate() {
	l.list = make([]list, l.cols*l.rows)
	l.occupied = make([][]uint64, l.rows)
	words := (l.cols + 63) / 64
	all := make([]uint64, words*l.rows)
	for y := range l.occupied {
		l.occupied[y] = all[y*words : (y+1)*words]
	}
}

// find is where id is, or belongs, in a list.
func find(items []entry, id uint32) (int, bool) {
	n := len(items)
	if n == 0 || items[n-1].id < id {
		return n, false
	}
	i, j := 0, n-1 // items[j].id >= id
	for i < j {
		if h := (i + j) / 2; items[h].id < id {
			i = h + 1
		} else {
			j = h
		}
	}
	return i, items[i].id == id
}

func (l *level) insert(x, y int, e entry) {
	p := &l.list[y*l.cols+x]
	i, known := find(p.items(), e.id)
	if known {
		p.items()[i] = e
		return
	}
	if len(p.buf) == cap(p.buf) && p.head > cap(p.buf)/2 {
		p.buf, p.head = p.buf[:copy(p.buf, p.items())], 0
	}
	p.buf = slices.Insert(p.buf, p.head+i, e)
	l.occupied[y][x/64] |= 1 << (x % 64)
	l.entries++
}

// Lists with room for more than keepRoom entries give memory back when three
// quarters of it are unused.
const keepRoom = 64

func (l *level) remove(x, y int, id uint32) {
	p := &l.list[y*l.cols+x]
	items := p.items()
	i, known := find(items, id)
	if !known {
		return
	}
	if i < len(items)/2 {
		copy(items[1:i+1], items[:i])
		p.head++
	} else {
		p.buf = slices.Delete(p.buf, p.head+i, p.head+i+1)
	}
	items = p.items()
	if c := cap(p.buf); c > keepRoom && len(items) <= c/4 {
		p.buf, p.head = append(make([]entry, 0, c/2), items...), 0
	}
	if len(items) == 0 {
		p.buf, p.head = p.buf[:0], 0
		l.occupied[y][x/64] &^= 1 << (x % 64)
	}
	l.entries--
}

// query appends the items of l that overlap rc, in any order, each once.
func (l *level) query(rc Rect, dst []uint32) []uint32 {
	l.visit(rc, func(items []entry, first Rect) { dst = appendOverlapping(dst, items, rc, first) })
	return dst
}

// visit calls f with the list of each tile that rc touches. Of a list, only
// items that begin in first count: the others are reported by another tile.
func (l *level) visit(rc Rect, f func(items []entry, first Rect)) {
	s := l.span(rc)
	for y := s.top; y <= s.bottom; y++ {
		for w := s.left / 64; w <= s.right/64; w++ {
			row := l.occupied[y][w]
			if w == s.left/64 {
				row &= ^uint64(0) << (s.left % 64)
			}
			if w == s.right/64 {
				row &= ^uint64(0) >> (63 - s.right%64)
			}
			for ; row != 0; row &= row - 1 {
				x := w*64 + bits.TrailingZeros64(row)
				f(l.list[y*l.cols+x].items(), l.firstIn(x, y, s))
			}
		}
	}
}

// firstIn is where the top left pixel that an item shares with a query over the
// tiles s may be for the tile (x,y) to be the one that reports it. An item in
// several tiles is reported by the first of them alone.
func (l *level) firstIn(x, y int, s span) Rect {
	r := Rect{int32(x) << l.shift, int32(y) << l.shift, MaxCoord, MaxCoord}
	if x == s.left {
		r.Left = MinCoord
	}
	if y == s.top {
		r.Top = MinCoord
	}
	return r
}

// appendOverlapping appends the entries that overlap rc and begin in first, newest first.
func appendOverlapping(dst []uint32, items []entry, rc, first Rect) []uint32 {
	for i := len(items) - 1; i >= 0; i-- {
		if e := &items[i]; e.overlaps(rc, first) {
			dst = append(dst, e.id)
		}
	}
	return dst
}

// appendNewest appends the limit newest entries below an id that overlap rc and
// begin in first, as words.
func appendNewest(dst []uint64, items []entry, rc, first Rect, below uint32, limit int) []uint64 {
	i, _ := find(items, below)
	for i--; i >= 0 && limit > 0; i-- {
		if e := &items[i]; e.overlaps(rc, first) {
			dst = append(dst, uint64(e.id)<<32|uint64(e.ref))
			limit--
		}
	}
	return dst
}

// overlaps reports whether an entry overlaps rc and begins in first.
func (e *entry) overlaps(rc, first Rect) bool {
	left, top := int32(e.left), int32(e.top)
	return left < rc.Right && top < rc.Bottom && int32(e.right) > rc.Left && int32(e.bottom) > rc.Top &&
		left >= first.Left && top >= first.Top
}
