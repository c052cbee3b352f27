// Package display composes the stages into a device's worker: one goroutine
// that owns the device's scene, its display and cursor channels, and all their
// connections.
//
// One tick:
//
//	wait      Loop.Poll: sockets, timers, requests of other goroutines
//	ingest    commands from the rings -> drawables (package ingest)
//	add       surfaces the clients lack, then tree, raster and the clients' pipes
//	bound     the oldest drawables are executed while too much guest memory is held
//	send      every client's Conn.Pump: pipe -> marshal -> socket
//	release   resources go back to the guest as their last reference is dropped
//
// Other goroutines reach a Worker through its methods, which are requests that
// the worker carries out between two ticks, in order.
package display

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/systems/cursor"
	"github.com/spiceecs/spiceecs/systems/encode"
	"github.com/spiceecs/spiceecs/systems/ingest"
	"github.com/spiceecs/spiceecs/systems/marshal"
	"github.com/spiceecs/spiceecs/systems/pipe"
	"github.com/spiceecs/spiceecs/systems/raster"
	"github.com/spiceecs/spiceecs/systems/release"
	"github.com/spiceecs/spiceecs/systems/tree"
)

// ErrStopped reports a request to a worker that has ended.
var ErrStopped = errors.New("display worker has stopped")

// Limits of a worker.
const (
	ingestBudget = 512      // commands of each ring in one tick
	pipeItems    = 1024     // items in the fullest pipe before the ring has to wait
	pipeBytes    = 32 << 20 // bytes in it
	defaultHeld  = 64 << 20 // bytes of guest memory held by default
	maxFlush     = 1 << 20  // commands taken from a ring that never gets empty
	maxSurfaces  = 10000    // surface ids of one device
)

// Config describes a device.
type Config struct {
	ID          uint8 // of its display and cursor channels
	Ring        qxl.Ring
	Memory      qxl.MemoryConfig
	Surfaces    int   // surface ids are below this
	HeldBytes   int64 // of guest memory, before the oldest drawables are executed
	Compression encode.Compression
	JPEG        encode.WAN
	ZlibGLZ     encode.WAN
	Pool        *encode.Pool     // shared by all devices of a server
	Caches      *encode.Registry // likewise
	Clock       ecs.Clock
	Log         *slog.Logger
	// PrimaryChanged is called, on the worker's goroutine, when the screen
	// appears, changes or goes away.
	PrimaryChanged func(p Primary)
	// Joined is called, on the worker's goroutine, when a client is about to be
	// sent the screen.
	Joined func(client uint32)
	// Left is called, on the worker's goroutine, when a client's display or
	// cursor channel has ended.
	Left func(channel wire.ChannelType, client uint32)
}

// Primary is what the rest of the server has to know of a device's screen.
type Primary struct {
	Active        bool
	Width, Height int32
	MouseMode     bool // the pointer may be absolute
}

// Worker runs one QXL device.
type Worker struct {
	cfg   Config
	log   *slog.Logger
	loop  *ecs.Loop
	sched *ecs.Schedule
	mem   *qxl.Memory
	dec   *qxl.Decoder

	scene   *components.Scene
	rel     *release.Releaser
	pipes   *pipe.Pipes
	tree    *tree.Tree
	raster  *raster.Raster
	ingest  *ingest.Ingest
	encoder *encode.Encoder
	msg     *marshal.Marshaller
	cursor  *cursor.Cursor

	clients  []*client // by pipe slot, nil where there is none
	monitors qxl.MonitorsConfig
	driver   bool // the guest's driver sends monitors configurations
	running  bool
	bytes    int64 // sent by connections that have ended

	rearm    atomic.Bool
	quit     bool
	done     chan struct{}
	quitOnce sync.Once
}

// New returns a worker that is not running yet.
func New(cfg Config) (*Worker, error) {
	if cfg.Surfaces < 1 || cfg.Surfaces > maxSurfaces {
		return nil, fmt.Errorf("display worker: %d surfaces, want 1 to %d", cfg.Surfaces, maxSurfaces)
	}
	if cfg.HeldBytes == 0 {
		cfg.HeldBytes = defaultHeld
	}
	mem, err := qxl.NewMemory(cfg.Memory)
	if err != nil {
		return nil, fmt.Errorf("display worker: %w", err)
	}
	loop, err := ecs.NewLoop(cfg.Clock)
	if err != nil {
		return nil, fmt.Errorf("display worker: %w", err)
	}
	w := &Worker{
		cfg: cfg, log: cfg.Log.With("device", cfg.ID), loop: loop, mem: mem, dec: qxl.NewDecoder(mem),
		scene: components.NewScene(cfg.Surfaces), cursor: cursor.New(), running: true, done: make(chan struct{}),
	}
	w.rel = release.New(w.scene, cfg.Ring.Release)
	w.pipes = pipe.New(w.scene, w.rel)
	w.tree = tree.New(w.scene, w)
	w.rel.Ending = w.tree.Forget
	w.raster = raster.New(w.scene, w.rel, w.tree)
	w.raster.Failed = func(err error) { w.log.Warn("drawable not executed", "err", err) }
	w.encoder = encode.NewEncoder(w.scene, cfg.Pool)
	w.msg = marshal.New(w.scene, w.rel, w.encoder)
	w.ingest = ingest.New(w.scene, cfg.Ring, mem, w.rel, w, w.log)
	w.sched = ecs.NewSchedule(
		stage{"ingest", w.ingestStage},
		stage{"bound", w.boundStage},
		stage{"send", w.sendStage},
	)
	return w, nil
}

// stage makes a function a system.
type stage struct {
	name string
	run  func(time.Time) time.Duration
}

func (s stage) Name() string                    { return s.name }
func (s stage) Run(now time.Time) time.Duration { return s.run(now) }

// Run is the worker's goroutine. It returns after Close.
func (w *Worker) Run() {
	defer close(w.done)
	for !w.quit {
		next := w.sched.Tick(w.cfg.Clock.Now())
		if err := w.loop.Poll(next); err != nil {
			w.log.Error("display worker fails", "err", err)
			break
		}
	}
	w.shutdown()
}

// shutdown ends all connections and gives everything back to the guest.
func (w *Worker) shutdown() {
	for _, c := range w.clients {
		if c != nil {
			c.conn.Close(ErrStopped)
		}
	}
	for len(w.cursor.Clients()) > 0 {
		w.cursor.Clients()[0].Close(ErrStopped)
	}
	for id := range w.scene.ByID {
		w.destroySurface(uint32(id))
	}
	w.loop.Close()
}

// Close ends the worker and waits until it has.
func (w *Worker) Close() {
	w.quitOnce.Do(func() { w.loop.Post(func() { w.quit = true }) })
	<-w.done
}

// Wakeup makes the worker look at the rings. It costs an atomic test when the
// worker is awake. Safe from any goroutine.
func (w *Worker) Wakeup() {
	if !w.rearm.Swap(true) {
		w.loop.Wake()
	}
}

// do carries out a request on the worker's goroutine and waits for it.
func (w *Worker) do(f func() error) error {
	result := make(chan error, 1)
	if !w.loop.Post(func() { result <- f() }) {
		return ErrStopped
	}
	select {
	case err := <-result:
		return err
	case <-w.done:
		return ErrStopped
	}
}

func (w *Worker) ingestStage(now time.Time) time.Duration {
	w.pipes.Now = now
	if w.rearm.Swap(false) {
		w.ingest.Rearm()
	}
	if !w.running {
		return ecs.Idle
	}
	return w.ingest.Run(now, ingestBudget)
}

// boundStage executes the oldest drawables while they hold too much guest memory.
func (w *Worker) boundStage(time.Time) time.Duration {
	for w.overBound() && w.raster.RenderOldest() {
	}
	return ecs.Idle
}

// overBound reports whether drawables hold more of the guest's memory, or of
// the slab, than they may.
func (w *Worker) overBound() bool {
	return w.scene.Held > w.cfg.HeldBytes || w.scene.Full()
}

// Room reports whether the clients keep up, so that more commands may come.
func (w *Worker) Room() bool {
	items, bytes := w.pipes.Longest()
	return items < pipeItems && bytes < pipeBytes && !w.scene.Full() && (!w.overBound() || w.scene.Current.Len > 0)
}

// Draw takes a drawable from the ring.
func (w *Worker) Draw(e ecs.Entity) {
	cmd := w.scene.Command(w.scene.Drawables.Get(e))
	if cmd.SelfBitmap {
		w.selfBitmap(cmd)
	}
	for slot := range w.pipes.Clients() {
		if c := w.clients[slot]; c.joined && len(c.behind) == 0 {
			w.announceFor(c, cmd)
		}
	}
	if w.tree.Exhausted() {
		w.raster.FlushAll()
		w.tree.Restart()
	}
	switch res, with := w.tree.Add(e); res {
	case tree.Ignored:
	case tree.Reverted:
		w.revert(e, with)
	default:
		w.raster.Add(e)
		for slot := range w.pipes.Clients() {
			if c := w.clients[slot]; c.joined {
				c.draw(e)
			}
		}
		if res == tree.Barrier {
			w.raster.FlushAll()
		}
	}
}

// revert deals with a drawable e that undoes an older one, with: canvas and
// clients that have not consumed that yet need neither, all others need e.
func (w *Worker) revert(e, with ecs.Entity) {
	w.rel.Ref(with)
	for slot := range w.pipes.Clients() {
		if c := w.clients[slot]; c.joined && !w.pipes.RemoveFrom(slot, with) {
			c.draw(e)
		}
	}
	if w.scene.Drawables.Get(with).Current {
		w.raster.Drop(with)
	} else {
		w.raster.Add(e)
	}
	w.rel.Unref(with)
}

// Hidden takes a drawable that cannot be seen any more from the canvas's list
// and from all pipes.
func (w *Worker) Hidden(e ecs.Entity) {
	w.rel.Ref(e)
	w.pipes.RemoveDraw(e)
	if w.scene.Drawables.Get(e).Current {
		w.raster.Drop(e)
	}
	w.rel.Unref(e)
}

// Update takes an update command from the ring.
func (w *Worker) Update(u *qxl.UpdateCommand) {
	if w.scene.Surface(u.Surface) == nil {
		w.log.Debug("update of a surface that does not exist", "surface", u.Surface)
	} else {
		w.raster.Update(u.Surface, u.Area)
	}
	// A guest that waits for an answer gets one in any case.
	w.cfg.Ring.NotifyUpdate(u.UpdateID)
}

// Cursor takes a command from the cursor ring.
func (w *Worker) Cursor(c *qxl.CursorCommand) { w.cursor.Command(c) }
