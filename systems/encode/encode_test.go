package encode

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/net/codec/glz"
	"github.com/spiceecs/spiceecs/net/codec/jpeg"
	"github.com/spiceecs/spiceecs/net/codec/lz"
	"github.com/spiceecs/spiceecs/net/codec/lz4"
	"github.com/spiceecs/spiceecs/net/codec/quic"
	"github.com/spiceecs/spiceecs/net/codec/testimage"
	"github.com/spiceecs/spiceecs/qxl"
)

// rig is an encoder with what it needs, and a receiver of GLZ images.
type rig struct {
	scene  *components.Scene
	enc    *Encoder
	window *glz.Window
	client Client
}

func newRig(tb testing.TB, pool *Pool, c Compression) *rig {
	r := &rig{scene: components.NewScene(1), window: glz.NewWindow(8 << 20)}
	r.enc = NewEncoder(r.scene, pool)
	r.client = Client{Compression: c, LZ4: true, Dictionary: glz.NewDictionary(2<<20, 0)}
	return r
}

func newPool(tb testing.TB) *Pool {
	p := NewPool()
	tb.Cleanup(p.Close)
	return p
}

// bitmap makes an image of lines that are pad bytes longer than they need to be.
func bitmap(f qxl.BitmapFormat, w, h, pad uint32, flags uint8, chunks ...[]byte) *qxl.Image {
	im := &qxl.Image{Type: qxl.ImageBitmap, Format: f, X: w, Y: h, Width: w, Height: h, BitFlags: flags}
	im.Stride = uint32(lineBytes(im)) + pad
	for _, c := range chunks {
		im.Data.Append(c)
	}
	if f.Indexed() {
		im.HasPalette = true
	}
	return im
}

// photo and text are pixels of the two kinds that codecs tell apart.
func fillPixels(rng *rand.Rand, pix []byte, kind string) {
	for i := range pix {
		switch kind {
		case "photo":
			pix[i] = byte(i/7) + byte(rng.IntN(4))
		case "text":
			if rng.IntN(9) == 0 {
				pix[i] = 0
			} else {
				pix[i] = 0xff
			}
		case "noise":
			pix[i] = byte(rng.Uint32())
		case "flat":
			pix[i] = 0x55
		}
	}
}

// unpad takes the padding of lines away, and for formats with a pad byte or bit
// makes it 0, since codecs need not keep it.
func unpad(im *qxl.Image, pix []byte) []byte {
	var out []byte
	for y := range int(im.Y) {
		out = append(out, pix[y*int(im.Stride):][:lineBytes(im)]...)
	}
	switch im.Format {
	case qxl.Bitmap32Bit:
		for i := 3; i < len(out); i += 4 {
			out[i] = 0
		}
	case qxl.Bitmap16Bit:
		for i := 1; i < len(out); i += 2 {
			out[i] &= 0x7f
		}
	}
	return out
}

// flip turns the lines of a packed image over.
func flip(pix []byte, line int) []byte {
	var out []byte
	for end := len(pix); end > 0; end -= line {
		out = append(out, pix[end-line:end]...)
	}
	return out
}

// decode is what a client makes of the wire form of src: its pixels as unpad
// returns them, in the memory order of src.
func (r *rig) decode(src, im *qxl.Image) ([]byte, error) {
	data := im.Data.AppendTo(nil)
	topDown := src.BitFlags&qxl.BitmapTopDown != 0
	line := int(lineBytes(src))
	switch im.Type {
	case qxl.ImageBitmap:
		return unpad(im, data), nil
	case qxl.ImageLZRGB, qxl.ImageLZPalette:
		h, err := lz.ParseHeader(data)
		if err != nil || h.TopDown != topDown || h.Width != int(im.Width) || h.Height != int(im.Height) {
			return nil, fmt.Errorf("LZ header %+v: %w", h, err)
		}
		out := make([]byte, h.Size())
		_, err = lz.Decode(out, data)
		src.Stride = uint32(h.Stride)
		return unpad(src, out), err
	case qxl.ImageLZ4:
		if data[0] == 1 != topDown || qxl.BitmapFormat(data[1]) != src.Format {
			return nil, fmt.Errorf("LZ4 header % x", data[:2])
		}
		out := make([]byte, line*int(im.Height))
		err := lz4.Decode(out, data)
		src.Stride = uint32(line)
		return unpad(src, out), err
	case qxl.ImageQUIC:
		h, err := quic.ParseHeader(data)
		if err != nil {
			return nil, err
		}
		out := make([]byte, h.Size())
		if err = new(quic.Decoder).Decode(out, h, data); !topDown {
			out = flip(out, line)
		}
		src.Stride = uint32(line)
		return unpad(src, out), err
	case qxl.ImageZlibGLZRGB:
		stream := make([]byte, im.Part)
		if err := new(glz.Inflater).Inflate(stream, data); err != nil {
			return nil, err
		}
		data = stream
		fallthrough
	case qxl.ImageGLZRGB:
		out, err := r.window.Decode(data)
		if err != nil {
			return nil, err
		}
		return narrow(src.Format, out.Pix), nil
	}
	return nil, fmt.Errorf("type %d", im.Type)
}

// narrow makes 32-bit pixels those of another format.
func narrow(f qxl.BitmapFormat, pix []byte) []byte {
	var out []byte
	for i := 0; i < len(pix); i += 4 {
		p := pix[i : i+4]
		switch f {
		case qxl.Bitmap16Bit:
			v := uint32(p[0])>>3 | uint32(p[1])>>3<<5 | uint32(p[2])>>3<<10
			out = append(out, byte(v), byte(v>>8))
		case qxl.Bitmap24Bit:
			out = append(out, p[:3]...)
		case qxl.Bitmap32Bit:
			out = append(out, p[0], p[1], p[2], 0)
		default:
			out = append(out, p...)
		}
	}
	return out
}

var formats = []qxl.BitmapFormat{
	qxl.Bitmap1BitLE, qxl.Bitmap1BitBE, qxl.Bitmap4BitLE, qxl.Bitmap4BitBE, qxl.Bitmap8Bit,
	qxl.Bitmap16Bit, qxl.Bitmap24Bit, qxl.Bitmap32Bit, qxl.BitmapRGBA, qxl.Bitmap8BitA,
}

var sizes = [][2]uint32{{1, 1}, {1, 40}, {3, 3}, {17, 5}, {64, 64}, {65535, 1}, {700, 900}}

// TestRoundTrip sends all formats with all compressions: as clients decode them
// they are what they were, and never larger than raw.
func TestRoundTrip(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	pool := newPool(t)
	for c := Off; c <= LZ4; c++ {
		r := newRig(t, pool, c)
		for _, zlib := range []bool{false, true} {
			if r.client.Zlib = zlib; zlib && c != GLZ {
				continue
			}
			for _, f := range formats {
				for _, size := range sizes {
					for _, kind := range []string{"photo", "text", "noise", "flat"} {
						if size[0] == 700 && (kind == "flat" || kind == "noise" || f == qxl.Bitmap4BitBE || f == qxl.Bitmap1BitBE) {
							continue
						}
						if raceEnabled && size[0] > 64 && (kind != "photo" || f != qxl.Bitmap32Bit) {
							continue // the detector makes these take minutes
						}
						im := bitmap(f, size[0], size[1], rng.Uint32N(2)*rng.Uint32N(7), uint8(rng.IntN(2))*qxl.BitmapTopDown)
						pix := make([]byte, im.Stride*im.Y)
						fillPixels(rng, pix, kind)
						cut := rng.IntN(len(pix) + 1)
						im.Data.Append(pix[:cut])
						im.Data.Append(pix[cut:])
						r.check(t, im, pix, kind)
					}
				}
			}
		}
	}
}

// check plans an image as a drawable's and as the server's own.
func (r *rig) check(t *testing.T, im *qxl.Image, pix []byte, kind string) {
	t.Helper()
	var d components.Drawable
	forms := []Form{r.enc.Drawable(&r.client, &d, 0, im, true), r.enc.Pixels(&r.client, im, false)}
	if again := r.enc.Drawable(&r.client, &d, 0, im, true); again.Own {
		forms = append(forms, again) // in the client's dictionary it is another image
	} else if again.Codec == forms[0].Codec && again != forms[0] {
		t.Fatalf("the same image is compressed twice: %+v, %+v", forms[0], again)
	}
	r.enc.Run()
	for _, f := range forms {
		var wire qxl.Image
		r.enc.Fill(&wire, im, &f)
		what := fmt.Sprintf("%v, zlib %v: %s of format %d, %dx%d, stride %d, as type %d",
			r.client.Compression, r.client.Zlib, kind, im.Format, im.X, im.Y, im.Stride, wire.Type)
		if wire.Width != im.X || wire.Height != im.Y || wire.Flags != 0 {
			t.Fatalf("%s: descriptor %dx%d, flags %d", what, wire.Width, wire.Height, wire.Flags)
		}
		glzType := wire.Type == qxl.ImageGLZRGB || wire.Type == qxl.ImageZlibGLZRGB
		if !glzType && !mustCompress(im) && wire.Data.Size > len(pix) {
			t.Fatalf("%s: %d bytes instead of %d", what, wire.Data.Size, len(pix))
		}
		if mustCompress(im) && wire.Type == qxl.ImageBitmap {
			t.Fatalf("%s: clients do not take that raw", what)
		}
		src := *im
		got, err := r.decode(&src, &wire)
		if err != nil || !bytes.Equal(got, unpad(im, pix)) {
			t.Fatalf("%s: the client sees something else: %v", what, err)
		}
		if f.Own {
			r.scene.FreeEncoded(f.Result)
		}
	}
	r.scene.FreeEncoded(d.Encoded)
	if n := r.scene.Encoded.Len(); n > 0 {
		t.Fatalf("%d results are left", n)
	}
}

// TestAlpha sends photos with alpha with loss, small ones and ones in parts: the alpha
// is exact, the colours nearly.
func TestAlpha(t *testing.T) {
	pool := newPool(t)
	for _, size := range [][2]uint32{{40, 30}, {900, 700}} {
		for _, flags := range []uint8{0, qxl.BitmapTopDown} {
			r := newRig(t, pool, QUIC)
			r.client.JPEG = true
			im := bitmap(qxl.BitmapRGBA, size[0], size[1], 0, flags)
			pix := testimage.Photo(int(im.X), int(im.Y), 1)
			for i := 3; i < len(pix); i += 4 {
				pix[i] = byte(i * i / 400)
			}
			im.Data.Append(pix)
			form := r.enc.Pixels(&r.client, im, true)
			r.enc.Run()
			var wire qxl.Image
			r.enc.Fill(&wire, im, &form)
			got := make([]byte, len(pix))
			out := jpeg.NewImage(jpeg.BGRX, int(im.X), int(im.Y), wire.BitFlags != 0)
			if err := jpeg.NewDecoder().DecodeAlpha(got, out, wire.Data.AppendTo(nil), int(wire.Part)); err != nil {
				t.Fatalf("%dx%d as type %d: %v", im.X, im.Y, wire.Type, err)
			}
			far := 0
			for i, v := range got {
				if d := int(v) - int(pix[i]); i%4 == 3 && d != 0 {
					t.Fatalf("%dx%d: alpha %d differs by %d", im.X, im.Y, i/4, d)
				} else if max(d, -d) > 32 {
					far++
				}
			}
			if far > len(got)/100 {
				t.Errorf("%dx%d: %d of %d bytes are far off", im.X, im.Y, far, len(got))
			}
		}
	}
}

// TestChoice is the table of codecs by preference, format and look.
func TestChoice(t *testing.T) {
	dict := glz.NewDictionary(1<<20, 0)
	rng := rand.New(rand.NewPCG(1, 1))
	make32 := func(f qxl.BitmapFormat, kind string) *qxl.Image {
		pix := make([]byte, 64*64*4)
		for i := range 64 * 64 {
			for k := range 4 {
				if kind == "photo" {
					pix[4*i+k] = byte(i%64*2+i/64) + byte(rng.IntN(3))
				} else if i%3 == 0 {
					pix[4*i+k] = 255
				}
			}
		}
		im := bitmap(f, 64, 64, 0, 0)
		im.Data.Append(pix[:im.Stride*im.Y])
		return im
	}
	for _, tc := range []struct {
		prefer              Compression
		format              qxl.BitmapFormat
		kind                string
		jpeg, lossy, zlib   bool
		noDictionary, noLZ4 bool
		own                 bool
		want                Codec
	}{
		{prefer: Off, format: qxl.Bitmap32Bit, want: CodecRaw},
		{prefer: Off, format: qxl.Bitmap1BitLE, want: CodecLZ},
		{prefer: QUIC, format: qxl.Bitmap32Bit, want: CodecQUIC},
		{prefer: QUIC, format: qxl.Bitmap8Bit, want: CodecRaw},
		{prefer: QUIC, format: qxl.Bitmap8BitA, want: CodecRaw},
		{prefer: QUIC, format: qxl.Bitmap32Bit, jpeg: true, lossy: true, want: CodecQUIC},
		{prefer: QUIC, format: qxl.Bitmap32Bit, kind: "photo", jpeg: true, lossy: true, want: CodecJPEG},
		{prefer: QUIC, format: qxl.BitmapRGBA, kind: "photo", jpeg: true, lossy: true, want: CodecJPEGAlpha},
		{prefer: QUIC, format: qxl.BitmapRGBA, kind: "photo", jpeg: true, want: CodecQUIC},
		{prefer: QUIC, format: qxl.Bitmap32Bit, kind: "photo", lossy: true, want: CodecQUIC},
		{prefer: AutoGLZ, format: qxl.Bitmap32Bit, kind: "photo", want: CodecQUIC},
		{prefer: AutoGLZ, format: qxl.Bitmap32Bit, kind: "photo", jpeg: true, lossy: true, want: CodecJPEG},
		{prefer: AutoGLZ, format: qxl.Bitmap32Bit, jpeg: true, lossy: true, want: CodecGLZ},
		{prefer: AutoGLZ, format: qxl.Bitmap32Bit, zlib: true, want: CodecZlibGLZ},
		{prefer: AutoGLZ, format: qxl.Bitmap32Bit, noDictionary: true, want: CodecLZ},
		{prefer: AutoGLZ, format: qxl.Bitmap32Bit, own: true, want: CodecLZ},
		{prefer: AutoGLZ, format: qxl.Bitmap8Bit, want: CodecLZ},
		{prefer: AutoGLZ, format: qxl.Bitmap8BitA, want: CodecLZ},
		{prefer: AutoLZ, format: qxl.Bitmap16Bit, want: CodecLZ},
		{prefer: AutoLZ, format: qxl.BitmapRGBA, kind: "photo", want: CodecQUIC},
		{prefer: GLZ, format: qxl.Bitmap24Bit, kind: "photo", want: CodecGLZ},
		{prefer: GLZ, format: qxl.Bitmap4BitBE, want: CodecLZ},
		{prefer: LZ, format: qxl.Bitmap32Bit, kind: "photo", jpeg: true, lossy: true, want: CodecLZ},
		{prefer: LZ4, format: qxl.Bitmap32Bit, want: CodecLZ4},
		{prefer: LZ4, format: qxl.Bitmap32Bit, noLZ4: true, want: CodecLZ},
		{prefer: LZ4, format: qxl.Bitmap8BitA, want: CodecLZ},
		{prefer: LZ4, format: qxl.Bitmap8Bit, want: CodecLZ},
	} {
		c := Client{Compression: tc.prefer, JPEG: tc.jpeg, Zlib: tc.zlib, LZ4: !tc.noLZ4, Dictionary: dict}
		if tc.noDictionary {
			c.Dictionary = nil
		}
		if got := c.choose(look{im: make32(tc.format, tc.kind)}, tc.lossy, tc.own); got != tc.want {
			t.Errorf("%+v: got %d", tc, got)
		}
	}
	c := Client{Compression: LZ}
	if got := c.choose(look{im: bitmap(qxl.Bitmap32Bit, 13, 1, 0, 0, make([]byte, 52))}, false, false); got != CodecRaw {
		t.Errorf("52 bytes are compressed: %d", got)
	}
	wide := make([]byte, 4*3*(jpeg.MaxDimension+1))
	for i := range wide {
		wide[i] = byte(i / 7)
	}
	c = Client{Compression: QUIC, JPEG: true}
	if got := c.choose(look{im: bitmap(qxl.Bitmap32Bit, jpeg.MaxDimension, 3, 0, 0, wide)}, true, false); got != CodecJPEG {
		t.Errorf("an image as wide as a JPEG file can be is coded as %d", got)
	}
	if got := c.choose(look{im: bitmap(qxl.Bitmap32Bit, jpeg.MaxDimension+1, 3, 0, 0, wide)}, true, false); got != CodecQUIC {
		t.Errorf("an image wider than a JPEG file can be is coded as %d", got)
	}
}

// TestPalette has a guest give fewer colours than a client will look up.
func TestPalette(t *testing.T) {
	im := bitmap(qxl.Bitmap4BitLE, 4, 1, 0, 0, []byte{0x12, 0x34})
	im.Palette.Entries = []uint32{7, 8}
	var dst qxl.Image
	dst.Palette.Entries = []uint32{1, 2, 3, 4, 5, 6, 7, 8}
	Raw(&dst, im)
	want := append([]uint32{7, 8}, make([]uint32, 14)...)
	if fmt.Sprint(dst.Palette.Entries) != fmt.Sprint(want) {
		t.Errorf("the palette is %v", dst.Palette.Entries)
	}
}

// naiveLevel is the graduality of an image of one chunk, by the definition.
func naiveLevel(pixels [][3]int, w, contrast int, high float64) Level {
	pair := func(a, b [3]int) float64 {
		equal := true
		for k := range 3 {
			if d := a[k] - b[k]; d >= contrast || d <= -contrast {
				return 1
			} else if d != 0 {
				equal = false
			}
		}
		if equal {
			return 0.5
		}
		return -0.25
	}
	h := len(pixels) / w
	sum, n := 0.0, 0
	if w <= 1 || h <= 1 {
		sum, n = 1, 1
	} else {
		jump := 15
		if 15%w == 0 {
			jump = 14
		}
		for p := w / 2; p < (h-1)*w; p += jump {
			if (p+1)%w == 0 {
				p--
			}
			q := pair(pixels[p], pixels[p+1]) + pair(pixels[p], pixels[p+w]) + pair(pixels[p], pixels[p+w+1])
			if q == 1.5 && pixels[p] == pixels[p+1] && pixels[p] == pixels[p+w] && pixels[p] == pixels[p+w+1] {
				q = 0
			}
			sum, n = sum+q, n+3
		}
	}
	switch mean := sum / float64(n); {
	case mean < high:
		return GradualityHigh
	case mean < 0.002:
		return GradualityMedium
	}
	return GradualityLow
}

// TestGraduality holds the sampler to the definition, for images small enough to
// be sampled in full.
func TestGraduality(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	seen := map[Level]int{}
	for range 3000 {
		w, h, spread := 1+rng.IntN(40), 1+rng.IntN(40), 1+rng.IntN(80)
		base := rng.IntN(200)
		var pixels [][3]int
		var b16, b24, b32 []byte
		for range w * h {
			p := [3]int{}
			for k := range 3 {
				p[k] = min(base+rng.IntN(spread)*rng.IntN(2), 255)
			}
			pixels = append(pixels, p)
			b24 = append(b24, byte(p[0]), byte(p[1]), byte(p[2]))
			b32 = append(b32, byte(p[0]), byte(p[1]), byte(p[2]), byte(rng.IntN(256)))
		}
		if got, want := Graduality(bitmap(qxl.Bitmap32Bit, uint32(w), uint32(h), 0, 0, b32)), naiveLevel(pixels, w, 60, -0.03); got != want {
			t.Fatalf("32 bit, %dx%d, base %d, spread %d: %d, want %d", w, h, base, spread, got, want)
		} else {
			seen[got]++
		}
		if got, want := Graduality(bitmap(qxl.Bitmap24Bit, uint32(w), uint32(h), 0, 0, b24)), naiveLevel(pixels, w, 60, -0.03); got != want {
			t.Fatalf("24 bit, %dx%d: %d, want %d", w, h, got, want)
		}
		for i, p := range pixels {
			pixels[i] = [3]int{p[0] / 8, p[1] / 8, p[2] / 8}
			v := pixels[i][0] | pixels[i][1]<<5 | pixels[i][2]<<10 | rng.IntN(2)<<15
			b16 = append(b16, byte(v), byte(v>>8))
		}
		if got, want := Graduality(bitmap(qxl.Bitmap16Bit, uint32(w), uint32(h), 0, 0, b16)), naiveLevel(pixels, w, 8, 0); got != want {
			t.Fatalf("16 bit, %dx%d: %d, want %d", w, h, got, want)
		}
	}
	if seen[GradualityLow] == 0 || seen[GradualityHigh] == 0 {
		t.Errorf("levels seen: %v", seen)
	}
	if got := Graduality(bitmap(qxl.Bitmap8Bit, 9, 9, 0, 0, make([]byte, 81))); got != GradualityNone {
		t.Errorf("a format with a palette has graduality %d", got)
	}
}
