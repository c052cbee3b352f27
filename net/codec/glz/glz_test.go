package glz

import (
	"bytes"
	"compress/zlib"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	kzlib "github.com/klauspost/compress/zlib"

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

// example is an image of 10x6 and the stream, of an encoder of the reference's
// kind, of the same image rotated left by 20 pixels.
func example(t testing.TB) (first, second, stream []byte) {
	first = make([]byte, 4*60)
	for i := range 60 {
		copy(first[4*i:], []byte{byte(7 * i), byte(3 * i), byte(i), 0})
	}
	second = append(bytes.Clone(first[80:]), first[:80]...)
	return first, second, unhex(t, `20205a4c 00010001 18 0000000a 00000006 00000028 0000000000000001 00000001 |
		01 8c3c14 933f15 | e6 1f 01 01 | 01 000000 070301 | e2 09 00 01 | 01 7e3612 853913`)
}

func TestVector(t *testing.T) {
	first, second, stream := example(t)
	im := pixel.New(pixel.RGB32, 10, 6, true)
	dict, enc := NewDictionary(1000, 0), new(Encoder)
	w, m := NewWindow(1000), model{}
	for i, want := range [][]byte{first, second} {
		ours, id, err := enc.Encode(nil, dict, im, [][]byte{want})
		if err != nil || id != uint64(i) {
			t.Fatalf("image %d: id %d, %v", i, id, err)
		}
		if i == 1 {
			if len(ours) > len(stream) {
				t.Errorf("%d bytes, the reference needs %d\n% x", len(ours), len(stream), ours)
			}
			ours = stream
		}
		got, err := w.Decode(ours)
		if err != nil || !bytes.Equal(got.Pix, want) || !got.TopDown {
			t.Fatalf("image %d: %v", i, err)
		}
		if !bytes.Equal(m.decode(ours), want) {
			t.Fatalf("image %d: the model decodes something else", i)
		}
	}
}

// TestReferences checks what is written for references at the borders of the
// forms: it has the length the format needs, and is read back.
func TestReferences(t *testing.T) {
	images := []struct{ back, near, far int }{ // bytes for the number of images, in the two forms
		{0, 0, 0}, {1, 0, 1}, {63, 0, 1}, {64, 1, 1}, {255, 1, 1}, {256, 1, 2}, {16383, 1, 2}, {16384, 2, 2},
		{65535, 2, 2}, {65536, 2, 3}, {4194303, 2, 3}, {4194304, 3, 3}, {maxBack, 3, 3},
	}
	lengths := map[int]int{1: 0, 6: 0, 7: 1, 261: 1, 262: 2, 516: 2, 517: 3} // further bytes
	out := make([]byte, 64)
	for _, offset := range []int{0, 15, 16, 4095, 4096, 131071, 131072, maxOffset} {
		for _, i := range images {
			for length, want := range lengths {
				switch {
				case offset < 4096:
					want += 3 + i.near
				case offset < 131072:
					want += 3 + i.far
				default:
					want += 4 + i.far
				}
				checkReference(t, reference{length, offset, i.back}, out, want)
			}
		}
	}
}

func checkReference(t *testing.T, r reference, out []byte, want int) {
	n := r.put(out, 0)
	if n != want {
		t.Errorf("%+v: %d bytes, want %d", r, n, want)
	}
	if got, next, ok := readReference(out[:n], 1, int(out[0])); !ok || next != n || got != r {
		t.Errorf("%+v is read as %+v, ends at %d of %d, %v", r, got, next, n, ok)
	}
	for cut := 1; cut < n; cut++ {
		if _, _, ok := readReference(out[:cut], 1, int(out[0])); ok {
			t.Errorf("%+v, cut to %d of %d bytes, is accepted", r, cut, n)
		}
	}
}

// same tells whether decoded 32-bit pixels are those of an image in its own layout.
func same(im Image, pix, own []byte) bool {
	want := make([]byte, 4*im.Units())
	if err := pixel.Expand32(want, im, own, nil); err != nil {
		return false
	}
	if im.Type == pixel.RGB32 {
		for i := 3; i < len(want); i += 4 {
			want[i] = 0
		}
	}
	return bytes.Equal(pix, want)
}

// variant makes an image that has much in common with earlier ones.
func variant(rng *rand.Rand, im Image, earlier [][]byte) []byte {
	kinds := testimage.Kinds
	b := testimage.Bytes(rng, kinds[rng.IntN(len(kinds))], im)
	for range rng.IntN(4) {
		if len(earlier) == 0 {
			break
		}
		src := earlier[max(0, len(earlier)-1-rng.IntN(12))]
		from, to := rng.IntN(len(src)), rng.IntN(len(b))
		if rng.IntN(3) > 0 { // whole pixels, else whatever
			from, to = from&^15, to&^15
		}
		copy(b[to:], src[from:from+rng.IntN(len(src)-from+1)])
	}
	return b
}

// TestWindows encodes many images with windows of all sizes. Both decoders must
// understand them: one that frees as the streams allow, and a plain one.
func TestWindows(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	enc := new(Encoder)
	for range 30 {
		window := 10 + rng.IntN(1<<(4+rng.IntN(12)))
		dict, w, m := NewDictionary(window, 0), NewWindow(2*window), model{}
		var earlier [][]byte
		total, last := 0, uint64(0)
		for range 60 {
			im := randomImage(rng, window)
			pixels := variant(rng, im, earlier)
			stream, id, err := enc.Encode(nil, dict, im, testimage.Split(rng, pixels, rng.IntN(4)))
			if im.Units() >= window {
				if !errors.Is(err, ErrTooLarge) {
					t.Fatalf("%d pixels in a window of %d: %v", im.Units(), window, err)
				}
				continue
			}
			if err != nil || len(stream) > MaxSize(im) {
				t.Fatalf("image %d: %d bytes, %v", id, len(stream), err)
			}
			got, err := w.Decode(stream)
			if err != nil {
				t.Fatal(err)
			}
			if got.Image != im || got.ID != id || !same(im, got.Pix, pixels) {
				t.Fatalf("image %d: %+v, decoded image differs", id, im)
			}
			if own := m.decode(stream); own == nil || !same(im, got.Pix, own) {
				t.Fatalf("image %d: the model decodes something else", id)
			}
			if head := id - uint64(got.HeadDistance); head < last {
				t.Fatalf("image %d: head goes back from %d to %d", id, last, head)
			} else {
				last = head
			}
			if w.pixels > window {
				t.Fatalf("image %d: client holds %d pixels, window is %d", id, w.pixels, window)
			}
			earlier = append(earlier, pixels)
			total += len(stream)
		}
	}
}

func randomImage(rng *rand.Rand, window int) Image {
	width := 1 + rng.IntN(80)
	height := 1 + rng.IntN(max(1, min(window/width, 60)))
	return pixel.New(pixel.RGB16+pixel.Type(rng.IntN(4)), width, height, rng.IntN(2) == 0)
}

// TestRepeats holds the encoder to finding what earlier images had.
func TestRepeats(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for typ := pixel.RGB16; typ <= pixel.RGBA; typ++ {
		for name, shift := range map[string]int{"same": 0, "moved": 12345 * 12} {
			im := pixel.New(typ, 640, 400, true)
			first := testimage.Bytes(rng, "noise", im)
			second := append(bytes.Clone(first[shift:]), first[:shift]...)
			dict, enc := NewDictionary(1<<20, 0), new(Encoder)
			for i, pixels := range [][]byte{first, second} {
				out, _, err := enc.Encode(nil, dict, im, [][]byte{pixels})
				if err != nil {
					t.Fatal(err)
				}
				if i == 1 && len(out) > 9000 {
					t.Errorf("type %d, %s: %d bytes", typ, name, len(out))
				}
			}
		}
	}
}

func TestBusy(t *testing.T) {
	im := pixel.New(pixel.RGB32, 30, 30, true)
	dict, enc := NewDictionary(1000, 0), new(Encoder)
	chunks := [][]byte{make([]byte, im.Size())}
	first, err := reserve(dict, im, chunks)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := reserve(dict, im, chunks); !errors.Is(err, ErrBusy) {
		t.Fatalf("the room of a running encoder was given away: %v", err)
	}
	enc.EncodeSlot(nil, &first)
	second, err := reserve(dict, im, chunks)
	if err != nil || second.ID() != 1 || second.Header().HeadDistance != 0 {
		t.Fatalf("%+v, %v", second.Header(), err)
	}
	enc.EncodeSlot(nil, &second)
}

// TestRing looks at the ring itself while images of all sizes come and go, and
// encoders take their time.
func TestRing(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	pixels := make([]byte, 1<<16)
	for range 40 {
		window := 10 + rng.IntN(3000)
		dict, enc := NewDictionary(window, 0), new(Encoder)
		var open []Slot
		for range 300 {
			im := randomImage(rng, 1+rng.IntN(window))
			if s, err := reserve(dict, im, [][]byte{pixels}); err == nil {
				open = append(open, s)
			} else if !errors.Is(err, ErrBusy) && !errors.Is(err, ErrTooLarge) {
				t.Fatal(err)
			}
			checkRing(t, dict)
			for len(open) > 0 && rng.IntN(3) > 0 {
				i := rng.IntN(len(open))
				enc.EncodeSlot(nil, &open[i])
				open = append(open[:i], open[i+1:]...)
			}
		}
	}
}

func checkRing(t *testing.T, d *Dictionary) {
	sum := 0
	for a := d.oldest; a < d.next; a++ {
		rec := d.record(a)
		if a >= d.head {
			sum += rec.im.Units()
		}
		last := rec.plane(len(rec.im.Type.Passes()) - 1)
		if rec.id != a || rec.colour < 0 || last.end+pixel.Slack > rec.end || rec.end > len(d.ring) {
			t.Fatalf("image %d lies at %d to %d in a ring of %d", a, rec.colour, rec.end, len(d.ring))
		}
		for b := d.oldest; b < a; b++ {
			if o := d.record(b); rec.colour < o.end && o.colour < rec.end {
				t.Fatalf("images %d and %d overlap", a, b)
			}
		}
	}
	if sum != d.pixels || sum > d.window {
		t.Fatalf("%d pixels in the window, %d accounted for, %d allowed", sum, d.pixels, d.window)
	}
	for _, r := range d.running {
		if r.head < d.oldest {
			t.Fatalf("an encoder may refer to image %d, the oldest is %d", r.head, d.oldest)
		}
	}
}

// reserve makes a slot, and stages it.
func reserve(d *Dictionary, im Image, chunks [][]byte) (Slot, error) {
	slot, err := d.Reserve(0, Unlike, im, false)
	if err == nil {
		new(Encoder).Stage(&slot, chunks, 0, 1)
	}
	return slot, err
}

func TestRefused(t *testing.T) {
	dict, enc := NewDictionary(1000, 7), new(Encoder)
	for _, im := range []Image{pixel.New(pixel.A8, 4, 1, true), pixel.New(pixel.PLT8, 4, 1, true), {Type: pixel.RGB24, Width: 1, Height: 1, Stride: 4}} {
		if _, _, err := enc.Encode(nil, dict, im, [][]byte{make([]byte, 64)}); !errors.Is(err, pixel.ErrImage) {
			t.Errorf("%+v: %v", im, err)
		}
	}
	if _, _, err := enc.Encode(nil, dict, pixel.New(pixel.RGB32, 4, 4, true), nil); !errors.Is(err, ErrShort) {
		t.Error(err)
	}
	if dict.NextID() != 7 || dict.Window() != 1000 {
		t.Errorf("next id %d, window %d", dict.NextID(), dict.Window())
	}
}

// TestRelease decodes images over the memory of earlier ones: what is decoded is
// still what was encoded, nothing is allocated, and an image that was not released
// keeps its pixels.
func TestRelease(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	const width, height, frames = 100, 80, 400
	im := pixel.New(pixel.RGBA, width, height, true)
	dict, enc, window := NewDictionary(5*width*height, 0), new(Encoder), NewWindow(20*width*height)
	desktop := testimage.Desktop(width, 2*height, seed)
	streams, sources := make([][]byte, frames), make([][]byte, frames)
	for i := range streams {
		sources[i] = desktop[rng.IntN(height)*4*width:][:im.Size()]
		var err error
		if streams[i], _, err = enc.Encode(nil, dict, im, [][]byte{sources[i]}); err != nil {
			t.Fatal(err)
		}
	}
	next := 0
	decode := func() *Decoded {
		img, err := window.Decode(streams[next])
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(img.Pix, sources[next]) {
			t.Fatalf("image %d is wrong", next)
		}
		next++
		return img
	}
	kept := decode()
	reused := false
	seen := map[*byte]bool{}
	for range 100 {
		img := decode()
		reused = reused || seen[&img.Pix[0]]
		seen[&img.Pix[0]] = true
		if _, err := window.Decode(streams[next][:len(streams[next])-1]); !errors.Is(err, ErrCorrupt) {
			t.Fatal(err) // its memory is used again, too
		}
		window.Release(img)
		window.Release(img) // for a second time, which does nothing
	}
	if !reused || !bytes.Equal(kept.Pix, sources[0]) {
		t.Fatalf("memory used again %t; the image kept is still the same %t", reused, bytes.Equal(kept.Pix, sources[0]))
	}
	if n := testing.AllocsPerRun(100, func() { window.Release(decode()) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestNoAllocation(t *testing.T) {
	im := pixel.New(pixel.RGBA, 100, 80, true)
	dict, enc, buf := NewDictionary(50000, 0), new(Encoder), make([]byte, 0, MaxSize(im)+pixel.Slack)
	desktop := testimage.Desktop(100, 160, 1)
	chunks := make([][]byte, 1)
	next := 0
	encode := func() {
		chunks[0] = desktop[next*400:] // a part of it that moves about
		next = (next + 33) % 80
		if _, _, err := enc.Encode(buf, dict, im, chunks); err != nil {
			t.Fatal(err)
		}
	}
	for range 100 {
		encode()
	}
	if n := testing.AllocsPerRun(100, encode); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestDeflate(t *testing.T) {
	im := pixel.New(pixel.RGB32, 200, 100, true)
	stream, _, err := new(Encoder).Encode(nil, NewDictionary(50000, 0), im, [][]byte{testimage.Desktop(200, 100, 1)})
	if err != nil {
		t.Fatal(err)
	}
	var d Deflater
	var f Inflater
	for range 2 { // the state is used again
		packed, ok := d.Deflate([]byte("before"), stream)
		if !ok || string(packed[:6]) != "before" || len(packed)-6 >= len(stream) {
			t.Fatalf("%d bytes of %d, %v", len(packed), len(stream), ok)
		}
		packed = packed[6:]
		if whole := deflateWhole(t, stream); len(packed) > whole+32 {
			t.Errorf("%d bytes, those of a stream in one piece are %d", len(packed), whole)
		}
		got := make([]byte, len(stream))
		if err := f.Inflate(got, packed); err != nil || !bytes.Equal(got, stream) {
			t.Fatal(err)
		}
		if r, err := zlib.NewReader(bytes.NewReader(packed)); err != nil {
			t.Fatal(err)
		} else if std, err := io.ReadAll(r); err != nil || !bytes.Equal(std, stream) {
			t.Fatalf("the standard library inflates something else: %v", err)
		}
		for name, c := range map[string]struct {
			size int
			data []byte
		}{
			"empty": {10, nil}, "no zlib": {10, []byte("no zlib stream at all")}, "cut": {len(stream), packed[:len(packed)-1]},
			"too short": {len(stream) + 1, packed}, "too long": {len(stream) - 1, packed},
			"trailing": {len(stream), append(bytes.Clone(packed), 0)},
		} {
			if err := f.Inflate(make([]byte, c.size), c.data); !errors.Is(err, ErrInflate) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if _, ok := d.Deflate(nil, stream[:MinDeflate-1]); ok {
		t.Error("a tiny stream was deflated")
	}
	noise := testimage.Bytes(rand.New(rand.NewPCG(1, 1)), "noise", im)
	if _, ok := d.Deflate(nil, noise); ok {
		t.Error("noise was deflated")
	}
}

// TestDeflateParts deflates streams in parts of all sizes, each with whichever of two
// deflaters is at hand. The standard library inflates the whole stream.
func TestDeflateParts(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	var d [2]Deflater
	for range 300 {
		stream := make([]byte, headerSize+rng.IntN(16*65521)>>rng.IntN(12))
		spread := 1 + rng.IntN(256)
		for i := range stream {
			stream[i] = byte(255 - rng.IntN(spread))
		}
		var parts []Part
		sizes, blocks := 0, 0
		for at := 0; at < len(stream); {
			end := at + rng.IntN(len(stream)-at+1)>>rng.IntN(4)
			if at == 0 {
				end = max(end, headerSize)
			}
			out, p := d[rng.IntN(2)].DeflatePart([]byte("before"), stream[at:end], at == 0)
			if string(out[:6]) != "before" || !bytes.Equal(out[6:], p.Blocks) {
				t.Fatal("the blocks are not what was appended")
			}
			parts = append(parts, p)
			sizes, blocks, at = sizes+len(p.Stream), blocks+len(p.Blocks), end
		}
		out, size := JoinDeflated([]byte("before"), parts)
		if size == 0 {
			if zlibHeader+blocks+len(lastBlock)+zlibSum < len(stream) || string(out) != "before" {
				t.Fatalf("%d bytes in blocks of %d were worth it", len(stream), blocks)
			}
			continue
		}
		if got := standardInflate(out[6:], size); size != sizes || len(out)-6 >= size || !bytes.Equal(got, stream) {
			t.Fatalf("%d bytes in %d parts: the standard library inflates %d bytes", len(stream), len(parts), len(got))
		}
	}
}

// deflateWhole is the size of a zlib stream whose header is deflated, too.
func deflateWhole(t *testing.T, stream []byte) int {
	var out bytes.Buffer
	w, err := kzlib.NewWriterLevel(&out, deflateLevel)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(stream); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	return out.Len()
}

// TestAdoptDeflated replaces the headers of zlib streams, of bodies of all lengths
// about where the sum wraps around. The standard library inflates what one made of
// the new GLZ stream would.
func TestAdoptDeflated(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 4))
	im := pixel.New(pixel.RGB32, 3, 2, true)
	dict := NewDictionary(1<<10, 0)
	var d Deflater
	for range 300 {
		h := Header{Image: im, ID: rng.Uint64() >> rng.IntN(64)}
		h.HeadDistance = uint32(min(rng.Uint64()>>rng.IntN(64), h.ID))
		stream := appendHeader(nil, h)
		body := rng.IntN(3*65521) >> rng.IntN(11)
		for range 70 + body {
			stream = append(stream, byte(255-rng.IntN(3)))
		}
		deflated, ok := d.Deflate(nil, stream)
		if !ok {
			continue
		}
		slot, err := reserve(dict, im, [][]byte{make([]byte, im.Size())})
		if err != nil {
			t.Fatal(err)
		}
		want := slot.Adopt(nil, stream)
		adopted := slot.AdoptDeflated([]byte("before"), deflated, len(stream))
		slot.Release()
		got := standardInflate(adopted[len("before"):], len(stream))
		if !bytes.Equal(got, want) || string(adopted[:len("before")]) != "before" {
			t.Fatalf("header %+v, %d bytes: the standard library inflates %d bytes", h, len(stream), len(got))
		}
	}
}

// TestWindowRefuses feeds the decoder streams that are wrong in one way each.
func TestWindowRefuses(t *testing.T) {
	stream := func(id uint64, back uint32, typ pixel.Type, data ...byte) []byte {
		return append(appendHeader(nil, Header{Image: pixel.New(typ, 2, 2, true), ID: id, HeadDistance: back}), data...)
	}
	literals := []byte{3, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
	fresh := func() *Window {
		w := NewWindow(100)
		for i, s := range [][]byte{
			stream(0, 0, pixel.RGB32, literals...), stream(1, 0, pixel.RGB24, literals...), stream(2, 1, pixel.RGB32, literals...),
		} {
			if _, err := w.Decode(s); err != nil {
				t.Fatalf("image %d: %v", i, err)
			}
		}
		return w
	}
	for name, c := range map[string]struct {
		stream []byte
		want   error
	}{
		"good":                {stream(3, 2, pixel.RGB32, 0x80, 0, 1), nil},
		"no data":             {stream(3, 2, pixel.RGB32), ErrCorrupt},
		"literals cut":        {stream(3, 2, pixel.RGB32, literals[:12]...), ErrCorrupt},
		"trailing":            {stream(3, 2, pixel.RGB32, append(literals, 0)...), ErrCorrupt},
		"out of the image":    {stream(3, 2, pixel.RGB32, 0x81, 0, 1), ErrCorrupt},
		"before start":        {stream(3, 2, pixel.RGB32, 0x80, 0, 0), ErrCorrupt},
		"over the end":        {stream(3, 2, pixel.RGB32, 0xa0, 0, 1), ErrCorrupt},
		"other type":          {stream(3, 2, pixel.RGB32, 0x80, 0, 2), ErrCorrupt},
		"freed":               {stream(3, 3, pixel.RGB32, 0x80, 0, 3), ErrCorrupt},
		"before its own head": {stream(3, 0, pixel.RGB32, 0x80, 0, 1), ErrCorrupt},
		"head below 0":        {stream(3, 4, pixel.RGB32, literals...), ErrCorrupt},
		"again":               {stream(2, 1, pixel.RGB32, literals...), ErrCorrupt},
		"missing":             {stream(5, 3, pixel.RGB32, 0x80, 0, 1), MissingError{4}},
		"palette":             {stream(3, 2, pixel.PLT8, literals...), pixel.ErrImage},
		"header cut":          {stream(3, 2, pixel.RGB32)[:32], ErrCorrupt},
		"too large":           {appendHeader(nil, Header{Image: pixel.New(pixel.RGB32, 93, 1, true), ID: 3}), ErrTooLarge},
	} {
		w := fresh()
		pixels, images := w.pixels, w.Len()
		if _, err := w.Decode(c.stream); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if c.want != nil && (w.pixels != pixels || w.Len() != images) {
			t.Errorf("%s: the window changed", name)
		}
	}
}
