package jpeg

import (
	"bytes"
	stdjpeg "image/jpeg"
	"testing"

	"github.com/spiceecs/spiceecs/net/codec/testimage"
)

var benchImages = []struct {
	name string
	make func() []byte
}{
	{"desktop", func() []byte { return testimage.Desktop(1920, 1080, 1) }},
	{"photo", func() []byte { return testimage.Photo(1920, 1080, 1) }},
}

func BenchmarkEncode(b *testing.B) {
	for name, enc := range engines() {
		for _, c := range benchImages {
			b.Run(name+"/"+c.name, func(b *testing.B) {
				im := NewImage(BGRX, 1920, 1080, true)
				chunks := [][]byte{c.make()}
				var out []byte
				b.SetBytes(int64(im.Size()))
				b.ReportAllocs()
				for b.Loop() {
					out, _ = enc.Encode(out[:0], im, chunks, 85)
				}
				b.ReportMetric(float64(im.Size())/float64(len(out)), "ratio")
			})
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	for name, dec := range decoders() {
		for _, c := range benchImages {
			b.Run(name+"/"+c.name, func(b *testing.B) {
				im := NewImage(BGRX, 1920, 1080, true)
				file, err := NewPure().Encode(nil, im, [][]byte{c.make()}, 85)
				if err != nil {
					b.Fatal(err)
				}
				dst := make([]byte, im.Size())
				b.SetBytes(int64(im.Size()))
				b.ReportAllocs()
				for b.Loop() {
					if err := dec.Decode(dst, im, file); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkStandard is the encoder of the standard library, for comparison.
func BenchmarkStandard(b *testing.B) {
	for _, c := range benchImages {
		b.Run(c.name, func(b *testing.B) {
			m := toRGBA(c.make(), 1920, 1080)
			var out bytes.Buffer
			b.SetBytes(1920 * 1080 * 4)
			for b.Loop() {
				out.Reset()
				if err := stdjpeg.Encode(&out, m, &stdjpeg.Options{Quality: 85}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(1920*1080*4/float64(out.Len()), "ratio")
		})
	}
}
