package glz

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/spiceecs/spiceecs/net/codec/pixel"
	"github.com/spiceecs/spiceecs/net/codec/testimage"
)

// FuzzDecode gives the decoder up to three streams in a row, each with its
// length before it, and holds it to the model.
func FuzzDecode(f *testing.F) {
	first, second, stream := example(f)
	im := pixel.New(pixel.RGB32, 10, 6, true)
	dict, enc := NewDictionary(1000, 0), new(Encoder)
	frame := func(streams ...[]byte) (out []byte) {
		for _, s := range streams {
			out = append(binary.BigEndian.AppendUint16(out, uint16(len(s))), s...)
		}
		return out
	}
	one, _, _ := enc.Encode(nil, dict, im, [][]byte{first})
	two, _, _ := enc.Encode(nil, dict, im, [][]byte{second})
	f.Add(frame(one, two, stream))
	f.Add(frame(one, stream))
	f.Fuzz(func(t *testing.T, data []byte) {
		w, m := NewWindow(1<<16), model{}
		for range 3 {
			if len(data) < 2 {
				return
			}
			n := min(int(binary.BigEndian.Uint16(data)), len(data)-2)
			stream := data[2 : 2+n]
			data = data[2+n:]
			got, err := w.Decode(stream)
			if errors.Is(err, ErrTooLarge) || err != nil && len(m) > 0 {
				return // the model knows neither limits nor freeing
			}
			own := m.decode(stream)
			if (err == nil) != (own != nil) {
				t.Fatalf("decoder says %v, model %v", err, own != nil)
			}
			if err == nil && !same(got.Image, got.Pix, own) {
				t.Fatal("decoder and model differ")
			}
		}
	})
}

// FuzzRoundTrip cuts any bytes into images of all types, in windows so small
// that images leave them.
func FuzzRoundTrip(f *testing.F) {
	f.Add(uint16(30), uint8(3), bytes.Repeat([]byte{1, 2, 3, 4, 5, 6, 7}, 100))
	f.Add(uint16(100), uint8(11), bytes.Repeat([]byte("0123456789abcdef"), 60))
	enc := new(Encoder)
	f.Fuzz(func(t *testing.T, window uint16, width uint8, data []byte) {
		dict, w := NewDictionary(int(window), 0), NewWindow(1<<20)
		for i := 0; len(data) > 0; i++ {
			im := pixel.New(pixel.RGB16+pixel.Type(i/2%4), int(width), 1+i%3*4, false)
			stream, _, err := enc.Encode(nil, dict, im, [][]byte{data})
			if err != nil {
				return
			}
			got, err := w.Decode(stream)
			if err != nil || len(stream) > MaxSize(im) {
				t.Fatalf("%d bytes, at most %d: %v", len(stream), MaxSize(im), err)
			}
			if !same(im, got.Pix, data[:im.Size()]) {
				t.Fatal("decoded image differs")
			}
			if w.pixels > int(window) {
				t.Fatalf("%d pixels in a window of %d", w.pixels, window)
			}
			data = data[im.Size():]
		}
	})
}

// FuzzInflate inflates any bytes, to any size that was announced. What has been
// deflated comes back, and the standard library agrees on everything.
func FuzzInflate(f *testing.F) {
	text := bytes.Repeat([]byte("a stream of many bytes "), 20)
	packed, _ := new(Deflater).Deflate(nil, text)
	f.Add(packed, uint16(len(text)))
	f.Add(packed, uint16(3))
	f.Add(packed[:len(packed)-2], uint16(len(text)))
	f.Add(text, uint16(0))
	var d Deflater
	var i Inflater
	f.Fuzz(func(t *testing.T, data []byte, size uint16) {
		got := make([]byte, size)
		err := i.Inflate(got, data)
		want := standardInflate(data, int(size))
		if (err == nil) != (want != nil) || err == nil && !bytes.Equal(got, want) {
			t.Fatalf("%v, the standard library inflates %d bytes", err, len(want))
		}
		if packed, smaller := d.Deflate(nil, data); smaller {
			got := make([]byte, len(data))
			if err := i.Inflate(got, packed); err != nil || !bytes.Equal(got, data) || len(packed) >= len(data) {
				t.Fatalf("%d bytes deflated to %d do not come back: %v", len(data), len(packed), err)
			}
		}
		if len(data) < headerSize {
			return
		}
		at := max(headerSize, int(size)%len(data))
		out, first := d.DeflatePart(nil, data[:at], true)
		_, second := d.DeflatePart(out, data[at:], false)
		if packed, n := JoinDeflated(nil, []Part{first, second}); n > 0 {
			if got := standardInflate(packed, n); !bytes.Equal(got, data) {
				t.Fatalf("%d and %d bytes deflated to %d do not come back", at, len(data)-at, len(packed))
			}
		}
	})
}

// standardInflate is Inflate by the standard library, nil for an error.
func standardInflate(data []byte, size int) []byte {
	in := bytes.NewReader(data)
	r, err := zlib.NewReader(in)
	if err != nil {
		return nil
	}
	out, err := io.ReadAll(io.LimitReader(r, int64(size)+1))
	if err != nil || len(out) != size || in.Len() > 0 {
		return nil
	}
	return append([]byte{}, out...)
}

// TestOddSizes sends the narrowest and longest images there are through one
// window, each of them twice.
func TestOddSizes(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 3))
	dict, w, enc := NewDictionary(1<<20, 0), NewWindow(1<<21), new(Encoder)
	for typ := pixel.RGB16; typ <= pixel.RGBA; typ++ {
		for _, size := range [][2]int{{1, 1}, {2, 1}, {1, 9}, {65535, 1}, {1, 65535}} {
			for _, kind := range testimage.Kinds {
				im := pixel.New(typ, size[0], size[1], size[0] > 1)
				pixels := testimage.Bytes(rng, kind, im)
				for range 2 {
					stream, _, err := enc.Encode(nil, dict, im, testimage.Split(rng, pixels, rng.IntN(4)))
					if err != nil || len(stream) > MaxSize(im) {
						t.Fatalf("%s %+v: %d bytes, %v", kind, im, len(stream), err)
					}
					if got, err := w.Decode(stream); err != nil || got.Image != im || !same(im, got.Pix, pixels) {
						t.Fatalf("%s %+v: the decoded image differs: %v", kind, im, err)
					}
				}
			}
		}
	}
}
