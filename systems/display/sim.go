package display

import (
	"time"

	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
	"github.com/spiceecs/spiceecs/systems/raster"
	"github.com/spiceecs/spiceecs/systems/tree"
)

// Sim is a device worker that is driven by hand, on the caller's goroutine, and
// to which nothing happens by itself. Tests use it to stop between any two steps
// and look. Its clients are in simclient.go.
type Sim struct {
	// The worker's state, to be looked at.
	Scene  *components.Scene
	Tree   *tree.Tree
	Raster *raster.Raster

	w      *Worker
	joined uint32    // clients so far
	lines  []simLine // by pipe slot

	// Drawables up to these may wait in pipes without being in the tree: what
	// came before z-order began anew, and before a surface was found replaced.
	restarted uint64
	replaced  []uint64
	surfaces  []ecs.Entity // as they were found last
}

// NewSim returns a device with guest memory mem.
func NewSim(cfg Config, mem qxl.Slot) (*Sim, error) {
	w, err := New(cfg)
	if err != nil {
		return nil, err
	}
	if err := w.mem.AddSlot(mem); err != nil {
		return nil, err
	}
	return &Sim{
		Scene: w.Scene, Tree: w.Tree, Raster: w.Raster, w: w,
		replaced: make([]uint64, cfg.Surfaces), surfaces: make([]ecs.Entity, cfg.Surfaces),
	}, nil
}

// Close ends all clients and surfaces.
func (s *Sim) Close() {
	for i := range s.lines {
		s.lines[i].close()
	}
	s.w.shutdown()
}

// now is the time, which what is queued from now on is stamped with.
func (s *Sim) now() time.Time {
	s.w.Pipes.Now = s.w.cfg.Clock.Now()
	return s.w.Pipes.Now
}

// Tick takes up to budget commands of each ring, as far as there is room.
func (s *Sim) Tick(budget int) {
	s.w.Ingest.Rearm()
	s.w.Ingest.Run(s.now(), budget)
	s.bound()
}

func (s *Sim) bound() { s.w.boundStage(s.now()) }

// CreatePrimary is Worker.CreatePrimary.
func (s *Sim) CreatePrimary(p qxl.PrimarySurface) error {
	s.now()
	return s.w.createPrimary(p)
}

// Carry carries a request out.
func (s *Sim) Carry(r Request) error {
	s.now()
	defer s.bound()
	return r(s.w)
}

// UpdateArea is Worker.UpdateArea.
func (s *Sim) UpdateArea(surface uint32, area regions.Rect, clear bool) ([]regions.Rect, error) {
	s.now()
	defer s.bound()
	return s.w.updateArea(surface, area, clear, nil)
}

// Restart begins the z-order anew, as happens when its numbers run out.
func (s *Sim) Restart() {
	s.w.Raster.FlushAll()
	s.w.Tree.Restart()
	s.restarted = s.Scene.Seq
}

// SetBound changes how much guest memory drawables may hold.
func (s *Sim) SetBound(bytes int64) {
	s.w.cfg.HeldBytes = bytes
	s.bound()
}
