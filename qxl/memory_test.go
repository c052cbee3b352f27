package qxl

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestMemoryConfig(t *testing.T) {
	for _, bad := range []MemoryConfig{
		{},
		{Groups: 1},
		{Groups: 1, Slots: -1},
		{Groups: maxGroups + 1, Slots: 1},
		{Groups: 1, Slots: maxSlots + 1},
		{Groups: 1, Slots: 1, GenBits: 33},
		{Groups: 1, Slots: 1, IDBits: 255, GenBits: 1},
		{Groups: 1, Slots: 1, GenBits: 32, IDBits: 32},
	} {
		if _, err := NewMemory(bad); err == nil {
			t.Errorf("%+v accepted", bad)
		}
	}
	m, err := NewMemory(MemoryConfig{Groups: 1, Slots: 1})
	if err != nil {
		t.Fatal(err)
	}
	if a := m.Address(0, 0, math.MaxUint64); a != math.MaxUint64 {
		t.Errorf("without id and generation an address is the offset, got %#x", a)
	}
}

func testMemory(t *testing.T) *Memory {
	t.Helper()
	m, err := NewMemory(MemoryConfig{Groups: 2, Slots: 3, GenBits: 4, IDBits: 8})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMemoryBytes(t *testing.T) {
	m := testMemory(t)
	const start = 1000
	data := fillBytes(16, 0)
	if err := m.AddSlot(Slot{Group: 1, ID: 2, Generation: 9, Start: start, Mem: data}); err != nil {
		t.Fatal(err)
	}
	end := testMemory(t)
	const top = 1<<52 - 8 // the last bytes that 52 bits of offset reach
	if err := end.AddSlot(Slot{Start: top, Mem: make([]byte, 100)}); err != nil {
		t.Fatal(err)
	}
	// id 8 bits, generation 4 bits, offset 52 bits
	const good = PHYS(2<<56 | 9<<52 | start)
	for _, c := range []struct {
		name  string
		addr  PHYS
		size  int
		group uint32
		want  Reason
	}{
		{"all", good, 16, 1, ReasonNone},
		{"first byte", good, 1, 1, ReasonNone},
		{"last byte", good + 15, 1, 1, ReasonNone},
		{"nothing at the end", good + 16, 0, 1, ReasonNone},
		{"before", good - 1, 1, 1, ReasonRange},
		{"behind", good + 16, 1, 1, ReasonRange},
		{"across the end", good + 15, 2, 1, ReasonRange},
		{"far behind", good + 17, 0, 1, ReasonRange},
		{"other group", good, 1, 0, ReasonGeneration},
		{"no group", good, 1, 2, ReasonGroup},
		{"no group at all", good, 1, math.MaxUint32, ReasonGroup},
		{"no slot", 3<<56 | 9<<52 | start, 1, 1, ReasonSlot},
		{"last slot id", 255 << 56, 1, 1, ReasonSlot},
		{"empty slot", 1<<56 | 0<<52, 1, 1, ReasonRange},
		{"generation before", 2<<56 | 8<<52 | start, 1, 1, ReasonGeneration},
		{"negative size", good, -1, 1, ReasonLength},
		{"largest size", good, MaxBytes, 1, ReasonRange},
		{"too large a size", good, MaxBytes + 1, 1, ReasonLength},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, err := m.Bytes(c.addr, c.size, c.group)
			wantReason(t, err, c.want)
			if err != nil {
				return
			}
			if at := int(c.addr - good); string(b) != string(data[at:at+c.size]) || cap(b) != c.size {
				t.Errorf("%v (cap %d)", b, cap(b))
			}
		})
	}
	if b, err := end.Bytes(top+7, 1, 0); err != nil || len(b) != 1 {
		t.Errorf("last offset: %v", err)
	}
}

func TestMemoryWrap(t *testing.T) {
	m, err := NewMemory(MemoryConfig{Groups: 1, Slots: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.AddSlot(Slot{Start: math.MaxUint64 - 9, Mem: make([]byte, 11)}); err == nil {
		t.Error("a slot that wraps was accepted")
	}
	if err := m.AddSlot(Slot{Start: math.MaxUint64 - 9, Mem: make([]byte, 9)}); err != nil {
		t.Fatal(err)
	}
	_, err = m.Bytes(math.MaxUint64-3, 5, 0)
	wantReason(t, err, ReasonWrap)
	if _, err = m.Bytes(math.MaxUint64-3, 3, 0); err != nil {
		t.Error(err)
	}
}

func TestMemorySlots(t *testing.T) {
	m := testMemory(t)
	for _, s := range []Slot{{Group: 2}, {ID: 3}, {Group: math.MaxUint32, ID: math.MaxUint32}} {
		if m.AddSlot(s) == nil || m.DelSlot(s.Group, s.ID) == nil || m.AddForeign(Foreign{Group: s.Group, ID: s.ID, End: 1}) == nil {
			t.Errorf("slot %d of group %d accepted", s.ID, s.Group)
		}
	}
	add := func(generation uint32, fill byte) {
		t.Helper()
		if err := m.AddSlot(Slot{Generation: generation, Mem: []byte{fill}}); err != nil {
			t.Fatal(err)
		}
	}
	add(1, 'a')
	old := m.Address(0, 0, 0)
	add(2, 'b')
	_, err := m.Bytes(old, 1, 0)
	wantReason(t, err, ReasonGeneration)
	now := m.Address(0, 0, 0)
	if b, err := m.Bytes(now, 1, 0); err != nil || b[0] != 'b' {
		t.Errorf("%v %v", b, err)
	}
	if err := m.DelSlot(0, 0); err != nil {
		t.Fatal(err)
	}
	_, err = m.Bytes(now, 1, 0) // the generation stays, the memory is gone
	wantReason(t, err, ReasonRange)
	add(2, 'c')
	m.Reset()
	_, err = m.Bytes(now, 1, 0)
	wantReason(t, err, ReasonGeneration)
}

// Any address and size: the answer is what a byte-by-byte model says.
func TestMemoryModel(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	m, err := NewMemory(MemoryConfig{Groups: 2, Slots: 2, GenBits: 1, IDBits: 2})
	if err != nil {
		t.Fatal(err)
	}
	model := map[[4]uint64]byte{} // group, id, generation, offset
	for group := range uint32(2) {
		for id := range uint32(2) {
			s := Slot{Group: group, ID: id, Generation: r.Uint32N(2), Start: r.Uint64N(5), Mem: fillBytes(r.IntN(7), byte(r.Uint32()))}
			if err := m.AddSlot(s); err != nil {
				t.Fatal(err)
			}
			for i, b := range s.Mem {
				model[[4]uint64{uint64(group), uint64(id), uint64(s.Generation), s.Start + uint64(i)}] = b
			}
		}
	}
	for range 20000 {
		group, size := r.Uint32N(3), 1+r.IntN(4)
		id, generation, offset := r.Uint64N(4), r.Uint64N(2), r.Uint64N(12)
		got, err := m.Bytes(PHYS(id<<62|generation<<61|offset), size, group)
		var want []byte
		for i := range size {
			if b, ok := model[[4]uint64{uint64(group), id, generation, offset + uint64(i)}]; ok {
				want = append(want, b)
			}
		}
		if inside := len(want) == size; inside != (err == nil) || inside && string(got) != string(want) {
			t.Fatalf("group %d id %d generation %d offset %d size %d: %v %v, want %v", group, id, generation, offset, size, got, err, want)
		}
	}
}
