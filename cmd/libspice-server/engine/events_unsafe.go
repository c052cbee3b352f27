//go:build cgo && libspice

package main

// #include "host.h"
import "C"

import (
	"encoding/binary"
	"net"
	"net/netip"
	"syscall"
	"unsafe"

	"github.com/spiceecs/spiceecs"
	"github.com/spiceecs/spiceecs/net/core"
	"github.com/spiceecs/spiceecs/net/wire"
)

// post queues something for the VMM's main thread.
func (s *server) post(e C.struct_se_event) { C.host_post(host, s.shim, &e) }

// linked tells the VMM of a connection. Display channels and their capabilities
// are remembered, for the guest.
func (s *server) linked(l spiceecs.LinkEvent) {
	h := &l.Hello
	e := C.struct_se_event{serial: C.uint64_t(h.Serial)}
	switch l.State {
	case core.LinkOpened:
		e.kind, e.local, e.peer = C.SE_CHANNEL_OPENED, address(h.Local), address(h.Remote)
	case core.LinkRefused:
		e.kind = C.SE_CHANNEL_REFUSED
	case core.LinkUp:
		if h.Type == wire.ChannelDisplay {
			s.mu.Lock()
			s.caps[link2{l.Client, h.ID}] = h.Caps
			s.mu.Unlock()
		}
		e.kind, e.connection = C.SE_CHANNEL_UP, C.uint32_t(l.Client)
		e._type, e.id = C.uint32_t(h.Type), C.uint32_t(h.ID)
		if h.Secure {
			e.tls = 1
		}
	case core.LinkEnded:
		s.left(h.Type, h.ID, l.Client)
		return
	}
	s.post(e)
}

func (s *server) left(t wire.ChannelType, id uint8, client uint32) {
	if t == wire.ChannelDisplay {
		s.mu.Lock()
		delete(s.caps, link2{client, id})
		s.mu.Unlock()
	}
	s.post(C.struct_se_event{
		kind: C.SE_CHANNEL_DOWN, connection: C.uint32_t(client), _type: C.uint32_t(t), id: C.uint32_t(id),
	})
}

// address is a as a sockaddr.
func address(a net.Addr) (out C.struct_se_address) {
	b := unsafe.Slice((*byte)(&out.bytes[0]), len(out.bytes))
	if u, ok := a.(*net.UnixAddr); ok {
		binary.NativeEndian.PutUint16(b, syscall.AF_UNIX)
		out.size = C.uint32_t(2 + copy(b[2:110], u.Name))
		return out
	}
	if a == nil {
		return out
	}
	ap, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return out
	}
	binary.BigEndian.PutUint16(b[2:], ap.Port())
	if ip := ap.Addr().Unmap(); ip.Is4() {
		binary.NativeEndian.PutUint16(b, syscall.AF_INET)
		copy(b[4:], ip.AsSlice())
		out.size = 16
	} else {
		binary.NativeEndian.PutUint16(b, syscall.AF_INET6)
		copy(b[8:], ip.AsSlice())
		out.size = 28
	}
	return out
}

// Clients' input, on its way to the VMM. The keyboard's locks are what the shim
// last heard of them: the device itself can only be asked on the main thread.
type (
	keyboard struct{ s *server }
	mouse    struct{ s *server }
	tablet   struct{ s *server }
)

func (k keyboard) Scancode(code byte) {
	k.s.post(C.struct_se_event{kind: C.SE_SCANCODE, a: C.int32_t(code)})
}

func (k keyboard) LEDs() core.Locks { return core.Locks(k.s.leds.Load()) }

func (m mouse) Motion(dx, dy, dz int32, buttons uint32) {
	m.s.post(C.struct_se_event{
		kind: C.SE_MOUSE_MOTION, a: C.int32_t(dx), b: C.int32_t(dy), c: C.int32_t(dz), buttons: C.uint32_t(buttons),
	})
}

func (m mouse) Buttons(buttons uint32) {
	m.s.post(C.struct_se_event{kind: C.SE_MOUSE_BUTTONS, buttons: C.uint32_t(buttons)})
}

func (t tablet) SetLogicalSize(w, h int32) {
	t.s.post(C.struct_se_event{kind: C.SE_TABLET_SIZE, a: C.int32_t(w), b: C.int32_t(h)})
}

func (t tablet) Position(x, y int32, buttons uint32, _ uint8) {
	t.s.post(C.struct_se_event{
		kind: C.SE_TABLET_POSITION, a: C.int32_t(x), b: C.int32_t(y), buttons: C.uint32_t(buttons),
	})
}

func (t tablet) Wheel(dz int32, buttons uint32) {
	t.s.post(C.struct_se_event{kind: C.SE_TABLET_WHEEL, a: C.int32_t(dz), buttons: C.uint32_t(buttons)})
}

func (t tablet) Buttons(buttons uint32) {
	t.s.post(C.struct_se_event{kind: C.SE_TABLET_BUTTONS, buttons: C.uint32_t(buttons)})
}

//export se_server_input
func se_server_input(h C.uint64_t, dev, present, leds C.int) {
	s := of[*server](h)
	var k core.Keyboard
	var m core.Mouse
	var t core.Tablet
	if present != 0 {
		k, m, t = keyboard{s}, mouse{s}, tablet{s}
	}
	switch dev {
	case C.SE_KEYBOARD:
		s.leds.Store(uint32(leds))
		s.SetKeyboard(k)
	case C.SE_MOUSE:
		s.SetMouse(m)
	case C.SE_TABLET:
		s.SetTablet(t)
	}
}

//export se_server_leds
func se_server_leds(h C.uint64_t, leds C.int) {
	s := of[*server](h)
	if s.leds.Swap(uint32(leds)) != uint32(leds) {
		s.SetLEDs(core.Locks(leds))
	}
}
