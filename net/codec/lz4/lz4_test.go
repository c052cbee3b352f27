package lz4

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/spiceecs/spiceecs/net/codec/pixel"
	"github.com/spiceecs/spiceecs/net/codec/testimage"
)

func TestRoundTrip(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	var enc Encoder
	for typ := pixel.RGB16; typ <= pixel.RGBA; typ++ {
		for _, size := range [][2]int{{1, 1}, {3, 1}, {1, 7}, {17, 5}, {65535, 1}, {1, 65535}, {640, 200}} {
			for _, kind := range testimage.Kinds {
				im := pixel.New(typ, size[0], size[1], rng.IntN(2) == 0)
				pixels := testimage.Bytes(rng, kind, im)
				stream, err := enc.Encode(nil, im, testimage.Split(rng, pixels, rng.IntN(5)))
				if err != nil || len(stream) > MaxSize(im.Size()) {
					t.Fatalf("%+v %s: %d bytes, %v", im, kind, len(stream), err)
				}
				if back, topDown, err := ParseHeader(stream); back != typ || topDown != im.TopDown || err != nil {
					t.Fatalf("header of %+v: %v, %v, %v", im, back, topDown, err)
				}
				got := make([]byte, im.Size())
				if err := Decode(got, stream); err != nil || !bytes.Equal(got, pixels) {
					t.Fatalf("%+v %s: %v", im, kind, err)
				}
				if model, err := modelDecode(stream); err != nil || !bytes.Equal(model, pixels) {
					t.Fatalf("%+v %s: the model decodes something else: %v", im, kind, err)
				}
				if fresh, _ := new(Encoder).Encode(nil, im, [][]byte{pixels}); !bytes.Equal(fresh, stream) {
					t.Fatalf("%+v %s: the stream depends on what was encoded before, or on chunks", im, kind)
				}
				checkEnds(t, stream)
			}
		}
	}
}

// checkEnds holds the blocks of a stream to the format's rule for their ends:
// the last match begins 12 bytes before it or earlier, the last 5 are literals.
func checkEnds(t *testing.T, stream []byte) {
	decode := func(blocks []byte) int {
		out, err := modelDecode(append([]byte{1, 8}, blocks...))
		if err != nil {
			t.Fatal(err)
		}
		return len(out)
	}
	for in := stream[2:]; len(in) > 0; {
		block := in[4:][:binary.BigEndian.Uint32(in)]
		total := decode(in[:4+len(block)])
		in = in[4+len(block):]
		at, start, end := 0, 0, 0 // of the last match
		for rest := block; ; {
			token := rest[0]
			n, size := int(token>>4), 1
			for b := byte(255); n >= 15 && b == 255; size++ {
				b = rest[size]
				n += int(b)
			}
			at += n
			if rest = rest[size+n:]; len(rest) == 0 {
				break
			}
			n, size = int(token&15), 2
			for b := byte(255); n >= 15 && b == 255; size++ {
				b = rest[size]
				n += int(b)
			}
			start, end = at, at+n+4
			at, rest = end, rest[size:]
		}
		if end > 0 && (start > total-12 || end > total-5) {
			t.Fatalf("the last match is %d to %d of %d bytes", start, end, total)
		}
	}
}

// TestTiny encodes images of a few pixels, where every match is near the end.
func TestTiny(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	var enc Encoder
	for range 5000 {
		im := pixel.New(pixel.RGB16+pixel.Type(rng.IntN(4)), 1+rng.IntN(24), 1, true)
		pixels := make([]byte, im.Size())
		size := im.Type.BytesPerPixel()
		for i := range pixels {
			pixels[i] = byte(rng.IntN(3))
			if period := size * (1 + i%2); i >= period && rng.IntN(8) > 0 {
				pixels[i] = pixels[i-period]
			}
		}
		stream, err := enc.Encode(nil, im, [][]byte{pixels})
		if err != nil {
			t.Fatal(err)
		}
		if model, err := modelDecode(stream); err != nil || !bytes.Equal(model, pixels) {
			t.Fatalf("% x becomes % x: % x, %v", pixels, stream, model, err)
		}
		if fresh, _ := new(Encoder).Encode(nil, im, [][]byte{pixels}); !bytes.Equal(fresh, stream) {
			t.Fatal("the stream depends on what was encoded before")
		}
		checkEnds(t, stream)
	}
}

// modelDecode decodes a stream byte by byte, the blocks being one stream.
func modelDecode(stream []byte) ([]byte, error) {
	var out []byte
	errBad := errors.New("bad block")
	if len(stream) < 2 || stream[0] > 1 || stream[1] < 6 || stream[1] > 9 {
		return nil, errBad
	}
	for in := stream[2:]; len(in) > 0; {
		if len(in) < 4 || int(binary.BigEndian.Uint32(in)) > len(in)-4 || binary.BigEndian.Uint32(in) == 0 {
			return nil, errBad
		}
		block := in[4:][:binary.BigEndian.Uint32(in)]
		in = in[4+len(block):]
		before := len(out)
		length := func(n int) int {
			for b := byte(255); n >= 15 && b == 255 && len(block) > 0; {
				b, block = block[0], block[1:]
				n += int(b)
			}
			return n
		}
		for len(block) > 0 {
			token := block[0]
			block = block[1:]
			n := length(int(token >> 4))
			if n > len(block) {
				return nil, errBad
			}
			out, block = append(out, block[:n]...), block[n:]
			if len(block) == 0 {
				break
			}
			if len(block) < 2 {
				return nil, errBad
			}
			offset := int(binary.LittleEndian.Uint16(block))
			block = block[2:]
			if offset == 0 || offset > len(out) || len(out) > 1<<24 {
				return nil, errBad
			}
			for range length(int(token&15)) + 4 {
				out = append(out, out[len(out)-offset])
			}
		}
		if len(out) == before {
			return nil, errBad
		}
	}
	return out, nil
}

// block makes an LZ4 block of one literal sequence and, if length > 0, a match.
func block(literals []byte, offset, length int) []byte {
	b := []byte{byte(len(literals)<<4 | max(length-4, 0))}
	b = append(b, literals...)
	if length > 0 {
		b = append(b, byte(offset), byte(offset>>8), 0x50, 1, 2, 3, 4, 5)
	}
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...)
}

// TestDependentBlocks refers over the borders of blocks that end in the middle of a pixel.
func TestDependentBlocks(t *testing.T) {
	stream := []byte{1, byte(pixel.RGB32)}
	stream = append(stream, block([]byte{9, 8, 7, 6, 5}, 0, 0)...)
	stream = append(stream, block([]byte{4}, 6, 10)...) // from the block before into its own output
	want := []byte{9, 8, 7, 6, 5, 4, 9, 8, 7, 6, 5, 4, 9, 8, 7, 6, 1, 2, 3, 4, 5}
	got := make([]byte, len(want))
	if err := Decode(got, stream); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("% x, %v", got, err)
	}
	if model, err := modelDecode(stream); err != nil || !bytes.Equal(model, want) {
		t.Fatalf("the model gives % x, %v", model, err)
	}
}

// TestFarReference reaches back as far as a reference can, over many blocks.
func TestFarReference(t *testing.T) {
	stream := []byte{1, byte(pixel.RGB32)}
	var want []byte
	for i := range 70000 / 14 {
		b := fmt.Appendf(nil, "%014d", i)
		stream, want = append(stream, block(b, 0, 0)...), append(want, b...)
	}
	stream = append(stream, block(nil, 65535, 12)...)
	want = append(want, want[len(want)-65535:][:12]...)
	want = append(want, 1, 2, 3, 4, 5)
	got := make([]byte, len(want))
	if err := Decode(got, stream); err != nil || !bytes.Equal(got, want) {
		t.Fatal(err)
	}
}

func TestCorrupt(t *testing.T) {
	good := append([]byte{1, 8}, block([]byte{1, 2, 3, 4}, 0, 0)...)
	for name, c := range map[string]struct {
		stream []byte
		size   int
	}{
		"empty":           {nil, 4},
		"direction":       {[]byte{2, 8}, 0},
		"format":          {append([]byte{1, 10}, good[2:]...), 4},
		"no blocks":       {good[:2], 4},
		"cut prefix":      {good[:5], 4},
		"cut block":       {good[:len(good)-1], 4},
		"empty block":     {append([]byte{1, 8, 0, 0, 0, 0}, good[2:]...), 4},
		"huge block":      {[]byte{1, 8, 255, 255, 255, 255, 0}, 4},
		"too little":      {good, 5},
		"too much":        {good, 3},
		"trailing block":  {append(good, good[2:]...), 4},
		"trailing bytes":  {append(good, 0), 4},
		"before start":    {append([]byte{1, 8}, block([]byte{1}, 2, 4)...), 10},
		"zero distance":   {append([]byte{1, 8}, block([]byte{1}, 0, 4)...), 10},
		"nothing decoded": {append([]byte{1, 8, 0, 0, 0, 1, 0}, good[2:]...), 4},
	} {
		err := Decode(make([]byte, c.size), c.stream)
		if !errors.Is(err, ErrCorrupt) && !errors.Is(err, pixel.ErrImage) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRefused(t *testing.T) {
	var enc Encoder
	for _, im := range []pixel.Image{pixel.New(pixel.A8, 4, 1, true), pixel.New(pixel.PLT8, 4, 1, true), {Type: pixel.RGB24, Width: 1, Height: 1, Stride: 4}} {
		if _, err := enc.Encode(nil, im, [][]byte{make([]byte, 64)}); !errors.Is(err, pixel.ErrImage) {
			t.Errorf("%+v: %v", im, err)
		}
	}
	im := pixel.New(pixel.RGB32, 300, 300, true)
	if _, err := enc.Encode(nil, im, nil); !errors.Is(err, ErrShort) {
		t.Error(err)
	}
	enc.Limit = 1000
	noise := testimage.Bytes(rand.New(rand.NewPCG(1, 1)), "noise", im)
	if out, err := enc.Encode([]byte("x"), im, [][]byte{noise}); !errors.Is(err, ErrIncompressible) || string(out) != "x" {
		t.Error(len(out), err)
	}
}

func TestNoAllocation(t *testing.T) {
	im := pixel.New(pixel.RGB32, 320, 200, true)
	chunks := [][]byte{testimage.Desktop(320, 200, 1)}
	enc, buf, dst := new(Encoder), make([]byte, 0, MaxSize(im.Size())), make([]byte, im.Size())
	if n := testing.AllocsPerRun(20, func() {
		stream, err := enc.Encode(buf, im, chunks)
		if err != nil || Decode(dst, stream) != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(uint16(21), append(append([]byte{1, 8}, block([]byte{9, 8, 7, 6, 5}, 0, 0)...), block([]byte{4}, 6, 10)...))
	f.Fuzz(func(t *testing.T, size uint16, stream []byte) {
		got := make([]byte, size)
		if Decode(got, stream) != nil {
			return
		}
		if want, err := modelDecode(stream); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("decoder and model differ: %v", err)
		}
	})
}

func FuzzRoundTrip(f *testing.F) {
	f.Add(uint8(pixel.RGB32), uint8(4), uint16(3), []byte("some bytes, some bytes, some bytes"))
	f.Add(uint8(pixel.RGB16), uint8(1), uint16(9), []byte("aaaaaaaaaaaaaaaaaaaaaaabbbbbbbbaaaaaaa"))
	enc := new(Encoder)
	f.Fuzz(func(t *testing.T, typ, width uint8, cut uint16, pixels []byte) {
		im := pixel.New(pixel.Type(typ), int(width), 1, width%2 == 0)
		if im.Stride > 0 {
			im.Height = len(pixels) / im.Stride
		}
		at := min(int(cut), len(pixels))
		stream, err := enc.Encode(nil, im, [][]byte{pixels[:at], pixels[at:]})
		if err != nil {
			return
		}
		got := make([]byte, im.Size())
		if err := Decode(got, stream); err != nil || !bytes.Equal(got, pixels[:im.Size()]) {
			t.Fatal(err)
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	im := pixel.New(pixel.RGB32, 1920, 1080, true)
	for name, pixels := range map[string][]byte{"desktop": testimage.Desktop(1920, 1080, 1), "photo": testimage.Photo(1920, 1080, 1)} {
		b.Run(name, func(b *testing.B) {
			enc := new(Encoder)
			var out []byte
			b.SetBytes(int64(len(pixels)))
			b.ReportAllocs()
			for b.Loop() {
				out, _ = enc.Encode(out[:0], im, [][]byte{pixels})
			}
			b.ReportMetric(float64(len(pixels))/float64(len(out)), "ratio")
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	im := pixel.New(pixel.RGB32, 1920, 1080, true)
	for name, pixels := range map[string][]byte{"desktop": testimage.Desktop(1920, 1080, 1), "photo": testimage.Photo(1920, 1080, 1)} {
		b.Run(name, func(b *testing.B) {
			stream, _ := new(Encoder).Encode(nil, im, [][]byte{pixels})
			dst := make([]byte, im.Size())
			b.SetBytes(int64(len(pixels)))
			b.ReportAllocs()
			for b.Loop() {
				if err := Decode(dst, stream); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestParts encodes the parts of images in any order, with any encoders: one
// after the other they are a stream of the image.
func TestParts(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	encs := [2]Encoder{}
	for typ := pixel.RGB16; typ <= pixel.RGBA; typ++ {
		for _, kind := range testimage.Kinds {
			im := pixel.New(typ, 1+rng.IntN(700), 1+rng.IntN(300), rng.IntN(2) == 0)
			pixels := testimage.Bytes(rng, kind, im)
			parts := make([][]byte, 1+rng.IntN(5))
			for _, i := range rng.Perm(len(parts)) {
				var err error
				parts[i], err = encs[rng.IntN(2)].EncodePart([]byte{}, im, testimage.Split(rng, pixels, rng.IntN(4)), i, len(parts))
				if err != nil {
					t.Fatal(err)
				}
			}
			got := make([]byte, im.Size())
			if err := Decode(got, bytes.Join(parts, nil)); err != nil || !bytes.Equal(got, pixels) {
				t.Fatalf("%+v %s in %d parts: %v", im, kind, len(parts), err)
			}
		}
	}
}
