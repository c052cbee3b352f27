package picture

import (
	"fmt"
	"strconv"

	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/regions"
)

// drawMap draws the surface from above, in a box at x, y, and returns where it
// ends.
func (sh *sheet) drawMap(p *page, x, y, width, height float64) (bottom float64) {
	c := sh.Counts()
	p.text(x, y+15, "h2", sh.title())
	p.printf(`<text x="%s" y="%s" class="small num">%s</text>`+"\n", short(x+width), short(y+15),
		fmt.Sprintf("%s, %s, %s", count(c.Drawables, "drawable"), count(c.Containers, "container"), count(c.Shadows, "shadow")))
	y += 26
	scale := min(width/float64(sh.Width), height/float64(sh.Height))
	w, h := scale*float64(sh.Width), scale*float64(sh.Height)
	sh.frame(p, fmt.Sprintf("translate(%s %s) scale(%.5f)", short(x), short(y), scale))
	p.printf(`<g transform="translate(%s %s) scale(%.5f)">`+"\n", short(x), short(y), scale)
	sh.use(p, components.NodeDrawable)
	sh.drawShadows(p)
	sh.use(p, components.NodeContainer)
	p.WriteString("</g>\n")
	sh.labels(p, x, y, scale)
	p.printf(`<rect x="%s" y="%s" width="%s" height="%s" fill="none" stroke="%s"/>`+"\n", short(x), short(y), short(w), short(h), faint)
	return y + h
}

// use draws all shapes of a kind.
func (sh *sheet) use(p *page, kind components.NodeKind) {
	for i := range sh.shapes {
		if s := &sh.shapes[i]; s.node.Kind == kind {
			p.printf(`<use href="#%s"/>`, s.id(sh))
		}
	}
}

// drawShadows draws what all shadows cover together, and what they hold, so that
// many of them do not hide the rest.
func (sh *sheet) drawShadows(p *page) {
	var area, hold, r regions.Region
	for i := range sh.Nodes {
		if n := &sh.Nodes[i]; n.Kind == components.NodeShadow {
			r.SetRects(n.Area)
			area.Union(&r)
			r.SetRects(n.Hold)
			hold.Union(&r)
		}
	}
	area.Subtract(&hold)
	paths := []struct {
		area         *regions.Region
		fill, stroke string
	}{{&area, "reads-", shadow}, {&hold, "holds-", held}}
	for _, s := range paths {
		if !s.area.Empty() {
			p.printf(`<path d="%s" fill="url(#%s)" fill-opacity=".8" stroke="%s" stroke-width="%s"/>`,
				outline(nil, s.area.AppendRects(nil)), sh.id(s.fill), s.stroke, short(1/sh.scale))
		}
	}
}

func (sh *sheet) title() string {
	kind := "off-screen"
	if sh.ID == 0 {
		kind = "primary"
	}
	return fmt.Sprintf("Surface %d, %s, %dx%d, %s", sh.ID, kind, sh.Width, sh.Height, formatName(sh.Format))
}

// frame draws the surface itself: paper, and what it shows.
func (sh *sheet) frame(p *page, transform string) {
	p.printf(`<g transform="%s"><rect width="%d" height="%d" fill="%s"/>`, transform, sh.Width, sh.Height, card)
	if sh.Backdrop != nil {
		p.printf(`<use href="#%s"/>`, sh.id("b"))
	}
	p.WriteString("</g>\n")
}

// labelHeight is the height of a label, in pixels.
const labelHeight = 14.0

// labels writes the numbers of the listed drawables on the map, where there is
// room.
func (sh *sheet) labels(p *page, x, y, scale float64) {
	type box struct{ left, top, right, bottom float64 }
	var used []box
	for _, i := range sh.listed() {
		n := &sh.Nodes[i]
		if n.Kind != components.NodeDrawable {
			continue
		}
		r, s := n.largest(), "#"+strconv.FormatUint(n.Seq, 10)
		w := textWidth(s, 10) + 8
		if scale*float64(r.Width()) < w+2 || scale*float64(r.Height()) < labelHeight+1 {
			continue
		}
		cx, cy := x+scale*float64(r.Left+r.Right)/2, y+scale*float64(r.Top+r.Bottom)/2
		b := box{cx - w/2, cy - labelHeight/2, cx + w/2, cy + labelHeight/2}
		free := true
		for _, u := range used {
			free = free && (b.right < u.left || u.right < b.left || b.bottom < u.top || u.bottom < b.top)
		}
		if !free {
			continue
		}
		used = append(used, b)
		p.printf(`<rect x="%s" y="%s" width="%s" height="%s" rx="4" fill="%s" fill-opacity=".88" stroke="%s" stroke-width=".7"/>`,
			short(b.left), short(b.top), short(w), short(labelHeight), card, n.color())
		p.text(cx, cy+3.6, "tag", s)
	}
}

// Room for a surface that is not the first.
const (
	thumbWidth  = 276.0
	thumbHeight = 220.0
	maxThumbs   = 15
)

// drawOthers draws maps of other surfaces side by side, and returns where they
// end. left is how many more there are.
func drawOthers(p *page, all []*sheet, left int, y float64) float64 {
	if len(all) == 0 {
		return y - gutter
	}
	const columns = 5
	step := (pageWidth - 2*margin - columns*thumbWidth) / (columns - 1)
	p.text(margin, y+15, "h2", count(len(all)+left, "other surface"))
	y += 32
	bottom := y
	for i, sh := range all {
		if i > 0 && i%columns == 0 {
			y = bottom + gutter
		}
		x := margin + float64(i%columns)*(thumbWidth+step)
		c := sh.Counts()
		p.text(x, y+12, "", fmt.Sprintf("%d: %dx%d, %s", sh.ID, sh.Width, sh.Height, formatName(sh.Format)))
		p.text(x, y+28, "small", fmt.Sprintf("%s, %s, %s", count(c.Drawables, "drawable"), count(c.Containers, "container"), count(c.Shadows, "shadow")))
		w, h := sh.scale*float64(sh.Width), sh.scale*float64(sh.Height)
		at := fmt.Sprintf("translate(%s %s) scale(%.5f)", short(x), short(y+36), sh.scale)
		sh.frame(p, at)
		p.printf(`<g transform="%s">`+"\n", at)
		sh.use(p, components.NodeDrawable)
		sh.drawShadows(p)
		sh.use(p, components.NodeContainer)
		p.WriteString("</g>\n")
		p.printf(`<rect x="%s" y="%s" width="%s" height="%s" fill="none" stroke="%s"/>`+"\n", short(x), short(y+36), short(w), short(h), faint)
		bottom = max(bottom, y+36+h)
	}
	if left > 0 {
		bottom += gutter
		p.text(margin, bottom, "dim", fmt.Sprintf("and %s with fewer nodes", number(left)))
	}
	return bottom
}
