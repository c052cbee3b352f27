package quic

import (
	"bytes"
	"encoding/hex"
	"testing"
)

// FuzzDecode holds the decoder to the plain one, for good streams and bad ones.
func FuzzDecode(f *testing.F) {
	stream, err := hex.DecodeString(runStream)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(stream)
	for _, want := range payloads {
		for i, payload := range want {
			b, err := hex.DecodeString(payload)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(append(appendHeader(nil, New(Type(i+1), 5, 4, true)), b...))
		}
	}
	f.Fuzz(func(t *testing.T, stream []byte) { compareDecoders(t, stream) })
}

// FuzzEncode encodes any bytes as any type of image, in both ways.
func FuzzEncode(f *testing.F) {
	f.Add(uint8(4), uint16(3), uint16(2), uint8(1), bytes.Repeat([]byte{1, 2, 3, 4}, 40))
	f.Add(uint8(2), uint16(9), uint16(1), uint8(0), []byte("aaaaaaaaaaaaaaaaaaaabaaaaaaaaaaaaaaaaa"))
	var enc Encoder
	f.Fuzz(func(t *testing.T, typ uint8, width, cut uint16, pad uint8, pixels []byte) {
		im := New(Type(typ), int(width), 1, pad&1 == 0)
		im.Stride += int(pad) >> 4
		if im.Stride > 0 {
			im.Height = len(pixels) / im.Stride
		}
		at := min(int(cut), len(pixels))
		stream, err := enc.Encode(nil, im, [][]byte{pixels[:at], pixels[at:]})
		if err != nil {
			if im.Check() == nil {
				t.Fatal(err)
			}
			return
		}
		if !bytes.Equal(stream, plainEncode(im, pixels)) {
			t.Fatal("encoders differ")
		}
		got := make([]byte, im.Size())
		if err := new(Decoder).Decode(got, im, stream); err != nil || !bytes.Equal(visible(im, got), visible(im, pixels)) {
			t.Fatalf("decoded image differs: %v", err)
		}
	})
}
