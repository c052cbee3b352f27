package picture

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/spiceecs/spiceecs/components"
)

// Bounds of the list: rows for the newest nodes, and for the largest of the rest.
const (
	newestRows  = 36
	largestRows = 24
	listColumns = 2
)

// listed picks the nodes that the list shows, newest first.
func (sh *sheet) listed() (rows []int) {
	var rest []int
	for i := range sh.Nodes {
		if sh.Nodes[i].Kind == components.NodeContainer {
			continue
		}
		if len(rows) < newestRows {
			rows = append(rows, i)
		} else {
			rest = append(rest, i)
		}
	}
	slices.SortStableFunc(rest, func(a, b int) int { return cmp.Compare(sh.Nodes[b].Pixels, sh.Nodes[a].Pixels) })
	rest = rest[:min(len(rest), largestRows)]
	slices.Sort(rest)
	return append(rows, rest...)
}

// row is a line of the list: a node, or how many are left out.
type row struct{ node, left int }

// rows makes the lines of the list.
func (sh *sheet) rows() (rows []row) {
	listed, gap := sh.listed(), 0
	for i := range sh.Nodes {
		switch {
		case len(listed) > 0 && listed[0] == i:
			if gap > 0 {
				rows = append(rows, row{left: gap})
			}
			rows, listed, gap = append(rows, row{node: i}), listed[1:], 0
		case sh.Nodes[i].Kind != components.NodeContainer:
			gap++
		}
	}
	if gap > 0 {
		rows = append(rows, row{left: gap})
	}
	return rows
}

// Columns of a line, from its left end.
const (
	atBrackets = 0.0
	bracketGap = 4.0
	maxBracket = 7 // brackets drawn; deeper ones are counted
	atNumber   = 78.0
	atSwatch   = 86.0
	atName     = 104.0
	atEffect   = 200.0
	atBox      = 282.0
	atPixels   = 432.0
)

// drawList writes the nodes in z-order and returns where the list ends.
func (sh *sheet) drawList(p *page, x, y float64) (bottom float64) {
	rows := sh.rows()
	p.text(x, y+15, "h2", "In z-order, newest first")
	if len(rows) == 0 {
		p.text(x, y+36, "dim", "Nothing waits to be executed or sent: the surface is what the client has.")
		return y + 36
	}
	if len(rows) > newestRows {
		p.text(x+200, y+15, "small", fmt.Sprintf("the %d newest, and the %d largest of the others", newestRows, largestRows))
	}
	y += 28
	columns := listColumns
	if len(rows) < 12 {
		columns = 1
	}
	width := leftWidth / listColumns
	lines := (len(rows) + columns - 1) / columns
	for c := range columns {
		sh.listHead(p, x+float64(c)*(width+8), y)
	}
	y += 16
	for i, r := range rows {
		rx, ry := x+float64(i/lines)*(width+8), y+float64(i%lines)*lineHeight
		if r.left > 0 {
			p.text(rx+atSwatch+1, ry+13, "small", "⋮")
			p.text(rx+atName, ry+13, "small", number(r.left)+" more")
			continue
		}
		sh.listRow(p, &sh.Nodes[r.node], rx, ry)
	}
	return y + float64(lines)*lineHeight
}

func (sh *sheet) listHead(p *page, x, y float64) {
	p.text(x+atNumber, y+8, "small num", "seq")
	p.text(x+atName, y+8, "small", "operation")
	p.text(x+atEffect, y+8, "small", "effect")
	p.text(x+atBox, y+8, "small", "box")
	p.text(x+atPixels, y+8, "small num", "visible or held")
	p.printf(`<path d="M%s %sh%s" stroke="%s"/>`+"\n", short(x), short(y+13.5), short(atPixels), hairline)
}

// listRow writes one node.
func (sh *sheet) listRow(p *page, n *Node, x, y float64) {
	for d := range min(n.Depth, maxBracket) {
		p.printf(`<path d="M%s %sv%s" stroke="%s" stroke-width="1.6"/>`, short(x+1+bracketGap*float64(d)), short(y), short(lineHeight), container)
	}
	if n.Depth > maxBracket {
		p.text(x+2+bracketGap*maxBracket, y+12.5, "small", strconv.Itoa(n.Depth))
	}
	p.printf(`<g transform="translate(%s %s)">`, short(x+atSwatch), short(y+3))
	swatch(p, n)
	p.WriteString("</g>")
	box := n.box()
	where := fmt.Sprintf("%d,%d %dx%d", box.Left, box.Top, box.Width(), box.Height())
	if n.Kind == components.NodeShadow {
		p.text(x+atName, y+13, "", n.name())
		p.text(x+atBox, y+13, "mono", where)
		p.text(x+atPixels, y+13, "mono num held", percent(n.OnHold, n.Pixels))
		return
	}
	p.text(x+atNumber, y+13, "mono num", strconv.FormatUint(n.Seq, 10))
	p.text(x+atName, y+13, "", n.name())
	p.text(x+atEffect, y+13, "dim", n.effect().name)
	p.text(x+atBox, y+13, "mono", where)
	p.text(x+atPixels, y+13, "mono num", percent(n.Pixels, n.BBox.Area()))
}

// percent writes a share; only what is whole is 100 %.
func percent(part, whole int64) string {
	switch {
	case part == whole:
		return "100 %"
	case part > 0 && 100*part < whole:
		return "<1 %"
	}
	return strconv.FormatInt(100*part/max(1, whole), 10) + " %"
}

// swatch draws how a node looks, 12 by 12 pixels.
func swatch(p *page, n *Node) {
	const box = `<rect width="12" height="12" rx="1.5" fill="%s" fill-opacity="%s" stroke="%s"%s/>`
	switch n.Kind {
	case components.NodeContainer:
		p.printf(`<rect width="12" height="12" fill="none" stroke="%s" stroke-width="1.6"/>`, container)
	case components.NodeShadow:
		p.printf(box, "url(#reads)", ".7", shadow, ` stroke-dasharray="6 2"`)
		if n.OnHold > 0 {
			p.printf(`<rect width="12" height="12" fill="url(#holds)" fill-opacity=".75"/>`)
		}
	default:
		dash := ""
		if d := n.effect().dash; d != nil {
			dash = fmt.Sprintf(` stroke-dasharray="%s"`, dashes(d, .7))
		}
		p.printf(box, n.color(), n.opacity(), n.color(), dash)
	}
}
