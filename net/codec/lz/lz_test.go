package lz

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/spiceecs/spiceecs/net/codec/pixel"
	"github.com/spiceecs/spiceecs/net/codec/testimage"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.NewReplacer(" ", "", "|", "", "\n", "", "\t", "").Replace(s))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// vectors are streams made by an encoder of the reference's kind, and the
// images they show.
var vectors = []struct {
	name   string
	im     Image
	stream string
	pixels func(b []byte)
}{
	{"RGB32 run", pixel.New(RGB32, 12, 3, true),
		`20205a4c00010001000000080000000c000000030000003000000001
		 01 0a141e0a141e e00000 02 c86432c86432c86432 e00e0b 02 c86432c86432c86432`, run32},
	{"PLT8 bottom up", pixel.New(PLT8, 10, 4, false),
		`20205a4c00010001000000050000000a000000040000000a00000000
		 04 000306090c e01704 02 06090c`,
		func(b []byte) {
			for i := range b {
				b[i] = byte(i % 5 * 3)
			}
		}},
	{"RGB16", pixel.New(RGB16, 6, 4, false),
		`20205a4c000100010000000600000006000000040000000c00000001
		 05 123412551276129712b812d9 e00705 02 129712b812d9`,
		func(b []byte) {
			for i := range len(b) / 2 {
				v := 0x1234 + i%6*0x21
				b[2*i], b[2*i+1] = byte(v), byte(v>>8)
			}
		}},
	{"RGBA", pixel.New(RGBA, 12, 3, true),
		`20205a4c00010001000000090000000c000000030000003000000001
		 01 0a141e0a141e e00000 02 c86432c86432c86432 e00e0b 02 c86432c86432c86432
		 01 0000 | c0 00 | 00 01 | e0 00 00 | 00 02 | e0 00 00 | 05 030303030303`,
		func(b []byte) {
			run32(b)
			for i := range len(b) / 4 {
				b[4*i+3] = byte((4*i + 3) / 40)
			}
		}},
}

func run32(b []byte) {
	for i := range len(b) / 4 {
		p := []byte{0x0a, 0x14, 0x1e, 0}
		if i%12 >= 9 {
			p = []byte{0xc8, 0x64, 0x32, 0}
		}
		copy(b[4*i:], p)
	}
}

func TestVectors(t *testing.T) {
	for _, v := range vectors {
		t.Run(v.name, func(t *testing.T) {
			want := make([]byte, v.im.Size())
			v.pixels(want)
			stream := unhex(t, v.stream)
			got := make([]byte, len(want))
			im, err := Decode(got, stream)
			if err != nil {
				t.Fatal(err)
			}
			im.TopDown = v.im.TopDown
			if im != v.im || !bytes.Equal(got, want) {
				t.Fatalf("got %+v\n%x, want\n%x", im, got, want)
			}
			if out := modelDecode(stream); !bytes.Equal(out, want) {
				t.Fatalf("the model gives\n%x, want\n%x", out, want)
			}
			// Our own choice of operations is no longer than the reference's here.
			ours, err := new(Encoder).Encode(nil, v.im, [][]byte{want})
			if err != nil || len(ours) > len(stream)+2 {
				t.Fatalf("encoded to %d bytes, reference %d, %v\n%x", len(ours), len(stream), err, ours)
			}
		})
	}
}

// visible is what of an image survives coding: the pad byte of RGB32 becomes 0,
// and XXXA has only its alpha.
func visible(im Image, b []byte) []byte {
	b = bytes.Clone(b)
	for i := range b {
		if im.Type == RGB32 && i%4 == 3 || im.Type == XXXA && i%4 != 3 {
			b[i] = 0
		}
	}
	return b
}

var sizes = [][2]int{{1, 1}, {1, 7}, {2, 1}, {3, 3}, {5, 2}, {8, 1}, {9, 9}, {31, 2}, {33, 3}, {1, 300}, {65535, 1}, {1, 65535}, {257, 129}, {320, 180}}

func TestRoundTrip(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	var enc Encoder // one for all: what it remembers must not show
	for typ := PLT1LE; typ <= A8; typ++ {
		for _, size := range sizes {
			for _, kind := range testimage.Kinds {
				im := pixel.New(typ, size[0], size[1], rng.IntN(2) == 0)
				pixels := testimage.Bytes(rng, kind, im)
				chunks := testimage.Split(rng, pixels, rng.IntN(6))
				name := fmt.Sprintf("type %d %dx%d %s in %d chunks", typ, size[0], size[1], kind, len(chunks))
				stream, err := enc.Encode(nil, im, chunks)
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if fresh, _ := new(Encoder).Encode(nil, im, [][]byte{pixels}); !bytes.Equal(fresh, stream) {
					t.Fatalf("%s: the stream depends on what was encoded before, or on chunks", name)
				}
				if len(stream) > MaxSize(im) {
					t.Fatalf("%s: %d bytes, more than %d", name, len(stream), MaxSize(im))
				}
				got := make([]byte, im.Size())
				if back, err := Decode(got, stream); err != nil || back != im {
					t.Fatalf("%s: %+v, %v", name, back, err)
				}
				if want := visible(im, pixels); !bytes.Equal(got, want) {
					t.Fatalf("%s: decoded image differs", name)
				}
				if !bytes.Equal(modelDecode(stream), got) {
					t.Fatalf("%s: the model decodes something else", name)
				}
			}
		}
	}
}

// TestLongImage is longer than the encoder's window, with repetitions at the
// largest distances there are.
func TestLongImage(t *testing.T) {
	for _, typ := range []Type{PLT8, RGB16, RGB24, RGB32, RGBA} {
		rng := rand.New(rand.NewPCG(1, uint64(typ)))
		im := pixel.New(typ, maxDistance, 6, true)
		pixels := testimage.Bytes(rng, "noise", im)
		for y := 1; y < 6; y++ { // each line repeats the one before, moved a little
			line := pixels[y*im.Stride:]
			copy(line[:im.Stride], pixels[(y-1)*im.Stride+(y%3)*im.Type.BytesPerPixel():])
		}
		stream, err := new(Encoder).Encode(nil, im, testimage.Split(rng, pixels, 3))
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, im.Size())
		if _, err := Decode(got, stream); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, visible(im, pixels)) || !bytes.Equal(got, modelDecode(stream)) {
			t.Fatalf("type %d: decoded image differs", typ)
		}
		if len(stream) > im.Size()/2 {
			t.Errorf("type %d: %d bytes for %d: repetitions were not found", typ, len(stream), im.Size())
		}
	}
}

func TestLimit(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	im := pixel.New(RGB32, 640, 480, true)
	enc := Encoder{Limit: 100}
	dst := []byte("before")
	out, err := enc.Encode(dst, im, [][]byte{testimage.Bytes(rng, "noise", im)})
	if !errors.Is(err, ErrIncompressible) || string(out) != "before" {
		t.Fatalf("%q, %v", out, err)
	}
	if out, err = enc.Encode(dst, im, [][]byte{make([]byte, im.Size())}); err == nil {
		t.Logf("%d bytes", len(out))
	}
	enc.Limit = 6000
	if out, err = enc.Encode(dst, im, [][]byte{make([]byte, im.Size())}); err != nil || string(out[:6]) != "before" {
		t.Fatalf("a black image: %d bytes, %v", len(out), err)
	}
}

func TestRefused(t *testing.T) {
	var enc Encoder
	for _, im := range []Image{
		{}, {Type: RGB32, Width: 1, Height: 1, Stride: 8}, {Type: 12, Width: 1, Height: 1, Stride: 4},
		{Type: RGB32, Width: 1 << 20, Height: 1 << 20, Stride: 4 << 20}, {Type: PLT8, Width: -1, Height: 1, Stride: 1},
		{Type: PLT1LE, Width: 7, Height: 1, Stride: 0}, {Type: PLT1LE, Width: 8, Height: 1, Stride: 2},
	} {
		if _, err := enc.Encode(nil, im, [][]byte{make([]byte, 64)}); !errors.Is(err, pixel.ErrImage) {
			t.Errorf("encoding %+v: %v", im, err)
		}
		if _, err := ParseHeader(appendHeader(nil, im)); !errors.Is(err, pixel.ErrImage) {
			t.Errorf("header of %+v: %v", im, err)
		}
	}
	if _, err := enc.Encode(nil, pixel.New(RGB32, 4, 4, true), [][]byte{make([]byte, 63)}); !errors.Is(err, ErrShort) {
		t.Errorf("63 of 64 bytes: %v", err)
	}
}

func TestCorrupt(t *testing.T) {
	head := func(t Type, w, h int) []byte { return appendHeader(nil, pixel.New(t, w, h, true)) }
	for name, stream := range map[string][]byte{
		"empty":              {},
		"half a header":      head(RGB32, 2, 2)[:27],
		"no data":            head(RGB32, 2, 2),
		"literals cut":       append(head(RGB32, 2, 2), 3, 0, 0, 0),
		"too many literals":  append(head(PLT8, 2, 2), 4, 0, 0, 0, 0, 0),
		"trailing byte":      append(head(PLT8, 2, 2), 3, 0, 0, 0, 0, 0),
		"before start":       append(head(PLT8, 2, 2), 0, 0, 0x20, 1),
		"at start":           append(head(PLT8, 2, 2), 0x20, 0),
		"run over end":       append(head(PLT8, 2, 2), 0, 0, 0x40, 0),
		"length cut":         append(head(PLT8, 99, 99), 0, 0, 0xe0, 0xff),
		"no distance":        append(head(PLT8, 99, 99), 0, 0, 0xe0, 0xfe),
		"far distance cut":   append(head(PLT8, 99, 99), 0, 0, 0x3f, 0xff, 0),
		"alpha pass missing": append(head(RGBA, 1, 1), 0, 1, 2, 3),
		"before start, fast": append(append(head(RGB32, 40, 40), 0, 1, 2, 3, 0x20, 1), make([]byte, 400)...),
		"over end, fast":     append(append(head(RGB32, 40, 40), 0, 1, 2, 3, 0xe0, 255, 255, 255, 255, 255, 255, 255, 0, 0), make([]byte, 400)...),
		"long length":        append(append(head(PLT8, 99, 99), 0, 0, 0xe0), bytes.Repeat([]byte{255}, 1<<16)...),
	} {
		dst := make([]byte, 99*99)
		if _, err := Decode(dst, stream); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Decode(make([]byte, 3), append(head(PLT8, 2, 2), 3, 0, 0, 0, 0)); !errors.Is(err, ErrShort) {
		t.Errorf("short destination: %v", err)
	}
}

func TestNoAllocation(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	im := pixel.New(RGBA, 320, 200, true)
	chunks := [][]byte{testimage.Bytes(rng, "desktop", im)}
	var enc Encoder
	stream, _ := enc.Encode(nil, im, chunks)
	buf, dst := make([]byte, 0, MaxSize(im)+pixel.Slack), make([]byte, im.Size())
	if n := testing.AllocsPerRun(20, func() {
		if _, err := enc.Encode(buf, im, chunks); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("encoding allocates %v times", n)
	}
	if n := testing.AllocsPerRun(20, func() {
		if _, err := Decode(dst, stream); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("decoding allocates %v times", n)
	}
}

// TestParts encodes the parts of images in any order, with any encoders: one
// after the other they are a stream of the image.
func TestParts(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	encs := [2]Encoder{}
	for typ := PLT1LE; typ <= A8; typ++ {
		for _, kind := range testimage.Kinds {
			im := pixel.New(typ, 1+rng.IntN(300), 1+rng.IntN(300), rng.IntN(2) == 0)
			pixels := testimage.Bytes(rng, kind, im)
			strips := 1 + rng.IntN(5)
			parts := make([][]byte, Parts(im, strips))
			for _, i := range rng.Perm(len(parts)) {
				var err error
				parts[i], err = encs[rng.IntN(2)].EncodePart([]byte{}, im, testimage.Split(rng, pixels, rng.IntN(4)), i, strips)
				if err != nil {
					t.Fatal(err)
				}
			}
			stream := bytes.Join(parts, nil)
			whole, err := new(Encoder).Encode(nil, im, [][]byte{pixels})
			if err != nil {
				t.Fatal(err)
			}
			got, want := make([]byte, im.Size()), make([]byte, im.Size())
			if _, err := Decode(want, whole); err != nil {
				t.Fatal(err)
			}
			if _, err := Decode(got, stream); err != nil || !bytes.Equal(got, want) {
				t.Fatalf("%+v %s in %d strips: %v", im, kind, strips, err)
			}
			if strips == 1 && !bytes.Equal(stream, whole) {
				t.Fatalf("%+v %s: one strip is not the whole", im, kind)
			}
		}
	}
}

// TestAfterGivingUp encodes images with an encoder that has given up on others,
// of units of another size.
func TestAfterGivingUp(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	var e Encoder
	for range 2000 {
		noise := pixel.New(PLT8, 1+rng.IntN(60), 1+rng.IntN(60), true)
		pixels := make([]byte, noise.Size())
		for i := range pixels {
			pixels[i] = byte(rng.IntN(2) * 255)
		}
		e.Limit = 1 + rng.IntN(len(pixels))
		if _, err := e.Encode(nil, noise, [][]byte{pixels}); err != nil && !errors.Is(err, ErrIncompressible) {
			t.Fatal(err)
		}
		e.Limit = 0
		im := pixel.New(RGB32, 1+rng.IntN(40), 1+rng.IntN(40), true)
		pixels = make([]byte, im.Size())
		for i := range pixels {
			if i%4 < 3 {
				pixels[i] = byte(rng.IntN(2) * 255)
			}
		}
		stream, err := e.Encode(nil, im, [][]byte{pixels})
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, im.Size())
		if _, err := Decode(got, stream); err != nil || !bytes.Equal(got, pixels) {
			t.Fatalf("%+v after %+v with limit: %v", im, noise, err)
		}
	}
}
