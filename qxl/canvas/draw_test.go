package canvas

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

// bitmapImage adds a top-down bitmap with the given memory in one piece.
func bitmapImage(d *qxl.Drawable, f qxl.BitmapFormat, width, height int, data []byte) int8 {
	im, i := d.NewImage()
	im.Type, im.Format, im.BitFlags = qxl.ImageBitmap, f, qxl.BitmapTopDown
	im.X, im.Y, im.Stride = uint32(width), uint32(height), uint32(lineBytes(f.BitsPerPixel(), width))
	im.Data.Append(data)
	return i
}

func newDrawable(t qxl.DrawType, box regions.Rect) *qxl.Drawable {
	d := new(qxl.Drawable)
	d.Reset()
	d.Type, d.BBox, d.Rop = t, box, qxl.RopPut
	return d
}

// copyOf is a plain copy of a bitmap to the canvas' corner.
func copyOf(f qxl.BitmapFormat, width, height int, data []byte) *qxl.Drawable {
	d := newDrawable(qxl.DrawCopy, regions.XYWH(0, 0, int32(width), int32(height)))
	d.SrcArea = d.BBox
	d.Src = bitmapImage(d, f, width, height, data)
	return d
}

func TestBitmapFormats(t *testing.T) {
	palette := []uint32{0x112233, 0x445566, 0x778899, 0xaabbcc}
	tests := []struct {
		name   string
		format qxl.BitmapFormat
		data   []byte
		want   [4]uint32 // on 32_xRGB
	}{
		{"1 LE", qxl.Bitmap1BitLE, []byte{0b0101}, [4]uint32{0x445566, 0x112233, 0x445566, 0x112233}},
		{"1 BE", qxl.Bitmap1BitBE, []byte{0b01010000}, [4]uint32{0x112233, 0x445566, 0x112233, 0x445566}},
		{"4 LE", qxl.Bitmap4BitLE, []byte{0x10, 0x32}, [4]uint32{0x112233, 0x445566, 0x778899, 0xaabbcc}},
		{"4 BE", qxl.Bitmap4BitBE, []byte{0x01, 0x24}, [4]uint32{0x112233, 0x445566, 0x778899, 0}},
		{"8", qxl.Bitmap8Bit, []byte{3, 2, 4, 255}, [4]uint32{0xaabbcc, 0x778899, 0, 0}},
		{"16", qxl.Bitmap16Bit, []byte{0xff, 0x7f, 0x1f, 0, 0xe0, 3, 0, 4}, [4]uint32{0xffffff, 0xff, 0xff00, 0x080000}},
		{"24", qxl.Bitmap24Bit, []byte{3, 2, 1, 6, 5, 4, 9, 8, 7, 0, 0, 255}, [4]uint32{0x010203, 0x040506, 0x070809, 0xff0000}},
		{"32", qxl.Bitmap32Bit, []byte{3, 2, 1, 0, 6, 5, 4, 0, 9, 8, 7, 0, 0, 0, 1, 9}, [4]uint32{0x010203, 0x040506, 0x070809, 0x010000}},
	}
	for _, test := range tests {
		for _, flags := range []uint8{0, qxl.ImageHighBitsSet} {
			c := New(qxl.Surface32xRGB, 4, 1)
			d := copyOf(test.format, 4, 1, test.data)
			d.Images[0].Palette.Entries = palette
			d.Images[0].Flags = flags
			if err := c.Draw(d, nil); err != nil {
				t.Fatalf("%s: %v", test.name, err)
			}
			for x, want := range test.want {
				if got := c.word(x, 0); got&0xffffff != want || flags != 0 && got>>24 != 0xff {
					t.Errorf("%s, flags %d: pixel %d is %08x, want %06x", test.name, flags, x, got, want)
				}
			}
		}
	}
}

// TestPiecesDoNotMatter draws the same image in one piece and in any others.
func TestPiecesDoNotMatter(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 3))
		w, h := 1+r.IntN(30), 1+r.IntN(20)
		data := noise(r, w*h*4)
		whole, pieces := New(qxl.Surface32ARGB, w, h), New(qxl.Surface32ARGB, w, h)
		d := copyOf(qxl.BitmapRGBA, w, h, data)
		d.Images[0].BitFlags = uint8(r.IntN(2)) * qxl.BitmapTopDown
		if err := whole.Draw(d, nil); err != nil {
			t.Fatal(err)
		}
		d.Images[0].Data.Reset()
		for rest := data; len(rest) > 0; {
			n := 1 + r.IntN(min(len(rest), 700))
			d.Images[0].Data.Append(rest[:n])
			rest = rest[n:]
		}
		if err := pieces.Draw(d, nil); err != nil {
			t.Fatal(err)
		}
		if whole.Hash() != pieces.Hash() {
			t.Fatalf("seed %d: differs with %d pieces", seed, len(d.Images[0].Data.Chunks))
		}
	}
}

// TestScaleOneToOne samples an area as large as the box.
func TestScaleOneToOne(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	var s scaler
	for _, mode := range []uint8{qxl.ScaleInterpolate, qxl.ScaleNearest} {
		for _, f := range allFormats[1:] {
			from := New(f, 20, 10)
			copy(from.mem, noise(r, len(from.mem)))
			if f == qxl.Surface16x555 {
				for i := 1; i < len(from.mem); i += 2 {
					from.mem[i] &= 0x7f
				}
			}
			to := New(f, 20, 10)
			var src source
			src.work = workLayout(f)
			src.openCanvas(from, to, regions.Rect{})
			if err := s.open(&src, from.Bounds(), to.Bounds(), mode); err != nil {
				t.Fatal(err)
			}
			for y := range 10 {
				s.rowInto(to.Row(y), y, 0, 20)
			}
			if f == qxl.Surface32xRGB {
				if from.Hash() != to.Hash() {
					t.Errorf("mode %d, format %d: not a copy", mode, f)
				}
			} else if string(from.mem) != string(to.mem) {
				t.Errorf("mode %d, format %d: not a copy", mode, f)
			}
		}
	}
}

// TestBilinear compares interpolation with the definition in floating point.
func TestBilinear(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 4))
	const w, h, dw, dh = 7, 5, 31, 23
	data := noise(r, w*h)
	c := New(qxl.Surface8A, dw, dh)
	d := copyOf(qxl.Bitmap8BitA, w, h, data)
	d.BBox = c.Bounds()
	if err := c.Draw(d, nil); err != nil {
		t.Fatal(err)
	}
	at := func(x, y int) float64 {
		if x < 0 || y < 0 || x >= w || y >= h {
			return 0
		}
		return float64(data[y*w+x])
	}
	for y := range dh {
		for x := range dw {
			sx, sy := (float64(x)+0.5)*w/dw-0.5, (float64(y)+0.5)*h/dh-0.5
			ix, iy := int(math.Floor(sx)), int(math.Floor(sy))
			fx, fy := sx-float64(ix), sy-float64(iy)
			want := (at(ix, iy)*(1-fx)+at(ix+1, iy)*fx)*(1-fy) + (at(ix, iy+1)*(1-fx)+at(ix+1, iy+1)*fx)*fy
			if got := float64(c.Row(y)[x]); math.Abs(got-want) > 5 {
				t.Errorf("pixel (%d,%d) is %v, want about %.1f", x, y, got, want)
			}
		}
	}
}

// TestLimit renders only inside a region, which together with the rest is the
// whole.
func TestLimit(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 5))
		data := noise(r, 30*20*4)
		d := copyOf(qxl.Bitmap32Bit, 30, 20, data)
		d.Rop = qxl.RopXor
		whole, parts := New(qxl.Surface32ARGB, 30, 20), New(qxl.Surface32ARGB, 30, 20)
		var in, out regions.Region
		out.SetRect(whole.Bounds())
		for range 1 + r.IntN(5) {
			rc := regions.XYWH(r.Int32N(30), r.Int32N(20), r.Int32N(30), r.Int32N(20))
			in.UnionRect(rc)
			out.SubtractRect(rc)
		}
		for _, draw := range []error{whole.Draw(d, nil), parts.DrawRegion(d, nil, &in), parts.DrawRegion(d, nil, &out)} {
			if draw != nil {
				t.Fatal(draw)
			}
		}
		if whole.Hash() != parts.Hash() {
			t.Fatalf("seed %d: the parts are not the whole", seed)
		}
	}
}

// TestOwnSurface copies a canvas onto itself: the source is what was there
// before.
func TestOwnSurface(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	c, want := New(qxl.Surface32xRGB, 20, 20), New(qxl.Surface32xRGB, 20, 20)
	copy(c.mem, noise(r, len(c.mem)))
	copy(want.mem, c.mem)
	for y := range 15 {
		copy(want.Row(y + 3)[8:68], c.Row(y)[:60])
	}
	d := newDrawable(qxl.DrawCopy, regions.XYWH(2, 3, 15, 15))
	d.Src, d.SrcArea = surfaceImage(d, 0), regions.XYWH(0, 0, 15, 15)
	w := &world{canvases: map[uint32]*Canvas{0: c}}
	if err := c.Draw(d, w); err != nil {
		t.Fatal(err)
	}
	if c.Hash() != want.Hash() {
		t.Error("an overlapping copy of the canvas itself went wrong")
	}
}

func TestErrors(t *testing.T) {
	box := regions.XYWH(0, 0, 4, 4)
	tests := []struct {
		name string
		d    func() *qxl.Drawable
		want error
	}{
		{"no image", func() *qxl.Drawable { return newDrawable(qxl.DrawCopy, box) }, ErrImage},
		{"short image", func() *qxl.Drawable { return copyOf(qxl.Bitmap32Bit, 4, 4, make([]byte, 63)) }, ErrImage},
		{"unknown surface", func() *qxl.Drawable {
			d := newDrawable(qxl.DrawCopy, box)
			d.Src, d.SrcArea = surfaceImage(d, 9), box
			return d
		}, ErrSurface},
		{"unknown type", func() *qxl.Drawable { return newDrawable(99, box) }, ErrDrawable},
		{"far away", func() *qxl.Drawable { return newDrawable(qxl.DrawFill, regions.Rect{Right: 1 << 20, Bottom: 1}) }, ErrDrawable},
		{"coloured mask", func() *qxl.Drawable {
			d := newDrawable(qxl.DrawInvers, box)
			d.Mask.Image = bitmapImage(d, qxl.Bitmap32Bit, 4, 4, make([]byte, 64))
			return d
		}, ErrImage},
		{"operator", func() *qxl.Drawable {
			d := copyOf(qxl.Bitmap32Bit, 4, 4, make([]byte, 64))
			d.Type, d.CompositeFlags = qxl.DrawComposite, 0xff
			return d
		}, ErrDrawable},
		{"glyph", func() *qxl.Drawable {
			d := newDrawable(qxl.DrawText, box)
			d.Text = qxl.Text{Flags: qxl.StringA8, Glyphs: []qxl.Glyph{{Width: 3, Height: 3}}, Data: make([]byte, 8)}
			return d
		}, ErrDrawable},
	}
	for _, test := range tests {
		c := New(qxl.Surface32xRGB, 4, 4)
		if err := c.Draw(test.d(), &world{}); !errors.Is(err, test.want) {
			t.Errorf("%s: error %v, want %v", test.name, err, test.want)
		}
	}
}

func TestWrap(t *testing.T) {
	mem := make([]byte, 100)
	for _, bad := range []struct {
		f               qxl.SurfaceFormat
		w, h, stride, n int
	}{
		{7, 1, 1, 4, 100}, {32, 0, 1, 4, 100}, {32, 1, 0, 4, 100}, {32, 2, 1, 7, 100}, {32, 5, 5, 20, 99},
		{32, 1, 3, 1 << 62, 100}, {32, 1, 1, -1 << 63, 100}, {32, 40000, 1, 160000, 100}, {1, 9, 1, 1, 100},
	} {
		if _, err := Wrap(bad.f, bad.w, bad.h, bad.stride, mem[:bad.n]); !errors.Is(err, ErrGeometry) {
			t.Errorf("%+v: error %v", bad, err)
		}
	}
	c, err := Wrap(qxl.Surface8A, 3, 2, -50, mem)
	if err != nil {
		t.Fatal(err)
	}
	c.Row(0)[0] = 1
	if mem[50] != 1 {
		t.Error("the top line of a bottom-up canvas is not the last in memory")
	}
}

func TestReadRect(t *testing.T) {
	c := New(qxl.Surface1A, 20, 2)
	c.Row(1)[0], c.Row(1)[1] = 0b1010_0000, 0b11
	if got := c.ReadRect(nil, regions.Rect{Left: 5, Top: 1, Right: 99, Bottom: 9}); len(got) != 2 || got[0] != 0b11101 {
		t.Errorf("bits are %b", got)
	}
	c = New(qxl.Surface16x565, 3, 3)
	c.Row(2)[2] = 7
	if got := c.ReadRect([]byte{1}, regions.Rect{Left: 1, Top: 1, Right: 2, Bottom: 3}); string(got) != "\x01\x00\x00\x07\x00" {
		t.Errorf("words are %v", got)
	}
}

// TestBottomUp fills and copies whole surfaces and parts of them, whichever
// line of either side comes first in memory, with and without padding.
func TestBottomUp(t *testing.T) {
	const w, h = 9, 7
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 8))
		stride := 4*w + 4*r.IntN(2)
		mem := noise(r, stride*h)
		var dst, src *Canvas
		for _, c := range []**Canvas{&dst, &src} {
			var err error
			if *c, err = Wrap(qxl.Surface32ARGB, w, h, stride*(1-2*r.IntN(2)), append([]byte(nil), mem...)); err != nil {
				t.Fatal(err)
			}
		}
		copy(src.mem, noise(r, len(src.mem)))
		d := newDrawable(qxl.DrawCopy, dst.Bounds())
		if r.IntN(2) == 0 {
			d.BBox = regions.XYWH(r.Int32N(w), r.Int32N(h), 1+r.Int32N(w), 1+r.Int32N(h)).Intersect(d.BBox)
		}
		d.SrcArea = d.BBox
		if d.Src = bitmapImage(d, qxl.BitmapRGBA, w, h, src.mem); src.stride < 0 {
			d.Images[0].BitFlags &^= qxl.BitmapTopDown
		}
		d.Images[0].Stride = uint32(stride)
		color := r.Uint32N(3) * 0x01020304
		if r.IntN(2) == 0 {
			d.Type, d.Brush = qxl.DrawFill, qxl.Brush{Type: qxl.BrushSolid, Color: color}
		}
		want := make([]uint32, 0, w*h)
		for y := range h {
			for x := range w {
				switch {
				case !contains(d.BBox, x, y):
					want = append(want, dst.word(x, y))
				case d.Type == qxl.DrawFill:
					want = append(want, color)
				default:
					want = append(want, src.word(x, y))
				}
			}
		}
		if err := dst.Draw(d, nil); err != nil {
			t.Fatal(err)
		}
		for i, v := range want {
			if got := dst.word(i%w, i/w); got != v {
				t.Fatalf("seed %d: type %d in %v: pixel (%d,%d) is %08x, want %08x", seed, d.Type, d.BBox, i%w, i/w, got, v)
			}
		}
	}
}
