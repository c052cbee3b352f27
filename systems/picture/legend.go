package picture

import (
	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/qxl"
)

// legend explains what occurs in the picture, and returns where the page goes on.
func (t *Tree) legend(p *page, y float64) float64 {
	l := legend{page: p, x: margin, y: y}
	types, effects, sum := t.occurring()
	for typ, n := range types {
		if n > 0 {
			l.item(&Node{Kind: components.NodeDrawable, Type: qxl.DrawType(typ), Effect: qxl.EffectOpaque, Current: true},
				drawStyles[typ].name, n)
		}
	}
	l.line()
	for e, n := range effects {
		if n > 0 {
			l.item(&Node{Kind: components.NodeDrawable, Type: qxl.DrawNOP, Effect: qxl.Effect(e), Current: true},
				"effect "+effectStyles[e].name, n)
		}
	}
	if executed := sum.Drawables - sum.Current; executed > 0 {
		l.item(&Node{Kind: components.NodeDrawable, Effect: qxl.EffectOpaque}, "executed, not sent", executed)
	}
	if sum.Containers > 0 {
		l.item(&Node{Kind: components.NodeContainer}, "container (brackets in the list)", sum.Containers)
	}
	if sum.Shadows > 0 {
		l.item(&Node{Kind: components.NodeShadow}, "shadow: read by a newer drawable", sum.Shadows)
		l.item(&Node{Kind: components.NodeShadow, OnHold: 1}, "on hold: hidden, but kept for the reader", 0)
	}
	l.line()
	return l.y + 14
}

// occurring counts the drawables of each type and effect, and sums all trees up.
func (t *Tree) occurring() (types [len(drawStyles)]int, effects [len(effectStyles)]int, sum SurfaceCounts) {
	for i := range t.Surfaces {
		sum.add(t.Surfaces[i].Counts())
		for j := range t.Surfaces[i].Nodes {
			n := &t.Surfaces[i].Nodes[j]
			if n.Kind == components.NodeDrawable && int(n.Type) < len(types) && int(n.Effect) < len(effects) {
				types[n.Type]++
				effects[n.Effect]++
			}
		}
	}
	return types, effects, sum
}

// legend is a flow of items.
type legend struct {
	*page
	x, y float64
}

// item explains one look; times, if not 0, is how often it occurs.
func (l *legend) item(n *Node, s string, times int) {
	often := ""
	if times > 0 {
		often = number(times)
	}
	w := 18 + textWidth(s, textSize) + textWidth(often, textSize) + 22
	if l.x > margin && l.x+w > pageWidth-margin {
		l.line()
	}
	l.printf(`<g transform="translate(%s %s)">`, short(l.x), short(l.y+3))
	swatch(l.page, n)
	l.WriteString("</g>")
	l.printf(`<text x="%s" y="%s">`, short(l.x+18), short(l.y+13.5))
	l.escape(s)
	l.printf(` <tspan class="dim">%s</tspan></text>`+"\n", often)
	l.x += w
}

func (l *legend) line() {
	if l.x > margin {
		l.x, l.y = margin, l.y+22
	}
}
