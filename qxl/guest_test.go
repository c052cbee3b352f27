package qxl

import (
	"encoding/binary"
	"errors"
	"fmt"
	"testing"

	"github.com/spiceecs/spiceecs/regions"
)

// asm writes packed little-endian structures field by field. Its callers follow
// the field lists of the QXL ABI, not the decoder's offsets.
type asm struct{ b []byte }

func (a *asm) u8(v ...uint8) *asm { a.b = append(a.b, v...); return a }
func (a *asm) u16(v ...uint16) *asm {
	for _, x := range v {
		a.b = binary.LittleEndian.AppendUint16(a.b, x)
	}
	return a
}
func (a *asm) u32(v ...uint32) *asm {
	for _, x := range v {
		a.b = binary.LittleEndian.AppendUint32(a.b, x)
	}
	return a
}
func (a *asm) i32(v ...int32) *asm {
	for _, x := range v {
		a.u32(uint32(x))
	}
	return a
}
func (a *asm) u64(v ...uint64) *asm {
	for _, x := range v {
		a.b = binary.LittleEndian.AppendUint64(a.b, x)
	}
	return a
}
func (a *asm) phys(v ...PHYS) *asm {
	for _, x := range v {
		a.u64(uint64(x))
	}
	return a
}
func (a *asm) rect(r regions.Rect) *asm { return a.i32(r.Top, r.Left, r.Bottom, r.Right) }
func (a *asm) asm(o *asm) *asm          { a.b = append(a.b, o.b...); return a }
func (a *asm) zero(n int) *asm          { a.b = append(a.b, make([]byte, n)...); return a }

// guest is guest memory under construction: one slot, filled from its start.
type guest struct {
	mem  *Memory
	slot Slot
	buf  []byte
	used int
}

const (
	guestGroup, guestSlot = 1, 2
	guestStart            = 0x10000
)

func newGuest(tb testing.TB, size int) *guest {
	tb.Helper()
	mem, err := NewMemory(MemoryConfig{Groups: 2, Slots: 4, GenBits: 8, IDBits: 8})
	if err != nil {
		tb.Fatal(err)
	}
	buf := make([]byte, size)
	g := &guest{mem: mem, buf: buf, slot: Slot{Group: guestGroup, ID: guestSlot, Generation: 5, Start: guestStart, Mem: buf}}
	if err := mem.AddSlot(g.slot); err != nil {
		tb.Fatal(err)
	}
	return g
}

// at is the address of a byte of the guest's memory.
func (g *guest) at(offset int) PHYS {
	return g.mem.Address(g.slot.Group, g.slot.ID, g.slot.Start+uint64(offset))
}

// put stores a structure at an odd place and returns its address.
func (g *guest) put(a *asm) PHYS {
	g.used |= 1
	addr := g.at(g.used)
	if g.used+len(a.b) > len(g.buf) {
		panic("guest memory is full")
	}
	copy(g.buf[g.used:], a.b)
	g.used += len(a.b)
	return addr
}

// chunked stores head and data cut into pieces, linked, the first chunk
// directly behind head.
func (g *guest) chunked(head *asm, pieces ...[]byte) PHYS {
	var next PHYS
	for i := len(pieces) - 1; i > 0; i-- {
		next = g.put(new(asm).u32(uint32(len(pieces[i]))).phys(0, next).u8(pieces[i]...))
	}
	return g.put(new(asm).asm(head).u32(uint32(len(pieces[0]))).phys(0, next).u8(pieces[0]...))
}

// brush layouts are 20 bytes, masks 17.
func solid(c uint32) *asm { return new(asm).u32(1, c).zero(12) }
func noBrush() *asm       { return new(asm).zero(20) }
func pattern(image PHYS, x, y int32) *asm {
	return new(asm).u32(2).phys(image).i32(x, y)
}
func noMask() *asm { return new(asm).u8(1).i32(7, 7).phys(0) }
func masked(image PHYS, flags uint8, x, y int32) *asm {
	return new(asm).u8(flags).i32(x, y).phys(image)
}

// bitmap is a QXLImage with pixels.
type bitmap struct {
	id              uint64
	flags, bitFlags uint8
	format          BitmapFormat
	w, h, stride    uint32
	palette, data   PHYS
}

func (b bitmap) asm() *asm {
	return new(asm).u64(b.id).u8(0, b.flags).u32(b.w, b.h).
		u8(uint8(b.format), b.bitFlags).u32(b.w, b.h, b.stride).phys(b.palette, b.data)
}

// draw is a drawable in either layout. op is padded to the union's 68 bytes.
type draw struct {
	surface  uint32
	effect   Effect
	typ      DrawType
	self     uint16
	selfArea regions.Rect
	bbox     regions.Rect
	clipType uint32
	clip     PHYS
	deps     [3]int32
	depRects [3]regions.Rect
	op       *asm
}

const (
	testID     = 0xfeedfacecafe
	testMMTime = 0x01020304
)

func (d draw) native() *asm {
	a := new(asm).u64(testID).u32(d.surface).u8(uint8(d.effect), uint8(d.typ), uint8(d.self))
	a.rect(d.selfArea).rect(d.bbox).u32(d.clipType).phys(d.clip).u32(testMMTime).i32(d.deps[:]...)
	for _, r := range d.depRects {
		a.rect(r)
	}
	return d.union(a, 191)
}

func (d draw) compat() *asm {
	a := new(asm).u64(testID).u8(uint8(d.effect), uint8(d.typ)).u16(d.self)
	a.rect(d.selfArea).rect(d.bbox).u32(d.clipType).phys(d.clip).u32(testMMTime)
	return d.union(a, 128)
}

func (d draw) union(a *asm, size int) *asm {
	if d.op != nil {
		a.asm(d.op)
	}
	return a.zero(size - len(a.b))
}

func (g *guest) command(t CommandType, addr PHYS, flags uint32) Command {
	return Command{Data: addr, Type: t, Group: g.slot.Group, Flags: flags}
}

func (g *guest) native(d draw) Command {
	return g.command(CommandDraw, g.put(d.native()), 0)
}

func (g *guest) compat(d draw, flags uint32) Command {
	return g.command(CommandDraw, g.put(d.compat()), FlagCompat|flags)
}

// same compares by value, whatever storage the slices have.
func same(a, b any) bool { return fmt.Sprintf("%+v", a) == fmt.Sprintf("%+v", b) }

// wantReason fails unless err is a GuestError for that reason.
func wantReason(tb testing.TB, err error, want Reason) {
	tb.Helper()
	got := ReasonNone
	if ge := (*GuestError)(nil); errors.As(err, &ge) {
		got = ge.Reason
	}
	if got != want {
		tb.Fatalf("reason %q, want %q (%v)", got, want, err)
	}
}

// checkDrawable holds a decoded drawable to what its consumers rely on.
func checkDrawable(tb testing.TB, d *Drawable) {
	tb.Helper()
	check := func(ok bool, what string) {
		tb.Helper()
		if !ok {
			tb.Fatalf("%s: %+v", what, *d)
		}
	}
	check(d.Type < drawTypes && d.Effect <= EffectOpaqueBrush, "enums")
	check(ordered(d.BBox) && (!d.SelfBitmap || ordered(d.SelfBitmapArea)), "areas")
	check(len(d.Clip.Rects) <= MaxClipRects, "clip count")
	for _, r := range d.Clip.Rects {
		check(!r.Empty(), "empty clip rectangle")
	}
	for _, i := range []int8{d.Src, d.Mask.Image, d.Brush.Image, d.BackBrush.Image} {
		check(i == NoImage || d.Image(i) != nil, "image index")
	}
	check((d.Brush.Type == BrushPattern) == (d.Brush.Image != NoImage), "brush image")
	for i := range d.Images {
		im := &d.Images[i]
		sum := 0
		for _, c := range im.Data.Chunks {
			check(len(c) > 0, "empty piece")
			sum += len(c)
		}
		check(sum == im.Data.Size && sum <= MaxImageBytes && len(im.Data.Chunks) <= MaxChunks, "image data")
		if im.Type == ImageBitmap {
			check(uint64(sum) == uint64(im.Stride)*uint64(im.Y), "bitmap size")
			check((uint64(im.X)*uint64(im.Format.BitsPerPixel())+7)/8 <= uint64(im.Stride), "stride")
			check(len(im.Palette.Entries) <= 256, "palette")
		}
	}
	switch d.Type {
	case DrawCopy, DrawBlend:
		check(!d.SelfBitmap && d.Src != NoImage, "copy source")
		fallthrough
	case DrawOpaque, DrawRop3, DrawTransparent, DrawAlphaBlend:
		check(ordered(d.SrcArea), "source area")
		check(d.SelfBitmap || d.Src != NoImage, "source")
		if im := d.Image(d.Src); im != nil && im.Type == ImageBitmap {
			check(uint32(d.SrcArea.Right) <= im.X && uint32(d.SrcArea.Bottom) <= im.Y, "source area in bitmap")
		}
	}
	next := int32(0)
	for _, s := range d.Segments {
		check(s.First == next && s.Count >= 0, "segment")
		next += s.Count
	}
	check(int(next) == len(d.Points), "points")
	for i, g := range d.Text.Glyphs {
		bits := map[uint8]int{StringA1: 1, StringA4: 4, StringA8: 8}[d.Text.Flags&7]
		end := int(g.Data) + (int(g.Width)*bits+7)/8*int(g.Height)
		check(bits != 0 && end <= len(d.Text.Data), fmt.Sprintf("glyph %d", i))
	}
}
