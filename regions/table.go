package regions

import (
	"math/bits"
	"slices"
	"sync"
)

// row is one band: the lines [top,bottom) all have the same pixels, which the
// cells [lo,hi) of the table say.
type row struct {
	top, bottom int16
	lo, hi      uint32
}

// run is a stretch of pixels [left,right) of a line: left in the upper 16 bits,
// right in the lower ones, both counted from MinCoord. So runs compare by where
// they begin, and one is loaded, chosen and stored as a whole.
type run uint32

func newRun(left, right int32) run {
	return run(left-MinCoord)<<16 | run(right-MinCoord)
}

func (r run) left() int32  { return int32(r>>16) + MinCoord }
func (r run) right() int32 { return int32(r&0xffff) + MinCoord }

// lineEnd follows the last run of a line. It has no pixel, and lies right of all.
const lineEnd run = (MaxCoord-MinCoord)<<16 | (MaxCoord - MinCoord)

// table is the storage of a region that is not one rectangle. Rows are sorted
// and do not overlap; each has a pixel; two that touch differ. The cells of the
// rows follow each other without gaps, in the order of the rows.
//
// In the sparse form a cell is a run; the runs of a row are sorted, do not touch,
// and are followed by lineEnd. In the dense form a cell is a word of 64 pixels, bit 0 leftmost, and
// each row has as many as the grid of the region's extents says.
type table[E cell] struct {
	rows  []row
	cells []E
}

type cell interface {
	run | uint64
}

type (
	sparse = table[run]
	dense  = table[uint64]
)

func (t *table[E]) of(w row) []E { return t.cells[w.lo:w.hi] }

func (t *table[E]) reset() { t.rows, t.cells = t.rows[:0], t.cells[:0] }

// runsOf are the runs of a row.
func runsOf(t *sparse, w row) []run { return t.cells[w.lo : w.hi-1] }

// numRuns is the number of runs of all rows.
func numRuns(t *sparse) int { return len(t.cells) - len(t.rows) }

// reserve makes room for n more cells and returns it.
func (t *table[E]) reserve(n int) []E {
	used := len(t.cells)
	if cap(t.cells)-used < n {
		t.cells = slices.Grow(t.cells, n)
	}
	return t.cells[used : used+n]
}

// commit makes a row for the lines [top,bottom) of the first n cells of what
// reserve returned, or lengthens the last row if that is the same.
func (t *table[E]) commit(top, bottom int16, n int) {
	lo := len(t.cells)
	if k := len(t.rows) - 1; k >= 0 && t.rows[k].bottom == top {
		last := t.of(t.rows[k])
		if len(last) == n && slices.Equal(last, t.cells[lo:lo+n]) {
			t.rows[k].bottom = bottom
			return
		}
	}
	t.cells = t.cells[:lo+n]
	t.rows = append(t.rows, row{top, bottom, uint32(lo), uint32(lo + n)})
}

// add appends a row for the lines [top,bottom), or lengthens the last row if that
// is the same.
func (t *table[E]) add(top, bottom int16, cells []E) {
	// That it touches the last row is as good as random, that both begin alike is not
	// rare either; but both at once are, so that is one branch.
	if k := len(t.rows) - 1; k >= 0 {
		last := &t.rows[k]
		if uint64(last.bottom^top)|uint64(t.cells[last.lo]^cells[0]) == 0 && slices.Equal(t.of(*last), cells) {
			last.bottom = bottom
			return
		}
	}
	lo, n := len(t.cells), len(cells)
	room := t.reserve(n)
	//lint:ignore S1001 rows are short: the call that copy makes takes longer than this
	for i, c := range cells {
		room[i] = c
	}
	t.cells = t.cells[:lo+n]
	t.rows = append(t.rows, row{top, bottom, uint32(lo), uint32(lo + n)})
}

// addLines appends the lines [y,end) of s. Row i of s is the first to reach below
// y, and begins above end. It returns the number of the first to reach below end.
func (t *table[E]) addLines(s *table[E], i int, y, end int16) int {
	w := &s.rows[i]
	t.add(max(w.top, y), min(w.bottom, end), s.of(*w))
	if w.bottom > end {
		return i
	}
	if i++; i == len(s.rows) || s.rows[i].top >= end {
		return i
	}
	j := skipLines(s.rows, i, end)
	t.addRows(s, i, j)
	if j < len(s.rows) && s.rows[j].top < end {
		w := &s.rows[j]
		t.add(w.top, end, s.of(*w))
	}
	return j
}

// skipLines is the number of the first row from i on that reaches below end.
func skipLines(rows []row, i int, end int16) int {
	for i < len(rows) && rows[i].bottom <= end {
		i++
	}
	return i
}

// few cells are copied one by one, for the same reason as in add.
const few = 8

// addRows appends the rows [i,j) of s.
func (t *table[E]) addRows(s *table[E], i, j int) {
	if i >= j {
		return
	}
	rows := s.rows[i:j]
	lo, hi := rows[0].lo, rows[len(rows)-1].hi
	shift := uint32(len(t.cells)) - lo // may wrap, as does its use
	cells := s.cells[lo:hi]
	if n := len(cells); n <= few {
		room := t.reserve(n)
		//lint:ignore S1001 as in add
		for i, c := range cells {
			room[i] = c
		}
		t.cells = t.cells[:len(t.cells)+n]
	} else {
		t.cells = append(t.cells, cells...)
	}
	for _, w := range rows {
		t.rows = append(t.rows, row{w.top, w.bottom, w.lo + shift, w.hi + shift})
	}
}

// below is the number of the first row that does not end at or above y.
func below(rows []row, y int16) int {
	if rows[0].bottom > y {
		return 0
	}
	i, j := 1, len(rows)
	for i < j {
		if h := (i + j) / 2; rows[h].bottom <= y {
			i = h + 1
		} else {
			j = h
		}
	}
	return i
}

// Storage comes in classes: a table of class c has room for rowsPerUnit<<c rows
// and cellsPerUnit<<c cells. Results are worked out in scratch tables and copied
// into tables of their class, so a region that was large once does not leave a
// small one sitting on megabytes.
const (
	rowsPerUnit  = 4
	cellsPerUnit = 8
	classes      = 18 // the largest pooled: 512 Ki rows, 1 Mi cells
)

// pool recycles the tables that regions own, by class.
type pool[E cell] [classes]sync.Pool

var (
	sparsePool pool[run]
	densePool  pool[uint64]
)

func class(rows, cells int) int {
	units := max((rows+rowsPerUnit-1)/rowsPerUnit, (cells+cellsPerUnit-1)/cellsPerUnit, 1)
	return bits.Len(uint(units - 1))
}

// fit returns old, if it has room for so many rows and cells without wasting
// much, or else another table; old may be nil. The content is arbitrary.
func (p *pool[E]) fit(old *table[E], rows, cells int) *table[E] {
	c := class(rows, cells)
	if old != nil {
		if have := class(cap(old.rows), cap(old.cells)); c <= have && have <= c+2 {
			return old
		}
		p.release(old)
	}
	if c >= classes {
		return new(table[E])
	}
	if t, ok := p[c].Get().(*table[E]); ok {
		return t
	}
	return &table[E]{make([]row, 0, rowsPerUnit<<c), make([]E, 0, cellsPerUnit<<c)}
}

func (p *pool[E]) release(t *table[E]) {
	if c := class(cap(t.rows), cap(t.cells)); c < classes {
		p[c].Put(t)
	}
}

// copy makes t the same as s.
func (t *table[E]) copy(s *table[E]) {
	t.rows = append(t.rows[:0], s.rows...)
	t.cells = append(t.cells[:0], s.cells...)
}

func (t *table[E]) equal(s *table[E]) bool {
	return slices.Equal(t.rows, s.rows) && slices.Equal(t.cells, s.cells)
}
