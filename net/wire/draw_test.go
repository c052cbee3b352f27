package wire

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

// drawTypes are all operations that have a message, with its number.
var drawTypes = map[qxl.DrawType]uint16{
	qxl.DrawCopyBits: 104, qxl.DrawFill: 302, qxl.DrawOpaque: 303, qxl.DrawCopy: 304, qxl.DrawBlend: 305,
	qxl.DrawBlackness: 306, qxl.DrawWhiteness: 307, qxl.DrawInvers: 308, qxl.DrawRop3: 309, qxl.DrawStroke: 310,
	qxl.DrawText: 311, qxl.DrawTransparent: 312, qxl.DrawAlphaBlend: 313, qxl.DrawComposite: 318,
}

func TestDrawMessages(t *testing.T) {
	for typ, msg := range drawTypes {
		if DrawMessage(typ) != msg {
			t.Errorf("operation %d is message %d, want %d", typ, DrawMessage(typ), msg)
		}
		if got, ok := DrawOf(msg); got != typ || !ok {
			t.Errorf("message %d is operation %d, %v", msg, got, ok)
		}
	}
	for _, typ := range []qxl.DrawType{qxl.DrawNOP, 15, 255} {
		var w Writer
		if DrawMessage(typ) != 0 || w.Draw(&qxl.Drawable{Type: typ}, nil) || !w.Empty() {
			t.Errorf("operation %d has a message", typ)
		}
	}
	for _, msg := range []uint16{0, 101, 314, 65535} {
		if typ, ok := DrawOf(msg); ok {
			t.Errorf("message %d is operation %d", msg, typ)
		}
	}
}

// body is the body of the one message in a batch.
func body(w *Writer) []byte { return join(w)[MiniHeaderSize:] }

// TestCopyOfPaletteImage is a message whose offsets are known from a recording
// of another server: image at 57, its data at 84, palette at 147 of the body.
func TestCopyOfPaletteImage(t *testing.T) {
	d := qxl.Drawable{Type: qxl.DrawCopy, Src: 0, Mask: qxl.Mask{Image: qxl.NoImage}, Rop: qxl.RopPut}
	im := qxl.Image{Type: qxl.ImageLZPalette, Flags: 1, BitFlags: 5, HasPalette: true,
		Palette: qxl.Palette{Unique: 0x1122334455667788, Entries: []uint32{1, 2, 3, 4}}}
	im.Data.Append(bytes.Repeat([]byte{0xaa}, 60))
	im.Data.Append([]byte{0xbb, 0xbb, 0xbb})
	var w Writer
	w.Draw(&d, []qxl.Image{im})
	b := body(&w)
	u32 := func(at int) uint32 { return binary.LittleEndian.Uint32(b[at:]) }
	if len(b) != 147+10+16 || u32(21) != 57 || b[57+8] != 100 || b[57+9] != 1 || b[75] != 5 || u32(76) != 63 ||
		u32(80) != 147 || b[84] != 0xaa || b[146] != 0xbb || u32(147) != 0x55667788 || b[155] != 4 || u32(157+12) != 4 {
		t.Errorf("body %x", b)
	}
}

// TestLayouts: the size of each message's root where nothing optional is there,
// and the place of some of its fields, from the protocol's tables.
func TestLayouts(t *testing.T) {
	const base = 21
	for typ, tc := range map[qxl.DrawType]struct {
		size int
		at   int // of the field below
		want uint32
	}{
		qxl.DrawFill:        {5 + 2 + 13, 1, 0xc0}, // brush colour
		qxl.DrawOpaque:      {4 + 16 + 5 + 2 + 1 + 13, 21, 0xc0},
		qxl.DrawCopy:        {36, 4, 0xa1}, // source area's top
		qxl.DrawBlend:       {36, 4, 0xa1},
		qxl.DrawCopyBits:    {8, 0, 0x51},
		qxl.DrawBlackness:   {13, 1, 0x3a}, // mask position
		qxl.DrawWhiteness:   {13, 1, 0x3a},
		qxl.DrawInvers:      {13, 1, 0x3a},
		qxl.DrawRop3:        {4 + 16 + 5 + 1 + 1 + 13, 21, 0xc0},
		qxl.DrawStroke:      {4 + 1 + 5 + 2 + 2 + 4, 0, base + 14}, // the path follows
		qxl.DrawText:        {4 + 16 + 5 + 5 + 2 + 2 + 3, 0, base + 34},
		qxl.DrawTransparent: {28, 24, 0x7c},
		qxl.DrawAlphaBlend:  {22, 6, 0xa1},
		qxl.DrawComposite:   {4 + 4 + 4 + 4, 8, 0x00020051}, // source origin
	} {
		var d qxl.Drawable
		d.Reset()
		d.Type, d.Surface = typ, 0x99
		d.BBox = regions.Rect{Top: 1, Left: 2, Bottom: 3, Right: 4}
		d.Brush = qxl.Brush{Type: qxl.BrushSolid, Color: 0xc0, Image: qxl.NoImage}
		d.BackBrush = d.Brush
		d.SrcArea.Top, d.SrcPos, d.Mask.Pos.X = 0xa1, regions.Point{X: 0x51, Y: 2}, 0x3a
		d.TrueColor = 0x7c
		var w Writer
		w.Draw(&d, nil)
		b := body(&w)
		if want := unhex(t, "99000000 01000000 02000000 03000000 04000000 00"); !bytes.Equal(b[:base], want) {
			t.Errorf("operation %d starts with %x", typ, b[:base])
		}
		if got := binary.LittleEndian.Uint32(b[base+tc.at:]); len(b) != base+tc.size || got != tc.want {
			t.Errorf("operation %d: %d bytes, want %d; field %#x, want %#x", typ, len(b), base+tc.size, got, tc.want)
		}
	}
}

// random fills drawables with everything their operation can have.
type random struct {
	*rand.Rand
	d *qxl.Drawable
}

func (r random) i32() int32 { return int32(r.Uint32()) }

func (r random) point() regions.Point { return regions.Point{X: r.i32(), Y: r.i32()} }

func (r random) rect() regions.Rect {
	return regions.Rect{Left: r.i32(), Top: r.i32(), Right: r.i32(), Bottom: r.i32()}
}

func (r random) bytes(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(r.Uint32())
	}
	return p
}

var imageTypes = []qxl.ImageType{qxl.ImageBitmap, qxl.ImageQUIC, qxl.ImageLZPalette, qxl.ImageLZRGB, qxl.ImageGLZRGB,
	qxl.ImageFromCache, qxl.ImageSurface, qxl.ImageJPEG, qxl.ImageFromCacheLossless, qxl.ImageZlibGLZRGB, qxl.ImageJPEGAlpha, qxl.ImageLZ4}

// image adds an image, or with optional perhaps none.
func (r random) image(optional bool) int8 {
	if optional && r.IntN(3) == 0 {
		return qxl.NoImage
	}
	im, i := r.d.NewImage()
	im.ID, im.Flags = r.Uint64(), uint8(r.Uint32())
	im.Type = imageTypes[r.IntN(len(imageTypes))]
	im.Width, im.Height = r.Uint32(), r.Uint32()
	size := r.IntN(1000)
	switch im.Type {
	case qxl.ImageBitmap:
		im.Format, im.X, im.Y, im.Stride = qxl.BitmapFormat(r.Uint32()), r.Uint32(), uint32(r.IntN(20)), uint32(r.IntN(50))
		size = int(im.Stride * im.Y)
		r.palette(im, r.IntN(2) == 0)
	case qxl.ImageLZPalette:
		r.palette(im, true)
	case qxl.ImageSurface:
		im.Surface, size = r.Uint32(), 0
	case qxl.ImageFromCache, qxl.ImageFromCacheLossless:
		size = 0
	case qxl.ImageZlibGLZRGB:
		im.Part = r.Uint32()
	case qxl.ImageJPEGAlpha:
		im.Part, im.BitFlags = r.Uint32(), uint8(r.Uint32())
	}
	for size > 0 {
		n := min(size, 1+r.IntN(400))
		im.Data.Append(r.bytes(n))
		size -= n
	}
	return i
}

func (r random) palette(im *qxl.Image, has bool) {
	im.BitFlags = uint8(r.Uint32()) &^ BitmapPalFromCache
	if im.HasPalette = has; !has {
		return
	}
	im.Palette.Unique = r.Uint64()
	if r.IntN(3) == 0 {
		im.BitFlags |= BitmapPalFromCache
		return
	}
	for range r.IntN(257) {
		im.Palette.Entries = append(im.Palette.Entries, r.Uint32())
	}
}

func (r random) brush() qxl.Brush {
	b := qxl.Brush{Type: qxl.BrushType(r.IntN(3)), Image: qxl.NoImage}
	switch b.Type {
	case qxl.BrushSolid:
		b.Color = r.Uint32()
	case qxl.BrushPattern:
		b.Image, b.Pos = r.image(false), r.point()
	}
	return b
}

// drawable fills d for operation typ.
func (r random) drawable(typ qxl.DrawType) {
	d := r.d
	d.Reset()
	d.Type, d.Surface, d.BBox = typ, r.Uint32(), r.rect()
	if r.IntN(2) == 0 {
		d.Clip.Type = qxl.ClipRects
		for range r.IntN(20) {
			d.Clip.Rects = append(d.Clip.Rects, r.rect())
		}
	}
	switch typ {
	case qxl.DrawOpaque, qxl.DrawCopy, qxl.DrawBlend, qxl.DrawRop3, qxl.DrawTransparent, qxl.DrawAlphaBlend:
		d.Src, d.SrcArea = r.image(true), r.rect()
	}
	switch typ {
	case qxl.DrawFill, qxl.DrawOpaque, qxl.DrawRop3, qxl.DrawStroke, qxl.DrawText:
		d.Brush = r.brush()
	}
	switch typ {
	case qxl.DrawFill, qxl.DrawOpaque, qxl.DrawCopy, qxl.DrawBlend, qxl.DrawStroke, qxl.DrawText:
		d.Rop = uint16(r.Uint32())
	}
	switch typ {
	case qxl.DrawOpaque, qxl.DrawCopy, qxl.DrawBlend, qxl.DrawRop3:
		d.Scale = uint8(r.Uint32())
	}
	switch typ {
	case qxl.DrawFill, qxl.DrawOpaque, qxl.DrawCopy, qxl.DrawBlend, qxl.DrawRop3, qxl.DrawBlackness, qxl.DrawWhiteness, qxl.DrawInvers:
		d.Mask = qxl.Mask{Flags: uint8(r.Uint32()), Pos: r.point(), Image: r.image(true)}
	}
	r.special(typ)
}

// special fills what only one operation has.
func (r random) special(typ qxl.DrawType) {
	d := r.d
	switch typ {
	case qxl.DrawCopyBits:
		d.SrcPos = r.point()
	case qxl.DrawRop3:
		d.Rop3 = uint8(r.Uint32())
	case qxl.DrawTransparent:
		d.SrcColor, d.TrueColor = r.Uint32(), r.Uint32()
	case qxl.DrawAlphaBlend:
		d.AlphaFlags, d.Alpha = uint8(r.Uint32()), uint8(r.Uint32())
	case qxl.DrawStroke:
		d.BackRop, d.Line.Flags = uint16(r.Uint32()), uint8(r.Uint32())
		if d.Line.Flags&qxl.LineStyled != 0 {
			for range r.IntN(256) {
				d.Line.Style = append(d.Line.Style, r.i32())
			}
		}
		for range r.IntN(10) {
			s := qxl.PathSegment{Flags: uint8(r.Uint32()), First: int32(len(d.Points)), Count: int32(r.IntN(20))}
			for range s.Count {
				d.Points = append(d.Points, qxl.PointFix{X: r.i32(), Y: r.i32()})
			}
			d.Segments = append(d.Segments, s)
		}
	case qxl.DrawText:
		d.BackArea, d.BackBrush, d.BackRop = r.rect(), r.brush(), uint16(r.Uint32())
		d.Text.Flags = 1<<r.IntN(3) | uint8(r.IntN(2))<<3
		for range r.IntN(30) {
			g := qxl.Glyph{Pos: r.point(), Origin: r.point(), Width: uint16(r.IntN(30)), Height: uint16(r.IntN(30)), Data: int32(len(d.Text.Data))}
			bits := map[uint8]int{1: 1, 2: 4, 4: 8}[d.Text.Flags&7]
			d.Text.Data = append(d.Text.Data, r.bytes((int(g.Width)*bits+7)/8*int(g.Height))...)
			d.Text.Glyphs = append(d.Text.Glyphs, g)
		}
	case qxl.DrawComposite:
		d.CompositeFlags = r.Uint32()
		d.Src = r.image(true)
		if d.CompositeFlags&qxl.CompositeHasMask != 0 {
			d.Mask.Image = r.image(true)
		}
		d.SrcPos = regions.Point{X: int32(int16(r.Uint32())), Y: int32(int16(r.Uint32()))}
		d.MaskPos = regions.Point{X: int32(int16(r.Uint32())), Y: int32(int16(r.Uint32()))}
		for i := range 6 {
			if d.CompositeFlags&qxl.CompositeHasSrcTransform != 0 {
				d.SrcTransform[i] = r.i32()
			}
			if d.CompositeFlags&qxl.CompositeHasMaskTransf != 0 {
				d.MaskTransform[i] = r.i32()
			}
		}
	}
}

// plain makes drawables comparable: image data in one piece, images in the
// order in which the message names them, nothing nil.
func plain(d *qxl.Drawable) qxl.Drawable {
	p := *d
	p.Images = nil
	for i := range d.Images {
		im := d.Images[i]
		data := im.Data.AppendTo([]byte{})
		im.Data = qxl.Blob{Chunks: [][]byte{data}, Size: len(data)}
		im.Palette.Entries = append([]uint32{}, im.Palette.Entries...)
		p.Images = append(p.Images, im)
	}
	p.Clip.Rects = append([]regions.Rect{}, p.Clip.Rects...)
	p.Line.Style = append([]int32{}, p.Line.Style...)
	p.Points = append([]qxl.PointFix{}, p.Points...)
	p.Segments = append([]qxl.PathSegment{}, p.Segments...)
	p.Text.Glyphs = append([]qxl.Glyph{}, p.Text.Glyphs...)
	p.Text.Data = append([]byte{}, p.Text.Data...)
	return p
}

// TestDrawRoundTrip: what is written of a random drawable is read back.
func TestDrawRoundTrip(t *testing.T) {
	var d, back qxl.Drawable
	r := random{newRand(t), &d}
	var w Writer
	for typ := range drawTypes {
		for range 200 {
			r.drawable(typ)
			w.Reset()
			w.Full = r.IntN(2) == 0
			w.Begin(101) // something before it in the batch
			w.Ref(make([]byte, r.IntN(400)))
			before := w.End()
			if !w.Draw(&d, d.Images) {
				t.Fatalf("operation %d was not written", typ)
			}
			head := MiniHeaderSize
			if w.Full {
				head = FullHeaderSize
			}
			b := join(&w)[before+head:]
			if err := ReadDraw(b, typ, &back); err != nil {
				t.Fatalf("operation %d: %v", typ, err)
			}
			if want, got := plain(&d), plain(&back); !reflect.DeepEqual(want, got) {
				t.Fatalf("operation %d: wrote %+v\nread %+v", typ, want, got)
			}
			cut := r.IntN(len(b))
			if err := ReadDraw(b[:cut], typ, &back); err == nil {
				t.Fatalf("operation %d: %d of %d bytes were enough", typ, cut, len(b))
			}
		}
	}
}

// TestMalformedDraws: pointers that lead nowhere, counts beyond the body.
func TestMalformedDraws(t *testing.T) {
	base := make([]byte, 21)
	with := func(rest string) []byte { return append(bytes.Clone(base), unhex(t, rest)...) }
	cases := map[string]struct {
		typ  qxl.DrawType
		body []byte
	}{
		"empty":               {qxl.DrawFill, nil},
		"clip count":          {qxl.DrawCopyBits, append(append(make([]byte, 20), 1, 255, 255, 255, 255), make([]byte, 100)...)},
		"brush type":          {qxl.DrawFill, with("03 00000000 0800 00 00000000 00000000 00000000")},
		"pattern of nothing":  {qxl.DrawFill, with("02 00000000 00000000 00000000 0800 00 00000000 00000000 00000000")},
		"image outside":       {qxl.DrawBlackness, with("00 00000000 00000000 22000000")},
		"image far outside":   {qxl.DrawBlackness, with("00 00000000 00000000 ffffffff")},
		"null path":           {qxl.DrawStroke, with("00000000 00 00 0800 0800 00000000")},
		"path count":          {qxl.DrawStroke, with("23000000 00 00 0800 0800 000000 ffffffff 00 00000000")},
		"null string":         {qxl.DrawText, with("00000000" + "00000000000000000000000000000000" + "00 00 0800 0800")},
		"data beyond the end": {qxl.DrawBlackness, with("00 00000000 00000000 22000000 0000000000000000 01 00 01000000 01000000 01000000")},
		"image type":          {qxl.DrawBlackness, with("00 00000000 00000000 22000000 0000000000000000 02 00 01000000 01000000 00000000")},
		"LZ without palette":  {qxl.DrawBlackness, with("00 00000000 00000000 22000000 0000000000000000 64 00 01000000 01000000 00 00000000 00000000")},
		"257 colours":         {qxl.DrawBlackness, append(with("00 00000000 00000000 22000000 0000000000000000 64 00 01000000 01000000 00 00000000 3d000000 0100000000000000 0101"), make([]byte, 4*257)...)},
		"bitmap overflows":    {qxl.DrawBlackness, with("00 00000000 00000000 22000000 0000000000000000 00 00 01000000 01000000 08 04 ffffffff ffffffff ffffffff 00000000")},
	}
	for name, tc := range cases {
		var d qxl.Drawable
		if err := ReadDraw(tc.body, tc.typ, &d); err == nil {
			t.Errorf("%s: accepted as %+v", name, d)
		}
	}
}

func TestDrawAllocatesNothing(t *testing.T) {
	var d, back qxl.Drawable
	r := random{rand.New(rand.NewPCG(1, 2)), &d}
	var w Writer
	var bufs [][]byte
	for typ := range drawTypes {
		r.drawable(typ)
		w.Draw(&d, d.Images)
		b := body(&w)
		if n := testing.AllocsPerRun(20, func() {
			w.Reset()
			w.Draw(&d, d.Images)
			bufs = w.Buffers(bufs[:0])
			if err := ReadDraw(b, typ, &back); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("operation %d: %v allocations", typ, n)
		}
		w.Reset()
	}
}

// FuzzReadDraw: what is accepted can be written, and then reads the same.
func FuzzReadDraw(f *testing.F) {
	var d qxl.Drawable
	r := random{rand.New(rand.NewPCG(3, 4)), &d}
	for typ := range drawTypes {
		r.drawable(typ)
		var w Writer
		w.Draw(&d, d.Images)
		f.Add(uint8(typ), body(&w))
	}
	f.Fuzz(func(t *testing.T, typ uint8, in []byte) {
		var d, back qxl.Drawable
		op := qxl.DrawType(typ)
		if DrawMessage(op) == 0 || ReadDraw(in, op, &d) != nil {
			return
		}
		if n := len(d.Points)*8 + len(d.Text.Data) + len(d.Clip.Rects)*16; n > 2*len(in) {
			t.Fatalf("%d bytes became %d", len(in), n)
		}
		var w Writer
		w.Draw(&d, d.Images)
		if err := ReadDraw(body(&w), op, &back); err != nil {
			t.Fatalf("what was accepted is refused when written: %v", err)
		}
		if want, got := plain(&d), plain(&back); !reflect.DeepEqual(want, got) {
			t.Fatalf("read %+v\nthen %+v", want, got)
		}
	})
}

func BenchmarkDrawCopy(b *testing.B) {
	var d qxl.Drawable
	d.Reset()
	d.Type, d.Rop = qxl.DrawCopy, qxl.RopPut
	im, i := d.NewImage()
	im.Type, d.Src = qxl.ImageQUIC, i
	im.Data.Append(make([]byte, 10000))
	var w Writer
	for b.Loop() {
		w.Reset()
		w.Draw(&d, d.Images)
	}
}
