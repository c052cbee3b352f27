package marshal

// paletteSlots is how many palettes a client's cache holds.
const paletteSlots = 128

// palettes mirrors a client's palette cache: most recently used last.
type palettes struct{ ids []uint64 }

// use reports whether the client has the palette, and otherwise notes that it
// is going to, and which one it has to forget for that (0: none).
func (p *palettes) use(id uint64) (cached bool, evicted uint64) {
	for i, have := range p.ids {
		if have == id {
			copy(p.ids[i:], p.ids[i+1:])
			p.ids[len(p.ids)-1] = id
			return true, 0
		}
	}
	if len(p.ids) == paletteSlots {
		evicted = p.ids[0]
		copy(p.ids, p.ids[1:])
		p.ids = p.ids[:paletteSlots-1]
	}
	p.ids = append(p.ids, id)
	return false, evicted
}

func (p *palettes) reset() { p.ids = p.ids[:0] }
