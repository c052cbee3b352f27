//go:build cgo && libspice

package main

// #include <stdlib.h>
// #include "host.h"
import "C"

import (
	"unsafe"

	"github.com/spiceecs/spiceecs"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/systems/display"
)

// batchSize is how many commands one call into the shim fetches at most.
const batchSize = 64

// ring gives the engine the rings of a QXLInterface. It belongs to the
// device's worker.
type ring struct {
	shim            unsafe.Pointer
	display, cursor batch
	held            bool // the guest's rings are left alone

	// slots are the address ranges of guest memory, for the way back from a
	// resource to its place in the process. A deleted one stays until another
	// takes its place: what was taken from it is still to be released.
	memory qxl.MemoryConfig
	slots  []qxl.Foreign
}

// batch is what has been fetched from one ring, in C's memory.
type batch struct {
	entries *[batchSize]C.struct_se_command
	at, n   int
}

func newRing(shim unsafe.Pointer, memory qxl.MemoryConfig) *ring {
	r := &ring{shim: shim, memory: memory}
	r.display.entries = (*[batchSize]C.struct_se_command)(C.calloc(batchSize, C.sizeof_struct_se_command))
	r.cursor.entries = (*[batchSize]C.struct_se_command)(C.calloc(batchSize, C.sizeof_struct_se_command))
	return r
}

func (r *ring) free() {
	C.free(unsafe.Pointer(r.display.entries))
	C.free(unsafe.Pointer(r.cursor.entries))
}

func command(c *C.struct_se_command) qxl.Command {
	return qxl.Command{
		Data: qxl.PHYS(c.data), Type: qxl.CommandType(c._type), Group: uint32(c.group), Flags: uint32(c.flags),
	}
}

func (r *ring) get(b *batch, cursor C.int, c *qxl.Command) bool {
	if b.at == b.n {
		if r.held {
			return false
		}
		b.at, b.n = 0, int(C.host_commands(host, r.shim, &b.entries[0], batchSize, cursor))
		if b.n == 0 {
			return false
		}
	}
	*c = command(&b.entries[b.at])
	b.at++
	return true
}

func (r *ring) GetCommand(c *qxl.Command) bool       { return r.get(&r.display, 0, c) }
func (r *ring) GetCursorCommand(c *qxl.Command) bool { return r.get(&r.cursor, 1, c) }

func (r *ring) RequestCommandNotification() bool { return C.host_await(host, r.shim, 0) != 0 }
func (r *ring) RequestCursorNotification() bool  { return C.host_await(host, r.shim, 1) != 0 }

func (r *ring) NotifyUpdate(id uint32) { C.host_notify_update(host, r.shim, C.uint32_t(id)) }
func (r *ring) FlushResources() bool   { return C.host_flush(host, r.shim) != 0 }

// releaseInfoSize is what the VMM reads and writes of a resource it gets back.
const releaseInfoSize = 16

// Release finds the resource in the process. If the guest has moved its memory
// meanwhile, there is nothing to give back.
func (r *ring) Release(res qxl.Resource) {
	if addr := r.resolve(res); addr != 0 {
		C.host_release(host, r.shim, C.uint64_t(addr), C.uint32_t(res.Group))
	}
}

func (r *ring) resolve(res qxl.Resource) uintptr {
	idBits, genBits := r.memory.IDBits, r.memory.GenBits
	slot := uint64(res.Data) >> (64 - idBits)
	if int(res.Group) >= r.memory.Groups || slot >= uint64(r.memory.Slots) || r.slots == nil {
		return 0
	}
	s := &r.slots[int(res.Group)*r.memory.Slots+int(slot)]
	offset := uint64(res.Data) << (idBits + genBits) >> (idBits + genBits)
	addr := uintptr(offset) + s.Delta
	if addr < s.Start || addr > s.End || s.End-addr < releaseInfoSize {
		return 0
	}
	return addr
}

// addSlot is the request that makes guest memory visible.
func (r *ring) addSlot(f qxl.Foreign) spiceecs.Request {
	return func(w *display.Worker) error {
		if err := display.AddForeign(f)(w); err != nil {
			return err
		}
		if r.slots == nil {
			r.slots = make([]qxl.Foreign, r.memory.Groups*r.memory.Slots)
		}
		r.slots[int(f.Group)*r.memory.Slots+int(f.ID)] = f
		return nil
	}
}
