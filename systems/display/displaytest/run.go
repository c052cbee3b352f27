package displaytest

import (
	"bytes"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/canvas"
	"github.com/spiceecs/spiceecs/qxl/guest"
	"github.com/spiceecs/spiceecs/regions"
	"github.com/spiceecs/spiceecs/systems/display"
	"github.com/spiceecs/spiceecs/systems/encode"
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
	guest   *ring
	truth   painter
	clients map[int]*viewer
	primary []byte
	cmd     qxl.Drawable
	bound   int64
}

// viewer is a client, and where the device has it.
type viewer struct {
	*client
	slot int
}

// Run executes a program and checks after every steps that all is well, and at
// the end that nothing is left behind. The error names the step.
func Run(p Program, every int) (err error) {
	step := -1
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
		if err != nil && step >= 0 && step < len(p) {
			err = fmt.Errorf("step %d, %s: %w", step+1, p[step].Do, err)
		}
	}()
	b, err := newBench()
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
	return b.end()
}

func newBench() (*bench, error) {
	vram, err := guest.NewVRAM(vramSize)
	if err != nil {
		return nil, err
	}
	b := &bench{clients: map[int]*viewer{}, truth: painter{canvases: canvases{}}}
	b.guest = &ring{vram: vram, asm: guest.NewAssembler(vram), blocks: map[uint64][]byte{}}
	b.sim, err = display.NewSim(display.Config{
		Ring:     b.guest,
		Memory:   qxl.MemoryConfig{Groups: 1, Slots: 1, GenBits: 8, IDBits: 8},
		Surfaces: Surfaces, HeldBytes: 1 << 30, Compression: encode.Off, Pool: pool(), Caches: encode.NewRegistry(),
		Clock: ecs.NewManualClock(time.Unix(0, 0)), Log: slog.New(slog.DiscardHandler),
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
	default:
		return b.clientStep(s)
	}
	return b.guest.err
}

func (b *bench) clientStep(s *Step) error {
	v := b.clients[s.Client]
	if (v == nil) != (s.Do == Join) {
		return nil
	}
	switch s.Do {
	case Join:
		slot, err := b.sim.Join()
		b.clients[s.Client] = &viewer{newClient(), slot}
		return err
	case Leave:
		delete(b.clients, s.Client)
		return b.sim.Leave(v.slot)
	case Lag:
		return b.sim.Lag(v.slot)
	case Send:
		return b.sim.Send(v.slot, s.Count)
	case Sent:
		if err := v.receive(b.batch(v)); err != nil {
			return fmt.Errorf("client %d: %w", s.Client, err)
		}
		return b.sim.Sent(v.slot)
	}
	return fmt.Errorf("unknown step %q", s.Do)
}

// batch is what is on its way to a client.
func (b *bench) batch(v *viewer) []byte { return bytes.Join(b.sim.Batch(v.slot).Buffers(nil), nil) }

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
		cs.execute(b.sim.Scene.Command(d), b.sim.Tree.Area(e))
		e = d.DeviceLink.Next
	}
	return b.compare(cs, func(uint32) bool { return true }, nowhere)
}

// checkClient lets a copy of the client have what is on its way and what waits.
func (b *bench) checkClient(v *viewer) error {
	c := v.clone()
	if err := c.receive(b.batch(v)); err != nil {
		return err
	}
	for _, item := range b.sim.Items(v.slot) {
		if err := b.apply(c, item); err != nil {
			return err
		}
	}
	return b.compare(c.canvases, func(id uint32) bool { return b.sim.Knows(v.slot, id) },
		func(id uint32) *regions.Region { return b.sim.Behind(v.slot, id) })
}

func nowhere(uint32) *regions.Region { return nil }

// compare compares the surfaces that have to be there with the painter's, but
// for what is excused.
func (b *bench) compare(cs canvases, known func(uint32) bool, excused func(uint32) *regions.Region) error {
	for id := range uint32(Surfaces) {
		want := b.truth.canvases[id]
		if !known(id) {
			want = nil
		}
		if want == nil && cs[id] == nil {
			continue
		}
		var area regions.Region
		if want != nil {
			area.SetRect(want.Bounds())
		}
		if x := excused(id); x != nil {
			area.Subtract(x)
		}
		for _, rc := range area.AppendRects([]regions.Rect{{}}) {
			if err := differ(cs[id], want, rc); err != nil {
				return fmt.Errorf("surface %d: %w", id, err)
			}
		}
	}
	return nil
}

// apply does to a client what a pipe item will, without a message.
func (b *bench) apply(c *client, item *components.PipeItem) error {
	switch item.Kind {
	case components.ItemDraw:
		d := b.sim.Scene.Command(b.sim.Scene.Drawables.Get(item.Drawable))
		if c.canvases[d.Surface] == nil {
			return fmt.Errorf("a drawable waits for surface %d, which will not exist", d.Surface)
		}
		c.execute(d, nil)
	case components.ItemImage:
		pix := *b.sim.Scene.Pixels.Get(item.Pixels)
		to := c.canvases[item.Surface]
		if to == nil {
			return fmt.Errorf("pixels wait for surface %d, which will not exist", item.Surface)
		}
		pasteAs(to, item, pix)
	case components.ItemSurfaceCreate:
		if c.canvases[item.Surface] != nil {
			return fmt.Errorf("surface %d will be created twice", item.Surface)
		}
		c.canvases[item.Surface] = canvas.New(qxl.SurfaceFormat(item.Format), int(item.Width), int(item.Height))
	case components.ItemSurfaceDestroy:
		if c.canvases[item.Surface] == nil {
			return fmt.Errorf("surface %d will be destroyed without having existed", item.Surface)
		}
		delete(c.canvases, item.Surface)
	}
	return nil
}

// pasteAs puts an image item's pixels on a canvas; they may be of another format.
func pasteAs(to *canvas.Canvas, item *components.PipeItem, pix []byte) {
	from, err := canvas.Wrap(qxl.SurfaceFormat(item.Format), int(item.Area.Width()), int(item.Area.Height()),
		len(pix)/int(item.Area.Height()), pix)
	if err != nil {
		panic(err)
	}
	d := qxl.Drawable{
		Type: qxl.DrawCopy, BBox: item.Area, SrcArea: from.Bounds(), Rop: qxl.RopPut,
		Scale: qxl.ScaleNearest, Mask: qxl.Mask{Image: qxl.NoImage}, Images: []qxl.Image{{Type: qxl.ImageSurface}},
	}
	_ = to.Draw(&d, canvases{0: from})
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
