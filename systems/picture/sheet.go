package picture

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/regions"
)

// Bounds of what is drawn by itself.
const (
	// tiny is the size below which drawables that look the same are drawn
	// together, in pixels of the map. It is doubled until no more than maxShapes
	// are larger.
	tiny      = 5
	maxShapes = 4000
)

// sheet is what has been worked out about a surface in order to draw it.
type sheet struct {
	*Surface
	scale  float64 // pixels of the map for one of the surface
	level  []int   // of each node
	top    int     // highest level
	shapes []shape // oldest first, containers last
}

// shape is one node to be drawn, or several tiny ones that look the same.
type shape struct {
	node  *Node // the newest one
	index int   // of it
	nodes int
	level int
	area  []byte // outline
	hold  []byte // of a shadow
}

// newSheets works out the sheets of the first surface, which has much room, and
// of those others that have most nodes.
func newSheets(t *Tree) (all []*sheet) {
	for i := range t.Surfaces {
		sh := &sheet{Surface: &t.Surfaces[i]}
		width, height := leftWidth, 1.2*leftWidth
		if i > 0 {
			width, height = thumbWidth, thumbHeight
		}
		sh.scale = min(width/float64(sh.Width), height/float64(sh.Height))
		all = append(all, sh)
	}
	if len(all) > 1 {
		slices.SortStableFunc(all[1:], func(a, b *sheet) int { return cmp.Compare(len(b.Nodes), len(a.Nodes)) })
		all = all[:min(len(all), 1+maxThumbs)]
	}
	for _, sh := range all {
		sh.level, sh.top = sh.levels()
		sh.group(sh.smallest())
	}
	return all
}

// smallest is the size of the smallest drawables that are drawn by themselves,
// in pixels of the surface.
func (sh *sheet) smallest() int32 {
	for size := max(1, int32(tiny/sh.scale)); ; size *= 2 {
		n := 0
		for i := range sh.Nodes {
			if sh.Nodes[i].size() >= size {
				n++
			}
		}
		if n <= maxShapes || size > regions.MaxCoord {
			return size
		}
	}
}

// size is the longer side of what is left of a node.
func (n *Node) size() int32 { return max(n.Extents.Width(), n.Extents.Height()) }

// look is what tiny nodes that are drawn together have in common.
type look struct {
	kind             components.NodeKind
	typ, effect      uint8
	current, waiting bool
	level            int
}

// group makes the shapes.
func (sh *sheet) group(smallest int32) {
	tinies := map[look]int{}
	for i := len(sh.Nodes) - 1; i >= 0; i-- {
		n := &sh.Nodes[i]
		s := shape{node: n, index: i, nodes: 1, level: sh.level[i]}
		if n.Kind != components.NodeDrawable || n.size() >= smallest {
			s.area, s.hold = outline(nil, n.Area), outline(nil, n.Hold)
			sh.shapes = append(sh.shapes, s)
			continue
		}
		l := look{n.Kind, uint8(n.Type), uint8(n.Effect), n.Current, n.Waiting, s.level}
		at, known := tinies[l]
		if !known {
			at = len(sh.shapes)
			tinies[l] = at
			sh.shapes = append(sh.shapes, shape{level: s.level})
		}
		g := &sh.shapes[at]
		g.node, g.index, g.nodes = n, i, g.nodes+1
		g.area = outline(g.area, n.Area)
	}
}

// id names a part of the document that belongs to this surface.
func (sh *sheet) id(prefix string) string { return fmt.Sprintf("%s%d", prefix, sh.ID) }

// id names a shape.
func (s *shape) id(sh *sheet) string { return fmt.Sprintf("n%d-%d", sh.ID, s.index) }

// define writes a shape in the surface's coordinates, with a tool tip.
func (s *shape) define(p *page, sh *sheet) {
	n, line := s.node, 1/sh.scale
	p.printf(`<g id="%s"><title>`, s.id(sh))
	p.escape(s.tip())
	p.WriteString("</title>")
	switch n.Kind {
	case components.NodeContainer:
		p.printf(`<path d="%s" fill="none" stroke="%s" stroke-width="%s" stroke-opacity=".8"/>`, s.area, container, short(1.4*line))
	case components.NodeShadow:
		p.printf(`<path d="%s" fill="url(#%s)" fill-opacity=".6" stroke="%s" stroke-width="%s" stroke-dasharray="%s"/>`,
			s.area, sh.id("reads-"), shadow, short(1.2*line), dashes([]float64{6, 2}, line))
		if len(s.hold) > 0 {
			p.printf(`<path d="%s" fill="url(#%s)" fill-opacity=".8" stroke="%s" stroke-width="%s"/>`, s.hold, sh.id("holds-"), held, short(line))
		}
	default:
		p.printf(`<path d="%s" fill="%s" fill-opacity="%s"`, s.area, n.color(), n.opacity())
		if s.nodes == 1 {
			p.printf(` stroke="%s" stroke-width="%s"`, n.color(), short(line))
			if d := n.effect().dash; d != nil {
				p.printf(` stroke-dasharray="%s"`, dashes(d, line))
			}
		}
		p.WriteString("/>")
	}
	p.WriteString("</g>\n")
}

// opacity tells what is current from what has been executed.
func (n *Node) opacity() string {
	if n.Current {
		return ".42"
	}
	return ".14"
}

func dashes(d []float64, scale float64) string {
	s := make([]string, len(d))
	for i := range d {
		s[i] = short(d[i] * scale)
	}
	return strings.Join(s, " ")
}

// tip describes a shape in one line.
func (s *shape) tip() string {
	n := s.node
	if s.nodes > 1 {
		return fmt.Sprintf("%s tiny ones: %s, %s", number(s.nodes), n.name(), n.effect().name)
	}
	at := fmt.Sprintf("%d,%d %dx%d, %s", n.box().Left, n.box().Top, n.box().Width(), n.box().Height(), pixels(n.Pixels))
	switch n.Kind {
	case components.NodeContainer:
		return fmt.Sprintf("container of %d, %s", n.Children, at)
	case components.NodeShadow:
		return fmt.Sprintf("%s, %s, %s on hold", n.name(), at, pixels(n.OnHold))
	}
	return fmt.Sprintf("#%d %s, %s, %s visible", n.Seq, n.name(), n.effect().name, at)
}

// largest is the largest rectangle of a node's area.
func (n *Node) largest() (most regions.Rect) {
	for _, r := range n.Area {
		if r.Area() > most.Area() {
			most = r
		}
	}
	return most
}
