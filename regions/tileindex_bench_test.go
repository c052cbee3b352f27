package regions

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/RoaringBitmap/roaring/v2"
)

// roaringIndex is a TileIndex with a roaring bitmap of ids for each tile, to
// measure that choice: go test -bench TileIndex ./regions
type roaringIndex struct {
	levels []level // for their geometry
	tiles  [][]*roaring.Bitmap
	found  *roaring.Bitmap
}

func newRoaringIndex(width, height int32) *roaringIndex {
	t := &roaringIndex{levels: NewTileIndex(width, height).levels, found: roaring.New()}
	for _, l := range t.levels {
		t.tiles = append(t.tiles, make([]*roaring.Bitmap, l.cols*l.rows))
	}
	return t
}

// each calls f for the tiles at which an item of the extents rc is listed.
func (t *roaringIndex) each(rc Rect, f func(b **roaring.Bitmap)) {
	for i := range t.levels {
		l := &t.levels[i]
		if s := l.span(rc); s.tiles() <= maxTiles {
			t.in(i, s, f)
			return
		}
	}
}

func (t *roaringIndex) in(i int, s span, f func(b **roaring.Bitmap)) {
	for y := s.top; y <= s.bottom; y++ {
		for x := s.left; x <= s.right; x++ {
			f(&t.tiles[i][y*t.levels[i].cols+x])
		}
	}
}

func (t *roaringIndex) Insert(id, _ uint32, rc Rect) {
	t.each(rc, func(b **roaring.Bitmap) {
		if *b == nil {
			*b = roaring.New()
		}
		(*b).Add(id)
	})
}

func (t *roaringIndex) Remove(id uint32, rc Rect) {
	t.each(rc, func(b **roaring.Bitmap) { (*b).Remove(id) })
}

func (t *roaringIndex) Newest(rc Rect, below uint32, limit int, dst []Item) []Item {
	t.found.Clear()
	for i := range t.levels {
		t.in(i, t.levels[i].span(rc), func(b **roaring.Bitmap) {
			if *b != nil {
				t.found.Or(*b)
			}
		})
	}
	for it := t.found.ReverseIterator(); it.HasNext() && limit > 0; {
		if id := it.Next(); id < below {
			dst = append(dst, Item{ID: id})
			limit--
		}
	}
	return dst
}

type index interface {
	Insert(id, ref uint32, rc Rect)
	Remove(id uint32, rc Rect)
	Newest(rc Rect, below uint32, limit int, dst []Item) []Item
}

// small are n rectangles of 10x10 pixels spread over a surface.
func small(n int, width, height int32) []Rect {
	rnd := rand.New(rand.NewPCG(1, uint64(n)))
	rs := make([]Rect, n)
	for i := range rs {
		rs[i] = XYWH(rnd.Int32N(width-10), rnd.Int32N(height-10), 10, 10)
	}
	return rs
}

var indexes = []struct {
	name string
	make func(width, height int32) index
}{
	{"slices", func(w, h int32) index { return NewTileIndex(w, h) }},
	{"roaring", func(w, h int32) index { return newRoaringIndex(w, h) }},
}

// BenchmarkTileIndexAdd is what a new drawable costs when as many are live: the
// oldest goes, the new one looks for its neighbours and is inserted. "same
// density" has surfaces that grow with the number, and so the same number of
// neighbours; "same surface" has 1920x1080 pixels for all. New ones are not where
// old ones were, or the processor would learn a short cycle by heart.
func BenchmarkTileIndexAdd(b *testing.B) {
	for _, ix := range indexes {
		for _, n := range []int{1000, 10000, 100000} {
			for _, c := range []struct {
				name          string
				width, height int32
			}{
				{"same density", 1000, int32(n / 10)},
				{"same surface", 1920, 1080},
			} {
				b.Run(fmt.Sprintf("%s/%s/%d", ix.name, c.name, n), func(b *testing.B) {
					const cycle = 1 << 17
					rs := small(cycle, c.width, c.height)
					t := ix.make(c.width, c.height)
					for i, rc := range rs[:n] {
						t.Insert(uint32(i), 0, rc)
					}
					found, next := 0, uint32(n)
					var dst []Item
					b.ReportAllocs()
					for b.Loop() {
						old := next - uint32(n)
						t.Remove(old, rs[old%cycle])
						rc := rs[next%cycle]
						dst = t.Newest(rc, next, math.MaxInt, dst[:0])
						t.Insert(next, 0, rc)
						found += len(dst)
						next++
					}
					b.ReportMetric(float64(found)/float64(b.N), "found/op")
				})
			}
		}
	}
}

// BenchmarkTileIndexNewest asks for what is newest on a quarter of 1920x1080.
func BenchmarkTileIndexNewest(b *testing.B) {
	for _, ix := range indexes {
		for _, n := range []int{100, 10000, 100000} {
			for _, limit := range []int{4, 64, 1 << 20} {
				b.Run(fmt.Sprintf("%s/%d/limit=%d", ix.name, n, limit), func(b *testing.B) {
					t := ix.make(1920, 1080)
					for i, rc := range small(n, 1920, 1080) {
						t.Insert(uint32(i), 0, rc)
					}
					var dst []Item
					b.ReportAllocs()
					for b.Loop() {
						dst = t.Newest(Rect{300, 200, 1260, 740}, uint32(n), limit, dst[:0])
					}
				})
			}
		}
	}
}

// TestRoaringIndex keeps the measured alternative honest: it must find at least
// what TileIndex does, in the same order.
func TestRoaringIndex(t *testing.T) {
	rs := small(5000, 1920, 1080)
	a, b := NewTileIndex(1920, 1080), newRoaringIndex(1920, 1080)
	for i, rc := range rs {
		a.Insert(uint32(i), 0, rc)
		b.Insert(uint32(i), 0, rc)
	}
	for _, rc := range rs[:100] {
		some, all := a.Newest(rc, math.MaxUint32, math.MaxInt, nil), b.Newest(rc, math.MaxUint32, math.MaxInt, nil)
		all = slices.DeleteFunc(all, func(it Item) bool { return !rs[it.ID].Overlaps(rc) })
		if !slices.Equal(some, all) {
			t.Fatalf("%v: %v and %v", rc, some, all)
		}
	}
}
