package tree

import (
	"errors"
	"fmt"

	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

// ErrInvariant reports that the trees contradict themselves, which is a mistake
// in the program.
var ErrInvariant = errors.New("render tree invariant")

// checker walks all trees, and counts what they hold.
type checker struct {
	*Tree
	containers map[ecs.Entity]bool
	regions    int
	a, b       regions.Region
}

// Check looks for contradictions in the trees:
//
//   - every node has pixels, inside its surface; a drawable's lie in its box and
//     clip, those in a container inside the container's
//   - the index finds exactly the nodes, wherever they have pixels
//   - a shadow that follows its owner is the owner's area moved; what is on hold
//     lies in the shadow; owner and shadow know each other
//   - no pixel of a drawable lies under a newer opaque one, unless a shadow
//     between them has it on hold
//   - no region is lost
func (t *Tree) Check() error {
	c := checker{Tree: t, containers: map[ecs.Entity]bool{}}
	for id, ix := range t.surfaces {
		if ix == nil {
			continue
		}
		if err := c.surface(uint32(id), ix); err != nil {
			return fmt.Errorf("%w: surface %d: %w", ErrInvariant, id, err)
		}
	}
	for _, w := range t.work {
		c.count(w.area)
	}
	if n := t.scene.Regions.Len(); n != c.regions {
		return fmt.Errorf("%w: %d regions in use, %d known of", ErrInvariant, n, c.regions)
	}
	return nil
}

// of is an area's region.
func (c *checker) of(a components.Area) *regions.Region {
	return c.scene.Region(a, new(regions.Region))
}

// count notes an area's region, if it has one.
func (c *checker) count(a components.Area) {
	if !a.IsRect() {
		c.regions++
	}
}

// fewNodes is the number of nodes up to which the trees are checked after every
// operation in the invariants build. Larger trees take their turn as often as they
// have nodes, so that checking costs as much each time.
const fewNodes = 100

// verify checks the trees in the invariants build.
func (t *Tree) verify() {
	if !ecs.Invariants || t.running {
		return
	}
	t.unchecked++
	if n := t.scene.Commands.Len() + t.shadows; n > fewNodes && t.unchecked < n {
		return
	}
	t.unchecked = 0
	if err := t.Check(); err != nil {
		panic(err)
	}
}

func (c *checker) surface(id uint32, ix *index) error {
	var nodes []ecs.Entity
	ix.each(c.scene, func(e ecs.Entity, _ *components.Node) { nodes = append(nodes, e) })
	last := ^uint32(0)
	for _, e := range nodes {
		n := c.scene.Nodes.Get(e)
		if n.Order >= last {
			return fmt.Errorf("node %v: order %d follows %d", e, n.Order, last)
		}
		last = n.Order
		if err := c.node(id, ix, e, n); err != nil {
			return fmt.Errorf("node %v, order %d: %w", e, n.Order, err)
		}
	}
	for i, e := range nodes {
		if err := c.minimal(e, nodes[i+1:]); err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) node(id uint32, ix *index, e ecs.Entity, n *components.Node) error {
	area := c.of(n.Area)
	c.count(n.Area)
	switch {
	case !n.InTree || n.Surface != id:
		return fmt.Errorf("in the index, but in tree: %t, surface %d", n.InTree, n.Surface)
	case area.Empty():
		return errors.New("no pixels")
	case area.Extents() != n.Area.Extents() || area.IsRect() != n.Area.IsRect():
		return fmt.Errorf("area %v said to have the extents %v, rectangle: %t", area, n.Area.Extents(), n.Area.IsRect())
	case !ix.bounds.Contains(area.Extents()):
		return fmt.Errorf("%v is outside the surface", area.Extents())
	case !n.Listed.Rect().Contains(area.Extents()):
		return fmt.Errorf("listed with %v, area %v", n.Listed.Rect(), area.Extents())
	}
	if found := ix.below(n.Listed.Rect(), n.Order+1, nil, 1); len(found) != 1 || ix.node(found[0]) != e {
		return fmt.Errorf("the index finds %v at %v", found, n.Listed.Rect())
	}
	if n.Kind == components.NodeShadow {
		return c.shadow(e, n)
	}
	return c.drawable(e, n)
}

func (c *checker) drawable(e ecs.Entity, n *components.Node) error {
	d := c.scene.Drawables.Get(e)
	if n.Opaque != (d.Effect == qxl.EffectOpaque) {
		return fmt.Errorf("opaque: %t, effect %v", n.Opaque, d.Effect)
	}
	cmd := c.scene.Command(d)
	c.visibleArea(&c.a, cmd)
	if !c.a.Contains(c.of(n.Area)) {
		return errors.New("area outside box or clip")
	}
	order := n.Order
	for sh := n.Shadow; !sh.IsZero(); sh = c.scene.Shadows.Get(sh).Next {
		sn, s := c.scene.Nodes.Get(sh), c.scene.Shadows.Get(sh)
		if s.Owner != e || sn.Order >= order || sn.Order <= n.Order-ordersPerDrawable {
			return fmt.Errorf("shadow of order %d, owner %v", sn.Order, s.Owner)
		}
		order = sn.Order
	}
	for in, at := e, n.Container; !at.IsZero(); in, at = at, c.scene.Nodes.Get(at).Container {
		if err := c.container(in, at); err != nil {
			return err
		}
	}
	return nil
}

// container checks that at holds in.
func (c *checker) container(in, at ecs.Entity) error {
	if !c.scene.World.Alive(at) {
		return fmt.Errorf("container %v has gone", at)
	}
	n, outer := c.scene.Nodes.Get(in), c.scene.Nodes.Get(at)
	if !c.containers[at] {
		c.containers[at] = true
		c.count(outer.Area)
	}
	children := c.scene.Containers.Get(at).Children
	count, found := int32(0), false
	for m := children.First; !m.IsZero(); m = c.siblings.Next(m) {
		found = found || m == in
		count++
	}
	switch {
	case outer.Kind != components.NodeContainer || outer.Surface != n.Surface:
		return fmt.Errorf("container %v is none of this surface", at)
	case !c.of(outer.Area).Contains(c.of(n.Area)):
		return fmt.Errorf("area outside container %v", at)
	case count != children.Len || !found:
		return fmt.Errorf("container %v has %d of %d children, this one: %t", at, count, children.Len, found)
	case count < 2:
		return fmt.Errorf("container %v has one child", at)
	}
	return nil
}

func (c *checker) shadow(e ecs.Entity, n *components.Node) error {
	s := c.scene.Shadows.Get(e)
	area, hold := c.of(n.Area), c.of(s.OnHold)
	c.count(s.OnHold)
	if !c.scene.World.Alive(s.Owner) {
		return fmt.Errorf("owner %v has gone", s.Owner)
	}
	known := false
	for sh := c.scene.Nodes.Get(s.Owner).Shadow; !sh.IsZero(); sh = c.scene.Shadows.Get(sh).Next {
		known = known || sh == e
	}
	if !known {
		return fmt.Errorf("owner %v does not know it", s.Owner)
	}
	if !area.Contains(hold) {
		return errors.New("more on hold than it covers")
	}
	owner := c.scene.Nodes.Get(s.Owner)
	if !s.Follows || !owner.InTree {
		return nil
	}
	c.a.Copy(c.of(owner.Area))
	c.a.Translate(s.DX, s.DY)
	c.a.IntersectRect(c.surfaces[n.Surface].bounds)
	if !c.a.Equal(area) {
		return fmt.Errorf("covers %v, its owner reads %v", area.AppendRects(nil), c.a.AppendRects(nil))
	}
	return nil
}

// minimal checks that an opaque drawable hides what is below, newest first, but
// for what is on hold.
func (c *checker) minimal(e ecs.Entity, below []ecs.Entity) error {
	n := c.scene.Nodes.Get(e)
	if n.Kind != components.NodeDrawable || c.scene.Drawables.Get(e).Effect != qxl.EffectOpaque {
		return nil
	}
	c.a.Copy(c.of(n.Area))
	for _, m := range below {
		n := c.scene.Nodes.Get(m)
		if n.Kind == components.NodeShadow {
			c.a.Subtract(c.of(c.scene.Shadows.Get(m).OnHold))
			continue
		}
		if area := c.of(n.Area); c.a.Overlaps(area) {
			c.b.SetIntersection(&c.a, area)
			return fmt.Errorf("%v hides %v of %v without need", e, c.b.AppendRects(nil), m)
		}
	}
	return nil
}
