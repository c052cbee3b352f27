package tree

import (
	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

// placing is what the walk down from the top has found out for a new drawable.
type placing struct {
	result    Result
	with      ecs.Entity // for Reverted
	base      uint32     // everything from this order on has been dealt with
	container ecs.Entity // that takes it in, zero for the root
}

// place looks at what a new drawable lies on, newest first. What an opaque one
// covers goes. The walk ends at the first node that stays: that may make the
// newcomer superfluous, or take it in.
func (t *Tree) place(e ecs.Entity, opaque bool) placing {
	n := t.scene.Nodes.Get(e)
	ix, area, order := t.surfaces[n.Surface], &t.own, n.Order
	p := placing{base: order}
	for chunk := firstChunk; ; chunk = nextChunk(chunk) {
		t.near = ix.below(area.Extents(), p.base, t.near[:0], chunk)
		for _, it := range t.near {
			m := ix.node(it)
			if m.IsZero() {
				continue // a shadow that went with its owner
			}
			mn := t.scene.Nodes.Get(m)
			if !t.meets(m, mn, area) {
				p.base = it.ID
				continue
			}
			if mn.Kind == components.NodeShadow {
				return p
			}
			mine := t.scene.Region(mn.Area, &t.mine)
			if area.Equal(mine) && t.equal(e, m, &p) {
				return p
			}
			if !opaque || !area.Contains(mine) {
				p.container = t.home(area, m)
				return p
			}
			p.base = it.ID
			t.hide(m)
		}
		if len(t.near) < chunk {
			return p
		}
	}
}

// equal deals with a newcomer that has the very area of m, on top of which
// nothing else overlaps it, where the effect says what that means. That nothing
// does is only known of what is current, since what came later is then current as
// well. Once m has been drawn something on top may have gone, even while m waits
// for clients: those may see the other in pictures of a video.
func (t *Tree) equal(e, m ecs.Entity, p *placing) bool {
	d, o := t.scene.Drawables.Get(e), t.scene.Drawables.Get(m)
	if d.Effect != o.Effect || !o.Current {
		return false
	}
	a, b := t.scene.Command(d), t.scene.Command(o)
	switch d.Effect {
	case qxl.EffectRevertOnDup:
		if !sameDrawable(a, b) {
			return false
		}
		t.Stats.Replaced++
		p.result, p.with = Reverted, m
		t.unlink(m)
	case qxl.EffectOpaqueBrush:
		if !sameGeometry(a, b) {
			return false
		}
		t.Stats.Replaced++
		p.base = t.scene.Nodes.Get(m).Order
		t.hide(m)
	case qxl.EffectNOPOnDup:
		if !sameDrawable(a, b) {
			return false
		}
		p.result = Ignored
	default:
		return false
	}
	return true
}

// sameGeometry reports whether two commands change the same pixels for sure.
func sameGeometry(a, b *qxl.Drawable) bool {
	if a.Type != b.Type || a.BBox != b.BBox || a.Mask.Image != qxl.NoImage || b.Mask.Image != qxl.NoImage {
		return false
	}
	switch a.Type {
	case qxl.DrawFill:
		return true
	case qxl.DrawStroke:
		return samePath(a, b)
	}
	return false
}

// sameDrawable reports whether two commands do the same for sure.
func sameDrawable(a, b *qxl.Drawable) bool {
	return sameGeometry(a, b) && a.Rop == b.Rop &&
		a.Brush.Type == qxl.BrushSolid && b.Brush.Type == qxl.BrushSolid && a.Brush.Color == b.Brush.Color
}

// samePath compares the lines of two strokes. Dashed ones never compare equal.
func samePath(a, b *qxl.Drawable) bool {
	if a.Line.Flags != b.Line.Flags || a.Line.Flags&qxl.LineStyled != 0 ||
		len(a.Segments) != len(b.Segments) || len(a.Points) != len(b.Points) {
		return false
	}
	for i := range a.Segments {
		if a.Segments[i] != b.Segments[i] {
			return false
		}
	}
	for i := range a.Points {
		if a.Points[i] != b.Points[i] {
			return false
		}
	}
	return true
}

// home finds the container for a drawable with this area that lies on m: the
// innermost one around m that holds all of it, or a new one around m if m is
// opaque and does. Drawables that read are always at the root.
func (t *Tree) home(area *regions.Region, m ecs.Entity) ecs.Entity {
	n := t.scene.Nodes.Get(m)
	if n.Opaque && n.Shadow.IsZero() && t.scene.Region(n.Area, &t.mine).Contains(area) {
		if c := n.Container; !c.IsZero() && t.scene.Containers.Get(c).Children.First == m {
			return c // m is its root
		}
		return t.enclose(m)
	}
	for c := n.Container; !c.IsZero(); {
		cn := t.scene.Nodes.Get(c)
		if t.scene.Region(cn.Area, &t.mine).Contains(area) {
			return c
		}
		c = cn.Container
	}
	return ecs.Entity{}
}

// enclose builds a container around an opaque drawable, in its place.
func (t *Tree) enclose(root ecs.Entity) ecs.Entity {
	outer := t.scene.Nodes.Get(root).Container
	c, n, _ := t.scene.NewContainer.New()
	rn := t.scene.Nodes.Get(root)
	n.Kind, n.InTree, n.Surface, n.Order = components.NodeContainer, true, rn.Surface, rn.Order
	t.scene.SetArea(&n.Area, t.scene.Region(rn.Area, &t.mine))
	if !outer.IsZero() {
		t.leaveQuietly(root)
		t.join(c, outer)
	}
	t.join(root, c)
	return c
}

// join puts a node into a container.
func (t *Tree) join(e, c ecs.Entity) {
	t.scene.Nodes.Get(e).Container = c
	t.siblings.PushBack(&t.scene.Containers.Get(c).Children, e)
}

// leaveQuietly takes a node out of its container.
func (t *Tree) leaveQuietly(e ecs.Entity) {
	n := t.scene.Nodes.Get(e)
	c := n.Container
	n.Container = ecs.Entity{}
	t.siblings.Remove(&t.scene.Containers.Get(c).Children, e)
}

// leave takes a node out of its container. A container that is left with one
// child, or none, is not needed: the child takes its place.
func (t *Tree) leave(e ecs.Entity) {
	c := t.scene.Nodes.Get(e).Container
	t.leaveQuietly(e)
	children := t.scene.Containers.Get(c).Children
	if children.Len > 1 {
		return
	}
	outer := t.scene.Nodes.Get(c).Container
	if children.Len == 1 {
		t.leaveQuietly(children.First)
		if !outer.IsZero() {
			t.join(children.First, outer)
		}
	}
	if !outer.IsZero() {
		t.leave(c)
	}
	t.scene.FreeArea(&t.scene.Nodes.Get(c).Area)
	t.scene.World.Remove(c)
}
