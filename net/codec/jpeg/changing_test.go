//go:build !race

package jpeg

import (
	"sync/atomic"
	"testing"

	"github.com/spiceecs/spiceecs/net/codec/testimage"
)

// TestChangingMemory encodes while another goroutine writes to the pixels, as a
// guest may: a race on purpose, which must not reach beyond the pixels.
func TestChangingMemory(t *testing.T) {
	im := NewImage(BGRX, 256, 128, false)
	pixels := testimage.Desktop(256, 128, 1)
	var stop atomic.Bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; !stop.Load(); i++ {
			pixels[i*7919%len(pixels)] ^= byte(i)
		}
	}()
	for _, enc := range engines() {
		for range 100 {
			file, err := enc.Encode(nil, im, [][]byte{pixels}, 85)
			if err != nil {
				t.Fatal(err)
			}
			stdDecode(t, file)
		}
	}
	stop.Store(true)
	<-done
}
