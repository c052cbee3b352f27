package picture

import (
	"image"

	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

// Tree is a copy of a device's render trees.
type Tree struct {
	Title    string // what was played
	Commands uint64 // played so far
	Client   uint64 // commands after which the client takes what waits for it; 0: no client
	Surfaces []Surface
}

// Surface is a copy of a surface's render tree.
type Surface struct {
	ID            uint32
	Width, Height int32
	Format        qxl.SurfaceFormat
	Nodes         []Node      // newest first, a container before what it holds
	Backdrop      *image.Gray // what the surface shows when all is executed, reduced; nil if it cannot be shown
}

// Node is a copy of a node and of what it stands for.
type Node struct {
	Kind      components.NodeKind
	Area      []regions.Rect // as of components.Node, disjoint
	Pixels    int64          // of Area
	Extents   regions.Rect   // of Area
	Container int            // index of its container in Nodes, -1 at the root
	Depth     int            // containers around it

	// Of a drawable.
	Seq     uint64
	Type    qxl.DrawType
	Effect  qxl.Effect
	BBox    regions.Rect
	Current bool // it has not been executed
	Waiting bool // the client has not taken it

	// Of a shadow.
	Owner  uint64 // Seq of the drawable that reads
	Hold   []regions.Rect
	OnHold int64 // pixels of Hold

	Children int // of a container
}

// SurfaceCounts sums a surface's tree up.
type SurfaceCounts struct {
	ID         uint32 `json:"id"`
	Width      int32  `json:"width"`
	Height     int32  `json:"height"`
	Drawables  int    `json:"drawables"`
	Current    int    `json:"current"` // drawables not executed
	Waiting    int    `json:"waiting"` // drawables that the client has not taken
	Containers int    `json:"containers"`
	Shadows    int    `json:"shadows"`
	Depth      int    `json:"depth"`   // containers inside of each other
	Visible    int64  `json:"visible"` // pixels of all drawables' areas
	OnHold     int64  `json:"on_hold"` // pixels of all shadows' holds
}

// capture copies the trees of all surfaces.
func (s *sim) capture() *Tree {
	t := new(Tree)
	for id, e := range s.Scene.ByID {
		if e.IsZero() {
			continue
		}
		c := s.Scene.Surfaces.Get(e)
		t.Surfaces = append(t.Surfaces, Surface{
			ID: uint32(id), Width: c.Width, Height: c.Height, Format: c.Format, Nodes: s.nodes(uint32(id)),
		})
	}
	return t
}

// nodes copies one surface's tree.
func (s *sim) nodes(surface uint32) (nodes []Node) {
	at := map[ecs.Entity]int{}
	for e, n := range s.Tree.Nodes(surface) {
		area := s.Scene.Region(n.Area, new(regions.Region))
		c := Node{
			Kind: n.Kind, Area: area.AppendRects(nil), Pixels: area.Area(), Extents: area.Extents(), Container: -1,
		}
		if !n.Container.IsZero() {
			c.Container = at[n.Container]
			c.Depth = nodes[c.Container].Depth + 1
		}
		switch n.Kind {
		case components.NodeDrawable:
			d := s.Scene.Drawables.Get(e)
			c.Seq, c.Type, c.Effect, c.BBox = d.Seq, d.Type, d.Effect, d.BBox
			c.Current, c.Waiting = d.Current, d.Items.Len > 0
		case components.NodeContainer:
			c.Children = int(s.Scene.Containers.Get(e).Children.Len)
		case components.NodeShadow:
			sh := s.Scene.Shadows.Get(e)
			hold := s.Scene.Region(sh.OnHold, new(regions.Region))
			c.Owner = s.Scene.Drawables.Get(sh.Owner).Seq
			c.Hold, c.OnHold = hold.AppendRects(nil), hold.Area()
		}
		at[e] = len(nodes)
		nodes = append(nodes, c)
	}
	return nodes
}

// Counts sums the tree up.
func (s *Surface) Counts() SurfaceCounts {
	c := SurfaceCounts{ID: s.ID, Width: s.Width, Height: s.Height}
	for i := range s.Nodes {
		n := &s.Nodes[i]
		switch n.Kind {
		case components.NodeDrawable:
			c.Drawables++
			c.Visible += n.Pixels
			if n.Current {
				c.Current++
			}
			if n.Waiting {
				c.Waiting++
			}
		case components.NodeContainer:
			c.Containers++
			c.Depth = max(c.Depth, n.Depth+1)
		case components.NodeShadow:
			c.Shadows++
			c.OnHold += n.OnHold
		}
	}
	return c
}

// add adds the numbers of nodes and pixels of another surface.
func (c *SurfaceCounts) add(o SurfaceCounts) {
	c.Drawables += o.Drawables
	c.Current += o.Current
	c.Waiting += o.Waiting
	c.Containers += o.Containers
	c.Shadows += o.Shadows
	c.Depth = max(c.Depth, o.Depth)
	c.Visible += o.Visible
	c.OnHold += o.OnHold
}
