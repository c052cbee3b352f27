package qxl

import (
	"math"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// foreignPage is memory that Go's collector knows nothing of.
func foreignPage(t *testing.T) []byte {
	t.Helper()
	page, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Munmap(page) })
	return page
}

func TestMemoryForeign(t *testing.T) {
	page := foreignPage(t)
	copy(page, fillBytes(len(page), 3))
	base := uintptr(unsafe.Pointer(&page[0]))
	m, err := NewMemory(MemoryConfig{Groups: 1, Slots: 3, GenBits: 1, IDBits: 8})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []Foreign{
		{ID: 0, Start: base, End: base + 100, Delta: base - 50}, // offsets 50 to 150
		{ID: 1, Start: 0, End: math.MaxUint},                    // all memory, offsets are addresses
		{ID: 2, Start: base, End: base + 100},
	} {
		if err := m.AddForeign(f); err != nil {
			t.Fatal(err)
		}
	}
	if m.AddForeign(Foreign{Start: 5, End: 5}) == nil {
		t.Error("an empty range was accepted")
	}
	for _, c := range []struct {
		name string
		addr PHYS
		size int
		want Reason
	}{
		{"first", m.Address(0, 0, 50), 1, ReasonNone},
		{"all", m.Address(0, 0, 50), 100, ReasonNone},
		{"before", m.Address(0, 0, 49), 1, ReasonRange},
		{"behind", m.Address(0, 0, 150), 1, ReasonRange},
		{"one too many", m.Address(0, 0, 50), 101, ReasonRange},
		{"delta wraps", m.Address(0, 0, 0), 1, ReasonRange},
		{"all memory", m.Address(0, 1, uint64(base)+50), 7, ReasonNone},
		{"null", m.Address(0, 1, 0), 1, ReasonRange},
		{"too large", m.Address(0, 1, uint64(base)), MaxBytes + 1, ReasonLength},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, err := m.Bytes(c.addr, c.size, 0)
			wantReason(t, err, c.want)
			if err == nil && (len(b) != c.size || cap(b) != c.size || !within(b, page)) {
				t.Errorf("%d bytes, cap %d, not in the page", len(b), cap(b))
			}
		})
	}
	if b, err := m.window(m.Address(0, 2, uint64(base)+90), 4, 50, 0); err != nil || len(b) != 10 {
		t.Errorf("window of %d bytes, %v", len(b), err)
	}
	if err := m.DelSlot(0, 0); err != nil {
		t.Fatal(err)
	}
	_, err = m.Bytes(m.Address(0, 0, 50), 1, 0)
	wantReason(t, err, ReasonRange)

	wraps, err := NewMemory(MemoryConfig{Groups: 1, Slots: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := wraps.AddForeign(Foreign{End: math.MaxUint}); err != nil {
		t.Fatal(err)
	}
	_, err = wraps.Bytes(math.MaxUint64-3, 5, 0)
	wantReason(t, err, ReasonWrap)
}

func within(b, page []byte) bool {
	first, start := uintptr(unsafe.Pointer(&b[0])), uintptr(unsafe.Pointer(&page[0]))
	return first >= start && first+uintptr(len(b)) <= start+uintptr(len(page)) && b[0] == page[first-start]
}
