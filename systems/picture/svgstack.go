package picture

import (
	"fmt"

	"github.com/spiceecs/spiceecs/components"
)

// maxPlanes bounds the planes of a stack; beyond, a plane shows several levels.
const maxPlanes = 12

// How a plane lies in space: one pixel of the surface to the right is (ax, ay)
// on the page, one down is (bx, by), times the scale.
const (
	ax, ay = 0.84, -0.11
	bx, by = 0.36, 0.40
)

// plane is a range of levels that are drawn together.
type plane struct {
	first, last int
	nodes       int
}

// planes divides the levels.
func (sh *sheet) planes() []plane {
	n := min(sh.top, maxPlanes)
	all := make([]plane, n)
	for i := range all {
		all[i] = plane{first: i*sh.top/n + 1, last: (i + 1) * sh.top / n}
	}
	for _, l := range sh.level {
		for i := range all {
			if l >= all[i].first && l <= all[i].last {
				all[i].nodes++
			}
		}
	}
	return all
}

// drawStack draws the levels of the tree above each other, at x, y, as high as
// there is room, and returns where it ends.
func (sh *sheet) drawStack(p *page, x, y, room float64) (bottom float64) {
	p.text(x, y+15, "h2", "From the side")
	p.text(x, y+33, "small", "A node lies one level above the highest older one that it was drawn over.")
	w, h, planes := float64(sh.Width), float64(sh.Height), sh.planes()
	scale := min((rightWidth-stackLabels)/(ax*w+bx*h), 330/(by*h-ay*w))
	lift := -ay * w * scale // of the left corner under the highest point
	height := (by*h - ay*w) * scale
	gap := min(130, max(64, (room-height-80)/float64(len(planes)+1)))
	x += stackLabels
	base := y + 50 + float64(len(planes))*gap
	at := func(level int) (left, top float64, transform string) {
		top = base - float64(level)*gap + lift
		return x, top, fmt.Sprintf("matrix(%.5f %.5f %.5f %.5f %s %s)", ax*scale, ay*scale, bx*scale, by*scale, short(x), short(top))
	}
	for _, c := range [][2]float64{{0, 0}, {0, h}, {w, h}, {w, 0}} {
		cx := x + scale*(ax*c[0]+bx*c[1])
		cy := base + lift + scale*(ay*c[0]+by*c[1])
		p.printf(`<path d="M%s %sv%s" stroke="%s" stroke-width="1" stroke-dasharray="1 4"/>`,
			short(cx), short(cy), short(-float64(len(planes))*gap), faint)
	}
	left, top, transform := at(0)
	sh.frame(p, transform)
	p.printf(`<rect transform="%s" width="%d" height="%d" fill="none" stroke="%s" stroke-width="%s"/>`+"\n",
		transform, sh.Width, sh.Height, faint, short(1/scale))
	planeLabel(p, left, top, "surface", fmt.Sprintf("%dx%d", sh.Width, sh.Height))
	for i, pl := range planes {
		left, top, transform := at(i + 1)
		sh.drawPlane(p, pl, transform, scale)
		name := fmt.Sprintf("level %d", pl.first)
		if pl.last > pl.first {
			name = fmt.Sprintf("levels %d–%d", pl.first, pl.last)
		}
		planeLabel(p, left, top, name, count(pl.nodes, "node"))
	}
	return base + height
}

// stackLabels is the room for the names of planes.
const stackLabels = 92.0

// planeLabel names a plane beside its left corner.
func planeLabel(p *page, x, y float64, name, what string) {
	p.text(x-12, y+2, "num", name)
	p.text(x-12, y+16, "small num", what)
}

// drawPlane draws the nodes of a range of levels, oldest first.
func (sh *sheet) drawPlane(p *page, pl plane, at string, scale float64) {
	p.printf(`<rect transform="%s" width="%d" height="%d" fill="%s" fill-opacity=".5" stroke="%s" stroke-width="%s"/>`+"\n",
		at, sh.Width, sh.Height, card, "#b9b6ad", short(.8/scale))
	p.printf(`<g transform="%s">`+"\n", at)
	for i := range sh.shapes {
		s := &sh.shapes[i]
		if s.level >= pl.first && s.level <= pl.last && s.node.Kind != components.NodeContainer {
			p.printf(`<use href="#%s"/>`, s.id(sh))
		}
	}
	p.WriteString("</g>\n")
}
