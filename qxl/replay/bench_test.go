package replay

import (
	"context"
	"io"
	"os"
	"testing"

	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/guest"
	"github.com/spiceecs/spiceecs/qxl/record"
	"github.com/spiceecs/spiceecs/qxl/record/recordtest"
)

// TestFeedingAllocatesNothing feeds drawables of all types and takes them.
func TestFeedingAllocatesNothing(t *testing.T) {
	rnd := recordtest.New(5)
	p, err := New(nil, Options{Memory: 4 << 20})
	if err != nil {
		t.Fatal(err)
	}
	d := newDevice(t, p, 5)
	if err := d.mem.AddSlot(p.vram.Slot()); err != nil {
		t.Fatal(err)
	}
	var events [60]record.Event
	for i := range events {
		events[i].Type = uint32(qxl.CommandDraw)
		rnd.Drawable(&events[i].Drawable, qxl.DrawType(i%15), &events[i].Chunks)
	}
	var pace pacer
	var c qxl.Command
	pass := func() {
		for i := range events {
			p.ev = events[i]
			if err := p.command(context.Background(), d, &pace); err != nil {
				t.Fatal(err)
			}
			if !p.GetCommand(&c) || d.take(c) != nil {
				t.Fatalf("command %d cannot be taken", i)
			}
		}
	}
	pass()
	if n := testing.AllocsPerRun(20, pass); n != 0 {
		t.Errorf("%v allocations for %d commands", n, len(events))
	}
}

// BenchmarkFeed is one fill from the decoded event through the queue to its release.
func BenchmarkFeed(b *testing.B) {
	p, err := New(nil, Options{Memory: 4 << 20})
	if err != nil {
		b.Fatal(err)
	}
	d := newDevice(b, p, 5)
	p.ev.Type = uint32(qxl.CommandDraw)
	p.ev.Drawable.Reset()
	p.ev.Drawable.Type = qxl.DrawFill
	var pace pacer
	var c qxl.Command
	b.ReportAllocs()
	for b.Loop() {
		if err := p.command(context.Background(), d, &pace); err != nil {
			b.Fatal(err)
		}
		if !p.GetCommand(&c) {
			b.Fatal("nothing to take")
		}
		p.Release(qxl.Resource{Data: c.Data, ID: uint64(block(p.vram, c))})
	}
}

// BenchmarkAssemble reads the recording that SPICEECS_RECORDING names, or a
// short one, and lays its commands out in video memory.
func BenchmarkAssemble(b *testing.B) {
	name := os.Getenv("SPICEECS_RECORDING")
	if name == "" {
		name = "../record/testdata/cut.rec.zst"
	}
	v, err := guest.NewVRAM(0)
	if err != nil {
		b.Fatal(err)
	}
	asm := guest.NewAssembler(v)
	commands := 0
	for b.Loop() {
		f, err := os.Open(name)
		if err != nil {
			b.Fatal(err)
		}
		r, err := record.NewReader(f)
		if err != nil {
			b.Fatal(err)
		}
		var ev record.Event
		for err = r.Next(&ev); err == nil; err = r.Next(&ev) {
			if ev.Kind != record.Command || qxl.CommandType(ev.Type) != qxl.CommandDraw {
				continue
			}
			c, err := asm.Drawable(&ev.Drawable)
			if err != nil {
				b.Fatal(err)
			}
			if err := v.Free(block(v, c)); err != nil {
				b.Fatal(err)
			}
			commands++
		}
		if err != io.EOF {
			b.Fatal(err)
		}
		r.Close()
		f.Close()
	}
	b.ReportMetric(float64(commands)/b.Elapsed().Seconds(), "commands/s")
}

// block is the release id of a command, read as the device does.
func block(v *guest.VRAM, c qxl.Command) guest.Block {
	s := v.Slot()
	var id uint64
	for i, x := range s.Mem[uint64(c.Data)-s.Start:][:8] {
		id |= uint64(x) << (8 * i)
	}
	return guest.Block(id)
}
