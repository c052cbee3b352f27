package quic

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/spiceecs/spiceecs/net/codec/testimage"
)

var types = []Type{GRAY, RGB16, RGB24, RGB32, RGBA}

// sizes are those at which the model changes at the end of a row, in the middle
// of one, and several times in the first, and others that rows may break at.
var sizes = [][2]int{
	{1, 1}, {1, 9}, {2, 3}, {3, 4}, {4, 4}, {5, 1}, {9, 300}, {2047, 3}, {2048, 3}, {2049, 3},
	{12287, 2}, {12288, 2}, {12289, 2}, {15000, 2}, {300, 50}, {1, 5000}, {65535, 1},
}

// kinds are pictures that bring out one part of the codec each.
var kinds = map[string]func(rng *rand.Rand, x, y int) uint32{
	"flat":    func(*rand.Rand, int, int) uint32 { return 0x336699ff },
	"noise":   func(rng *rand.Rand, _, _ int) uint32 { return rng.Uint32() },
	"columns": func(_ *rand.Rand, x, _ int) uint32 { return uint32(x&1) * 0x00c08040 },
	"pairs":   func(_ *rand.Rand, x, _ int) uint32 { return uint32(x>>1&1) * 0xffffffff },
	"few":     func(rng *rand.Rand, _, _ int) uint32 { return uint32(rng.IntN(3)) * 0x07050311 },
	"rare": func(rng *rand.Rand, _, _ int) uint32 { // flat with jumps: escapes in trained contexts
		if rng.IntN(60) > 0 {
			return 0x80808080
		}
		return rng.Uint32()
	},
	"steps":    func(rng *rand.Rand, x, y int) uint32 { return uint32(x/9+y/7)*0x01020304 + uint32(rng.IntN(40)/39) },
	"constant": func(rng *rand.Rand, x, y int) uint32 { return rng.Uint32()&0x00ffffff | 0xff000000 },
	"smooth":   func(_ *rand.Rand, x, y int) uint32 { return uint32(x+y)*0x010101 | uint32(x*y)<<24 },
}

func draw(rng *rand.Rand, kind string, w, h int) []byte {
	pix := make([]byte, 0, 4*w*h)
	for y := range h {
		for x := range w {
			pix = binary.LittleEndian.AppendUint32(pix, kinds[kind](rng, x, y))
		}
	}
	return pix
}

// store puts lines of pixels, given from top to bottom without padding, into
// memory as im says.
func store(rng *rand.Rand, im Image, pixels []byte) []byte {
	out := make([]byte, im.Size())
	for i := range out {
		out[i] = byte(rng.Uint32())
	}
	size := im.lineSize()
	for y := range im.Height {
		at := y
		if !im.TopDown {
			at = im.Height - 1 - y
		}
		copy(out[at*im.Stride:], pixels[y*size:(y+1)*size])
	}
	return out
}

// TestPlain holds the fast paths to the plain codec, with one encoder and
// decoder for all images: what they remember must not show.
func TestPlain(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	var (
		enc Encoder
		dec Decoder
	)
	for _, size := range sizes {
		for kind := range kinds {
			for _, typ := range types {
				im := New(typ, size[0], size[1], rng.IntN(2) == 0)
				im.Stride += rng.IntN(9)
				name := fmt.Sprintf("%s %+v", kind, im)
				pixels := store(rng, im, convert(typ, draw(rng, kind, im.Width, im.Height)))
				want := visible(im, pixels)
				stream, err := enc.Encode([]byte("before"), im, testimage.Split(rng, pixels, rng.IntN(6)))
				if err != nil || string(stream[:6]) != "before" {
					t.Fatalf("%s: %v", name, err)
				}
				if stream = stream[6:]; !bytes.Equal(stream, plainEncode(im, pixels)) {
					t.Fatalf("%s: encoders differ", name)
				}
				_, plain, err := plainDecode(stream)
				if err != nil || !bytes.Equal(plain, want) {
					t.Fatalf("%s: plain decoder: %v", name, err)
				}
				got := make([]byte, im.Size())
				if err := dec.Decode(got, im, stream); err != nil || !bytes.Equal(visible(im, got), want) {
					t.Fatalf("%s: decoder: %v", name, err)
				}
			}
		}
	}
}

// TestLongRuns has runs that take the run coder to its last state.
func TestLongRuns(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, typ := range types {
		im := New(typ, 200_000, 2, true)
		checkStream(t, im, convert(typ, draw(rng, "flat", im.Width, im.Height)))
	}
}

// TestLastWord sees streams whose bits end at each place in a word.
func TestLastWord(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for w := 1; w < 140; w++ {
		im := New(GRAY, w, 1, true)
		checkStream(t, im, convert(GRAY, draw(rng, "smooth", w, 1)))
	}
}

func TestDecode32(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 3))
	const w, h = 50, 20
	bgra := draw(rng, "steps", w, h)
	for _, typ := range types {
		im := New(typ, w, h, true)
		stream, err := new(Encoder).Encode(nil, im, [][]byte{convert(typ, bgra)})
		if err != nil {
			t.Fatal(err)
		}
		want := make([]byte, 0, 4*w*h)
		for p := bgra; len(p) > 0; p = p[4:] {
			b, g, r, a := p[0], p[1], p[2], byte(0)
			switch typ {
			case GRAY:
				b, r = g, g
			case RGB16:
				b, g, r = b&0xf8|b>>5, g&0xf8|g>>5, r&0xf8|r>>5
			case RGBA:
				a = p[3]
			}
			want = append(want, b, g, r, a)
		}
		im.Stride = 4 * w
		got := make([]byte, 4*w*h)
		if err := new(Decoder).Decode32(got, im, stream); err != nil || !bytes.Equal(got, want) {
			t.Errorf("type %d: %v", typ, err)
		}
	}
}

func TestLimit(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 4))
	im := New(RGB32, 64, 48, true)
	noise := [][]byte{draw(rng, "noise", im.Width, im.Height)}
	var enc Encoder
	full, err := enc.Encode(nil, im, noise)
	if err != nil {
		t.Fatal(err)
	}
	for _, limit := range []int{1, 100, len(full) - 1} {
		enc.Limit = limit
		out, err := enc.Encode([]byte("before"), im, noise)
		if !errors.Is(err, ErrIncompressible) || string(out) != "before" {
			t.Errorf("limit %d of %d: %q, %v", limit, len(full), out, err)
		}
	}
	enc.Limit = len(full)
	if out, err := enc.Encode(nil, im, noise); err != nil || !bytes.Equal(out, full) {
		t.Errorf("limit %d: %v", len(full), err)
	}
}

func TestRefused(t *testing.T) {
	var enc Encoder
	for _, im := range []Image{
		{}, {Type: 6, Width: 1, Height: 1, Stride: 4}, {Type: RGB32, Width: 2, Height: 1, Stride: 7},
		{Type: RGB32, Width: -1, Height: 1, Stride: 8}, {Type: GRAY, Width: 1, Height: 0, Stride: 8},
		{Type: GRAY, Width: 512 << 20, Height: 1, Stride: 512 << 20}, {Type: GRAY, Width: 1 << 16, Height: 1 << 13, Stride: 1 << 16},
		{Type: GRAY, Width: 1, Height: 1, Stride: 1 << 31},
	} {
		if _, err := enc.Encode(nil, im, [][]byte{make([]byte, 64)}); !errors.Is(err, ErrImage) {
			t.Errorf("encoding %+v: %v", im, err)
		}
		if im.Stride == 4*im.Width || im.Type == GRAY && im.Stride == im.Width {
			if _, err := ParseHeader(appendHeader(nil, im)); !errors.Is(err, ErrImage) {
				t.Errorf("header of %+v: %v", im, err)
			}
		}
	}
	im := New(RGB32, 4, 4, true)
	if _, err := enc.Encode(nil, im, [][]byte{make([]byte, 63)}); !errors.Is(err, ErrShort) {
		t.Errorf("63 of 64 bytes: %v", err)
	}
	stream, err := enc.Encode(nil, im, [][]byte{make([]byte, 64)})
	if err != nil {
		t.Fatal(err)
	}
	var dec Decoder
	if err := dec.Decode(make([]byte, 63), im, stream); !errors.Is(err, ErrShort) {
		t.Errorf("decoding to 63 of 64 bytes: %v", err)
	}
	for _, im := range []Image{New(RGB24, 4, 4, true), New(RGB32, 5, 4, true), New(RGB32, 4, 3, true), {Type: RGB32, Width: 4, Height: 4, Stride: 15}} {
		if err := dec.Decode(make([]byte, 100), im, stream); !errors.Is(err, ErrImage) {
			t.Errorf("decoding as %+v: %v", im, err)
		}
	}
}

func TestCorrupt(t *testing.T) {
	im := New(RGB32, 12, 3, true)
	good, err := new(Encoder).Encode(nil, im, [][]byte{runPixels()})
	if err != nil {
		t.Fatal(err)
	}
	dst := make([]byte, im.Size())
	var dec Decoder
	for n := range len(good) - 4 { // the last word is there only to be looked at
		if err := dec.Decode(dst, im, good[:n]); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%d of %d bytes: %v", n, len(good), err)
		}
	}
	if err := dec.Decode(dst, im, append(slices.Clone(good), 1, 2, 3)); err != nil {
		t.Errorf("with more behind: %v", err)
	}
	ones := append(slices.Clone(good[:headerSize]), bytes.Repeat([]byte{0xff}, 100)...)
	if err := dec.Decode(dst, im, ones); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a run too long: %v", err)
	}
	for at, bad := range map[int]byte{0: 'q', 6: 1, 8: 9, 15: 0x80} {
		head := slices.Clone(good)
		head[at] = bad
		if _, err := ParseHeader(head); !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrImage) {
			t.Errorf("byte %d: %v", at, err)
		}
	}
}

// TestHostile damages streams: both decoders must agree on what is left.
func TestHostile(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	for range 300 {
		im := New(types[rng.IntN(len(types))], 1+rng.IntN(60), 1+rng.IntN(20), true)
		stream, err := new(Encoder).Encode(nil, im, [][]byte{convert(im.Type, draw(rng, "rare", im.Width, im.Height))})
		if err != nil {
			t.Fatal(err)
		}
		for range 1 + rng.IntN(4) {
			stream[headerSize+rng.IntN(len(stream)-headerSize)] ^= 1 << rng.IntN(8)
		}
		compareDecoders(t, stream[:len(stream)-rng.IntN(9)])
	}
}

// compareDecoders decodes any bytes in both ways.
func compareDecoders(t *testing.T, stream []byte) {
	t.Helper()
	im, err := ParseHeader(stream)
	if err != nil || im.Size() > 1<<16 {
		return
	}
	_, want, plainErr := plainDecode(stream)
	got := make([]byte, im.Size())
	err = new(Decoder).Decode(got, im, stream)
	if (err == nil) != (plainErr == nil) {
		t.Fatalf("%+v: decoder: %v, plain: %v\n%x", im, err, plainErr, stream)
	}
	if err == nil && !bytes.Equal(got, want) {
		t.Fatalf("%+v: decoders differ\n%x", im, stream)
	}
}

func TestNoAllocation(t *testing.T) {
	for _, typ := range types {
		im := New(typ, 320, 200, true)
		chunks := [][]byte{convert(typ, testimage.Desktop(320, 200, 1))}
		var (
			enc Encoder
			dec Decoder
		)
		stream, err := enc.Encode(nil, im, chunks)
		if err != nil {
			t.Fatal(err)
		}
		buf, dst := make([]byte, 0, len(stream)), make([]byte, im.Size())
		if n := testing.AllocsPerRun(20, func() {
			if _, err := enc.Encode(buf, im, chunks); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("encoding type %d allocates %v times", typ, n)
		}
		if err := dec.Decode(dst, im, stream); err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(20, func() {
			if err := dec.Decode(dst, im, stream); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("decoding type %d allocates %v times", typ, n)
		}
	}
}
