package jpeg

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	stdjpeg "image/jpeg"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/spiceecs/spiceecs/net/codec/pixel"
	"github.com/spiceecs/spiceecs/net/codec/testimage"
)

// toRGBA makes a standard image of 32-bit pixels, top line first.
func toRGBA(bgrx []byte, w, h int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for i := 0; i < 4*w*h; i += 4 {
		m.Pix[i], m.Pix[i+1], m.Pix[i+2], m.Pix[i+3] = bgrx[i+2], bgrx[i+1], bgrx[i], 0xff
	}
	return m
}

// psnr compares 32-bit pixels with a decoded image, in dB.
func psnr(bgrx []byte, m image.Image) float64 {
	w, h := m.Bounds().Dx(), m.Bounds().Dy()
	var sum float64
	for y := range h {
		for x := range w {
			c := color.RGBAModel.Convert(m.At(x, y)).(color.RGBA)
			p := bgrx[4*(y*w+x):]
			for k, v := range [3]uint8{c.B, c.G, c.R} {
				d := float64(v) - float64(p[k])
				sum += d * d
			}
		}
	}
	return 10 * math.Log10(255*255/(sum/float64(3*w*h)+1e-9))
}

// engines are the encoders there are on this machine.
func engines() map[string]*Encoder {
	m := map[string]*Encoder{"pure": NewPure()}
	if e := New(); e.Turbo() {
		m["turbo"] = e
	}
	return m
}

func decoders() map[string]*Decoder {
	m := map[string]*Decoder{"pure": NewPureDecoder()}
	if d := NewDecoder(); d.Turbo() {
		m["turbo"] = d
	}
	return m
}

// standard encodes by the standard library, which uses the same tables.
func standard(t testing.TB, bgrx []byte, w, h, quality int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := stdjpeg.Encode(&b, toRGBA(bgrx, w, h), &stdjpeg.Options{Quality: quality}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func stdDecode(t testing.TB, file []byte) image.Image {
	t.Helper()
	m, err := stdjpeg.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestQuality compares size and error with the standard library's encoder, for
// qualities from worst to best.
func TestQuality(t *testing.T) {
	const w, h = 333, 207
	noise := testimage.Bytes(rand.New(rand.NewPCG(1, 1)), "noise", pixel.New(pixel.RGB32, w, h, true))
	for name, enc := range engines() {
		for kind, pix := range map[string][]byte{
			"desktop": testimage.Desktop(w, h, 1), "photo": testimage.Photo(w, h, 1), "noise": noise,
		} {
			for _, quality := range []int{1, 20, 50, 85, 100} {
				file, err := enc.Encode(nil, NewImage(BGRX, w, h, true), [][]byte{pix}, quality)
				if err != nil {
					t.Fatal(err)
				}
				ref := standard(t, pix, w, h, quality)
				got, want := psnr(pix, stdDecode(t, file)), psnr(pix, stdDecode(t, ref))
				if got < want-0.1 {
					t.Errorf("%s %s quality %d: %.2f dB, standard %.2f dB", name, kind, quality, got, want)
				}
				if ratio := float64(len(file)) / float64(len(ref)); ratio > 1.03 || ratio < 0.95 {
					t.Errorf("%s %s quality %d: %d bytes, standard %d", name, kind, quality, len(file), len(ref))
				}
			}
		}
	}
}

// store puts 32-bit pixels, top line first, into memory as im says.
func store(rng *rand.Rand, im Image, bgrx []byte) []byte {
	out := make([]byte, im.Size())
	for i := range out {
		out[i] = byte(rng.Uint32())
	}
	for y := range im.Height {
		line := im.row(out, y)
		for x := range im.Width {
			p := bgrx[4*(y*im.Width+x):]
			switch im.Format {
			case RGB16:
				v := uint16(p[2]>>3)<<10 | uint16(p[1]>>3)<<5 | uint16(p[0]>>3) | uint16(rng.IntN(2))<<15
				line[2*x], line[2*x+1] = byte(v), byte(v>>8)
			default:
				copy(line[x*im.Format.size():], p[:im.Format.size()])
			}
		}
	}
	return out
}

func (im Image) row(b []byte, y int) []byte {
	if !im.TopDown {
		y = im.Height - 1 - y
	}
	return b[y*im.Stride:]
}

// TestLayouts encodes a picture from all kinds of memory: the file must always
// be that of the same pixels in plain 32-bit memory.
func TestLayouts(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	for name, enc := range engines() {
		for _, size := range [][2]int{{1, 1}, {7, 3}, {16, 16}, {17, 16}, {16, 33}, {64, 48}, {100, 500}, {33, 1}, {1, 40}} {
			w, h := size[0], size[1]
			for _, format := range []Format{BGRX, BGR, RGB16} {
				pix := testimage.Desktop(w, h, 3)
				if format == RGB16 { // what 5 bits can say
					for i := range pix {
						pix[i] = pix[i]&0xf8 | pix[i]>>5
					}
				}
				want, err := enc.Encode(nil, NewImage(BGRX, w, h, true), [][]byte{pix}, 85)
				if err != nil {
					t.Fatal(err)
				}
				for range 4 {
					im := NewImage(format, w, h, rng.IntN(2) == 0)
					im.Stride += rng.IntN(2) * rng.IntN(40)
					chunks := testimage.Split(rng, store(rng, im, pix), rng.IntN(4))
					got, err := enc.Encode([]byte("before"), im, chunks, 85)
					if err != nil || string(got[:6]) != "before" || !bytes.Equal(got[6:], want) {
						t.Fatalf("%s %+v: %v, %d bytes, want %d", name, im, err, len(got)-6, len(want))
					}
				}
			}
		}
	}
}

// TestFlat has MCUs of one colour, which take a shorter way, beside others.
func TestFlat(t *testing.T) {
	const w, h = 160, 16
	pix := make([]byte, 4*w*h)
	for i := range pix {
		pix[i] = [4]byte{200, 100, byte(i / 4 % w / 16 * 25)}[i%4]
	}
	enc := NewPure()
	plain, err := enc.Encode(nil, NewImage(BGRX, w, h, true), [][]byte{pix}, 90)
	if err != nil {
		t.Fatal(err)
	}
	// A difference too small to last in each MCU makes it take the longer way.
	for x := 5; x < w; x += 16 {
		pix[4*(3*w+x)] ^= 1
	}
	long, err := enc.Encode(nil, NewImage(BGRX, w, h, true), [][]byte{pix}, 90)
	if err != nil || !bytes.Equal(plain, long) {
		t.Errorf("%d bytes, the longer way %d, %v", len(plain), len(long), err)
	}
}

// TestRestart checks that a file in strips holds the same picture as one
// without, and has the markers where a decoder looks for them, for lines in any
// order and in any number of chunks.
func TestRestart(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	for engine, enc := range engines() {
		for _, size := range [][2]int{{40, 1000}, {640, 600}, {16, 16}, {8000, 300}, {33, 17}} {
			im := NewImage(Format(1+rng.IntN(3)), size[0], size[1], rng.IntN(2) == 0)
			im.Stride += rng.IntN(2) * rng.IntN(50)
			pix := store(rng, im, testimage.Photo(im.Width, im.Height, 2))
			whole, err := enc.Encode(nil, im, [][]byte{pix}, 80)
			if err != nil {
				t.Fatal(err)
			}
			for _, strips := range []int{2, 3, 20} {
				parts := make([][]byte, Parts(im, strips))
				for _, i := range rng.Perm(len(parts)) {
					if parts[i], err = enc.EncodePart(nil, im, testimage.Split(rng, pix, rng.IntN(3)), 80, i, strips); err != nil {
						t.Fatal(err)
					}
				}
				file := bytes.Join(parts, nil)
				if strips > 1 && im.Height > 16 && len(parts) < 2 {
					t.Errorf("%+v in %d strips has %d parts", im, strips, len(parts))
				}
				back := NewImage(BGRX, im.Width, im.Height, true)
				for name, dec := range decoders() {
					a, b := make([]byte, back.Size()), make([]byte, back.Size())
					if err := dec.Decode(a, back, whole); err != nil {
						t.Fatal(err)
					}
					if err := dec.Decode(b, back, file); err != nil || !bytes.Equal(a, b) {
						t.Errorf("%s: %+v in %d strips, %s decoder: %v", engine, im, strips, name, err)
					}
				}
			}
		}
	}
	if n := Parts(NewImage(BGRX, 65000, 65000, true), 2); n != 1 {
		t.Errorf("an image whose strips are too large has %d parts", n)
	}
}

func TestRefused(t *testing.T) {
	for name, enc := range engines() {
		for _, im := range []Image{
			{}, {Format: 4, Width: 1, Height: 1, Stride: 4}, {Format: BGRX, Width: 2, Height: 1, Stride: 7},
			{Format: BGRX, Width: 0, Height: 1, Stride: 4}, {Format: BGR, Width: 1, Height: -1, Stride: 4},
			{Format: BGR, Width: MaxDimension + 1, Height: 1, Stride: 4 * MaxDimension}, {Format: BGRX, Width: 1, Height: 1, Stride: 1 << 31},
		} {
			if _, err := enc.Encode(nil, im, [][]byte{make([]byte, 64)}, 85); !errors.Is(err, ErrImage) {
				t.Errorf("%s: %+v: %v", name, im, err)
			}
		}
		im := NewImage(BGRX, 4, 4, true)
		if out, err := enc.Encode([]byte("x"), im, [][]byte{make([]byte, 63)}, 85); !errors.Is(err, ErrShort) || string(out) != "x" {
			t.Errorf("%s: 63 of 64 bytes: %v", name, err)
		}
	}
}

func TestNoAllocation(t *testing.T) {
	for name, enc := range engines() {
		im := NewImage(BGRX, 327, 200, true)
		chunks := [][]byte{testimage.Desktop(327, 200, 1)}
		out, err := enc.Encode(nil, im, chunks, 85)
		if err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(20, func() {
			if out, err = enc.Encode(out[:0], im, chunks, 85); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: encoding allocates %v times", name, n)
		}
		if !enc.Turbo() {
			continue // the standard library's decoder allocates
		}
		dec, back := NewDecoder(), make([]byte, im.Size())
		if n := testing.AllocsPerRun(20, func() {
			if err := dec.Decode(back, im, out); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: decoding allocates %v times", name, n)
		}
	}
}
