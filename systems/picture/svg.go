package picture

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"image/jpeg"
	"io"
	"unicode/utf8"
)

// Measures of the page, in pixels.
const (
	pageWidth  = 1560.0
	margin     = 32.0
	gutter     = 36.0
	leftWidth  = 900.0 // map and list
	rightWidth = pageWidth - 2*margin - gutter - leftWidth
	textSize   = 12.0
	lineHeight = 18.0
)

// page is an SVG document that is being written.
type page struct{ bytes.Buffer }

func (p *page) printf(format string, args ...any) { fmt.Fprintf(p, format, args...) }

// text writes a text whose baseline begins at x, y.
func (p *page) text(x, y float64, class, s string) {
	p.printf(`<text x="%s" y="%s" class="%s">`, short(x), short(y), class)
	p.escape(s)
	p.WriteString("</text>\n")
}

func (p *page) escape(s string) {
	// A bytes.Buffer does not fail.
	_ = xml.EscapeText(p, []byte(s))
}

// textWidth estimates the width of a text from above.
func textWidth(s string, size float64) float64 {
	return 0.58 * size * float64(utf8.RuneCountInString(s))
}

// WriteSVG draws the trees as one standalone SVG document: the first surface
// with a map, its planes stacked, and a list; the others as maps beside each
// other.
func (t *Tree) WriteSVG(w io.Writer) error {
	body := new(page)
	y := t.header(body)
	sheets, height := newSheets(t), y+3*lineHeight
	if len(t.Surfaces) == 0 {
		body.text(margin, y+lineHeight, "h2", "There is no surface.")
	} else {
		y = t.legend(body, y)
		sh := sheets[0]
		below := sh.drawMap(body, margin, y, leftWidth, 1.2*leftWidth)
		height = sh.drawList(body, margin, below+gutter/2)
		height = max(height, sh.drawStack(body, margin+leftWidth+gutter, y, height-y))
		height = drawOthers(body, sheets[1:], len(t.Surfaces)-len(sheets), height+gutter)
	}
	out := new(page)
	out.printf(`<svg xmlns="http://www.w3.org/2000/svg" width="%[1]s" height="%[2]s" viewBox="0 0 %[1]s %[2]s" role="img">`+"\n",
		short(pageWidth), short(height+margin))
	out.WriteString("<title>")
	out.escape(headline("Render tree", t.Commands, t.Title))
	out.WriteString("</title>\n")
	out.WriteString(styleSheet)
	out.patterns("", 1)
	out.printf(`<rect width="100%%" height="100%%" fill="%s"/>`+"\n", paper)
	for _, sh := range sheets {
		if err := sh.define(out); err != nil {
			return err
		}
	}
	out.Write(body.Bytes())
	out.WriteString("</svg>\n")
	_, err := w.Write(out.Bytes())
	return err
}

const styleSheet = `<style>
text { font-family: "Inter", "Segoe UI", "Helvetica Neue", "DejaVu Sans", Arial, sans-serif; font-size: 12px; fill: ` + ink + `; }
.h1 { font-size: 25px; font-weight: 600; }
.h2 { font-size: 15px; font-weight: 600; }
.dim { fill: ` + faint + `; }
.small { font-size: 11px; fill: ` + faint + `; }
.num { text-anchor: end; }
.mono { font-family: "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: 11px; }
.tag { font-size: 10px; font-weight: 600; text-anchor: middle; }
.held { fill: ` + held + `; }
</style>
`

// headline says what a picture shows, of which recording, after how many commands.
func headline(what string, commands uint64, title string) string {
	what += " after " + count(commands, "command")
	if title != "" {
		what += " of " + title
	}
	return what
}

// header writes the title and the sums, and returns where the page goes on.
func (t *Tree) header(p *page) float64 {
	p.text(margin, margin+24, "h1", headline("Render tree", t.Commands, t.Title))
	_, _, sum := t.occurring()
	line := fmt.Sprintf("%s (%s not executed, %s not sent), %s, %s", count(sum.Drawables, "drawable"),
		number(sum.Current), number(sum.Waiting), count(sum.Containers, "container"), count(sum.Shadows, "shadow"))
	if sum.Shadows > 0 {
		line += " with " + pixels(sum.OnHold) + " on hold"
	}
	line += ", " + count(len(t.Surfaces), "surface") + "."
	if t.Client > 0 {
		line += " A client takes what waits for it after every " + count(t.Client, "command") + "."
	} else {
		line += " There is no client."
	}
	p.text(margin, margin+50, "dim", line)
	return margin + 66
}

// patterns defines the hatchings of shadows, and of what they hold, at a scale.
func (p *page) patterns(suffix string, scale float64) {
	const pattern = `<pattern id="%s%s" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="scale(%.4f) rotate(%d)">` +
		`<rect width="%s" height="7" fill="%s"/></pattern>` + "\n"
	p.WriteString("<defs>\n")
	p.printf(pattern, "reads", suffix, scale, 45, "1.4", shadow)
	p.printf(pattern, "holds", suffix, scale, -45, "2.4", held)
	p.WriteString("</defs>\n")
}

// define writes what is used several times: the backdrop and the nodes' areas.
func (sh *sheet) define(p *page) error {
	p.patterns(sh.id("-"), 1/sh.scale)
	p.WriteString("<defs>\n")
	if sh.Backdrop != nil {
		var img bytes.Buffer
		if err := jpeg.Encode(&img, sh.Backdrop, &jpeg.Options{Quality: 55}); err != nil {
			return fmt.Errorf("encoding the backdrop of surface %d: %w", sh.ID, err)
		}
		p.printf(`<image id="%s" width="%d" height="%d" preserveAspectRatio="none" opacity=".38" href="data:image/jpeg;base64,%s"/>`+"\n",
			sh.id("b"), sh.Width, sh.Height, base64.StdEncoding.EncodeToString(img.Bytes()))
	}
	for i := range sh.shapes {
		sh.shapes[i].define(p, sh)
	}
	p.WriteString("</defs>\n")
	return nil
}
