package regions

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// scan is the truth: a look at every item.
func scan(items map[uint32]Rect, surface, rc Rect, below uint32, limit int) (found []Item) {
	for id, item := range items {
		if id < below && item.Intersect(surface).Overlaps(rc) {
			found = append(found, Item{id, refOf(id)})
		}
	}
	slices.SortFunc(found, func(a, b Item) int { return cmp.Compare(b.ID, a.ID) })
	return found[:min(len(found), limit)]
}

// refOf is what the item with this id is inserted with.
func refOf(id uint32) uint32 { return 7 * id }

// anyRect is a rectangle of any size from a pixel to more than the surface,
// part of which may be outside.
func anyRect(rnd *rand.Rand, width, height int32) Rect {
	size := func(n int32) int32 { return 1 + rnd.Int32N(1+(n+n/8)>>rnd.IntN(10)) }
	return XYWH(rnd.Int32N(width+40)-20, rnd.Int32N(height+40)-20, size(width), size(height))
}

func TestTileIndexAgainstScan(t *testing.T) {
	rnd := newRand(t)
	for _, size := range [][2]int32{{1, 1}, {33, 7}, {640, 480}, {1920, 1080}, {MaxCoord, 40}, {20000, 20000}} {
		width, height := size[0], size[1]
		surface := Rect{0, 0, width, height}
		index, items := NewTileIndex(width, height), map[uint32]Rect{}
		var live []uint32
		var got []Item
		next := uint32(rnd.IntN(1000))
		for range 4000 {
			switch k := rnd.IntN(10); {
			case k < 4 || len(live) == 0:
				next += 1 + rnd.Uint32N(3)
				if rnd.IntN(100) == 0 {
					next += 1 << 20
				}
				items[next] = anyRect(rnd, width, height)
				index.Insert(next, refOf(next), items[next])
				live = append(live, next)
			case k < 6:
				id := live[rnd.IntN(len(live))]
				now := anyRect(rnd, width, height)
				if rnd.IntN(2) == 0 {
					now = now.Intersect(items[id])
				}
				index.Move(id, refOf(id), items[id], now)
				items[id] = now
			case k < 7:
				i := rnd.IntN(len(live))
				id := live[i]
				index.Remove(id, items[id])
				index.Remove(id, items[id]) // not there: no effect
				delete(items, id)
				live = slices.Delete(live, i, i+1)
			default:
				rc := anyRect(rnd, width, height)
				below, limit := uint32(math.MaxUint32), math.MaxInt
				if rnd.IntN(2) == 0 {
					below, limit = rnd.Uint32N(next+2), rnd.IntN(20)
				}
				got = index.Newest(rc, below, limit, append(got[:0], Item{ID: 7}))
				want := append([]Item{{ID: 7}}, scan(items, surface, rc, below, limit)...)
				if !slices.Equal(got, want) {
					t.Fatalf("%dx%d: newest %d below %d of %v: got %v, want %v", width, height, limit, below, rc, got, want)
				}
			}
		}
		for _, id := range live {
			index.Remove(id, items[id])
		}
		for i, l := range index.levels {
			if l.entries != 0 {
				t.Errorf("%dx%d: %d entries left on level %d", width, height, l.entries, i)
			}
		}
	}
}

// TestTileIndexExtremes has ids far apart and coordinates at the ends of int32.
func TestTileIndexExtremes(t *testing.T) {
	const lo, hi = math.MinInt32, math.MaxInt32
	index := NewTileIndex(hi, hi)
	all := Rect{lo, lo, hi, hi}
	corner := Rect{MaxCoord - 1, MaxCoord - 1, MaxCoord, MaxCoord}
	index.Insert(0, 1, all)
	index.Insert(math.MaxUint32-1, math.MaxUint32, all)
	index.Insert(5, 5, Rect{hi - 1, 0, hi, 1})
	index.Insert(6, 6, Rect{9, 9, 9, 9})
	index.Insert(7, 7, corner)
	oldest, newest := Item{0, 1}, Item{math.MaxUint32 - 1, math.MaxUint32}
	if got := index.Newest(all, math.MaxUint32, math.MaxInt, nil); !slices.Equal(got, []Item{newest, {7, 7}, oldest}) {
		t.Errorf("got %v", got)
	}
	for _, rc := range []Rect{{0, 0, 1, 1}, {MaxCoord - 2, MaxCoord - 1, MaxCoord - 1, MaxCoord}} {
		if got := index.Newest(rc, math.MaxUint32, math.MaxInt, nil); !slices.Equal(got, []Item{newest, oldest}) {
			t.Errorf("%v: got %v", rc, got)
		}
	}
	for _, empty := range []*TileIndex{NewTileIndex(0, 0), NewTileIndex(-5, 10), NewTileIndex(10, lo)} {
		empty.Insert(1, 1, all)
		empty.Remove(1, all)
		if got := empty.Newest(all, hi, hi, nil); len(got) != 0 {
			t.Errorf("found %v on a surface without pixels", got)
		}
	}
}

// TestTileListsShrink fills one tile and empties it again.
func TestTileListsShrink(t *testing.T) {
	index := NewTileIndex(100, 100)
	rc := XYWH(1, 1, 2, 2)
	const n = 10000
	for id := range uint32(n) {
		index.Insert(id, 0, rc)
	}
	for id := range uint32(n) {
		index.Remove(id, rc)
	}
	if c := cap(index.levels[0].list[0].buf); c > keepRoom {
		t.Errorf("an empty list keeps room for %d entries", c)
	}
}

func TestTileIndexSteadyStateAllocatesNothing(t *testing.T) {
	rnd := newRand(t)
	index := NewTileIndex(1920, 1080)
	rects := randomRects(rnd, 2000, 1920, 1080)
	for i, rc := range rects {
		index.Insert(uint32(i), 0, rc)
	}
	next, dst := uint32(len(rects)), []Item{}
	work := func() { // the oldest item goes, a new one comes in its place
		i := next % uint32(len(rects))
		index.Remove(next-uint32(len(rects)), rects[i])
		dst = index.Newest(rects[i], next, 4, dst[:0])
		dst = index.Newest(Rect{0, 0, 1920, 1080}, next, 64, dst[:0])
		index.Insert(next, 0, rects[i])
		next++
	}
	for range 3 * len(rects) {
		work()
	}
	if n := testing.AllocsPerRun(1000, work); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzTileIndex runs programs of 10 bytes an instruction: what, id, and a rectangle.
func FuzzTileIndex(f *testing.F) {
	f.Add(uint16(640), uint16(480), []byte("\x00\x01\x00\x00\x00\x00\x40\x00\x40\x00\x03\x00\x00\x00\x00\x00\x80\x01\x80\x01"))
	f.Fuzz(func(t *testing.T, width, height uint16, program []byte) {
		surface := Rect{0, 0, min(int32(width), MaxCoord), min(int32(height), MaxCoord)}
		index, items := NewTileIndex(int32(width), int32(height)), map[uint32]Rect{}
		for range min(len(program)/10, 200) {
			p := program[:10]
			program = program[10:]
			at := func(i int) int32 { return int32(int16(uint16(p[i]) | uint16(p[i+1])<<8)) }
			id, rc := uint32(p[1]), Rect{at(2), at(4), at(6), at(8)}
			old, live := items[id]
			switch {
			case p[0]%4 == 3:
				below, limit := id, int(p[0]/4)
				got, want := index.Newest(rc, below, limit, nil), scan(items, surface, rc, below, limit)
				if !slices.Equal(got, want) {
					t.Fatalf("newest %d below %d of %v: got %v, want %v", limit, below, rc, got, want)
				}
			case !live:
				index.Insert(id, refOf(id), rc)
				items[id] = rc
			case p[0]%4 == 2:
				index.Move(id, refOf(id), old, rc)
				items[id] = rc
			default:
				index.Remove(id, old)
				delete(items, id)
			}
		}
	})
}
