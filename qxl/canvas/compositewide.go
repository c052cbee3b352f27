package canvas

// wideSpan combines pixels in floating point.
func (p *composer) wideSpan(dst []byte, y, x0, x1 int) {
	j, n := p.j, x1-x0
	j.argb[0] = sized(j.argb[0], n)
	for i := range p.rows {
		p.rows[i] = sized(p.rows[i], n)
	}
	back, src, mask := j.argb[0], p.rows[0], p.rows[1]
	p.src.rowWide(src, x0, y)
	if p.hasMask {
		p.mask.rowWide(mask, x0, y)
	}
	p.layout.fetchARGB(back, dst, 0, nil)
	unit := p.layout.units()
	for i := range src {
		d := unit.widen(back[i])
		m := alphasWide(&src[i])
		if p.hasMask {
			m = underMask(&src[i], mask[i], p.component)
		}
		out := p.wide.eval(&src[i], &m, &d)
		back[i] = out.narrow()
	}
	p.layout.storeARGB(dst, back)
}

// alphasWide is a pixel's alpha in every component.
func alphasWide(p *wide) wide {
	a := p[wideAlpha]
	return wide{a, a, a, a}
}

// underMask multiplies s by the mask, and returns its alpha for each component.
func underMask(s *wide, m wide, component bool) wide {
	if !component {
		m = alphasWide(&m)
	}
	alpha := s[wideAlpha]
	for i := range s {
		s[i] *= m[i]
		m[i] *= alpha
	}
	return m
}

// units says how colours of some depth are widened: by which shift the
// significant bits of an 8-bit component are found, and what one is worth.
type units struct {
	shift [3]uint
	worth [3]float32
}

// units are those of layout l.
func (l layout) units() (u units) {
	for i, bits := range l.depths() {
		u.shift[i] = 8 - bits
		u.worth[i] = 1 / float32(uint(1)<<bits-1)
	}
	return u
}

// widen converts a8r8g8b8 whose colours were widened from fewer bits before.
func (u *units) widen(p uint32) (w wide) {
	const unit = float32(1) / 255
	for i := range w[:wideAlpha] {
		w[i] = float32(p>>(8*i)&255>>u.shift[i]) * u.worth[i]
	}
	w[wideAlpha] = float32(p>>24) * unit
	return w
}

// rowWide is rowARGB in floating point.
func (s *sampler) rowWide(dst []wide, x, y int) {
	unit := s.shown.units()
	x, y = x+s.x, y+s.y
	if s.transform == nil {
		for i := range dst {
			dst[i] = unit.widen(s.at(x+i, y))
		}
		return
	}
	fx, fy := s.position(x, y)
	for i := range dst {
		if s.linear {
			dst[i] = s.betweenWide(&unit, fx-0x8000, fy-0x8000)
		} else {
			dst[i] = unit.widen(s.at((fx-1)>>16, (fy-1)>>16))
		}
		fx += int(s.transform[0])
		fy += int(s.transform[3])
	}
}

// betweenWide is between in floating point.
func (s *sampler) betweenWide(unit *units, fx, fy int) (w wide) {
	x, y := fx>>16, fy>>16
	wx, wy := float32(fx&0xffff)/65536, float32(fy&0xffff)/65536
	tl, tr := unit.widen(s.at(x, y)), unit.widen(s.at(x+1, y))
	bl, br := unit.widen(s.at(x, y+1)), unit.widen(s.at(x+1, y+1))
	w00, w10, w01, w11 := (1-wx)*(1-wy), wx*(1-wy), (1-wx)*wy, wx*wy
	for i := range w {
		w[i] = float32(tl[i]*w00) + float32(tr[i]*w10) + float32(bl[i]*w01) + float32(br[i]*w11)
	}
	return w
}
