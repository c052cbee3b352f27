// Package display makes the stages (package stages) a device's worker: one goroutine
// that owns the device's scene, its display and cursor channels, and all their
// connections.
//
// One tick:
//
//	wait      Loop.Poll: sockets, timers, requests of other goroutines
//	ingest    commands from the rings -> drawables (package ingest)
//	add       surfaces the clients lack, then tree, raster and the clients' pipes
//	bound     the oldest drawables are executed while too much guest memory is held
//	stream    videos that get no frames rest, or end (package stream)
//	send      every client's Conn.Pump: pipe -> marshal -> socket
//	release   resources go back to the guest as their last reference is dropped
//
// Other goroutines reach a Worker through its methods, which are requests that
// the worker carries out between two ticks, in order.
package display

import (
	"cmp"
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
	"github.com/spiceecs/spiceecs/qxl/record"
	"github.com/spiceecs/spiceecs/regions"
	"github.com/spiceecs/spiceecs/systems/cursor"
	"github.com/spiceecs/spiceecs/systems/encode"
	"github.com/spiceecs/spiceecs/systems/marshal"
	"github.com/spiceecs/spiceecs/systems/stages"
	"github.com/spiceecs/spiceecs/systems/stream"
)

// ErrStopped reports a request to a worker that has ended.
var ErrStopped = errors.New("display worker has stopped")

// Limits of a worker.
const (
	ingestBudget = 512      // commands of each ring in one tick
	pipeItems    = 1024     // items in the fullest pipe before the ring has to wait
	pipeBytes    = 32 << 20 // bytes in it
	defaultHeld  = 32 << 20 // bytes of guest memory held by default
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
	// StallTimeout is how long a client may take nothing before it is dropped; 0:
	// 30 s.
	StallTimeout time.Duration
	Streaming    stream.Mode      // what is sent as video; 0: stream.Filter
	Pool         *encode.Pool     // shared by all devices of a server
	Caches       *encode.Registry // likewise
	Clock        ecs.Clock
	Log          *slog.Logger
	Recording    *Recording // nil: none
	// VideoCodecs are those that may be used, the best one first; nil: the default.
	VideoCodecs stream.Codecs
	// MultimediaTime is the clock by which clients show the frames of videos, in
	// milliseconds. It is called on the worker's goroutine.
	MultimediaTime func() uint32
	// TellTime has a client told that clock again, since the client's drifts.
	TellTime func(client uint32)
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

	*stages.Stages
	encoder *encode.Encoder
	msg     *marshal.Marshaller
	cursor  *cursor.Cursor
	streams *stream.Tracker
	pace    pace
	sample  sample
	// The newest pictures of videos, by stream.
	pictures [components.MaxStreams]picture
	missing  uint8 // video codecs, by number, that were found not to be installed

	clients    []*client // by pipe slot, nil where there is none
	monitors   qxl.MonitorsConfig
	driver     bool // the guest's driver sends monitors configurations
	running    bool
	seen       regions.Region // scratch: where a drawable can be seen
	frames     uint64         // of videos sent
	compressed uint64         // pictures for these
	bytes      int64          // sent by connections that have ended

	rearm    atomic.Bool
	signal   int // eventfd of the guest's
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
	cfg.StallTimeout = cmp.Or(cfg.StallTimeout, defaultStall)
	mem, err := qxl.NewMemory(cfg.Memory)
	if err != nil {
		return nil, fmt.Errorf("display worker: %w", err)
	}
	if cfg.Recording != nil {
		cfg.Ring = &recorder{Ring: cfg.Ring, rec: cfg.Recording, dec: qxl.NewDecoder(mem)}
	}
	loop, err := ecs.NewLoop(cfg.Clock)
	if err != nil {
		return nil, fmt.Errorf("display worker: %w", err)
	}
	w := &Worker{
		cfg: cfg, log: cfg.Log.With("device", cfg.ID), loop: loop, mem: mem, dec: qxl.NewDecoder(mem),
		cursor: cursor.New(), running: true, done: make(chan struct{}),
	}
	w.Stages = stages.New(w, cfg.Ring, mem, cfg.Surfaces, w.log)
	w.Raster.Failed = func(err error) { w.log.Warn("drawable not executed", "err", err) }
	w.encoder = encode.NewEncoder(w.Scene, cfg.Pool)
	w.msg = marshal.New(w.Scene, w.Release, w.encoder)
	w.setVideoCodecs(cfg.VideoCodecs)
	w.streams = stream.New(w.Scene, cmp.Or(cfg.Streaming, stream.Filter))
	w.streams.Gradual = w.gradual
	if w.signal, err = loop.Signal(w.Ingest.Rearm); err != nil {
		loop.Close()
		return nil, fmt.Errorf("display worker: %w", err)
	}
	w.sched = ecs.NewSchedule(
		stage{"ingest", w.ingestStage},
		stage{"bound", w.boundStage},
		stage{"stream", w.streamStage},
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
	if r := w.cfg.Recording; r != nil {
		r.note(record.WorkerClose)
		_ = r.out.Flush()
	}
	for _, c := range w.clients {
		if c != nil {
			c.conn.Close(ErrStopped)
		}
	}
	for len(w.cursor.Clients()) > 0 {
		w.cursor.Clients()[0].Close(ErrStopped)
	}
	w.DestroyAll()
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

// WakeFD is an eventfd that wakes the worker, which then looks at the rings. It
// is good until Close.
func (w *Worker) WakeFD() int { return w.signal }

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
	w.Pipes.Now = now
	if w.rearm.Swap(false) {
		w.Ingest.Rearm()
	}
	if !w.running {
		return ecs.Idle
	}
	return w.Ingest.Run(now, ingestBudget)
}

// boundStage executes the oldest drawables while they hold too much guest memory.
func (w *Worker) boundStage(time.Time) time.Duration {
	w.Bound(w.cfg.HeldBytes)
	return ecs.Idle
}

// Room reports whether the clients keep up, so that more commands may come.
func (w *Worker) Room() bool {
	items, bytes := w.Pipes.Longest()
	return items < pipeItems && bytes < pipeBytes && !w.Scene.Full() && (!w.Over(w.cfg.HeldBytes) || w.Scene.Current.Len > 0)
}

// Need sends a surface to the clients that lack it, with what it shows.
func (w *Worker) Need(surface uint32) {
	for _, c := range w.clients {
		if c != nil && c.joined && len(c.behind) == 0 {
			w.announce(c, surface, true)
		}
	}
}

// Queue gives a drawable to all clients.
func (w *Worker) Queue(e ecs.Entity) {
	if w.frame(e) {
		return
	}
	w.pace.add(w.Pipes.Now, w.Scene.Drawables.Get(e))
	for _, c := range w.clients {
		if c != nil && c.joined {
			c.draw(e)
		}
	}
}

// QueueReverting gives a drawable e, which undoes an older one, to the clients
// that have been sent that.
func (w *Worker) QueueReverting(e, with ecs.Entity) {
	for _, c := range w.clients {
		if c != nil && c.joined && !w.Pipes.RemoveFrom(c.slot, with) {
			c.draw(e)
		}
	}
}

// Cursor takes a command from the cursor ring.
func (w *Worker) Cursor(c *qxl.CursorCommand) { w.cursor.Command(c) }
