// Package tree is the render tree: for every surface, what has been drawn on it
// and is not finished with, and which pixels of each drawable can still be seen.
//
//	drawable -> Add: what does it read? -> shadows
//	         -> place: newer than everything; walk down from the top: equal to
//	            what it meets? covers it? lies inside it?
//	         -> exclude: its pixels are taken away from all below, as far down
//	            as a shadow allows; what has none left leaves tree and pipes
//
// A drawable is in the tree as long as it is current (not executed on the
// surface) or waits in a pipe. So what has been executed but not sent is still
// removed when it is drawn over.
//
// The z-order of a node is its Order, a number that grows with time. Nodes are
// found by place through a tile index for each surface, newest first, so that
// adding meets only what shares a tile. Containers group what was drawn inside
// an opaque drawable; they are not in the index.
//
// Shadows stand for reading: of the same surface (copy bits) and of others
// alike. Exclusion stops at a shadow, and what it would have taken away below
// is put on hold; when part of the owner goes, or all of it, the part of the
// hold that nobody needs any more is excluded at once, from the root.
package tree

import (
	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

// ordersPerDrawable leaves room for a drawable's shadows right below it.
const ordersPerDrawable = 4

// maxOrder is where orders have to begin anew, see Exhausted.
const maxOrder = 1<<32 - 2*ordersPerDrawable

// Consumers are what a drawable has to leave when nobody will see it.
type Consumers interface {
	// Hidden takes a drawable from the canvas's list and from all pipes. It may
	// be the end of the drawable.
	Hidden(e ecs.Entity)
}

// Tree is the render trees of a device's surfaces. It belongs to the device
// worker.
type Tree struct {
	scene     *components.Scene
	consumers Consumers
	surfaces  []*index // by id, nil where there is none
	order     uint32   // of the newest drawable

	siblings ecs.Links[components.Node]

	work      []task // exclusions still to be done
	running   bool
	shadows   int // there are
	unchecked int // operations since the last check, in the invariants build
	near      []regions.Item
	own       regions.Region // of the drawable that is being added
	a         regions.Region // what is being excluded
	b, c      regions.Region // scratch
	mine      regions.Region // scratch for the area of one node
	held      regions.Region // and what it has on hold
	rects     []regions.Rect // scratch

	Stats Stats
}

// Shadows is how many areas are kept because something newer reads them.
func (t *Tree) Shadows() int { return t.shadows }

// Stats counts what the tree did.
type Stats struct {
	Added, Hidden, Replaced, Ignored uint64
}

// task is pixels that have to be taken away from everything older than order.
type task struct {
	surface uint32
	order   uint32
	area    components.Area
}

// New returns trees for the scene's surfaces.
func New(scene *components.Scene, consumers Consumers) *Tree {
	return &Tree{
		scene: scene, consumers: consumers, surfaces: make([]*index, len(scene.ByID)),
		siblings: ecs.NewLinks(&scene.Nodes, func(n *components.Node) *ecs.Link { return &n.Sibling }),
	}
}

// CreateSurface begins the tree of a surface.
func (t *Tree) CreateSurface(id uint32, width, height int32) {
	t.surfaces[id] = newIndex(width, height)
}

// Exhausted reports that no more drawables can be ordered. The caller has to
// execute everything and call Restart.
func (t *Tree) Exhausted() bool { return t.order >= maxOrder }

// Restart forgets every node, for orders to begin anew. Nothing may be current;
// what waits in pipes is sent as it is.
func (t *Tree) Restart() {
	for id, ix := range t.surfaces {
		if ix != nil {
			t.forgetAll(ix)
			t.surfaces[id] = newIndex(ix.bounds.Right, ix.bounds.Bottom)
		}
	}
	for i := range t.work {
		t.scene.FreeArea(&t.work[i].area)
	}
	t.work, t.order = t.work[:0], 0
}

// Result says what became of a drawable that was added.
type Result uint8

// Results.
const (
	Added    Result = iota // it is in the tree
	Ignored                // it changes nothing; nobody needs it
	Reverted               // it undoes an older one, see Add
)

// Add puts a drawable, which must be newer than all others, into the tree of
// its surface.
//
// With Reverted, the drawable undoes an older one, with, which is current: whoever
// has not consumed that yet needs neither, everybody else needs e. The caller deals
// with all consumers; with is no longer in the tree then, and e is.
func (t *Tree) Add(e ecs.Entity) (res Result, with ecs.Entity) {
	t.Stats.Added++
	d := t.scene.Drawables.Get(e)
	cmd := t.scene.Command(d)
	surface, opaque := d.Surface, d.Effect == qxl.EffectOpaque
	if d.Type == qxl.DrawCopyBits && cmd.SrcPos == (regions.Point{X: d.BBox.Left, Y: d.BBox.Top}) {
		t.Stats.Ignored++
		return Ignored, with
	}
	reads := readsOf(t.scene, cmd)
	t.order += ordersPerDrawable
	t.visibleArea(&t.own, cmd)
	n := t.scene.Nodes.Get(e)
	*n = components.Node{Kind: components.NodeDrawable, Opaque: opaque, Surface: surface, Order: t.order}
	base := t.order
	// Drawables that end on the way bring exclusions about, which have to wait.
	t.running = true
	if reads.n == 0 {
		p := t.place(e, opaque)
		if p.result == Ignored {
			t.Stats.Ignored++
			*t.scene.Nodes.Get(e) = components.Node{}
			t.running = false
			return Ignored, with
		}
		res, with, base = p.result, p.with, p.base
		if !p.container.IsZero() {
			// Before excluding, which may end a container that has only a root.
			t.join(e, p.container)
		}
	}
	t.castShadows(e, &reads)
	if opaque {
		t.exclude(surface, base, &t.own)
	}
	t.insert(e)
	t.running = false
	t.run()
	t.verify()
	return res, with
}

// visibleArea computes the pixels that a drawable may change. A guest's clip list
// is cut to the box first, which bounds what a region of it can cost.
func (t *Tree) visibleArea(area *regions.Region, cmd *qxl.Drawable) {
	if cmd.Clip.Type != qxl.ClipRects {
		area.SetRect(cmd.BBox)
		return
	}
	t.rects = t.rects[:0]
	for _, r := range cmd.Clip.Rects {
		if r = r.Intersect(cmd.BBox); !r.Empty() {
			t.rects = append(t.rects, r)
		}
	}
	area.SetRects(t.rects)
}

// insert makes the newcomer part of its surface's tree.
func (t *Tree) insert(e ecs.Entity) {
	n := t.scene.Nodes.Get(e)
	t.scene.SetArea(&n.Area, &t.own)
	n.InTree = true
	t.surfaces[n.Surface].insert(e, n)
}

// Area is the pixels of a drawable that can still be seen, nil if it is not in
// the tree. It is the tree's own, good until that changes, or scratch.
func (t *Tree) Area(e ecs.Entity, scratch *regions.Region) *regions.Region {
	if n := t.scene.Nodes.Get(e); n.InTree {
		return t.scene.Region(n.Area, scratch)
	}
	return nil
}

// Forget ends a drawable's part in the trees, when it has no consumers any more.
// What its shadows held is excluded.
func (t *Tree) Forget(e ecs.Entity) {
	if t.scene.Nodes.Get(e).InTree {
		t.detach(e)
	}
	t.dropShadows(e)
	t.run()
	t.verify()
}

// unlink takes a drawable and its shadows out of the trees.
func (t *Tree) unlink(e ecs.Entity) {
	t.detach(e)
	t.dropShadows(e)
}

// detach takes a drawable out of its surface's tree.
func (t *Tree) detach(e ecs.Entity) {
	n := t.scene.Nodes.Get(e)
	n.InTree = false
	t.surfaces[n.Surface].remove(e, n)
	t.scene.FreeArea(&n.Area)
	if !n.Container.IsZero() {
		t.leave(e)
	}
}

// DestroySurface ends the tree of a surface. Whatever reads it must have been
// executed. What nothing in a pipe needs is hidden; the rest stays in the pipes,
// with its shadows on other surfaces.
func (t *Tree) DestroySurface(id uint32) {
	ix := t.surfaces[id]
	if ix == nil {
		return
	}
	t.push(id, t.order+1, components.RectArea(ix.bounds))
	t.run()
	t.forgetAll(ix)
	t.surfaces[id] = nil
	t.run()
	t.verify()
}

// forgetAll takes every node out of a surface's tree.
func (t *Tree) forgetAll(ix *index) {
	ix.each(t.scene, func(e ecs.Entity, n *components.Node) {
		if n.Kind == components.NodeDrawable {
			t.detach(e)
		} else {
			t.dropShadow(t.scene.Shadows.Get(e).Owner, e)
		}
	})
}
