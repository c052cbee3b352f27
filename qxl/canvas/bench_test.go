package canvas

import (
	"fmt"
	"testing"

	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

// workload is an operation on a 1024x768 canvas of 32-bit words.
type workload struct {
	name string
	make func() *qxl.Drawable
}

var workBox = regions.XYWH(0, 0, 1024, 768)

func source32(d *qxl.Drawable, f qxl.BitmapFormat, width, height int) {
	d.Src = bitmapImage(d, f, width, height, make([]byte, lineBytes(f.BitsPerPixel(), width)*height))
	for i := range d.Images[0].Data.Chunks[0] {
		d.Images[0].Data.Chunks[0][i] = byte(i * 7)
	}
	d.SrcArea = regions.XYWH(0, 0, int32(width), int32(height))
}

var workloads = []workload{
	{"fill", func() *qxl.Drawable {
		d := newDrawable(qxl.DrawFill, workBox)
		d.Brush = qxl.Brush{Type: qxl.BrushSolid, Color: 0x123456}
		return d
	}},
	{"fill_xor", func() *qxl.Drawable {
		d := newDrawable(qxl.DrawFill, workBox)
		d.Brush, d.Rop = qxl.Brush{Type: qxl.BrushSolid, Color: 0x123456}, qxl.RopXor
		return d
	}},
	{"fill_pattern", func() *qxl.Drawable {
		d := newDrawable(qxl.DrawFill, workBox)
		source32(d, qxl.Bitmap32Bit, 8, 8)
		d.Src, d.Brush = qxl.NoImage, qxl.Brush{Type: qxl.BrushPattern}
		return d
	}},
	{"copy", func() *qxl.Drawable {
		d := newDrawable(qxl.DrawCopy, workBox)
		source32(d, qxl.Bitmap32Bit, 1024, 768)
		return d
	}},
	{"copy_24", func() *qxl.Drawable {
		d := newDrawable(qxl.DrawCopy, workBox)
		source32(d, qxl.Bitmap24Bit, 1024, 768)
		return d
	}},
	{"copy_palette", func() *qxl.Drawable {
		d := newDrawable(qxl.DrawCopy, workBox)
		source32(d, qxl.Bitmap8Bit, 1024, 768)
		d.Images[0].Palette.Entries = make([]uint32, 256)
		return d
	}},
	{"copy_rop", func() *qxl.Drawable {
		d := newDrawable(qxl.DrawCopy, workBox)
		source32(d, qxl.Bitmap32Bit, 1024, 768)
		d.Rop = qxl.RopAnd
		return d
	}},
	{"copy_mask", func() *qxl.Drawable {
		d := newDrawable(qxl.DrawCopy, workBox)
		source32(d, qxl.Bitmap32Bit, 1024, 768)
		bits := make([]byte, 128*768)
		for i := range bits {
			bits[i] = 0x3c
		}
		d.Mask.Image = bitmapImage(d, qxl.Bitmap1BitBE, 1024, 768, bits)
		return d
	}},
	{"scale_nearest", func() *qxl.Drawable {
		d := newDrawable(qxl.DrawCopy, workBox)
		source32(d, qxl.Bitmap32Bit, 512, 384)
		d.Scale = qxl.ScaleNearest
		return d
	}},
	{"scale_bilinear", func() *qxl.Drawable {
		d := newDrawable(qxl.DrawCopy, workBox)
		source32(d, qxl.Bitmap32Bit, 512, 384)
		return d
	}},
	{"copy_bits", func() *qxl.Drawable {
		d := newDrawable(qxl.DrawCopyBits, workBox)
		d.SrcPos.Y = 16
		return d
	}},
	{"rop3", func() *qxl.Drawable {
		d := newDrawable(qxl.DrawRop3, workBox)
		source32(d, qxl.Bitmap32Bit, 1024, 768)
		d.Brush, d.Rop3 = qxl.Brush{Type: qxl.BrushSolid, Color: 0x123456}, 0xe2
		return d
	}},
	{"transparent", func() *qxl.Drawable {
		d := newDrawable(qxl.DrawTransparent, workBox)
		source32(d, qxl.Bitmap32Bit, 1024, 768)
		return d
	}},
	{"alpha_blend", func() *qxl.Drawable {
		d := newDrawable(qxl.DrawAlphaBlend, workBox)
		source32(d, qxl.BitmapRGBA, 1024, 768)
		d.Alpha = 255
		return d
	}},
	{"composite_over", func() *qxl.Drawable {
		d := newDrawable(qxl.DrawComposite, workBox)
		source32(d, qxl.BitmapRGBA, 1024, 768)
		d.CompositeFlags = opOver
		return d
	}},
	{"text", func() *qxl.Drawable {
		d := newDrawable(qxl.DrawText, workBox)
		d.Brush = qxl.Brush{Type: qxl.BrushSolid, Color: 0xffffff}
		d.Text.Flags, d.Text.Data = qxl.StringA8, make([]byte, 16*16)
		for i := range int32(64) {
			d.Text.Glyphs = append(d.Text.Glyphs, qxl.Glyph{Pos: regions.Point{X: 16 * i, Y: 20}, Width: 16, Height: 16})
		}
		return d
	}},
	{"stroke", func() *qxl.Drawable {
		d := newDrawable(qxl.DrawStroke, workBox)
		d.Brush = qxl.Brush{Type: qxl.BrushSolid, Color: 0xffffff}
		for i := range int32(64) {
			d.Points = append(d.Points, qxl.PointFix{X: i % 2 * 1000 << 4, Y: i * 10 << 4})
		}
		d.Segments = []qxl.PathSegment{{Flags: qxl.PathBegin | qxl.PathEnd, Count: 64}}
		return d
	}},
	{"dash_xor", func() *qxl.Drawable {
		d := newDrawable(qxl.DrawStroke, workBox)
		d.Brush, d.Rop = qxl.Brush{Type: qxl.BrushSolid, Color: 0xffffff}, qxl.RopXor
		d.Line = qxl.LineAttr{Flags: qxl.LineStyled, Style: []int32{4 << 4, 4 << 4}}
		d.Points = []qxl.PointFix{{X: 100 << 4, Y: 90 << 4}, {X: 900 << 4, Y: 90 << 4}, {X: 900 << 4, Y: 700 << 4}, {X: 100 << 4, Y: 700 << 4}}
		d.Segments = []qxl.PathSegment{{Flags: qxl.PathBegin | qxl.PathEnd | qxl.PathClose, Count: 4}}
		return d
	}},
}

func BenchmarkDraw(b *testing.B) {
	for _, w := range workloads {
		b.Run(w.name, func(b *testing.B) {
			c, d := New(qxl.Surface32xRGB, 1024, 768), w.make()
			b.SetBytes(1024 * 768 * 4)
			b.ReportAllocs()
			for b.Loop() {
				if err := c.Draw(d, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkMemory is opaque drawing beside what the runtime's memory
// operations take for as many bytes: clear for a fill, copy for a copy, copy
// within the same slice for copy-bits. A part is all but 4 pixels of each line,
// beside the same calls for the whole.
func BenchmarkMemory(b *testing.B) {
	for _, size := range []struct{ w, h int }{{1024, 768}, {3840, 2160}} {
		b.Run(fmt.Sprintf("%dx%d", size.w, size.h), func(b *testing.B) { benchmarkMemory(b, size.w, size.h) })
	}
}

func benchmarkMemory(b *testing.B, w, h int) {
	n := w * h * 4
	dst, src, c := make([]byte, n), make([]byte, n), New(qxl.Surface32xRGB, w, h)
	for i := range src {
		src[i] = byte(i) // pages never written would all be the same one
	}
	fill := newDrawable(qxl.DrawFill, c.Bounds())
	fill.Brush = qxl.Brush{Type: qxl.BrushSolid, Color: 0x123456}
	plain := newDrawable(qxl.DrawCopy, c.Bounds())
	source32(plain, qxl.Bitmap32Bit, w, h)
	move := newDrawable(qxl.DrawCopyBits, c.Bounds())
	move.SrcPos.Y = 16
	fillPart, copyPart := *fill, *plain
	fillPart.BBox.Right -= 4
	copyPart.BBox.Right, copyPart.SrcArea.Right = copyPart.BBox.Right-4, copyPart.SrcArea.Right-4
	for _, t := range []struct {
		name    string
		d       *qxl.Drawable
		runtime func()
	}{
		{"fill", fill, func() { clear(dst) }},
		{"fill_part", &fillPart, func() { clear(dst) }},
		{"copy", plain, func() { copy(dst, src) }},
		{"copy_part", &copyPart, func() { copy(dst, src) }},
		{"copy_bits", move, func() { copy(dst[:n-16*4*w], dst[16*4*w:]) }},
	} {
		b.Run(t.name+"/canvas", func(b *testing.B) {
			b.SetBytes(int64(n))
			for b.Loop() {
				if err := c.Draw(t.d, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(t.name+"/runtime", func(b *testing.B) {
			b.SetBytes(int64(n))
			for b.Loop() {
				t.runtime()
			}
		})
	}
}

// BenchmarkSmall is the cost of a drawing apart from its pixels.
func BenchmarkSmall(b *testing.B) {
	c := New(qxl.Surface32xRGB, 1024, 768)
	for _, w := range workloads[:4] {
		d := w.make()
		d.BBox = regions.XYWH(5, 5, 8, 8)
		if d.Type == qxl.DrawCopy {
			d.SrcArea = d.BBox
		}
		b.Run(w.name, func(b *testing.B) {
			for b.Loop() {
				if err := c.Draw(d, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestDrawAllocatesNothing(t *testing.T) {
	if raceDetector {
		t.Skip("under the race detector a sync.Pool forgets")
	}
	for _, w := range workloads {
		c, d := New(qxl.Surface32xRGB, 1024, 768), w.make()
		d.Clip.Type = qxl.ClipRects
		d.Clip.Rects = []regions.Rect{{Right: 100, Bottom: 100}, {Left: 50, Top: 50, Right: 300, Bottom: 200}}
		n := testing.AllocsPerRun(20, func() {
			if err := c.Draw(d, nil); err != nil {
				t.Fatal(err)
			}
		})
		if n != 0 {
			t.Errorf("%s allocates %.1f times", w.name, n)
		}
	}
}
