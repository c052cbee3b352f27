package wire

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/spiceecs/spiceecs/regions"
)

func newRand(t testing.TB) *rand.Rand {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// join puts a batch's pieces together.
func join(w *Writer) []byte { return bytes.Join(w.Buffers(nil), nil) }

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestFields: the bytes of every kind of field, and what is read back.
func TestFields(t *testing.T) {
	var w Writer
	w.Begin(0x1234)
	w.U8(1)
	w.U16(0x0203)
	w.U32(0x04050607)
	w.I32(-2)
	w.U64(0x08090a0b0c0d0e0f)
	w.Point(regions.Point{X: 1, Y: -1})
	w.Point16(2, -2)
	w.Rect(regions.Rect{Top: 1, Left: 2, Bottom: 3, Right: 4})
	w.Bytes([]byte("xy"))
	w.Zeros(3)
	if n := w.End(); n != 6+52 {
		t.Errorf("End says %d bytes", n)
	}
	want := unhex(t, `3412 34000000  01 0302 07060504 feffffff 0f0e0d0c0b0a0908
		01000000 ffffffff  0200 feff  01000000 02000000 03000000 04000000  7879 000000`)
	got := join(&w)
	if !bytes.Equal(got, want) {
		t.Fatalf("wrote %x\nwant  %x", got, want)
	}
	r := NewReader(got[6:])
	if r.U8() != 1 || r.U16() != 0x0203 || r.U32() != 0x04050607 || r.I32() != -2 || r.U64() != 0x08090a0b0c0d0e0f ||
		r.Point() != (regions.Point{X: 1, Y: -1}) {
		t.Error("fields differ")
	}
	r.Skip(4)
	if r.Rect() != (regions.Rect{Top: 1, Left: 2, Bottom: 3, Right: 4}) || r.Left() != 5 || string(r.Rest()) != "xy\x00\x00\x00" || r.Err() != nil {
		t.Error("fields differ")
	}
}

func TestFullHeader(t *testing.T) {
	w := Writer{Full: true, Serial: 6}
	w.Begin(5)
	w.U8(9)
	if n := w.End(); n != 19 {
		t.Errorf("End says %d bytes", n)
	}
	w.Begin(6)
	w.End()
	want := unhex(t, "0700000000000000 0500 01000000 00000000 09  0800000000000000 0600 00000000 00000000")
	if got := join(&w); !bytes.Equal(got, want) {
		t.Errorf("wrote %x\nwant  %x", got, want)
	}
	if w.Count() != 2 || w.Len() != len(want) || w.Empty() {
		t.Errorf("%d messages, %d bytes", w.Count(), w.Len())
	}
	w.Reset()
	if w.Count() != 0 || w.Len() != 0 || !w.Empty() || w.Copied() != 0 || w.Serial != 8 || len(w.Buffers(nil)) != 0 {
		t.Error("Reset left something")
	}
}

// TestWriterRandom holds batches of copied and referenced data, with pointers
// between them, against a plain buffer.
func TestWriterRandom(t *testing.T) {
	rnd := newRand(t)
	var w Writer
	for range 300 {
		w.Full = rnd.IntN(2) == 0
		w.Reset()
		var want []byte
		for range rnd.IntN(6) {
			w.Begin(101)
			var body []byte
			type slot struct {
				s  Slot
				at int
			}
			var slots []slot
			for range rnd.IntN(12) {
				switch p := bytes.Repeat([]byte{byte(rnd.Uint32())}, rnd.IntN(2*inlineLimit)); rnd.IntN(4) {
				case 0:
					w.Bytes(p)
					body = append(body, p...)
				case 1:
					w.Ref(p)
					body = append(body, p...)
				case 2:
					slots = append(slots, slot{w.Slot(), len(body)})
					body = append(body, 0, 0, 0, 0)
				case 3:
					if n := len(slots); n > 0 {
						w.Here(slots[n-1].s)
						binary.LittleEndian.PutUint32(body[slots[n-1].at:], uint32(len(body)))
						slots = slots[:n-1]
					}
				}
				if rnd.IntN(8) == 0 {
					w.Buffers(nil) // looking changes nothing
				}
			}
			w.End()
			head := binary.LittleEndian.AppendUint32([]byte{101, 0}, uint32(len(body)))
			if w.Full {
				head = append(binary.LittleEndian.AppendUint64(nil, w.Serial), append(head, 0, 0, 0, 0)...)
			}
			want = append(append(want, head...), body...)
		}
		if got := join(&w); !bytes.Equal(got, want) || w.Len() != len(want) {
			t.Fatalf("wrote %x\nwant  %x", got, want)
		}
	}
}

// TestRef: large data is not copied, small data is.
func TestRef(t *testing.T) {
	var w Writer
	small, large := make([]byte, inlineLimit), make([]byte, inlineLimit+1)
	w.Begin(101)
	w.Ref(small)
	w.Ref(large)
	w.Ref(nil)
	w.End()
	small[0], large[0] = 1, 1
	got := join(&w)
	if got[6] != 0 || got[6+inlineLimit] != 1 || w.Copied() != 6+inlineLimit {
		t.Errorf("%d bytes copied, first ones %d and %d", w.Copied(), got[6], got[6+inlineLimit])
	}
}

// TestReaderStopsAtTheEnd: after the first field that does not fit, nothing is
// read any more.
func TestReaderStopsAtTheEnd(t *testing.T) {
	for name, take := range map[string]func(*Reader) bool{
		"U8":    func(r *Reader) bool { r.Skip(6); return r.U8() == 0 },
		"U16":   func(r *Reader) bool { r.Skip(5); return r.U16() == 0 },
		"U32":   func(r *Reader) bool { r.Skip(3); return r.U32() == 0 },
		"U64":   func(r *Reader) bool { return r.U64() == 0 },
		"Point": func(r *Reader) bool { r.Skip(2); return r.Point().Y == 0 },
		"Rect":  func(r *Reader) bool { return r.Rect().Right == 0 },
		"Bytes": func(r *Reader) bool { return r.Bytes(7) == nil },
		"minus": func(r *Reader) bool { return r.Bytes(-1) == nil },
	} {
		r := NewReader(bytes.Repeat([]byte{255}, 6))
		if !take(&r) || !errors.Is(r.Err(), ErrShort) || r.U8() != 0 || r.Rest() != nil {
			t.Errorf("%s read beyond the end", name)
		}
		r.Fail(ErrMalformed)
		if !errors.Is(r.Err(), ErrShort) {
			t.Errorf("%s: the first error is lost", name)
		}
	}
}

func TestReaderAt(t *testing.T) {
	r := NewReader([]byte{1, 2, 3})
	r.U8()
	for off, want := range map[uint32]uint8{0: 1, 2: 3} {
		if at := r.At(off); at.U8() != want || at.Err() != nil {
			t.Errorf("At(%d)", off)
		}
	}
	for _, off := range []uint32{3, 4, 1 << 31, 1<<32 - 1} {
		if at := r.At(off); at.Err() == nil || at.U8() != 0 || at.Left() != 0 {
			t.Errorf("At(%d) leads somewhere", off)
		}
	}
	if r.U8() != 2 {
		t.Error("At moved the reader")
	}
}

func TestBytesCannotGrowIntoTheRest(t *testing.T) {
	r := NewReader([]byte{1, 2, 3})
	p := append(r.Bytes(1), 9)
	if len(p) != 2 || r.U8() != 2 {
		t.Error("appending to a field overwrote the next")
	}
}

func TestCaps(t *testing.T) {
	c := NewCaps(0, 3, 31, 32, 70)
	if len(c) != 3 || c[0] != 0x80000009 || c[1] != 1 || c[2] != 1<<6 {
		t.Errorf("words %x", c)
	}
	for bit := range 200 {
		want := bit == 0 || bit == 3 || bit == 31 || bit == 32 || bit == 70
		if c.Has(bit) != want {
			t.Errorf("Has(%d)", bit)
		}
	}
	if len(NewCaps()) != 0 || Caps(nil).Has(0) {
		t.Error("no capabilities, but some")
	}
}

func TestNames(t *testing.T) {
	for typ, want := range map[ChannelType]string{1: "main", 4: "cursor", 11: "webdav", 0: "unknown", 12: "unknown", 255: "unknown"} {
		if got := typ.String(); got != want {
			t.Errorf("channel %d is %q", typ, got)
		}
	}
	for code, want := range map[LinkError]string{0: "ok", 7: "permission denied", 9: "channel not available", 10: "unknown error"} {
		if got := code.Error(); got != "link: "+want {
			t.Errorf("code %d is %q", code, got)
		}
	}
}
