// Package fuzz_test holds scenarios that cross packages.
package fuzz_test

import (
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/guest"
	"github.com/spiceecs/spiceecs/qxl/record"
	"github.com/spiceecs/spiceecs/qxl/record/recordtest"
)

// qxlSide is a guest that lays commands out in its memory, and a device that
// reads them there.
type qxlSide struct {
	vram *guest.VRAM
	asm  *guest.Assembler
	dec  *qxl.Decoder
	mem  *qxl.Memory
}

func newQXLSide(tb testing.TB, size int) *qxlSide {
	vram, err := guest.NewVRAM(size)
	if err != nil {
		tb.Fatal(err)
	}
	mem, err := qxl.NewMemory(qxl.MemoryConfig{Groups: 1, Slots: 1, GenBits: 8, IDBits: 8})
	if err != nil {
		tb.Fatal(err)
	}
	if err := mem.AddSlot(vram.Slot()); err != nil {
		tb.Fatal(err)
	}
	return &qxlSide{vram: vram, asm: guest.NewAssembler(vram), dec: qxl.NewDecoder(mem), mem: mem}
}

// TestQXLRecordedCommands lays out what real drivers drew and decodes it:
// nothing may be refused, nothing may change. SPICEECS_TRACES names a directory
// with more recordings than the one kept in the project.
func TestQXLRecordedCommands(t *testing.T) {
	files := []string{filepath.Join("..", "qxl", "record", "testdata", "cut.rec.zst")}
	if dir := os.Getenv("SPICEECS_TRACES"); dir != "" {
		more, err := filepath.Glob(filepath.Join(dir, "*.rec.zst"))
		if err != nil || len(more) == 0 {
			t.Fatalf("no recordings in SPICEECS_TRACES=%s: %v", dir, err)
		}
		files = append(files, more...)
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			f, err := os.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			r, err := record.NewReader(f)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			s := newQXLSide(t, 64<<20)
			var ev, got record.Event
			n := 0
			for err = r.Next(&ev); err == nil; err = r.Next(&ev) {
				if ev.Kind == record.Command {
					s.through(t, &ev, &got)
					n++
				}
			}
			if !errors.Is(err, io.EOF) {
				t.Fatal(err)
			}
			t.Logf("%d commands", n)
		})
	}
}

// through assembles and decodes a command, and compares. Surface commands are
// left out: a recording does not have their memory.
func (s *qxlSide) through(t *testing.T, ev, got *record.Event) {
	t.Helper()
	var c qxl.Command
	var res qxl.Resource
	var diff string
	var err, bad error
	switch qxl.CommandType(ev.Type) {
	case qxl.CommandDraw:
		c, err = s.asm.Drawable(&ev.Drawable)
		bad = s.dec.Drawable(&got.Drawable, c)
		res, diff = got.Drawable.Resource, recordtest.Diff(&got.Drawable, &ev.Drawable)
	case qxl.CommandUpdate:
		c, err = s.asm.Update(&ev.Update)
		bad = s.dec.Update(&got.Update, c)
		res, diff = got.Update.Resource, recordtest.Diff(&got.Update, &ev.Update)
	case qxl.CommandCursor:
		c, err = s.asm.Cursor(&ev.Cursor)
		bad = s.dec.Cursor(&got.Cursor, c)
		res, diff = got.Cursor.Resource, recordtest.Diff(&got.Cursor, &ev.Cursor)
	default:
		return
	}
	if err != nil || bad != nil || diff != "" {
		t.Fatalf("event %d, type %d: assembled: %v, decoded: %v, difference: %s", ev.Counter, ev.Type, err, bad, diff)
	}
	if err := s.vram.Release(res); err != nil {
		t.Fatal(err)
	}
}

// FuzzQXLDrawable damages a valid drawable somewhere in guest memory. What the
// decoder still accepts it has understood: assembled anew from what was decoded
// and decoded again, it is the same.
func FuzzQXLDrawable(f *testing.F) {
	for op := range uint8(15) {
		f.Add(uint64(op), op, uint16(0), uint8(0))
		f.Add(uint64(op), op, uint16(130+op), uint8(1+op))
	}
	f.Fuzz(func(t *testing.T, seed uint64, op uint8, where uint16, flip uint8) {
		s := newQXLSide(t, 1<<18)
		rnd := recordtest.New(seed)
		var d, first, second qxl.Drawable
		var pieces record.Chunks
		rnd.Drawable(&d, qxl.DrawType(op%15), &pieces)
		s.asm.MaxChunk = rnd.IntN(3) * 40
		c, err := s.asm.Drawable(&d)
		if err != nil {
			t.Fatal(err)
		}
		damage(t, s, c, rnd.Rand, int(where), flip)
		err = s.dec.Drawable(&first, c)
		if ge := (*qxl.GuestError)(nil); err != nil {
			if flip == 0 || !errors.As(err, &ge) || ge.Reason == qxl.ReasonNone || ge.Reason >= qxl.ReasonCount {
				t.Fatalf("refused: %v", err)
			}
			return
		}
		if diff := recordtest.Diff(&first, &d); flip == 0 && diff != "" {
			t.Fatal(diff)
		}
		if n := len(first.Segments); n > 0 && first.Segments[n-1].Count == 0 {
			return // a last segment without points needs padding, which the assembler does not make
		}
		again := newQXLSide(t, 1<<18)
		if c, err = again.asm.Drawable(&first); errors.Is(err, guest.ErrTooLarge) {
			return // pieces that share memory were told apart
		} else if err != nil {
			t.Fatal(err)
		}
		if err := again.dec.Drawable(&second, c); err != nil {
			t.Fatalf("accepted once, then: %v", err)
		}
		if diff := recordtest.Diff(&second, &first); diff != "" {
			t.Fatal(diff)
		}
	})
}

// damage changes up to four bytes of the command: the one asked for, and others
// near the start, where the structures are.
func damage(t *testing.T, s *qxlSide, c qxl.Command, rnd *rand.Rand, where int, flip uint8) {
	t.Helper()
	if flip == 0 {
		return
	}
	const span = 191 // a drawable
	for range 1 + rnd.IntN(4) {
		b, err := s.mem.Bytes(c.Data+qxl.PHYS(where%4096), 1, 0)
		if err != nil {
			t.Fatal(err)
		}
		b[0] ^= flip
		where, flip = rnd.IntN(4*span), uint8(1+rnd.IntN(255))
	}
}
