package quic

import (
	"math/rand/v2"
	"testing"

	"github.com/spiceecs/spiceecs/net/codec/pixel"
	"github.com/spiceecs/spiceecs/net/codec/testimage"
)

var benchImages = []struct {
	name string
	typ  Type
	make func() []byte
}{
	{"desktop", RGB32, func() []byte { return testimage.Desktop(1920, 1080, 1) }},
	{"photo", RGB32, func() []byte { return testimage.Photo(1920, 1080, 1) }},
	{"gradient", RGB32, func() []byte { return picture("gradient", 1920, 1080) }},
	{"noise", RGB32, func() []byte {
		return testimage.Bytes(rand.New(rand.NewPCG(1, 1)), "noise", pixel.New(pixel.RGB32, 1920, 1080, true))
	}},
	{"desktopRGBA", RGBA, func() []byte { return testimage.Desktop(1920, 1080, 1) }},
	{"desktopRGB16", RGB16, func() []byte { return convert(RGB16, testimage.Desktop(1920, 1080, 1)) }},
	{"photoRGB16", RGB16, func() []byte { return convert(RGB16, testimage.Photo(1920, 1080, 1)) }},
}

func BenchmarkEncode(b *testing.B) {
	for _, c := range benchImages {
		b.Run(c.name, func(b *testing.B) {
			im := New(c.typ, 1920, 1080, true)
			chunks := [][]byte{c.make()}
			var enc Encoder
			var out []byte
			b.SetBytes(int64(im.Size()))
			b.ReportAllocs()
			for b.Loop() {
				out, _ = enc.Encode(out[:0], im, chunks)
			}
			b.ReportMetric(float64(im.Size())/float64(len(out)), "ratio")
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, c := range benchImages {
		b.Run(c.name, func(b *testing.B) {
			im := New(c.typ, 1920, 1080, true)
			stream, err := new(Encoder).Encode(nil, im, [][]byte{c.make()})
			if err != nil {
				b.Fatal(err)
			}
			var dec Decoder
			dst := make([]byte, im.Size())
			b.SetBytes(int64(im.Size()))
			b.ReportAllocs()
			for b.Loop() {
				if err := dec.Decode(dst, im, stream); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkSmall is an icon: what an image costs before its first pixel.
func BenchmarkSmall(b *testing.B) {
	im := New(RGBA, 16, 16, true)
	chunks := [][]byte{testimage.Desktop(16, 16, 1)}
	var enc Encoder
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		out, _ = enc.Encode(out[:0], im, chunks)
	}
}
