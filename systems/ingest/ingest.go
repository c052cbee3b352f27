// Package ingest is the beginning of a command's way: it takes commands from
// the guest's rings, decodes and validates them, and makes drawables of them.
//
//	Ring.GetCommand -> qxl.Decoder (copy and check, once) -> surface checks
//	  drawing  -> Drawable entity, command in a recycled slab slot -> Sink.Draw
//	  others   -> Sink.Update, Sink.Surface, Sink.Message, Sink.Cursor
//	  refused  -> counted by reason, logged at a limited rate, released
//
// Nothing behind this stage sees guest memory but pixels.
package ingest

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/systems/release"
)

// Sink takes what came out of the rings, in ring order. Commands are valid
// during the call; a drawable as long as the sink references it.
type Sink interface {
	Draw(e ecs.Entity)
	Update(u *qxl.UpdateCommand)
	// Surface reports whether it keeps the command's resource.
	Surface(s *qxl.SurfaceCommand) (kept bool, err error)
	Cursor(c *qxl.CursorCommand)
	// Room reports whether more display commands may come.
	Room() bool
}

// logEvery is the least time between two lines about refused commands.
const logEvery = time.Second

// pollInterval is after what time an empty ring is looked at once more before
// the guest is asked to tell.
const pollInterval = 10 * time.Millisecond

// mostPatience is how often a ring is looked at, after the guest was asked to tell, at
// most: each time later, for 310 ms in all.
const mostPatience = 5

// Errors that refuse a command for what it names.
var (
	ErrSurface = errors.New("no such surface")
	ErrBox     = errors.New("box outside the surface")
	ErrCommand = errors.New("unknown command")
	ErrFull    = errors.New("too many drawables")
)

// Stats counts what came and what was refused.
type Stats struct {
	Display, Cursor uint64            // commands taken from each ring
	Refused         map[string]uint64 // by reason
}

// Ingest drains one device's rings. It belongs to the device worker.
type Ingest struct {
	scene *components.Scene
	ring  qxl.Ring
	dec   *qxl.Decoder
	rel   *release.Releaser
	sink  Sink
	log   *slog.Logger

	stats    Stats
	logged   time.Time
	unlogged uint64
	now      time.Time

	display, cursor poller

	cmd     qxl.Command // just taken; here so that taking it allocates nothing
	update  qxl.UpdateCommand
	message qxl.MessageCommand
	surface qxl.SurfaceCommand
	shape   qxl.CursorCommand
}

// poller is what is known of an empty ring. At the second look in a row the guest is
// asked to tell. One that is busy filling its ring may do so late: its ring is looked at
// for a while all the same, the shorter the more often it has told in time.
type poller struct {
	looks    int // in a row
	patience int // looks after the guest was asked
}

// told is that the guest says there are commands.
func (p *poller) told() {
	if p.looks > 1 {
		p.patience = max(p.patience-1, 0)
	}
	p.looks = 0
}

// found is that there are some.
func (p *poller) found() {
	if p.looks > 1 {
		p.patience = mostPatience
	}
	p.looks = 0
}

// New returns the ingest stage of a device whose guest memory mem resolves.
func New(scene *components.Scene, ring qxl.Ring, mem *qxl.Memory, rel *release.Releaser, sink Sink, log *slog.Logger) *Ingest {
	return &Ingest{
		scene: scene, ring: ring, dec: qxl.NewDecoder(mem), rel: rel, sink: sink, log: log,
		display: poller{patience: mostPatience}, cursor: poller{patience: mostPatience},
		stats: Stats{Refused: map[string]uint64{}},
	}
}

// Stats returns the counters; Refused is shared.
func (in *Ingest) Stats() Stats { return in.stats }

// Rearm makes the stage look at the rings again. It has to be called when the
// guest says that there are commands.
func (in *Ingest) Rearm() {
	in.display.told()
	in.cursor.told()
}

// Run takes up to budget commands from each ring, and returns after what time
// it wants to be called again even if nothing happens: 0 when there is more.
func (in *Ingest) Run(now time.Time, budget int) time.Duration {
	in.now = now
	next := ecs.Idle
	for i := 0; ; i++ {
		if i == budget {
			return 0
		}
		if !in.take(&in.cursor, &next, in.ring.GetCursorCommand, in.ring.RequestCursorNotification) {
			break
		}
		in.stats.Cursor++
		in.cursorCommand(in.cmd)
	}
	for i := 0; in.sink.Room(); i++ {
		if i == budget {
			return 0
		}
		if !in.take(&in.display, &next, in.ring.GetCommand, in.ring.RequestCommandNotification) {
			break
		}
		in.stats.Display++
		in.displayCommand(in.cmd)
	}
	return next
}

// Flush takes all commands that are in the rings now, up to limit of each,
// whether the sink has room or not.
func (in *Ingest) Flush(now time.Time, limit int) {
	in.now = now
	for i := 0; i < limit && in.ring.GetCursorCommand(&in.cmd); i++ {
		in.stats.Cursor++
		in.cursorCommand(in.cmd)
	}
	for i := 0; i < limit && in.ring.GetCommand(&in.cmd); i++ {
		in.stats.Display++
		in.displayCommand(in.cmd)
	}
}

// take gets the next command of a ring into in.cmd. Of an empty one it asks once more after
// pollInterval, then asks the guest to wake the worker, and goes on as patient as the
// poller is. Whenever something else wakes the worker, it looks, too.
func (in *Ingest) take(p *poller, next *time.Duration, get func(*qxl.Command) bool, request func() bool) bool {
	for !get(&in.cmd) {
		if p.looks == 1 && !request() {
			continue // there is something by now
		}
		if p.looks <= p.patience {
			*next = min(*next, pollInterval<<max(p.looks-1, 0))
		}
		p.looks++
		return false
	}
	p.found()
	return true
}

func (in *Ingest) cursorCommand(c qxl.Command) {
	if c.Type != qxl.CommandCursor {
		in.refuse("cursor", fmt.Errorf("%w: type %d", ErrCommand, c.Type), qxl.Resource{})
		return
	}
	if err := in.dec.Cursor(&in.shape, c); err != nil {
		in.refuse("cursor", err, in.shape.Resource)
		return
	}
	in.sink.Cursor(&in.shape)
	in.rel.Resource(in.shape.Resource)
}

func (in *Ingest) displayCommand(c qxl.Command) {
	switch c.Type {
	case qxl.CommandDraw:
		in.draw(c)
	case qxl.CommandUpdate:
		err := in.dec.Update(&in.update, c)
		if err == nil {
			in.sink.Update(&in.update)
		}
		in.done("update", err, in.update.Resource)
	case qxl.CommandMessage:
		err := in.dec.Message(&in.message, c)
		if err == nil {
			in.log.Debug("message from the guest driver", "text", string(in.message.Text))
		}
		in.done("message", err, in.message.Resource)
	case qxl.CommandSurface:
		err := in.dec.Surface(&in.surface, c)
		kept := false
		if err == nil {
			kept, err = in.sink.Surface(&in.surface)
		}
		if !kept {
			in.done("surface", err, in.surface.Resource)
		}
	default:
		in.refuse("display", fmt.Errorf("%w: type %d", ErrCommand, c.Type), qxl.Resource{})
	}
}

// done gives a command back that needs nothing more.
func (in *Ingest) done(what string, err error, res qxl.Resource) {
	if err != nil {
		in.refuse(what, err, res)
		return
	}
	in.rel.Resource(res)
}

// draw makes a drawable of a drawing command.
func (in *Ingest) draw(c qxl.Command) {
	h, cmd, _ := in.scene.Commands.Alloc()
	err := in.dec.Drawable(cmd, c)
	if err == nil && in.scene.Full() {
		err = ErrFull
	}
	if err == nil {
		err = in.check(cmd)
	}
	if err != nil || cmd.Type == qxl.DrawNOP || hidden(cmd) {
		res := cmd.Resource
		in.scene.Commands.Free(h)
		in.done("draw", err, res)
		return
	}
	e, d, _ := in.scene.NewDrawable.New()
	in.scene.Seq++
	d.Seq = in.scene.Seq
	d.Command = h
	d.Surface, d.BBox, d.Type, d.Effect = cmd.Surface, cmd.BBox, cmd.Type, cmd.Effect
	d.Cost = cost(cmd)
	d.Refs = 1
	in.scene.Held += int64(d.Cost)
	in.sink.Draw(e)
	in.rel.Unref(e)
}

// check validates what a command names against the surfaces there are. Images
// that stand for a surface get that one's size, which it need not have any more
// when the command is sent.
func (in *Ingest) check(cmd *qxl.Drawable) error {
	s := in.scene.Surface(cmd.Surface)
	if s == nil {
		return fmt.Errorf("%w: target %d", ErrSurface, cmd.Surface)
	}
	if b := cmd.BBox; b.Left < 0 || b.Top < 0 || b.Right > s.Width || b.Bottom > s.Height {
		return ErrBox
	}
	if a := cmd.SelfBitmapArea; cmd.SelfBitmap && (a.Empty() || a.Left < 0 || a.Top < 0 || a.Right > s.Width || a.Bottom > s.Height) {
		return fmt.Errorf("self bitmap: %w", ErrBox)
	}
	for _, dep := range cmd.Deps {
		if dep >= 0 && in.scene.Surface(uint32(dep)) == nil {
			return fmt.Errorf("%w: dependency %d", ErrSurface, dep)
		}
	}
	for i := range cmd.Images {
		im := &cmd.Images[i]
		if im.Type != qxl.ImageSurface {
			continue
		}
		from := in.scene.Surface(im.Surface)
		if from == nil {
			return fmt.Errorf("%w: image %d", ErrSurface, im.Surface)
		}
		im.Width, im.Height = uint32(from.Width), uint32(from.Height)
	}
	return nil
}

// hidden reports whether a drawable cannot change any pixel for its place alone.
func hidden(cmd *qxl.Drawable) bool {
	if cmd.BBox.Empty() {
		return true
	}
	if cmd.Clip.Type != qxl.ClipRects {
		return false
	}
	for _, r := range cmd.Clip.Rects {
		if r.Overlaps(cmd.BBox) {
			return false
		}
	}
	return true
}

// commandCost is the guest memory a drawable takes besides its images.
const commandCost = 256

func cost(cmd *qxl.Drawable) int32 {
	n := commandCost + 16*len(cmd.Clip.Rects) + 8*len(cmd.Points) + len(cmd.Text.Data)
	for i := range cmd.Images {
		n += cmd.Images[i].Data.Size
	}
	return int32(min(n, 1<<30))
}

// refuse counts a bad command, logs it unless another was logged just before,
// and gives its resource back.
func (in *Ingest) refuse(what string, err error, res qxl.Resource) {
	in.stats.Refused[reason(err)]++
	in.unlogged++
	if in.now.Sub(in.logged) >= logEvery {
		in.log.Warn("guest command refused", "kind", what, "err", err, "refused", in.unlogged)
		in.logged, in.unlogged = in.now, 0
	}
	in.rel.Resource(res)
}

// reason names an error for the counters.
func reason(err error) string {
	if ge := (*qxl.GuestError)(nil); errors.As(err, &ge) {
		return ge.Reason.String()
	}
	for _, known := range []error{ErrSurface, ErrBox, ErrCommand, ErrFull} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return "other"
}
