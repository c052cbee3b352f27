//go:build !race

package quic

import (
	"math/rand/v2"
	"sync/atomic"
	"testing"
)

// TestChangingMemory encodes while another goroutine writes to the pixels, as a
// guest may: a race on purpose, which must not reach beyond the pixels.
func TestChangingMemory(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 5))
	im := New(RGBA, 256, 128, false)
	pixels := draw(rng, "few", im.Width, im.Height)
	var stop atomic.Bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; !stop.Load(); i++ {
			pixels[i*7919%len(pixels)] ^= byte(i)
		}
	}()
	var (
		enc Encoder
		dec Decoder
		out []byte
		err error
	)
	dst := make([]byte, im.Size())
	for range 200 {
		if out, err = enc.Encode(out[:0], im, [][]byte{pixels[:1001], pixels[1001:]}); err != nil {
			t.Fatal(err)
		}
		if err := dec.Decode(dst, im, out); err != nil {
			t.Fatal(err)
		}
	}
	stop.Store(true)
	<-done
}
