package tree

import (
	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/regions"
)

// chunk is how many nodes are taken from the index at a time. Most additions
// end at the first few; what has thousands of neighbours comes back for more.
const chunk = 16

// index finds the drawables and shadows of one surface by place.
type index struct {
	bounds regions.Rect // of the surface
	tiles  *regions.TileIndex
	byID   map[uint32]ecs.Entity
	ids    []uint32
}

func newIndex(width, height int32) *index {
	return &index{
		bounds: regions.Rect{Right: width, Bottom: height},
		tiles:  regions.NewTileIndex(width, height), byID: map[uint32]ecs.Entity{},
	}
}

func (ix *index) insert(e ecs.Entity, n *components.Node) {
	ix.tiles.Insert(n.Order, n.Extents)
	ix.byID[n.Order] = e
}

func (ix *index) remove(n *components.Node) {
	ix.tiles.Remove(n.Order, n.Extents)
	delete(ix.byID, n.Order)
}

// move follows a change of a node's extents.
func (ix *index) move(n *components.Node, now regions.Rect) {
	ix.tiles.Move(n.Order, n.Extents, now)
	n.Extents = now
}

// below appends to dst up to limit nodes whose extents overlap rc, the newest
// ones that are older than order.
func (ix *index) below(rc regions.Rect, order uint32, dst []ecs.Entity, limit int) []ecs.Entity {
	ix.ids = ix.tiles.Query(rc, ix.ids[:0])
	for _, id := range ix.ids {
		if id >= order {
			continue
		}
		if dst = append(dst, ix.byID[id]); len(dst) == limit {
			break
		}
	}
	return dst
}
