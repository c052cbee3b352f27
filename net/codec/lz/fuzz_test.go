package lz

import (
	"bytes"
	"testing"

	"github.com/spiceecs/spiceecs/net/codec/pixel"
	"github.com/spiceecs/spiceecs/net/codec/testimage"
)

// FuzzDecode holds the decoder to the model, for good streams and bad ones.
func FuzzDecode(f *testing.F) {
	for _, v := range vectors {
		f.Add(unhex(f, v.stream))
	}
	im := pixel.New(RGB32, 60, 30, true) // long enough for the fast path
	stream, _ := new(Encoder).Encode(nil, im, [][]byte{testimage.Desktop(60, 30, 1)})
	f.Add(stream)
	f.Fuzz(func(t *testing.T, stream []byte) {
		im, err := ParseHeader(stream)
		if err != nil || im.Size() > 1<<20 {
			return
		}
		got := make([]byte, im.Size())
		_, err = Decode(got, stream)
		want := modelDecode(stream)
		if (err == nil) != (want != nil) {
			t.Fatalf("decoder says %v, model %v", err, want != nil)
		}
		if err == nil && !bytes.Equal(got, want) {
			t.Fatal("decoder and model differ")
		}
	})
}

// FuzzRoundTrip encodes any bytes as any type of image.
func FuzzRoundTrip(f *testing.F) {
	f.Add(uint8(8), uint16(3), uint16(2), bytes.Repeat([]byte{1, 2, 3, 4}, 10))
	f.Add(uint8(1), uint16(9), uint16(1), []byte("aaaaaaaaaabaaaaa"))
	var enc Encoder
	f.Fuzz(func(t *testing.T, typ uint8, width, cut uint16, pixels []byte) {
		im := pixel.New(Type(typ), int(width), 1, false)
		if im.Stride > 0 {
			im.Height = len(pixels) / im.Stride
		}
		at := min(int(cut), len(pixels))
		stream, err := enc.Encode(nil, im, [][]byte{pixels[:at], pixels[at:]})
		if err != nil {
			return
		}
		got := make([]byte, im.Size())
		if _, err := Decode(got, stream); err != nil || len(stream) > MaxSize(im) {
			t.Fatalf("%d bytes, at most %d: %v", len(stream), MaxSize(im), err)
		}
		if !bytes.Equal(got, visible(im, pixels[:im.Size()])) {
			t.Fatal("decoded image differs")
		}
	})
}
