package codecs

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/spiceecs/spiceecs/net/codec/glz"
	"github.com/spiceecs/spiceecs/net/codec/lz4"
	"github.com/spiceecs/spiceecs/net/codec/pixel"
	"github.com/spiceecs/spiceecs/net/codec/testimage"
)

const width, height = 1920, 1080

var frame = pixel.New(pixel.RGB32, width, height, true)

// pictures are pixels that compress well, hardly, and not at all.
var pictures = map[string]func() []byte{
	"desktop": func() []byte { return testimage.Page(width, height, 1) },
	"photo":   func() []byte { return testimage.Scene(width, height, 1) },
	"noise": func() []byte {
		rng := rand.New(rand.NewPCG(1, 3))
		pix := make([]byte, frame.Size())
		for i := range pix {
			pix[i] = byte(rng.Uint32())
		}
		return pix
	},
}

func TestLZ4(t *testing.T) {
	c := NewLZ4()
	defer c.Close()
	for name, picture := range pictures {
		pixels := picture()
		ours, err := new(lz4.Encoder).Encode(nil, frame, [][]byte{pixels})
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(pixels))
		if err := c.Decode(got, ours); err != nil || !bytes.Equal(got, pixels) {
			t.Fatalf("%s: liblz4 does not decode our stream: %v", name, err)
		}
		for _, block := range []int{len(pixels), width * 4 * 7, 1001} {
			theirs, err := c.Encode(make([]byte, 2*len(pixels)), 1, byte(frame.Type), pixels, block)
			if err != nil {
				t.Fatal(err)
			}
			clear(got)
			if err := lz4.Decode(got, theirs); err != nil || !bytes.Equal(got, pixels) {
				t.Fatalf("%s: we do not decode the stream of liblz4 in blocks of %d: %v", name, block, err)
			}
		}
	}
}

// glzStream is the GLZ stream of a picture: what ZLIB_GLZ images deflate.
func glzStream(t testing.TB, pixels []byte) []byte {
	stream, _, err := new(glz.Encoder).Encode(nil, glz.NewDictionary(4<<20, 0), frame, [][]byte{pixels})
	if err != nil {
		t.Fatal(err)
	}
	return stream
}

func TestZlib(t *testing.T) {
	stream := glzStream(t, pictures["desktop"]())
	got := make([]byte, len(stream))
	ours, ok := new(glz.Deflater).Deflate(nil, stream)
	if err := Inflate(got, ours); !ok || err != nil || !bytes.Equal(got, stream) {
		t.Fatalf("zlib does not inflate our stream: %v", err)
	}
	theirs, err := Deflate(make([]byte, 2*len(stream)), stream, 3)
	if err != nil {
		t.Fatal(err)
	}
	clear(got)
	if err := new(glz.Inflater).Inflate(got, theirs); err != nil || !bytes.Equal(got, stream) {
		t.Fatalf("we do not inflate the stream of zlib: %v", err)
	}
}

func BenchmarkLZ4(b *testing.B) {
	c := NewLZ4()
	defer c.Close()
	enc := new(lz4.Encoder)
	for name, picture := range pictures {
		pixels := picture()
		chunks := [][]byte{pixels}
		back, out := make([]byte, len(pixels)), make([]byte, 2*len(pixels))
		run(b, name+"/encode/Go", pixels, func() (_ int, err error) {
			out, err = enc.Encode(out[:0], frame, chunks)
			return len(out), err
		})
		out = out[:cap(out)]
		run(b, name+"/encode/C", pixels, func() (int, error) {
			stream, err := c.Encode(out, 1, byte(frame.Type), pixels, len(pixels))
			return len(stream), err
		})
		stream, err := c.Encode(out, 1, byte(frame.Type), pixels, len(pixels))
		if err != nil {
			b.Fatal(err)
		}
		run(b, name+"/decode/Go", pixels, func() (int, error) { return len(stream), lz4.Decode(back, stream) })
		run(b, name+"/decode/C", pixels, func() (int, error) { return len(stream), c.Decode(back, stream) })
	}
}

func BenchmarkZlib(b *testing.B) {
	for name, picture := range pictures {
		stream := glzStream(b, picture())
		var d glz.Deflater
		var f glz.Inflater
		back, out := make([]byte, len(stream)), make([]byte, 2*len(stream))
		if _, ok := d.Deflate(nil, stream); !ok {
			continue // such a stream goes out as it is
		}
		run(b, name+"/encode/Go", stream, func() (int, error) {
			out, _ = d.Deflate(out[:0], stream)
			return len(out), nil
		})
		out = out[:cap(out)]
		run(b, name+"/encode/C", stream, func() (int, error) {
			packed, err := Deflate(out, stream, 3)
			return len(packed), err
		})
		packed, err := Deflate(out, stream, 3)
		if err != nil {
			b.Fatal(err)
		}
		run(b, name+"/decode/Go", stream, func() (int, error) { return len(packed), f.Inflate(back, packed) })
		run(b, name+"/decode/C", stream, func() (int, error) { return len(packed), Inflate(back, packed) })
	}
}

// run measures what do does with raw, the uncompressed side; do returns the
// length of the compressed side.
func run(b *testing.B, name string, raw []byte, do func() (int, error)) {
	b.Run(name, func(b *testing.B) {
		b.SetBytes(int64(len(raw)))
		packed := 0
		for b.Loop() {
			var err error
			if packed, err = do(); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(len(raw))/float64(packed), "ratio")
	})
}
