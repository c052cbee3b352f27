package record

import (
	"io"
	"strconv"
	"sync"

	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

// flushSize is how much a Writer gathers before it writes.
const flushSize = 64 << 10

// Writer writes a recording, plain. It numbers the events. It may be used by
// several goroutines: each event is written in one piece.
//
// An error of the underlying writer sticks: it is what all later calls return.
type Writer struct {
	mu      sync.Mutex
	w       io.Writer
	buf     []byte
	n       uint32
	err     error
	scratch []byte // one list of indirect data
}

// NewWriter starts a recording on w. Flush must follow the last event.
func NewWriter(w io.Writer) (*Writer, error) {
	wr := &Writer{w: w, buf: make([]byte, 0, 2*flushSize)}
	wr.str(header)
	wr.flush()
	return wr, wr.err
}

// Event writes ev as it was read, but for its Counter.
func (w *Writer) Event(ev *Event) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if ev.Kind == Worker {
		w.event(ev.Timestamp, Worker, ev.Type)
		if ev.HasPrimary && WorkerType(ev.Type).hasPrimary() {
			w.primary(&ev.Primary)
		}
		return w.finish()
	}
	w.event(ev.Timestamp, Command, ev.Type)
	switch qxl.CommandType(ev.Type) {
	case qxl.CommandDraw:
		w.drawable(&ev.Drawable, &ev.Chunks)
	case qxl.CommandUpdate:
		w.update(&ev.Update)
	case qxl.CommandCursor:
		w.cursor(&ev.Cursor, &ev.Chunks)
	case qxl.CommandMessage:
		w.bin("message", ev.Message.Text)
	case qxl.CommandSurface:
		w.surface(&ev.Surface)
	}
	return w.finish()
}

// Worker writes a request to the device worker at ts nanoseconds. A create
// primary request has the surface, all others nil.
func (w *Writer) Worker(ts uint64, t WorkerType, p *qxl.PrimarySurface) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.event(ts, Worker, uint32(t))
	if p != nil && t.hasPrimary() {
		w.primary(p)
	}
	return w.finish()
}

// Draw writes a drawing command taken at ts nanoseconds, in its native form.
func (w *Writer) Draw(ts uint64, d *qxl.Drawable) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.event(ts, Command, uint32(qxl.CommandDraw))
	w.drawable(d, &Chunks{})
	return w.finish()
}

// Update writes an update command taken at ts nanoseconds.
func (w *Writer) Update(ts uint64, u *qxl.UpdateCommand) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.event(ts, Command, uint32(qxl.CommandUpdate))
	w.update(u)
	return w.finish()
}

// Cursor writes a cursor command taken at ts nanoseconds. The format has no
// form for a set without a shape, which becomes one with an empty shape.
func (w *Writer) Cursor(ts uint64, c *qxl.CursorCommand) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.event(ts, Command, uint32(qxl.CommandCursor))
	w.cursor(c, &Chunks{})
	return w.finish()
}

// Message writes a message command taken at ts nanoseconds.
func (w *Writer) Message(ts uint64, m *qxl.MessageCommand) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.event(ts, Command, uint32(qxl.CommandMessage))
	w.bin("message", m.Text)
	return w.finish()
}

// Surface writes a surface command taken at ts nanoseconds. Memory is written
// where Flags say that it is to be kept.
func (w *Writer) Surface(ts uint64, c *qxl.SurfaceCommand) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.event(ts, Command, uint32(qxl.CommandSurface))
	w.surface(c)
	return w.finish()
}

// Flush writes everything gathered so far.
func (w *Writer) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.flush()
	return w.err
}

func (w *Writer) flush() {
	if w.err == nil && len(w.buf) > 0 {
		_, w.err = w.w.Write(w.buf)
	}
	w.buf = w.buf[:0]
}

func (w *Writer) event(ts uint64, k Kind, t uint32) {
	w.str("event ")
	w.i32(int32(w.n), ' ')
	w.i32(int32(k), ' ')
	w.i32(int32(t), ' ')
	w.u64(ts)
	w.n++
}

func (w *Writer) finish() error {
	if len(w.buf) >= flushSize {
		w.flush()
	}
	return w.err
}

func (w *Writer) str(s string) { w.buf = append(w.buf, s...) }

func (w *Writer) i32(v int32, end byte) {
	w.buf = append(strconv.AppendInt(w.buf, int64(v), 10), end)
}

func (w *Writer) u64(v uint64) {
	w.buf = append(strconv.AppendUint(w.buf, v, 10), '\n')
}

// field writes a line of a name and a number, which may be unsigned: the
// format prints all 32-bit numbers as signed.
func (w *Writer) field(name string, v uint32) {
	w.str(name)
	w.i32(int32(v), '\n')
}

func (w *Writer) bool(name string, v bool) {
	if v {
		w.field(name, 1)
	} else {
		w.field(name, 0)
	}
}

func (w *Writer) rect(name string, r regions.Rect) {
	w.str(name)
	w.i32(r.Top, ' ')
	w.i32(r.Left, ' ')
	w.i32(r.Bottom, ' ')
	w.i32(r.Right, '\n')
}

func (w *Writer) point(name string, x, y int32) {
	w.str(name)
	w.i32(x, ' ')
	w.i32(y, '\n')
}

// bin writes a binary; a large one goes around the buffer.
func (w *Writer) bin(name string, p []byte) {
	w.binHead(name, len(p))
	w.raw(p)
	w.str("\n")
}

func (w *Writer) binHead(name string, size int) {
	w.str("binary 0 ")
	w.str(name)
	w.str(" ")
	w.i32(int32(size), ':')
}

func (w *Writer) raw(p []byte) {
	if len(p) < flushSize {
		w.buf = append(w.buf, p...)
		return
	}
	w.flush()
	if w.err == nil {
		_, w.err = w.w.Write(p)
	}
}

func (w *Writer) chunksHead(pieces, size int) {
	w.str("data_chunks ")
	w.i32(int32(pieces-1), ' ')
	w.i32(int32(size), '\n')
}

// blob writes a chunk list with the pieces that b has.
func (w *Writer) blob(name string, b *qxl.Blob) {
	w.chunksHead(max(1, len(b.Chunks)), b.Size)
	for _, c := range b.Chunks {
		w.bin(name, c)
	}
	if len(b.Chunks) == 0 {
		w.bin(name, nil)
	}
}

// list writes p as a chunk list with pieces of the given sizes, or as one
// piece where those are not sizes of p.
func (w *Writer) list(name string, p []byte, sizes []int) {
	sum := 0
	for _, n := range sizes {
		sum += n
	}
	if sum != len(p) || len(sizes) == 0 {
		w.chunksHead(1, len(p))
		w.bin(name, p)
		return
	}
	w.chunksHead(len(sizes), sum)
	for _, n := range sizes {
		w.bin(name, p[:n])
		p = p[n:]
	}
}
