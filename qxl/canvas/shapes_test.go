package canvas

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

// picture shows which pixels of an 8-bit canvas are not 0.
func picture(c *Canvas) string {
	var b strings.Builder
	for y := range c.height {
		for _, v := range c.Row(y) {
			b.WriteByte(".#"[min(v, 1)])
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// strokeOf draws white lines between pixels on an 8-bit canvas.
func strokeOf(t *testing.T, width, height int, line qxl.LineAttr, flags uint8, xy ...int32) *Canvas {
	t.Helper()
	c := New(qxl.Surface8A, width, height)
	d := newDrawable(qxl.DrawStroke, c.Bounds())
	d.Brush, d.Line = qxl.Brush{Type: qxl.BrushSolid, Color: 255}, line
	for i := 0; i < len(xy); i += 2 {
		d.Points = append(d.Points, qxl.PointFix{X: xy[i] << 4, Y: xy[i+1] << 4})
	}
	d.Segments = []qxl.PathSegment{{Flags: flags | qxl.PathBegin | qxl.PathEnd, Count: int32(len(d.Points))}}
	if err := c.Draw(d, nil); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestLines(t *testing.T) {
	tests := []struct {
		name  string
		flags uint8
		xy    []int32
		want  string
	}{
		{"right, last point open", 0, []int32{1, 0, 5, 0}, ".####.\n......\n......\n"},
		{"ties go down to the right", 0, []int32{0, 0, 4, 2}, "#.....\n.##...\n...#..\n"},
		{"ties stay back to the left", 0, []int32{4, 2, 0, 0}, "......\n.##...\n...##.\n"},
		{"closed", qxl.PathClose, []int32{0, 0, 2, 0, 2, 2, 0, 2}, "###...\n#.#...\n###...\n"},
		{"a point", 0, []int32{2, 2, 2, 2}, "......\n......\n......\n"},
	}
	for _, test := range tests {
		if got := picture(strokeOf(t, 6, 3, qxl.LineAttr{}, test.flags, test.xy...)); got != test.want {
			t.Errorf("%s:\n%swant\n%s", test.name, got, test.want)
		}
	}
}

// TestClippedLines draws a line as a whole and pixel by pixel.
func TestClippedLines(t *testing.T) {
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 11))
		xy := []int32{r.Int32N(90) - 30, r.Int32N(90) - 30, r.Int32N(90) - 30, r.Int32N(90) - 30, r.Int32N(90) - 30, r.Int32N(90) - 30}
		whole := strokeOf(t, 30, 30, qxl.LineAttr{}, 0, xy...)
		var wide []int32
		for _, v := range xy {
			wide = append(wide, v+60)
		}
		unclipped := strokeOf(t, 150, 150, qxl.LineAttr{}, 0, wide...)
		for y := range 30 {
			if string(whole.Row(y)) != string(unclipped.Row(y + 60)[60:90]) {
				t.Fatalf("seed %d: line %v is another one when clipped:\n%s", seed, xy, picture(whole))
			}
		}
	}
}

func TestDashes(t *testing.T) {
	tests := []struct {
		name  string
		flags uint8
		style []int32
		xy    []int32
		want  string
	}{
		{"right", 0, []int32{3 << 4, 2 << 4}, []int32{0, 0, 12, 0}, "###..###..##"},
		{"left", 0, []int32{3 << 4, 2 << 4}, []int32{12, 0, 0, 0}, "##..###..###"},
		{"gap first", qxl.LineStartWithGap, []int32{3 << 4, 2 << 4}, []int32{0, 0, 12, 0}, "...##...##.."},
		{"half is rounded down", 0, []int32{40, 41}, []int32{0, 0, 12, 0}, "##...##...##"},
		{"odd lists begin anew", 0, []int32{1 << 4, 2 << 4, 1 << 4}, []int32{0, 0, 12, 0}, "#..##..##..#"},
		{"over a corner", 0, []int32{3 << 4, 2 << 4}, []int32{0, 0, 4, 0, 12, 0}, "###..###..##"},
		{"no length at all", 0, []int32{0, 0}, []int32{0, 0, 12, 0}, "############"},
		{"nothing skipped", 0, []int32{3 << 4, 0}, []int32{0, 0, 12, 0}, "############"},
		{"nothing drawn", 0, []int32{0, 3 << 4}, []int32{0, 0, 12, 0}, "............"},
	}
	for _, test := range tests {
		line := qxl.LineAttr{Flags: qxl.LineStyled | test.flags, Style: test.style}
		if got := picture(strokeOf(t, 12, 1, line, 0, test.xy...)); got != test.want+"\n" {
			t.Errorf("%s: %swant %s", test.name, got, test.want)
		}
	}
}

// TestCurvesEnd draws curves whose subdivision has nothing to hold on to.
func TestCurvesEnd(t *testing.T) {
	far := int32(math.MaxInt32 >> 4)
	for _, xy := range [][]int32{
		{5, 5, 5, 5, 5, 5, 5, 5}, {5, 5, 20, 20, 20, 5, 5, 5}, {0, 0, 20, 20, 20, 0, 0, 20}, {0, 0, 30, 0, 0, 0, 30, 0},
		{-far, -far, far, far, far, -far, -far, far}, {0, 0, far, 0, -far, 0, 1, 0},
	} {
		strokeOf(t, 30, 30, qxl.LineAttr{}, qxl.PathBezier, xy...)
	}
	c := strokeOf(t, 30, 30, qxl.LineAttr{}, qxl.PathBezier, 0, 10, 10, 10, 20, 10, 30, 10)
	if picture(c) != picture(strokeOf(t, 30, 30, qxl.LineAttr{}, 0, 0, 10, 30, 10)) {
		t.Error("a straight curve is not a line")
	}
}

func TestGlyphs(t *testing.T) {
	tests := []struct {
		name  string
		flags uint8
		data  []byte
		want  []byte
	}{
		{"A1", qxl.StringA1, []byte{0b1010_0000, 0b0100_0000}, []byte{0, 255, 0, 255, 0, 255}},
		{"A4", qxl.StringA4, []byte{0x10, 0xf0, 0x0f, 0x80}, []byte{0, 240, 128, 16, 0, 240}},
		{"A8", qxl.StringA8, []byte{1, 2, 3, 40, 50, 60}, []byte{40, 50, 60, 1, 2, 3}},
	}
	for _, test := range tests {
		c := New(qxl.Surface8A, 3, 2)
		d := newDrawable(qxl.DrawText, c.Bounds())
		d.Brush = qxl.Brush{Type: qxl.BrushSolid, Color: 255}
		d.Text = qxl.Text{Flags: test.flags, Data: test.data, Glyphs: []qxl.Glyph{
			{Pos: regions.Point{X: 5, Y: 7}, Origin: regions.Point{X: -5, Y: -7}, Width: 3, Height: 2},
		}}
		if err := c.Draw(d, nil); err != nil {
			t.Fatal(err)
		}
		if got := c.ReadRect(nil, c.Bounds()); string(got) != string(test.want) {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

// TestTextPattern draws a full glyph with a pattern: it is a fill.
func TestTextPattern(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 12))
	tile := noise(r, 5*3*4)
	text, fill := New(qxl.Surface32xRGB, 40, 30), New(qxl.Surface32xRGB, 40, 30)
	box := regions.XYWH(7, 5, 20, 20)
	d := newDrawable(qxl.DrawText, fill.Bounds())
	d.Text = qxl.Text{Flags: qxl.StringA8, Data: make([]byte, 400), Glyphs: []qxl.Glyph{{Pos: regions.Point{X: 7, Y: 5}, Width: 20, Height: 20}}}
	for i := range d.Text.Data {
		d.Text.Data[i] = 255
	}
	d.Brush = qxl.Brush{Type: qxl.BrushPattern, Image: bitmapImage(d, qxl.Bitmap32Bit, 5, 3, tile), Pos: regions.Point{X: 3, Y: -4}}
	f := newDrawable(qxl.DrawFill, box)
	f.Brush = qxl.Brush{Type: qxl.BrushPattern, Image: bitmapImage(f, qxl.Bitmap32Bit, 5, 3, tile), Pos: d.Brush.Pos}
	if err := text.Draw(d, nil); err != nil {
		t.Fatal(err)
	}
	if err := fill.Draw(f, nil); err != nil {
		t.Fatal(err)
	}
	if text.Hash() != fill.Hash() {
		t.Error("a pattern is not anchored to the surface")
	}
}

// TestPorterDuff compares 8-bit operators with their definition: source and
// destination, each weighed by a function of the other's alpha.
func TestPorterDuff(t *testing.T) {
	weights := [...]func(sa, da float64) (s, d float64){
		func(sa, da float64) (float64, float64) { return 0, 0 },
		func(sa, da float64) (float64, float64) { return 1, 0 },
		func(sa, da float64) (float64, float64) { return 0, 1 },
		func(sa, da float64) (float64, float64) { return 1, 1 - sa },
		func(sa, da float64) (float64, float64) { return 1 - da, 1 },
		func(sa, da float64) (float64, float64) { return da, 0 },
		func(sa, da float64) (float64, float64) { return 0, sa },
		func(sa, da float64) (float64, float64) { return 1 - da, 0 },
		func(sa, da float64) (float64, float64) { return 0, 1 - sa },
		func(sa, da float64) (float64, float64) { return da, 1 - sa },
		func(sa, da float64) (float64, float64) { return 1 - da, sa },
		func(sa, da float64) (float64, float64) { return 1 - da, 1 - sa },
		func(sa, da float64) (float64, float64) { return 1, 1 },
	}
	r := rand.New(rand.NewPCG(13, 13))
	for range 20000 {
		s, d := r.Uint32(), r.Uint32()
		s, d = mulAlpha(s|0xff000000, s>>24), mulAlpha(d|0xff000000, d>>24)
		for op, weigh := range weights {
			narrow, _ := operator(uint8(op), false)
			got := narrow(s, alphas(s), d)
			ws, wd := weigh(float64(s>>24)/255, float64(d>>24)/255)
			for shift := 0; shift < 32; shift += 8 {
				want := min(255, float64(s>>shift&255)*ws+float64(d>>shift&255)*wd)
				if math.Abs(want-float64(got>>shift&255)) > 1 {
					t.Fatalf("operator %d of %08x on %08x is %08x", op, s, d, got)
				}
			}
		}
	}
}

// TestIdentityTransform composites with a matrix that changes nothing.
func TestIdentityTransform(t *testing.T) {
	r := rand.New(rand.NewPCG(14, 14))
	data := noise(r, 20*20*4)
	for filter := range uint32(5) {
		plain, transformed := New(qxl.Surface32ARGB, 30, 30), New(qxl.Surface32ARGB, 30, 30)
		d := copyOf(qxl.BitmapRGBA, 20, 20, data)
		d.Type, d.BBox, d.CompositeFlags = qxl.DrawComposite, plain.Bounds(), 1|filter<<qxl.CompositeSrcFilterShift
		if err := plain.Draw(d, nil); err != nil {
			t.Fatal(err)
		}
		d.SrcTransform = qxl.Transform{1 << 16, 0, 0, 0, 1 << 16, 0}
		d.CompositeFlags |= qxl.CompositeHasSrcTransform
		if err := transformed.Draw(d, nil); err != nil {
			t.Fatal(err)
		}
		if plain.Hash() != transformed.Hash() {
			t.Errorf("filter %d: the identity changes something", filter)
		}
	}
}
