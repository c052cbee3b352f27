package picture

import (
	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/regions"
)

// maxLevels bounds the levels that are told apart; what lies higher counts to
// the highest.
const maxLevels = 256

// levels says how high each node lies: one above the highest older node that it
// was drawn over, even where that has been cut away since. The lowest level is 1;
// containers have none, which is 0.
func (s *Surface) levels() (level []int, top int) {
	level = make([]int, len(s.Nodes))
	var stack []*regions.Region
	var own regions.Region
	for i := len(s.Nodes) - 1; i >= 0; i-- {
		n := &s.Nodes[i]
		if n.Kind == components.NodeContainer {
			continue
		}
		own.SetRect(n.box())
		at := len(stack)
		for at > 0 && !stack[at-1].Overlaps(&own) {
			at--
		}
		if at = min(at, maxLevels-1); at == len(stack) {
			stack = append(stack, new(regions.Region))
		}
		stack[at].Union(&own)
		level[i] = at + 1
	}
	return level, len(stack)
}

// box is where a node was drawn.
func (n *Node) box() regions.Rect {
	if n.Kind == components.NodeDrawable {
		return n.BBox
	}
	return n.Extents
}
