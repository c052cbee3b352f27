package regions

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// scan is the truth: a look at every item.
func scan(items map[uint32]Rect, surface, rc Rect) (ids []uint32) {
	for id, item := range items {
		if item.Intersect(surface).Overlaps(rc) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	slices.Reverse(ids)
	return ids
}

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
		var live, got []uint32
		next := uint32(rnd.IntN(1000))
		for range 4000 {
			switch k := rnd.IntN(10); {
			case k < 4 || len(live) == 0:
				next += 1 + rnd.Uint32N(3)
				if rnd.IntN(100) == 0 {
					next += 1 << 20
				}
				items[next] = anyRect(rnd, width, height)
				index.Insert(next, items[next])
				live = append(live, next)
			case k < 6:
				id := live[rnd.IntN(len(live))]
				now := anyRect(rnd, width, height)
				if rnd.IntN(2) == 0 {
					now = now.Intersect(items[id])
				}
				index.Move(id, items[id], now)
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
				got = index.Query(rc, append(got[:0], 7))
				want := append([]uint32{7}, scan(items, surface, rc)...)
				if !slices.Equal(got, want) {
					t.Fatalf("%dx%d: %v: got %v, want %v", width, height, rc, got, want)
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
	index.Insert(0, all)
	index.Insert(math.MaxUint32, all)
	index.Insert(5, Rect{hi - 1, 0, hi, 1})
	index.Insert(6, Rect{9, 9, 9, 9})
	if got := index.Query(all, nil); !slices.Equal(got, []uint32{math.MaxUint32, 0}) {
		t.Errorf("got %v", got)
	}
	for _, empty := range []*TileIndex{NewTileIndex(0, 0), NewTileIndex(-5, 10), NewTileIndex(10, lo)} {
		empty.Insert(1, all)
		empty.Remove(1, all)
		if got := empty.Query(all, nil); len(got) != 0 {
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
		index.Insert(id, rc)
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
		index.Insert(uint32(i), rc)
	}
	next, dst := uint32(len(rects)), []uint32{}
	work := func() { // the oldest item goes, a new one comes in its place
		i := next % uint32(len(rects))
		index.Remove(next-uint32(len(rects)), rects[i])
		dst = index.Query(rects[i], dst[:0])
		dst = index.Query(Rect{0, 0, 1920, 1080}, dst[:0])
		index.Insert(next, rects[i])
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
				if got, want := index.Query(rc, nil), scan(items, surface, rc); !slices.Equal(got, want) {
					t.Fatalf("%v: got %v, want %v", rc, got, want)
				}
			case !live:
				index.Insert(id, rc)
				items[id] = rc
			case p[0]%4 == 2:
				index.Move(id, old, rc)
				items[id] = rc
			default:
				index.Remove(id, old)
				delete(items, id)
			}
		}
	})
}

// TestTileIndexNewest compares every prefix that Newest gives with Query.
func TestTileIndexNewest(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	const width, height = 700, 500
	index, at := NewTileIndex(width, height), map[uint32]Rect{}
	for id := uint32(1); id < 2000; id++ {
		at[id] = randomRect(r, width, height)
		index.Put(id, id*7, at[id])
		if old := r.Uint32N(id) + 1; r.IntN(2) == 0 {
			index.Remove(old, at[old])
		} else if r.IntN(2) == 0 {
			now := randomRect(r, width, height)
			if index.ref(old, index.clip(at[old])) != 0 {
				index.Move(old, at[old], now)
				at[old] = now
			}
		}
		rc, below, limit := randomRect(r, width, height), r.Uint32N(id+2), r.IntN(20)
		var want []Item
		for _, id := range index.Query(rc, nil) {
			if id < below && len(want) < limit {
				want = append(want, Item{id, id * 7})
			}
		}
		if got := index.Newest(rc, below, limit, nil); !slices.Equal(got, want) {
			t.Fatalf("newest %d of %v below %d: %v, want %v", limit, rc, below, got, want)
		}
	}
}

func randomRect(r *rand.Rand, width, height int32) Rect {
	w, h := r.Int32N(width)>>r.IntN(8), r.Int32N(height)>>r.IntN(8)
	return XYWH(r.Int32N(width), r.Int32N(height), w, h)
}
