package display

import (
	"errors"
	"fmt"

	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/ecs"
)

// ErrInvariant reports that a worker's state contradicts itself, which is a
// mistake in the program.
var ErrInvariant = errors.New("display worker invariant")

// Check looks for contradictions between the lists, pipes and batches that hold
// drawables and pixel buffers, and in the trees.
func (s *Sim) Check() error {
	w, refs := s.w, map[ecs.Entity]int32{}
	for id, e := range w.Scene.ByID {
		if e != s.surfaces[id] {
			s.surfaces[id], s.replaced[id] = e, w.Scene.Seq
		}
	}
	if err := w.checkCurrent(refs); err != nil {
		return fmt.Errorf("%w: %w", ErrInvariant, err)
	}
	items, buffers := map[ecs.Entity]int32{}, 0
	for slot, c := range w.clients {
		if c == nil {
			continue
		}
		for _, item := range w.Pipes.Items(slot) {
			switch item.Kind {
			case components.ItemDraw:
				items[item.Drawable]++
				refs[item.Drawable]++
				if err := s.checkItem(item.Drawable); err != nil {
					return fmt.Errorf("%w: %w", ErrInvariant, err)
				}
			case components.ItemImage:
				buffers++
			}
		}
		held, sending := c.state.Held()
		for _, e := range held {
			refs[e]++
		}
		buffers += sending
	}
	if err := w.checkRefs(refs, items); err != nil {
		return fmt.Errorf("%w: %w", ErrInvariant, err)
	}
	if n := w.Scene.Pixels.Len(); n != buffers {
		return fmt.Errorf("%w: %d pixel buffers in use, %d known of", ErrInvariant, n, buffers)
	}
	return w.Tree.Check()
}

// checkItem checks that what waits can be seen, or that nobody can tell.
func (s *Sim) checkItem(e ecs.Entity) error {
	if !s.w.Scene.World.Alive(e) {
		return fmt.Errorf("drawable %v waits after its end", e)
	}
	d := s.w.Scene.Drawables.Get(e)
	gone := s.w.Scene.Surface(d.Surface) == nil || d.Seq <= max(s.restarted, s.replaced[d.Surface])
	if !s.w.Scene.Nodes.Get(e).InTree && !gone {
		return fmt.Errorf("drawable %d waits to be sent, but cannot be seen", d.Seq)
	}
	return nil
}

// checkCurrent walks the lists of what has not been drawn yet.
func (w *Worker) checkCurrent(refs map[ecs.Entity]int32) error {
	seq, n := uint64(0), int32(0)
	for e := w.Scene.Current.First; !e.IsZero(); e = w.Scene.Drawables.Get(e).DeviceLink.Next {
		d, seen := w.Scene.Drawables.Get(e), w.Scene.Nodes.Get(e).InTree
		if !d.Current || d.Seq <= seq || !seen {
			return fmt.Errorf("drawable %d after %d: current %t, in tree %t", d.Seq, seq, d.Current, seen)
		}
		seq = d.Seq
		refs[e]++
		n++
	}
	onSurfaces := int32(0)
	for id := range w.Scene.ByID {
		s := w.Scene.Surface(uint32(id))
		if s == nil {
			continue
		}
		for e := s.Current.First; !e.IsZero(); e = w.Scene.Drawables.Get(e).SurfaceLink.Next {
			if d := w.Scene.Drawables.Get(e); d.Surface != uint32(id) || refs[e] == 0 {
				return fmt.Errorf("drawable %d of surface %d is in the list of %d", d.Seq, d.Surface, id)
			}
			onSurfaces++
		}
	}
	if n != w.Scene.Current.Len || n != onSurfaces {
		return fmt.Errorf("%d current drawables, %d counted, %d on surfaces", n, w.Scene.Current.Len, onSurfaces)
	}
	return nil
}

// checkRefs compares what drawables say of themselves with who holds them.
func (w *Worker) checkRefs(refs, items map[ecs.Entity]int32) error {
	held := int64(0)
	for e, n := range refs {
		if !w.Scene.World.Alive(e) {
			return fmt.Errorf("drawable %v is held after its end", e)
		}
		d := w.Scene.Drawables.Get(e)
		if d.Refs != n || d.Items.Len != items[e] {
			return fmt.Errorf("drawable %d: %d references, %d held; %d items, %d in pipes", d.Seq, d.Refs, n, d.Items.Len, items[e])
		}
		held += int64(d.Cost)
	}
	if n := w.Scene.Commands.Len(); n != len(refs) || held != w.Scene.Held {
		return fmt.Errorf("%d drawables of %d bytes, %d of %d held", n, w.Scene.Held, len(refs), held)
	}
	return nil
}
