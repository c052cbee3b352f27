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

// run is a stretch of pixels [left,right) of a line.
type run struct{ left, right int16 }

// table is the storage of a region that is not one rectangle. Rows are sorted
// and do not overlap; each has a pixel; two that touch differ. The cells of the
// rows follow each other without gaps, in the order of the rows.
//
// In the sparse form a cell is a run; the runs of a row are sorted and do not
// touch. In the dense form a cell is a word of 64 pixels, bit 0 leftmost, and
// each row has as many as the grid of the region's extents says.
type table[E cell] struct {
	rows  []row
	cells []E
}

type cell interface {
	comparable
	run | uint64
}

type (
	sparse = table[run]
	dense  = table[uint64]
)

func (t *table[E]) of(w row) []E { return t.cells[w.lo:w.hi] }

func (t *table[E]) reset() { t.rows, t.cells = t.rows[:0], t.cells[:0] }

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
	if k := len(t.rows) - 1; k >= 0 && t.rows[k].bottom == top && t.repeats(n) {
		t.rows[k].bottom = bottom
		return
	}
	t.cells = t.cells[:lo+n]
	t.rows = append(t.rows, row{top, bottom, uint32(lo), uint32(lo + n)})
}

// repeats reports whether the n cells after the last are the same as those of the
// last row.
func (t *table[E]) repeats(n int) bool {
	last := t.of(t.rows[len(t.rows)-1])
	return len(last) == n && slices.Equal(last, t.cells[len(t.cells):len(t.cells)+n])
}

// add appends a row for the lines [top,bottom).
func (t *table[E]) add(top, bottom int16, cells []E) {
	room := t.reserve(len(cells))
	//lint:ignore S1001 rows are short: the call that copy makes takes longer than this
	for i, c := range cells {
		room[i] = c
	}
	t.commit(top, bottom, len(cells))
}

// addRows appends the rows [i,j) of s, without what is above y.
func (t *table[E]) addRows(y int16, s *table[E], i, j int) {
	if i >= j {
		return
	}
	w := s.rows[i]
	t.add(max(w.top, y), w.bottom, s.of(w))
	rest := s.rows[i+1 : j]
	if len(rest) == 0 {
		return
	}
	shift := uint32(len(t.cells)) - w.hi // may wrap, as does its use
	t.cells = append(t.cells, s.cells[w.hi:rest[len(rest)-1].hi]...)
	t.rows = slices.Grow(t.rows, len(rest))
	for _, w := range rest {
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
