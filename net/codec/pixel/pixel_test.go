package pixel

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"
)

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		im Image
		ok bool
	}{
		{New(RGB32, 1, 1, true), true},
		{New(RGB24, 7, 3, false), true},
		{New(PLT1LE, 9, 2, true), true},
		{Image{Type: PLT1BE, Width: 9, Height: 2, Stride: 1}, true}, // the incomplete byte left out
		{Image{Type: PLT1BE, Width: 16, Height: 2, Stride: 3}, false},
		{Image{Type: PLT4LE, Width: 1, Height: 2, Stride: 0}, false},
		{Image{Type: PLT4LE, Width: 3, Height: 2, Stride: 2}, true},
		{Image{Type: RGB16, Width: 3, Height: 2, Stride: 8}, false},
		{Image{Type: A8, Width: 1<<30 - 1, Height: 1, Stride: 1<<30 - 1}, true},
		{Image{Type: A8, Width: 1 << 30, Height: 1, Stride: 1 << 30}, false},
		{New(RGB32, 1<<14, 1<<14, true), false},
		{New(RGB32, 0, 1, true), false},
		{New(RGB32, 1, -1, true), false},
		{Image{Type: 0, Width: 1, Height: 1, Stride: 1}, false},
		{Image{Type: 12, Width: 1, Height: 1, Stride: 1}, false},
		{Image{Type: 1<<32 - 1, Width: 1, Height: 1, Stride: 1}, false},
	} {
		if err := c.im.Check(); (err == nil) != c.ok || err != nil && !errors.Is(err, ErrImage) {
			t.Errorf("%+v: %v", c.im, err)
		}
	}
}

// TestReader reads units of all sizes over all divisions of a few bytes.
func TestReader(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	data := make([]byte, 48)
	for i := range data {
		data[i] = byte(i)
	}
	var r Reader
	for range 2000 {
		var chunks [][]byte
		for rest := data; len(rest) > 0; {
			n := min(rng.IntN(9), len(rest))
			chunks = append(chunks, rest[:n])
			rest = rest[n:]
		}
		size := 1 + rng.IntN(4)
		r.Reset(chunks)
		var got []byte
		for {
			limit := 1 + rng.IntN(5)
			b := r.Next(size, limit)
			if b == nil {
				break
			}
			if len(b)%size != 0 || len(b) > size*limit || len(b) == 0 {
				t.Fatalf("%d bytes for up to %d units of %d", len(b), limit, size)
			}
			got = append(got, b...)
		}
		if !bytes.Equal(got, data) {
			t.Fatalf("units of %d from %v: %v", size, chunks, got)
		}
	}
}

// TestMatch holds the word-wise comparisons to ones a byte at a time.
func TestMatch(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	for range 20000 {
		plane := make([]byte, 120+Slack)
		for i := range plane {
			plane[i] = byte(rng.IntN(40) / 39)
		}
		for _, p := range []*Pass{&bytePass, &rgb16Pass, &rgb32Pass} {
			unit := p.Unit
			at := unit * (1 + rng.IntN(100/unit))
			ref := unit * rng.IntN(at/unit)
			end := at + unit*rng.IntN((120-at)/unit+1)
			differ := func(a, b int) bool {
				x := uint64(plane[a]^plane[b]) << (8 * (a % unit))
				return x&p.Mask != 0
			}
			n := 0
			for at+n < end && !differ(ref+n, at+n) {
				n++
			}
			if got := MatchLen(plane, ref, at, end, p.Mask); got&^(unit-1) != n&^(unit-1) {
				t.Fatalf("unit %d: from %d and %d to %d: %d bytes, really %d", unit, ref, at, end, got, n)
			}
			limit := unit * rng.IntN(at/unit+1)
			n = 0
			for n < min(limit, ref) && !differ(ref-n-1, at-n-1) {
				n++
			}
			// It may give up in the last eight bytes.
			if got := MatchBack(plane, ref, at, limit, p.Mask) &^ (unit - 1); got > n || got+8 < n&^(unit-1) {
				t.Fatalf("unit %d: back from %d and %d by %d: %d bytes, really %d", unit, ref, at, limit, got, n)
			}
		}
	}
}

// TestCopyUnits holds copying to a loop over bytes, for all short periods and lengths.
func TestCopyUnits(t *testing.T) {
	for period := 1; period < 40; period++ {
		for n := range 150 {
			for _, room := range []int{0, 3, 8, 30} {
				dst := make([]byte, 40+n+room)
				for i := range dst {
					dst[i] = byte(i * 7)
				}
				want := bytes.Clone(dst)
				for i := range n {
					want[40+i] = want[40+i-period]
				}
				CopyUnits(dst, 40, 40-period, n)
				if !bytes.Equal(dst[:40+n], want[:40+n]) {
					t.Fatalf("period %d, %d bytes, %d behind", period, n, room)
				}
			}
		}
	}
}

func TestExpand32(t *testing.T) {
	colours := []uint32{0x010203, 0x112233, 0xaabbcc}
	for name, c := range map[string]struct {
		im   Image
		src  []byte
		want []uint32
	}{
		"PLT1LE": {New(PLT1LE, 9, 1, true), []byte{0b00000101, 1}, []uint32{0x112233, 0x010203, 0x112233, 0x010203, 0x010203, 0x010203, 0x010203, 0x010203, 0x112233}},
		"PLT1BE": {New(PLT1BE, 3, 1, true), []byte{0b10100000}, []uint32{0x112233, 0x010203, 0x112233}},
		"PLT4LE": {New(PLT4LE, 3, 1, true), []byte{0x21, 0x00}, []uint32{0x112233, 0xaabbcc, 0x010203}},
		"PLT4BE": {New(PLT4BE, 2, 2, true), []byte{0x21, 0x04}, []uint32{0xaabbcc, 0x112233, 0x010203, 0x112233}},
		"PLT8":   {New(PLT8, 2, 1, true), []byte{2, 0}, []uint32{0xaabbcc, 0x010203}},
		"cut":    {Image{Type: PLT4BE, Width: 3, Height: 1, Stride: 1}, []byte{0x21}, []uint32{0xaabbcc, 0x112233, 0}},
		"RGB16":  {New(RGB16, 3, 1, true), []byte{0xff, 0x7f, 0x00, 0x80, 0x01, 0x04}, []uint32{0xffffff, 0, 0x080008}},
		"RGB24":  {New(RGB24, 3, 1, true), []byte{1, 2, 3, 4, 5, 6, 7, 8, 9}, []uint32{0x030201, 0x060504, 0x090807}},
		"RGBA":   {New(RGBA, 1, 1, true), []byte{1, 2, 3, 4}, []uint32{0x04030201}},
		"A8":     {New(A8, 2, 1, true), []byte{1, 2}, []uint32{0x01000000, 0x02000000}},
	} {
		want := make([]byte, 4*len(c.want))
		for i, v := range c.want {
			binary.LittleEndian.PutUint32(want[4*i:], v)
		}
		dst := bytes.Repeat([]byte{0xee}, len(want))
		if err := Expand32(dst, c.im, c.src, colours); err != nil || !bytes.Equal(dst, want) {
			t.Errorf("%s: % x, want % x, %v", name, dst, want, err)
		}
	}
	if err := Expand32(make([]byte, 4), New(PLT8, 1, 1, true), []byte{3}, colours); !errors.Is(err, ErrImage) {
		t.Errorf("colour outside of the palette: %v", err)
	}
	if err := Expand32(make([]byte, 3), New(PLT8, 1, 1, true), []byte{0}, colours); !errors.Is(err, ErrImage) {
		t.Errorf("short destination: %v", err)
	}
}
