//go:build !race && !invariants

package spiceecs_test

import (
	"encoding/binary"
	"math/rand/v2"
	"net"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spiceecs/spiceecs"
	"github.com/spiceecs/spiceecs/bench/drain"
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/guest"
	"github.com/spiceecs/spiceecs/regions"
)

// conveyor is a guest that issues the same commands again and again, each of
// them only after it has been released. It allocates nothing while it does.
type conveyor struct {
	commands []qxl.Command
	place    map[qxl.PHYS]int // of a command, by its address
	busy     []bool
	next     int
	device   *spiceecs.Device
	left     atomic.Int64  // commands to issue
	done     chan struct{} // the last one has been taken
}

func (c *conveyor) GetCommand(out *qxl.Command) bool {
	if !c.ready() {
		return false
	}
	*out = c.commands[c.next]
	c.busy[c.next] = true
	if c.left.Add(-1) == 0 {
		c.done <- struct{}{}
	}
	return true
}

// ready finds the next command that has been released.
func (c *conveyor) ready() bool {
	for range c.commands {
		if c.next = (c.next + 1) % len(c.commands); !c.busy[c.next] {
			return c.left.Load() > 0
		}
	}
	return false
}

func (c *conveyor) Release(r qxl.Resource) {
	c.busy[c.place[r.Data]] = false
	c.device.Wakeup()
}

func (c *conveyor) RequestCommandNotification() bool   { return !c.ready() }
func (c *conveyor) GetCursorCommand(*qxl.Command) bool { return false }
func (c *conveyor) RequestCursorNotification() bool    { return true }
func (c *conveyor) NotifyUpdate(uint32)                {}
func (c *conveyor) FlushResources() bool               { return false }

// run issues n commands.
func (c *conveyor) run(tb testing.TB, n int64) {
	c.left.Store(n)
	c.device.Wakeup()
	select {
	case <-c.done:
	case <-time.After(patience):
		tb.Fatalf("%d of %d commands were not taken", c.left.Load(), n)
	}
}

// picture is a copy of an image of n by n pixels: a gradient with some noise.
func picture(rnd *rand.Rand, at regions.Point, n int32) *qxl.Drawable {
	d := fill(regions.Rect{Left: at.X, Top: at.Y, Right: at.X + n, Bottom: at.Y + n}, 0)
	d.Type, d.Brush = qxl.DrawCopy, qxl.Brush{Image: qxl.NoImage}
	d.SrcArea = regions.Rect{Right: n, Bottom: n}
	im, i := d.NewImage()
	d.Src = i
	im.ID, im.Type = rnd.Uint64(), qxl.ImageBitmap
	im.Width, im.Height, im.X, im.Y, im.Stride = uint32(n), uint32(n), uint32(n), uint32(n), uint32(4*n)
	im.Format, im.BitFlags = qxl.Bitmap32Bit, qxl.BitmapTopDown
	pixels := make([]byte, 0, 4*n*n)
	for y := range n {
		for x := range n {
			pixels = binary.LittleEndian.AppendUint32(pixels, uint32(x/4*0x10408+y)^rnd.Uint32N(2))
		}
	}
	im.Data.Append(pixels)
	return d
}

const (
	roundCommands = 50_000
	fewMallocs    = 25 // of the runtime and of the test, in one round
)

// mallocs counts the allocations for one round of commands.
func mallocs(t *testing.T, c *conveyor) uint64 {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // a collection empties pools
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	c.run(t, roundCommands)
	runtime.ReadMemStats(&after)
	t.Logf("%d allocations, %d bytes for %d commands", after.Mallocs-before.Mallocs, after.TotalAlloc-before.TotalAlloc, roundCommands)
	return after.Mallocs - before.Mallocs
}

// TestSteadyState holds a device with a client to no allocation for a command,
// from the ring to the socket.
func TestSteadyState(t *testing.T) {
	const w, h = 1024, 768
	for _, tc := range []struct {
		name        string
		compression string
		draw        func(rnd *rand.Rand) *qxl.Drawable
		held        int64 // bytes of guest memory: a fraction of what all commands take
	}{
		{"small fills", "lz", func(rnd *rand.Rand) *qxl.Drawable {
			x, y := rnd.Int32N(w-16), rnd.Int32N(h-16)
			return fill(regions.Rect{Left: x, Top: y, Right: x + 16, Bottom: y + 16}, rnd.Uint32())
		}, 100 << 10},
		{"windows", "lz", func(rnd *rand.Rand) *qxl.Drawable {
			x, y := rnd.Int32N(w-200), rnd.Int32N(h-200)
			return fill(regions.Rect{Left: x, Top: y, Right: x + 200, Bottom: y + 150}, rnd.Uint32())
		}, 100 << 10},
		{"copies lz", "lz", func(rnd *rand.Rand) *qxl.Drawable {
			return picture(rnd, regions.Point{X: rnd.Int32N(w - 32), Y: rnd.Int32N(h - 32)}, 32)
		}, 2 << 20},
		{"copies off", "off", func(rnd *rand.Rand) *qxl.Drawable {
			return picture(rnd, regions.Point{X: rnd.Int32N(w - 32), Y: rnd.Int32N(h - 32)}, 32)
		}, 2 << 20},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(1, 2))
			c := newConveyor(t, 2048, w, h, tc.compression, tc.held, func() *qxl.Drawable { return tc.draw(rnd) })
			c.run(t, 100_000)
			// Slabs, pipes, lists and buffers still reach their sizes now and then.
			n := mallocs(t, c)
			for round := 1; n > fewMallocs && round < 20; round++ {
				n = mallocs(t, c)
			}
			if n > fewMallocs {
				t.Errorf("%d allocations for %d commands, want none but the runtime's", n, roundCommands)
			}
		})
	}
}

// newConveyor starts a server with a screen, a client that decodes nothing, and
// a guest with n commands.
func newConveyor(t *testing.T, n int, w, h uint32, compression string, held int64, draw func() *qxl.Drawable) *conveyor {
	t.Helper()
	vram, err := guest.NewVRAM(32 << 20)
	noError(t, err)
	asm := guest.NewAssembler(vram)
	c := &conveyor{place: map[qxl.PHYS]int{}, busy: make([]bool, n), done: make(chan struct{}, 1)}
	for i := range n {
		cmd, err := asm.Drawable(draw())
		noError(t, err)
		c.place[cmd.Data] = i
		c.commands = append(c.commands, cmd)
	}
	// Time stands still: on a loaded machine, too, the client never counts as
	// lagging, which costs some memory.
	server, err := spiceecs.New(spiceecs.Options{NoPassword: true, Clock: ecs.NewManualClock(time.Unix(1, 0))})
	noError(t, err)
	t.Cleanup(func() { noError(t, server.Close()) })
	joined := make(chan struct{})
	c.device, err = server.AddDevice(spiceecs.DeviceOptions{
		Ring: c, HeldBytes: held, ImageCompression: compression, OnDisplay: func(uint32) { close(joined) },
	})
	noError(t, err)
	noError(t, c.device.AddMemSlot(vram.Slot()))
	noError(t, c.device.CreatePrimary(qxl.PrimarySurface{
		Width: w, Height: h, Stride: int32(4 * w), Format: qxl.Surface32xRGB, Memory: make([]byte, 4*w*h),
	}))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	noError(t, err)
	go func() { _ = server.Serve(l) }()
	client, err := drain.Dial(drain.Options{Addr: l.Addr().String()})
	noError(t, err)
	t.Cleanup(client.Close)
	select {
	case <-joined:
	case <-time.After(patience):
		t.Fatal("the client does not join")
	}
	return c
}
