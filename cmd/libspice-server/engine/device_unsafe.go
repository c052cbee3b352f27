//go:build cgo && libspice

package main

// #include "host.h"
import "C"

import (
	"fmt"
	"runtime"
	"runtime/cgo"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/spiceecs/spiceecs"
	"github.com/spiceecs/spiceecs/net/wire"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
	"github.com/spiceecs/spiceecs/systems/display"
	"github.com/spiceecs/spiceecs/systems/encode"
)

// device is a QXLInstance.
type device struct {
	*spiceecs.Device
	server *server
	ring   *ring
	id     uint8

	// Of the worker.
	stopped bool
	present C.int // whether the guest knows of a client
}

//export se_device_new
func se_device_new(h C.uint64_t, shim unsafe.Pointer, info *C.struct_se_device_info) C.uint64_t {
	s := of[*server](h)
	memory := qxl.MemoryConfig{
		Groups: int(info.groups), Slots: int(info.slots), GenBits: uint8(info.gen_bits), IDBits: uint8(info.id_bits),
	}
	d := &device{server: s, ring: newRing(shim, memory), id: uint8(info.id)}
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	var rec *spiceecs.Recording
	if s.record != nil {
		rec = s.record.Recording
	}
	d.Device, err = s.AddDevice(spiceecs.DeviceOptions{
		ID: d.id, Recording: rec, Ring: d.ring, Memory: memory, Surfaces: int(info.surfaces), RAM: uint32(info.ram),
		ImageCompression: s.compression.String(), JPEG: encode.WANNames[s.jpeg-1], ZlibGLZ: encode.WANNames[s.zlib-1],
		StreamingVideo: s.streaming.String(), VideoCodecs: s.codecs,
		OnDisplay: func(uint32) { d.tellCaps() }, OnLeft: d.left,
	})
	if status("adding a device", err) != 0 {
		d.ring.free()
		return 0
	}
	s.devices[d.id] = d
	_ = d.Carry(ownThread) // it has only just started
	return handle(d)
}

// ownThread keeps the worker on one thread of the system from now on: a VMM may
// tell its callers by their threads. Its timers are not as slack as those of the
// engine's other threads: frames of videos have their time.
func ownThread(*display.Worker) error {
	const slack = 50_000 // nanoseconds, as usual
	runtime.LockOSThread()
	name := []byte("SPICE Worker\x00")
	if err := unix.Prctl(unix.PR_SET_TIMERSLACK, slack, 0, 0, 0); err != nil {
		return err
	}
	return unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(&name[0])), 0, 0, 0)
}

//export se_device_free
func se_device_free(h C.uint64_t) {
	d := of[*device](h)
	cgo.Handle(h).Delete()
	d.server.mu.Lock()
	delete(d.server.devices, d.id)
	d.server.mu.Unlock()
	d.Close()
	d.ring.free()
}

// se_device_wake_fd is an eventfd; who adds to it makes the worker look at the rings.
//
//export se_device_wake_fd
func se_device_wake_fd(h C.uint64_t) C.int { return C.int(of[*device](h).WakeFD()) }

//export se_device_oom
func se_device_oom(h C.uint64_t) { of[*device](h).OOM() }

func (d *device) left(t wire.ChannelType, client uint32) {
	d.server.left(t, d.id, client)
	if t == wire.ChannelDisplay {
		d.tellCaps()
	}
}

// guestCaps are the display capabilities that make a difference to a driver:
// sized streams, monitors configurations, compositing, 8-bit alpha surfaces.
const guestCaps = 0xf

// tellCaps tells the guest what all of its clients can do, unless it is stopped:
// then it is told when it starts. It runs on the device's worker.
func (d *device) tellCaps() {
	if d.stopped {
		return
	}
	present, all := C.int(0), byte(guestCaps)
	d.server.mu.Lock()
	for l, caps := range d.server.caps {
		if l.id != d.id {
			continue
		}
		present = 1
		for bit := range 4 {
			if !caps.Has(bit) {
				all &^= 1 << bit
			}
		}
	}
	d.server.mu.Unlock()
	var caps [C.SE_CAPS]C.uint8_t
	if present != 0 {
		caps[0] = C.uint8_t(all)
	}
	if present|d.present != 0 {
		d.present = present
		C.host_client_caps(host, d.ring.shim, present, &caps[0])
	}
}

//export se_device_request
func se_device_request(h C.uint64_t, rq *C.struct_se_request, dirty *C.struct_se_rect, room C.uint32_t) C.int {
	d := of[*device](h)
	r := d.request(rq, dirty, room)
	if rq.async == 0 {
		return status("request of the VMM", d.Carry(r))
	}
	cookie := rq.cookie
	if !d.CarryAsync(r, func(err error) {
		refused(err)
		C.host_complete(host, d.ring.shim, cookie)
	}) {
		return -1
	}
	return 0
}

// request translates a request. What rq points at is read now.
func (d *device) request(rq *C.struct_se_request, dirty *C.struct_se_rect, room C.uint32_t) spiceecs.Request {
	switch rq.op {
	case C.SE_UPDATE_AREA:
		return d.updateArea(rq, dirty, int(room))
	case C.SE_ADD_SLOT:
		s := rq.slot
		return d.ring.addSlot(qxl.Foreign{
			Group: uint32(s.group), ID: uint32(s.id), Generation: uint32(s.generation),
			Start: uintptr(s.start), End: uintptr(s.end), Delta: uintptr(s.delta),
		})
	case C.SE_DEL_SLOT:
		return display.DelSlot(uint32(rq.slot.group), uint32(rq.slot.id))
	case C.SE_CREATE_PRIMARY:
		p := rq.primary
		return display.CreatePrimary(qxl.PrimarySurface{
			Width: uint32(p.width), Height: uint32(p.height), Stride: int32(p.stride),
			Format: qxl.SurfaceFormat(p.format), Position: uint32(p.position), MouseMode: p.mouse_mode != 0,
			Flags: uint32(p.flags), Type: uint32(p._type),
		}, qxl.PHYS(p.mem), uint32(p.group))
	case C.SE_DESTROY_SURFACE:
		return display.DestroySurface(uint32(rq.surface))
	case C.SE_MONITORS:
		return display.Monitors(qxl.PHYS(rq.addr), uint32(rq.group), int(rq.limit))
	case C.SE_LOADVM:
		cmds := make([]qxl.Command, rq.count)
		for i, c := range unsafe.Slice(rq.commands, rq.count) {
			cmds[i] = command(&c)
		}
		return display.LoadCommands(cmds)
	case C.SE_START:
		return func(w *display.Worker) error {
			d.stopped = false
			d.tellCaps()
			return display.Start(w)
		}
	case C.SE_STOP:
		// What was taken from the guest is carried out; what it has put into
		// its rings since stays there.
		return func(w *display.Worker) error {
			d.ring.held, d.stopped = true, true
			defer func() { d.ring.held = false }()
			return firstError(display.FlushSurfaces(w), display.Stop(w))
		}
	}
	if r := plain[rq.op]; r != nil {
		return r
	}
	return func(*display.Worker) error { return fmt.Errorf("unknown request %d", rq.op) }
}

// plain are the requests without parameters. Images are not cached on this
// side of the wire, so there is nothing to reset.
var plain = map[C.uint32_t]spiceecs.Request{
	C.SE_RESET_SLOTS:       display.ResetSlots,
	C.SE_DESTROY_PRIMARY:   display.DestroyPrimary,
	C.SE_DESTROY_SURFACES:  display.DestroySurfaces,
	C.SE_FLUSH_SURFACES:    display.FlushSurfaces,
	C.SE_RESET_CURSOR:      display.ResetCursor,
	C.SE_RESET_IMAGE_CACHE: func(*display.Worker) error { return nil },
	C.SE_DRIVER_UNLOAD:     display.DriverUnload,
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// updateArea answers with rectangles: in the VMM's array, the last one standing
// for all that there was no room for, or through the shim.
func (d *device) updateArea(rq *C.struct_se_request, dirty *C.struct_se_rect, room int) spiceecs.Request {
	surface, async := uint32(rq.surface), rq.async != 0
	area := regions.Rect{
		Left: int32(rq.area.left), Top: int32(rq.area.top), Right: int32(rq.area.right), Bottom: int32(rq.area.bottom),
	}
	return display.UpdateArea(surface, area, rq.clear != 0, func(rects []regions.Rect) {
		out := unsafe.Slice(dirty, room)
		if async {
			out = make([]C.struct_se_rect, len(rects))
		}
		for i, r := range rects {
			if i < len(out) {
				out[i] = rect(r)
			} else if len(out) > 0 {
				last := &out[len(out)-1]
				last.left, last.top = min(last.left, C.int32_t(r.Left)), min(last.top, C.int32_t(r.Top))
				last.right, last.bottom = max(last.right, C.int32_t(r.Right)), max(last.bottom, C.int32_t(r.Bottom))
			}
		}
		if async {
			C.host_updated(host, d.ring.shim, C.uint32_t(surface), unsafe.SliceData(out), C.uint32_t(len(out)))
		}
	})
}

func rect(r regions.Rect) C.struct_se_rect {
	return C.struct_se_rect{
		left: C.int32_t(r.Left), top: C.int32_t(r.Top), right: C.int32_t(r.Right), bottom: C.int32_t(r.Bottom),
	}
}
