package canvas

import "math"

// wide is a premultiplied pixel in floating point: blue, green, red, alpha.
type wide [4]float32

const wideAlpha = 3

// wideOp is an X Render operator that divides, hence works in floating point.
// The operands are those of combine.
type wideOp interface{ eval(s, m, d *wide) wide }

// narrow converts to a8r8g8b8: of 256 equal parts of [0,1], the one it is in.
func (w *wide) narrow() (p uint32) {
	for i, v := range w {
		u := uint32(max(0, min(v, 1)) * 256)
		p |= (u - u>>8) << (8 * i)
	}
	return p
}

// isZero reports whether f is smaller than a division bears.
func isZero(f float32) bool { return f < 0x1p-126 && f > -0x1p-126 }

// ratio is a/b cut to [0,1], or whenZero for a zero b.
func ratio(a, b, whenZero float32) float32 {
	if isZero(b) {
		return whenZero
	}
	return max(0, min(a/b, 1))
}

// factor is what an operand is multiplied by, depending on both alphas.
type factor func(sa, da float32) float32

func zero(sa, da float32) float32 { return 0 }
func one(sa, da float32) float32  { return 1 }

func saOverDa(sa, da float32) float32     { return ratio(sa, da, 1) }
func daOverSa(sa, da float32) float32     { return ratio(da, sa, 1) }
func saRestOverDa(sa, da float32) float32 { return ratio(1-sa, da, 1) }
func daRestOverSa(sa, da float32) float32 { return ratio(1-da, sa, 1) }

// lessSaOverDa and its like are 1 minus the ratio.
func lessSaOverDa(sa, da float32) float32     { return less(sa, da) }
func lessDaOverSa(sa, da float32) float32     { return less(da, sa) }
func lessSaRestOverDa(sa, da float32) float32 { return less(1-sa, da) }
func lessDaRestOverSa(sa, da float32) float32 { return less(1-da, sa) }

func less(a, b float32) float32 {
	if isZero(b) {
		return 0
	}
	return max(0, min(1-a/b, 1))
}

// factorOp weighs source and destination.
type factorOp struct{ src, dst factor }

func (o factorOp) eval(s, m, d *wide) (out wide) {
	da := d[wideAlpha]
	for i := range out {
		out[i] = min(1, float32(s[i]*o.src(m[i], da))+float32(d[i]*o.dst(m[i], da)))
	}
	return out
}

// saturate adds as much of the source as there is room for.
var saturate wideOp = factorOp{daRestOverSa, one}

// Operators on pixels whose coverages are disjoint, from clear to xor.
var disjoint = [...]wideOp{
	factorOp{zero, zero},
	factorOp{one, zero},
	factorOp{zero, one},
	factorOp{one, saRestOverDa},
	factorOp{daRestOverSa, one},
	factorOp{lessDaRestOverSa, zero},
	factorOp{zero, lessSaRestOverDa},
	factorOp{daRestOverSa, zero},
	factorOp{zero, saRestOverDa},
	factorOp{lessDaRestOverSa, saRestOverDa},
	factorOp{daRestOverSa, lessSaRestOverDa},
	factorOp{daRestOverSa, saRestOverDa},
}

// Operators on pixels one of which covers the other, from clear to xor.
var conjoint = [...]wideOp{
	factorOp{zero, zero},
	factorOp{one, zero},
	factorOp{zero, one},
	factorOp{one, lessSaOverDa},
	factorOp{lessDaOverSa, one},
	factorOp{daOverSa, zero},
	factorOp{zero, saOverDa},
	factorOp{lessDaOverSa, zero},
	factorOp{zero, lessSaOverDa},
	factorOp{daOverSa, lessSaOverDa},
	factorOp{lessDaOverSa, saOverDa},
	factorOp{lessDaOverSa, lessSaOverDa},
}

// wideModes are the blend modes, counted as in blendModes, that divide.
var wideModes = [...]wideOp{
	5:  modeOp(colorDodge),
	6:  modeOp(colorBurn),
	8:  modeOp(softLight),
	11: hslOp(hslHue),
	12: hslOp(hslSaturation),
	13: hslOp(hslColor),
	14: hslOp(hslLuminosity),
}

// modeOp is a blend mode as what it does with one component.
type modeOp func(sa, s, da, d float32) float32

func (blend modeOp) eval(s, m, d *wide) (out wide) {
	sa, da := s[wideAlpha], d[wideAlpha]
	for i := range wideAlpha {
		out[i] = float32((1-m[i])*d[i]) + float32((1-da)*s[i]) + blend(m[i], s[i], da, d[i])
	}
	out[wideAlpha] = sa + da - float32(sa*da)
	return out
}

func colorDodge(sa, s, da, d float32) float32 {
	switch {
	case isZero(d):
		return 0
	case float32(d*sa) >= float32(sa*da)-float32(s*da), isZero(sa - s):
		return sa * da
	}
	return sa * sa * d / (sa - s)
}

func colorBurn(sa, s, da, d float32) float32 {
	switch {
	case d >= da:
		return sa * da
	case sa*(da-d) >= s*da, isZero(s):
		return 0
	}
	return sa * (da - float32(sa*(da-d)/s))
}

func softLight(sa, s, da, d float32) float32 {
	switch {
	case isZero(da):
		return d * sa
	case 2*s <= sa:
		return float32(d*sa) - float32(d*(da-d)*(sa-2*s)/da)
	case 4*d <= da:
		return float32(d*sa) + float32((2*s-sa)*d*(float32((16*d/da-12)*d/da)+3))
	}
	root := float32(math.Sqrt(float64(d * da)))
	return float32(d*sa) + float32((root-d)*(2*s-sa))
}
