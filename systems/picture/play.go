package picture

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/qxl/replay"
)

// Options say what is played.
type Options struct {
	At          uint64 // display and cursor commands to play; 0: all
	ClientEvery uint64 // commands after which the simulated client takes what waits for it; 0: no client
	Log         *slog.Logger
}

// Count is a number of drawables, and of pixels that they may change.
type Count struct {
	Drawables uint64 `json:"drawables"`
	Pixels    uint64 `json:"pixels"`
}

// Numbers describe what was played. Sent is what the client had taken after it
// took what was left at the end, including surfaces' contents.
type Numbers struct {
	Commands uint64          `json:"commands"`
	Drawn    Count           `json:"drawn"`
	Sent     Count           `json:"sent"`
	Undrawn  uint64          `json:"undrawn"`  // drawables that could not be executed
	Refused  uint64          `json:"refused"`  // commands that made no sense
	Executed uint64          `json:"executed"` // drawables executed before the picture was taken
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

// Play plays a recording and returns the render tree after its last command, and
// the heat of the primary surface. What is wrong with a recording is a
// *record.FormatError.
func Play(ctx context.Context, open func() (io.ReadCloser, error), o Options) (*Picture, error) {
	player, err := replay.New(open, replay.Options{StopAfter: o.At, Clock: now{}})
	if err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s, err := newStages(player, o.ClientEvery, o.Log)
	if err != nil {
		return nil, err
	}
	if err := player.Run(ctx, s); err != nil {
		return nil, err
	}
	p := &Picture{Tree: s.capture(), Heat: s.heat}
	s.numbers.Executed = s.raster.Drawn
	if o.ClientEvery > 0 {
		s.take()
	}
	s.raster.FlushAll()
	s.backdrops(p.Tree)
	p.Numbers, p.Problem = s.numbers, s.firstFail
	p.Numbers.Commands, p.Numbers.Undrawn = p.Tree.Commands, s.undrawn
	for _, n := range s.ingest.Stats().Refused {
		p.Numbers.Refused += n
	}
	for i := range p.Tree.Surfaces {
		p.Numbers.Surfaces = append(p.Numbers.Surfaces, p.Tree.Surfaces[i].Counts())
	}
	return p, nil
}

// now is a clock on which everything is due at once: the player's device is
// never busy elsewhere, so that waiting for it would be in vain.
type now struct{}

func (now) Now() time.Time { return time.Time{} }

func (now) AfterFunc(_ time.Duration, f func()) (stop func() bool) {
	f()
	return func() bool { return false }
}

// ErrEmpty reports that there is nothing to be seen.
var ErrEmpty = errors.New("there was no primary surface")

var _ replay.Clock = now{}
var _ = components.NodeDrawable
