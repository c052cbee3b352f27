package display

import (
	"io"
	"time"

	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/record"
)

// Recording notes what devices are given, so that it can be played again: every
// command taken from the rings, and the requests of the VMM. Devices of a
// server share one, in which they cannot be told apart. Safe from any goroutine.
type Recording struct {
	out   *record.Writer
	clock ecs.Clock
	start time.Time
}

// NewRecording starts a recording on w, which gets everything as soon as the
// devices' rings are found empty, and at the latest with a device's end. The
// first error of w ends the recording, not the devices.
func NewRecording(w io.Writer, clock ecs.Clock) (*Recording, error) {
	out, err := record.NewWriter(w)
	if err != nil {
		return nil, err
	}
	return &Recording{out: out, clock: clock, start: clock.Now()}, nil
}

func (r *Recording) now() uint64 { return uint64(r.clock.Now().Sub(r.start)) }

// note records a request that has no body, by its synchronous form: that is the
// one which players act on. A nil Recording notes nothing.
func (r *Recording) note(t record.WorkerType) {
	if r != nil {
		_ = r.out.Worker(r.now(), t, nil) // the writer keeps its error
	}
}

// primary records a new screen, with as much memory as its lines take.
func (r *Recording) primary(p qxl.PrimarySurface) {
	size := max(int64(p.Stride), -int64(p.Stride)) * int64(p.Height)
	if r == nil || int64(len(p.Memory)) < size {
		return
	}
	p.Memory = p.Memory[:size]
	_ = r.out.Worker(r.now(), record.WorkerCreatePrimary, &p)
}

// recorder is a Ring whose commands are recorded on their way to the worker.
// What cannot be decoded is left out.
type recorder struct {
	qxl.Ring
	rec *Recording
	dec *qxl.Decoder

	draw    qxl.Drawable
	update  qxl.UpdateCommand
	message qxl.MessageCommand
	surface qxl.SurfaceCommand
	cursor  qxl.CursorCommand
}

func (r *recorder) GetCommand(c *qxl.Command) bool {
	ok := r.Ring.GetCommand(c)
	if ok {
		r.command(*c)
	}
	return ok
}

func (r *recorder) GetCursorCommand(c *qxl.Command) bool {
	ok := r.Ring.GetCursorCommand(c)
	if ok {
		r.command(*c)
	}
	return ok
}

func (r *recorder) RequestCommandNotification() bool {
	_ = r.rec.out.Flush()
	return r.Ring.RequestCommandNotification()
}

// command records c; an error of the writer is kept there.
func (r *recorder) command(c qxl.Command) {
	ts := r.rec.now()
	switch c.Type {
	case qxl.CommandDraw:
		if r.dec.Drawable(&r.draw, c) == nil {
			_ = r.rec.out.Draw(ts, &r.draw)
		}
	case qxl.CommandUpdate:
		if r.dec.Update(&r.update, c) == nil {
			_ = r.rec.out.Update(ts, &r.update)
		}
	case qxl.CommandMessage:
		if r.dec.Message(&r.message, c) == nil {
			_ = r.rec.out.Message(ts, &r.message)
		}
	case qxl.CommandSurface:
		if r.dec.Surface(&r.surface, c) == nil {
			_ = r.rec.out.Surface(ts, &r.surface)
		}
	case qxl.CommandCursor:
		if r.dec.Cursor(&r.cursor, c) == nil {
			_ = r.rec.out.Cursor(ts, &r.cursor)
		}
	}
}
