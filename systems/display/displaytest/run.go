package displaytest

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/canvas"
	"github.com/spiceecs/spiceecs/qxl/guest"
	"github.com/spiceecs/spiceecs/regions"
	"github.com/spiceecs/spiceecs/systems/display"
	"github.com/spiceecs/spiceecs/systems/encode"
	"github.com/spiceecs/spiceecs/systems/stream"
)

// Surfaces is how many surface ids a program's device has.
const Surfaces = 4

// pool compresses for all programs.
var pool = sync.OnceValue(encode.NewPool)

// vramSize is the memory of a program's guest.
const vramSize = 2 << 20

// bench is a device under test with the truth about it.
type bench struct {
	sim     *display.Sim
	clock   *ecs.ManualClock
	guest   *ring
	truth   painter
	clients map[int]*viewer
	heads   []qxl.Head // monitors that clients have to know of, nil: not said
	driver  bool       // the guest has configured its monitors
	primary []byte
	cmd     qxl.Drawable
	bound   int64
	peeked  []byte // scratch
	reached map[string]int
}

// Run executes a program and checks after every steps that all is well, and at
// the end that nothing is left behind. The error names the step.
func Run(p Program, every int) error { return RunCounting(p, every, map[string]int{}) }

// RunCounting is Run that counts in reached what came to be of the things that a
// program cannot bring about by itself.
func RunCounting(p Program, every int, reached map[string]int) (err error) {
	step := -1
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
		if err != nil && step >= 0 && step < len(p) {
			err = fmt.Errorf("step %d, %s: %w", step+1, p[step].Do, err)
		}
	}()
	b, err := newBench(reached)
	if err != nil {
		return err
	}
	for step = range p {
		if err := b.step(&p[step]); err != nil {
			return err
		}
		if (step+1)%every == 0 || step == len(p)-1 {
			if err := b.check(); err != nil {
				return err
			}
		}
	}
	step = len(p)
	if err := b.settle(); err != nil {
		return err
	}
	return b.end()
}

func newBench(reached map[string]int) (*bench, error) {
	vram, err := guest.NewVRAM(vramSize)
	if err != nil {
		return nil, err
	}
	b := &bench{reached: reached, clients: map[int]*viewer{}, truth: painter{canvases: canvases{}}, clock: ecs.NewManualClock(time.Unix(0, 0))}
	b.guest = &ring{vram: vram, asm: guest.NewAssembler(vram), blocks: map[uint64][]byte{}}
	b.sim, err = display.NewSim(display.Config{
		Ring:     b.guest,
		Memory:   qxl.MemoryConfig{Groups: 1, Slots: 1, GenBits: 8, IDBits: 8},
		Surfaces: Surfaces, HeldBytes: 1 << 30, Compression: encode.Off, JPEG: encode.Auto, ZlibGLZ: encode.Auto,
		Streaming: stream.All, Pool: pool(), Caches: encode.NewRegistry(), Clock: b.clock, Log: slog.New(slog.DiscardHandler),
	}, vram.Slot())
	return b, err
}

// step does one thing, to the device and to the painter. What makes no sense,
// as a shrunk program may ask for, is done to neither.
func (b *bench) step(s *Step) error {
	switch s.Do {
	case Primary:
		return b.createPrimary(s)
	case DestroyPrimary:
		return b.destroyPrimary()
	case DestroyAll:
		err := b.sim.Carry(display.DestroySurfaces)
		clear(b.truth.canvases)
		poison(b.primary)
		b.primary = nil
		return err
	case Create, Destroy, DrawOne, UpdateCommand:
		if err := b.guest.queue(b, s); err != nil {
			return err
		}
		b.sim.Tick(1 << 10)
	case Film:
		return b.film(s)
	case Rest:
		return b.rest(s.Count > 0)
	case Update:
		return b.update(s)
	case Flush:
		if err := b.sim.Carry(display.FlushSurfaces); err != nil {
			return err
		}
		return b.flushed()
	case Bound:
		b.sim.SetBound(int64(s.Count))
		b.bound = int64(s.Count)
	case Restart:
		b.sim.Restart()
	case Monitors:
		return b.configureMonitors(s)
	case Advance:
		return b.advance(s.Count)
	case Settle:
		return b.settle()
	default:
		return b.clientStep(s)
	}
	return b.guest.err
}

func (b *bench) createPrimary(s *Step) error {
	if b.truth.canvases[0] != nil {
		return nil
	}
	p := qxl.PrimarySurface{Width: uint32(s.Size[0]), Height: uint32(s.Size[1]), Format: qxl.SurfaceFormat(s.Format)}
	stride := (s.Size[0]*int32(p.Format.Depth()) + 7) / 8
	p.Stride = stride
	p.Memory = noise(s.Seed, int(stride*s.Size[1]))
	if s.Keep {
		p.Flags = qxl.SurfaceKeepData
	}
	c, err := canvas.Wrap(p.Format, int(p.Width), int(p.Height), int(stride), bytes.Clone(p.Memory))
	if err != nil {
		return nil
	}
	if !s.Keep {
		c = canvas.New(p.Format, int(p.Width), int(p.Height))
	}
	b.truth.canvases[0], b.primary = c, p.Memory
	if b.heads = nil; !b.driver {
		b.heads = []qxl.Head{{Width: p.Width, Height: p.Height}}
	}
	return b.sim.CreatePrimary(p)
}

func (b *bench) destroyPrimary() error {
	err := b.sim.Carry(display.DestroyPrimary)
	if b.truth.canvases[0] == nil {
		return nil
	}
	delete(b.truth.canvases, 0)
	poison(b.primary)
	return err
}

// configureMonitors tells the device of monitors side by side, in guest memory.
func (b *bench) configureMonitors(s *Step) error {
	n := 1 + s.Count%3
	mem := []byte{byte(n), 0, 4, 0}
	var heads []qxl.Head
	for i := range uint32(n) {
		h := qxl.Head{ID: i, Width: uint32(10 + s.Count%7), Height: 10, X: i * 10, Flags: uint32(s.Count)}
		heads = append(heads, h)
		for _, v := range [...]uint32{h.ID, h.Surface, h.Width, h.Height, h.X, h.Y, h.Flags} {
			mem = binary.LittleEndian.AppendUint32(mem, v)
		}
	}
	block, at, err := b.guest.vram.Alloc(len(mem))
	if err != nil {
		return err
	}
	copy(at, mem)
	addr, err := b.guest.vram.Address(block)
	if err != nil {
		return err
	}
	err = b.sim.Carry(display.Monitors(addr, 0, 0))
	b.heads, b.driver = heads, true
	poison(at)
	return cmp.Or(err, b.guest.vram.Free(block))
}

// update checks that the area is exact afterwards, or refused for good reason.
// The truth is that of after the update, which empties the ring first.
func (b *bench) update(s *Step) error {
	id, area := uint32(s.Surface), s.Area.Rect()
	_, err := b.sim.UpdateArea(id, area, s.Count > 0)
	c := b.truth.canvases[id]
	if c == nil || area.Empty() || !c.Bounds().Contains(area) {
		if err == nil {
			return fmt.Errorf("updated area %v of surface %d, which does not exist", area, id)
		}
		return nil
	}
	if err != nil {
		return err
	}
	if err := differ(b.sim.Raster.Canvas(id), c, area); err != nil {
		return fmt.Errorf("updated area %v of surface %d: %w", area, id, err)
	}
	return nil
}

// flushed checks that all canvases are exact.
func (b *bench) flushed() error {
	for id, c := range b.truth.canvases {
		if err := differ(b.sim.Raster.Canvas(id), c, c.Bounds()); err != nil {
			return fmt.Errorf("flushed surface %d: %w", id, err)
		}
	}
	return nil
}

// check compares everything with the truth.
func (b *bench) check() error {
	if err := b.guest.err; err != nil {
		return err
	}
	if err := b.sim.Check(); err != nil {
		return err
	}
	if err := b.checkDevice(); err != nil {
		return fmt.Errorf("device: %w", err)
	}
	for n, v := range b.clients {
		if err := b.checkClient(v); err != nil {
			return fmt.Errorf("client %d: %w", n, err)
		}
	}
	if b.bound > 0 && b.sim.Scene.Held > b.bound && b.sim.Scene.Current.Len > 0 {
		return fmt.Errorf("%d bytes held, bound %d, %d drawables could be executed", b.sim.Scene.Held, b.bound, b.sim.Scene.Current.Len)
	}
	return nil
}

// checkDevice executes on a copy what is current, where it can be seen.
func (b *bench) checkDevice() error {
	cs := canvases{}
	for id := range uint32(Surfaces) {
		if c := b.sim.Raster.Canvas(id); c != nil {
			cs[id] = copyOf(c)
		}
	}
	for e := b.sim.Scene.Current.First; !e.IsZero(); {
		d := b.sim.Scene.Drawables.Get(e)
		cs.execute(b.sim.Scene.Command(d), b.sim.Tree.Area(e, new(regions.Region)))
		e = d.DeviceLink.Next
	}
	return b.compare(&views{all: []canvases{cs}}, false, everything, nowhere)
}

func everything(uint32) bool { return true }

func nowhere(uint32) *regions.Region { return nil }

// compare compares what is certain of the surfaces that have to be there with the
// painter's, but for what may be missing.
func (b *bench) compare(v *views, padded bool, known func(uint32) bool, missing func(uint32) *regions.Region) error {
	for id := range uint32(Surfaces) {
		want := b.truth.canvases[id]
		if !known(id) {
			want = nil
		}
		if err := v.exact(id, want, missing(id), padded); err != nil {
			return fmt.Errorf("surface %d: %w", id, err)
		}
	}
	return nil
}

// end lets everybody go, and checks that nothing is left.
func (b *bench) end() error {
	b.sim.Close()
	if n := b.sim.Scene.Commands.Len(); n != 0 {
		return fmt.Errorf("%d drawables are left", n)
	}
	if n := b.sim.Scene.Regions.Len(); n != 0 {
		return fmt.Errorf("%d regions are left", n)
	}
	if n := b.sim.Scene.Clips.Len(); n != 0 {
		return fmt.Errorf("%d clips are left", n)
	}
	if n := b.sim.Scene.Pixels.Len(); n != 0 {
		return fmt.Errorf("%d pixel buffers are left", n)
	}
	if n := b.sim.Scene.Encoded.Len(); n != 0 {
		return fmt.Errorf("%d compressed images are left", n)
	}
	if n := b.sim.Scene.Held; n != 0 {
		return fmt.Errorf("%d bytes held at the end", n)
	}
	return b.guest.finished()
}
