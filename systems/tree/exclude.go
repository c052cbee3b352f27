package tree

import (
	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/regions"
)

// push notes an exclusion to be done. It takes the area over.
func (t *Tree) push(surface, order uint32, area components.Area) {
	if !area.Empty() {
		t.work = append(t.work, task{surface, order, area})
	}
}

// run does the exclusions that are waiting, and those that they bring about.
func (t *Tree) run() {
	if t.running {
		return
	}
	t.running = true
	for len(t.work) > 0 {
		w := t.work[len(t.work)-1]
		t.work = t.work[:len(t.work)-1]
		if t.surfaces[w.surface] != nil {
			t.exclude(w.surface, w.order, t.scene.Region(w.area, &t.a))
		}
		t.scene.FreeArea(&w.area)
	}
	t.running = false
}

// exclude takes area away from every node of a surface that is older than order,
// from the top down, until nothing of it is left: an opaque drawable hides what
// is below itself, and a shadow protects what is below from newer drawing.
func (t *Tree) exclude(surface, order uint32, area *regions.Region) {
	ix := t.surfaces[surface]
	// Exclusions do not nest, but the caller's region must stay as it is.
	t.a.Copy(area)
	for chunk := firstChunk; !t.a.Empty(); chunk = nextChunk(chunk) {
		t.near = ix.below(t.a.Extents(), order, t.near[:0], chunk)
		for _, it := range t.near {
			order = it.ID
			m := ix.node(it)
			if m.IsZero() {
				continue // a shadow that went with its owner
			}
			n := t.scene.Nodes.Get(m)
			switch {
			case !n.Listed.Rect().Overlaps(t.a.Extents()):
			case n.Kind == components.NodeShadow:
				t.hold(m)
			default:
				t.cut(m)
			}
			if t.a.Empty() {
				return
			}
		}
		if len(t.near) < chunk {
			return
		}
	}
}

// hold stops the exclusion of what a shadow's owner reads.
func (t *Tree) hold(m ecs.Entity) {
	n, s := t.scene.Nodes.Get(m), t.scene.Shadows.Get(m)
	if !t.meets(m, n, &t.a) {
		return
	}
	area := t.scene.Region(n.Area, &t.mine)
	t.c.SetIntersection(&t.a, area)
	t.a.Subtract(area)
	held := t.scene.Region(s.OnHold, &t.held)
	held.Union(&t.c)
	t.scene.SetArea(&s.OnHold, held)
}

// cut takes the excluded pixels from a drawable, which may be its end.
func (t *Tree) cut(m ecs.Entity) {
	n := t.scene.Nodes.Get(m)
	if !t.meets(m, n, &t.a) {
		return
	}
	area := t.scene.Region(n.Area, &t.mine)
	t.c.SetIntersection(area, &t.a) // what it loses
	area.Subtract(&t.a)
	t.scene.SetArea(&n.Area, area)
	if n.Opaque {
		t.a.Subtract(&t.c)
	}
	if n.Area.Empty() {
		t.hide(m)
		return
	}
	t.shrinkShadows(m, &t.c)
}

// meets reports whether a node that the index found has pixels of its area where
// something was sought. If it was found in vain, as it has lost some that it is listed
// with, the index is told. To follow each loss at once would take longer: most nodes
// lose some more, or all, before anybody is misled.
func (t *Tree) meets(m ecs.Entity, n *components.Node, sought *regions.Region) bool {
	now := n.Area.Extents()
	if now.Overlaps(sought.Extents()) {
		return sought.Overlaps(t.scene.Region(n.Area, &t.mine))
	}
	t.surfaces[n.Surface].move(m, n, now)
	return false
}

// hide takes a drawable that cannot be seen any more from tree, canvas and pipes.
func (t *Tree) hide(m ecs.Entity) {
	t.Stats.Hidden++
	t.unlink(m)
	t.consumers.Hidden(m)
}
