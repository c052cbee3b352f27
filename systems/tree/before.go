package tree

import (
	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/regions"
)

// OnArea appends to dst the drawables of a surface that can be seen in area.
func (t *Tree) OnArea(surface uint32, area *regions.Region, dst []ecs.Entity) []ecs.Entity {
	return t.overlapping(surface, area, t.order+1, false, dst)
}

// Before appends to dst the drawables that have to be executed before e is: the
// older ones whose pixels it changes or reads, and the older ones that read what
// it changes.
func (t *Tree) Before(e ecs.Entity, dst []ecs.Entity) []ecs.Entity {
	n := t.scene.Nodes.Get(e)
	if !n.InTree {
		return dst
	}
	dst = t.overlapping(n.Surface, t.scene.Region(n.Area, &t.a), n.Order, true, dst)
	for sh := n.Shadow; !sh.IsZero(); sh = t.scene.Shadows.Get(sh).Next {
		n := t.scene.Nodes.Get(sh)
		if t.surfaces[n.Surface] != nil {
			dst = t.overlapping(n.Surface, t.scene.Region(n.Area, &t.a), n.Order, false, dst)
		}
	}
	return dst
}

// overlapping appends the drawables older than order that show part of area
// and, if asked, the owners of shadows there, which read it.
func (t *Tree) overlapping(surface uint32, area *regions.Region, order uint32, readers bool, dst []ecs.Entity) []ecs.Entity {
	ix := t.surfaces[surface]
	for chunk := firstChunk; ; chunk = nextChunk(chunk) {
		t.near = ix.below(area.Extents(), order, t.near[:0], chunk)
		for _, it := range t.near {
			order = it.ID
			m := ix.node(it)
			n := t.scene.Nodes.Get(m)
			if !t.meets(m, n, area) {
				continue
			}
			if n.Kind == components.NodeShadow {
				if !readers {
					continue
				}
				m = t.scene.Shadows.Get(m).Owner
			}
			dst = append(dst, m)
		}
		if len(t.near) < chunk {
			return dst
		}
	}
}

// Readers appends to dst the drawables that read a surface.
func (t *Tree) Readers(surface uint32, dst []ecs.Entity) []ecs.Entity {
	ix := t.surfaces[surface]
	if ix == nil {
		return dst
	}
	ix.each(t.scene, func(e ecs.Entity, n *components.Node) {
		if n.Kind == components.NodeShadow {
			dst = append(dst, t.scene.Shadows.Get(e).Owner)
		}
	})
	return dst
}
