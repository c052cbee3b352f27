package spiceecs_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/spiceecs/spiceecs"
	"github.com/spiceecs/spiceecs/net/client"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/guest"
	"github.com/spiceecs/spiceecs/regions"
)

const (
	width, height = 400, 300
	patience      = 2 * time.Minute // for what is going to happen
)

// machine is a server with one device, whose screen shows a picture of fills.
type machine struct {
	server *spiceecs.Server
	device *spiceecs.Device
	ring   *ring
	asm    *guest.Assembler
	hash   uint64 // of the picture
}

// newMachine starts a machine; Close of its server ends it.
func newMachine(tb testing.TB, o spiceecs.Options) *machine {
	tb.Helper()
	vram, err := guest.NewVRAM(4 << 20)
	noError(tb, err)
	m := &machine{ring: &ring{commands: make(chan qxl.Command, 512), vram: vram}, asm: guest.NewAssembler(vram)}
	m.server, err = spiceecs.New(o)
	noError(tb, err)
	m.device, err = m.server.AddDevice(spiceecs.DeviceOptions{Ring: m.ring})
	noError(tb, err)
	noError(tb, m.device.AddMemSlot(vram.Slot()))
	noError(tb, m.device.CreatePrimary(qxl.PrimarySurface{
		Width: width, Height: height, Stride: 4 * width, Format: qxl.Surface32xRGB, Memory: make([]byte, 4*width*height),
	}))
	m.paint(tb, 1)
	return m
}

// paint draws a new picture, every pixel of it, and notes its hash.
func (m *machine) paint(tb testing.TB, seed uint64) {
	tb.Helper()
	rnd := rand.New(rand.NewPCG(seed, 0))
	pixels := make([]uint32, width*height)
	for i := range 200 {
		r := regions.Rect{Left: rnd.Int32N(width), Top: rnd.Int32N(height), Right: 1 + rnd.Int32N(width), Bottom: 1 + rnd.Int32N(height)}
		if i == 0 {
			r = regions.Rect{Right: width, Bottom: height}
		}
		r = regions.Rect{Left: min(r.Left, r.Right-1), Top: min(r.Top, r.Bottom-1), Right: r.Right, Bottom: r.Bottom}
		colour := rnd.Uint32N(1 << 24)
		m.ring.push(m.asm.Drawable(fill(r, colour)))
		for y := r.Top; y < r.Bottom; y++ {
			for x := r.Left; x < r.Right; x++ {
				pixels[y*width+x] = colour
			}
		}
	}
	m.hash = 1469598103934665603
	for _, p := range pixels {
		for shift := 16; shift >= 0; shift -= 8 {
			m.hash = (m.hash ^ uint64(p>>shift&255)) * 1099511628211
		}
	}
	noError(tb, m.device.FlushSurfaces())
}

// listen serves a loopback port until the server is closed.
func (m *machine) listen(tb testing.TB) (addr string) {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	noError(tb, err)
	m.serve(tb, l)
	return l.Addr().String()
}

func (m *machine) serve(tb testing.TB, l net.Listener) {
	go func() {
		if err := m.server.Serve(l); err != nil {
			tb.Error(err)
		}
	}()
}

// wantPicture connects a client, checks that it shows the machine's picture,
// and closes it.
func (m *machine) wantPicture(tb testing.TB, addr string, o client.Options) {
	tb.Helper()
	s, err := dial(tb, addr, o)
	noError(tb, err)
	defer s.Close()
	m.wantShown(tb, s)
}

// wantShown waits until a client shows the machine's picture.
func (m *machine) wantShown(tb testing.TB, s *client.Session) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), patience)
	defer cancel()
	d := s.Display(0)
	if d == nil {
		tb.Fatal("the client has no display")
	}
	noError(tb, d.WaitQuiet(ctx, 50*time.Millisecond))
	var got uint64
	eventually(tb, func() error {
		img, err := d.Snapshot()
		if err != nil {
			return err
		}
		if got = client.Hash(img); got != m.hash {
			return fmt.Errorf("the client shows %016x, want %016x", got, m.hash)
		}
		return nil
	})
}

func dial(tb testing.TB, addr string, o client.Options) (*client.Session, error) {
	return dialContext(tb.Context(), addr, o)
}

func dialContext(ctx context.Context, addr string, o client.Options) (*client.Session, error) {
	o.Log = slog.New(slog.DiscardHandler)
	return client.Dial(ctx, addr, o)
}

// usage is what a test must not leave behind.
type usage struct {
	goroutines, descriptors int
	heap                    int64
}

// measure returns what is in use now, after garbage has been collected.
func measure(tb testing.TB) usage {
	tb.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	noError(tb, err)
	var mem runtime.MemStats
	runtime.GC()
	runtime.GC() // what pools and finalizers held
	runtime.ReadMemStats(&mem)
	return usage{runtime.NumGoroutine(), len(fds), int64(mem.HeapAlloc)}
}

// wantSettled waits until no more is in use than before, but for some heap.
func wantSettled(tb testing.TB, before usage, heap int64) {
	tb.Helper()
	eventually(tb, func() error {
		now := measure(tb)
		if now.goroutines > before.goroutines || now.descriptors > before.descriptors || now.heap > before.heap+heap {
			return fmt.Errorf("in use: %+v, before: %+v", now, before)
		}
		return nil
	})
	tb.Logf("in use: %+v, before: %+v", measure(tb), before)
}

// eventually calls f until it returns nil.
func eventually(tb testing.TB, f func() error) {
	tb.Helper()
	deadline := time.After(patience)
	for {
		err := f()
		if err == nil {
			return
		}
		select {
		case <-deadline:
			stacks := make([]byte, 1<<20)
			tb.Fatalf("%v\n%s", err, stacks[:runtime.Stack(stacks, true)])
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func noError(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
