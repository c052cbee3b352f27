package record_test

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/zstd"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/record"
	"github.com/spiceecs/spiceecs/qxl/record/recordtest"
)

// body is the part of ev that its type selects.
func body(ev *record.Event) any {
	if ev.Kind == record.Worker {
		if ev.HasPrimary {
			return &ev.Primary
		}
		return &struct{}{}
	}
	switch qxl.CommandType(ev.Type) {
	case qxl.CommandDraw:
		return &ev.Drawable
	case qxl.CommandUpdate:
		return &ev.Update
	case qxl.CommandCursor:
		return &ev.Cursor
	case qxl.CommandMessage:
		return &ev.Message
	}
	return &ev.Surface
}

// randomRecording writes n random events with the Writer's typed methods or,
// if exact, with Event.
func randomRecording(t *testing.T, seed uint64, n int, exact bool) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := record.NewWriter(&out)
	if err != nil {
		t.Fatal(err)
	}
	rnd := recordtest.New(seed)
	for range n {
		var ev record.Event
		rnd.Event(&ev)
		if err := write(w, &ev, exact); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func write(w *record.Writer, ev *record.Event, exact bool) error {
	if exact {
		return w.Event(ev)
	}
	switch b := body(ev).(type) {
	case *qxl.Drawable:
		return w.Draw(ev.Timestamp, b)
	case *qxl.UpdateCommand:
		return w.Update(ev.Timestamp, b)
	case *qxl.CursorCommand:
		return w.Cursor(ev.Timestamp, b)
	case *qxl.MessageCommand:
		return w.Message(ev.Timestamp, b)
	case *qxl.SurfaceCommand:
		return w.Surface(ev.Timestamp, b)
	case *qxl.PrimarySurface:
		return w.Worker(ev.Timestamp, record.WorkerType(ev.Type), b)
	}
	return w.Worker(ev.Timestamp, record.WorkerType(ev.Type), nil)
}

func TestRoundTrip(t *testing.T) {
	seed := rand.Uint64()
	for _, exact := range []bool{true, false} {
		file := randomRecording(t, seed, 3000, exact)
		r, err := record.NewReader(iotest.HalfReader(bytes.NewReader(file)))
		if err != nil {
			t.Fatal(err)
		}
		rnd := recordtest.New(seed)
		var got record.Event
		for i := range 3000 {
			var want record.Event
			rnd.Event(&want)
			if err := r.Next(&got); err != nil {
				t.Fatalf("seed %d: event %d: %v", seed, i, err)
			}
			if got.Counter != uint32(i) || got.Kind != want.Kind || got.Type != want.Type || got.Timestamp != want.Timestamp || got.HasPrimary != want.HasPrimary && want.Kind == record.Worker {
				t.Fatalf("seed %d: event %d: head %+v, want %+v", seed, i, got, want)
			}
			if want.Kind == record.Command && exact {
				if d := recordtest.Diff(got.Chunks, want.Chunks); d != "" {
					t.Fatalf("seed %d: event %d (type %d): pieces%s", seed, i, got.Type, d)
				}
			}
			if d := recordtest.Diff(body(&got), body(&want)); d != "" {
				t.Fatalf("seed %d: event %d (exact %v, type %d): %s", seed, i, exact, got.Type, d)
			}
		}
		if err := r.Next(&got); err != io.EOF {
			t.Fatalf("seed %d: at the end: %v", seed, err)
		}
	}
}

// TestRewrite reads random recordings with many chunk lists and writes them
// again, byte for byte.
func TestRewrite(t *testing.T) {
	seed := rand.Uint64()
	file := randomRecording(t, seed, 1000, true)
	r, err := record.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	if again := rewrite(t, r); !bytes.Equal(again, file) {
		t.Fatalf("seed %d: %d bytes became %d or changed", seed, len(file), len(again))
	}
}

func rewrite(t *testing.T, r *record.Reader) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := record.NewWriter(&out)
	if err != nil {
		t.Fatal(err)
	}
	var ev record.Event
	for err = r.Next(&ev); err == nil; err = r.Next(&ev) {
		if err := w.Event(&ev); err != nil {
			t.Fatal(err)
		}
	}
	if err != io.EOF {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestLargeFirst reads an image in many pieces before the window has grown to
// its size: what was scanned stays where it is.
func TestLargeFirst(t *testing.T) {
	rnd := recordtest.New(9)
	var ev record.Event
	ev.Type = uint32(qxl.CommandDraw)
	d := &ev.Drawable
	rnd.Drawable(d, qxl.DrawBlackness, &ev.Chunks)
	im, index := d.NewImage()
	im.Type, im.X, im.Y, im.Stride, im.Format = qxl.ImageBitmap, 1, 1, 4, qxl.Bitmap32Bit
	for range 60 {
		im.Data.Append(bytes.Repeat([]byte{byte(rnd.Uint32())}, 50_000+rnd.IntN(50_000)))
	}
	d.Mask.Image = index
	var out bytes.Buffer
	w, err := record.NewWriter(&out)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Event(&ev), w.Flush()); err != nil {
		t.Fatal(err)
	}
	r, err := record.NewReader(&out)
	if err != nil {
		t.Fatal(err)
	}
	var got record.Event
	if err := r.Next(&got); err != nil {
		t.Fatal(err)
	}
	if diff := recordtest.Diff(&got.Drawable, d); diff != "" {
		t.Fatal(diff)
	}
}

// read reads all events and reports the offset of each, and how it ended.
func read(file []byte) (offsets []int64, err error) {
	r, err := record.NewReader(bytes.NewReader(file))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var ev record.Event
	for {
		if err := r.Next(&ev); err != nil {
			if again := r.Next(&ev); again != err {
				return nil, fmt.Errorf("first %w, then %v", err, again)
			}
			return offsets, err
		}
		offsets = append(offsets, ev.Offset)
	}
}

// TestTruncated cuts a recording behind every byte: all whole events come out,
// and a cut inside one is told as such.
func TestTruncated(t *testing.T) {
	seed := rand.Uint64()
	file := randomRecording(t, seed, 12, true)
	whole, err := read(file)
	if err != io.EOF || len(whole) != 12 {
		t.Fatalf("seed %d: %d events, %v", seed, len(whole), err)
	}
	ends := append(whole, int64(len(file)))
	events := 0
	step := 1 + len(file)/6000
	for cut := int(ends[0]); cut <= len(file); cut++ {
		atEnd := int64(cut) == ends[events]
		if events < len(whole) && int64(cut) == ends[events+1] {
			events, atEnd = events+1, true
		}
		if !atEnd && cut%step != 0 {
			continue
		}
		got, err := read(file[:cut])
		if len(got) != events {
			t.Fatalf("seed %d: cut at %d: %d events, want %d", seed, cut, len(got), events)
		}
		if atEnd {
			if err != io.EOF {
				t.Fatalf("seed %d: cut between events at %d: %v", seed, cut, err)
			}
			continue
		}
		var fe *record.FormatError
		if !errors.As(err, &fe) || !errors.Is(err, io.ErrUnexpectedEOF) || fe.Event != uint64(events) || fe.Offset > int64(cut) || fe.Offset < ends[events] {
			t.Fatalf("seed %d: cut at %d in event %d: %v", seed, cut, events, err)
		}
	}
	for cut := range int(ends[0]) {
		if _, err := read(file[:cut]); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("cut at %d in the header: %v", cut, err)
		}
	}
}

func TestTruncatedZstd(t *testing.T) {
	seed := rand.Uint64()
	file := randomRecording(t, seed, 3000, true)
	enc, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	packed := enc.EncodeAll(file, nil)
	all, err := read(packed)
	if err != io.EOF || len(all) != 3000 {
		t.Fatalf("seed %d: %d events, %v", seed, len(all), err)
	}
	some, err := read(packed[:len(packed)*3/4])
	var fe *record.FormatError
	if len(some) == 0 || len(some) >= len(all) || !errors.As(err, &fe) || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatalf("seed %d: %d events of a cut file, %v", seed, len(some), err)
	}
	packed[len(packed)/2] ^= 0x55
	if _, err := read(packed); !errors.As(err, &fe) {
		t.Fatalf("seed %d: damaged compression: %v", seed, err)
	}
}

// TestDamage changes single bytes: there is an error with a place or another
// event, never a panic.
func TestDamage(t *testing.T) {
	seed := rand.Uint64()
	file := randomRecording(t, seed, 30, true)
	rnd := rand.New(rand.NewPCG(seed, 1))
	for range 3000 {
		at, old := rnd.IntN(len(file)), byte(0)
		old, file[at] = file[at], byte(rnd.Uint32())
		if _, err := read(file); err != io.EOF {
			var fe *record.FormatError
			if !errors.As(err, &fe) {
				t.Fatalf("seed %d: byte %d: %v", seed, at, err)
			}
		}
		file[at] = old
	}
}

const head = "SPICE_REPLAY 1\nevent 0 1 8 5\n"

func TestRefused(t *testing.T) {
	huge := "drawable\nrect bbox 0 0 1 1\ntype 1\nnum_rects 134217727\n"
	for name, c := range map[string]struct{ text, want string }{
		"version":        {"SPICE_REPLAY 2\n", `byte 0: want "SPICE_REPLAY 1\n"`},
		"text":           {head + "evnt 1", `event 1, byte 29: want "event "`},
		"no number":      {head + "event x 0 1 1\n", "byte 35: want a number"},
		"two spaces":     {head + "event 1  0 1 1\n", "want a number"},
		"windows":        {head + "event 1 0 1 1\r\n", "want a number and '\\n'"},
		"long number":    {head + "event 1 0 0 18446744073709551616\n", "does not fit 64 bits"},
		"wide number":    {head + "event 4294967296 0 0 1\n", "does not fit 32 bits"},
		"what":           {head + "event 1 2 0 1\n", "not in 0…1"},
		"negative":       {head + "event 1 0 0 -1\n", "negative"},
		"draw type":      {head + "event 1 0 1 1\ndrawable\nrect bbox 0 0 1 1\ntype 0\neffect 0\nmm_time 0\nself_bitmap 0\nrect self_bitmap_area 0 0 0 0\nsurface_id 0\n" + strings.Repeat("surfaces_dest -1\nrect surfaces_rects 0 0 0 0\n", 3) + "type 15\n", "unknown drawable type 15"},
		"lying size":     {head + "event 1 0 4 1\nbinary 0 m 99999:abc\n", "unexpected EOF"},
		"lying clip":     {head + "event 1 0 1 1\n" + huge + "data_chunks 0 2147483632\nbinary 0 clip_rects 2000000000:abc\n", "larger than"},
		"many chunks":    {head + "event 1 0 1 1\n" + huge + "data_chunks 2147483647 16\n", "not in 0…2097150"},
		"clip size":      {head + "event 1 0 1 1\ndrawable\nrect bbox 0 0 1 1\ntype 1\nnum_rects 1\ndata_chunks 0 3\nbinary 0 c 3:abc\n", "1 clip rectangles in 3 bytes"},
		"surface memory": {head + "event 1 1 20 1\n2 2 -8 32\n0 1 0 0\nbinary 0 data 3:abc\n", "surface has 3 bytes of 16"},
		"long message":   {head + "event 1 0 4 1\nbinary 0 m 100001:" + strings.Repeat("x", 100001) + "\n", "longer than 100000"},
	} {
		_, err := read([]byte(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want …%s…", name, err, c.want)
		}
	}
}

// TestLimit holds a reader to its limit when the bytes really come, plain and
// inflated.
func TestLimit(t *testing.T) {
	for name, text := range map[string]string{
		"plain": head + "event 1 0 4 1\nbinary 0 m 2000:" + strings.Repeat("x", 2000) + "\n",
		"zlib":  head + "event 1 0 4 1\n" + zlibBinary(make([]byte, 2000)),
	} {
		r, err := record.NewReader(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		r.SetMaxEvent(1000)
		var ev record.Event
		if err := r.Next(&ev); err != nil {
			t.Fatal(err)
		}
		if err := r.Next(&ev); err == nil || !strings.Contains(err.Error(), "more than 1000 bytes") && !strings.Contains(err.Error(), "larger than 1000 bytes") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func zlibBinary(p []byte) string {
	var z bytes.Buffer
	w := zlib.NewWriter(&z)
	w.Write(p)
	w.Close()
	return "binary 1 m " + strconv.Itoa(len(p)) + ":" + strconv.Itoa(z.Len()) + ":" + z.String() + "\n"
}

// TestZlib reads what other recorders may write: zlib binaries, unsigned
// numbers, requests that no longer exist, and a primary that was refused.
func TestZlib(t *testing.T) {
	long := []byte(strings.Repeat("spice", 20000))
	text := head + "event 1 1 5 6\nevent 2 1 12 6\nevent 3 1 20 6\n" +
		"event 4 1 20 7\n100 1000 -100 8\n4294967295 1 0 0\n" + zlibBinary(long) +
		"event 5 0 4 8\n" + zlibBinary([]byte("hello")) + "event 6 0 4 8\n" + zlibBinary(nil)
	r, err := record.NewReader(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	var ev record.Event
	for err = r.Next(&ev); err == nil; err = r.Next(&ev) {
		switch {
		case ev.Kind == record.Command:
			got = append(got, string(ev.Message.Text))
		case ev.HasPrimary:
			ok := bytes.Equal(ev.Primary.Memory, long) && ev.Primary.Position == 1<<32-1 && ev.Primary.Stride == -100
			got = append(got, fmt.Sprint("primary ", ok))
		default:
			got = append(got, record.WorkerType(ev.Type).String())
		}
	}
	want := "start|display connect|cursor migrate|create primary|primary true|hello|"
	if err != io.EOF || strings.Join(got, "|") != want {
		t.Fatalf("got %s, %v", strings.Join(got, "|"), err)
	}
	for name, bad := range map[string]string{
		"not zlib":  "binary 1 m 5:5:hello\n",
		"too short": strings.Replace(zlibBinary([]byte("hello")), " 5:", " 6:", 1),
		"too long":  strings.Replace(zlibBinary([]byte("hello")), " 5:", " 4:", 1),
	} {
		if _, err := read([]byte(head + "event 1 0 4 8\n" + bad)); err == nil || !strings.Contains(err.Error(), "zlib binary") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// repeat yields head once and then body for ever.
type repeat struct{ head, body, rest []byte }

func (r *repeat) Read(p []byte) (n int, err error) {
	if r.rest == nil {
		r.rest = r.head
	}
	for n < len(p) {
		if len(r.rest) == 0 {
			r.rest = r.body
		}
		m := copy(p[n:], r.rest)
		n, r.rest = n+m, r.rest[m:]
	}
	return n, nil
}

func TestSteadyStateAllocatesNothing(t *testing.T) {
	file := randomRecording(t, 7, 500, true)
	first := bytes.Index(file, []byte("event "))
	r, err := record.NewReader(&repeat{head: file[:first], body: file[first:]})
	if err != nil {
		t.Fatal(err)
	}
	w, err := record.NewWriter(io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var ev record.Event
	pass := func() {
		for range 500 {
			if err := r.Next(&ev); err != nil {
				t.Fatal(err)
			}
			if err := w.Event(&ev); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range 20 {
		pass()
	}
	if n := testing.AllocsPerRun(10, pass); n != 0 {
		t.Errorf("%v allocations for 500 events", n)
	}
}

type failing struct{ after int }

func (f *failing) Write(p []byte) (int, error) {
	if f.after -= len(p); f.after < 0 {
		return 0, io.ErrClosedPipe
	}
	return len(p), nil
}

func TestWriterErrorSticks(t *testing.T) {
	w, err := record.NewWriter(&failing{after: 100_000})
	if err != nil {
		t.Fatal(err)
	}
	m := qxl.MessageCommand{Text: make([]byte, 50_000)}
	for i := 0; err == nil && i < 10; i++ {
		err = w.Message(0, &m)
	}
	if !errors.Is(err, io.ErrClosedPipe) || !errors.Is(w.Flush(), io.ErrClosedPipe) {
		t.Fatalf("got %v", err)
	}
}

func FuzzReader(f *testing.F) {
	var t testing.T
	f.Add(randomRecording(&t, 1, 20, true))
	f.Add(randomRecording(&t, 2, 20, true))
	f.Add([]byte(head + "event 1 0 4 8\n" + zlibBinary([]byte("hello"))))
	f.Add([]byte{0x28, 0xb5, 0x2f, 0xfd, 0, 0})
	f.Fuzz(func(t *testing.T, file []byte) {
		r, err := record.NewReader(bytes.NewReader(file))
		if err != nil {
			return
		}
		defer r.Close()
		r.SetMaxEvent(1 << 20)
		w, err := record.NewWriter(io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		var ev record.Event
		for err = r.Next(&ev); err == nil; err = r.Next(&ev) {
			if err := w.Event(&ev); err != nil {
				t.Fatal(err)
			}
		}
		var fe *record.FormatError
		if err != io.EOF && !errors.As(err, &fe) {
			t.Fatalf("neither end nor format error: %v", err)
		}
	})
}
