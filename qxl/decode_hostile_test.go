package qxl

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/spiceecs/spiceecs/regions"
)

// A ring of chunks costs the command its budget and no more, whether the chunks
// are empty or the list may be long.
func TestChunkWork(t *testing.T) {
	g := newGuest(t, 1<<16)
	d := NewDecoder(g.mem)
	var dst Drawable
	for _, size := range []uint32{0, 1} {
		// The stream announces what the ring never adds up to.
		quic := g.put(new(asm).u64(0).u8(uint8(ImageQUIC), 0).u32(4, 4, 1<<20).u32(0).phys(0, cycle(g, size)).zero(6))
		wantReason(t, d.Drawable(&dst, g.native(copyOf(quic, testArea))), ReasonChunkCount)
		if d.chunks != -1 {
			t.Errorf("%d chunks left", d.chunks)
		}
		if n := len(dst.Images[0].Data.Chunks); n > MaxChunks {
			t.Errorf("%d pieces", n)
		}
	}
	// The budget is the command's, not the list's: two lists share it.
	half := make([][]byte, MaxChunks/2+1)
	for i := range half {
		half[i] = []byte{1}
	}
	big := newGuest(t, 2*MaxChunks*22)
	d = NewDecoder(big.mem)
	list := big.chunked(new(asm), half...)
	im := big.put(bitmap{format: Bitmap8BitA, w: uint32(len(half)), h: 1, stride: uint32(len(half)), data: list}.asm())
	one := regions.Rect{Right: 1, Bottom: 1}
	if err := d.Drawable(&dst, big.native(copyOf(im, one))); err != nil {
		t.Fatal(err)
	}
	op := new(asm).phys(im).rect(one).asm(pattern(im, 0, 0)).u16(0).u8(0).asm(noMask())
	wantReason(t, d.Drawable(&dst, big.native(as(DrawOpaque, op))), ReasonChunkCount)
}

// The guest may change its memory while it is read: whatever mixture of old and
// new the decoder sees, what it accepts is consistent.
func TestGuestChangesMemory(t *testing.T) {
	if raceEnabled {
		t.Skip("the race is the guest's")
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	g := newGuest(t, 1<<14)
	all := append(samples(g), compatSamples(g)...)
	original := append([]byte(nil), g.buf...)
	var stop atomic.Bool
	var guest sync.WaitGroup
	guest.Go(func() {
		r := rand.New(rand.NewPCG(seed, 1))
		for !stop.Load() {
			at := r.IntN(g.used)
			g.buf[at] = byte(r.Uint32())
			g.buf[at] = original[at]
		}
	})
	d := NewDecoder(g.mem)
	var dst Drawable
	accepted := 0
	for range 2000 {
		for _, s := range all {
			if d.Drawable(&dst, s.cmd) == nil {
				accepted++
				checkDrawable(t, &dst)
			}
		}
	}
	stop.Store(true)
	guest.Wait()
	if accepted == 0 {
		t.Error("nothing was accepted")
	}
	copy(g.buf, original)
	for _, s := range all {
		if err := d.Drawable(&dst, s.cmd); err != nil || !same(dst, s.want) {
			t.Errorf("%s afterwards: %v", s.name, err)
		}
	}
}

func TestDecodeAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	g := newGuest(t, 1<<16)
	d := NewDecoder(g.mem)
	free := func(name string, decode func() error) {
		t.Helper()
		if n := testing.AllocsPerRun(100, func() {
			if err := decode(); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	var drawable Drawable // one for all operations, as a pool has it
	all := append(samples(g), compatSamples(g)...)
	free("drawables", func() error {
		for _, s := range all {
			if err := d.Drawable(&drawable, s.cmd); err != nil {
				return err
			}
		}
		return nil
	})
	at := g.put(new(asm).u64(testID).rect(testArea).u32(77, 3))
	var update UpdateCommand
	free("update", func() error { return d.Update(&update, g.command(CommandUpdate, at, 0)) })
	at = g.put(new(asm).u64(testID).u8([]byte("text\x00")...))
	var message MessageCommand
	free("message", func() error { return d.Message(&message, g.command(CommandMessage, at, 0)) })
	at = g.put(surfaceAsm(0, Surface32ARGB, 4, 3, 16, g.at(0)))
	var surface SurfaceCommand
	free("surface", func() error { return d.Surface(&surface, g.command(CommandSurface, at, 0)) })
	shape := g.chunked(new(asm).u64(1).u16(0, 2, 2, 0, 0).u32(16), make([]byte, 16))
	at = g.put(cursorAsm(CursorSet, new(asm).u16(1, 2).u8(1).phys(shape)))
	var cursor CursorCommand
	free("cursor", func() error { return d.Cursor(&cursor, g.command(CommandCursor, at, 0)) })
	at = g.put(new(asm).u16(1, 1).zero(28))
	var monitors MonitorsConfig
	free("monitors", func() error { return d.Monitors(&monitors, at, guestGroup, 1) })
}
