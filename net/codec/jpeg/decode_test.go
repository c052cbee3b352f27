package jpeg

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	stdjpeg "image/jpeg"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/spiceecs/spiceecs/net/codec/testimage"
)

// near tells whether 32-bit pixels are those of a decoded image, to within
// what decoders may differ in (upsampling of chroma most of all), and whether
// their pad bytes are 0.
func near(t *testing.T, im Image, got []byte, want image.Image, least float64) {
	t.Helper()
	top := make([]byte, 0, 4*im.Width*im.Height)
	for y := range im.Height {
		top = append(top, im.row(got, y)[:4*im.Width]...)
	}
	for i := 3; i < len(top); i += 4 {
		if top[i] != 0 {
			t.Fatalf("%+v: pad byte %d of pixel %d", im, top[i], i/4)
		}
	}
	if p := psnr(top, want); p < least {
		t.Errorf("%+v: %.1f dB from the standard library", im, p)
	}
}

func TestDecode(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	for name, dec := range decoders() {
		for _, size := range [][2]int{{1, 1}, {2, 3}, {16, 16}, {17, 31}, {100, 75}} {
			w, h := size[0], size[1]
			file := standard(t, testimage.Photo(w, h, 5), w, h, 90)
			if gw, gh, err := ParseHeader(file); err != nil || gw != w || gh != h {
				t.Fatalf("%d x %d: header says %d x %d, %v", w, h, gw, gh, err)
			}
			for _, topDown := range []bool{false, true} {
				im := NewImage(BGRX, w, h, topDown)
				im.Stride += rng.IntN(9)
				dst := make([]byte, im.Size())
				for i := range dst {
					dst[i] = 0xaa
				}
				if err := dec.Decode(dst, im, file); err != nil {
					t.Fatalf("%s %+v: %v", name, im, err)
				}
				least := 50.0
				if name != "pure" { // it blends chroma samples
					least = 24
				}
				near(t, im, dst, stdDecode(t, file), least)
			}
		}
	}
}

// TestSampling decodes gray, which encoders of others may send, and 4:4:4.
func TestSampling(t *testing.T) {
	gray := image.NewGray(image.Rect(0, 0, 40, 30))
	for i := range gray.Pix {
		gray.Pix[i] = byte(i)
	}
	var b bytes.Buffer
	if err := stdjpeg.Encode(&b, gray, nil); err != nil {
		t.Fatal(err)
	}
	for _, dec := range decoders() {
		im := NewImage(BGRX, 40, 30, true)
		dst := make([]byte, im.Size())
		if err := dec.Decode(dst, im, b.Bytes()); err != nil {
			t.Fatal(err)
		}
		near(t, im, dst, stdDecode(t, b.Bytes()), 50)
	}
	for ratio := image.YCbCrSubsampleRatio444; ratio <= image.YCbCrSubsampleRatio410; ratio++ {
		m := image.NewYCbCr(image.Rect(0, 0, 37, 9), ratio)
		for _, p := range [][]byte{m.Y, m.Cb, m.Cr} {
			for i := range p {
				p[i] = byte(i*7) | 1
			}
		}
		line := make([]byte, 4*37)
		for y := range 9 {
			fromYCbCr(line, m, y)
			for x := range 37 {
				c := color.RGBAModel.Convert(m.At(x, y)).(color.RGBA)
				for k, v := range []uint8{c.B, c.G, c.R, 0} {
					if d := int(line[4*x+k]) - int(v); d < -1 || d > 1 {
						t.Fatalf("%v (%d,%d): %v, want %v", ratio, x, y, line[4*x:4*x+4], c)
					}
				}
			}
		}
	}
}

// withoutTables removes the Huffman tables of a file.
func withoutTables(file []byte) []byte {
	out := slices.Clone(file[:2])
	for rest := file[2:]; ; {
		n := 2 + int(rest[2])<<8 + int(rest[3])
		if rest[1] == mSOS {
			return append(out, rest...)
		}
		if rest[1] != mDHT {
			out = append(out, rest[:n]...)
		}
		rest = rest[n:]
	}
}

// TestMotion decodes frames that leave out their tables: with those of the
// standard at first, then with those of the frame before.
func TestMotion(t *testing.T) {
	const w, h = 64, 48
	pix := testimage.Desktop(w, h, 1)
	im := NewImage(BGRX, w, h, true)
	file, err := NewPure().Encode(nil, im, [][]byte{pix}, 80)
	if err != nil {
		t.Fatal(err)
	}
	bare := withoutTables(file)
	// The same data under a table in which two symbols, of one magnitude and
	// codes of one length, have changed places: another picture.
	own := slices.Clone(file)
	ac := own[bytes.Index(own, huffmanSpecs[1].symbols):]
	x, y := bytes.IndexByte(ac, 0x31), bytes.IndexByte(ac, 0x41)
	ac[x], ac[y] = ac[y], ac[x]
	for name, dec := range decoders() {
		decode := func(file []byte) []byte {
			t.Helper()
			dst := make([]byte, im.Size())
			if err := dec.Decode(dst, im, file); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			return dst
		}
		full := decode(file)
		if !bytes.Equal(decode(bare), full) {
			t.Errorf("%s: a frame without tables differs", name)
		}
		other := decode(own)
		if bytes.Equal(other, full) {
			t.Fatalf("%s: other tables make no difference", name)
		}
		if !bytes.Equal(decode(bare), other) {
			t.Errorf("%s: a frame without tables does not take those of the one before", name)
		}
		if !bytes.Equal(decode(file), full) {
			t.Errorf("%s: a frame does not take its own tables", name)
		}
	}
	fresh := NewPureDecoder()
	dst := make([]byte, im.Size())
	if err := fresh.Decode(dst, im, bare); err != nil {
		t.Errorf("a first frame without tables: %v", err)
	}
}

func TestCorrupt(t *testing.T) {
	const w, h = 64, 48
	im := NewImage(BGRX, w, h, true)
	file := standard(t, testimage.Photo(w, h, 1), w, h, 80)
	patch := func(marker byte, at int, v byte) []byte {
		b := slices.Clone(file)
		b[bytes.Index(b, []byte{0xff, marker})+at] = v
		return b
	}
	for name, dec := range decoders() {
		dst := make([]byte, im.Size())
		for n := range len(file) / 2 {
			if err := dec.Decode(dst, im, file[:n]); !errors.Is(err, ErrCorrupt) {
				t.Errorf("%s: %d of %d bytes: %v", name, n, len(file), err)
			}
		}
		for what, bad := range map[string][]byte{
			"progressive":  patch(mSOF0, 1, 0xc2),
			"12 bits":      patch(mSOF0, 4, 12),
			"no lines":     patch(mSOF0, 6, 0),
			"4 components": patch(mSOF0, 9, 4),
			"long table":   patch(mDHT, 5, 255),
			"long segment": patch(mDQT, 2, 0xff),
			"no image":     []byte("not a JPEG file at all"),
			"end at once":  {0xff, mSOI, 0xff, mEOI, 0, 0, 0},
		} {
			if err := dec.Decode(dst, im, bad); !errors.Is(err, ErrCorrupt) {
				t.Errorf("%s: %s: %v", name, what, err)
			}
		}
		if err := dec.Decode(dst[1:], im, file); !errors.Is(err, ErrShort) {
			t.Errorf("%s: a byte short: %v", name, err)
		}
		for _, other := range []Image{NewImage(BGRX, w+1, h, true), NewImage(BGRX, w, h-1, true), NewImage(BGR, w, h, true), {}} {
			if err := dec.Decode(make([]byte, 5*w*h), other, file); !errors.Is(err, ErrImage) {
				t.Errorf("%s: as %+v: %v", name, other, err)
			}
		}
		if err := dec.Decode(dst, im, file); err != nil {
			t.Errorf("%s: a good file after bad ones: %v", name, err)
		}
	}
}

func TestAlpha(t *testing.T) {
	const w, h = 50, 37
	pix := testimage.Desktop(w, h, 1)
	for i := 3; i < len(pix); i += 4 {
		pix[i] = byte(i * i / 400)
	}
	for encName, enc := range engines() {
		for decName, dec := range decoders() {
			for _, topDown := range []bool{false, true} {
				im := NewImage(BGRX, w, h, topDown)
				out, n, err := enc.EncodeAlpha([]byte("before"), im, [][]byte{pix[:777], pix[777:]}, 85)
				if err != nil || string(out[:6]) != "before" {
					t.Fatal(err)
				}
				out = out[6:]
				plain, err := enc.Encode(nil, im, [][]byte{pix}, 85)
				if err != nil || !bytes.Equal(plain, out[:n]) {
					t.Fatalf("the file is not that of Encode: %v", err)
				}
				colours, got := make([]byte, im.Size()), make([]byte, im.Size())
				if err := dec.Decode(colours, im, plain); err != nil {
					t.Fatal(err)
				}
				for i := 3; i < len(pix); i += 4 {
					colours[i] = pix[i]
				}
				if err := dec.DecodeAlpha(got, im, out, n); err != nil || !bytes.Equal(got, colours) {
					t.Errorf("%s, %s, topDown %v: %v", encName, decName, topDown, err)
				}
				flipped := im
				flipped.TopDown = !topDown
				if err := dec.DecodeAlpha(got, flipped, out, n); !errors.Is(err, ErrCorrupt) {
					t.Errorf("lines of alpha in the other order: %v", err)
				}
				for _, n := range []int{-1, 0, n - 1, n + 1, len(out), len(out) + 1} {
					if err := dec.DecodeAlpha(got, im, out, n); !errors.Is(err, ErrCorrupt) {
						t.Errorf("a file of %d in %d bytes: %v", n, len(out), err)
					}
				}
			}
		}
		padded := Image{Format: BGRX, Width: 4, Height: 4, Stride: 17}
		if _, _, err := enc.EncodeAlpha(nil, padded, [][]byte{pix}, 85); !errors.Is(err, ErrImage) {
			t.Errorf("padded lines: %v", err)
		}
	}
}

// TestAlphaParts makes images of parts, the last ones first.
func TestAlphaParts(t *testing.T) {
	const w, h = 210, 333
	pix := testimage.Photo(w, h, 1)
	for i := 3; i < len(pix); i += 4 {
		pix[i] = byte(i * i / 400)
	}
	dec := NewDecoder()
	for name, enc := range engines() {
		for strips := 1; strips < 6; strips++ {
			im := NewImage(BGRX, w, h, strips%2 == 0)
			parts := make([][]byte, AlphaParts(im, strips))
			for part := len(parts) - 1; part >= 0; part-- {
				var err error
				if parts[part], err = enc.EncodeAlphaPart(nil, im, [][]byte{pix[:777], pix[777:]}, 85, part, strips); err != nil {
					t.Fatal(err)
				}
			}
			file := len(bytes.Join(parts[:Parts(im, strips)], nil))
			if strips > 1 && len(parts) < 4 {
				t.Errorf("%s: only %d parts", name, len(parts))
			}
			wantAlpha(t, dec, im, pix, bytes.Join(parts, nil), file)
		}
	}
}
