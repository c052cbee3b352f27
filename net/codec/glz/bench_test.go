package glz

import (
	"math/rand/v2"
	"testing"

	"github.com/spiceecs/spiceecs/net/codec/pixel"
	"github.com/spiceecs/spiceecs/net/codec/testimage"
)

const benchWindow = 8 << 20 // pixels

// scrolled moves the lines of a region up, as a browser does, with new ones below.
func scrolled(frame []byte, by int) []byte {
	const width, top, bottom = 1920, 100, 1000
	out := append([]byte(nil), frame...)
	copy(out[top*width*4:bottom*width*4], frame[(top+by)*width*4:bottom*width*4])
	fresh := testimage.Desktop(width, by, 9)
	copy(out[(bottom-by)*width*4:bottom*width*4], fresh)
	return out
}

func benchSequences() map[string][][]byte {
	desktop := testimage.Desktop(1920, 1080, 1)
	photo := testimage.Photo(1920, 1080, 1)
	rotated := append(append([]byte(nil), photo[123456:]...), photo[:123456]...)
	noise := testimage.Bytes(rand.New(rand.NewPCG(1, 1)), "noise", pixel.New(pixel.RGB32, 1920, 1080, true))
	return map[string][][]byte{
		"desktop": {desktop}, "photo": {photo}, "noise": {noise},
		"desktop then scrolled": {desktop, scrolled(desktop, 48)},
		"photo then moved":      {photo, rotated},
		"desktop then photo":    {desktop, photo},
	}
}

// BenchmarkEncode measures the last image of each sequence, in a dictionary
// that has seen the others.
func BenchmarkEncode(b *testing.B) {
	for name, frames := range benchSequences() {
		b.Run(name, func(b *testing.B) {
			im := pixel.New(pixel.RGB32, 1920, 1080, true)
			enc := new(Encoder)
			var out []byte
			b.SetBytes(int64(im.Size()))
			b.ReportAllocs()
			dict := NewDictionary(benchWindow, 0)
			for b.Loop() {
				b.StopTimer()
				dict.forget()
				for _, f := range frames[:len(frames)-1] {
					out, _, _ = enc.Encode(out[:0], dict, im, [][]byte{f})
				}
				b.StartTimer()
				out, _, _ = enc.Encode(out[:0], dict, im, [][]byte{frames[len(frames)-1]})
			}
			b.ReportMetric(float64(im.Size())/float64(len(out)), "ratio")
		})
	}
}

// forget empties the window, as if all images had left it.
func (d *Dictionary) forget() {
	d.head, d.oldest, d.pixels = d.next, d.next, 0
}

func BenchmarkDecode(b *testing.B) {
	for name, frames := range benchSequences() {
		b.Run(name, func(b *testing.B) {
			im := pixel.New(pixel.RGB32, 1920, 1080, true)
			dict, enc := NewDictionary(benchWindow, 0), new(Encoder)
			var streams [][]byte
			for _, f := range frames {
				out, _, _ := enc.Encode(nil, dict, im, [][]byte{f})
				streams = append(streams, out)
			}
			b.SetBytes(int64(im.Size()))
			for b.Loop() {
				b.StopTimer()
				w := NewWindow(benchWindow)
				for _, s := range streams[:len(streams)-1] {
					w.Decode(s)
				}
				b.StartTimer()
				if _, err := w.Decode(streams[len(streams)-1]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkSmall is an icon in a window that is full of them.
func BenchmarkSmall(b *testing.B) {
	im := pixel.New(pixel.RGB32, 16, 16, true)
	dict, enc := NewDictionary(1<<16, 0), new(Encoder)
	icons := testimage.Desktop(16, 16*500, 1)
	var out []byte
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		out, _, _ = enc.Encode(out[:0], dict, im, [][]byte{icons[i%500*im.Size():]})
	}
}

func BenchmarkDeflate(b *testing.B) {
	im := pixel.New(pixel.RGB32, 1920, 1080, true)
	stream, _, _ := new(Encoder).Encode(nil, NewDictionary(benchWindow, 0), im, [][]byte{testimage.Desktop(1920, 1080, 1)})
	var d Deflater
	var out []byte
	b.SetBytes(int64(len(stream)))
	for b.Loop() {
		out, _ = d.Deflate(out[:0], stream)
	}
	b.ReportMetric(float64(len(stream))/float64(len(out)), "ratio")
}
