package picture

import (
	"strconv"
	"strings"

	"github.com/spiceecs/spiceecs/components"
	"github.com/spiceecs/spiceecs/qxl"
)

// drawStyle is how drawables of a type look.
type drawStyle struct{ name, color string }

// drawStyles are the styles by type. Related operations have related colours;
// red is left to on_hold, purple to shadows, orange to containers.
var drawStyles = [...]drawStyle{
	qxl.DrawNOP:         {"nop", "#9aa0a6"},
	qxl.DrawFill:        {"fill", "#12a594"},
	qxl.DrawOpaque:      {"opaque", "#2340a8"},
	qxl.DrawCopy:        {"copy", "#3e82f7"},
	qxl.DrawCopyBits:    {"copy bits", "#8e4ec6"},
	qxl.DrawBlend:       {"blend", "#d6a400"},
	qxl.DrawBlackness:   {"blackness", "#17181a"},
	qxl.DrawWhiteness:   {"whiteness", "#b8bec6"},
	qxl.DrawInvers:      {"invers", "#5e6772"},
	qxl.DrawRop3:        {"rop3", "#a2559c"},
	qxl.DrawStroke:      {"stroke", "#1f8a3b"},
	qxl.DrawText:        {"text", "#6d4c33"},
	qxl.DrawTransparent: {"transparent", "#9bb300"},
	qxl.DrawAlphaBlend:  {"alpha blend", "#e8863a"},
	qxl.DrawComposite:   {"composite", "#e0569b"},
}

// effectStyle is how the border of a drawable with an effect is dashed, in
// pixels of the picture.
type effectStyle struct {
	name string
	dash []float64
}

var effectStyles = [...]effectStyle{
	qxl.EffectBlend:          {"blend", []float64{4, 3}},
	qxl.EffectOpaque:         {"opaque", nil},
	qxl.EffectRevertOnDup:    {"revert on dup", []float64{1.5, 2}},
	qxl.EffectBlacknessOnDup: {"blackness on dup", []float64{7, 2, 1.5, 2}},
	qxl.EffectWhitenessOnDup: {"whiteness on dup", []float64{7, 2, 1.5, 2, 1.5, 2}},
	qxl.EffectNOPOnDup:       {"nop on dup", []float64{1.5, 4}},
	qxl.EffectNOP:            {"nop", []float64{1.5, 6}},
	qxl.EffectOpaqueBrush:    {"opaque brush", []float64{9, 3}},
}

// Colours that do not depend on a type.
const (
	paper     = "#fbfaf7"
	card      = "#ffffff"
	ink       = "#1c2024"
	faint     = "#6b7077"
	hairline  = "#dcdad3"
	container = "#f76b15"
	shadow    = "#8145b5"
	held      = "#e5484d"
)

func (n *Node) color() string {
	switch {
	case n.Kind == components.NodeShadow:
		return shadow
	case int(n.Type) < len(drawStyles):
		return drawStyles[n.Type].color
	}
	return faint
}

// name says what a node is.
func (n *Node) name() string {
	switch {
	case n.Kind == components.NodeShadow:
		return "shadow of #" + strconv.FormatUint(n.Owner, 10)
	case n.Kind == components.NodeContainer:
		return "container"
	case int(n.Type) < len(drawStyles):
		return drawStyles[n.Type].name
	}
	return "type " + strconv.Itoa(int(n.Type))
}

func (n *Node) effect() effectStyle {
	if n.Kind == components.NodeDrawable && int(n.Effect) < len(effectStyles) {
		return effectStyles[n.Effect]
	}
	return effectStyle{}
}

// formatName names a surface format.
func formatName(f qxl.SurfaceFormat) string {
	switch f {
	case qxl.Surface1A:
		return "1 bit alpha"
	case qxl.Surface8A:
		return "8 bit alpha"
	case qxl.Surface16x555:
		return "16 bit 555"
	case qxl.Surface16x565:
		return "16 bit 565"
	case qxl.Surface32xRGB:
		return "32 bit xRGB"
	case qxl.Surface32ARGB:
		return "32 bit ARGB"
	}
	return "format " + strconv.Itoa(int(f))
}

// number writes an integer with its thousands apart.
func number[T int | int32 | int64 | uint64](v T) string {
	s := strconv.FormatInt(int64(v), 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// count writes a number of things.
func count[T int | uint64](n T, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return number(n) + " " + thing + "s"
}

// pixels writes a number of pixels in a short way.
func pixels[T int64 | uint64](n T) string {
	switch {
	case n < 10_000:
		return number(int64(n)) + " px"
	case n < 1_000_000:
		return strconv.FormatFloat(float64(n)/1e3, 'f', 1, 64) + " kpx"
	case n < 100_000_000:
		return strconv.FormatFloat(float64(n)/1e6, 'f', 1, 64) + " Mpx"
	}
	return number(int64(n)/1_000_000) + " Mpx"
}

// short writes a coordinate with up to two digits behind the point.
func short(v float64) string {
	s := strconv.FormatFloat(v, 'f', 2, 64)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}
