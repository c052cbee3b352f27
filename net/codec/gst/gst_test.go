package gst

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
)

// need returns an encoder, or skips the test.
func need(t testing.TB, c Codec, f Format) *Encoder {
	t.Helper()
	if err := Load(); err != nil {
		t.Skip(err)
	}
	e, err := NewEncoder(c, f)
	if errors.Is(err, ErrMissing) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

// moving is frame n of gradients that move.
func moving(pix []byte, width, n int) {
	for i := range pix {
		x, y := i/4%width, i/4/width
		v := ((x+n)*(i%4+1) + y*2) % 512
		pix[i] = byte(min(v, 511-v))
	}
}

// TestEncode wants one frame for each, in the codec's own form.
func TestEncode(t *testing.T) {
	for name, c := range names {
		t.Run(name, func(t *testing.T) {
			f := Format{Width: 322, Height: 182, FPS: 25, BitRate: 1 << 20}
			e := need(t, c, f)
			pix := make([]byte, 4*f.Width*f.Height)
			for n := range 30 {
				moving(pix, f.Width, n)
				data, err := e.Encode([]byte{7}, pix)
				if err != nil {
					t.Fatalf("frame %d: %v", n, err)
				}
				if data[0] != 7 || !starts(c, data[1:], n == 0) {
					t.Fatalf("frame %d begins %x", n, data[:min(16, len(data))])
				}
				if n == 15 {
					e.SetBitRate(200 << 10)
				}
			}
			e.Close()
		})
	}
}

// starts checks the first bytes of a frame by the codecs' specifications.
func starts(c Codec, data []byte, key bool) bool {
	switch c {
	case VP8: // a key frame has bit 0 clear, and a start code
		return data[0]&1 == 0 == key && (!key || string(data[3:6]) == "\x9d\x01\x2a")
	case VP9: // frame marker 2 in the upper two bits; then profile, and whether it is a key frame
		return data[0]>>6 == 2 && (data[0]>>2&1 == 0) == key
	}
	return string(data[:3]) == "\x00\x00\x01" || string(data[:4]) == "\x00\x00\x00\x01"
}

// names are the codecs' names.
var names = map[string]Codec{"vp8": VP8, "vp9": VP9, "h264": H264, "h265": H265}

// TestDecode decodes with every decoder what every encoder makes, of several sizes.
func TestDecode(t *testing.T) {
	if err := Load(); err != nil {
		t.Skip(err)
	}
	for _, c := range names {
		for _, e := range encoders[c] {
			for _, d := range decoders[c] {
				for _, f := range []Format{
					{Width: 322, Height: 182, FPS: 25, BitRate: 4 << 20}, {Width: 97, Height: 103, FPS: 25, BitRate: 4 << 20},
				} {
					t.Run(fmt.Sprintf("%s/%s/%dx%d", e.factory, d.name(), f.Width, f.Height), func(t *testing.T) {
						roundTrip(t, e, d, f)
					})
				}
			}
		}
	}
}

func roundTrip(t *testing.T, e element, d decoder, f Format) {
	if f.odd() && e.odd == full && d.halvedOnly {
		t.Skip("colours of full resolution")
	}
	enc, err := e.start(f)
	if errors.Is(err, ErrMissing) {
		t.Skip(err)
	}
	noError(t, err)
	defer enc.Close()
	dec, err := d.start()
	if errors.Is(err, ErrMissing) {
		t.Skip(err)
	}
	noError(t, err)
	defer dec.Close()
	pix := make([]byte, 4*f.Width*f.Height)
	var data []byte
	for n := range 12 {
		moving(pix, f.Width, n)
		data, err = enc.Encode(data[:0], pix)
		noError(t, err)
		p, err := dec.Decode(data, f.Width*f.Height)
		if err != nil || p.Width != f.Width || p.Height != f.Height {
			t.Fatalf("frame %d: %dx%d, %v", n, p.Width, p.Height, err)
		}
		if q := psnr(p.Pix, pix); q < 30 {
			t.Errorf("frame %d: %.1f dB", n, q)
		}
	}
	data, err = enc.Encode(data[:0], pix)
	noError(t, err)
	if _, err := dec.Decode(data, f.Width*f.Height-1); !errors.Is(err, ErrDecode) {
		t.Errorf("a picture above the limit: %v", err)
	}
}

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// psnr compares pixels, but for every fourth byte.
func psnr(a, b []byte) float64 {
	sum := 0.0
	for i := range a {
		if i%4 != 3 {
			d := float64(a[i]) - float64(b[i])
			sum += d * d
		}
	}
	return 10 * math.Log10(255*255/max(sum/float64(len(a)/4*3), 1e-9))
}

// TestDecodeRefuses wants errors for what is no frame.
func TestDecodeRefuses(t *testing.T) {
	if err := Load(); err != nil {
		t.Skip(err)
	}
	for name, c := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, frame := range []string{"", "no frame at all", strings.Repeat("\x00\x00\x01\x65\x88", 100)} {
				d, err := NewDecoder(c)
				if errors.Is(err, ErrMissing) {
					t.Skip(err)
				}
				if err != nil {
					t.Fatal(err)
				}
				if _, err := d.Decode([]byte(frame), 1<<20); !errors.Is(err, ErrDecode) {
					t.Errorf("%.20q: %v", frame, err)
				}
				d.Close()
			}
		})
	}
	if _, err := NewDecoder(0); !errors.Is(err, ErrMissing) || Decodes(77) == nil {
		t.Errorf("a decoder of nothing: %v", err)
	}
}

func TestRefuses(t *testing.T) {
	if err := Load(); err != nil {
		t.Skip(err)
	}
	for _, f := range []Format{{}, {Width: 10, Height: 10, FPS: 1}, {Width: 1 << 20, Height: 10, FPS: 1, BitRate: 1}} {
		if _, err := NewEncoder(VP8, f); err == nil {
			t.Errorf("%+v makes an encoder", f)
		}
	}
	e := need(t, VP8, Format{Width: 64, Height: 64, FPS: 25, BitRate: 1 << 20})
	if _, err := e.Encode(nil, make([]byte, 100)); !errors.Is(err, ErrEncode) {
		t.Errorf("a frame of another size: %v", err)
	}
}

func BenchmarkVP8(b *testing.B) {
	f := Format{Width: 640, Height: 360, FPS: 25, BitRate: 1 << 20}
	e := need(b, VP8, f)
	pix, dst := make([]byte, 4*f.Width*f.Height), []byte(nil)
	b.SetBytes(int64(len(pix)))
	for n := 0; b.Loop(); n++ {
		moving(pix, f.Width, n)
		dst, _ = e.Encode(dst[:0], pix)
	}
}
