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
	nodes  []ecs.Entity // by the number of the entity, which is its ref in tiles; zero if not listed
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
	n.Listed = n.Area.Extents().Small()
	ix.tiles.Insert(n.Order, e.ID(), n.Area.Extents())
}

func (ix *index) remove(e ecs.Entity, n *components.Node) {
	ix.nodes[e.ID()] = ecs.Entity{}
	ix.tiles.Remove(n.Order, n.Listed.Rect())
}

// move lists a node with other extents, which hold all its pixels.
func (ix *index) move(e ecs.Entity, n *components.Node, now regions.Rect) {
	if was := n.Listed.Rect(); was != now {
		ix.tiles.Move(n.Order, e.ID(), was, now)
		n.Listed = now.Small()
	}
}

// below appends to dst up to limit nodes that are listed in rc, the newest ones that
// are older than order, newest first, for node to look up. The id of each is its order.
func (ix *index) below(rc regions.Rect, order uint32, dst []regions.Item, limit int) []regions.Item {
	return ix.tiles.Newest(rc, order, limit, dst)
}

// node is what below found, zero if it has gone since. No node may have come since.
func (ix *index) node(it regions.Item) ecs.Entity { return ix.nodes[it.Ref] }

// each calls f with all nodes, newest first; f may remove the one it gets and
// shadows of that.
func (ix *index) each(scene *components.Scene, f func(ecs.Entity, *components.Node)) {
	var batch [mostChunk]regions.Item
	for order := ^uint32(0); ; {
		found := ix.below(ix.bounds, order, batch[:0], mostChunk)
		for _, it := range found {
			order = it.ID
			if e := ix.node(it); !e.IsZero() {
				f(e, scene.Nodes.Get(e))
			}
		}
		if len(found) < mostChunk {
			return
		}
	}
}
