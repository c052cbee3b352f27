package lz

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
	{"noise", RGB32, func() []byte {
		return testimage.Bytes(rand.New(rand.NewPCG(1, 1)), "noise", pixel.New(RGB32, 1920, 1080, true))
	}},
	{"desktopRGBA", RGBA, func() []byte { return testimage.Desktop(1920, 1080, 1) }},
}

func BenchmarkEncode(b *testing.B) {
	for _, c := range benchImages {
		b.Run(c.name, func(b *testing.B) {
			im := pixel.New(c.typ, 1920, 1080, true)
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
			im := pixel.New(c.typ, 1920, 1080, true)
			stream, _ := new(Encoder).Encode(nil, im, [][]byte{c.make()})
			dst := make([]byte, im.Size())
			b.SetBytes(int64(im.Size()))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Decode(dst, stream); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkSmall is an icon: what an image costs before its first pixel.
func BenchmarkSmall(b *testing.B) {
	im := pixel.New(RGBA, 16, 16, true)
	chunks := [][]byte{testimage.Desktop(16, 16, 1)}
	var enc Encoder
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		out, _ = enc.Encode(out[:0], im, chunks)
	}
}
