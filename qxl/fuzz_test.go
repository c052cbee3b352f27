package qxl

import "testing"

// hostile is a memory whose only slot holds data at offset 0 of generation 0,
// so that small numbers are good addresses.
func hostile(tb testing.TB, data []byte) *Memory {
	m, err := NewMemory(MemoryConfig{Groups: 1, Slots: 1, GenBits: 1, IDBits: 1})
	if err != nil {
		tb.Fatal(err)
	}
	if err := m.AddSlot(Slot{Mem: data}); err != nil {
		tb.Fatal(err)
	}
	return m
}

// seedGuest is a guest in the memory that the fuzz targets use.
func seedGuest(tb testing.TB) *guest {
	data := make([]byte, 8<<10)
	return &guest{mem: hostile(tb, data), buf: data}
}

// fuzzDecode decodes twice into fresh and used destinations. It checks what all
// decoders promise: the same outcome each time, and a resource exactly if the
// top structure was readable.
func fuzzDecode[T any](tb testing.TB, data []byte, c Command, size int, resource func(*T) Resource,
	decode func(*Decoder, *T, Command) error) (*T, error) {
	m := hostile(tb, data)
	first, again := new(T), new(T)
	err := decode(NewDecoder(m), first, c)
	d := NewDecoder(m)
	_ = decode(d, again, c)
	if err2 := decode(d, again, c); !same(err, err2) || err == nil && !same(*first, *again) {
		tb.Fatalf("decoded to\n%+v, %v\nand\n%+v, %v", *first, err, *again, err2)
	}
	want := Resource{}
	if top, err := m.Bytes(c.Data, size, 0); err == nil {
		want = Resource{Data: c.Data, ID: view(top).u64(0)}
	}
	if r := resource(first); r != want {
		tb.Fatalf("resource %+v, want %+v", r, want)
	}
	return first, err
}

func FuzzDrawable(f *testing.F) {
	add := func(build func(g *guest) []sample, flags uint8) {
		for i := range build(seedGuest(f)) {
			g := seedGuest(f)
			s := build(g)[i]
			f.Add(g.buf[:g.used], uint64(s.cmd.Data), flags)
		}
	}
	add(samples, 0)
	add(compatSamples, FlagCompat)
	add(compatSamples, FlagCompat|FlagCompat16bpp)
	f.Fuzz(func(t *testing.T, data []byte, addr uint64, flags uint8) {
		size := 191
		if flags&FlagCompat != 0 {
			size = 128
		}
		dst, err := fuzzDecode(t, data, Command{Data: PHYS(addr), Flags: uint32(flags)}, size,
			func(d *Drawable) Resource { return d.Resource }, (*Decoder).Drawable)
		if err == nil {
			checkDrawable(t, dst)
		}
	})
}

func FuzzUpdate(f *testing.F) {
	f.Add(new(asm).u64(testID).rect(testArea).u32(77, 3).b, uint64(0), false)
	f.Add(new(asm).u64(testID).rect(testArea).u32(77).b, uint64(0), true)
	f.Fuzz(func(t *testing.T, data []byte, addr uint64, compat bool) {
		c, size := Command{Data: PHYS(addr)}, 32
		if compat {
			c.Flags, size = FlagCompat, 28
		}
		dst, err := fuzzDecode(t, data, c, size, func(u *UpdateCommand) Resource { return u.Resource }, (*Decoder).Update)
		if err == nil && (!ordered(dst.Area) || dst.Area.Empty()) {
			t.Fatalf("%+v", *dst)
		}
	})
}

func FuzzMessage(f *testing.F) {
	f.Add(new(asm).u64(testID).u8([]byte("hello\x00")...).b, uint64(0))
	f.Fuzz(func(t *testing.T, data []byte, addr uint64) {
		dst, err := fuzzDecode(t, data, Command{Data: PHYS(addr)}, 8, func(m *MessageCommand) Resource { return m.Resource }, (*Decoder).Message)
		if n := len(dst.Text); n > MaxMessageBytes || err == nil && data[int(addr)+8+n] != 0 {
			t.Fatalf("text of %d bytes", n)
		}
	})
}

func FuzzSurface(f *testing.F) {
	f.Add(surfaceAsm(0, Surface32ARGB, 4, 3, -16, 41).zero(48).b, uint64(0))
	f.Add(surfaceAsm(1, 0, 0, 0, 0, 0).b, uint64(0))
	f.Fuzz(func(t *testing.T, data []byte, addr uint64) {
		dst, err := fuzzDecode(t, data, Command{Data: PHYS(addr)}, 41, func(s *SurfaceCommand) Resource { return s.Resource }, (*Decoder).Surface)
		if err != nil || dst.Action != SurfaceCreate {
			return
		}
		pitch := max(int(dst.Stride), -int(dst.Stride))
		if len(dst.Memory) != pitch*int(dst.Height) || pitch*8 < int(dst.Width)*dst.Format.Depth() {
			t.Fatalf("%+v", *dst)
		}
	})
}

func FuzzCursor(f *testing.F) {
	g := seedGuest(f)
	shape := g.chunked(new(asm).u64(1).u16(0, 2, 2, 0, 0).u32(16), make([]byte, 9), make([]byte, 7))
	at := g.put(cursorAsm(CursorSet, new(asm).u16(1, 2).u8(1).phys(shape)))
	f.Add(g.buf[:g.used], uint64(at))
	for _, action := range []CursorAction{CursorMove, CursorHide, CursorTrail} {
		f.Add(cursorAsm(action, new(asm).u16(1, 2)).b, uint64(0))
	}
	f.Fuzz(func(t *testing.T, data []byte, addr uint64) {
		dst, err := fuzzDecode(t, data, Command{Data: PHYS(addr)}, 150, func(c *CursorCommand) Resource { return c.Resource }, (*Decoder).Cursor)
		if err == nil && (dst.Action > CursorTrail || dst.Shape.Type > CursorColor32 || len(dst.Shape.Data) > MaxCursorBytes) {
			t.Fatalf("%+v", *dst)
		}
	})
}

func FuzzMonitors(f *testing.F) {
	f.Add(new(asm).u16(2, 4).zero(56).b, uint64(0), 0)
	f.Fuzz(func(t *testing.T, data []byte, addr uint64, limit int) {
		var dst MonitorsConfig
		err := NewDecoder(hostile(t, data)).Monitors(&dst, PHYS(addr), 0, limit)
		if n := len(dst.Heads); err == nil && (n == 0 || n > int(dst.MaxAllowed) || n > MaxHeads || limit > 0 && n > limit) {
			t.Fatalf("%+v", dst)
		}
	})
}
