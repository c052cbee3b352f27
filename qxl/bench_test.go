package qxl

import (
	"testing"

	"github.com/spiceecs/spiceecs/regions"
)

func benchmarkDrawable(b *testing.B, build func(g *guest) draw) {
	g := newGuest(b, 4<<20)
	d := NewDecoder(g.mem)
	cmd := g.native(build(g))
	var dst Drawable
	b.ReportAllocs()
	for b.Loop() {
		if err := d.Drawable(&dst, cmd); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFill(b *testing.B) {
	benchmarkDrawable(b, func(g *guest) draw {
		return as(DrawFill, new(asm).asm(solid(1)).u16(RopPut).asm(noMask()))
	})
}

func BenchmarkFillClipped(b *testing.B) {
	benchmarkDrawable(b, func(g *guest) draw {
		rects := new(asm)
		for i := range int32(32) {
			rects.rect(regions.XYWH(10*i, i, 5, 7))
		}
		d := as(DrawFill, new(asm).asm(solid(1)).u16(RopPut).asm(noMask()))
		d.clipType, d.clip = uint32(ClipRects), g.chunked(new(asm).u32(32), rects.b)
		return d
	})
}

func BenchmarkCopyDirect(b *testing.B) {
	benchmarkDrawable(b, func(g *guest) draw {
		return copyBitmap(func(g *guest, b *bitmap) { b.w, b.h, b.stride = 640, 480, 2560 })(g, parts{})
	})
}

// A 640x480 image in pieces of 16 KiB.
func BenchmarkCopyChunks(b *testing.B) {
	benchmarkDrawable(b, func(g *guest) draw {
		pieces := make([][]byte, 75)
		for i := range pieces {
			pieces[i] = make([]byte, 16<<10)
		}
		im := bitmap{format: Bitmap32Bit, w: 640, h: 480, stride: 2560, data: g.chunked(new(asm), pieces...)}
		return copyOf(g.put(im.asm()), testArea)
	})
}

func BenchmarkCopyBits(b *testing.B) {
	benchmarkDrawable(b, func(g *guest) draw { return as(DrawCopyBits, new(asm).i32(1, 2)) })
}

// BenchmarkChunkCycle is the worst list a guest can make.
func BenchmarkChunkCycle(b *testing.B) {
	g := newGuest(b, 1<<16)
	d := NewDecoder(g.mem)
	cmd := g.native(copyChunks(func(g *guest) PHYS { return cycle(g, 0) })(g, parts{}))
	var dst Drawable
	for b.Loop() {
		if d.Drawable(&dst, cmd) == nil {
			b.Fatal("accepted")
		}
	}
}

// BenchmarkText is a line of 80 small glyphs.
func BenchmarkText(b *testing.B) {
	benchmarkDrawable(b, func(g *guest) draw {
		glyphs := new(asm)
		for i := range int32(80) {
			glyphs.i32(8*i, 0, 0, -12).u16(8, 13).zero(13)
		}
		return textOf(uint32(len(glyphs.b)), 80, StringA1, glyphs.b)(g, parts{})
	})
}
