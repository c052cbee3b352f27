package regions

import "slices"

// TileIndex finds which of a surface's items lie in a rectangle, newest first.
//
// The surface is cut into square tiles several times over: level 0 has tiles of
// 32x32 pixels, and each further level has tiles four times as wide and high. An
// item is listed in the tiles it touches, at the finest level where these are at
// most maxTiles, so a full-screen item costs no more than a small one. A list
// holds, sorted by id, the items' rectangles beside the ids: a search reads a few
// short arrays, from their ends, and meets only true neighbours.
//
// The index belongs to one goroutine. Its memory is bounded by maxTiles entries
// of 16 bytes for each item (times four, as lists shrink late), and 32 bytes for
// each 32x32 pixels of the surface once an item was there, 4 KB once many were.
type TileIndex struct {
	width, height int32
	levels        []level
	heads         heads // storage for searches
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
	id, ref uint32
	box     lanes
}

// list is the items of a tile, sorted by id, ascending: buf[head:]. Items come
// at the end and mostly go near one of the ends.
type list struct {
	buf  []entry
	head int
}

func (l *list) items() []entry { return l.buf[l.head:] }

// lanes are four numbers from 0 to MaxCoord, each in 15 of 16 bits.
type lanes uint64

func lanesOf(a, b, c, d int32) lanes {
	return lanes(a) | lanes(b)<<16 | lanes(c)<<32 | lanes(d)<<48
}

// boxOf is a rectangle as its left and top, and how far its right and bottom are
// from MaxCoord: all have to be small enough for it to overlap something.
func boxOf(rc Rect) lanes { return lanesOf(rc.Left, rc.Top, MaxCoord-rc.Right, MaxCoord-rc.Bottom) }

// limitsOf is what no lane of a box that overlaps rc exceeds.
func limitsOf(rc Rect) lanes {
	return lanesOf(rc.Right-1, rc.Bottom-1, MaxCoord-1-rc.Left, MaxCoord-1-rc.Top)
}

// spare is the bit of each lane that no number uses.
const spare lanes = 0x8000_8000_8000_8000

// atMost reports whether each lane is at most that of limits. A lane that is not
// takes the spare bit of its limit in the subtraction.
func (b lanes) atMost(limits lanes) bool { return ((limits|spare)-b)&spare == spare }

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

// Insert lists the item with the extents rc; ref is a number of the caller's own.
// What lies outside the surface does not count; an item with nothing on it is not
// listed. Ids are cheapest to insert in ascending order, which is the order of
// time. An item that is listed in the same tiles takes on the new extents and ref.
func (t *TileIndex) Insert(id, ref uint32, rc Rect) {
	if rc = t.clip(rc); rc.Empty() {
		return
	}
	l, s := t.place(rc)
	if l.list == nil {
		l.allocate()
	}
	e := entry{id, ref, boxOf(rc)}
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

// Move changes the extents of the item that was inserted with ref from old to now.
func (t *TileIndex) Move(id, ref uint32, old, now Rect) {
	if !t.sameTiles(t.clip(old), t.clip(now)) {
		t.Remove(id, old)
	}
	t.Insert(id, ref, now)
}

// sameTiles reports whether items of both extents are listed in the same tiles.
func (t *TileIndex) sameTiles(a, b Rect) bool {
	if a.Empty() || b.Empty() {
		return false
	}
	la, sa := t.place(a)
	lb, sb := t.place(b)
	return la == lb && sa == sb
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

// find is where id is, or belongs, in a list. Ids are given in the order of time, so
// in a list they mostly grow at an even pace: the search begins where that says, and
// widens from there. So it reads few lines of memory, and never many more than if
// it halved the list.
func find(items []entry, id uint32) (int, bool) {
	n := len(items)
	if n == 0 || items[n-1].id < id {
		return n, false
	}
	first := items[0].id
	if first >= id {
		return 0, first == id
	}
	i, j := 0, n-1 // items[i].id < id <= items[j].id
	at := int(uint64(id-first) * uint64(j) / uint64(items[j].id-first))
	at = min(max(at, 1), j-1)
	for step := 1; i < at && at < j; step *= 2 {
		if items[at].id < id {
			i, at = at, at+step
		} else {
			j, at = at, at-step
		}
	}
	for i+1 < j {
		if h := (i + j) / 2; items[h].id < id {
			i = h
		} else {
			j = h
		}
	}
	return j, items[j].id == id
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
const keepRoom = 256

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
