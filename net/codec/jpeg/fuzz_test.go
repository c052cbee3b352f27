package jpeg

import (
	"bytes"
	"errors"
	"testing"

	"github.com/spiceecs/spiceecs/net/codec/testimage"
)

// FuzzDecode decodes any bytes with both engines.
func FuzzDecode(f *testing.F) {
	file := standard(f, testimage.Desktop(40, 30, 1), 40, 30, 50)
	f.Add(file)
	f.Add(withoutTables(file))
	own, err := NewPure().Encode(nil, NewImage(BGRX, 16, 16, true), [][]byte{make([]byte, 1024)}, 20)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(own)
	all := decoders()
	f.Fuzz(func(t *testing.T, file []byte) {
		w, h, err := ParseHeader(file)
		if err != nil || w*h > 1<<16 {
			return
		}
		im := NewImage(BGRX, w, h, true)
		dst := make([]byte, im.Size())
		for _, dec := range all {
			_ = dec.Decode(dst, im, file) // it is enough to come back
		}
	})
}

// FuzzEncode encodes any bytes as any image: the standard library must be able
// to read every file.
func FuzzEncode(f *testing.F) {
	f.Add(uint8(1), uint8(3), uint8(85), uint16(5), true, []byte("any bytes that make up an image of some lines"))
	all := engines()
	f.Fuzz(func(t *testing.T, format, width, quality uint8, cut uint16, topDown bool, pixels []byte) {
		im := NewImage(Format(format), int(width), 1, topDown)
		if im.Stride > 0 {
			im.Height = len(pixels) / im.Stride
		}
		at := min(int(cut), len(pixels))
		for name, enc := range all {
			file, err := enc.Encode(nil, im, [][]byte{pixels[:at], pixels[at:]}, int(quality))
			if err != nil {
				if im.Check() == nil {
					t.Fatal(err)
				}
				continue
			}
			if b := stdDecode(t, file).Bounds(); b.Dx() != im.Width || b.Dy() != im.Height {
				t.Fatalf("%s: %v, want %+v", name, b, im)
			}
		}
	})
}

// FuzzDecodeAlpha decodes any bytes, of which any number are the file, with both
// engines.
func FuzzDecodeAlpha(f *testing.F) {
	im := NewImage(BGRX, 16, 16, true)
	good, n, err := NewPure().EncodeAlpha(nil, im, [][]byte{testimage.Desktop(16, 16, 1)}, 50)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good, n, true)
	f.Add(good[:len(good)-3], n, true)
	f.Add(good, n, false)
	all := decoders()
	f.Fuzz(func(t *testing.T, data []byte, n int, topDown bool) {
		w, h, err := ParseHeader(data[:min(max(n, 0), len(data))])
		if err != nil || w*h > 1<<16 {
			return
		}
		im := NewImage(BGRX, w, h, topDown)
		dst := make([]byte, im.Size())
		for _, dec := range all {
			_ = dec.DecodeAlpha(dst, im, data, n) // it is enough to come back
		}
	})
}

// FuzzEncodeAlpha encodes any bytes as images with alpha, which must come back
// as they were.
func FuzzEncodeAlpha(f *testing.F) {
	f.Add(uint8(3), uint16(5), true, []byte("any bytes that make up an image of some lines"))
	f.Add(uint8(3), uint16(5), true, []byte("no line"))
	f.Add(uint8(0), uint16(0), true, []byte{})
	encoders, all := engines(), decoders()
	f.Fuzz(func(t *testing.T, width uint8, cut uint16, topDown bool, pixels []byte) {
		im := NewImage(BGRX, int(width), 1, topDown)
		if im.Stride > 0 {
			im.Height = len(pixels) / im.Stride
		}
		at := min(int(cut), len(pixels))
		for _, enc := range encoders {
			out, n, err := enc.EncodeAlpha(nil, im, [][]byte{pixels[:at], pixels[at:]}, 85)
			if err != nil {
				if im.Check() == nil {
					t.Fatal(err)
				}
				continue
			}
			for _, dec := range all {
				wantAlpha(t, dec, im, pixels, out, n)
			}
		}
	})
}

// wantAlpha checks that an image comes back with its alpha, and with the colours
// of the file.
func wantAlpha(t *testing.T, dec *Decoder, im Image, pixels, out []byte, n int) {
	t.Helper()
	colours, got := make([]byte, im.Size()), make([]byte, im.Size())
	if err := errors.Join(dec.Decode(colours, im, out[:n]), dec.DecodeAlpha(got, im, out, n)); err != nil {
		t.Fatalf("%+v: %v", im, err)
	}
	for i := 3; i < len(colours); i += 4 {
		colours[i] = pixels[i]
	}
	if !bytes.Equal(got, colours) {
		t.Fatalf("%+v comes back different", im)
	}
}

// TestOddSizes encodes the narrowest and the longest images there can be, with
// and without alpha.
func TestOddSizes(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {2, 1}, {1, 17}, {1, MaxDimension}, {MaxDimension, 1}, {MaxDimension, 2}} {
		im := NewImage(BGRX, size[0], size[1], size[1]%2 == 0)
		pixels := testimage.Photo(im.Width, im.Height, 1)
		for name, enc := range engines() {
			out, n, err := enc.EncodeAlpha(nil, im, [][]byte{pixels}, 85)
			if err != nil {
				t.Fatalf("%s: %+v: %v", name, im, err)
			}
			if b := stdDecode(t, out[:n]).Bounds(); b.Dx() != im.Width || b.Dy() != im.Height {
				t.Errorf("%s: %v, want %+v", name, b, im)
			}
			for _, dec := range decoders() {
				wantAlpha(t, dec, im, pixels, out, n)
			}
		}
	}
	for _, im := range []Image{NewImage(BGRX, 65535, 1, true), NewImage(BGRX, 1, 65535, true), NewImage(BGRX, 0, 1, true)} {
		for name, enc := range engines() {
			if _, err := enc.Encode(nil, im, [][]byte{make([]byte, im.Size())}, 85); !errors.Is(err, ErrImage) {
				t.Errorf("%s: %+v: %v", name, im, err)
			}
		}
	}
}
