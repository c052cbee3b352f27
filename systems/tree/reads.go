package tree

import (
	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/ecs"
	"github.com/spiceecs/spiceecs/qxl"
	"github.com/spiceecs/spiceecs/regions"
)

// read is an area that a drawable takes pixels from.
type read struct {
	surface uint32
	area    regions.Rect
	follows bool // pixel (x,y) of the drawable needs only pixel (x+dx,y+dy)
	dx, dy  int32
}

// reads are all areas that one drawable reads: at most three images, or the
// source of a copy.
type reads struct {
	all [3]read
	n   int
}

func (r *reads) add(rd read) {
	if r.n < len(r.all) {
		r.all[r.n] = rd
		r.n++
	}
}

// readsOf lists what a command reads.
func readsOf(scene *components.Scene, cmd *qxl.Drawable) (r reads) {
	if cmd.Type == qxl.DrawCopyBits {
		dx, dy := cmd.SrcPos.X-cmd.BBox.Left, cmd.SrcPos.Y-cmd.BBox.Top
		r.add(read{cmd.Surface, cmd.BBox.Translate(dx, dy), true, dx, dy})
		return r
	}
	if len(cmd.Images) == 0 {
		return r
	}
	for i := range cmd.Images {
		im := &cmd.Images[i]
		if im.Type != qxl.ImageSurface {
			continue
		}
		s := scene.Surface(im.Surface)
		if s == nil {
			continue
		}
		whole := regions.Rect{Right: s.Width, Bottom: s.Height}
		rd := read{surface: im.Surface, area: whole}
		if int8(i) == cmd.Src && cmd.Type != qxl.DrawComposite && im.Surface != cmd.Surface {
			rd = sourceRead(cmd, im.Surface, whole)
		}
		r.add(rd)
	}
	return r
}

// sourceRead is how a command reads its source image. Unscaled, pixel by pixel;
// scaled, the neighbours of the source area count as well. An area that sticks
// out may hold no pixel at all, but the command needs the surface nevertheless.
func sourceRead(cmd *qxl.Drawable, surface uint32, whole regions.Rect) read {
	a := cmd.SrcArea
	if !whole.Contains(a) {
		return read{surface: surface, area: whole}
	}
	if a.Width() == cmd.BBox.Width() && a.Height() == cmd.BBox.Height() {
		return read{surface, a, true, a.Left - cmd.BBox.Left, a.Top - cmd.BBox.Top}
	}
	a.Left, a.Top, a.Right, a.Bottom = a.Left-1, a.Top-1, a.Right+1, a.Bottom+1
	return read{surface: surface, area: a.Intersect(whole)}
}

// castShadows makes the shadows of what the newcomer reads, right below it.
func (t *Tree) castShadows(e ecs.Entity, r *reads) {
	for i := r.n - 1; i >= 0; i-- { // the newest is the first in the owner's list
		rd := &r.all[i]
		ix := t.surfaces[rd.surface]
		if ix == nil {
			continue
		}
		area := &t.b
		if rd.follows {
			area.Copy(&t.own)
			area.Translate(rd.dx, rd.dy)
			area.IntersectRect(rd.area)
		} else {
			area.SetRect(rd.area)
		}
		area.IntersectRect(ix.bounds)
		if area.Empty() {
			continue
		}
		sh, n, s := t.scene.NewShadow.New()
		owner := t.scene.Nodes.Get(e)
		*n = components.Node{
			Kind: components.NodeShadow, InTree: true, Surface: rd.surface, Order: owner.Order - 1 - uint32(i),
		}
		t.scene.SetArea(&n.Area, area)
		*s = components.Shadow{Owner: e, Next: owner.Shadow, Follows: rd.follows, DX: rd.dx, DY: rd.dy}
		owner.Shadow = sh
		t.shadows++
		ix.insert(sh, n)
	}
}

// dropShadows ends all shadows of a drawable.
func (t *Tree) dropShadows(owner ecs.Entity) {
	for sh := t.scene.Nodes.Get(owner).Shadow; !sh.IsZero(); sh = t.scene.Nodes.Get(owner).Shadow {
		t.dropShadow(owner, sh)
	}
}

// dropShadow ends a shadow. What it held back is excluded.
func (t *Tree) dropShadow(owner, sh ecs.Entity) {
	n, s := t.scene.NewShadow.Get(sh)
	t.surfaces[n.Surface].remove(sh, n)
	t.scene.FreeArea(&n.Area)
	t.push(n.Surface, n.Order, s.OnHold)
	at := &t.scene.Nodes.Get(owner).Shadow
	for *at != sh {
		at = &t.scene.Shadows.Get(*at).Next
	}
	*at = s.Next
	t.shadows--
	t.scene.World.Remove(sh)
}

// shrinkShadows follows the loss of lost from the owner's area.
func (t *Tree) shrinkShadows(owner ecs.Entity, lost *regions.Region) {
	for sh := t.scene.Nodes.Get(owner).Shadow; !sh.IsZero(); {
		s := t.scene.Shadows.Get(sh)
		next := s.Next
		if s.Follows {
			t.shrinkShadow(owner, sh, lost)
		}
		sh = next
	}
}

// shrinkShadow takes what lost stands for from a shadow, which may be its end:
// what its owner still shows need not read anything that exists.
func (t *Tree) shrinkShadow(owner, sh ecs.Entity, lost *regions.Region) {
	n, s := t.scene.NewShadow.Get(sh)
	t.b.Copy(lost)
	t.b.Translate(s.DX, s.DY)
	area := t.scene.Region(n.Area, &t.mine)
	area.Subtract(&t.b)
	t.scene.SetArea(&n.Area, area)
	if n.Area.Empty() {
		t.dropShadow(owner, sh)
		return
	}
	held := t.scene.Region(s.OnHold, &t.held)
	t.b.Intersect(held)
	if t.b.Empty() {
		return
	}
	held.Subtract(&t.b)
	t.scene.SetArea(&s.OnHold, held)
	var freed components.Area
	t.scene.SetArea(&freed, &t.b)
	t.push(n.Surface, n.Order, freed)
}
