package picture

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"github.com/spiceecs/spiceecs/qxl/replay"
)

// Options say what is played.
type Options struct {
	Title       string // of the recording
	At          uint64 // display and cursor commands to play; 0: all
	ClientEvery uint64 // commands after which the simulated client takes what waits for it; 0: no client
	Memory      int    // bytes of the guest's video memory; 0: as much as replay.Options says
	Log         *slog.Logger
}

// Count is a number of drawables, and of pixels that they may change.
type Count struct {
	Drawables uint64 `json:"drawables"`
	Pixels    uint64 `json:"pixels"`
}

// Numbers describe what was played. Surfaces are as the tree was; what was drawn
// and sent includes what the client took at the end, and surfaces' contents.
type Numbers struct {
	Commands uint64 `json:"commands"`
	Client   uint64 `json:"client_every"`
	Drawn    Count  `json:"drawn"` // on all surfaces
	Sent     Count  `json:"sent"`
	Primary  struct {
		Drawn HeatCounts `json:"drawn"`
		Sent  HeatCounts `json:"sent"`
	} `json:"primary"`
	Executed uint64          `json:"executed"` // drawables, before the picture was taken
	Failed   uint64          `json:"failed"`   // drawables that could not be executed
	Refused  uint64          `json:"refused"`  // commands that made no sense
	Surfaces []SurfaceCounts `json:"surfaces"`
}

// Picture is the outcome of Play.
type Picture struct {
	Tree    *Tree
	Heat    *Heat
	Numbers Numbers
	// Problem is why the first drawable that could not be executed could not.
	Problem error
}

// ErrMemory reports a recording whose surfaces and commands in use at one time do
// not fit into the guest's memory.
var ErrMemory = errors.New("the guest's memory does not suffice for the recording")

// Play plays a recording and returns the render tree after its last command, and
// the heat of the primary surface. What is wrong with a recording is a
// *record.FormatError.
func Play(ctx context.Context, open func() (io.ReadCloser, error), o Options) (*Picture, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	player, err := replay.New(open, replay.Options{StopAfter: o.At, Memory: o.Memory, Clock: now{ctx}})
	if err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s, err := newSim(player, o.ClientEvery, o.Log)
	if err != nil {
		return nil, err
	}
	s.stuck = func() { cancel(ErrMemory) }
	if err := player.Run(ctx, s); err != nil {
		return nil, cmp.Or(context.Cause(ctx), err)
	}
	p := &Picture{Tree: s.capture(), Heat: s.heat}
	p.Tree.Title, p.Heat.Title = o.Title, o.Title
	p.Tree.Client, p.Heat.Client = o.ClientEvery, o.ClientEvery
	p.Tree.Commands, p.Heat.Commands = player.Stats().Commands, player.Stats().Commands
	s.numbers.Executed = s.Raster.Drawn
	if o.ClientEvery > 0 {
		s.take()
	}
	s.Raster.FlushAll()
	s.backdrops(p.Tree)
	s.count(p)
	return p, nil
}

// count sums everything up.
func (s *sim) count(p *Picture) {
	n := &p.Numbers
	*n, p.Problem = s.numbers, s.firstFailure
	n.Commands, n.Client = p.Tree.Commands, p.Tree.Client
	n.Primary.Drawn, n.Primary.Sent = p.Heat.Counts()
	for _, times := range s.Ingest.Stats().Refused {
		n.Refused += times
	}
	n.Surfaces = []SurfaceCounts{}
	for i := range p.Tree.Surfaces {
		n.Surfaces = append(n.Surfaces, p.Tree.Surfaces[i].Counts())
	}
}

// now is a clock on which everything is due at once, until it is stopped: the
// player's device is never busy elsewhere, so that waiting for it would be in
// vain.
type now struct{ ctx context.Context }

func (now) Now() time.Time { return time.Time{} }

func (n now) AfterFunc(_ time.Duration, f func()) (stop func() bool) {
	if n.ctx.Err() == nil {
		f()
	}
	return func() bool { return false }
}

var _ replay.Clock = now{}
