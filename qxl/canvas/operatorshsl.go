package canvas

// hslOp is a blend mode that takes hue, saturation and luminosity from one
// pixel or the other; it yields the colour that both cover.
type hslOp func(sa float32, s *rgb, da float32, d *rgb) rgb

// rgb is a pixel's colour: blue, green, red.
type rgb [3]float32

func (blend hslOp) eval(s, m, d *wide) (out wide) {
	sa, da := s[wideAlpha], d[wideAlpha]
	sc, dc := rgb(s[:3]), rgb(d[:3])
	mixed := blend(sa, &sc, da, &dc)
	for i, v := range mixed {
		out[i] = float32((1-sa)*d[i]) + float32((1-da)*s[i]) + v
	}
	out[wideAlpha] = sa + da - float32(sa*da)
	return out
}

func hslHue(sa float32, s *rgb, da float32, d *rgb) rgb {
	c := s.times(da)
	c.setSaturation(d.saturation() * sa)
	c.setLuminosity(sa*da, d.luminosity()*sa)
	return c
}

func hslSaturation(sa float32, s *rgb, da float32, d *rgb) rgb {
	c := d.times(sa)
	c.setSaturation(s.saturation() * da)
	c.setLuminosity(sa*da, d.luminosity()*sa)
	return c
}

func hslColor(sa float32, s *rgb, da float32, d *rgb) rgb {
	c := s.times(da)
	c.setLuminosity(sa*da, d.luminosity()*sa)
	return c
}

func hslLuminosity(sa float32, s *rgb, da float32, d *rgb) rgb {
	c := d.times(sa)
	c.setLuminosity(sa*da, s.luminosity()*da)
	return c
}

func (c *rgb) times(f float32) rgb { return rgb{c[0] * f, c[1] * f, c[2] * f} }

func (c *rgb) luminosity() float32 {
	return float32(c[2]*0.3) + float32(c[1]*0.59) + float32(c[0]*0.11)
}

func (c *rgb) saturation() float32 {
	return max(c[0], c[1], c[2]) - min(c[0], c[1], c[2])
}

// setSaturation spreads the components over [0,sat], keeping their order.
func (c *rgb) setSaturation(sat float32) {
	lo, hi := min(c[0], c[1], c[2]), max(c[0], c[1], c[2])
	for i, v := range c {
		switch {
		case v == lo, isZero(hi - lo):
			c[i] = 0
		case v == hi:
			c[i] = sat
		default:
			c[i] = float32((v-lo)*sat) / (hi - lo)
		}
	}
}

// setLuminosity shifts the components to luminosity lum, and pulls those that
// leave [0,alpha] back towards it.
func (c *rgb) setLuminosity(alpha, lum float32) {
	shift := lum - c.luminosity()
	for i := range c {
		c[i] += shift
	}
	l, lo, hi := c.luminosity(), min(c[0], c[1], c[2]), max(c[0], c[1], c[2])
	if lo < 0 {
		c.pull(l, lo, 0)
	}
	if hi > alpha {
		c.pull(l, hi, alpha)
	}
}

// pull scales the distances from l so that end comes to lie on bound.
func (c *rgb) pull(l, end, bound float32) {
	for i, v := range c {
		if isZero(end - l) {
			c[i] = bound
		} else {
			c[i] = l + float32((v-l)*(bound-l))/(end-l)
		}
	}
}
