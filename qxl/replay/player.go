// Package replay is a guest that does again what a recorded one did: a Player
// reads a recording, lays its commands out in video memory and offers them on
// the rings that a device's worker polls.
//
// Data flow:
//
//	recording → Event → surface ids mapped → guest.Assembler → two queues → worker
//	worker → Release → guest.VRAM, waiting feeder
//
// Two goroutines meet here. The feeder is whoever called Run: it owns the
// reader, the event and the tables of surfaces, allocates video memory and
// pushes. The device's worker owns the other end of the queues and releases.
// Between them are only atomics, VRAM's own lock, and a lock for the surfaces
// that are being destroyed.
//
// Bounds: a queue holds Options.Queue entries, video memory Options.Memory
// bytes, and the feeder waits when either is full. It never drops a command.
package replay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/guest"
	"github.com/spiceecs/spiceecs/qxl/record"
)

// Device is what a guest asks of the engine besides taking its commands. All
// methods are synchronous and may be called from any goroutine. When
// DestroyPrimary and DestroySurfaces return, nothing refers to the surfaces'
// memory any more.
type Device interface {
	AddMemSlot(qxl.Slot) error
	CreatePrimary(qxl.PrimarySurface) error
	DestroyPrimary() error
	DestroySurfaces() error
	Wakeup()
}

// OOMDevice is a Device that can be told that the guest has no video memory
// left, so that it releases what it holds.
type OOMDevice interface {
	Device
	OOM()
}

// Clock tells the time and calls back. The zero time is of no importance.
type Clock interface {
	Now() time.Time
	AfterFunc(d time.Duration, f func()) (stop func() bool)
}

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

func (systemClock) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	return time.AfterFunc(d, f).Stop
}

// Pace says when commands are fed.
type Pace uint8

const (
	// Fast feeds as the engine takes.
	Fast Pace = iota
	// Recorded feeds each command at its recorded time after the first one.
	Recorded
)

// Options of a Player; the zero value plays once, fast.
type Options struct {
	Pace      Pace
	Loop      bool   // begin again at the end
	StopAfter uint64 // commands of both rings, over all passes; 0 for all
	Clock     Clock  // nil is the system's
	Memory    int    // bytes of video memory, 0 for guest.DefaultSize
	Queue     int    // entries of each ring, rounded up to a power of two; 0 for 512
}

const (
	defaultQueue = 512
	maxQueue     = 1 << 20

	// oomDelay is how long a full memory waits for releases before the device
	// is told, and how often it is told again.
	oomDelay = 10 * time.Millisecond
)

// Player is a guest that plays a recording. It implements qxl.Ring for the
// device it runs on.
type Player struct {
	open  func() (io.ReadCloser, error)
	opts  Options
	vram  *guest.VRAM
	asm   *guest.Assembler
	ev    record.Event
	count counters

	display, cursor queue

	// The feeder sleeps on wake for what waiting says.
	waiting atomic.Uint32
	wake    chan struct{}
	oomMark atomic.Uint64 // releases counted when memory was last found full

	primary  guest.Block // memory of the living primary surface, 0 for none
	surfaces surfaces
}

// What the feeder waits for.
const (
	forNothing uint32 = iota
	forQueue          // the queues to be half empty, or empty
	forRelease        // a release
)

var errDone = errors.New("replay: stopped after the commands asked for")

// New makes a player of the recording that open yields: once, or for each pass
// of a loop. It allocates the video memory.
func New(open func() (io.ReadCloser, error), o Options) (*Player, error) {
	if o.Queue < 0 || o.Queue > maxQueue {
		return nil, fmt.Errorf("replay: queue of %d entries, want up to %d", o.Queue, maxQueue)
	}
	if o.Clock == nil {
		o.Clock = systemClock{}
	}
	if o.Queue == 0 {
		o.Queue = defaultQueue
	}
	size := 1
	for size < o.Queue {
		size *= 2
	}
	v, err := guest.NewVRAM(o.Memory)
	if err != nil {
		return nil, err
	}
	p := &Player{open: open, opts: o, vram: v, asm: guest.NewAssembler(v), wake: make(chan struct{}, 1)}
	p.display.ring = make([]qxl.Command, size)
	p.cursor.ring = make([]qxl.Command, size)
	p.surfaces.init()
	return p, nil
}

// Run feeds dev until the recording ends and all commands have been taken; the
// last picture stays. A Player runs once. What is wrong with a recording is a
// *record.FormatError, after everything before it has been played.
func (p *Player) Run(ctx context.Context, dev Device) error {
	if err := dev.AddMemSlot(p.vram.Slot()); err != nil {
		return fmt.Errorf("replay: add memory slot: %w", err)
	}
	for {
		before := p.count.commands.Load()
		err := p.pass(ctx, dev)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil && err != errDone {
			return errors.Join(err, p.drain(ctx))
		}
		if err == errDone || !p.opts.Loop || p.count.commands.Load() == before {
			return p.drain(ctx)
		}
		if err := p.rewind(ctx, dev); err != nil {
			return err
		}
	}
}

// pass plays the recording once.
func (p *Player) pass(ctx context.Context, dev Device) error {
	src, err := p.open()
	if err != nil {
		return fmt.Errorf("replay: open recording: %w", err)
	}
	defer src.Close()
	r, err := record.NewReader(src)
	if err != nil {
		return err
	}
	defer r.Close()
	p.count.passes.Add(1)
	pace := pacer{clock: p.opts.Clock}
	for ctx.Err() == nil {
		if err := r.Next(&p.ev); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if p.ev.Kind == record.Worker {
			err = p.request(ctx, dev)
		} else {
			err = p.command(ctx, dev, &pace)
		}
		if err != nil {
			return fmt.Errorf("replay: event %d at byte %d: %w", p.ev.Counter, p.ev.Offset, err)
		}
		if stop := p.opts.StopAfter; stop != 0 && p.count.commands.Load() >= stop {
			return errDone
		}
	}
	return ctx.Err()
}

// command feeds the ring command in p.ev.
func (p *Player) command(ctx context.Context, dev Device, pace *pacer) error {
	p.count.commands.Add(1)
	if p.opts.Pace == Recorded {
		if err := pace.wait(ctx, p.ev.Timestamp); err != nil {
			return err
		}
	}
	c, ok, err := p.assemble(ctx, dev)
	if err != nil {
		return err
	}
	if !ok {
		p.count.skipped.Add(1)
		return nil
	}
	q := &p.display
	if c.Type == qxl.CommandCursor {
		q = &p.cursor
	}
	if q.full() {
		if err := p.sleep(ctx, forQueue, func() bool { return q.len() <= len(q.ring)/2 }); err != nil {
			return err
		}
	}
	p.count.fed[c.Type].Add(1)
	if q.push(c) {
		dev.Wakeup()
	}
	return nil
}

// request does what the VMM of the recording asked of its device, as far as it
// concerns surfaces: after everything that was fed before.
func (p *Player) request(ctx context.Context, dev Device) error {
	var do func(Device) error
	switch record.WorkerType(p.ev.Type) {
	case record.WorkerCreatePrimary, record.WorkerCreatePrimaryAsync:
		if !p.ev.HasPrimary {
			return nil
		}
		do = func(dev Device) error { return p.createPrimary(ctx, dev) }
	case record.WorkerDestroyPrimary:
		do = p.destroyPrimary
	case record.WorkerDestroySurfaces:
		do = p.destroySurfaces
	default:
		return nil
	}
	if err := p.drain(ctx); err != nil {
		return err
	}
	return do(dev)
}

// drain waits until the worker has taken all commands.
func (p *Player) drain(ctx context.Context) error {
	return p.sleep(ctx, forQueue, func() bool { return p.display.len() == 0 && p.cursor.len() == 0 })
}

// rewind leaves no off-screen surface behind for the next pass, whose
// recording creates them again.
func (p *Player) rewind(ctx context.Context, dev Device) error {
	if len(p.surfaces.living) == 0 {
		return nil
	}
	if err := p.drain(ctx); err != nil {
		return err
	}
	return p.destroySurfaces(dev)
}

// sleep waits until ready, which what of the worker's doings may bring about.
func (p *Player) sleep(ctx context.Context, what uint32, ready func() bool) error {
	for !ready() {
		p.waiting.Store(what)
		if ready() {
			break
		}
		select {
		case <-p.wake:
		case <-ctx.Done():
			p.waiting.Store(forNothing)
			return ctx.Err()
		}
	}
	p.waiting.Store(forNothing)
	return nil
}

// rouse ends a sleep for what.
func (p *Player) rouse(what uint32) {
	if p.waiting.Load() == what && p.waiting.CompareAndSwap(what, forNothing) {
		select {
		case p.wake <- struct{}{}:
		default:
		}
	}
}

// pacer holds commands back until they are due.
type pacer struct {
	clock   Clock
	started bool
	base    time.Time
	first   uint64
}

// wait waits until stamp, in nanoseconds, is as long ago as it was recorded.
func (w *pacer) wait(ctx context.Context, stamp uint64) error {
	if !w.started {
		w.started, w.base, w.first = true, w.clock.Now(), stamp
		return nil
	}
	left := w.base.Add(time.Duration(stamp - w.first)).Sub(w.clock.Now())
	if left <= 0 {
		return nil
	}
	due := make(chan struct{})
	stop := w.clock.AfterFunc(left, func() { close(due) })
	select {
	case <-due:
		return nil
	case <-ctx.Done():
		stop()
		return ctx.Err()
	}
}
