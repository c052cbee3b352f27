//go:build !race && !invariants

package spiceecs_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/spiceecs/spiceecs"
	"github.com/spiceecs/spiceecs/bench/drain"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

// mostOfAClient is what a client that takes nothing may cost at most on a screen of
// up to 1280x800, as documented in systems/display/behind.go.
const mostOfAClient = 48 << 20

// TestSilentClients has clients that read next to nothing, for a minute of pictures and
// text on the whole screen that hide nothing: what the server keeps for each is bounded,
// and its guest is never held back.
func TestSilentClients(t *testing.T) {
	const clients = 3
	s := emptyStudio(t, spiceecs.DeviceOptions{StallTimeout: time.Hour})
	n := 0
	paint := func(pictures int) (most uint64) {
		t.Helper()
		for i := range pictures {
			whole := regions.XYWH(0, 0, studioWidth, studioHeight)
			d := put(0, whole, whole, photo(studioWidth, studioHeight, n, n%3 == 0))
			if n > 0 {
				d.Effect, d.Rop = qxl.EffectBlend, qxl.RopXor // which hides nothing
			}
			s.draw(d)
			n++
			s.clock.Advance(200 * time.Millisecond)
			s.device.Wakeup()
			eventually(t, func() error {
				if left := len(s.ring.commands); left > 0 {
					return fmt.Errorf("the guest is held back with %d commands", left)
				}
				return nil
			})
			if i%50 == 49 {
				most = max(most, inUse())
			}
		}
		return most
	}
	without := paint(100)
	for range clients {
		c, err := drain.Dial(drain.Options{Addr: s.addr, Rate: 1})
		noError(t, err)
		t.Cleanup(c.Close)
	}
	with := paint(300)
	stats, err := s.device.Stats()
	noError(t, err)
	if stats.Clients != clients {
		t.Fatalf("%d clients are left of %d", stats.Clients, clients)
	}
	t.Logf("%.1f MB without clients, %.1f with %d", float64(without)/1e6, float64(with)/1e6, clients)
	if with > without+clients*mostOfAClient {
		t.Errorf("%d bytes for each client, want at most %d", (with-without)/clients, mostOfAClient)
	}
}

// inUse is the heap's bytes that are reachable.
func inUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
