package replay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/guest"
	"github.com/spiceecs/spiceecs/qxl/record"
	"github.com/spiceecs/spiceecs/qxl/record/recordtest"
)

func source(file []byte) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(file)), nil }
}

// recording writes events in a file.
func recording(t testing.TB, events []record.Event) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := record.NewWriter(&out)
	if err != nil {
		t.Fatal(err)
	}
	for i := range events {
		if err := w.Event(&events[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// script makes n random commands, in which surfaces live before they are used,
// behind the creation of a primary surface.
func script(seed uint64, n int) []record.Event {
	rnd := recordtest.New(seed)
	var first record.Event
	for !first.HasPrimary {
		rnd.Event(&first)
	}
	events := append(make([]record.Event, 0, n+1), first)
	living := []uint32{0}
	pick := func() uint32 { return living[rnd.IntN(len(living))] }
	for len(events) <= n {
		var ev record.Event
		rnd.Command(&ev)
		switch qxl.CommandType(ev.Type) {
		case qxl.CommandDraw:
			d := &ev.Drawable
			d.Surface = pick()
			for i := range d.Deps {
				d.Deps[i] = int32(pick()) - rnd.Int32N(2)*5000
				d.Deps[i] = max(-1, d.Deps[i])
			}
			for i := range d.Images {
				if d.Images[i].Type == qxl.ImageSurface {
					d.Images[i].Surface = pick()
				}
			}
		case qxl.CommandUpdate:
			ev.Update.Surface = pick()
		case qxl.CommandSurface:
			if ev.Surface.Action == qxl.SurfaceDestroy {
				i := rnd.IntN(len(living))
				if i == 0 {
					continue
				}
				ev.Surface.Surface = living[i]
				living[i] = living[len(living)-1]
				living = living[:len(living)-1]
			} else {
				// Few ids, so that one comes again soon after its destruction.
				id := 1 + rnd.Uint32N(6)
				for _, l := range living {
					if l == id {
						id = 0
					}
				}
				if id == 0 {
					continue
				}
				ev.Surface.Surface = id
				living = append(living, id)
			}
		}
		ev.Timestamp = uint64(len(events)) * 1e6
		events = append(events, ev)
	}
	return events
}

// follower compares what a device takes with what was recorded.
type follower struct {
	t       *testing.T
	seed    uint64
	display []*record.Event
	cursor  []*record.Event
	ids     map[uint32]uint32 // recorded to the device's
	moved   int               // creations whose id was not the recorded one
}

func follow(t *testing.T, seed uint64, events []record.Event) *follower {
	f := &follower{t: t, seed: seed, ids: map[uint32]uint32{}}
	for i := range events {
		switch ev := &events[i]; {
		case ev.Kind == record.Worker:
		case qxl.CommandType(ev.Type) == qxl.CommandCursor:
			f.cursor = append(f.cursor, ev)
		default:
			f.display = append(f.display, ev)
		}
	}
	return f
}

func (f *follower) took(c qxl.Command, got any) {
	queue := &f.display
	if c.Type == qxl.CommandCursor {
		queue = &f.cursor
	}
	if len(*queue) == 0 {
		f.t.Errorf("seed %d: command of type %d too many", f.seed, c.Type)
		return
	}
	ev := (*queue)[0]
	*queue = (*queue)[1:]
	diff := "another type"
	switch got := got.(type) {
	case *qxl.Drawable:
		want := &ev.Drawable
		want.Surface = f.id(want.Surface)
		for i, dep := range want.Deps {
			if dep > 0 {
				want.Deps[i] = int32(f.id(uint32(dep)))
			}
		}
		for i := range want.Images {
			want.Images[i].Surface = f.id(want.Images[i].Surface)
		}
		diff = recordtest.Diff(got, want)
	case *qxl.UpdateCommand:
		ev.Update.Surface = f.id(ev.Update.Surface)
		diff = recordtest.Diff(got, &ev.Update)
	case *qxl.CursorCommand:
		diff = recordtest.Diff(got, &ev.Cursor)
	case *qxl.MessageCommand:
		diff = recordtest.Diff(got, &ev.Message)
	case *qxl.SurfaceCommand:
		diff = f.surface(got, &ev.Surface)
	}
	if diff != "" {
		f.t.Errorf("seed %d: command of type %d, recorded %d: %s", f.seed, c.Type, ev.Type, diff)
	}
}

func (f *follower) surface(got, want *qxl.SurfaceCommand) string {
	recorded := want.Surface
	if want.Action == qxl.SurfaceDestroy {
		want.Surface = f.id(recorded)
		delete(f.ids, recorded)
		return recordtest.Diff(got, want)
	}
	if got.Surface != recorded {
		f.moved++
	}
	f.ids[recorded] = got.Surface
	want.Surface = got.Surface
	if want.Memory == nil {
		want.Memory = make([]byte, len(got.Memory))
	}
	return recordtest.Diff(got, want)
}

func (f *follower) id(recorded uint32) uint32 {
	if id, ok := f.ids[recorded]; ok {
		return id
	}
	return recorded
}

func TestQueue(t *testing.T) {
	q := queue{ring: make([]qxl.Command, 2)}
	check := func(what string, got, want bool) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %v", what, got)
		}
	}
	var c qxl.Command
	check("pop of nothing", q.pop(&c), false)
	check("push wakes nobody", q.push(qxl.Command{Data: 1}), false)
	check("arm with an entry", q.arm(), false)
	check("push after that", q.push(qxl.Command{Data: 2}), false)
	check("full", q.full(), true)
	check("pop", q.pop(&c) && c.Data == 1 && q.pop(&c) && c.Data == 2, true)
	check("arm", q.arm(), true)
	check("push wakes", q.push(qxl.Command{Data: 3}), true)
	check("only once", q.push(qxl.Command{Data: 4}), false)
	check("pop again", q.pop(&c) && c.Data == 3 && q.pop(&c) && c.Data == 4, true)
}

// TestPlay plays random commands to a device that holds some of them, and
// compares each. Then all memory but the primary's and the surfaces' is free.
func TestPlay(t *testing.T) {
	seed := rand.Uint64()
	const n = 5000
	file := recording(t, script(seed, n))
	events := script(seed, n)
	for _, o := range []Options{{}, {Queue: 1, Memory: 4 << 20}, {Memory: 96 << 10, Queue: 16}} {
		t.Run(fmt.Sprintf("queue %d memory %d", o.Queue, o.Memory), func(t *testing.T) {
			p, err := New(source(file), o)
			if err != nil {
				t.Fatal(err)
			}
			events = script(seed, n)
			f := follow(t, seed, events)
			d := newDevice(t, p, seed)
			d.took = f.took
			d.called = func(name string, data []byte) {
				if name == "create" && !bytes.Equal(data, events[0].Primary.Memory) {
					t.Errorf("seed %d: primary's memory differs", seed)
				}
			}
			d.start(t)
			if err := p.Run(t.Context(), d); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if err := d.DestroySurfaces(); err != nil {
				t.Fatal(err)
			}
			if err := d.flush(); err != nil {
				t.Fatal(err)
			}
			s := p.Stats()
			if s.Commands != n || s.Fed() != n || s.Released != n || s.Passes != 1 || s.Updates != s.Update {
				t.Errorf("seed %d: %+v", seed, s)
			}
			left := p.vram.Used() - (len(events[0].Primary.Memory)+15)&^15
			for _, x := range p.surfaces.living {
				if err := p.vram.Free(x.pixels); err != nil {
					t.Error(err)
				}
			}
			if len(p.surfaces.living) == 0 && left != 0 || p.vram.Used() != (len(events[0].Primary.Memory)+15)&^15 {
				t.Errorf("seed %d: %d bytes of memory remain", seed, p.vram.Used())
			}
			if f.moved == 0 {
				t.Errorf("seed %d: no surface id was still taken", seed)
			}
		})
	}
}

// TestStarved runs out of memory on a device that releases only when it is told.
func TestStarved(t *testing.T) {
	seed := rand.Uint64()
	p, err := New(source(recording(t, script(seed, 2000))), Options{Memory: 512 << 10})
	if err != nil {
		t.Fatal(err)
	}
	events := script(seed, 2000)
	d := newDevice(t, p, seed)
	d.hold = 1 << 30
	d.took = follow(t, seed, events).took
	d.start(t)
	if err := p.Run(t.Context(), starved{d}); err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	d.settle()
	if d.ooms == 0 || d.flushed != 0 {
		t.Errorf("seed %d: told %d times that memory is full, %d times in vain", seed, d.ooms, d.flushed)
	}
}

func TestTooLarge(t *testing.T) {
	ev := record.Event{Kind: record.Command, Type: uint32(qxl.CommandMessage)}
	ev.Message.Text = make([]byte, 50_000)
	p, err := New(source(recording(t, []record.Event{ev})), Options{Memory: 16 << 10})
	if err != nil {
		t.Fatal(err)
	}
	d := newDevice(t, p, 1)
	d.start(t)
	if err := p.Run(t.Context(), d); !errors.Is(err, guest.ErrTooLarge) {
		t.Fatalf("got %v", err)
	}
}

// TestStopAndLoop stops behind the last command of the third pass, and does
// nothing of what would follow.
func TestStopAndLoop(t *testing.T) {
	seed := rand.Uint64()
	file := recording(t, script(seed, 300))
	p, err := New(source(file), Options{Loop: true, StopAfter: 900, Memory: 4 << 20})
	if err != nil {
		t.Fatal(err)
	}
	d := newDevice(t, p, seed)
	calls := map[string]int{}
	d.called = func(name string, _ []byte) { calls[name]++ }
	d.start(t)
	if err := p.Run(t.Context(), d); err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	d.settle()
	if s := p.Stats(); s.Commands != 900 || s.Fed() != 900 || s.Passes != 3 {
		t.Errorf("seed %d: %+v", seed, s)
	}
	// Between passes the primary goes alone, or with the surfaces that are left.
	if calls["create"] != 3 || calls["destroy"]+calls["surfaces"] != 2 {
		t.Errorf("seed %d: %v", seed, calls)
	}
}

// TestDamaged plays what is before the damage.
func TestDamaged(t *testing.T) {
	seed := rand.Uint64()
	file := recording(t, script(seed, 200))
	p, err := New(source(file[:len(file)-7]), Options{Memory: 4 << 20})
	if err != nil {
		t.Fatal(err)
	}
	d := newDevice(t, p, seed)
	d.start(t)
	err = p.Run(t.Context(), d)
	var fe *record.FormatError
	if !errors.As(err, &fe) || !errors.Is(err, io.ErrUnexpectedEOF) || fe.Event != 200 {
		t.Fatalf("seed %d: %v", seed, err)
	}
	if s := p.Stats(); s.Fed() != 199 || p.display.len()+p.cursor.len() != 0 {
		t.Errorf("seed %d: %+v", seed, s)
	}
	p, err = New(source([]byte("no recording")), Options{Memory: 4 << 20})
	if err != nil {
		t.Fatal(err)
	}
	d = newDevice(t, p, seed)
	d.start(t)
	if err := p.Run(t.Context(), d); !errors.As(err, &fe) {
		t.Fatalf("no recording: %v", err)
	}
}

func TestCancelled(t *testing.T) {
	seed := rand.Uint64()
	p, err := New(source(recording(t, script(seed, 2000)[1:])), Options{Queue: 4, Memory: 4 << 20})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	d := newDevice(t, p, seed)
	d.took = func(qxl.Command, any) {
		if p.Stats().Fed() > 50 {
			cancel()
		}
	}
	d.start(t)
	if err := p.Run(ctx, d); !errors.Is(err, context.Canceled) {
		t.Fatalf("seed %d: %v", seed, err)
	}
}

// TestRecordedPace sees each command at the time at which it was recorded.
func TestRecordedPace(t *testing.T) {
	stamps := []uint64{5e9, 5e9, 5e9 + 1, 6e9, 4e9, 7_000_000_123, 1 << 40}
	want := []time.Duration{0, 0, 1, 1e9, 1e9, 2_000_000_123, 1<<40 - 5e9}
	var events []record.Event
	for _, s := range stamps {
		ev := record.Event{Kind: record.Command, Type: uint32(qxl.CommandMessage), Timestamp: s}
		events = append(events, ev)
	}
	clock := &fakeClock{now: time.Unix(1e9, 0), timers: make(chan *timer)}
	p, err := New(source(recording(t, events)), Options{Pace: Recorded, Clock: clock, Memory: 4 << 20})
	if err != nil {
		t.Fatal(err)
	}
	d := newDevice(t, p, 1)
	d.clock = clock
	var got []time.Duration
	d.took = func(qxl.Command, any) { got = append(got, clock.Now().Sub(time.Unix(1e9, 0))) }
	d.start(t)
	if err := p.Run(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	d.settle()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestTrace plays the recording of a real guest, or those in the directory that
// SPICEECS_TRACES names.
func TestTrace(t *testing.T) {
	files := []string{"../record/testdata/cut.rec.zst"}
	if dir := os.Getenv("SPICEECS_TRACES"); dir != "" {
		more, err := filepath.Glob(filepath.Join(dir, "*.rec.zst"))
		if err != nil || len(more) == 0 {
			t.Fatalf("no recordings in SPICEECS_TRACES=%s: %v", dir, err)
		}
		files = append(files, more...)
	}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".rec.zst"), func(t *testing.T) {
			p, err := New(func() (io.ReadCloser, error) { return os.Open(name) }, Options{})
			if err != nil {
				t.Fatal(err)
			}
			d := newDevice(t, p, 1)
			d.start(t)
			began := time.Now()
			if err := p.Run(t.Context(), d); err != nil {
				t.Fatal(err)
			}
			s := p.Stats()
			t.Logf("%v, %+v", time.Since(began), s)
			if s.Fed() != s.Commands || s.Skipped != 0 || s.Fed() == 0 {
				t.Errorf("%+v", s)
			}
		})
	}
}
