package tree

import (
	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/regions"
)

// Nodes are taken from the index a few at a time: most walks end at the first
// ones. What goes on takes more and more at once.
const (
	firstChunk = 1
	mostChunk  = 1024
)

func nextChunk(n int) int { return min(4*n, mostChunk) }

// index finds the drawables and shadows of one surface by place.
type index struct {
	bounds regions.Rect // of the surface
	tiles  *regions.TileIndex
	nodes  []ecs.Entity // by the number of the entity, which is its ref in tiles
	items  []regions.Item
}

func newIndex(width, height int32) *index {
	return &index{
		bounds: regions.Rect{Right: width, Bottom: height},
		tiles:  regions.NewTileIndex(width, height),
	}
}

func (ix *index) insert(e ecs.Entity, n *components.Node) {
	for int(e.ID()) >= len(ix.nodes) {
		ix.nodes = append(ix.nodes, ecs.Entity{})
	}
	ix.nodes[e.ID()] = e
	ix.tiles.Insert(n.Order, e.ID(), n.Extents)
}

func (ix *index) remove(n *components.Node) { ix.tiles.Remove(n.Order, n.Extents) }

// move lists a node with other extents, which hold all its pixels.
func (ix *index) move(e ecs.Entity, n *components.Node, now regions.Rect) {
	if n.Extents != now {
		ix.tiles.Move(n.Order, e.ID(), n.Extents, now)
		n.Extents = now
	}
}

// below appends to dst up to limit nodes whose extents overlap rc, the newest
// ones that are older than order, newest first.
func (ix *index) below(rc regions.Rect, order uint32, dst []ecs.Entity, limit int) []ecs.Entity {
	ix.items = ix.tiles.Newest(rc, order, limit, ix.items[:0])
	for _, it := range ix.items {
		dst = append(dst, ix.nodes[it.Ref])
	}
	return dst
}

// each calls f with all nodes, newest first; f may remove the one it gets and
// shadows of that.
func (ix *index) each(scene *components.Scene, f func(ecs.Entity, *components.Node)) {
	var batch [mostChunk]ecs.Entity
	for order := ^uint32(0); ; {
		found := ix.below(ix.bounds, order, batch[:0], mostChunk)
		for _, e := range found {
			if scene.World.Alive(e) {
				n := scene.Nodes.Get(e)
				order = n.Order
				f(e, n)
			}
		}
		if len(found) < mostChunk {
			return
		}
	}
}
