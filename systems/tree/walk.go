package tree

import (
	"iter"

	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/ecs"
)

// Nodes yields the nodes of a surface's tree, newest first. A container comes
// right before the newest of what it holds, an outer one before an inner one.
// The tree must not change meanwhile; a surface that does not exist has no nodes.
func (t *Tree) Nodes(surface uint32) iter.Seq2[ecs.Entity, *components.Node] {
	return func(yield func(ecs.Entity, *components.Node) bool) {
		for _, e := range t.nodes(surface) {
			if !yield(e, t.scene.Nodes.Get(e)) {
				return
			}
		}
	}
}

// nodes lists what Nodes yields.
func (t *Tree) nodes(surface uint32) (all []ecs.Entity) {
	if int64(surface) >= int64(len(t.surfaces)) || t.surfaces[surface] == nil {
		return nil
	}
	seen := map[ecs.Entity]bool{}
	var enter func(c ecs.Entity)
	enter = func(c ecs.Entity) {
		if c.IsZero() || seen[c] {
			return
		}
		seen[c] = true
		enter(t.scene.Nodes.Get(c).Container)
		all = append(all, c)
	}
	t.surfaces[surface].each(t.scene, func(e ecs.Entity, n *components.Node) {
		enter(n.Container)
		all = append(all, e)
	})
	return all
}
