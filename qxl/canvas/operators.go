package canvas

// combine is an X Render operator on premultiplied pixels in 8-bit
// arithmetic: s is the source under the mask, m its alpha for each component
// (the same one unless the mask has component alpha), d the destination.
type combine func(s, m, d uint32) uint32

// Operator numbers at which a family begins.
const (
	opDisjoint  = 0x10
	opConjoint  = 0x20
	opSeparable = 0x30
)

// simplify returns the Porter-Duff operator that is the same as op, in general
// or where every pixel of the source, under its mask, or of the destination is
// opaque.
func simplify(op uint8, srcOpaque, dstOpaque bool) uint8 {
	family := op &^ 15
	switch {
	case (family == opDisjoint || family == opConjoint) && op&15 < opDst+1:
		return op & 15 // clear, source and destination divide nothing anyway
	case op == opSaturate && dstOpaque:
		return opDst
	case op == opSaturate && srcOpaque:
		return opOverReverse
	}
	return op
}

// operator returns what implements X Render operator op: one of the two, or
// none for an unknown number. component tells of a mask with component alpha,
// for which the HSL modes are not defined: they leave the destination alone.
func operator(op uint8, component bool) (combine, wideOp) {
	switch {
	case op == opSaturate:
		return nil, saturate
	case int(op) < len(porterDuff):
		return porterDuff[op], nil
	case op >= opDisjoint && int(op) < opDisjoint+len(disjoint):
		return nil, disjoint[op-opDisjoint]
	case op >= opConjoint && int(op) < opConjoint+len(conjoint):
		return nil, conjoint[op-opConjoint]
	case op >= opSeparable && int(op) < opSeparable+len(blendModes):
		if blendModes[op-opSeparable] != nil {
			return blendModes[op-opSeparable], nil
		}
		w := wideModes[op-opSeparable]
		if _, hsl := w.(hslOp); hsl && component {
			return porterDuff[opDst], nil
		}
		return nil, w
	}
	return nil, nil
}

// Operators that others lean on.
const (
	opSource      = 1
	opDst         = 2
	opOver        = 3
	opOverReverse = 4
	opAdd         = 12
	opSaturate    = 13
)

// alphas is a pixel's alpha in every component.
func alphas(p uint32) uint32 { return p >> 24 * 0x01010101 }

var porterDuff = [...]combine{
	0:             func(s, m, d uint32) uint32 { return 0 },
	opSource:      func(s, m, d uint32) uint32 { return s },
	opDst:         func(s, m, d uint32) uint32 { return d },
	opOver:        func(s, m, d uint32) uint32 { return add(s, mulEach(d, ^m)) },
	opOverReverse: func(s, m, d uint32) uint32 { return add(d, mulAlpha(s, ^d>>24)) },
	5:             func(s, m, d uint32) uint32 { return mulAlpha(s, d>>24) },
	6:             func(s, m, d uint32) uint32 { return mulEach(d, m) },
	7:             func(s, m, d uint32) uint32 { return mulAlpha(s, ^d>>24) },
	8:             func(s, m, d uint32) uint32 { return mulEach(d, ^m) },
	9:             func(s, m, d uint32) uint32 { return add(mulAlpha(s, d>>24), mulEach(d, ^m)) },
	10:            func(s, m, d uint32) uint32 { return add(mulAlpha(s, ^d>>24), mulEach(d, m)) },
	11:            func(s, m, d uint32) uint32 { return add(mulAlpha(s, ^d>>24), mulEach(d, ^m)) },
	opAdd:         func(s, m, d uint32) uint32 { return add(s, d) },

	opSaturate: nil,
}

// blendModes are PDF's, from multiply on; those that divide are in wideModes.
var blendModes = [...]combine{
	0:  multiply,
	1:  separable(func(sa, s, da, d int32) int32 { return s*da + d*sa - s*d }), // screen
	2:  separable(overlay),
	3:  separable(func(sa, s, da, d int32) int32 { return min(s*da, d*sa) }),       // darken
	4:  separable(func(sa, s, da, d int32) int32 { return max(s*da, d*sa) }),       // lighten
	7:  separable(func(sa, s, da, d int32) int32 { return overlay(da, d, sa, s) }), // hard light
	9:  separable(difference),
	10: separable(func(sa, s, da, d int32) int32 { return s*da + d*sa - 2*s*d }), // exclusion
	14: nil,
}

func multiply(s, m, d uint32) uint32 {
	rest := add(mulAlpha(s, ^d>>24), mulEach(d, ^m))
	return add(mulEach(d, s), rest)
}

func overlay(sa, s, da, d int32) int32 {
	if 2*d < da {
		return 2 * s * d
	}
	return sa*da - 2*(da-d)*(sa-s)
}

func difference(sa, s, da, d int32) int32 {
	if v := s*da - d*sa; v >= 0 {
		return v
	}
	return d*sa - s*da
}

// separable makes a blend mode of what it does with one component, the result
// being in units of 1/255².
func separable(blend func(sa, s, da, d int32) int32) combine {
	return func(s, m, d uint32) uint32 {
		sa, da := int32(s>>24), int32(d>>24)
		out := unscale(da*255+sa*255-sa*da) << 24
		for shift := 0; shift < 24; shift += 8 {
			cs, cm, cd := int32(s>>shift&255), int32(m>>shift&255), int32(d>>shift&255)
			out |= unscale((255-cm)*cd+(255-da)*cs+blend(cm, cs, da, cd)) << shift
		}
		return out
	}
}

// unscale is v/255 rounded, v being cut to 0 … 255².
func unscale(v int32) uint32 {
	t := uint32(max(0, min(v, 255*255))) + 128
	return (t + t>>8) >> 8
}
