package fuzz

import (
	"math"
	"slices"
	"testing"

	"github.com/spiceecs/spiceecs/regions"
)

// A painting is a surface on which opaque items hide what is below them, kept
// twice: by regions with a tile index, as a render tree does it, and as a plain
// array that says which item each pixel shows.
type painting struct {
	index   *regions.TileIndex
	visible map[uint32]*regions.Region // of each item, what is not hidden
	pixel   [paintWidth * paintHeight]uint32
	next    uint32
	items   []regions.Item
}

const (
	paintWidth  = 200 // more than one tile, on more than one level
	paintHeight = 150
)

var paintSurface = regions.Rect{Left: 0, Top: 0, Right: paintWidth, Bottom: paintHeight}

// refOf is what the item with this id is inserted with.
func refOf(id uint32) uint32 { return 7 * id }

// paint puts an item on top that covers the rectangles rs without those of holes.
func (p *painting) paint(rs, holes []regions.Rect) {
	p.next++
	item, cut := new(regions.Region), new(regions.Region)
	item.SetRects(rs)
	item.IntersectRect(paintSurface)
	cut.SetRects(holes)
	item.Subtract(cut)
	in := func(rs []regions.Rect, x, y int32) bool {
		return slices.ContainsFunc(rs, func(rc regions.Rect) bool { return rc.Contains(regions.XYWH(x, y, 1, 1)) })
	}
	for i := range p.pixel {
		if x, y := int32(i%paintWidth), int32(i/paintWidth); in(rs, x, y) && !in(holes, x, y) {
			p.pixel[i] = p.next
		}
	}
	if item.Empty() {
		return
	}
	p.items = p.index.Newest(item.Extents(), p.next, math.MaxInt, p.items[:0])
	for _, it := range p.items {
		p.hide(it.ID, item)
	}
	p.visible[p.next] = item
	p.index.Insert(p.next, refOf(p.next), item.Extents())
}

// hide takes what a new item covers from an older one.
func (p *painting) hide(id uint32, item *regions.Region) {
	old := p.visible[id]
	before := old.Extents()
	covered := !old.Empty() && regions.RegionTest(item, old, regions.RightExclusive) == 0
	old.Subtract(item)
	if covered != old.Empty() {
		panic("RegionTest and Subtract disagree on whether an item is covered")
	}
	if covered {
		p.index.Remove(id, before)
		delete(p.visible, id)
		return
	}
	p.index.Move(id, refOf(id), before, old.Extents())
}

// check compares the regions with the pixels.
func (p *painting) check(t *testing.T) {
	seen := [paintWidth * paintHeight]uint32{}
	for id, r := range p.visible {
		for rc := range r.Rects {
			for y := rc.Top; y < rc.Bottom; y++ {
				for x := rc.Left; x < rc.Right; x++ {
					if seen[y*paintWidth+x] != 0 {
						t.Fatalf("pixel (%d,%d) shows items %d and %d", x, y, seen[y*paintWidth+x], id)
					}
					seen[y*paintWidth+x] = id
				}
			}
		}
	}
	if seen != p.pixel {
		t.Fatal("what the items show is not what was painted")
	}
	var live []regions.Item
	for id := p.next; id > 0; id-- {
		if p.visible[id] != nil {
			live = append(live, regions.Item{ID: id, Ref: refOf(id)})
		}
	}
	if got := p.index.Newest(paintSurface, p.next+1, math.MaxInt, nil); !slices.Equal(got, live) {
		t.Fatalf("the index has %v, the items are %v", got, live)
	}
}

// FuzzRegionsPainting paints items of up to 8 rectangles, some of which are holes.
// Each takes a byte that says how many of both, and 4 for each rectangle.
func FuzzRegionsPainting(f *testing.F) {
	f.Add([]byte{0x01, 10, 10, 90, 90, 0x11, 20, 20, 60, 60, 30, 30, 10, 10, 0x02, 0, 0, 255, 255, 7, 8, 9, 200})
	f.Add([]byte{0x04, 0, 0, 9, 99, 20, 0, 9, 99, 40, 0, 9, 99, 60, 0, 9, 99, 0x03, 0, 0, 99, 9, 0, 20, 99, 9, 0, 40, 99, 9})
	f.Fuzz(func(t *testing.T, program []byte) {
		p := &painting{index: regions.NewTileIndex(paintWidth, paintHeight), visible: map[uint32]*regions.Region{}}
		rects := func(n int) (rs []regions.Rect) {
			for ; n > 0 && len(program) >= 4; n-- {
				x, y, w, h := int32(program[0])-20, int32(program[1])-20, int32(program[2]), int32(program[3])
				rs = append(rs, regions.XYWH(x, y, w, h))
				program = program[4:]
			}
			return rs
		}
		for range 40 {
			if len(program) == 0 {
				break
			}
			counts := program[0]
			program = program[1:]
			p.paint(rects(int(counts&7)), rects(int(counts>>4&7)))
		}
		p.check(t)
	})
}
