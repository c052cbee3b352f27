package glz

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/spiceecs/spiceecs/net/codec/pixel"
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
