package replay

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/record"
)

// device is a worker that takes, decodes and releases commands. It sleeps only
// when both rings are armed, so that a lost wake-up is a test that never ends.
type device struct {
	ring    qxl.Ring
	wake    chan struct{}
	calls   chan func()
	quit    chan struct{}
	stopped sync.WaitGroup

	// Of the worker.
	mem      *qxl.Memory
	dec      *qxl.Decoder
	rnd      *rand.Rand
	hold     int // resources held back before one is released
	held     []qxl.Resource
	primary  bool
	surfaces map[uint32]qxl.Resource // living, with what the creation holds
	ooms     int
	took     func(qxl.Command, any) // sees each decoded command
	called   func(string, []byte)
	ev       record.Event
	err      error
	clock    *fakeClock
	flushed  int
}

func newDevice(t testing.TB, ring qxl.Ring, seed uint64) *device {
	m, err := qxl.NewMemory(qxl.MemoryConfig{Groups: 1, Slots: 1, GenBits: 1, IDBits: 1})
	if err != nil {
		t.Fatal(err)
	}
	return &device{
		ring: ring, wake: make(chan struct{}, 1), calls: make(chan func()), quit: make(chan struct{}),
		mem: m, dec: qxl.NewDecoder(m), rnd: rand.New(rand.NewPCG(seed, 4)), hold: 8,
		surfaces: map[uint32]qxl.Resource{},
		took:     func(qxl.Command, any) {}, called: func(string, []byte) {},
	}
}

func (d *device) start(t testing.TB) {
	d.stopped.Go(d.run)
	t.Cleanup(func() {
		close(d.quit)
		d.stopped.Wait()
		if d.err != nil {
			t.Error(d.err)
		}
	})
}

func (d *device) run() {
	var c qxl.Command
	for {
		if d.ring.GetCommand(&c) || d.ring.GetCursorCommand(&c) {
			if err := d.take(c); err != nil {
				d.err = errors.Join(d.err, err)
			}
			continue
		}
		armed := d.ring.RequestCommandNotification()
		if !d.ring.RequestCursorNotification() || !armed {
			continue
		}
		var timers chan *timer
		if d.clock != nil {
			timers = d.clock.timers
		}
		select {
		case <-d.wake:
		case f := <-d.calls:
			f()
		case t := <-timers:
			d.clock.fire(t)
		case <-d.quit:
			return
		}
	}
}

// take decodes a command and releases it, or an older one.
func (d *device) take(c qxl.Command) error {
	var err error
	var r qxl.Resource
	var body any
	switch c.Type {
	case qxl.CommandDraw:
		err, r, body = d.dec.Drawable(&d.ev.Drawable, c), d.ev.Drawable.Resource, &d.ev.Drawable
	case qxl.CommandUpdate:
		err, r, body = d.dec.Update(&d.ev.Update, c), d.ev.Update.Resource, &d.ev.Update
		d.ring.NotifyUpdate(d.ev.Update.UpdateID)
	case qxl.CommandCursor:
		err, r, body = d.dec.Cursor(&d.ev.Cursor, c), d.ev.Cursor.Resource, &d.ev.Cursor
	case qxl.CommandMessage:
		err, r, body = d.dec.Message(&d.ev.Message, c), d.ev.Message.Resource, &d.ev.Message
	case qxl.CommandSurface:
		err, r, body = d.dec.Surface(&d.ev.Surface, c), d.ev.Surface.Resource, &d.ev.Surface
		if err == nil {
			return d.surface(c, &d.ev.Surface)
		}
	}
	if err != nil {
		return fmt.Errorf("command of type %d: %w", c.Type, err)
	}
	d.took(c, body)
	d.release(r)
	return nil
}

// surface holds the creation until the destruction, and releases that late.
func (d *device) surface(c qxl.Command, s *qxl.SurfaceCommand) error {
	old, lives := d.surfaces[s.Surface]
	switch {
	case s.Action == qxl.SurfaceCreate && lives:
		return fmt.Errorf("surface %d is created twice", s.Surface)
	case s.Action == qxl.SurfaceCreate:
		d.surfaces[s.Surface] = s.Resource
		d.took(c, s)
		return nil
	case !lives:
		return fmt.Errorf("surface %d is destroyed and does not live", s.Surface)
	}
	delete(d.surfaces, s.Surface)
	d.took(c, s)
	d.release(old)
	d.release(s.Resource)
	return nil
}

func (d *device) release(r qxl.Resource) {
	for d.held = append(d.held, r); len(d.held) > d.hold; {
		i := d.rnd.IntN(len(d.held))
		d.ring.Release(d.held[i])
		d.held[i] = d.held[len(d.held)-1]
		d.held = d.held[:len(d.held)-1]
	}
}

// call runs f on the worker.
func (d *device) call(name string, data []byte, f func() error) error {
	done := make(chan error)
	d.calls <- func() {
		d.called(name, data)
		done <- f()
	}
	return <-done
}

func (d *device) AddMemSlot(s qxl.Slot) error {
	return d.call("slot", nil, func() error { return d.mem.AddSlot(s) })
}

func (d *device) CreatePrimary(p qxl.PrimarySurface) error {
	return d.call("create", p.Memory, func() error {
		if d.primary {
			return errors.New("there is a primary surface already")
		}
		d.primary = true
		return nil
	})
}

func (d *device) DestroyPrimary() error {
	return d.call("destroy", nil, func() error {
		if !d.primary {
			return errors.New("there is no primary surface")
		}
		d.primary = false
		return nil
	})
}

func (d *device) DestroySurfaces() error {
	return d.call("surfaces", nil, func() error {
		for _, r := range d.surfaces {
			d.ring.Release(r)
		}
		clear(d.surfaces)
		d.primary = false
		return nil
	})
}

func (d *device) Wakeup() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// settle waits until the worker is done with what it took.
func (d *device) settle() { d.call("settle", nil, func() error { return nil }) }

// flush releases everything, on the worker.
func (d *device) flush() error {
	return d.call("flush", nil, func() error {
		for _, r := range d.held {
			d.ring.Release(r)
		}
		d.held = d.held[:0]
		return nil
	})
}

// starved is a device that releases nothing until it is told to.
type starved struct{ *device }

func (d starved) OOM() {
	d.ooms++
	if d.ring.FlushResources() {
		d.flushed++
	}
	if err := d.flush(); err != nil {
		panic(err)
	}
}

// fakeClock stands still until a timer fires, which the device decides.
type fakeClock struct {
	mu     sync.Mutex
	now    time.Time
	timers chan *timer
}

type timer struct {
	due time.Time
	f   func()
}

func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *fakeClock) AfterFunc(d time.Duration, f func()) func() bool {
	c.timers <- &timer{c.Now().Add(d), f}
	return func() bool { return false }
}

func (c *fakeClock) fire(t *timer) {
	c.mu.Lock()
	c.now = t.due
	c.mu.Unlock()
	t.f()
}
