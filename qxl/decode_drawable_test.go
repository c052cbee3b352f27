package qxl

import (
	"testing"

	"github.com/spiceecs/spiceecs/regions"
)

func TestDrawable(t *testing.T) {
	g := newGuest(t, 1<<16)
	d := NewDecoder(g.mem)
	var dst Drawable // one for all: a recycled value keeps nothing of the last
	seen := map[DrawType]int{}
	for _, s := range append(samples(g), compatSamples(g)...) {
		t.Run(s.name, func(t *testing.T) {
			if err := d.Drawable(&dst, s.cmd); err != nil {
				t.Fatal(err)
			}
			if !same(dst, s.want) {
				t.Errorf("got\n%+v\nwant\n%+v", dst, s.want)
			}
			checkDrawable(t, &dst)
		})
		seen[s.want.Type]++
	}
	if len(seen) != int(drawTypes) {
		t.Errorf("only %d of %d operations tried", len(seen), drawTypes)
	}
}

func TestDrawableSizes(t *testing.T) {
	if n := len((draw{}).native().b); n != 191 {
		t.Errorf("native drawable: %d bytes", n)
	}
	if n := len((draw{}).compat().b); n != 128 {
		t.Errorf("compat drawable: %d bytes", n)
	}
	g := newGuest(t, 1<<16)
	want := map[DrawType]int{DrawFill: 39, DrawOpaque: 64, DrawCopy: 44, DrawBlend: 44, DrawTransparent: 32,
		DrawAlphaBlend: 27, DrawRop3: 63, DrawStroke: 52, DrawText: 68, DrawInvers: 17, DrawCopyBits: 8, DrawComposite: 44}
	for _, o := range operations(makeParts(g)) {
		if n := want[o.typ]; n != 0 && n != len(o.op.b) {
			t.Errorf("%s: %d bytes, want %d", drawNames[o.typ], len(o.op.b), n)
		}
	}
}

// A 16 bpp compat command has its solid colours and palettes widened, and
// nothing else.
func TestCompat16bpp(t *testing.T) {
	g := newGuest(t, 1<<16)
	p := makeParts(g)
	d := NewDecoder(g.mem)
	var dst Drawable
	op := new(asm).phys(p.indexed).rect(regions.Rect{Right: 1, Bottom: 1}).asm(solid(0x7c00)).u16(RopPut).u8(0).asm(noMask())
	if err := d.Drawable(&dst, g.compat(draw{typ: DrawOpaque, bbox: testBox, op: op}, FlagCompat16bpp)); err != nil {
		t.Fatal(err)
	}
	if dst.Brush.Color != 0xff0000 {
		t.Errorf("solid colour %#x", dst.Brush.Color)
	}
	if got, want := dst.Images[0].Palette.Entries, []uint32{0xffffff, 0x080808, 0}; !same(got, want) {
		t.Errorf("palette %#x, want %#x", got, want)
	}
	op = new(asm).phys(p.rgb).rect(testArea).u32(0x7c00, 0x3e0)
	if err := d.Drawable(&dst, g.compat(draw{typ: DrawTransparent, bbox: testBox, op: op}, FlagCompat16bpp)); err != nil {
		t.Fatal(err)
	}
	if dst.SrcColor != 0x7c00 || dst.TrueColor != 0x3e0 {
		t.Errorf("keys %#x %#x", dst.SrcColor, dst.TrueColor)
	}
}

func TestExpand555(t *testing.T) {
	for c := range uint32(1 << 16) {
		var want uint32
		for shift, to := range map[uint32]uint32{10: 16, 5: 8, 0: 0} {
			v := c >> shift & 31
			want |= (v*8 + v/4) << to
		}
		if got := expand555(c); got != want {
			t.Fatalf("%#x: %#x, want %#x", c, got, want)
		}
	}
}

// A source may be absent where the command draws from a copy of its target,
// and then has to lie in that copy.
func TestSelfBitmapSource(t *testing.T) {
	g := newGuest(t, 1<<12)
	d := NewDecoder(g.mem)
	var dst Drawable
	op := new(asm).phys(0).rect(regions.Rect{Right: 4, Bottom: 3}).asm(noBrush()).u8(0xcc, 0).asm(noMask())
	if err := d.Drawable(&dst, g.native(draw{typ: DrawRop3, self: 1, selfArea: testBox, bbox: testBox, op: op})); err != nil {
		t.Fatal(err)
	}
	if dst.Src != NoImage || !dst.SelfBitmap {
		t.Errorf("source %d, self bitmap %v", dst.Src, dst.SelfBitmap)
	}
	err := d.Drawable(&dst, g.native(draw{typ: DrawRop3, self: 1, selfArea: testArea, bbox: testBox, op: op}))
	wantReason(t, err, ReasonSourceArea)
}

// Composite flags follow the pointers; a mask transform without a mask is none.
func TestCompositeFlags(t *testing.T) {
	g := newGuest(t, 1<<14)
	p := makeParts(g)
	d := NewDecoder(g.mem)
	var dst Drawable
	const announced = CompositeHasMask | CompositeHasSrcTransform | CompositeHasMaskTransf
	op := new(asm).u32(announced|CompositeDestOpaque).phys(p.rgb, 0, 0, p.transform).u16(0, 0, 0, 0)
	if err := d.Drawable(&dst, g.native(draw{typ: DrawComposite, bbox: testBox, op: op})); err != nil {
		t.Fatal(err)
	}
	if dst.CompositeFlags != CompositeDestOpaque || dst.Mask.Image != NoImage || dst.MaskTransform != (Transform{}) {
		t.Errorf("flags %#x mask %d", dst.CompositeFlags, dst.Mask.Image)
	}
}

// A palette is read as far as a pixel can reach, no matter how many entries
// it claims.
func TestPaletteLength(t *testing.T) {
	g := newGuest(t, 1<<12)
	d := NewDecoder(g.mem)
	pal := g.put(new(asm).u64(1).u16(0xffff).u32(1, 2, 3))
	im := g.put(bitmap{bitFlags: BitmapDirect, format: Bitmap1BitBE, w: 8, h: 1, stride: 1, palette: pal, data: g.at(0)}.asm())
	op := new(asm).phys(im).rect(regions.Rect{Right: 1, Bottom: 1}).u16(RopPut).u8(0).asm(noMask())
	var dst Drawable
	if err := d.Drawable(&dst, g.native(draw{typ: DrawCopy, bbox: testBox, op: op})); err != nil {
		t.Fatal(err)
	}
	if got := dst.Images[0].Palette.Entries; !same(got, []uint32{1, 2}) {
		t.Errorf("palette %v", got)
	}
}

// Storage that a hostile command needed is not kept for good.
func TestResetGivesUpStorage(t *testing.T) {
	d := Drawable{Points: make([]PointFix, keepItems+1), Text: Text{Data: make([]byte, 100)}}
	d.Reset()
	if cap(d.Points) != 0 || cap(d.Text.Data) != 100 {
		t.Errorf("kept %d points and %d bytes", cap(d.Points), cap(d.Text.Data))
	}
}
