package canvas

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

// reader makes values of fuzzing input; at its end everything is 0.
type reader struct{ p []byte }

func (r *reader) u8() uint8 {
	if len(r.p) == 0 {
		return 0
	}
	v := r.p[0]
	r.p = r.p[1:]
	return v
}

func (r *reader) u32() uint32 {
	var b [4]byte
	r.p = r.p[copy(b[:], r.p):]
	return binary.LittleEndian.Uint32(b[:])
}

// num is a small number as a rule, else any.
func (r *reader) num() int32 {
	switch k := r.u8(); {
	case k < 200:
		return int32(k) - 60
	case k < 230:
		return int32(int16(r.u32()))
	default:
		return int32(r.u32())
	}
}

func (r *reader) point() regions.Point { return regions.Point{X: r.num(), Y: r.num()} }

func (r *reader) rect() regions.Rect {
	p := r.point()
	if r.u8() < 200 {
		return regions.Rect{Left: p.X, Top: p.Y, Right: p.X + int32(r.u8()), Bottom: p.Y + int32(r.u8())}
	}
	return regions.Rect{Left: p.X, Top: p.Y, Right: r.num(), Bottom: r.num()}
}

func (r *reader) bytes(n int) []byte {
	p := make([]byte, n)
	r.p = r.p[copy(p, r.p):]
	return p
}

func (r *reader) image(d *qxl.Drawable) {
	im, _ := d.NewImage()
	im.Type = []qxl.ImageType{qxl.ImageBitmap, qxl.ImageBitmap, qxl.ImageSurface, qxl.ImageQUIC}[r.u8()&3]
	im.Flags, im.Format, im.BitFlags = r.u8(), qxl.BitmapFormat(r.u8()%12), r.u8()
	im.X, im.Y = uint32(r.u8()), uint32(r.u8())
	im.Stride = (im.X*uint32(im.Format.BitsPerPixel()) + 7) / 8
	if r.u8() > 240 {
		im.X, im.Y, im.Stride = uint32(r.num()), uint32(r.num()), uint32(r.num())
	}
	im.Surface = uint32(r.u8() & 3)
	for range r.u8() % 20 {
		im.Palette.Entries = append(im.Palette.Entries, r.u32())
	}
	size := min(int(im.Stride)*int(im.Y), 4000)
	if r.u8() > 240 {
		size = int(r.u8())
	}
	for size > 0 {
		n := min(size, 1+int(r.u8())*int(r.u8()))
		im.Data.Append(r.bytes(n))
		size -= n
	}
}

func (r *reader) brush() qxl.Brush {
	return qxl.Brush{Type: qxl.BrushType(r.u8() & 3), Image: int8(r.u8()&7) - 1, Color: r.u32(), Pos: r.point()}
}

// drawable is any value that the types allow, however absurd.
func (r *reader) drawable() *qxl.Drawable {
	d := new(qxl.Drawable)
	d.Reset()
	d.Type = qxl.DrawType(r.u8() % 17)
	for range r.u8() & 3 {
		r.image(d)
	}
	d.BBox, d.Clip.Type = r.rect(), qxl.ClipType(r.u8()&1)
	for range r.u8() & 7 {
		d.Clip.Rects = append(d.Clip.Rects, r.rect())
	}
	d.Src, d.Scale, d.Rop3, d.Alpha, d.AlphaFlags = int8(r.u8()&3)-1, r.u8()&3, r.u8(), r.u8(), r.u8()
	d.Rop, d.SrcArea, d.SrcPos, d.MaskPos = uint16(r.u32()), r.rect(), r.point(), r.point()
	d.Mask = qxl.Mask{Flags: r.u8(), Image: int8(r.u8()&7) - 1, Pos: r.point()}
	d.Brush, d.BackBrush, d.BackArea = r.brush(), r.brush(), r.rect()
	d.TrueColor, d.CompositeFlags = r.u32(), r.u32()
	if r.u8()&1 == 0 {
		d.CompositeFlags &= 0x1ff0000f
	}
	for i := range d.SrcTransform {
		d.SrcTransform[i], d.MaskTransform[i] = int32(r.u32()), r.num()<<12
	}
	d.Line.Flags = r.u8()
	for range r.u8() & 7 {
		d.Line.Style = append(d.Line.Style, r.num())
	}
	for range r.u8() & 31 {
		d.Points = append(d.Points, qxl.PointFix{X: r.num() << 3, Y: r.num() << 3})
	}
	for range r.u8() & 3 {
		d.Segments = append(d.Segments, qxl.PathSegment{Flags: r.u8(), First: int32(r.u8() & 15), Count: int32(r.u8() & 31)})
	}
	d.Text.Flags, d.Text.Data = r.u8(), r.bytes(int(r.u8()))
	for range r.u8() & 3 {
		d.Text.Glyphs = append(d.Text.Glyphs, qxl.Glyph{
			Pos: r.point(), Origin: r.point(), Width: uint16(r.num()), Height: uint16(r.num()), Data: int32(r.u8()),
		})
	}
	return d
}

// fuzzWorld has the canvas drawn on as surface 0 and others as 1 and 2.
type fuzzWorld struct{ canvases [3]*Canvas }

func (w *fuzzWorld) Surface(id uint32) *Canvas {
	if id >= 3 {
		return nil
	}
	return w.canvases[id]
}

func (w *fuzzWorld) Decode(im *qxl.Image) (*Pixmap, error) {
	if im.Flags&1 != 0 {
		return nil, fmt.Errorf("broken stream")
	}
	return &Pixmap{
		Format: im.Format, TopDown: im.Flags&2 != 0, Width: int(int32(im.X)), Height: int(int32(im.Y)),
		Stride: int(int32(im.Stride)), Pix: im.Data.AppendTo(nil), Palette: im.Palette.Entries,
	}, nil
}

// FuzzDraw draws absurd values: nothing panics, and nothing outside box, clip
// list and canvas changes.
func FuzzDraw(f *testing.F) {
	for typ := range byte(17) {
		seed := make([]byte, 400)
		for i := range seed {
			seed[i] = byte(i*37) ^ typ
		}
		seed[3] = typ
		f.Add(seed)
	}
	f.Fuzz(hostile)
}

func TestRandomDrawables(t *testing.T) {
	for seed := range uint64(30000) {
		r := rand.New(rand.NewPCG(seed, 9))
		data := noise(r, 200+r.IntN(3000))
		for range r.IntN(200) {
			data[r.IntN(200)] = byte(60 + r.IntN(40))
		}
		hostile(t, data)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// hostile draws what data describes.
func hostile(t *testing.T, data []byte) {
	r := &reader{data}
	format := allFormats[int(r.u8())%len(allFormats)]
	width, height := 1+int(r.u8()&63), 1+int(r.u8()&31)
	d := r.drawable()
	w := &fuzzWorld{}
	for i := range w.canvases {
		w.canvases[i] = New(allFormats[(int(format)+i)%len(allFormats)], 40, 30)
	}
	const margin = 64
	stride := lineBytes(format.Depth(), width) + 3
	mem := make([]byte, margin+stride*height+margin)
	for i := range mem {
		mem[i] = byte(i * 7)
	}
	if width&1 != 0 {
		stride = -stride
	}
	c, err := Wrap(format, width, height, stride, mem[margin:len(mem)-margin:len(mem)-margin])
	if err != nil {
		t.Fatal(err)
	}
	w.canvases[0] = c
	before := append([]byte(nil), mem...)
	old, err := Wrap(format, width, height, stride, before[margin:len(mem)-margin])
	if err != nil {
		t.Fatal(err)
	}
	drawErr := c.Draw(d, w)
	outside(t, c, old, d, drawErr)
	copyVisible(old, c)
	if string(mem) != string(before) {
		t.Fatal("memory around the lines changed")
	}
}

// outside fails if a pixel changed that d does not reach, or any after an error.
func outside(t *testing.T, c, old *Canvas, d *qxl.Drawable, err error) {
	for y := range c.height {
		for x := range c.width {
			if c.word(x, y) == old.word(x, y) {
				continue
			}
			in := d.Clip.Type != qxl.ClipRects
			for _, r := range d.Clip.Rects {
				in = in || contains(r, x, y)
			}
			if !in || !contains(d.BBox, x, y) || err != nil {
				t.Errorf("pixel (%d,%d) changed, error %v, drawable %+v", x, y, err, d)
			}
		}
	}
}

// copyVisible makes dst's pixels those of src, but not what lies between lines.
func copyVisible(dst, src *Canvas) {
	for y := range src.height {
		if src.format.Depth() >= 8 {
			copy(dst.Row(y), src.Row(y))
			continue
		}
		for x := range src.width {
			b := byte(1) << (x & 7)
			dst.Row(y)[x>>3] = dst.Row(y)[x>>3]&^b | src.Row(y)[x>>3]&b
		}
	}
}
