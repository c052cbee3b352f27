//go:build !race

package lz4

import (
	"sync/atomic"
	"testing"

	"github.com/spiceecs/spiceecs/net/codec/pixel"
	"github.com/spiceecs/spiceecs/net/codec/testimage"
)

// TestChangingMemory encodes while another goroutine writes to the pixels, as a
// guest may: a race on purpose, after which every stream still decodes to an
// image of that size.
func TestChangingMemory(t *testing.T) {
	im := pixel.New(pixel.RGB32, 320, 200, true)
	pixels := testimage.Desktop(im.Width, im.Height, 1)
	var stop atomic.Bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; !stop.Load(); i++ {
			at := i * 7919 % (len(pixels) - 128)
			copy(pixels[at:at+64], pixels[i*104729%(len(pixels)-64):])
		}
	}()
	var enc Encoder
	var out []byte
	var err error
	dst := make([]byte, im.Size())
	for range 200 {
		if out, err = enc.Encode(out[:0], im, [][]byte{pixels[:70001], pixels[70001:]}); err != nil {
			t.Fatal(err)
		}
		if err := Decode(dst, out); err != nil {
			t.Fatal(err)
		}
	}
	stop.Store(true)
	<-done
}
