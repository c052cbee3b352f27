package qxl

import "fmt"

// Bounds of a MemoryConfig. The devices in use have two groups of eight slots.
const (
	maxGroups = 64
	maxSlots  = 1024
)

// MaxBytes is the largest piece of guest memory that is ever looked at in one go.
const MaxBytes = 0x7fffffff

// MemoryConfig is the shape of guest addresses. From the top bit down, a PHYS
// is IDBits of slot id, GenBits of generation, and the offset. The group is not
// part of an address: it comes with the command.
type MemoryConfig struct {
	Groups, Slots   int
	GenBits, IDBits uint8
}

func (c MemoryConfig) validate() error {
	switch {
	case c.Groups < 1 || c.Groups > maxGroups:
		return fmt.Errorf("qxl: memory: %d slot groups, want 1 to %d", c.Groups, maxGroups)
	case c.Slots < 1 || c.Slots > maxSlots:
		return fmt.Errorf("qxl: memory: %d slots, want 1 to %d", c.Slots, maxSlots)
	case c.GenBits > 32 || c.IDBits > 32 || c.GenBits+c.IDBits > 63:
		return fmt.Errorf("qxl: memory: %d generation and %d id bits leave no offset", c.GenBits, c.IDBits)
	}
	return nil
}

// Slot makes Mem visible to one group's addresses, from offset Start on.
type Slot struct {
	Group, ID, Generation uint32
	Start                 uint64 // guest offset of Mem[0]
	Mem                   []byte
}

// Memory resolves guest addresses through slots. It is owned by the device's
// worker and not safe for concurrent use. Slots live in one table of
// Groups*Slots entries; a slot that was never added, or was deleted, is empty
// and resolves nothing.
type Memory struct {
	cfg                MemoryConfig
	idShift, genShift  uint
	genMask, offsetMax uint64
	slots              []slot
}

// slot is a table entry. Guest memory is either mem or, where host.End is not
// 0, a range of this process's addresses.
type slot struct {
	generation uint32
	start      uint64
	mem        []byte
	host       Foreign
}

// NewMemory makes a table without any memory in it.
func NewMemory(cfg MemoryConfig) (*Memory, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	offsetBits := 64 - uint(cfg.IDBits) - uint(cfg.GenBits)
	return &Memory{
		cfg:       cfg,
		idShift:   64 - uint(cfg.IDBits),
		genShift:  offsetBits,
		genMask:   1<<cfg.GenBits - 1,
		offsetMax: ^uint64(0) >> (64 - offsetBits),
		slots:     make([]slot, cfg.Groups*cfg.Slots),
	}, nil
}

// Config returns what the memory was made with.
func (m *Memory) Config() MemoryConfig { return m.cfg }

// AddSlot puts s into its place, over what was there.
func (m *Memory) AddSlot(s Slot) error {
	e, err := m.entry(s.Group, s.ID)
	if err != nil {
		return fmt.Errorf("qxl: add slot: %w", err)
	}
	if s.Start+uint64(len(s.Mem)) < s.Start {
		return fmt.Errorf("qxl: add slot: %d bytes at %#x pass the end of the address space", len(s.Mem), s.Start)
	}
	*e = slot{generation: s.Generation, start: s.Start, mem: s.Mem}
	return nil
}

// DelSlot takes the memory out of a slot. Its generation stays.
func (m *Memory) DelSlot(group, id uint32) error {
	e, err := m.entry(group, id)
	if err != nil {
		return fmt.Errorf("qxl: delete slot: %w", err)
	}
	*e = slot{generation: e.generation}
	return nil
}

// Reset empties all slots and forgets their generations.
func (m *Memory) Reset() { clear(m.slots) }

// Address builds the address of an offset in a slot, with the slot's present
// generation. What Bytes would refuse (no such slot, an offset out of range)
// may come out as any address.
func (m *Memory) Address(group, id uint32, offset uint64) PHYS {
	var generation uint64
	if e, err := m.entry(group, id); err == nil {
		generation = uint64(e.generation) & m.genMask
	}
	return PHYS(uint64(id)<<m.idShift | generation<<m.genShift | offset&m.offsetMax)
}

// Bytes returns the size bytes of guest memory at addr. They may change at any
// time. The error is a *GuestError: unless group and slot exist, the
// generation is the slot's, and the whole range lies inside it without wrapping,
// nothing is returned.
func (m *Memory) Bytes(addr PHYS, size int, group uint32) ([]byte, error) {
	return m.window(addr, size, size, group)
}

// window returns as much memory at addr as there is, at least least and at
// most most bytes.
func (m *Memory) window(addr PHYS, least, most int, group uint32) ([]byte, error) {
	if least < 0 || least > MaxBytes {
		return nil, &GuestError{Reason: ReasonLength, Addr: addr, Group: group, Value: uint64(least)}
	}
	b, reason := m.resolve(addr, least, most, group)
	if reason != ReasonNone {
		return nil, &GuestError{Reason: reason, Addr: addr, Group: group, Value: uint64(least)}
	}
	return b, nil
}

func (m *Memory) resolve(addr PHYS, least, most int, group uint32) ([]byte, Reason) {
	if uint64(group) >= uint64(m.cfg.Groups) {
		return nil, ReasonGroup
	}
	id := uint64(addr) >> m.idShift
	if id >= uint64(m.cfg.Slots) {
		return nil, ReasonSlot
	}
	s := &m.slots[int(group)*m.cfg.Slots+int(id)]
	if uint64(addr)>>m.genShift&m.genMask != uint64(s.generation) {
		return nil, ReasonGeneration
	}
	offset := uint64(addr) & m.offsetMax
	if s.host.End != 0 {
		return s.host.bytes(offset, least, most)
	}
	if offset+uint64(least) < offset {
		return nil, ReasonWrap
	}
	if offset < s.start || offset-s.start > uint64(len(s.mem)) {
		return nil, ReasonRange
	}
	rest := s.mem[offset-s.start:]
	if len(rest) < least {
		return nil, ReasonRange
	}
	n := min(most, len(rest))
	return rest[:n:n], ReasonNone
}

func (m *Memory) entry(group, id uint32) (*slot, error) {
	if uint64(group) >= uint64(m.cfg.Groups) || uint64(id) >= uint64(m.cfg.Slots) {
		return nil, fmt.Errorf("no slot %d in group %d (there are %d groups of %d)", id, group, m.cfg.Groups, m.cfg.Slots)
	}
	return &m.slots[int(group)*m.cfg.Slots+int(id)], nil
}
