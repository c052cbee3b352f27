package replay

import (
	"sync"
	"sync/atomic"

	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/qxl/guest"
)

// maxSurfaces is the number of surface ids that devices offer; 0 is the primary.
const maxSurfaces = 1024

// surface is a living off-screen surface: its id on the device, and its memory.
type surface struct {
	id     uint32
	pixels guest.Block
}

// surfaces maps the recording's surface ids to the device's. They are the same
// unless the device has not released the last destruction of that id yet: it
// may still be sending what is to be drawn before it.
type surfaces struct {
	living map[uint32]surface // by recorded id, the feeder's

	leaving atomic.Int32 // entries of dying
	mu      sync.Mutex
	busy    [maxSurfaces]bool // living or dying
	dying   map[uint64]uint32 // ids by release id of the destroy command
}

func (s *surfaces) init() {
	s.living = make(map[uint32]surface)
	s.dying = make(map[uint64]uint32)
	s.busy[0] = true
}

// id is the device's id for a recorded one. Ids that were never created stay
// as they are, for the device to refuse.
func (s *surfaces) id(recorded uint32) uint32 {
	if len(s.living) > 0 {
		if x, ok := s.living[recorded]; ok {
			return x.id
		}
	}
	return recorded
}

// take reserves an id on the device, the recorded one if it is free.
func (s *surfaces) take(recorded uint32) (uint32, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if recorded < maxSurfaces && !s.busy[recorded] {
		s.busy[recorded] = true
		return recorded, true
	}
	for id := range s.busy {
		if !s.busy[id] {
			s.busy[id] = true
			return uint32(id), true
		}
	}
	return 0, false
}

func (s *surfaces) free(id uint32) {
	s.mu.Lock()
	s.busy[id] = false
	s.mu.Unlock()
}

// destroyed notes that the id is free when the command with the release id is
// released.
func (s *surfaces) destroyed(id uint32, release uint64) {
	s.mu.Lock()
	s.dying[release] = id
	s.mu.Unlock()
	s.leaving.Add(1)
}

// released is told of every release.
func (s *surfaces) released(release uint64) {
	if s.leaving.Load() == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if id, ok := s.dying[release]; ok {
		delete(s.dying, release)
		s.busy[id] = false
		s.leaving.Add(-1)
	}
}

// mapIDs translates all surface ids in d.
func (s *surfaces) mapIDs(d *qxl.Drawable) {
	if len(s.living) == 0 {
		return
	}
	d.Surface = s.id(d.Surface)
	for i, dep := range d.Deps {
		if dep >= 0 {
			d.Deps[i] = int32(s.id(uint32(dep)))
		}
	}
	for i := range d.Images {
		if im := &d.Images[i]; im.Type == qxl.ImageSurface {
			im.Surface = s.id(im.Surface)
		}
	}
}
