package lines

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"
)

func TestLines(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	for range 500 {
		size, height := 1+rng.IntN(20), 1+rng.IntN(9)
		stride := size + rng.IntN(5)
		image := make([]byte, (height-1)*stride+size+rng.IntN(3))
		for i := range image {
			image[i] = byte(rng.Uint32())
		}
		var chunks [][]byte
		for rest := image; ; {
			n := rng.IntN(len(rest) + 1)
			chunks = append(chunks, rest[:n])
			if rest = rest[n:]; len(rest) == 0 {
				break
			}
		}
		topDown := rng.IntN(2) == 0
		var s Source
		if err := s.Reset(chunks, stride, size, height, topDown); err != nil {
			t.Fatal(err)
		}
		scratch := make([]byte, size)
		for range 3 * height {
			y := rng.IntN(height)
			at := y * stride
			if !topDown {
				at = (height - 1 - y) * stride
			}
			if got, want := s.Line(y, scratch), image[at:at+size]; !bytes.Equal(got, want) {
				t.Fatalf("line %d of %d, topDown %v: %x, want %x", y, height, topDown, got, want)
			}
		}
	}
}

func TestRefused(t *testing.T) {
	var s Source
	chunks := [][]byte{make([]byte, 7), nil, make([]byte, 4)}
	for _, c := range []struct {
		stride, size, height int
		want                 error
	}{
		{4, 4, 3, ErrShort}, {4, 3, 3, nil}, {4, 5, 1, ErrStride}, {4, 0, 1, ErrStride}, {0, 0, 0, ErrStride},
		{4, 4, 0, ErrStride}, {MaxStride, 1, MaxStride, ErrShort}, {MaxStride + 1, 1, 1, ErrStride}, {1, 1, MaxStride + 1, ErrStride},
		{4, -1, 2, ErrStride}, {11, 11, 1, nil},
	} {
		if err := s.Reset(chunks, c.stride, c.size, c.height, true); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
