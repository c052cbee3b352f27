package spiceecs

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/net/core"
	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
	"github.com/spiceecs/spiceecs/systems/display"
	"github.com/spiceecs/spiceecs/systems/encode"
	"github.com/spiceecs/spiceecs/systems/stream"
)

// DeviceOptions describe a QXL device. Ring is required.
type DeviceOptions struct {
	ID   uint8 // of its channels; unique in the server
	Ring qxl.Ring

	// Memory is the shape of guest addresses; zero: one group of 8 slots with
	// 8 bits of id and of generation, as QXL devices have it.
	Memory qxl.MemoryConfig
	// Surfaces bounds surface ids; 0: 1024.
	Surfaces int
	// HeldBytes of guest memory may wait to be drawn or sent; 0: 32 MiB.
	HeldBytes int64
	// RAM is the device's memory in bytes, a hint for the sizes of clients' caches.
	RAM uint32
	// ImageCompression is auto_glz, auto_lz, quic, glz, lz, lz4 or off; "": auto_glz.
	// A client may prefer another.
	ImageCompression string
	// JPEG and ZlibGLZ say when images may lose quality, and when GLZ is
	// compressed once more: auto (on slow lines), always or never; "": auto.
	// Only what looks like a photo loses quality, and only with the compressions
	// quic, auto_glz and auto_lz; it is sent exactly when the line is idle.
	JPEG, ZlibGLZ string
	// StreamingVideo says what is sent as video: off, all (what is painted again
	// and again), or filter (of that, what looks like one); "": filter.
	StreamingVideo string
	// VideoCodecs are the video codecs that may be used, the best one first, as
	// encoder:codec;... with the encoders spice and gstreamer; "": auto. What is not
	// installed is passed over.
	VideoCodecs string
	// StallTimeout is how long a client may take nothing before it is dropped; 0: 30 s.
	StallTimeout time.Duration
	// Recording, if set, gets everything that the device is given; devices may
	// share one.
	Recording *Recording
	// OnDisplay, if set, is told when a client's display channel is about to be
	// sent the screen. It is called on the device's goroutine and must not block.
	OnDisplay func(client uint32)
	// OnLeft, if set, is told when a client's display or cursor channel has
	// ended, as OnDisplay is.
	OnLeft func(channel wire.ChannelType, client uint32)
}

// Device is a QXL device of a Server.
//
// The requests that return an error have been carried out when they return;
// they are carried out in the order in which they are made.
type Device struct {
	server *Server
	worker *display.Worker
	opts   DeviceOptions
}

// Recording is what a device can be played again from, see package record.
type Recording = display.Recording

// NewRecording starts a recording on w. Whoever closes w closes the devices before.
func NewRecording(w io.Writer) (*Recording, error) {
	return display.NewRecording(w, ecs.SystemClock{})
}

// DeviceStats describe a device's work.
type DeviceStats = display.Stats

// AddDevice starts a device and offers its channels to clients.
func (s *Server) AddDevice(o DeviceOptions) (*Device, error) {
	d, err := s.newDevice(o)
	if err != nil {
		return nil, fmt.Errorf("spiceecs: adding device %d: %w", o.ID, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.devices[o.ID] != nil {
		d.discard()
		if s.closed {
			return nil, ErrClosed
		}
		return nil, fmt.Errorf("spiceecs: adding device %d: there is one", o.ID)
	}
	s.devices[o.ID] = d
	s.core.SetDisplay(o.ID, core.DisplayState{RAM: o.RAM})
	go d.worker.Run()
	for _, ch := range d.channels() {
		// It cannot fail: the id is not taken.
		_ = s.core.AddChannel(ch)
	}
	return d, nil
}

func (s *Server) newDevice(o DeviceOptions) (*Device, error) {
	if o.Memory == (qxl.MemoryConfig{}) {
		o.Memory = qxl.MemoryConfig{Groups: 1, Slots: 8, GenBits: 8, IDBits: 8}
	}
	if o.Surfaces == 0 {
		o.Surfaces = 1024
	}
	compression, err1 := encode.ParseCompression(cmp.Or(o.ImageCompression, encode.AutoGLZ.String()))
	jpeg, err2 := encode.ParseWAN(cmp.Or(o.JPEG, "auto"))
	zlib, err3 := encode.ParseWAN(cmp.Or(o.ZlibGLZ, "auto"))
	streaming, err4 := stream.ParseMode(cmp.Or(o.StreamingVideo, stream.Filter.String()))
	codecs, err5 := stream.ParseCodecs(cmp.Or(o.VideoCodecs, "auto"))
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		return nil, err
	}
	w, err := display.New(display.Config{
		ID: o.ID, Ring: o.Ring, Memory: o.Memory, Surfaces: o.Surfaces, HeldBytes: o.HeldBytes,
		Compression: compression, JPEG: jpeg, ZlibGLZ: zlib, Streaming: streaming, VideoCodecs: codecs, StallTimeout: o.StallTimeout, MultimediaTime: s.core.MultimediaTime, Pool: s.pool, Caches: s.caches,
		Clock: s.clock, Log: s.log, Recording: o.Recording, Joined: o.OnDisplay, Left: o.OnLeft,
		TellTime: s.core.TellTime,
		PrimaryChanged: func(p display.Primary) {
			s.core.SetDisplay(o.ID, core.DisplayState{
				Active: p.Active, Width: p.Width, Height: p.Height, MouseMode: p.MouseMode, RAM: o.RAM,
			})
		},
	})
	if err != nil {
		return nil, err
	}
	return &Device{server: s, worker: w, opts: o}, nil
}

// discard frees a device that never ran.
func (d *Device) discard() {
	go d.worker.Run()
	d.worker.Close()
}

func (d *Device) channels() []core.Channel {
	return []core.Channel{cursorChannel{d}, displayChannel{d}}
}

// Close takes the device away: its channels end, its surfaces go, and every
// resource is released.
func (d *Device) Close() {
	d.server.mu.Lock()
	delete(d.server.devices, d.opts.ID)
	d.server.mu.Unlock()
	for _, ch := range d.channels() {
		d.server.core.RemoveChannel(ch)
	}
	d.worker.Close()
	d.server.core.RemoveDisplay(d.opts.ID)
}

// Wakeup tells the device that commands have come after it had asked for a
// notification. It is cheap, and may be called from anywhere.
func (d *Device) Wakeup() { d.worker.Wakeup() }

// WakeFD is an eventfd that does what Wakeup does when something is added to it,
// for VMMs for which calling Go is dear. It is good until Close.
func (d *Device) WakeFD() int { return d.worker.WakeFD() }

// AddMemSlot makes guest memory visible to the device's commands.
func (d *Device) AddMemSlot(s qxl.Slot) error { return d.worker.AddMemSlot(s) }

// DelMemSlot takes a slot's memory away again.
func (d *Device) DelMemSlot(group, id uint32) error { return d.worker.DelMemSlot(group, id) }

// ResetMemSlots takes the memory of all slots away.
func (d *Device) ResetMemSlots() error { return d.worker.ResetMemSlots() }

// CreatePrimary makes the screen. Its memory must stay until DestroyPrimary or
// DestroySurfaces has returned.
func (d *Device) CreatePrimary(p qxl.PrimarySurface) error { return d.worker.CreatePrimary(p) }

// DestroyPrimary takes the screen away, after every command already in the rings.
func (d *Device) DestroyPrimary() error { return d.worker.DestroyPrimary() }

// DestroySurfaces takes the screen and all off-screen surfaces away, after
// every command already in the rings.
func (d *Device) DestroySurfaces() error { return d.worker.DestroySurfaces() }

// UpdateArea draws everything that can be seen in an area of a surface into its
// memory before it returns. It appends to dirty the rectangles that were drawn
// on since the last update with clear.
func (d *Device) UpdateArea(surface uint32, area regions.Rect, clear bool, dirty []regions.Rect) ([]regions.Rect, error) {
	return d.worker.UpdateArea(surface, area, clear, dirty)
}

// UpdateAreaAsync is UpdateArea without the wait: done is called, on the
// device's goroutine, exactly once, unless the device is closed, which false
// tells. It must not block.
func (d *Device) UpdateAreaAsync(surface uint32, area regions.Rect, clear bool, done func(dirty []regions.Rect, err error)) bool {
	return d.worker.UpdateAreaAsync(surface, area, clear, done)
}

// FlushSurfaces draws everything that was issued.
func (d *Device) FlushSurfaces() error { return d.worker.FlushSurfaces() }

// Start serves the rings. A new device is started.
func (d *Device) Start() error { return d.worker.Start() }

// Stop leaves the rings alone, after everything that was issued has been drawn.
func (d *Device) Stop() error { return d.worker.Stop() }

// OOM gives back what can be given back when the guest has run out of memory.
func (d *Device) OOM() { d.worker.OOM() }

// ResetCursor forgets the pointer.
func (d *Device) ResetCursor() error { return d.worker.ResetCursor() }

// SetMonitors reads a monitors configuration from guest memory; limit, if not
// 0, is the most heads it may have.
func (d *Device) SetMonitors(addr qxl.PHYS, group uint32, limit int) error {
	return d.worker.SetMonitors(addr, group, limit)
}

// DriverUnload tells that the guest's driver, which configured monitors, has gone.
func (d *Device) DriverUnload() error { return d.worker.DriverUnload() }

// Stats returns the device's counters.
func (d *Device) Stats() (DeviceStats, error) { return d.worker.Stats() }

// displayChannel and cursorChannel offer a device's worker to the core.
type (
	displayChannel struct{ d *Device }
	cursorChannel  struct{ d *Device }
)

func (c displayChannel) Type() wire.ChannelType    { return wire.ChannelDisplay }
func (c displayChannel) ID() uint8                 { return c.d.opts.ID }
func (c displayChannel) Caps() wire.Caps           { return display.Caps() }
func (c displayChannel) Connect(a core.Attachment) { c.d.worker.ConnectDisplay(connection(a)) }
func (c displayChannel) Disconnect(client uint32)  { c.d.worker.Disconnect(client) }

func (c cursorChannel) Type() wire.ChannelType    { return wire.ChannelCursor }
func (c cursorChannel) ID() uint8                 { return c.d.opts.ID }
func (c cursorChannel) Caps() wire.Caps           { return nil }
func (c cursorChannel) Connect(a core.Attachment) { c.d.worker.ConnectCursor(connection(a)) }
func (c cursorChannel) Disconnect(client uint32)  { c.d.worker.Disconnect(client) }

func connection(a core.Attachment) display.Connection {
	return display.Connection{FD: a.FD, Client: a.Client.ID, MiniHeader: a.Hello.MiniHeader, Caps: a.Hello.Caps, LowBandwidth: a.LowBandwidth}
}
