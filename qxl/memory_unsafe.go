package qxl

import (
	"fmt"
	"unsafe"
)

// Foreign is a slot over addresses of this process that Go does not manage: a
// VMM written in C names guest memory, or simply all memory, that way. The byte
// at offset o of the slot is at o+Delta (modulo the address size), which has to
// lie in [Start, End). What a guest's address selects there is read without
// further ado: the range has to stay mapped, and one over all memory (which
// includes Go's heap) is for groups whose commands the VMM itself makes.
type Foreign struct {
	Group, ID, Generation uint32
	Start, End, Delta     uintptr
}

// AddForeign puts f into its place, over what was there.
func (m *Memory) AddForeign(f Foreign) error {
	e, err := m.entry(f.Group, f.ID)
	if err != nil {
		return fmt.Errorf("qxl: add slot: %w", err)
	}
	if f.Start >= f.End {
		return fmt.Errorf("qxl: add slot: no memory in [%#x, %#x)", f.Start, f.End)
	}
	*e = slot{generation: f.Generation, host: f}
	return nil
}

// bytes returns a view of exactly the addresses asked for, never one that
// starts at address 0. It must not be given to anything that reads ahead of
// the bytes it needs: in a slot over all memory, the window's end may be unmapped.
func (f *Foreign) bytes(offset uint64, least, most int) ([]byte, Reason) {
	virt := uintptr(offset) + f.Delta
	if virt+uintptr(least) < virt {
		return nil, ReasonWrap
	}
	if uint64(uintptr(offset)) != offset || virt == 0 || virt < f.Start || virt > f.End || f.End-virt < uintptr(least) {
		return nil, ReasonRange
	}
	n := least
	if room := f.End - virt; uintptr(most) > room {
		n = int(room)
	} else {
		n = most
	}
	// The address is the VMM's; reading the word as a pointer says so.
	return unsafe.Slice(*(**byte)(unsafe.Pointer(&virt)), n), ReasonNone
}
